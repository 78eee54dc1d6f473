// A page of the tour: regular expressions, generated and interpreted.

using System.Text.RegularExpressions;

namespace Ukl.Tour.Pages;

internal sealed partial class RegexPage : Page
{
    public override string Name => "regex";

    public override string About => "regular expressions, generated and interpreted";

    [GeneratedRegex(@"(?<user>[\w.]+)@(?<host>[\w-]+(\.[\w-]+)+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Address { get; }

    public override void Visit(Guide guide)
    {
        Match match = Address.Match("write to some.one@mail.example.org today");
        guide.Equal("some.one at mail.example.org", $"{match.Groups["user"].Value} at {match.Groups["host"].Value}", "a generated expression matches");
        Regex interpreted = new(@"\b(\d{4})-(\d\d)-(\d\d)\b");
        guide.Equal("02.01.2026", interpreted.Replace("2026-01-02", "$3.$2.$1"), "an interpreted one replaces");
        guide.Equal("HELLO you", Regex.Replace("hello you", "^h.*?o", m => m.Value.ToUpperInvariant()), "with a function");
        guide.Sequence(["a", "b", "c"], Regex.Split("a, b;c", "[,;] ?"), "and splits");
        guide.Equal(3, Regex.Count("Aa bA", "a", RegexOptions.IgnoreCase), "ignoring case");
        guide.Check(Regex.IsMatch("Straße", @"^\p{L}+$"), "it knows letters of other languages");
        guide.Check(!new Regex("^(a+)+$", RegexOptions.NonBacktracking).IsMatch(new string('a', 5000) + "b"), "without backtracking it takes linear time");
        guide.Throws<RegexMatchTimeoutException>(
            () => new Regex("^(a+)+$", RegexOptions.None, TimeSpan.FromMilliseconds(50)).IsMatch(new string('a', 60) + "b"),
            "and with backtracking it stops at its time limit");
        guide.Throws<RegexParseException>(() => _ = new Regex("(unclosed"), "what is wrong is refused");
    }
}
