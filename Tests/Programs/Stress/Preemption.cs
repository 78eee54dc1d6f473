using System.Diagnostics;

namespace Ukl.Tests.Stress;

/// <summary>How often threads that never wait make way for each other: what the load runs under.</summary>
internal static class Preemption
{
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(500);

    /// <summary>Lets threads compute side by side for half a second. Returns how often one of them was interrupted for another, a second.</summary>
    public static long Measure(int threads)
    {
        long preemptions = 0;
        // The first use of what it calls has its threads yield to each other, which counts too: not within the measured time.
        _ = Count();
        Stopwatch watch = Stopwatch.StartNew();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            for (uint state = 1; watch.Elapsed < s_time && state != 0;)
                state = Compute(state);
            Interlocked.Add(ref preemptions, Count());
        }))];
        Array.ForEach(all, thread => thread.Start());
        Array.ForEach(all, thread => thread.Join());
        return (long)(preemptions / watch.Elapsed.TotalSeconds);
    }

    /// <summary>A step of the xorshift generator, a thousand times; never 0 unless it began so.</summary>
    private static uint Compute(uint state)
    {
        for (int i = 0; i < 1000; i++)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
        }
        return state;
    }

    /// <summary>How often the calling thread has had to make way although it wanted to go on (proc(5), status).</summary>
    private static long Count()
    {
        const string Field = "nonvoluntary_ctxt_switches:";
        string line = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith(Field, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(Field.Length));
    }
}
