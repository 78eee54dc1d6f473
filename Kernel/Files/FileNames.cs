using System;

namespace Ukl.Kernel.Files;

/// <summary>Comparing and hashing names.</summary>
public static class FileNames
{
    /// <summary>NAME_MAX: the longest name of a directory entry, in bytes.</summary>
    public const int MaximumLength = 255;

    /// <summary>PATH_MAX: the longest path a program passes, with its NUL.</summary>
    public const int MaximumPathLength = 4096;

    /// <summary>Whether two names are the same bytes.</summary>
    public static bool AreEqual(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
            return false;
        for (int i = 0; i < left.Length; i++)
        {
            if (left[i] != right[i])
                return false;
        }
        return true;
    }

    /// <summary>FNV-1a of a name, stirred so that low bits are usable as a bucket number.</summary>
    public static uint Hash(ReadOnlySpan<byte> name, uint seed = 0)
    {
        const uint offsetBasis = 2166136261;
        const uint prime = 16777619;
        uint hash = offsetBasis ^ seed;
        for (int i = 0; i < name.Length; i++)
            hash = (hash ^ name[i]) * prime;
        return hash ^ hash >> 15;
    }

    /// <summary>Whether a name is "." or "..".</summary>
    public static bool IsDots(ReadOnlySpan<byte> name) =>
        name.Length is 1 or 2 && name[0] == '.' && name[^1] == '.';
}
