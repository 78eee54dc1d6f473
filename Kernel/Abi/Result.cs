namespace Ukl.Kernel.Abi;

/// <summary>What a system call returns: a value, or a negated <see cref="Errno"/> in -4095…-1.</summary>
public readonly struct Result
{
    private const long LowestError = -4095;

    /// <summary>The value as the program sees it in rax.</summary>
    public readonly long Value;

    /// <summary>Wraps a raw value.</summary>
    public Result(long value) => Value = value;

    /// <summary>Success without a value.</summary>
    public static Result Ok => new(0);

    /// <summary>Whether this is an error.</summary>
    public bool IsError => (ulong)Value >= unchecked((ulong)LowestError);

    /// <summary>The error, or <see cref="Errno.None"/>.</summary>
    public Errno Error => IsError ? (Errno)(-Value) : Errno.None;

    public static implicit operator Result(Errno error) => new(-(long)error);

    public static implicit operator Result(long value) => new(value);

    public static implicit operator Result(int value) => new(value);

    public static implicit operator Result(ulong value) => new((long)value);
}
