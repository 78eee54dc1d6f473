// Memory that several mappings show: MAP_SHARED | MAP_ANONYMOUS (mmap(2)). It is a file without a name.
namespace Ukl.Kernel.Memory;

/// <summary>Zeroed pages that appear on first touch and live as long as a mapping of the object does.</summary>
internal unsafe struct SharedMemory
{
    private int _references;
    private ulong _pageCount;

    /// <summary>Page number n of the object is at address n * 4096 of this tree; it translates nothing.</summary>
    private PageTable _pages;

    /// <summary>Makes an object of <paramref name="pageCount"/> pages with one reference. Returns false when out of memory.</summary>
    internal static bool TryCreate(ulong pageCount, out MappedFile file)
    {
        file = default;
        SharedMemory* memory = Pool<SharedMemory>.Allocate();
        if (memory == null)
            return false;
        memory->_pages = PageTable.Create(PhysicalAddress.None);
        if (memory->_pages.Root.IsNone)
        {
            Pool<SharedMemory>.Free(memory);
            return false;
        }
        memory->_references = 1;
        memory->_pageCount = pageCount;
        file.Object = memory;
        file.IsWritable = true;
        file.AddReference = &AddReference;
        file.Release = &Release;
        file.GetPage = &GetPage;
        return true;
    }

    /// <summary>Frees pages, so that they read as zeros again (MADV_REMOVE). Mappings must have dropped them.</summary>
    internal static void Remove(void* shared, ulong firstPage, ulong endPage)
    {
        PageTableCursor cursor = ((SharedMemory*)shared)->_pages.Walk(firstPage << PageAllocator.PageShift, endPage << PageAllocator.PageShift);
        while (cursor.MoveNext())
        {
            PageFrame.Release(new PhysicalAddress(*cursor.Entry));
            *cursor.Entry = 0;
        }
    }

    private static void AddReference(void* shared) => ((SharedMemory*)shared)->_references++;

    private static void Release(void* shared)
    {
        var memory = (SharedMemory*)shared;
        if (--memory->_references > 0)
            return;
        Remove(shared, 0, memory->_pageCount);
        memory->_pages.Destroy();
        Pool<SharedMemory>.Free(memory);
    }

    private static FaultOutcome GetPage(void* shared, ulong index, bool forWrite, PhysicalAddress* page)
    {
        var memory = (SharedMemory*)shared;
        if (index >= memory->_pageCount)
            return FaultOutcome.BeyondFile;
        ulong* slot = memory->_pages.FindOrCreate(index << PageAllocator.PageShift);
        if (slot == null)
            return FaultOutcome.OutOfMemory;
        if (*slot == 0)
        {
            PhysicalAddress fresh = PageAllocator.AllocateZeroed();
            if (fresh.IsNone)
                return FaultOutcome.OutOfMemory;
            *slot = fresh.Value;
        }
        *page = new PhysicalAddress(*slot);
        PageFrame.Of(*page)->AddReference();
        return FaultOutcome.Resolved;
    }
}
