namespace Ukl.Tests.Guest;

/// <summary>Judgements of outputs that several subjects share.</summary>
internal static class Outputs
{
    /// <summary>What a terminal sends for Ctrl-C.</summary>
    public const string CtrlC = "\u0003";

    /// <summary>Why an output is not what it must be, to the letter; null when it is. The kernel's own lines about a program's end do not count.</summary>
    public static string? Equal(string output, string expected)
    {
        output = string.Concat(output.Split('\n').Where(line => !line.StartsWith("ukl: ", StringComparison.Ordinal)).Select(line => line + "\n"))[..^1];
        if (output == expected)
            return null;
        int same = output.AsSpan().CommonPrefixLength(expected);
        return $"after {same} right characters the output is '{Excerpt(output, same)}', expected '{Excerpt(expected, same)}'";
    }

    /// <summary>What the mode stdout-flush of Tests/Programs/Behaviors prints.</summary>
    public static string MuchOutput()
    {
        const int Least = 1 << 20;
        System.Text.StringBuilder text = new();
        for (int number = 0; text.Length < Least; number++)
            text.Append($"line {number:D6} of the output that must not be lost\n");
        return text.ToString();
    }

    private static string Excerpt(string text, int start) => text.Substring(start, Math.Min(60, text.Length - start)).ReplaceLineEndings("|");
}
