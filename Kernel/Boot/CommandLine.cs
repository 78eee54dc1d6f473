// The kernel command line. Source: Linux's Documentation/admin-guide/kernel-parameters, bootparam(7): words divided by white space, "key=value" or flags,
// double quotes keep spaces together, what follows "--" goes to the first program. Added here: a backslash takes the next character as it is.
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Boot;

/// <summary>The command line, copied and divided into NUL-terminated words.</summary>
public struct CommandLine
{
    /// <summary>The longest command line accepted, in bytes with its NUL.</summary>
    public const int Capacity = 4096;

    private TextArray _text;
    private int _length;
    private int _argumentsStart;

    /// <summary>The words before <c>--</c>: options of the kernel and the environment of the first program.</summary>
    [UnscopedRef]
    public readonly CommandLineWords Options => new(((ReadOnlySpan<byte>)_text).Slice(0, _argumentsStart));

    /// <summary>The words after <c>--</c>: the first program's arguments, without its name.</summary>
    [UnscopedRef]
    public readonly CommandLineWords Arguments => new(((ReadOnlySpan<byte>)_text).Slice(_argumentsStart, _length - _argumentsStart));

    /// <summary>Copies and divides <paramref name="text"/>. Returns a message when it cannot be used, or nothing.</summary>
    public ReadOnlySpan<byte> Set(ReadOnlySpan<byte> text)
    {
        _length = 0;
        _argumentsStart = 0;
        if (text.Length >= Capacity)
            return "the command line is longer than 4095 bytes"u8;

        // Dropping quotes and turning each separator into one NUL never makes the text longer than it was with its own NUL.
        bool isSeparatorSeen = false;
        int at = 0;
        while (true)
        {
            while (at < text.Length && IsSpace(text[at]))
                at++;
            if (at == text.Length)
                break;
            int start = _length;
            bool isLiteral = CopyWord(text, ref at);
            if (!isSeparatorSeen && !isLiteral && _length - start == 3 && _text[start] == '-' && _text[start + 1] == '-')
            {
                isSeparatorSeen = true;
                _length = start;
                _argumentsStart = start;
            }
        }
        if (!isSeparatorSeen)
            _argumentsStart = _length;
        return default;
    }

    /// <summary>The value of the last option <c>key=value</c>; false when there is none.</summary>
    [UnscopedRef]
    public readonly bool TryGetValue(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        value = default;
        bool isFound = false;
        CommandLineWords words = Options;
        while (words.MoveNext())
        {
            if (words.NameLength == key.Length && words.HasValue && StartsWith(words.Current, key))
            {
                value = words.Value;
                isFound = true;
            }
        }
        return isFound;
    }

    /// <summary>Whether <paramref name="word"/>, a flag or an option with its value, stands as it is among the options.</summary>
    public readonly bool HasFlag(ReadOnlySpan<byte> word)
    {
        CommandLineWords words = Options;
        while (words.MoveNext())
        {
            if (words.Current.Length == word.Length && StartsWith(words.Current, word))
                return true;
        }
        return false;
    }

    internal static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> start)
    {
        if (text.Length < start.Length)
            return false;
        for (int i = 0; i < start.Length; i++)
        {
            if (text[i] != start[i])
                return false;
        }
        return true;
    }

    /// <summary>Copies one word and a NUL; returns whether quotes or a backslash stood in it.</summary>
    private bool CopyWord(ReadOnlySpan<byte> text, ref int at)
    {
        bool isQuoted = false;
        bool isLiteral = false;
        for (; at < text.Length; at++)
        {
            byte letter = text[at];
            if (letter == '"')
            {
                isQuoted = !isQuoted;
                isLiteral = true;
                continue;
            }
            if (!isQuoted && IsSpace(letter))
                break;
            if (letter == '\\' && at + 1 < text.Length)
            {
                letter = text[++at];
                isLiteral = true;
            }
            if (letter != 0)
                _text[_length++] = letter;
        }
        _text[_length++] = 0;
        return isLiteral;
    }

    private static bool IsSpace(byte letter) => letter is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or 0;

    [InlineArray(Capacity)]
    private struct TextArray
    {
        private byte _first;
    }
}

/// <summary>Walks over words of a <see cref="CommandLine"/>.</summary>
public ref struct CommandLineWords(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>The word; a NUL follows it in memory, so a pointer to it is a C string.</summary>
    public ReadOnlySpan<byte> Current { readonly get; private set; }

    /// <summary>The length of what stands before the first <c>=</c>, or of the whole word.</summary>
    public int NameLength { readonly get; private set; }

    /// <summary>Whether the word has the form <c>key=value</c>.</summary>
    public readonly bool HasValue => NameLength < Current.Length;

    /// <summary>What stands after the first <c>=</c>.</summary>
    public readonly ReadOnlySpan<byte> Value => HasValue ? Current.Slice(NameLength + 1) : default;

    /// <summary>
    /// Whether the word is an environment variable for the first program: <c>NAME=value</c> where the name is one of C and none of the kernel's own keys.
    /// </summary>
    public readonly bool IsEnvironment
    {
        get
        {
            if (!HasValue || NameLength == 0 || Current[0] is >= (byte)'0' and <= (byte)'9')
                return false;
            for (int i = 0; i < NameLength; i++)
            {
                byte letter = Current[i];
                bool isNameLetter = letter is (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'a' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9') or (byte)'_';
                if (!isNameLetter)
                    return false;
            }
            return !CommandLine.StartsWith(Current, "init="u8) && !CommandLine.StartsWith(Current, "console="u8) &&
                !CommandLine.StartsWith(Current, "panic="u8) && !CommandLine.StartsWith(Current, "winsize="u8) &&
                !CommandLine.StartsWith(Current, "ip="u8) && !CommandLine.StartsWith(Current, "gateway="u8) && !CommandLine.StartsWith(Current, "dns="u8);
        }
    }

    /// <summary>Goes to the next word; false at the end.</summary>
    public bool MoveNext()
    {
        if (_rest.Length == 0)
            return false;
        int length = 0;
        int nameLength = -1;
        while (length < _rest.Length && _rest[length] != 0)
        {
            if (nameLength < 0 && _rest[length] == '=')
                nameLength = length;
            length++;
        }
        Current = _rest.Slice(0, length);
        NameLength = nameLength < 0 ? length : nameLength;
        _rest = length < _rest.Length ? _rest.Slice(length + 1) : default;
        return true;
    }
}
