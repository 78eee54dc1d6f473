// A process's descriptors (open(2), dup(2), close_range(2)). Shared by threads (CLONE_FILES), copied by fork.
using System.Numerics;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>
/// Maps descriptors to open files. The lowest free descriptor is found through a bitmap. A descriptor is reserved before its file is made, so that EMFILE comes
/// before any side effect.
/// </summary>
public unsafe struct FileTable
{
    /// <summary>RLIMIT_NOFILE's soft limit of a new process.</summary>
    public const uint DefaultLimit = 1024;

    /// <summary>The most RLIMIT_NOFILE can be set to (fs.nr_open).</summary>
    public const uint MaximumLimit = 1 << 20;

    private const int InitialCapacity = 64;
    private const int BitsPerWord = 64;

    private OpenFile** _files;
    private uint _capacity;
    private uint _firstFreeWord;
    private ulong* _reserved;
    private ulong* _closeOnExec;

    /// <summary>How many processes and threads use it.</summary>
    public int References;

    /// <summary>RLIMIT_NOFILE's soft limit: one more than the highest descriptor that can be handed out. prlimit sets it.</summary>
    public uint Limit;

    /// <summary>The current process's table.</summary>
    public static FileTable* Current => Process.Current->Files;

    /// <summary>One more than the highest descriptor that may be in use.</summary>
    public readonly uint Capacity => _capacity;

    /// <summary>An empty table with one reference; null when out of memory.</summary>
    public static FileTable* Create() => Create(InitialCapacity);

    /// <summary>A table with the same files, for fork. Null when out of memory.</summary>
    public readonly FileTable* Clone()
    {
        FileTable* copy = Create(_capacity);
        if (copy == null)
            return null;
        copy->Limit = Limit;
        for (uint fd = 0; fd < _capacity; fd++)
        {
            OpenFile* file = _files[fd];
            if (file == null)
                continue;
            file->AddReference();
            copy->_files[fd] = file;
            SetBit(copy->_reserved, fd);
            if (TestBit(_closeOnExec, fd))
                SetBit(copy->_closeOnExec, fd);
        }
        return copy;
    }

    /// <summary>One more user.</summary>
    public void AddReference() => References++;

    /// <summary>One user less; the last one closes everything and frees the table.</summary>
    public static void Release(FileTable* table)
    {
        if (--table->References != 0)
            return;
        table->CloseRange(0, uint.MaxValue);
        table->FreeArrays();
        Pool<FileTable>.Free(table);
    }

    /// <summary>
    /// Finds the open file of a descriptor. It stays valid until the caller sleeps or the descriptor is closed; whoever may sleep takes a reference.
    /// </summary>
    public readonly bool TryGet(Fd fd, out OpenFile* file)
    {
        file = (uint)fd.Value < _capacity ? _files[fd.Value] : null;
        return file != null;
    }

    /// <summary>Takes the lowest free descriptor from <paramref name="lowest"/> on, without a file yet. EMFILE at the limit, ENOMEM.</summary>
    public Result Reserve(uint lowest = 0)
    {
        uint word = lowest / BitsPerWord;
        ulong below = (1ul << (int)(lowest % BitsPerWord)) - 1;
        if (word < _firstFreeWord)
        {
            word = _firstFreeWord;
            below = 0;
        }
        uint words = _capacity / BitsPerWord;
        while (word < words && (_reserved[word] | below) == ulong.MaxValue)
        {
            word++;
            below = 0;
        }
        uint fd = word < words ? word * BitsPerWord + (uint)BitOperations.TrailingZeroCount(~(_reserved[word] | below))
            : lowest > _capacity ? lowest : _capacity;
        if (fd >= Limit)
            return Errno.EMFILE;
        if (fd >= _capacity && !Grow(fd + 1))
            return Errno.ENOMEM;
        if (lowest <= _firstFreeWord * BitsPerWord)
            _firstFreeWord = word;
        SetBit(_reserved, fd);
        return (int)fd;
    }

    /// <summary>Gives a reserved descriptor back.</summary>
    public void Unreserve(int fd) => MarkFree((uint)fd);

    /// <summary>Puts a file behind a reserved descriptor; the caller's reference becomes the table's.</summary>
    public void Install(int fd, OpenFile* file, bool closeOnExec)
    {
        _files[fd] = file;
        SetCloseOnExec(fd, closeOnExec);
    }

    /// <summary>
    /// Gives a new file the lowest free descriptor. The caller's reference becomes the table's; on failure (EMFILE, ENOMEM) it is released, which ends the file.
    /// </summary>
    public Result Add(OpenFile* file, bool closeOnExec)
    {
        Result fd = Reserve();
        if (fd.IsError)
            OpenFile.Release(file);
        else
            Install((int)fd.Value, file, closeOnExec);
        return fd;
    }

    /// <summary>dup2 and dup3: makes <paramref name="fd"/> refer to the file, closing what it was. EBADF outside the limit; ENOMEM.</summary>
    public Result Replace(int fd, OpenFile* file, bool closeOnExec)
    {
        if ((uint)fd >= Limit)
            return Errno.EBADF;
        if ((uint)fd >= _capacity && !Grow((uint)fd + 1))
            return Errno.ENOMEM;
        OpenFile* old = _files[fd];
        // Reserved by an open that sleeps in another thread.
        if (old == null && TestBit(_reserved, (uint)fd))
            return Errno.EBUSY;
        file->AddReference();
        SetBit(_reserved, (uint)fd);
        Install(fd, file, closeOnExec);
        if (old != null)
            Finish(old);
        return fd;
    }

    /// <summary>close(2). EBADF when there is no such descriptor; otherwise what the file's Flush says.</summary>
    public Result Close(int fd)
    {
        if (!TryGet(new Fd(fd), out OpenFile* file))
            return Errno.EBADF;
        _files[fd] = null;
        MarkFree((uint)fd);
        return Finish(file);
    }

    /// <summary>Closes every descriptor from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public void CloseRange(uint first, uint last)
    {
        for (uint fd = first; fd < _capacity && fd <= last; fd++)
        {
            if (_files[fd] != null)
                Close((int)fd);
        }
    }

    /// <summary>Marks every descriptor of a range to be closed by execve.</summary>
    public readonly void SetCloseOnExecRange(uint first, uint last)
    {
        for (uint fd = first; fd < _capacity && fd <= last; fd++)
        {
            if (_files[fd] != null)
                SetBit(_closeOnExec, fd);
        }
    }

    /// <summary>Closes what is marked so, for execve.</summary>
    public void CloseForExec()
    {
        for (uint fd = 0; fd < _capacity; fd++)
        {
            if (_files[fd] != null && TestBit(_closeOnExec, fd))
                Close((int)fd);
        }
    }

    /// <summary>FD_CLOEXEC of an open descriptor.</summary>
    public readonly bool IsCloseOnExec(int fd) => TestBit(_closeOnExec, (uint)fd);

    /// <summary>Sets FD_CLOEXEC of an open descriptor.</summary>
    public readonly void SetCloseOnExec(int fd, bool value)
    {
        if (value)
            SetBit(_closeOnExec, (uint)fd);
        else
            ClearBit(_closeOnExec, (uint)fd);
    }

    private static FileTable* Create(uint capacity)
    {
        FileTable* table = Pool<FileTable>.Allocate();
        if (table == null)
            return null;
        table->References = 1;
        table->Limit = DefaultLimit;
        if (table->Grow(capacity))
            return table;
        Pool<FileTable>.Free(table);
        return null;
    }

    // The three arrays are one allocation: pointers, then the two bitmaps.
    private bool Grow(uint needed)
    {
        uint capacity = (uint)BitOperations.RoundUpToPowerOf2(needed < InitialCapacity ? InitialCapacity : needed);
        uint words = capacity / BitsPerWord;
        var files = (OpenFile**)KernelHeap.Allocate(capacity * (nuint)sizeof(OpenFile*) + words * 2 * (nuint)sizeof(ulong));
        if (files == null)
            return false;
        var reserved = (ulong*)(files + capacity);
        ulong* closeOnExec = reserved + words;
        for (uint i = 0; i < _capacity; i++)
            files[i] = _files[i];
        for (uint i = 0; i < _capacity / BitsPerWord; i++)
        {
            reserved[i] = _reserved[i];
            closeOnExec[i] = _closeOnExec[i];
        }
        FreeArrays();
        _files = files;
        _reserved = reserved;
        _closeOnExec = closeOnExec;
        _capacity = capacity;
        return true;
    }

    private readonly void FreeArrays()
    {
        if (_files != null)
            KernelHeap.Free(_files);
    }

    private Result Finish(OpenFile* file)
    {
        Result result = file->Operations->Flush(file);
        if (file->Inode != null)
            FileLocks.ReleaseOwner(file->Inode, Unsafe.AsPointer(ref this));
        OpenFile.Release(file);
        return result;
    }

    private void MarkFree(uint fd)
    {
        ClearBit(_reserved, fd);
        ClearBit(_closeOnExec, fd);
        if (fd / BitsPerWord < _firstFreeWord)
            _firstFreeWord = fd / BitsPerWord;
    }

    private static bool TestBit(ulong* bits, uint index) => (bits[index / BitsPerWord] >> (int)(index % BitsPerWord) & 1) != 0;

    private static void SetBit(ulong* bits, uint index) => bits[index / BitsPerWord] |= 1ul << (int)(index % BitsPerWord);

    private static void ClearBit(ulong* bits, uint index) => bits[index / BitsPerWord] &= ~(1ul << (int)(index % BitsPerWord));
}
