// A page of the tour: parallel loops and sorting.

using System.Collections.Concurrent;

namespace Ukl.Tour.Pages;

internal sealed class ParallelPage : Page
{
    public override string Name => "parallel";

    public override string About => "parallel loops and sorting";

    public override void Visit(Guide guide)
    {
        long sum = 0;
        Parallel.For(0, 1_000_000, () => 0L, (i, _, local) => local + i, local => Interlocked.Add(ref sum, local));
        guide.Equal(499_999_500_000, sum, "a million numbers are summed by parts");

        ConcurrentBag<int> bag = [];
        Parallel.ForEach(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 8 }, bag.Add);
        guide.Check(bag.Order().SequenceEqual(Enumerable.Range(0, 1000)), "every element is visited once");

        int reached = 0;
        ParallelLoopResult result = Parallel.For(0, 100_000, (i, state) =>
        {
            Interlocked.Increment(ref reached);
            if (i == 10)
                state.Break();
        });
        guide.Check(!result.IsCompleted && result.LowestBreakIteration == 10 && reached >= 11, "a loop is left early");

        int done = 0;
        Parallel.Invoke([.. Enumerable.Repeat<Action>(() => Interlocked.Increment(ref done), 32)]);
        guide.Equal(32, done, "actions are invoked side by side");

        using CancellationTokenSource stop = new();
        guide.Throws<OperationCanceledException>(
            () => Parallel.For(0, int.MaxValue, new ParallelOptions { CancellationToken = stop.Token }, i =>
            {
                if (i == 5)
                    stop.Cancel();
            }),
            "a loop is cancelled");

        int[] numbers = [.. new Random(1).GetItems(Enumerable.Range(0, 100_000).ToArray(), 100_000)];
        guide.Check(numbers.AsParallel().Order().SequenceEqual(numbers.Order()), "a parallel sort agrees with a plain one");
    }
}
