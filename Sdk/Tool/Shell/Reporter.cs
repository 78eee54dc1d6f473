using System.Diagnostics;
using Spectre.Console;

namespace Ukl.Tool.Shell;

/// <summary>
/// What the tool says about its own work. All of it goes to standard error, so that standard output is the program's alone.
/// A step that takes longer than a second is shown: as a spinner on a terminal, as plain lines elsewhere.
/// </summary>
public sealed class Reporter
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly IAnsiConsole errors = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    private readonly bool isInteractive = !Console.IsErrorRedirected;

    private bool isBusy;

    /// <summary>Prints one line.</summary>
    public void Say(string line) => Console.Error.WriteLine(line);

    /// <summary>Prints what went wrong.</summary>
    public void Fail(ToolException failure)
    {
        Say($"ukl: {failure.Message}");
        foreach (string detail in failure.Details)
            Say($"  {detail}");
    }

    /// <summary>Runs a step and shows that it runs.</summary>
    /// <param name="what">What is being done: "Compiling Hello".</param>
    /// <param name="work">The step.</param>
    public T Step<T>(string what, Func<T> work)
    {
        if (isBusy)
            return work();
        isBusy = true;
        Stopwatch watch = Stopwatch.StartNew();
        try
        {
            T result = isInteractive ? ShowSpinner(what, work) : ShowLine(what, work);
            if (watch.Elapsed > Patience)
                Say($"{what}: {watch.Elapsed.TotalSeconds:0.0} s");
            return result;
        }
        finally
        {
            isBusy = false;
        }
    }

    /// <summary>Runs a step and shows that it runs.</summary>
    public void Step(string what, Action work) => Step(what, () =>
    {
        work();
        return true;
    });

    private T ShowSpinner<T>(string what, Func<T> work) => errors.Status().Start($"{Markup.Escape(what)} …", _ => work());

    private T ShowLine<T>(string what, Func<T> work)
    {
        using Timer timer = new(_ => Say($"{what} …"), null, Patience, Timeout.InfiniteTimeSpan);
        return work();
    }
}
