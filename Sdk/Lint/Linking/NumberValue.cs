using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;

namespace Ukl.Lint.Linking;

/// <summary>
/// What a 64-bit register may hold, as far as its low 32 bits go, which is where a system call's number is: some of a few constants, what some registers
/// held when the function was entered, or anything.
/// </summary>
internal readonly struct NumberValue : IEquatable<NumberValue>
{
    private const int MostConstants = 16;

    private readonly ImmutableArray<int> _constants;
    private readonly ushort _entries;

    private NumberValue(ImmutableArray<int> constants, ushort entries, bool isUnknown)
    {
        _constants = constants;
        _entries = entries;
        IsUnknown = isUnknown;
    }

    /// <summary>Anything.</summary>
    public static NumberValue Unknown { get; } = new([], 0, true);

    /// <summary>Whether it may be anything.</summary>
    public bool IsUnknown { get; }

    /// <summary>The constants that it may be.</summary>
    public ImmutableArray<int> Constants => _constants.IsDefault ? [] : _constants;

    /// <summary>The constant that it is, or null.</summary>
    public int? Single => !IsUnknown && _entries == 0 && Constants.Length == 1 ? Constants[0] : null;

    /// <summary>The registers, by number, whose value at the function's entry it may be.</summary>
    public IEnumerable<int> Entries
    {
        get
        {
            ushort entries = _entries;
            return Enumerable.Range(0, 16).Where(register => (entries >> register & 1) != 0);
        }
    }

    /// <summary>A constant.</summary>
    public static NumberValue Constant(int value) => new([value], 0, false);

    /// <summary>What a register held when the function was entered.</summary>
    public static NumberValue Entry(int register) => new([], (ushort)(1 << register), false);

    /// <summary>Either of two.</summary>
    public NumberValue Or(NumberValue other)
    {
        if (IsUnknown || other.IsUnknown)
            return Unknown;
        ImmutableArray<int> constants = [.. Constants.Union(other.Constants).Order()];
        return constants.Length > MostConstants ? Unknown : new(constants, (ushort)(_entries | other._entries), false);
    }

    /// <summary>The result of an operation with a constant; unknown unless this is one.</summary>
    public NumberValue Apply(Func<int, int> operation) => Single is { } value ? Constant(operation(value)) : Unknown;

    /// <inheritdoc/>
    public bool Equals(NumberValue other) => IsUnknown == other.IsUnknown && _entries == other._entries && Constants.SequenceEqual(other.Constants);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is NumberValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsUnknown, _entries, Constants.Length);
}
