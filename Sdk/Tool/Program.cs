using System.CommandLine;
using Spectre.Console;
using Ukl.Tool;
using Ukl.Tool.Commands;
using Ukl.Tool.Shell;

const int TableWidth = 140;

// What follows the first "--" belongs to the program in the guest and is not parsed here.
int separator = Array.IndexOf(args, "--");
string[] own = separator < 0 ? args : args[..separator];
string[] programArguments = separator < 0 ? [] : args[(separator + 1)..];

RootCommand root = new("UKL: a .NET program and its kernel in one image")
{
    RunCommand.Create(programArguments),
    BuildCommand.Create(),
    TestCommand.Create(),
    BenchCommand.Create(),
    CleanCommand.Create(),
    BuildCommand.CreateLink(),
};

// A table in a file or a pipe has no terminal to fit into.
if (Console.IsOutputRedirected)
    AnsiConsole.Profile.Width = TableWidth;

ParseResult parsed = root.Parse(own.Length == 0 ? ["--help"] : own);
if (parsed.Errors.Count > 0)
{
    string what = parsed.Errors.Select(error => error.Message).OrderBy(message => message.StartsWith("Required", StringComparison.Ordinal)).First();
    string help = parsed.CommandResult.Command == root ? "./ukl --help" : $"./ukl {parsed.CommandResult.Command.Name} --help";
    new Reporter().Fail(new ToolException($"{what} Try {help}."));
    return ToolException.ExitCode;
}

try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception failure) when (FailureSentence.For(failure) is { } sentence)
{
    new Reporter().Fail(sentence);
    return ToolException.ExitCode;
}
