using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>The name of an interface, with NULs behind it (IFNAMSIZ of netdevice(7)).</summary>
[InlineArray(Size)]
public struct InterfaceName
{
    /// <summary>Bytes of a name with at least one NUL.</summary>
    public const int Size = 16;

    private byte _first;

    /// <summary>The name without NULs.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Text
    {
        get
        {
            int length = 0;
            while (length < Size && this[length] != 0)
                length++;
            return ((ReadOnlySpan<byte>)this)[..length];
        }
    }

    /// <summary>Sets the name: a word and, unless negative, a number below 100.</summary>
    public void Set(ReadOnlySpan<byte> word, int number)
    {
        this = default;
        int at = 0;
        for (; at < word.Length; at++)
            this[at] = word[at];
        if (number >= 10)
            this[at++] = (byte)('0' + (number / 10));
        if (number >= 0)
            this[at] = (byte)('0' + (number % 10));
    }

    /// <summary>Whether this is the name.</summary>
    public readonly bool Is(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> text = Text;
        if (text.Length != name.Length)
            return false;
        for (int i = 0; i < name.Length; i++)
        {
            if (text[i] != name[i])
                return false;
        }
        return true;
    }
}
