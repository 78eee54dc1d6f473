using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Syscalls;

/// <summary>The table that a call's number indexes, and the way through it when calls are traced.</summary>
internal static unsafe class SyscallDispatch
{
    private static Entries s_entries;

    /// <summary>Whether calls are traced; set at boot.</summary>
    internal static bool IsTracing { get; set; }

    /// <summary>A handler per number below <see cref="SyscallTable.Count"/>.</summary>
    internal static delegate*<TrapFrame*, long>* Table => (delegate*<TrapFrame*, long>*)Unsafe.AsPointer(ref s_entries);

    /// <summary>Fills the table, at boot.</summary>
    internal static void Initialize() => SyscallTable.Fill(Table, &Unknown);

    /// <summary>Calls a handler and prints call and result.</summary>
    internal static void CallTraced(TrapFrame* frame, ulong number)
    {
        int shown = number < SyscallTable.Count ? (int)number : SyscallTable.Count;
        SyscallTrace.WriteCall(shown, frame);
        frame->Rax = (ulong)(number < SyscallTable.Count ? Table[number](frame) : Unknown(frame));
        SyscallTrace.WriteResult(shown, (long)frame->Rax);
    }

    private static long Unknown(TrapFrame* frame)
    {
        if (IsTracing)
            SyscallTrace.NoteUnknown((int)frame->Error);
        return -(long)Errno.ENOSYS;
    }

    [InlineArray(SyscallTable.Count)]
    private struct Entries
    {
        private nint _first;
    }
}
