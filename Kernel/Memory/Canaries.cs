using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Memory;

/// <summary>
/// With the word <c>canaries</c> on the kernel's command line: a quarter of all free pages belongs to nobody, holds a pattern, and is looked at again when the first
/// process ends. Whatever a program makes the kernel write to where it should not is likely to hit one of them.
/// </summary>
public static unsafe class Canaries
{
    /// <summary>Of so many pages in a row, that many are kept: what is left between them still serves requests for a few pages in one piece.</summary>
    private const uint Row = 16;
    private const uint KeptOfRow = 4;

    private const int WordsPerPage = PageAllocator.PageSize / sizeof(ulong);
    private const ulong Multiplier = 0x9e37_79b9_7f4a_7c15;

    /// <summary>Page number of the first one; the others follow by their frames' links.</summary>
    private static uint s_first;

    /// <summary>How many pages are watched.</summary>
    public static nuint Count { get; private set; }

    /// <summary>Takes the pages, a few of each row, so that they lie everywhere between those in use later.</summary>
    public static void Place()
    {
        uint returned = 0;
        for (PhysicalAddress page = PageAllocator.Allocate(); !page.IsNone; page = PageAllocator.Allocate())
        {
            if ((page.Value >> PageAllocator.PageShift) % Row < KeptOfRow)
                Watch(page);
            else
                Link(ref returned, page);
        }
        while (returned != 0)
            PageAllocator.Free(Unlink(ref returned));
    }

    /// <summary>Looks whether all are as they were, says so, and lets them go. One that was written to stops the machine.</summary>
    public static void Verify()
    {
        nuint count = Count;
        while (s_first != 0)
        {
            PhysicalAddress page = Unlink(ref s_first);
            ulong* words = (ulong*)page.Pointer;
            for (int i = 0; i < WordsPerPage; i++)
            {
                if (words[i] == Pattern(page, i))
                    continue;
                Log.Write("ukl: canaries: written to at "u8);
                Log.WriteHex((ulong)(words + i));
                Log.WriteLine(""u8);
                Panic.Halt("memory that belongs to nobody was written to"u8);
            }
            PageAllocator.Free(page);
        }
        Count = 0;
        Log.Write("ukl: canaries: "u8);
        Log.WriteUnsigned(count);
        Log.WriteLine(" pages untouched"u8);
    }

    private static void Watch(PhysicalAddress page)
    {
        ulong* words = (ulong*)page.Pointer;
        for (int i = 0; i < WordsPerPage; i++)
            words[i] = Pattern(page, i);
        Link(ref s_first, page);
        Count++;
    }

    private static ulong Pattern(PhysicalAddress page, int word) => (page.Value + (ulong)word) * Multiplier;

    private static void Link(ref uint list, PhysicalAddress page)
    {
        PageFrame* frame = PageFrame.Of(page);
        frame->Next = list;
        list = (uint)(page.Value >> PageAllocator.PageShift);
    }

    private static PhysicalAddress Unlink(ref uint list)
    {
        PageFrame* frame = PageAllocator.Frames + list;
        PhysicalAddress page = PageFrame.AddressOf(frame);
        list = frame->Next;
        return page;
    }
}
