// A page of the tour: clocks, timers, sleeping.

using System.Diagnostics;

namespace Ukl.Tour.Pages;

internal sealed class TimersPage : Page
{
    public override string Name => "timers";

    public override string About => "clocks, timers, sleeping";

    public override void Visit(Guide guide)
    {
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(30);
        TimeSpan slept = Stopwatch.GetElapsedTime(start);
        guide.Check(slept >= TimeSpan.FromMilliseconds(29) && slept < TimeSpan.FromSeconds(5), "a sleep lasts as long as asked");
        guide.Check(DateTime.UtcNow.Year >= 2025, "the date is plausible");
        long before = Environment.TickCount64;
        DateTime now = DateTime.UtcNow;
        Thread.Sleep(20);
        guide.Check(Environment.TickCount64 - before >= 10 && DateTime.UtcNow > now, "both clocks go on");

        int ticks = 0;
        using (ManualResetEventSlim enough = new())
        using (new Timer(_ => { if (Interlocked.Increment(ref ticks) == 5) enough.Set(); }, null, 5, 5))
            guide.Check(enough.Wait(10_000), "a timer ticks five times");

        bool disposedTicks = false;
        Timer stopped = new(_ => disposedTicks = true, null, 50, Timeout.Infinite);
        stopped.Dispose();
        Thread.Sleep(80);
        guide.Check(!disposedTicks, "a timer that was disposed does not");

        guide.Equal(3, CountPeriods(3).GetAwaiter().GetResult(), "a periodic timer is awaited");
        int many = 0;
        Timer[] timers = [.. Enumerable.Range(0, 200).Select(i => new Timer(_ => Interlocked.Increment(ref many), null, i % 50, Timeout.Infinite))];
        guide.Check(SpinWait.SpinUntil(() => Volatile.Read(ref many) == 200, 10_000), "two hundred timers fire");
        Array.ForEach(timers, timer => timer.Dispose());
    }

    private static async Task<int> CountPeriods(int count)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(5));
        int seen = 0;
        while (seen < count && await timer.WaitForNextTickAsync())
            seen++;
        return seen;
    }
}
