using System;
using System.Collections.Generic;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Memory;

/// <summary>
/// An address space and the processor that runs on it: accesses translate through the page table as the hardware would and fault into the kernel.
/// </summary>
internal sealed unsafe class SimulatedProgram : IDisposable
{
    public const ulong Page = 4096;
    private const int MostFaultsPerAccess = 3;

    public SimulatedProgram(ulong mmapBase = 0x7f00_0000_0000)
    {
        Space = AddressSpace.Create(isUserMode: true);
        Assert.True(Space != null);
        Space->MmapBase = mmapBase;
        Space->Activate();
    }

    public AddressSpace* Space { get; }

    public void Dispose() => AddressSpace.Release(Space);

    public ulong Map(ulong pages, Protection protection = Protection.Read | Protection.Write, MapFlags flags = MapFlags.Private | MapFlags.Anonymous, ulong address = 0)
    {
        Result result = Space->Map(address, pages * Page, protection, flags);
        Assert.False(result.IsError, result.Error.ToString());
        return (ulong)result.Value;
    }

    public FaultOutcome TryWrite(ulong address, byte value)
    {
        FaultOutcome outcome = Access(address, FaultAccess.Write, out byte* memory);
        if (outcome == FaultOutcome.Resolved)
            *memory = value;
        return outcome;
    }

    public FaultOutcome TryRead(ulong address, out byte value)
    {
        FaultOutcome outcome = Access(address, FaultAccess.Read, out byte* memory);
        value = outcome == FaultOutcome.Resolved ? *memory : (byte)0;
        return outcome;
    }

    public FaultOutcome TryExecute(ulong address) => Access(address, FaultAccess.Execute, out _);

    public void Write(ulong address, byte value) => Assert.Equal(FaultOutcome.Resolved, TryWrite(address, value));

    public byte Read(ulong address)
    {
        Assert.Equal(FaultOutcome.Resolved, TryRead(address, out byte value));
        return value;
    }

    /// <summary>The areas as text, one a line, like /proc/self/maps.</summary>
    public string Maps()
    {
        var text = new System.Text.StringBuilder();
        for (VirtualMemoryArea* area = Space->FirstArea; area != null; area = area->Next)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{area->Start:x}-{area->End:x} {(uint)area->Protection} {(uint)area->Flags:x} {area->FilePage}\n");
        return text.ToString();
    }

    /// <summary>Checks what must hold at any time: order, links, sums, and that pages exist only inside areas.</summary>
    public void CheckInvariants()
    {
        ulong total = 0;
        ulong locked = 0;
        nuint resident = 0;
        int count = 0;
        ulong lastEnd = 0;
        VirtualMemoryArea* previous = null;
        for (VirtualMemoryArea* area = Space->FirstArea; area != null; previous = area, area = area->Next)
        {
            Assert.True(area->Start < area->End && area->Start >= lastEnd && area->Start % Page == 0 && area->End % Page == 0);
            Assert.True(area->Previous == previous);
            Assert.True(Space->FindArea(area->Start) == area && Space->FindArea(area->End - 1) == area);
            Assert.True(Space->FindAreaAtOrAbove(lastEnd) == area);
            resident += CountPages(lastEnd, area->Start, null);
            resident += CountPages(area->Start, area->End, area);
            lastEnd = area->End;
            total += area->PageCount;
            if ((area->Flags & AreaFlags.Locked) != 0)
                locked += area->PageCount;
            count++;
        }
        resident += CountPages(lastEnd, UserMemory.Top, null);
        Assert.Equal(count, Space->AreaCount);
        Assert.Equal((nuint)total, Space->TotalPages);
        Assert.Equal((nuint)locked, Space->LockedPages);
        Assert.Equal(resident, Space->ResidentPages);
        Assert.True(Space->PeakResidentPages >= resident);
        CheckTree();
    }

    private void CheckTree()
    {
        if (Space->FirstArea == null)
            return;
        VirtualMemoryArea* root = Space->FirstArea;
        while (root->Parent != null)
            root = root->Parent;
        CheckNode(root);
    }

    private static (int Height, ulong Gap) CheckNode(VirtualMemoryArea* node)
    {
        if (node == null)
            return (0, 0);
        Assert.True(node->Left == null || node->Left->Parent == node);
        Assert.True(node->Right == null || node->Right->Parent == node);
        (int leftHeight, ulong leftGap) = CheckNode(node->Left);
        (int rightHeight, ulong rightGap) = CheckNode(node->Right);
        Assert.InRange(leftHeight - rightHeight, -1, 1);
        ulong below = node->Previous == null ? 0 : node->Previous->End;
        ulong own = node->GuardedStart > below ? node->GuardedStart - below : 0;
        (int Height, ulong Gap) expected = (1 + Math.Max(leftHeight, rightHeight), Math.Max(own, Math.Max(leftGap, rightGap)));
        Assert.Equal(expected, (node->Height, node->LargestGap));
        return expected;
    }

    private nuint CountPages(ulong start, ulong end, VirtualMemoryArea* area)
    {
        nuint owned = 0;
        PageTableCursor cursor = new PageTable(Space->Root).Walk(start, end);
        while (cursor.MoveNext())
        {
            Assert.True(area != null, "a page outside every area");
            ulong entry = *cursor.Entry;
            Assert.Equal(area->Protection != Protection.None, (entry & PageEntry.Present) != 0);
            Assert.Equal((area->Protection & Protection.Execute) == 0, (entry & PageEntry.NoExecute) != 0);
            Assert.Equal(Space->IsUserMode, (entry & PageEntry.User) != 0);
            if ((entry & PageEntry.Writable) != 0)
            {
                Assert.True((area->Protection & Protection.Write) != 0);
                Assert.True((entry & PageEntry.Owned) != 0);
                Assert.True(area->IsShared || PageFrame.Of(PageEntry.PageOf(entry))->ReferenceCount == 1);
            }
            if ((entry & PageEntry.Owned) != 0)
                owned++;
            else
                Assert.NotEqual(0ul, entry & PageEntry.Zero);
        }
        return owned;
    }

    private FaultOutcome Access(ulong address, FaultAccess access, out byte* memory)
    {
        memory = null;
        for (int i = 0; i < MostFaultsPerAccess; i++)
        {
            ulong* entry = new PageTable(Space->Root).Find(address);
            ulong value = entry == null ? 0 : *entry;
            bool isAllowed = (value & PageEntry.Present) != 0 && access switch
            {
                FaultAccess.Write => (value & PageEntry.Writable) != 0,
                FaultAccess.Execute => (value & PageEntry.NoExecute) == 0,
                _ => true,
            };
            if (isAllowed)
            {
                memory = (byte*)(PageEntry.PageOf(value) + (address % Page)).Pointer;
                return FaultOutcome.Resolved;
            }
            FaultOutcome outcome = Space->HandleFault(address, access);
            if (outcome != FaultOutcome.Resolved)
                return outcome;
        }
        throw new InvalidOperationException("the access faults again and again");
    }
}

/// <summary>A file of pages for mappings, that counts what is asked of it.</summary>
internal sealed unsafe class FakeFile : IDisposable
{
    private static readonly List<FakeFile> s_files = [];
    private readonly Dictionary<ulong, PhysicalAddress> _pages = [];
    private readonly int _index;
    private ulong _pageCount;

    public FakeFile(ulong pageCount, bool isWritable = true)
    {
        _pageCount = pageCount;
        s_files.Add(this);
        _index = s_files.Count;
        Mapping = new MappedFile { Object = (void*)_index, Content = (void*)_index, AddReference = &AddReference, Release = &Release, GetPage = &GetPage, IsWritable = isWritable };
    }

    public MappedFile Mapping;

    public int References { get; private set; }

    public List<ulong> WrittenPages { get; } = [];

    /// <summary>Ends the file earlier, as truncate does.</summary>
    public void Truncate(ulong pageCount)
    {
        _pageCount = pageCount;
        AddressSpace.ForgetContent(Mapping.Content, pageCount);
        foreach (ulong page in new List<ulong>(_pages.Keys))
        {
            if (page < pageCount)
                continue;
            PageFrame.Release(_pages[page]);
            _pages.Remove(page);
        }
    }

    /// <summary>Lets the file reach further again.</summary>
    public void Extend(ulong pageCount) => _pageCount = pageCount;

    public byte* this[ulong page] => (byte*)PageAt(page).Pointer;

    public void Dispose()
    {
        foreach (PhysicalAddress page in _pages.Values)
            PageFrame.Release(page);
    }

    private PhysicalAddress PageAt(ulong page)
    {
        if (!_pages.TryGetValue(page, out PhysicalAddress address))
        {
            address = PageAllocator.AllocateZeroed();
            if (!address.IsNone)
                _pages[page] = address;
        }
        return address;
    }

    private static FakeFile Of(void* data) => s_files[(int)(nint)data - 1];

    private static void AddReference(void* data) => Of(data).References++;

    private static void Release(void* data) => Of(data).References--;

    private static FaultOutcome GetPage(void* data, ulong index, bool forWrite, PhysicalAddress* page)
    {
        FakeFile file = Of(data);
        if (index >= file._pageCount)
            return FaultOutcome.BeyondFile;
        *page = file.PageAt(index);
        if (page->IsNone)
            return FaultOutcome.OutOfMemory;
        if (forWrite)
            file.WrittenPages.Add(index);
        PageFrame.Of(*page)->AddReference();
        return FaultOutcome.Resolved;
    }
}
