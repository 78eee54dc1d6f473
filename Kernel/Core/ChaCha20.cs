// Source: RFC 8439, section 2.3 (the ChaCha20 block function).
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Core;

/// <summary>The ChaCha20 block function.</summary>
public static unsafe class ChaCha20
{
    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 32;

    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 64;

    /// <summary>Writes the 64 bytes of the key stream for a key (8 words), a block counter and a nonce (3 words).</summary>
    public static void Block(uint* key, uint counter, uint nonce0, uint nonce1, uint nonce2, byte* output)
    {
        const uint Constant0 = 0x6170_7865;
        const uint Constant1 = 0x3320_646e;
        const uint Constant2 = 0x7962_2d32;
        const uint Constant3 = 0x6b20_6574;
        const int DoubleRounds = 10;

        uint x0 = Constant0, x1 = Constant1, x2 = Constant2, x3 = Constant3;
        uint x4 = key[0], x5 = key[1], x6 = key[2], x7 = key[3];
        uint x8 = key[4], x9 = key[5], x10 = key[6], x11 = key[7];
        uint x12 = counter, x13 = nonce0, x14 = nonce1, x15 = nonce2;
        for (int i = 0; i < DoubleRounds; i++)
        {
            QuarterRound(ref x0, ref x4, ref x8, ref x12);
            QuarterRound(ref x1, ref x5, ref x9, ref x13);
            QuarterRound(ref x2, ref x6, ref x10, ref x14);
            QuarterRound(ref x3, ref x7, ref x11, ref x15);
            QuarterRound(ref x0, ref x5, ref x10, ref x15);
            QuarterRound(ref x1, ref x6, ref x11, ref x12);
            QuarterRound(ref x2, ref x7, ref x8, ref x13);
            QuarterRound(ref x3, ref x4, ref x9, ref x14);
        }

        uint* words = (uint*)output;
        words[0] = x0 + Constant0;
        words[1] = x1 + Constant1;
        words[2] = x2 + Constant2;
        words[3] = x3 + Constant3;
        words[4] = x4 + key[0];
        words[5] = x5 + key[1];
        words[6] = x6 + key[2];
        words[7] = x7 + key[3];
        words[8] = x8 + key[4];
        words[9] = x9 + key[5];
        words[10] = x10 + key[6];
        words[11] = x11 + key[7];
        words[12] = x12 + counter;
        words[13] = x13 + nonce0;
        words[14] = x14 + nonce1;
        words[15] = x15 + nonce2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuarterRound(ref uint a, ref uint b, ref uint c, ref uint d)
    {
        a += b;
        d = BitOperations.RotateLeft(d ^ a, 16);
        c += d;
        b = BitOperations.RotateLeft(b ^ c, 12);
        a += b;
        d = BitOperations.RotateLeft(d ^ a, 8);
        c += d;
        b = BitOperations.RotateLeft(b ^ c, 7);
    }
}
