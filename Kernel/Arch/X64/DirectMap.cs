namespace Ukl.Kernel.Arch;

/// <summary>The direct map of physical memory in the kernel half.</summary>
public static class DirectMap
{
    /// <summary>Where physical address 0 is seen.</summary>
    public const ulong Base = 0xffff_8880_0000_0000;
}
