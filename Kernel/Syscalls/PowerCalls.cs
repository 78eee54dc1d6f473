// Source: reboot(2), include/uapi/linux/reboot.h.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Core;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>The call that ends the machine.</summary>
internal static unsafe class PowerCalls
{
    private const uint Magic1 = 0xfee1_dead;
    private const uint Magic2 = 672274793;
    private const uint Magic2A = 85072278;
    private const uint Magic2B = 369367448;
    private const uint Magic2C = 537993216;

    private enum Command : uint
    {
        KeyboardOff = 0,
        Restart = 0x0123_4567,
        PowerOff = 0x4321_fedc,
        KeyboardOn = 0x89ab_cdef,
        RestartWithText = 0xa1b2_c3d4,
        Halt = 0xcdef_0123,
    }

    [Syscall(169, "reboot", Limits = "a halt turns the machine off; no kexec, no suspend; Ctrl-Alt-Del settings have no effect")]
    internal static Result Reboot(uint magic1, uint magic2, uint command, ulong argument)
    {
        if (Process.Current->Credentials.EffectiveUserId != 0)
            return Errno.EPERM;
        if (magic1 != Magic1 || magic2 is not (Magic2 or Magic2A or Magic2B or Magic2C))
            return Errno.EINVAL;
        switch ((Command)command)
        {
            case Command.KeyboardOff:
            case Command.KeyboardOn:
                return Result.Ok;
            case Command.Restart:
            case Command.RestartWithText:
                PowerControl.Restart();
                return Result.Ok;
            case Command.PowerOff:
            case Command.Halt:
                Devices.ReportExit(0);
                PowerControl.TurnOff(0);
                return Result.Ok;
            default:
                return Errno.EINVAL;
        }
    }
}
