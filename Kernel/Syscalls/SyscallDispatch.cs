using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Syscalls;

/// <summary>The table that a call's number indexes, and the way through it when calls are traced.</summary>
internal static unsafe class SyscallDispatch
{
    /// <summary>Entries of the table that entry.S indexes: a power of two above Linux's highest number.</summary>
    private const int TableSize = 512;

    /// <summary>Whether calls are traced; set at boot.</summary>
    internal static bool IsTracing { get; set; }

    /// <summary>A handler per number.</summary>
    internal static delegate*<TrapFrame*, long>* Table => (delegate*<TrapFrame*, long>*)SyscallEntries.Table;

    /// <summary>Fills the table, at boot.</summary>
    internal static void Initialize()
    {
        SyscallTable.Fill(Table, &Unknown);
        for (int number = SyscallTable.Count; number < TableSize; number++)
            Table[number] = &Unknown;
    }

    /// <summary>Calls the handler that the frame's number names, also when there is none; prints call and result when calls are traced.</summary>
    internal static void Call(TrapFrame* frame)
    {
        ulong number = frame->Rax;
        int shown = number < SyscallTable.Count ? (int)number : SyscallTable.Count;
        if (IsTracing)
            SyscallTrace.WriteCall(shown, frame);
        frame->Rax = (ulong)(number < TableSize ? Table[number](frame) : Unknown(frame));
        if (IsTracing)
            SyscallTrace.WriteResult(shown, (long)frame->Rax);
    }

    private static long Unknown(TrapFrame* frame)
    {
        if (IsTracing)
            SyscallTrace.NoteUnknown((int)frame->Error);
        return -(long)Errno.ENOSYS;
    }
}
