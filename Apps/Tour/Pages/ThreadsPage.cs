// A page of the tour: threads, locks, events, thread-local values, the pool.

namespace Ukl.Tour.Pages;

internal sealed class ThreadsPage : Page
{
    [ThreadStatic]
    private static int t_own;

    public override string Name => "threads";

    public override string About => "threads, locks, events, thread-local values, the pool";

    public override void Visit(Guide guide)
    {
        int shared = 0, uncounted = 0;
        Lock gate = new();
        Thread[] threads = [.. Enumerable.Range(0, 16).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 5000; i++)
            {
                lock (gate)
                    shared++;
                Interlocked.Increment(ref uncounted);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        guide.Equal(80_000, shared, "sixteen threads count under a lock");
        guide.Equal(80_000, uncounted, "and with interlocked operations");

        t_own = 5;
        int seen = -1;
        Thread other = new(() => seen = t_own) { Name = "other", IsBackground = true };
        other.Start();
        other.Join();
        guide.Check(seen == 0 && t_own == 5, "a thread-static field is per thread");
        ThreadLocal<int> local = new(() => Environment.CurrentManagedThreadId);
        guide.Equal(Environment.CurrentManagedThreadId, local.Value, "a thread-local value is made on first use");
        AsyncLocal<string> flowing = new() { Value = "flows" };
        guide.Equal("flows", Task.Run(() => flowing.Value).Result, "an async-local value flows into tasks");

        int turn = 0;
        object monitor = new();
        Thread pong = new(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                lock (monitor)
                {
                    while (turn % 2 == 0)
                        Monitor.Wait(monitor);
                    turn++;
                    Monitor.PulseAll(monitor);
                }
            }
        });
        pong.Start();
        for (int i = 0; i < 500; i++)
        {
            lock (monitor)
            {
                while (turn % 2 == 1)
                    Monitor.Wait(monitor);
                turn++;
                Monitor.PulseAll(monitor);
            }
        }
        pong.Join();
        guide.Equal(1000, turn, "two threads take turns by a monitor");

        using ManualResetEventSlim started = new();
        using SemaphoreSlim few = new(3);
        int inside = 0, most = 0;
        Task[] tasks = [.. Enumerable.Range(0, 20).Select(_ => Task.Run(() =>
        {
            started.Wait();
            few.Wait();
            int now = Interlocked.Increment(ref inside);
            lock (gate)
                most = Math.Max(most, now);
            Thread.Sleep(2);
            Interlocked.Decrement(ref inside);
            few.Release();
        }))];
        started.Set();
        guide.Check(Task.WaitAll(tasks, 30_000) && most is >= 1 and <= 3, "a semaphore lets three in");

        using Barrier barrier = new(4);
        long sum = 0;
        Thread[] phases = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                Interlocked.Add(ref sum, i);
                barrier.SignalAndWait();
            }
        }))];
        Array.ForEach(phases, thread => thread.Start());
        Array.ForEach(phases, thread => thread.Join());
        guide.Check(sum == 4 * 1225 && barrier.CurrentPhaseNumber == 50, "a barrier keeps phases together");

        using AutoResetEvent never = new(false);
        guide.Check(!never.WaitOne(20), "a wait times out");
        using CountdownEvent countdown = new(100);
        for (int i = 0; i < 100; i++)
            ThreadPool.QueueUserWorkItem(_ => countdown.Signal());
        guide.Check(countdown.Wait(30_000), "a hundred items go through the pool");
        guide.Throws<SynchronizationLockException>(() => Monitor.Exit(new object()), "a lock not held cannot be left");
    }
}
