using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>How a .NET program can behave and end, at every level: Tests/Programs/Behaviors, which tells each mode and its status on Linux.</summary>
public sealed class BehaviorTests : GuestCatalogue
{
    private const string Program = "Tests/Programs/Behaviors";
    private const int Aborted = 128 + 6, Faulted = 128 + 11, Interrupted = 128 + 2, Terminated = 128 + 15;

    private static readonly TimeSpan PressPause = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository)
    {
        GuestTest[] modes =
        [
            Mode("exit0", 0, Exactly("")),
            Mode("exit3", 3, Exactly("")),
            Mode("exit255", 255, Exactly("")),
            Mode("exit-call", 7, Exactly("leaving\nexit handler\n")),
            Mode("throw", Aborted, "Unhandled exception. System.InvalidOperationException: thrown by the test", "   at "),
            Mode("throw-thread", Aborted, "Unhandled exception. System.InvalidOperationException: thrown by the test", "   at "),
            Mode("failfast", Aborted, "Process terminated. failed by the test", "   at "),
            Mode("nullderef", 0, Exactly("caught NullReferenceException\n")),
            Mode("nullderef-unhandled", Aborted, "Unhandled exception. System.NullReferenceException: "),
            Mode("wildwrite", Aborted, "Process terminated. Access Violation: Attempted to read or write protected memory."),
            Mode("stackoverflow", Faulted, Exactly("")),
            Mode("stackoverflow-thread", Faulted, Exactly("")),
            Mode("outofmemory", 0, Exactly("caught OutOfMemoryException\nwent on\n")) with { Machine = new() { Memory = 96 } },
            Hang("deadlock", "deadlocked\n"),
            Hang("hang", "spinning\n"),
            Mode("stdout-flush", 5, Exactly(Outputs.MuchOutput())),
            Mode("stdin-echo", 0, Exactly("one\ntwo words\n\nlast\n4 lines\n")) with { Input = "one\ntwo words\n\nlast\n" },
            Mode("background-thread", 4, Exactly("main ended\n")),
            Mode("foreground-thread", 6, Exactly("main ended\nforeground thread ended\n")),
            Mode("cancel-key", 9, Exactly("interrupted, going on\n")),
            Button("terminate", Terminated, "", presses: 1),
            Button("terminate-handled", 12, "asked to end, going on\nasked to end\nexit handler\n", presses: 2),
        ];
        string list = string.Concat(modes.Select(mode => $"{mode.Arguments[0]} {(mode.Input == Outputs.CtrlC || mode.HasMonitor ? "hang" : mode.ExitCode)}\n"));
        IEnumerable<GuestTest> otherMachine = modes.Where(mode => mode.HasMonitor).Select(mode => mode with { Name = $"{mode.Name}-pc", Machine = new() { Type = "pc" } });
        return [.. modes, .. otherMachine, new GuestTest("behaviors/list", Program) { Arguments = ["--list"], Verify = Exactly(list) }];
    }

    private static GuestTest Mode(string name, int status, params string[] contains) =>
        new($"behaviors/{name}", Program) { Arguments = [name], KernelWords = ["leakcheck"], ExitCode = status, Contains = contains, Limit = TimeSpan.FromSeconds(30) };

    private static GuestTest Mode(string name, int status, Func<string, string?> verify) => Mode(name, status) with { Verify = verify };

    /// <summary>A mode that only Ctrl-C ends.</summary>
    private static GuestTest Hang(string name, string output) =>
        Mode(name, Interrupted, Exactly(output)) with { Input = Outputs.CtrlC, InputAfter = output };

    /// <summary>A mode that the machine's power button ends, pressed slowly enough that no press falls into one with another.</summary>
    private static GuestTest Button(string name, int status, string output, int presses) =>
        Mode(name, status, Exactly("waiting\n" + output)) with
        {
            InputAfter = "waiting\n",
            HasMonitor = true,
            Client = async peer =>
            {
                for (int press = 0; press < presses; press++)
                {
                    await peer.PressPowerButton();
                    await Task.Delay(PressPause);
                }
            },
        };

    private static Func<string, string?> Exactly(string expected) => output => Outputs.Equal(output, expected);
}
