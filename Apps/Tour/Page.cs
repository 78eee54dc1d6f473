// What a page of the tour is, and the guide that checks and prints.

using System.Runtime.CompilerServices;

namespace Ukl.Tour;

/// <summary>One area of the base class library.</summary>
internal abstract class Page
{
    /// <summary>The name by which the page is asked for on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What the page shows, in a few words.</summary>
    public abstract string About { get; }

    /// <summary>Shows and checks; throws when something is not as it should be.</summary>
    public abstract void Visit(Guide guide);
}

/// <summary>Counts the checks of a page, prints what each was about, and throws at the first that does not hold.</summary>
internal sealed class Guide
{
    /// <summary>How many checks held.</summary>
    public int Held { get; private set; }

    /// <summary>The condition holds.</summary>
    public void Check(bool condition, string what, [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition)
            throw new CheckException($"{what}: {expression} does not hold");
        Held++;
        Console.WriteLine($"  {what}");
    }

    /// <summary>The value is the expected one.</summary>
    public void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new CheckException($"{what}: {actual} instead of {expected}");
        Held++;
        Console.WriteLine($"  {what}");
    }

    /// <summary>The two sequences have the same elements in the same order.</summary>
    public void Sequence<T>(IEnumerable<T> expected, IEnumerable<T> actual, string what) =>
        Equal(string.Join(", ", expected), string.Join(", ", actual), what);

    /// <summary>The action throws an exception of the type, which is returned.</summary>
    public T Throws<T>(Action action, string what)
        where T : Exception
    {
        try
        {
            action();
        }
        catch (T exception)
        {
            Held++;
            Console.WriteLine($"  {what}");
            return exception;
        }
        throw new CheckException($"{what}: no {typeof(T).Name}");
    }
}

/// <summary>A check of the tour that did not hold.</summary>
internal sealed class CheckException(string message) : Exception(message);
