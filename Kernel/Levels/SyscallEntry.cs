using System.Runtime;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Levels;

/// <summary>The way from an entry (entry.S) to a system call's handler and back at levels 0 and 1.</summary>
internal static unsafe class SyscallEntry
{
    [RuntimeExport("ukl_syscall")]
    private static void Handle(TrapFrame* frame, Thread* thread)
    {
        EntryWork.Enter(thread);
        ulong number = frame->Rax;
        if ((thread->Work & ThreadWork.Trace) != 0)
            TracedCall(frame, number);
        else if (number < SyscallTable.Count)
            frame->Rax = (ulong)SyscallDispatch.Table[number](frame);
        else
            frame->Rax = unchecked((ulong)-(long)Errno.ENOSYS);
        EntryWork.Exit(thread, frame);
    }

    private static void TracedCall(TrapFrame* frame, ulong number) => SyscallDispatch.CallTraced(frame, number);
}
