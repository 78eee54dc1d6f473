using System;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Arch;

/// <summary>The loaded image: where its parts lie and whether a program is linked in. Source: image.ld.</summary>
public static unsafe class Image
{
    /// <summary>What link address and physical address differ by.</summary>
    private const ulong Base = 0xffff_ffff_8000_0000;

    /// <summary>First address (also of the ELF header).</summary>
    public static ulong Start => Instructions.AddressOfImageStart();

    /// <summary>First address after the image.</summary>
    public static ulong End => Instructions.AddressOfImageEnd();

    /// <summary>First address of code.</summary>
    public static ulong TextStart => Instructions.AddressOfTextStart();

    /// <summary>First address after code.</summary>
    public static ulong TextEnd => Instructions.AddressOfTextEnd();

    /// <summary>First address after variables; what follows is constant.</summary>
    public static ulong DataEnd => Instructions.AddressOfDataEnd();

    /// <summary>The table of methods and lines for panics; empty when the image has none.</summary>
    public static ReadOnlySpan<byte> Symbols =>
        new((void*)Instructions.AddressOfSymbolsStart(), (int)(Instructions.AddressOfSymbolsEnd() - Instructions.AddressOfSymbolsStart()));

    /// <summary>The shared object that every program finds in its memory (vdso.S).</summary>
    public static ReadOnlySpan<byte> Vdso => new((void*)Instructions.AddressOfVdsoStart(), (int)(Instructions.AddressOfVdsoEnd() - Instructions.AddressOfVdsoStart()));

    /// <summary>The linked program's entry, or 0 in a kernel-only image.</summary>
    public static ulong LinkedProgramEntry => Instructions.AddressOfLinkedProgram();

    /// <summary>Whether a program is linked with the kernel (levels 1 to 5).</summary>
    public static bool HasLinkedProgram => LinkedProgramEntry != 0;

    /// <summary>Whether all of a range lies in the image.</summary>
    public static bool Contains(ulong address, ulong length) => address >= Start && address <= End && length <= End - address;

    /// <summary>Whether an address lies in the assembly of the kernel's entries (entry.S).</summary>
    public static bool IsEntryCode(ulong address) => address >= Instructions.AddressOfEntryStart() && address < Instructions.AddressOfEntryEnd();

    /// <summary>Whether an address may lie on a kernel stack: in the window of thread stacks, or in the image's variables, where the boot and fatal stacks are.</summary>
    public static bool IsStack(ulong address) => KernelStack.IsInWindow(address) || (address >= TextEnd && address < DataEnd);

    /// <summary>The physical address behind an address of the image.</summary>
    public static PhysicalAddress PhysicalOf(ulong address) => new(address - Base);
}
