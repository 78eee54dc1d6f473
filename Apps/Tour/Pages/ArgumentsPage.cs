// A page of the tour: the command line.

namespace Ukl.Tour.Pages;

internal sealed class ArgumentsPage : Page
{
    public override string Name => "arguments";

    public override string About => "the command line";

    public override void Visit(Guide guide)
    {
        string[] all = Environment.GetCommandLineArgs();
        guide.Check(all.Length >= 1 && all[0].Length > 0, "the first argument names the program");
        guide.Check(all.Skip(1).All(argument => !argument.Contains('\0')), "arguments end where they should");
        guide.Equal(0, Environment.ExitCode, "the exit code starts as zero");
    }
}
