// Many threads allocate, throw, compute and wait at once for a given time, and verify every result:
//
//     Stress [SECONDS [THREADS]]     10 seconds and 64 threads unless told otherwise
//
// Prints how much was done of each kind and closes with `ok`, or with the first wrong result; the exit code is 0 only after `ok`.

using System.Diagnostics;

namespace Ukl.Tests.Stress;

internal static class Program
{
    private static int Main(string[] args)
    {
        int seconds = args.Length > 0 ? int.Parse(args[0]) : 10;
        int threads = args.Length > 1 ? int.Parse(args[1]) : 64;
        Stopwatch watch = Stopwatch.StartNew();
        Load load = new(TimeSpan.FromSeconds(seconds));
        Thread[] all = [.. Enumerable.Range(0, threads).Select(i => new Thread(() => load.Run(i)) { Name = $"stress {i}" })];
        Array.ForEach(all, thread => thread.Start());
        Array.ForEach(all, thread => thread.Join());
        load.StopTimers();
        if (watch.Elapsed < TimeSpan.FromSeconds(seconds))
            load.Fail("the time is over before it should be");
        load.Report(threads);
        return load.Failure is null ? 0 : 1;
    }
}
