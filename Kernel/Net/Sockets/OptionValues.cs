// The values that setsockopt(2) and getsockopt(2) carry.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>What a program gives to setsockopt(2): memory of its own.</summary>
public readonly unsafe struct OptionInput(UserSpan memory)
{
    /// <summary>Bytes given.</summary>
    public int Length => (int)memory.Length;

    /// <summary>Reads a value that begins the memory. EINVAL when there is less, EFAULT.</summary>
    public Errno Read<T>(out T value)
        where T : unmanaged
    {
        value = default;
        if (memory.Length < (nuint)sizeof(T))
            return Errno.EINVAL;
        return new UserPtr<T>(memory.Address).TryRead(out value) ? Errno.None : Errno.EFAULT;
    }

    /// <summary>Reads an int, or a single byte when there is less than an int, as the options of IPPROTO_IP allow. EINVAL, EFAULT.</summary>
    public Errno ReadSmall(out int value)
    {
        if (memory.Length >= sizeof(int))
            return Read(out value);
        Errno error = Read(out byte narrow);
        value = narrow;
        return error;
    }

    /// <summary>Copies up to <paramref name="capacity"/> bytes and says how many. EFAULT.</summary>
    public Errno Copy(byte* to, int capacity, out int count)
    {
        count = Length < capacity ? Length : capacity;
        return memory.CopyTo(to, (nuint)count) ? Errno.None : Errno.EFAULT;
    }
}

/// <summary>What getsockopt(2) gives back: a value in kernel memory, later cut to what the program asked for.</summary>
public unsafe struct OptionOutput
{
    /// <summary>The longest value there is (struct tcp_info and then some).</summary>
    public const int Capacity = 384;

    /// <summary>Bytes that the program asked for; not negative.</summary>
    public int Requested;

    /// <summary>Bytes of the value.</summary>
    public int Length;

    private fixed byte _bytes[Capacity];

    /// <summary>The value's bytes. The struct must not move while they are used.</summary>
    public byte* Bytes => (byte*)Unsafe.AsPointer(ref _bytes[0]);

    /// <summary>Sets the value.</summary>
    public Result Set<T>(T value)
        where T : unmanaged
    {
        Unsafe.WriteUnaligned(Bytes, value);
        Length = sizeof(T);
        return Result.Ok;
    }

    /// <summary>Sets an int.</summary>
    public Result Set(bool value) => Set(value ? 1 : 0);

    /// <summary>Sets bytes.</summary>
    public Result Set(ReadOnlySpan<byte> value)
    {
        value.CopyTo(new Span<byte>(Bytes, Capacity));
        Length = value.Length;
        return Result.Ok;
    }

    /// <summary>Sets an int that is given as one byte when less than an int was asked for, as the options of IPPROTO_IP do.</summary>
    public Result SetSmall(int value) => Requested is > 0 and < sizeof(int) && value is >= 0 and <= byte.MaxValue ? Set((byte)value) : Set(value);
}
