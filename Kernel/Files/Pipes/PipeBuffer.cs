// The bytes in a pipe: a ring of pages that come when they are first written and go when the pipe runs empty. Source: pipe(7), "Pipe capacity".
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files.Pipes;

/// <summary>
/// A ring of bytes over pages allocated on demand. One page is kept while the pipe lives, and an empty ring starts over in it, so that small messages never
/// reach the page allocator.
/// </summary>
public unsafe struct PipeBuffer
{
    /// <summary>What a pipe holds unless F_SETPIPE_SZ says otherwise: 64 KiB.</summary>
    public const uint DefaultCapacity = 16 * PageSize;

    /// <summary>The most F_SETPIPE_SZ grants: /proc/sys/fs/pipe-max-size.</summary>
    public const uint MaxCapacity = 256 * PageSize;

    /// <summary>A page, in bytes; also PIPE_BUF, up to which writes are atomic.</summary>
    public const uint PageSize = 4096;

    private byte** _pages;
    private uint _start;

    /// <summary>Bytes it can hold; a power of two, at least a page.</summary>
    public uint Capacity { get; private set; }

    /// <summary>Bytes it holds.</summary>
    public uint Count { get; private set; }

    /// <summary>Bytes it could take.</summary>
    public readonly uint Free => Capacity - Count;

    /// <summary>Makes an empty ring. ENOMEM.</summary>
    public Errno Initialize(uint capacity = DefaultCapacity)
    {
        _pages = (byte**)KernelHeap.Allocate(capacity / PageSize * (nuint)sizeof(byte*));
        if (_pages == null)
            return Errno.ENOMEM;
        Capacity = capacity;
        return Errno.None;
    }

    /// <summary>Gives all memory back.</summary>
    public void Dispose()
    {
        for (uint i = 0; i < Capacity / PageSize; i++)
            FreePage(i);
        KernelHeap.Free(_pages);
        this = default;
    }

    /// <summary>
    /// Takes as many bytes as fit from the program, in order, and says how many. With EFAULT or ENOMEM, bytes before the failure are in.
    /// </summary>
    public Errno Write(UserSpan from, nuint count, out nuint written)
    {
        written = 0;
        if (count > Free)
            count = Free;
        while (written < count)
        {
            Errno error = NextRun(count - written, out byte* to, out uint run);
            if (error != Errno.None)
                return error;
            if (!from.Slice(written).CopyTo(to, run))
                return Errno.EFAULT;
            Count += run;
            written += run;
        }
        return Errno.None;
    }

    /// <summary>As <see cref="Write(UserSpan, nuint, out nuint)"/>, from kernel memory.</summary>
    public Errno Write(byte* from, nuint count, out nuint written)
    {
        written = 0;
        if (count > Free)
            count = Free;
        while (written < count)
        {
            Errno error = NextRun(count - written, out byte* to, out uint run);
            if (error != Errno.None)
                return error;
            System.Runtime.CompilerServices.Unsafe.CopyBlockUnaligned(to, from + written, run);
            Count += run;
            written += run;
        }
        return Errno.None;
    }

    /// <summary>Gives bytes to the program, in order, and says how many. With EFAULT, bytes before the failure are out.</summary>
    public Errno Read(UserSpan to, out nuint read)
    {
        read = 0;
        nuint count = to.Length < Count ? to.Length : Count;
        while (read < count)
        {
            uint offset = _start & (PageSize - 1);
            uint run = PageSize - offset;
            if (run > count - read)
                run = (uint)(count - read);
            if (!to.Slice(read).CopyFrom(_pages[_start / PageSize] + offset, run))
                return Errno.EFAULT;
            read += run;
            Consume(run);
        }
        return Errno.None;
    }

    /// <summary>
    /// Where the bytes behind the oldest <paramref name="skipped"/> are, up to <paramref name="wanted"/> of them that lie together; <see cref="Skip"/> takes the oldest.
    /// </summary>
    public readonly void Peek(nuint skipped, nuint wanted, out byte* from, out uint run)
    {
        from = null;
        run = 0;
        if (skipped >= Count)
            return;
        uint at = (_start + (uint)skipped) & (Capacity - 1);
        uint offset = at & (PageSize - 1);
        uint left = Count - (uint)skipped;
        run = PageSize - offset < left ? PageSize - offset : left;
        if (run > wanted)
            run = (uint)wanted;
        from = _pages[at / PageSize] + offset;
    }

    /// <summary>Takes bytes that <see cref="Peek"/> showed.</summary>
    public void Skip(uint count) => Consume(count);

    /// <summary>Where the next bytes go, up to <paramref name="wanted"/> of them; <see cref="Commit"/> says how many came. There is room. ENOMEM.</summary>
    public readonly Errno Reserve(nuint wanted, out byte* to, out uint run) => NextRun(wanted < Free ? wanted : Free, out to, out run);

    /// <summary>Bytes were put where <see cref="Reserve"/> said.</summary>
    public void Commit(uint count) => Count += count;

    /// <summary>Changes the capacity to a power of two that holds what is in it: EBUSY otherwise; ENOMEM.</summary>
    public Errno Resize(uint capacity)
    {
        if (capacity < Count)
            return Errno.EBUSY;
        var resized = default(PipeBuffer);
        Errno error = resized.Initialize(capacity);
        if (error != Errno.None)
            return error;
        // Copied rather than moved page by page: the bytes need not begin at a page's start.
        for (uint taken = 0; taken < Count;)
        {
            uint at = (_start + taken) & (Capacity - 1);
            uint run = PageSize - (at & (PageSize - 1));
            if (run > Count - taken)
                run = Count - taken;
            error = resized.Write(_pages[at / PageSize] + (at & (PageSize - 1)), run, out _);
            if (error != Errno.None)
            {
                resized.Dispose();
                return error;
            }
            taken += run;
        }
        Dispose();
        this = resized;
        return Errno.None;
    }

    // Where the next bytes go: at most to the end of a page.
    private readonly Errno NextRun(nuint wanted, out byte* to, out uint run)
    {
        uint end = (_start + Count) & (Capacity - 1);
        uint offset = end & (PageSize - 1);
        run = PageSize - offset;
        if (run > wanted)
            run = (uint)wanted;
        to = null;
        byte** page = &_pages[end / PageSize];
        if (*page == null)
        {
            PhysicalAddress allocated = PageAllocator.Allocate();
            if (allocated.IsNone)
                return Errno.ENOMEM;
            *page = (byte*)allocated.Pointer;
        }
        to = *page + offset;
        return Errno.None;
    }

    private void Consume(uint count)
    {
        uint page = _start / PageSize;
        Count -= count;
        _start = (_start + count) & (Capacity - 1);
        if (Count == 0)
        {
            if (page != 0)
                FreePage(page);
            _start = 0;
        }
        else if (page != 0 && _start / PageSize != page && ((_start + Count - 1) & (Capacity - 1)) / PageSize != page)
        {
            // Left for good: the ring's end has not come round into it.
            FreePage(page);
        }
    }

    private readonly void FreePage(uint index)
    {
        if (_pages[index] == null)
            return;
        PageAllocator.Free(PhysicalAddress.Of(_pages[index]));
        _pages[index] = null;
    }
}
