using System.Runtime;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Syscalls;

namespace Ukl.Kernel.Levels;

/// <summary>What entry.S hands over of system calls at levels 0 and 1: the ones that are not simply a handler of the table.</summary>
internal static unsafe class SyscallEntry
{
    /// <summary>A traced call, or a number beyond the table.</summary>
    [RuntimeExport("ukl_uncommon_call")]
    private static void HandleUncommon(TrapFrame* frame) => SyscallDispatch.Call(frame);
}
