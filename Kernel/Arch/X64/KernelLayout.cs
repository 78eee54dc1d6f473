namespace Ukl.Kernel.Arch;

/// <summary>Where the kernel's half of every address space has what.</summary>
public static class KernelLayout
{
    /// <summary>Kernel stacks with their guard pages: PML4 entry 509, one page directory pointer table shared by every address space.</summary>
    public const ulong StackWindow = 0xffff_fe80_0000_0000;
}
