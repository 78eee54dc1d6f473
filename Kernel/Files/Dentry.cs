// The dentry cache: names of the tree that were looked up, joined to their inodes.
using System;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>
/// One name of the tree. It holds its parent and its inode; a file system's <see cref="FileSystemTraits.StableNames"/> lets unused ones stay, in order of use,
/// until they are too many or memory is short. Moved by rename, unhashed by unlink.
/// </summary>
public unsafe struct Dentry
{
    private const int BucketCount = 1024;
    private const int MaximumUnused = 2048;
    private const int InlineNameLength = 40;

    private static Dentry** s_buckets;
    private static Dentry* s_unusedFirst;
    private static Dentry* s_unusedLast;
    private static int s_unusedCount;

    private Dentry* _bucketNext;
    private Dentry* _unusedNext;
    private Dentry* _unusedPrevious;
    private byte* _name;
    private uint _hash;
    private ushort _nameLength;
    private bool _isHashed;
    private fixed byte _inlineName[InlineNameLength];

    /// <summary>The directory it stands in; null for the root of a file system.</summary>
    public Dentry* Parent;

    /// <summary>What it names.</summary>
    public Inode* Inode;

    /// <summary>References: children, paths, mounts.</summary>
    public int References;

    /// <summary>How many mounts cover it.</summary>
    public int MountCount;

    /// <summary>Its name was removed while it was in use.</summary>
    public bool IsDeleted;

    /// <summary>The name; empty for a root.</summary>
    public readonly ReadOnlySpan<byte> Name => new(_name, _nameLength);

    /// <summary>How many dentries are kept without being used.</summary>
    public static int UnusedCount => s_unusedCount;

    /// <summary>Prepares the cache. False when out of memory.</summary>
    public static bool Initialize()
    {
        if (s_buckets == null)
            s_buckets = (Dentry**)KernelHeap.Allocate(BucketCount * (nuint)sizeof(Dentry*));
        return s_buckets != null;
    }

    /// <summary>A root for a mount, with one reference; null when out of memory.</summary>
    public static Dentry* CreateRoot(FileSystem* fileSystem)
    {
        Dentry* root = Pool<Dentry>.Allocate();
        if (root == null)
            return null;
        root->References = 1;
        root->Inode = fileSystem->Root;
        root->Inode->AddReference();
        return root;
    }

    /// <summary>Finds a cached name and takes a reference; null when it is not cached.</summary>
    public static Dentry* Find(Dentry* parent, ReadOnlySpan<byte> name)
    {
        uint hash = HashOf(parent, name);
        for (Dentry* dentry = s_buckets[hash % BucketCount]; dentry != null; dentry = dentry->_bucketNext)
        {
            if (dentry->_hash != hash || dentry->Parent != parent || !FileNames.AreEqual(dentry->Name, name))
                continue;
            dentry->AddReference();
            return dentry;
        }
        return null;
    }

    /// <summary>
    /// Adds a name to the cache, with one reference. The caller's reference on <paramref name="inode"/> becomes the dentry's, or is released on failure. Null when out of memory.
    /// </summary>
    public static Dentry* Add(Dentry* parent, ReadOnlySpan<byte> name, Inode* inode)
    {
        Dentry* dentry = CreateUnhashed(parent, name, inode);
        if (dentry != null)
            dentry->Hash();
        return dentry;
    }

    /// <summary>A name that no lookup finds (memfd, O_TMPFILE). References as for <see cref="Add"/>.</summary>
    public static Dentry* AddDeleted(Dentry* parent, ReadOnlySpan<byte> name, Inode* inode)
    {
        Dentry* dentry = CreateUnhashed(parent, name, inode);
        if (dentry != null)
            dentry->IsDeleted = true;
        return dentry;
    }

    /// <summary>One more reference; takes it off the list of unused ones.</summary>
    public void AddReference()
    {
        if (References++ == 0)
            RemoveUnused();
    }

    /// <summary>One reference less. An unused one is kept when its file system allows, otherwise freed, and its parents with it.</summary>
    public static void Release(Dentry* dentry)
    {
        while (dentry != null && --dentry->References == 0)
        {
            if (dentry->_isHashed && (dentry->Inode->FileSystem->Traits & FileSystemTraits.StableNames) != 0)
            {
                dentry->AddUnused();
                if (s_unusedCount > MaximumUnused)
                    Shrink(1);
                return;
            }
            dentry = Free(dentry);
        }
    }

    /// <summary>Frees up to <paramref name="count"/> unused names, the longest unused first. Returns how many.</summary>
    public static int Shrink(int count)
    {
        int freed = 0;
        while (freed < count && s_unusedFirst != null)
        {
            Dentry* dentry = s_unusedFirst;
            dentry->RemoveUnused();
            Release(Free(dentry));
            freed++;
        }
        return freed;
    }

    /// <summary>The name is gone: no lookup finds it any more. It lives on while it is used.</summary>
    public void Delete()
    {
        Unhash();
        IsDeleted = true;
    }

    /// <summary>Gives it another place (rename). False when out of memory; nothing changed then.</summary>
    public bool Move(Dentry* newParent, ReadOnlySpan<byte> newName)
    {
        byte* longName = null;
        if (newName.Length > InlineNameLength && (longName = (byte*)KernelHeap.Allocate((nuint)newName.Length)) == null)
            return false;
        Unhash();
        FreeName();
        SetName(newName, longName);
        newParent->AddReference();
        Dentry* oldParent = Parent;
        Parent = newParent;
        Hash();
        Release(oldParent);
        return true;
    }

    /// <summary>Whether <paramref name="ancestor"/> is this or above it.</summary>
    public readonly bool IsBelow(Dentry* ancestor)
    {
        if (Parent == null)
            return false;
        for (Dentry* at = Parent; at != null; at = at->Parent)
        {
            if (at == ancestor)
                return true;
        }
        return false;
    }

    private static Dentry* CreateUnhashed(Dentry* parent, ReadOnlySpan<byte> name, Inode* inode)
    {
        byte* longName = null;
        Dentry* dentry = null;
        if (name.Length <= InlineNameLength || (longName = (byte*)KernelHeap.Allocate((nuint)name.Length)) != null)
            dentry = Pool<Dentry>.Allocate();
        if (dentry == null)
        {
            if (longName != null)
                KernelHeap.Free(longName);
            Files.Inode.Release(inode);
            return null;
        }
        dentry->References = 1;
        dentry->Inode = inode;
        dentry->SetName(name, longName);
        parent->AddReference();
        dentry->Parent = parent;
        return dentry;
    }

    // Returns the parent, whose reference is the caller's to release.
    private static Dentry* Free(Dentry* dentry)
    {
        Dentry* parent = dentry->Parent;
        dentry->Unhash();
        dentry->FreeName();
        Inode* inode = dentry->Inode;
        Pool<Dentry>.Free(dentry);
        Files.Inode.Release(inode);
        return parent;
    }

    private void SetName(ReadOnlySpan<byte> name, byte* longName)
    {
        _name = longName != null ? longName : Self->_inlineName;
        _nameLength = (ushort)name.Length;
        name.CopyTo(new Span<byte>(_name, name.Length));
    }

    private void FreeName()
    {
        if (_nameLength > InlineNameLength)
            KernelHeap.Free(_name);
        _nameLength = 0;
    }

    private void Hash()
    {
        _hash = HashOf(Parent, Name);
        Dentry** bucket = s_buckets + _hash % BucketCount;
        _bucketNext = *bucket;
        *bucket = Self;
        _isHashed = true;
    }

    private void Unhash()
    {
        if (!_isHashed)
            return;
        Dentry** link = s_buckets + _hash % BucketCount;
        while (*link != Self)
            link = &(*link)->_bucketNext;
        *link = _bucketNext;
        _isHashed = false;
    }

    private void AddUnused()
    {
        _unusedNext = null;
        _unusedPrevious = s_unusedLast;
        if (s_unusedLast == null)
            s_unusedFirst = Self;
        else
            s_unusedLast->_unusedNext = Self;
        s_unusedLast = Self;
        s_unusedCount++;
    }

    private void RemoveUnused()
    {
        if (_unusedPrevious == null)
            s_unusedFirst = _unusedNext;
        else
            _unusedPrevious->_unusedNext = _unusedNext;
        if (_unusedNext == null)
            s_unusedLast = _unusedPrevious;
        else
            _unusedNext->_unusedPrevious = _unusedPrevious;
        s_unusedCount--;
    }

    private Dentry* Self => (Dentry*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);

    private static uint HashOf(Dentry* parent, ReadOnlySpan<byte> name) => FileNames.Hash(name, (uint)((ulong)parent >> 6));
}
