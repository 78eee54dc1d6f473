using Ukl.Tool.Qemu;

namespace Ukl.Tool.Testing;

/// <summary>Judges a guest run by what its test expects.</summary>
public static class GuestVerdict
{
    private const string Passed = "ok ";

    private const string NotPassed = "not ok ";

    /// <summary>The lines "ok NAME" and "not ok NAME: why" of an output: name, and why it failed or null.</summary>
    public static IReadOnlyList<(string Name, string? Failure)> Checks(string output)
    {
        List<(string, string?)> checks = [];
        foreach (string line in output.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith(Passed, StringComparison.Ordinal))
                checks.Add((line[Passed.Length..], null));
            else if (line.StartsWith(NotPassed, StringComparison.Ordinal))
            {
                string[] parts = line[NotPassed.Length..].Split(": ", 2);
                checks.Add((parts[0], parts.Length == 2 ? parts[1] : "failed"));
            }
        }
        return checks;
    }

    /// <summary>Why the run as a whole failed, or null.</summary>
    /// <param name="test">What was expected.</param>
    /// <param name="run">What happened.</param>
    /// <param name="linux">Output and exit code of the same program on Linux, when the test compares with it.</param>
    public static string? Failure(GuestTest test, GuestRun run, (string Output, int ExitCode)? linux)
    {
        if (run.ClientFailure is { } client)
            return client;
        if (run.TimedOut)
            return $"did not end within {test.Limit.TotalSeconds:0} s";
        if (run.Status.End == GuestEnd.Unknown)
            return "the guest ended without reporting a status";
        if (test.Panics != (run.Status.End == GuestEnd.Panicked))
            return test.Panics ? $"ended with exit code {run.Status.ExitCode} in place of a panic" : $"the kernel stopped: {run.Status.Reason}";
        int expected = linux?.ExitCode ?? test.ExitCode;
        if (!test.Panics && run.Status.ExitCode != expected)
            return $"exit code {run.Status.ExitCode}, expected {expected}";
        if (linux is { } reference && Difference(test, run.Output, reference.Output) is { } difference)
            return difference;
        if (!run.Status.Reason.Contains(test.Reason, StringComparison.Ordinal))
            return $"the kernel stopped for another reason: {run.Status.Reason}";
        int position = 0;
        foreach (string text in test.Contains)
        {
            int found = run.Output.IndexOf(text, position, StringComparison.Ordinal);
            if (found < 0)
                return $"the output lacks '{text}'";
            position = found + text.Length;
        }
        if (test.HasChecks && Checks(run.Output).Count == 0)
            return "printed no check";
        return test.Verify?.Invoke(run.Output);
    }

    /// <summary>How the guest differs from Linux. Of a program of checks only those count that both ran: each may skip what its surroundings do not offer.</summary>
    private static string? Difference(GuestTest test, string guest, string linux)
    {
        if (!test.HasChecks)
            return FirstDifference(Lines(guest, test.AnyOrder), Lines(linux, test.AnyOrder));
        Dictionary<string, string?> ours = Checks(guest).DistinctBy(check => check.Name).ToDictionary(check => check.Name, check => check.Failure);
        foreach ((string name, string? failure) in Checks(linux))
            if (ours.TryGetValue(name, out string? mine) && mine is null != failure is null)
                return $"{name} {(mine is null ? "passed" : "failed")}, on Linux it {(failure is null ? "passed" : "failed")}";
        return null;
    }

    private static string[] Lines(string output, bool isSorted)
    {
        string[] lines = output.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        if (isSorted)
            Array.Sort(lines, StringComparer.Ordinal);
        return lines;
    }

    private static string? FirstDifference(string[] guest, string[] linux)
    {
        for (int line = 0; line < Math.Max(guest.Length, linux.Length); line++)
        {
            string ours = line < guest.Length ? guest[line] : "(end)", theirs = line < linux.Length ? linux[line] : "(end)";
            if (ours != theirs)
                return $"line {line + 1} is '{ours}', on Linux '{theirs}'";
        }
        return null;
    }
}
