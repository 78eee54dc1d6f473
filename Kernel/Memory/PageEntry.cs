// Entries of x86-64 page tables. Source of truth: Intel SDM volume 3, section 4.5 (4-level paging); bits 9-11 are free for software.
namespace Ukl.Kernel.Memory;

/// <summary>The bits of a page table entry. An entry that is not 0 has a page, even when it is not <see cref="Present"/>.</summary>
internal static class PageEntry
{
    /// <summary>The processor may use the entry. Clear on a page that PROT_NONE hides.</summary>
    internal const ulong Present = 1 << 0;

    internal const ulong Writable = 1 << 1;

    /// <summary>Ring 3 may use it.</summary>
    internal const ulong User = 1 << 2;

    internal const ulong WriteThrough = 1 << 3;

    internal const ulong CacheDisable = 1 << 4;

    internal const ulong Accessed = 1 << 5;

    internal const ulong Dirty = 1 << 6;

    /// <summary>In levels 2 and 3: a page of 2 MiB or 1 GiB instead of a table.</summary>
    internal const ulong Huge = 1 << 7;

    /// <summary>Stays translated when the address space changes.</summary>
    internal const ulong Global = 1 << 8;

    /// <summary>Software: the page belongs to the entry, which holds a reference to its frame.</summary>
    internal const ulong Owned = 1 << 9;

    /// <summary>Software: the shared page of zeros, which no entry owns.</summary>
    internal const ulong Zero = 1 << 10;

    internal const ulong NoExecute = 1ul << 63;

    /// <summary>Where the physical address is.</summary>
    internal const ulong AddressMask = 0x000f_ffff_ffff_f000;

    /// <summary>The page an entry points to.</summary>
    internal static PhysicalAddress PageOf(ulong entry) => new(entry & AddressMask);
}
