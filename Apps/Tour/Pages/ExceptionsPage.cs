// A page of the tour: throwing, catching, filters, null references, stack traces.

using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Ukl.Tour.Pages;

internal sealed class ExceptionsPage : Page
{
    private sealed class Node
    {
        public Node? Next = null;
        public int Value;
    }

    [InlineArray(4096)]
    private struct Block
    {
        private byte _first;
    }

    public override string Name => "exceptions";

    public override string About => "throwing, catching, filters, null references, stack traces";

    public override void Visit(Guide guide)
    {
        NullReferenceException nothing = guide.Throws<NullReferenceException>(() => Read(new Node()), "a null reference is caught");
        guide.Check(nothing.StackTrace!.Contains(nameof(Read)), "and its stack trace names the method");
        guide.Throws<NullReferenceException>(() => Write(null!), "a write through null is caught");
        guide.Throws<IndexOutOfRangeException>(() => _ = (new int[3])[Environment.ProcessorCount + 3], "an index out of range");
        guide.Throws<InvalidCastException>(() => _ = (string)(object)guide, "a wrong cast");
        guide.Throws<OutOfMemoryException>(() => Allocate(Array.MaxLength), "an array larger than any memory");

        List<string> order = [];
        try
        {
            try
            {
                order.Add("try");
                throw new InvalidOperationException("first");
            }
            finally
            {
                order.Add("finally");
            }
        }
        catch (InvalidOperationException exception) when (Note(order, "filter") && exception.Message == "first")
        {
            order.Add("catch");
        }
        guide.Sequence(["try", "filter", "finally", "catch"], order, "filters run before inner finally blocks");

        AggregateException many = guide.Throws<AggregateException>(
            () => Task.WaitAll([.. Enumerable.Range(0, 3).Select(i => Task.Run(() => { throw new ArgumentException($"task {i}"); }))]),
            "exceptions of tasks are gathered");
        guide.Equal(3, many.InnerExceptions.Count, "all of them");

        Exception? fromThread = null;
        Thread thread = new(() =>
        {
            try
            {
                Deep(200);
            }
            catch (TimeoutException exception)
            {
                fromThread = exception;
            }
        });
        thread.Start();
        thread.Join();
        guide.Equal(201, fromThread!.StackTrace!.Split('\n').Count(line => line.Contains(nameof(Deep))), "a stack trace two hundred calls deep");

        Exception rethrown = guide.Throws<TimeoutException>(() => ExceptionDispatchInfo.Throw(fromThread), "an exception is thrown again elsewhere");
        guide.Check(rethrown.StackTrace!.Contains(nameof(Deep)), "and keeps where it came from");

        int caught = 0;
        for (int i = 0; i < 10_000; i++)
        {
            try
            {
                if (i % 2 == 0)
                    Write(null!);
                else
                    throw new InvalidOperationException();
            }
            catch (Exception exception) when (exception is NullReferenceException or InvalidOperationException)
            {
                caught++;
            }
        }
        guide.Equal(10_000, caught, "ten thousand in a row");
    }

    private static bool Note(List<string> order, string word)
    {
        order.Add(word);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static object Allocate(int length) => new Block[length];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Read(Node node) => node.Next!.Value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Write(Node node) => node.Value = 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Deep(int depth) => depth == 0 ? throw new TimeoutException("at the bottom") : Deep(depth - 1) + 1;
}
