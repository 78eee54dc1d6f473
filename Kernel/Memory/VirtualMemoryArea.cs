namespace Ukl.Kernel.Memory;

/// <summary>A range of an address space whose pages come from the same place and allow the same: one line of /proc/self/maps.</summary>
public unsafe struct VirtualMemoryArea
{
    /// <summary>First address.</summary>
    public ulong Start;

    /// <summary>First address after the area.</summary>
    public ulong End;

    /// <summary>What is allowed.</summary>
    public Protection Protection;

    /// <summary>What it is.</summary>
    public AreaFlags Flags;

    /// <summary>Where the pages come from; absent for private anonymous memory.</summary>
    public MappedFile File;

    /// <summary>Page number in <see cref="File"/> of the first page; 0 without a file.</summary>
    public ulong FilePage;

    /// <summary>Bits of a page table entry that all readable pages of the area have.</summary>
    internal ulong EntryFlags;

    internal VirtualMemoryArea* Left;
    internal VirtualMemoryArea* Right;
    internal VirtualMemoryArea* Parent;

    /// <summary>Free bytes between the area below and <see cref="GuardedStart"/>.</summary>
    internal ulong Gap;

    /// <summary>The largest gap of this subtree.</summary>
    internal ulong LargestGap;

    internal int Height;

    /// <summary>The next area upwards, or null.</summary>
    public VirtualMemoryArea* Next { readonly get; internal set; }

    /// <summary>The next area downwards, or null.</summary>
    public VirtualMemoryArea* Previous { readonly get; internal set; }

    /// <summary>Whether writes go to the object.</summary>
    public readonly bool IsShared => (Flags & AreaFlags.Shared) != 0;

    /// <summary>Whether what the program writes stays its own: a private mapping that allows writing.</summary>
    internal readonly bool IsWritableCopy => (Flags & AreaFlags.Shared) == 0 && (Protection & Protection.Write) != 0;

    /// <summary>Pages of the area.</summary>
    public readonly ulong PageCount => (End - Start) >> PageAllocator.PageShift;

    /// <summary>Private, writable and not MAP_NORESERVE: may come to need a page of its own for each of its pages.</summary>
    internal readonly bool IsAccounted =>
        (Protection & Protection.Write) != 0 && (Flags & (AreaFlags.Shared | AreaFlags.NoReserve)) == 0;

    /// <summary>Where no other mapping may reach into: below a stack there is a gap.</summary>
    internal readonly ulong GuardedStart
    {
        get
        {
            if ((Flags & AreaFlags.GrowsDown) == 0)
                return Start;
            return Start > AddressSpace.StackGuardGap ? Start - AddressSpace.StackGuardGap : 0;
        }
    }

    /// <summary>Page number in the file of the page at an address.</summary>
    internal readonly ulong FilePageAt(ulong address) => FilePage + ((address - Start) >> PageAllocator.PageShift);

    /// <summary>Whether what follows at <see cref="End"/>, with these properties, could be part of this area.</summary>
    internal readonly bool CanContinueWith(void* file, ulong filePage, Protection protection, AreaFlags flags) =>
        Protection == protection && Flags == flags && File.Object == file && (file == null || FilePageAt(End) == filePage);

    /// <summary>Whether what comes before and ends at <see cref="Start"/>, with these properties and these pages, could be part of this area.</summary>
    internal readonly bool CanFollow(void* file, ulong filePage, ulong pageCount, Protection protection, AreaFlags flags) =>
        Protection == protection && Flags == flags && File.Object == file && (file == null || filePage + pageCount == FilePage);

    /// <summary>Moves the first address, up or down, and with it the place in the file.</summary>
    internal void MoveStart(ulong start)
    {
        if (File.IsPresent)
            FilePage += (ulong)((long)(start - Start) >> PageAllocator.PageShift);
        Start = start;
    }
}
