// The entries of a tmpfs directory: a hash table by name, and numbered slots that give readdir positions which never move.
using System;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>One name in a tmpfs directory; it holds a reference on its inode.</summary>
internal unsafe struct TmpfsEntry
{
    public TmpfsEntry* BucketNext;
    public TmpfsInode* Inode;
    public uint Hash;
    public int Slot;
    public int NameLength;

    // The name follows the struct in the same allocation.
    private fixed byte _name[4];

    public readonly ReadOnlySpan<byte> Name => new(NameOf((TmpfsEntry*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.CompilerServices.Unsafe.AsRef(in this))), NameLength);

    public static TmpfsEntry* Create(ReadOnlySpan<byte> name, TmpfsInode* inode)
    {
        var entry = (TmpfsEntry*)KernelHeap.Allocate((nuint)(sizeof(TmpfsEntry) + name.Length));
        if (entry == null)
            return null;
        entry->Inode = inode;
        entry->Hash = FileNames.Hash(name);
        entry->NameLength = name.Length;
        name.CopyTo(new Span<byte>(NameOf(entry), name.Length));
        return entry;
    }

    private static byte* NameOf(TmpfsEntry* entry) => entry->_name;
}

/// <summary>The entries of one directory. An empty one takes no memory.</summary>
internal unsafe struct TmpfsDirectory
{
    private const uint InitialCapacity = 8;

    // A free slot holds the number of the next free one, shifted, with this bit set.
    private const ulong FreeBit = 1;
    private const uint NoSlot = 0x7fff_ffff;

    private TmpfsEntry** _buckets;
    private ulong* _slots;
    private uint _capacity;
    private uint _slotCount;
    private uint _firstFree;

    /// <summary>How many entries there are.</summary>
    public uint Count { get; private set; }

    /// <summary>One more than the highest slot ever used.</summary>
    public readonly uint SlotCount => _slotCount;

    /// <summary>The entry in a slot, or null.</summary>
    public readonly TmpfsEntry* At(uint slot)
    {
        ulong value = _slots[slot];
        return (value & FreeBit) != 0 ? null : (TmpfsEntry*)value;
    }

    public readonly TmpfsEntry* Find(ReadOnlySpan<byte> name)
    {
        if (Count == 0)
            return null;
        uint hash = FileNames.Hash(name);
        TmpfsEntry* entry = _buckets[hash & (_capacity - 1)];
        while (entry != null && (entry->Hash != hash || !FileNames.AreEqual(entry->Name, name)))
            entry = entry->BucketNext;
        return entry;
    }

    /// <summary>Adds a name that is not there. The inode's reference becomes the entry's. False when out of memory.</summary>
    public bool Add(ReadOnlySpan<byte> name, TmpfsInode* inode)
    {
        if (Count == _capacity && !Grow())
            return false;
        TmpfsEntry* entry = TmpfsEntry.Create(name, inode);
        if (entry == null)
            return false;
        uint slot = _slotCount;
        if (Count == _slotCount)
        {
            _slotCount++;
        }
        else
        {
            slot = _firstFree;
            _firstFree = (uint)(_slots[slot] >> 1);
        }
        entry->Slot = (int)slot;
        _slots[slot] = (ulong)entry;
        Link(entry);
        Count++;
        return true;
    }

    /// <summary>Removes an entry and frees it. The reference on the inode goes to the caller.</summary>
    public void Remove(TmpfsEntry* entry)
    {
        TmpfsEntry** link = _buckets + (entry->Hash & (_capacity - 1));
        while (*link != entry)
            link = &(*link)->BucketNext;
        *link = entry->BucketNext;
        // The list of free slots ends nowhere: Count tells when it is empty.
        _slots[entry->Slot] = (ulong)_firstFree << 1 | FreeBit;
        _firstFree = (uint)entry->Slot;
        KernelHeap.Free(entry);
        if (--Count == 0)
            Free();
    }

    private void Free()
    {
        KernelHeap.Free(_slots);
        this = default;
    }

    private bool Grow()
    {
        uint capacity = _capacity == 0 ? InitialCapacity : _capacity * 2;
        if (capacity > NoSlot)
            return false;
        var slots = (ulong*)KernelHeap.Allocate(capacity * (nuint)(sizeof(ulong) + sizeof(TmpfsEntry*)));
        if (slots == null)
            return false;
        for (uint i = 0; i < _slotCount; i++)
            slots[i] = _slots[i];
        if (_slots != null)
            KernelHeap.Free(_slots);
        _slots = slots;
        _buckets = (TmpfsEntry**)(slots + capacity);
        _capacity = capacity;
        for (uint i = 0; i < _slotCount; i++)
        {
            if (At(i) != null)
                Link(At(i));
        }
        return true;
    }

    private readonly void Link(TmpfsEntry* entry)
    {
        TmpfsEntry** bucket = _buckets + (entry->Hash & (_capacity - 1));
        entry->BucketNext = *bucket;
        *bucket = entry;
    }
}
