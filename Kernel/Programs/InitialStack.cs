// What a new program finds on its stack: argument and environment strings, their vectors, the auxiliary vector. Sources: System V ABI for x86-64,
// section 3.4.1; getauxval(3).
using System;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Programs;

/// <summary>Keys of the auxiliary vector (getauxval(3)).</summary>
internal enum AuxiliaryKey : ulong
{
    End = 0,
    ProgramHeaders = 3,
    ProgramHeaderSize = 4,
    ProgramHeaderCount = 5,
    PageSize = 6,
    Base = 7,
    Flags = 8,
    Entry = 9,
    UserId = 11,
    EffectiveUserId = 12,
    GroupId = 13,
    EffectiveGroupId = 14,
    Platform = 15,
    HardwareCapabilities = 16,
    ClockTicks = 17,
    Secure = 23,
    Random = 25,
    HardwareCapabilities2 = 26,
    ExecutableName = 31,
    VdsoHeader = 33,
    MinimumSignalStack = 51,
}

/// <summary>
/// Builds the initial stack from the top down: first the strings, then, by <see cref="Finish"/>, the vectors. Arguments and after them the environment lie
/// upwards without gaps, as /proc/self/cmdline and programs that overwrite their title expect, so their size is needed before the first of them. Everything is
/// written through user memory, so a stack that cannot be had is an error and no fault.
/// </summary>
internal unsafe ref struct InitialStack
{
    /// <summary>The most strings: arguments and environment together.</summary>
    internal const int StringCapacity = 512;

    private readonly ulong* _strings;
    private ulong _at;
    private ulong _nextString;
    private int _argumentCount;
    private int _environmentCount;
    private bool _hasFailed;

    /// <summary>Starts below <paramref name="top"/>; <paramref name="strings"/> has room for <see cref="StringCapacity"/> addresses.</summary>
    internal InitialStack(ulong top, ulong* strings)
    {
        _at = top;
        _nextString = top;
        _strings = strings;
        _argumentCount = 0;
        _environmentCount = 0;
        _hasFailed = false;
    }

    /// <summary>Where the next argument or environment string goes.</summary>
    internal readonly ulong NextString => _nextString;

    /// <summary>How many arguments there are.</summary>
    internal readonly int ArgumentCount => _argumentCount;

    /// <summary>Whether something did not fit.</summary>
    internal readonly bool HasFailed => _hasFailed;

    /// <summary>Makes room for all arguments and environment strings: <paramref name="bytes"/> with their NULs. Before the first of them.</summary>
    internal void ReserveStrings(ulong bytes)
    {
        _at -= bytes;
        _nextString = _at;
    }

    /// <summary>Adds an argument; all arguments come before the first environment string.</summary>
    internal void AddArgument(ReadOnlySpan<byte> text)
    {
        if (AddString(text))
            _argumentCount++;
    }

    /// <summary>Adds a NAME=value string.</summary>
    internal void AddEnvironment(ReadOnlySpan<byte> text)
    {
        if (AddString(text))
            _environmentCount++;
    }

    /// <summary>Puts a string with its NUL that is neither argument nor environment; returns its address.</summary>
    internal ulong PushString(ReadOnlySpan<byte> text)
    {
        _at -= (ulong)text.Length + 1;
        PutString(_at, text);
        return _at;
    }

    /// <summary>Puts 16 random bytes for stack protectors and pointer mangling; returns their address.</summary>
    internal ulong PushRandom()
    {
        byte* random = stackalloc byte[16];
        Core.Random.Fill(random, 16);
        _at = (_at - 16) & ~15ul;
        _hasFailed |= !UserMemory.CopyOut(_at, random, 16);
        return _at;
    }

    /// <summary>Puts argc, the vectors and the auxiliary vector below the strings; returns the stack pointer for the entry.</summary>
    internal ulong Finish(ReadOnlySpan<AuxiliaryEntry> auxiliary, out ulong auxiliaryStart)
    {
        ulong words = (ulong)(1 + _argumentCount + 1 + _environmentCount + 1 + 2 * auxiliary.Length);
        ulong stack = (_at - words * sizeof(ulong)) & ~15ul;
        ulong at = stack;
        Put(ref at, (ulong)_argumentCount);
        for (int i = 0; i < _argumentCount; i++)
            Put(ref at, _strings[i]);
        Put(ref at, 0);
        for (int i = 0; i < _environmentCount; i++)
            Put(ref at, _strings[_argumentCount + i]);
        Put(ref at, 0);
        auxiliaryStart = at;
        foreach (AuxiliaryEntry entry in auxiliary)
        {
            Put(ref at, (ulong)entry.Key);
            Put(ref at, entry.Value);
        }
        return stack;
    }

    private bool AddString(ReadOnlySpan<byte> text)
    {
        if (_argumentCount + _environmentCount >= StringCapacity)
        {
            _hasFailed = true;
            return false;
        }
        _strings[_argumentCount + _environmentCount] = _nextString;
        PutString(_nextString, text);
        _nextString += (ulong)text.Length + 1;
        return true;
    }

    private void PutString(ulong address, ReadOnlySpan<byte> text)
    {
        byte zero = 0;
        fixed (byte* bytes = text)
            _hasFailed |= !UserMemory.CopyOut(address, bytes, (nuint)text.Length);
        _hasFailed |= !UserMemory.CopyOut(address + (ulong)text.Length, &zero, 1);
    }

    private void Put(ref ulong at, ulong value)
    {
        _hasFailed |= !UserMemory.CopyOut(at, &value, sizeof(ulong));
        at += sizeof(ulong);
    }
}

/// <summary>One entry of the auxiliary vector.</summary>
internal struct AuxiliaryEntry
{
    public AuxiliaryKey Key;
    public ulong Value;
}
