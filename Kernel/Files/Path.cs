namespace Ukl.Kernel.Files;

/// <summary>A place in the tree: a name, and the mount through which it was reached. Empty or with a reference on both.</summary>
public unsafe struct Path
{
    public Mount* Mount;
    public Dentry* Dentry;

    /// <summary>Whether it is no place at all.</summary>
    public readonly bool IsEmpty => Dentry == null;

    /// <summary>The inode there.</summary>
    public readonly Inode* Inode => Dentry->Inode;

    /// <summary>The same place with references of its own.</summary>
    public readonly Path Share()
    {
        if (Dentry != null)
        {
            Mount->References++;
            Dentry->AddReference();
        }
        return this;
    }

    /// <summary>Gives the references back and empties it.</summary>
    public void Release()
    {
        Dentry* dentry = Dentry;
        if (dentry == null)
            return;
        Mount->References--;
        Mount = null;
        Dentry = null;
        Files.Dentry.Release(dentry);
    }

    /// <summary>Whether both are the same place.</summary>
    public readonly bool Is(in Path other) => Dentry == other.Dentry && Mount == other.Mount;
}
