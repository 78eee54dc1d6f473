using System.Globalization;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Qemu;

/// <summary>Turns the addresses of a panic into methods, files and lines, from the image's DWARF. Source of truth: addr2line(1).</summary>
public static class Backtrace
{
    /// <summary>One line per frame, inlined methods included.</summary>
    /// <param name="symbols">The image with its DWARF.</param>
    /// <param name="frames">The address that faulted, then the return addresses.</param>
    public static IReadOnlyList<string> Symbolize(string symbols, IReadOnlyList<ulong> frames)
    {
        // A return address is behind its call, which may be the next line's; one byte less is inside the call.
        IEnumerable<string> addresses = frames.Select((frame, index) => (index == 0 ? frame : frame - 1).ToString("x", CultureInfo.InvariantCulture));
        CommandResult result = CommandRunner.Run("addr2line", ["--exe", symbols, "--functions", "--demangle", "--inlines", "--pretty-print", .. addresses]);
        return result.ExitCode == 0 ? [.. result.Lines.Select(line => $"at {line}")] : [];
    }
}
