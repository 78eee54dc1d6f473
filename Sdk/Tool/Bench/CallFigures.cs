using System.Globalization;

namespace Ukl.Tool.Bench;

/// <summary>Reads the lines "NAME TICKS" that Tests/Bench/calls.c prints.</summary>
public static class CallFigures
{
    /// <summary>The figures by operation, in the order printed; other lines are skipped.</summary>
    public static Dictionary<string, long> Parse(string output)
    {
        Dictionary<string, long> figures = [];
        foreach (string line in output.Split('\n', StringSplitOptions.TrimEntries))
            if (line.Split(' ') is [var name, var text]
                && name.All(character => char.IsAsciiLetterOrDigit(character) || character == '-')
                && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value))
                figures[name] = value;
        return figures;
    }
}
