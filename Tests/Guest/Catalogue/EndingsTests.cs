using Ukl.Tool;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>The ways a C program can end, at every level: Tests/Conformance/Endings/endings.c, which tells each mode and its status on Linux.</summary>
public sealed class EndingsTests : GuestCatalogue
{
    private const string Program = "Tests/Conformance/Endings/endings.c";
    private const int Aborted = 128 + 6, Faulted = 128 + 11, Interrupted = 128 + 2;

    /// <summary>Mode, status, and what it prints; null: only Ctrl-C ends it, after that is printed.</summary>
    private static readonly (string Mode, int? Status, string Output)[] Modes =
    [
        ("exit-0", 0, ""),
        ("exit-3", 3, ""),
        ("exit-255", 255, ""),
        ("exit-256", 0, ""),
        ("exit-handlers", 4, "no newline at the end, at exit\n"),
        ("exit-at-once", 5, ""),
        ("exit-with-threads", 6, ""),
        ("thread-exits", 7, ""),
        ("main-thread-leaves", 8, ""),
        ("last-thread-leaves", 0, ""),
        ("much-output", 9, MuchOutput()),
        ("abort", Aborted, ""),
        ("segv", Faulted, ""),
        ("blocked-segv", Faulted, ""),
        ("ignored-segv", Faulted, ""),
        ("segv-in-handler", Faulted, ""),
        ("thread-faults", Faulted, ""),
        ("stack-overflow", Faulted, ""),
        ("handler-without-stack", Faulted, ""),
        ("undefined-instruction", 128 + 4, ""),
        ("breakpoint", 128 + 5, ""),
        ("divide-by-zero", 128 + 8, ""),
        ("terminated", 128 + 15, ""),
        ("killed", 128 + 9, ""),
        ("interrupted", Interrupted, ""),
        ("alarmed", 128 + 14, ""),
        ("broken-pipe", 128 + 13, ""),
        ("all-wait", null, "waiting\n"),
        ("spin", null, "spinning\n"),
    ];

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository) =>
        Modes.Select(Test).Append(new GuestTest("endings/list", Program)
        {
            Arguments = ["--list"],
            Verify = output => Outputs.Equal(output, string.Concat(Modes.Select(mode => $"{mode.Mode} {mode.Status?.ToString() ?? "hang"}\n"))),
        });

    private static GuestTest Test((string Mode, int? Status, string Output) mode) => new($"endings/{mode.Mode}", Program)
    {
        Arguments = [mode.Mode],
        KernelWords = ["leakcheck"],
        ExitCode = mode.Status ?? Interrupted,
        Input = mode.Status is null ? Outputs.CtrlC : "",
        InputAfter = mode.Status is null ? mode.Output : "",
        Limit = TimeSpan.FromSeconds(30),
        Verify = output => Outputs.Equal(output, mode.Output),
    };

    private static string MuchOutput() =>
        string.Concat(Enumerable.Range(0, 20_000).Select(number => $"line {number:D5} of the output that must not be lost at the end\n"));
}
