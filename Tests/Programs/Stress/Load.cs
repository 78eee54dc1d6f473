using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Ukl.Tests.Stress;

/// <summary>What the threads do until the time is over: each step picks a kind of work, does a piece of it and verifies the result.</summary>
internal sealed class Load
{
    private static readonly string[] s_names = ["allocations", "exceptions", "tasks", "parallel loops", "vectors", "floating point", "locks", "strings"];
    private readonly long[] _done = new long[s_names.Length];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly TimeSpan _time;
    private readonly Timer[] _timers;
    private readonly Lock _gate = new();
    private long _ticks, _underLock, _countedByAll;
    private string? _failure;

    /// <summary>Starts timers that tick all the time.</summary>
    public Load(TimeSpan time)
    {
        _time = time;
        _timers = [.. Enumerable.Range(0, 16).Select(i => new Timer(_ => Interlocked.Increment(ref _ticks), null, i, 1 + (i % 5)))];
    }

    /// <summary>The first wrong result, or null.</summary>
    public string? Failure => _failure;

    /// <summary>Keeps the first failure.</summary>
    public void Fail(string what) => Interlocked.CompareExchange(ref _failure, what, null);

    /// <summary>Works until the time is over or something failed.</summary>
    public void Run(int thread)
    {
        Random random = new(thread);
        List<byte[]> kept = [];
        try
        {
            for (int step = 0; _watch.Elapsed < _time && _failure is null; step++)
            {
                int kind = step < s_names.Length ? step : random.Next(s_names.Length);
                switch (kind)
                {
                    case 0: Allocate(random, kept); break;
                    case 1: Throw(random.Next(30)); break;
                    case 2: RunTasks(random.Next(1, 20)); break;
                    case 3: Loop(random.Next(1, 2000)); break;
                    case 4: Vectors(random); break;
                    case 5: FloatingPoint(random.Next(1, 1000)); break;
                    case 6: CountUnderLock(); break;
                    default: Strings(random.Next(1, 200)); break;
                }
                Interlocked.Increment(ref _done[kind]);
            }
        }
        catch (Exception exception)
        {
            Fail($"thread {thread}: {exception}");
        }
    }

    /// <summary>Ends the timers; after this none may tick.</summary>
    public void StopTimers()
    {
        foreach (Timer timer in _timers)
        {
            using ManualResetEvent gone = new(false);
            if (timer.Dispose(gone) && !gone.WaitOne(30_000))
                Fail("a timer is not gone after 30 s");
        }
        long ticks = Volatile.Read(ref _ticks);
        Thread.Sleep(50);
        Check(ticks == Volatile.Read(ref _ticks) && ticks > 0, "timers tick, and not after they are gone");
        Check(_underLock == _countedByAll, "as often as all threads together");
    }

    /// <summary>Prints the counts and the result line.</summary>
    public void Report(int threads)
    {
        for (int i = 0; i < s_names.Length; i++)
            Console.WriteLine($"{s_names[i]} {_done[i]}");
        Console.WriteLine($"timer ticks {_ticks}");
        Console.WriteLine($"collections {GC.CollectionCount(0)} {GC.CollectionCount(1)} {GC.CollectionCount(2)}");
        Console.WriteLine(_failure ?? $"ok after {_time.TotalSeconds} s with {threads} threads");
    }

    private void Check(bool condition, string what)
    {
        if (!condition)
            Fail($"wrong: {what}");
    }

    /// <summary>Fills arrays of all sizes, keeps some for a while, and looks whether the kept ones are whole.</summary>
    private void Allocate(Random random, List<byte[]> kept)
    {
        for (int i = 0; i < 50; i++)
        {
            int length = random.Next(100) == 0 ? 100_000 : random.Next(1, 2000);
            byte[] block = new byte[length];
            Check(block.AsSpan().IndexOfAnyExcept((byte)0) < 0, "a new array is all zero");
            block.AsSpan().Fill((byte)length);
            kept.Add(block);
            if (kept.Count <= 100)
                continue;
            int at = random.Next(kept.Count);
            byte[] old = kept[at];
            Check(old.AsSpan().IndexOfAnyExcept((byte)old.Length) < 0, "an array that was kept is whole");
            kept[at] = kept[^1];
            kept.RemoveAt(kept.Count - 1);
        }
    }

    private void Throw(int depth)
    {
        int unwound = 0;
        for (int i = 0; i < 5; i++)
        {
            try
            {
                Descend(depth, i % 2 == 0 ? null : "text", ref unwound);
                Fail("wrong: nothing thrown");
            }
            catch (NullReferenceException) when (i % 2 == 0)
            {
            }
            catch (FormatException exception) when (exception.Message == "text")
            {
            }
        }
        Check(unwound == 5 * (depth + 1), "every finally block ran once");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Descend(int depth, string? text, ref int unwound)
    {
        try
        {
            if (depth > 0)
                return Descend(depth - 1, text, ref unwound) + 1;
            return text!.Length == 4 ? throw new FormatException(text) : 0;
        }
        finally
        {
            unwound++;
        }
    }

    private void RunTasks(int count)
    {
        Task<int>[] tasks = [.. Enumerable.Range(0, count).Select(i => Task.Run(async () =>
        {
            if (i % 3 == 0)
                await Task.Yield();
            if (i % 7 == 0)
                await Task.Delay(1);
            return i * i;
        }))];
        Task.WaitAll(tasks);
        Check(tasks.Sum(task => task.Result) == (count - 1) * count * ((2 * count) - 1) / 6, "tasks give the sum of squares");
    }

    private void Loop(int count)
    {
        long sum = 0;
        Parallel.For(0, count, () => 0L, (i, _, local) => local + i, local => Interlocked.Add(ref sum, local));
        Check(sum == (long)count * (count - 1) / 2, "a parallel loop gives the sum");
    }

    /// <summary>Keeps many vector registers live over a computation that takes long enough to be interrupted.</summary>
    private void Vectors(Random random)
    {
        Vector256<ulong> seed = Vector256.Create((ulong)random.NextInt64(), 1, 2, 3) | Vector256<ulong>.One;
        Vector256<ulong> a = seed, b = seed + Vector256<ulong>.One, c = seed << 1, d = ~seed;
        Vector256<ulong> a2 = a, b2 = b, c2 = c, d2 = d;
        for (int i = 0; i < 20_000; i++)
        {
            (a, b, c, d) = (b ^ (a << 3), c + (b >> 2), d ^ c, a - d);
            (a2, b2, c2, d2) = (b2 ^ (a2 << 3), c2 + (b2 >> 2), d2 ^ c2, a2 - d2);
        }
        Check(a == a2 && b == b2 && c == c2 && d == d2, "the same computation in two sets of vector registers");
    }

    /// <summary>A series whose sum is known, twice, with other work between.</summary>
    private void FloatingPoint(int terms)
    {
        double forward = 0, product = 1;
        for (int i = 1; i <= terms; i++)
        {
            forward += 1.0 / (i * (i + 1.0));
            product *= 1 + (1.0 / i);
        }
        Check(Math.Abs(forward - (terms / (terms + 1.0))) < 1e-12, "a telescoping sum");
        Check(Math.Abs(product - (terms + 1)) < 1e-9 * terms, "a telescoping product");
        double angle = terms * 0.01;
        Check(Math.Abs((Math.Sin(angle) * Math.Sin(angle)) + (Math.Cos(angle) * Math.Cos(angle)) - 1) < 1e-14, "sine and cosine");
        Check((decimal)terms / 7 * 7 - terms is < 1e-20m and > -1e-20m, "a decimal division");
    }

    private void CountUnderLock()
    {
        for (int i = 0; i < 100; i++)
        {
            lock (_gate)
            {
                long before = _underLock;
                if (i % 50 == 0)
                    Thread.Yield();
                _underLock = before + 1;
            }
            Interlocked.Increment(ref _countedByAll);
        }
    }

    private void Strings(int count)
    {
        StringBuilder builder = new();
        Dictionary<string, int> words = [];
        for (int i = 0; i < count; i++)
        {
            builder.Append(i).Append(' ');
            words[$"w{i}"] = i;
        }
        string[] parts = builder.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Check(parts.Length == count && parts.Select(int.Parse).SequenceEqual(Enumerable.Range(0, count)), "numbers as text and back");
        Check(words.Count == count && words[$"w{count / 2}"] == count / 2, "a dictionary of strings");
    }
}
