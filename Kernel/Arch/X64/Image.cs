using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Arch;

/// <summary>The loaded image: where its parts lie and whether a program is linked in. Source: image.ld.</summary>
public static class Image
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

    /// <summary>The linked program's entry, or 0 in a kernel-only image.</summary>
    public static ulong LinkedProgramEntry => Instructions.AddressOfLinkedProgram();

    /// <summary>Whether a program is linked with the kernel (levels 1 to 5).</summary>
    public static bool HasLinkedProgram => LinkedProgramEntry != 0;

    /// <summary>The physical address behind an address of the image.</summary>
    public static PhysicalAddress PhysicalOf(ulong address) => new(address - Base);
}
