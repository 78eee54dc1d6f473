namespace Ukl.Kernel.Arch;

/// <summary>The table of system-call handlers where entry.S finds it.</summary>
internal static unsafe class SyscallEntries
{
    /// <summary>512 function pointers of type <c>delegate*&lt;TrapFrame*, long&gt;</c>.</summary>
    internal static void* Table => Instructions.AddressOfSyscallTable();
}
