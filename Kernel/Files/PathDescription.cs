// From a place in the tree to its text, for getcwd(2), /proc/self/fd and /proc/self/maps.
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>Writes the path of a place.</summary>
public static unsafe class PathDescription
{
    /// <summary>
    /// Writes the absolute path of a place as seen from a root, without NUL, and " (deleted)" after it when the name is gone. Returns its length. ENAMETOOLONG when <paramref name="to"/> is
    /// too short. A place that is not below the root is written from the top of the tree.
    /// </summary>
    public static Result Write(in Path path, in Path root, Span<byte> to)
    {
        // From the end backwards, then moved to the front.
        int at = to.Length;
        Dentry* dentry = path.Dentry;
        Mount* mount = path.Mount;
        if (dentry->IsDeleted && !Prepend(to, ref at, " (deleted)"u8))
            return Errno.ENAMETOOLONG;
        int end = at;
        while (dentry != root.Dentry || mount != root.Mount)
        {
            if (dentry == mount->Root)
            {
                if (mount->Point.IsEmpty)
                    break;
                dentry = mount->Point.Dentry;
                mount = mount->Point.Mount;
                continue;
            }
            if (!Prepend(to, ref at, dentry->Name) || !Prepend(to, ref at, "/"u8))
                return Errno.ENAMETOOLONG;
            dentry = dentry->Parent;
        }
        if (at == end && !Prepend(to, ref at, "/"u8))
            return Errno.ENAMETOOLONG;
        ReadOnlySpan<byte> text = to[at..];
        text.CopyTo(to);
        return text.Length;
    }

    private static bool Prepend(Span<byte> to, ref int at, ReadOnlySpan<byte> text)
    {
        if (text.Length > at)
            return false;
        at -= text.Length;
        text.CopyTo(to[at..]);
        return true;
    }
}
