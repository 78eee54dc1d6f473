// SipHash-2-4. Source of truth: J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF, INDOCRYPT 2012.
using System.Numerics;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>A keyed hash over 64-bit words whose result tells nothing about the key: for what is sent to strangers.</summary>
internal struct SipHash
{
    private ulong _v0;
    private ulong _v1;
    private ulong _v2;
    private ulong _v3;
    private ulong _words;

    /// <summary>Begins with a key.</summary>
    public SipHash(ulong key0, ulong key1)
    {
        _v0 = key0 ^ 0x736f_6d65_7073_6575;
        _v1 = key1 ^ 0x646f_7261_6e64_6f6d;
        _v2 = key0 ^ 0x6c79_6765_6e65_7261;
        _v3 = key1 ^ 0x7465_6462_7974_6573;
        _words = 0;
    }

    /// <summary>Takes eight bytes in.</summary>
    public void Add(ulong word)
    {
        _v3 ^= word;
        Round();
        Round();
        _v0 ^= word;
        _words++;
    }

    /// <summary>The hash of the words so far.</summary>
    public ulong Finish()
    {
        Add(_words * 8 << 56);
        _v2 ^= 0xff;
        Round();
        Round();
        Round();
        Round();
        return _v0 ^ _v1 ^ _v2 ^ _v3;
    }

    private void Round()
    {
        _v0 += _v1;
        _v1 = BitOperations.RotateLeft(_v1, 13) ^ _v0;
        _v0 = BitOperations.RotateLeft(_v0, 32);
        _v2 += _v3;
        _v3 = BitOperations.RotateLeft(_v3, 16) ^ _v2;
        _v0 += _v3;
        _v3 = BitOperations.RotateLeft(_v3, 21) ^ _v0;
        _v2 += _v1;
        _v1 = BitOperations.RotateLeft(_v1, 17) ^ _v2;
        _v2 = BitOperations.RotateLeft(_v2, 32);
    }
}
