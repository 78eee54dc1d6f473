using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>
/// A place in one or more ranges of the program's memory, moving forward as bytes are taken or given. One range costs no more than a pointer.
/// </summary>
public unsafe struct UserCursor : IByteSource, IByteSink
{
    private ulong _next;
    private nuint _left;
    private UserSpan* _rest;
    private int _restCount;

    /// <summary>The start of one range.</summary>
    public UserCursor(UserSpan range)
    {
        _next = range.Address;
        _left = range.Length;
        _rest = null;
        _restCount = 0;
    }

    /// <summary>The start of several ranges, which must outlive the cursor.</summary>
    public UserCursor(UserVector* ranges)
    {
        _next = 0;
        _left = 0;
        _rest = ranges->Ranges;
        _restCount = ranges->Count;
    }

    /// <inheritdoc/>
    public bool TryTake(byte* to, nuint count)
    {
        while (count > _left)
        {
            if (!UserMemory.CopyIn(to, _next, _left))
                return false;
            to += _left;
            count -= _left;
            if (!NextRange())
                return count == 0;
        }
        bool isTaken = UserMemory.CopyIn(to, _next, count);
        _next += count;
        _left -= count;
        return isTaken;
    }

    /// <inheritdoc/>
    public bool TryGive(byte* from, nuint count)
    {
        while (count > _left)
        {
            if (!UserMemory.CopyOut(_next, from, _left))
                return false;
            from += _left;
            count -= _left;
            if (!NextRange())
                return count == 0;
        }
        bool isGiven = UserMemory.CopyOut(_next, from, count);
        _next += count;
        _left -= count;
        return isGiven;
    }

    private bool NextRange()
    {
        if (_restCount == 0)
        {
            _left = 0;
            return false;
        }
        _next = _rest->Address;
        _left = _rest->Length;
        _rest++;
        _restCount--;
        return true;
    }
}
