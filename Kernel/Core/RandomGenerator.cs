// Fast key erasure: the first bytes of every batch become the next key and each byte is wiped as it is handed out, so nobody who sees the state can tell what
// came before. Source: D. J. Bernstein, "Fast-key-erasure random-number generators" (2017).
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Core;

/// <summary>A generator of random bytes with all its state; one per processor is possible. Starts as all zero and is worthless until seeded by <see cref="Mix"/>.</summary>
public unsafe struct RandomGenerator
{
    private const int BlockCount = 8;
    private const int BatchSize = BlockCount * ChaCha20.BlockSize;

    private KeyArray _key;
    private BatchArray _batch;

    /// <summary>Bytes of the batch not handed out yet; they are the last ones.</summary>
    private int _available;

    /// <summary>Batches made since the last <see cref="Mix"/>.</summary>
    public uint BatchesSinceMix { readonly get; private set; }

    private uint* Key => (uint*)Unsafe.AsPointer(ref _key);

    private byte* Batch => (byte*)Unsafe.AsPointer(ref _batch);

    /// <summary>Mixes 64 bits into the state. What is predictable among them does no harm.</summary>
    public void Mix(ulong value)
    {
        Key[0] ^= (uint)value;
        Key[1] ^= (uint)(value >> 32);
        // One block is enough to spread it over a whole new key.
        ChaCha20.Block(Key, 0, 0, 0, 0, Batch);
        for (int i = 0; i < ChaCha20.KeySize / sizeof(uint); i++)
            Key[i] = ((uint*)Batch)[i];
        Wipe(Batch, BatchSize);
        _available = 0;
        BatchesSinceMix = 0;
    }

    /// <summary>Hands out random bytes.</summary>
    public void Fill(byte* to, nuint count)
    {
        while (count != 0)
        {
            if (_available == 0)
                MakeBatch();
            int length = count < (nuint)_available ? (int)count : _available;
            byte* from = Batch + BatchSize - _available;
            Unsafe.CopyBlockUnaligned(to, from, (uint)length);
            Wipe(from, length);
            _available -= length;
            to += length;
            count -= (nuint)length;
        }
    }

    private void MakeBatch()
    {
        for (uint block = 0; block < BlockCount; block++)
            ChaCha20.Block(Key, block, 0, 0, 0, Batch + block * ChaCha20.BlockSize);
        for (int i = 0; i < ChaCha20.KeySize / sizeof(uint); i++)
            Key[i] = ((uint*)Batch)[i];
        Wipe(Batch, ChaCha20.KeySize);
        _available = BatchSize - ChaCha20.KeySize;
        BatchesSinceMix++;
    }

    private static void Wipe(byte* from, int length) => Unsafe.InitBlockUnaligned(from, 0, (uint)length);

    [InlineArray(ChaCha20.KeySize / sizeof(uint))]
    private struct KeyArray
    {
        private uint _first;
    }

    [InlineArray(BatchSize)]
    private struct BatchArray
    {
        private byte _first;
    }
}
