using System.Globalization;

namespace Ukl.Tool.Qemu;

/// <summary>How a guest ended.</summary>
public enum GuestEnd
{
    /// <summary>QEMU ended without a word from the guest.</summary>
    Unknown,

    /// <summary>The program ended by itself.</summary>
    Exited,

    /// <summary>A signal ended the program.</summary>
    Killed,

    /// <summary>The kernel found itself broken, or could not start.</summary>
    Panicked,
}

/// <summary>
/// What the guest wrote to the status port, one line each: "exit N" (0 to 255), "signal N" and "panic REASON".
/// </summary>
/// <param name="End">How it ended.</param>
/// <param name="Value">The exit code or the signal's number.</param>
/// <param name="Reason">Why the kernel stopped, in its own words; empty when it did not, or did not say.</param>
public sealed record GuestStatus(GuestEnd End, int Value, string Reason = "")
{
    /// <summary>
    /// The exit code that a shell would report for the same end of a process; that of the tool's own failures when the kernel stopped before the program
    /// ended.
    /// </summary>
    public int ExitCode => End switch
    {
        GuestEnd.Exited => Value,
        GuestEnd.Killed => 128 + Value,
        _ => ToolException.ExitCode,
    };

    /// <summary>Reads the status file's lines; the last verdict counts, unknown lines are skipped.</summary>
    public static GuestStatus Parse(IEnumerable<string> lines)
    {
        GuestEnd end = GuestEnd.Unknown;
        int value = 0;
        string reason = "";
        foreach (string line in lines)
            switch (line.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                case ["exit", var text] when int.TryParse(text, CultureInfo.InvariantCulture, out int code) && code is >= 0 and <= 255:
                    (end, value) = (GuestEnd.Exited, code);
                    break;
                case ["signal", var text] when int.TryParse(text, CultureInfo.InvariantCulture, out int signal) && signal is > 0 and <= 64:
                    (end, value) = (GuestEnd.Killed, signal);
                    break;
                case ["panic", .. var words]:
                    (end, value, reason) = (GuestEnd.Panicked, 0, string.Join(' ', words));
                    break;
            }
        return new GuestStatus(end, value, end == GuestEnd.Panicked ? reason : "");
    }
}
