// The C# side of cpu.S and entry.S: one declaration per assembly function. Nothing outside Arch/X64 uses these.
using System.Runtime;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

internal static unsafe class Instructions
{
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_in8")] internal static extern byte In8(ushort port);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_in16")] internal static extern ushort In16(ushort port);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_in32")] internal static extern uint In32(ushort port);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_out8")] internal static extern void Out8(ushort port, byte value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_out16")] internal static extern void Out16(ushort port, ushort value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_out32")] internal static extern void Out32(ushort port, uint value);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_rdmsr")] internal static extern ulong ReadMsr(uint register);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_wrmsr")] internal static extern void WriteMsr(uint register, ulong value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_read_cr2")] internal static extern ulong ReadCr2();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_read_cr3")] internal static extern ulong ReadCr3();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_write_cr3")] internal static extern void WriteCr3(ulong value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_read_cr4")] internal static extern ulong ReadCr4();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_write_cr4")] internal static extern void WriteCr4(ulong value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_write_xcr0")] internal static extern void WriteXcr0(ulong value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_invlpg")] internal static extern void InvalidatePage(ulong address);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_lidt")] internal static extern void LoadInterruptTable(void* descriptor);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_ltr")] internal static extern void LoadTaskRegister(ushort selector);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_read_timestamp")] internal static extern ulong ReadTimestamp();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_pause")] internal static extern void Pause();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_halt")] internal static extern void Halt();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_wait_for_interrupt")] internal static extern void WaitForInterrupt();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_cpuid")] internal static extern void CpuId(uint leaf, uint subleaf, uint* four);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_rdrand")] internal static extern int ReadRandom(ulong* value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_rdseed")] internal static extern int ReadSeed(ulong* value);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_current_cpu")] internal static extern CpuBlock* CurrentCpu();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_current_thread")] internal static extern Thread* CurrentThread();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_read_fs_base")] internal static extern ulong ReadFsBase();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_write_fs_base")] internal static extern void WriteFsBase(ulong value);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_capture_frame")] internal static extern void CaptureFrame(UnwindState* state);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_switch")] internal static extern void SwitchStacks(ulong* saved, ulong next);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_fxsave")] internal static extern void FxSave(void* area);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_fxrstor")] internal static extern void FxRestore(void* area);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_xsave")] internal static extern void XSave(void* area);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_xsaveopt")] internal static extern void XSaveOptimized(void* area);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_xrstor")] internal static extern void XRestore(void* area);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_save_control_words")] internal static extern void SaveControlWords(uint* two);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_load_control_words")] internal static extern void LoadControlWords(uint* two);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_reset_x87")] internal static extern void ResetX87();

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_clear_pages")] internal static extern void ClearPages(void* page, ulong count);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_copy_page")] internal static extern void CopyPage(void* destination, void* source);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_user_copy")] internal static extern ulong UserCopy(void* destination, void* source, ulong count);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_user_clear")] internal static extern ulong UserClear(void* destination, ulong count);
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_user_compare_exchange")] internal static extern ulong UserCompareExchange(ulong address, uint expected, uint* seen, uint desired);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_image_start")] internal static extern ulong AddressOfImageStart();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_constants_end")] internal static extern ulong AddressOfConstantsEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_text_start")] internal static extern ulong AddressOfTextStart();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_text_end")] internal static extern ulong AddressOfTextEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_data_end")] internal static extern ulong AddressOfDataEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_symbols_start")] internal static extern ulong AddressOfSymbolsStart();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_symbols_end")] internal static extern ulong AddressOfSymbolsEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_syscall_table")] internal static extern void* AddressOfSyscallTable();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_entry_start")] internal static extern ulong AddressOfEntryStart();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_entry_end")] internal static extern ulong AddressOfEntryEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_image_end")] internal static extern ulong AddressOfImageEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_boot_pml4")] internal static extern ulong AddressOfBootPml4();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_boot_stack")] internal static extern ulong AddressOfBootStack();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_gdt")] internal static extern ulong* AddressOfGdt();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_trap_stubs")] internal static extern ulong AddressOfTrapStubs();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_vdso_start")] internal static extern ulong AddressOfVdsoStart();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_vdso_end")] internal static extern ulong AddressOfVdsoEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_syscall_entry")] internal static extern ulong AddressOfSyscallEntry();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_ring0_syscall_entry")] internal static extern ulong AddressOfRing0SyscallEntry();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_thread_start")] internal static extern ulong AddressOfThreadStart();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_has_smap")] internal static extern byte* AddressOfHasSmap();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_user_copy_begin")] internal static extern ulong AddressOfUserCopyBegin();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_user_copy_end")] internal static extern ulong AddressOfUserCopyEnd();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_user_copy_fault")] internal static extern ulong AddressOfUserCopyFault();
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_address_of_linked_program")] internal static extern ulong AddressOfLinkedProgram();
}
