using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Core;

/// <summary>Ends the machine.</summary>
public static class PowerControl
{
    private const int FirstProcessId = 1;

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

    /// <summary>
    /// Somebody pressed the power button, or the hypervisor asks for an orderly end: the first process is asked to end by SIGTERM, each time. What it makes of that is its own
    /// affair. Called by the button's interrupt handler.
    /// </summary>
    public static unsafe void PowerButtonPressed()
    {
        Process* first = ThreadTable.FindProcess(FirstProcessId);
        if (first != null)
            Signals.Send(first, Signal.SIGTERM);
        else
            EndOfProgram(ExitStatus.Killed(Signal.SIGTERM));
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
