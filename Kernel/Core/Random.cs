using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Core;

/// <summary>
/// The kernel's source of random numbers. Never blocks: seeds itself on first use from the processor's generator and from how long things take, and asks the machine's random number device for more. A machine
/// without a generator whose instructions all take the same time (QEMU's -icount without RDRAND) gives the same numbers at every boot.
/// </summary>
public static unsafe class Random
{
    private const int ProcessorSamples = 8;

    /// <summary>Time stamps taken when the processor has a generator, and when jitter is all there is (at well under a bit each).</summary>
    private const int SupportingJitterSamples = 32;
    private const int SoleJitterSamples = 1024;
    private const int ReseedJitterSamples = 4;

    /// <summary>Reseed after about 1 MiB.</summary>
    private const uint ReseedBatches = 2048;

    private static RandomGenerator s_generator;
    private static SpinLock s_lock;
    private static bool s_isSeeded;

    /// <summary>Fills memory with random bytes. May be called in any context.</summary>
    public static void Fill(byte* to, nuint count)
    {
        s_lock.Acquire();
        SeedWhenDue();
        s_generator.Fill(to, count);
        s_lock.Release();
    }

    /// <summary>A random number. May be called in any context.</summary>
    public static ulong NextUInt64()
    {
        ulong value;
        Fill((byte*)&value, sizeof(ulong));
        return value;
    }

    /// <summary>Mixes bytes from elsewhere into the state: a random number device, or a write to /dev/random. Predictable ones do no harm.</summary>
    public static void AddEntropy(byte* from, nuint count)
    {
        s_lock.Acquire();
        SeedWhenDue();
        ulong word = 0;
        for (nuint i = 0; i < count; i++)
        {
            word = (word << 8) | from[i];
            if ((i & 7) == 7 || i == count - 1)
                s_generator.Mix(word);
        }
        s_lock.Release();
    }

    private static void SeedWhenDue()
    {
        if (s_isSeeded && s_generator.BatchesSinceMix < ReseedBatches)
            return;
        bool hasProcessorNumber = false;
        for (int i = 0; i < ProcessorSamples; i++)
        {
            if (!Cpu.TryReadRandom(out ulong value))
                continue;
            hasProcessorNumber = true;
            s_generator.Mix(value);
        }
        // Mixing is the work whose duration the next time stamp shows.
        int samples = s_isSeeded ? ReseedJitterSamples : hasProcessorNumber ? SupportingJitterSamples : SoleJitterSamples;
        for (int i = 0; i < samples; i++)
            s_generator.Mix(Cpu.ReadTimestamp());
        s_isSeeded = true;
        if (Devices.EntropySource.Request != null)
            Devices.EntropySource.Request(Devices.EntropySource.Context);
    }
}
