// The hash of keys: 64 bits by multiply and fold, with a seed of this process, so that a client cannot choose keys that collide.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeyValue.Storage;

/// <summary>Hashes keys.</summary>
internal readonly struct KeyHash
{
    private const ulong Odd1 = 0x9E3779B97F4A7C15, Odd2 = 0xD6E8FEB86659FD93;

    private readonly ulong seed1, seed2;

    private KeyHash(ulong seed1, ulong seed2) => (this.seed1, this.seed2) = (seed1, seed2);

    /// <summary>A hash with seeds of its own.</summary>
    public static KeyHash Create()
    {
        Random random = new(); // Seeded by the kernel; nothing that it gives is ever shown.
        return new KeyHash((ulong)random.NextInt64() << 1 | 1, (ulong)random.NextInt64() << 1 | 1);
    }

    /// <summary>The hash of a key.</summary>
    public uint Of(ReadOnlySpan<byte> key)
    {
        ref byte start = ref MemoryMarshal.GetReference(key);
        nuint length = (nuint)key.Length;
        ulong state = seed1 ^ (length * Odd1);
        ulong low, high;
        if (length >= 16)
        {
            for (nuint index = 0; index + 16 < length; index += 16)
                state = Fold(Read(ref start, index) ^ state, Read(ref start, index + 8) ^ seed2);
            low = Read(ref start, length - 16);
            high = Read(ref start, length - 8);
        }
        else if (length >= 8)
        {
            low = Read(ref start, 0);
            high = Read(ref start, length - 8);
        }
        else if (length >= 4)
        {
            low = Unsafe.ReadUnaligned<uint>(ref start);
            high = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, length - 4));
        }
        else
        {
            low = length == 0 ? 0 : start | ((ulong)Unsafe.Add(ref start, length >> 1) << 8) | ((ulong)Unsafe.Add(ref start, length - 1) << 16);
            high = 0;
        }
        ulong hash = Fold(low ^ state, high ^ seed2);
        return (uint)Fold(hash ^ Odd2, seed1);
    }

    private static ulong Read(ref byte start, nuint index) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, index));

    private static ulong Fold(ulong left, ulong right)
    {
        ulong high = Math.BigMul(left, right, out ulong low);
        return high ^ low;
    }
}
