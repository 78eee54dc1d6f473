using System;

namespace Ukl.Kernel.Files;

/// <summary>Takes the entries a directory gives (getdents, and the kernel's own walks).</summary>
public unsafe struct DirectorySink
{
    /// <summary>
    /// Takes one entry: name, inode number, DT_* type (0: unknown), the position of the entry after it. False: full; the entry was not taken.
    /// </summary>
    public delegate*<DirectorySink*, ReadOnlySpan<byte>, ulong, byte, ulong, bool> Take;

    /// <summary>For the owner of the sink.</summary>
    public void* Context;

    /// <summary>Offers an entry and moves the file's position behind it when it is taken.</summary>
    public bool Add(OpenFile* file, ReadOnlySpan<byte> name, ulong number, byte type, ulong nextPosition)
    {
        var self = (DirectorySink*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
        if (!Take(self, name, number, type, nextPosition))
            return false;
        file->Position = nextPosition;
        return true;
    }

    /// <summary>Offers "." and "..", which stand at positions 0 and 1 of every directory. False: full.</summary>
    public bool AddDots(OpenFile* file)
    {
        const byte directory = 4;
        Inode* inode = file->Inode;
        if (file->Position == 0 && !Add(file, "."u8, inode->Number, directory, 1))
            return false;
        if (file->Position != 1)
            return true;
        Dentry* parent = file->Path.IsEmpty ? null : file->Path.Dentry->Parent;
        return Add(file, ".."u8, parent == null ? inode->Number : parent->Inode->Number, directory, 2);
    }
}
