using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Core;

/// <summary>Ends the machine.</summary>
public static class PowerControl
{
    /// <summary>The first process ended: tells outside how, and turns the machine off. Never returns.</summary>
    public static void EndOfProgram(ExitStatus status)
    {
        if (Syscalls.SyscallDispatch.IsTracing)
            Syscalls.SyscallTrace.WriteUnknown();
        int code = status.Signal != 0 ? 128 + status.Signal : status.Code;
        if (status.Signal != 0)
            Devices.ReportSignal(status.Signal);
        else
            Devices.ReportExit(code);
        TurnOff(code);
    }

    /// <summary>Turns the machine off with a status for machines that can hand one on. Never returns.</summary>
    public static void TurnOff(int status)
    {
        Devices.PowerOff(status);
        Machine.Stop();
    }

    /// <summary>Restarts the machine. Never returns.</summary>
    public static void Restart()
    {
        Devices.Reset();
        Machine.Stop();
    }
}
