// A page of the tour: standard input, output and error.

namespace Ukl.Tour.Pages;

internal sealed class InputPage : Page
{
    public override string Name => "input";

    public override string About => "standard input, output and error";

    public override void Visit(Guide guide)
    {
        guide.Check(Console.OutputEncoding.GetPreamble().Length == 0, "the console writes UTF-8 without a mark");
        Console.WriteLine("  → ünïcödé ✓");
        using (Stream output = Console.OpenStandardOutput())
            output.Write("  written past the console class\n"u8);
        Console.Error.Write("");
        TextWriter before = Console.Out;
        StringWriter captured = new();
        Console.SetOut(captured);
        Console.Write("{0:X}", 255);
        Console.SetOut(before);
        guide.Equal("FF", captured.ToString(), "output is redirected within the program");

        if (!Console.IsInputRedirected)
        {
            guide.Check(Console.WindowWidth >= 0 && Console.WindowHeight >= 0, "a terminal");
            return;
        }
        int lines = 0;
        while (Console.In.ReadLine() is not null)
            lines++;
        guide.Check(lines >= 0, "standard input is read to its end");
        guide.Equal(-1, Console.In.Read(), "and stays there");
    }
}
