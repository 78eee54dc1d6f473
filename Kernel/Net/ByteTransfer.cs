// Where bytes come from and go to when a program sends and receives: the program's memory, or the kernel's (sendfile, tests). A generic over these structs
// compiles to one path for each, without a call through a pointer for every piece.
using System;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net;

/// <summary>Gives bytes one piece after the other.</summary>
public unsafe interface IByteSource
{
    /// <summary>Copies the next <paramref name="count"/> bytes. False is EFAULT; what was copied counts as not given.</summary>
    bool TryTake(byte* to, nuint count);
}

/// <summary>Takes bytes one piece after the other.</summary>
public unsafe interface IByteSink
{
    /// <summary>Takes the next <paramref name="count"/> bytes. False is EFAULT; they count as not taken.</summary>
    bool TryGive(byte* from, nuint count);
}

/// <summary>Memory of the kernel as source or sink.</summary>
public unsafe struct KernelBytes(byte* start) : IByteSource, IByteSink
{
    private byte* _next = start;

    /// <inheritdoc/>
    public bool TryTake(byte* to, nuint count)
    {
        new ReadOnlySpan<byte>(_next, (int)count).CopyTo(new Span<byte>(to, (int)count));
        _next += count;
        return true;
    }

    /// <inheritdoc/>
    public bool TryGive(byte* from, nuint count)
    {
        new ReadOnlySpan<byte>(from, (int)count).CopyTo(new Span<byte>(_next, (int)count));
        _next += count;
        return true;
    }
}

/// <summary>One range of the program's memory as source or sink: read, write, sendto, recvfrom.</summary>
public unsafe struct UserBytes(UserSpan range) : IByteSource, IByteSink
{
    private ulong _next = range.Address;

    /// <inheritdoc/>
    public bool TryTake(byte* to, nuint count)
    {
        bool isTaken = UserMemory.CopyIn(to, _next, count);
        _next += count;
        return isTaken;
    }

    /// <inheritdoc/>
    public bool TryGive(byte* from, nuint count)
    {
        bool isGiven = UserMemory.CopyOut(_next, from, count);
        _next += count;
        return isGiven;
    }
}

/// <summary>Several ranges of the program's memory as source or sink: readv, writev, sendmsg, recvmsg.</summary>
public unsafe struct UserRanges(UserVector* ranges) : IByteSource, IByteSink
{
    private readonly UserVector* _ranges = ranges;
    private nuint _done;

    /// <inheritdoc/>
    public bool TryTake(byte* to, nuint count)
    {
        bool isTaken = _ranges->Gather(_done, to, count);
        _done += count;
        return isTaken;
    }

    /// <inheritdoc/>
    public bool TryGive(byte* from, nuint count)
    {
        bool isGiven = _ranges->Scatter(_done, from, count);
        _done += count;
        return isGiven;
    }
}
