// A page of the tour: tasks, awaiting, cancellation, asynchronous streams.

using System.Runtime.CompilerServices;

namespace Ukl.Tour.Pages;

internal sealed class AsyncPage : Page
{
    public override string Name => "async";

    public override string About => "tasks, awaiting, cancellation, asynchronous streams";

    public override void Visit(Guide guide) => VisitAsync(guide).GetAwaiter().GetResult();

    private static async Task VisitAsync(Guide guide)
    {
        guide.Equal(6765, await Fibonacci(20), "a recursion over thousands of awaits");
        int[] results = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            await Task.Delay(i % 10);
            return i * i;
        }));
        guide.Equal(328_350, results.Sum(), "a hundred delays at once");
        Task first = await Task.WhenAny(Task.Delay(10_000), Task.Delay(5));
        guide.Check(first.IsCompletedSuccessfully, "the first to finish");

        using CancellationTokenSource soon = new(TimeSpan.FromMilliseconds(20));
        bool cancelled = false;
        try
        {
            await Task.Delay(Timeout.Infinite, soon.Token);
        }
        catch (OperationCanceledException)
        {
            cancelled = true;
        }
        guide.Check(cancelled, "an endless delay is cancelled");
        bool late = false;
        try
        {
            await new TaskCompletionSource().Task.WaitAsync(TimeSpan.FromMilliseconds(20));
        }
        catch (TimeoutException)
        {
            late = true;
        }
        guide.Check(late, "a wait times out");

        List<int> numbers = [];
        await foreach (int number in Count(10))
            numbers.Add(number);
        guide.Sequence(Enumerable.Range(0, 10), numbers, "an asynchronous stream");

        bool disposed = false;
        await using (new Closing(() => disposed = true))
            await Task.Yield();
        guide.Check(disposed, "an asynchronous dispose");

        string trace = "";
        try
        {
            await Outer();
        }
        catch (InvalidDataException exception)
        {
            trace = exception.StackTrace ?? "";
        }
        guide.Check(trace.Contains(nameof(Inner)) && trace.Contains(nameof(Outer)), "a stack trace through awaits");

        int active = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), async (_, token) =>
        {
            await Task.Delay(1, token);
            Interlocked.Increment(ref active);
        });
        guide.Equal(100, active, "a parallel asynchronous loop");
        ValueTask<int> ready = new(7);
        guide.Check(ready.IsCompleted && await ready == 7, "a value task that is ready");
    }

    private static async Task<int> Fibonacci(int n)
    {
        if (n < 2)
            return n;
        if (n % 5 == 0)
            await Task.Yield();
        return await Fibonacci(n - 1) + await Fibonacci(n - 2);
    }

    private static async IAsyncEnumerable<int> Count(int end)
    {
        for (int i = 0; i < end; i++)
        {
            await Task.Delay(1);
            yield return i;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task Outer() => await Inner();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task Inner()
    {
        await Task.Yield();
        throw new InvalidDataException();
    }

    private sealed class Closing(Action action) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Task.Yield();
            action();
        }
    }
}
