using System.CommandLine;
using Ukl.Tool;
using Ukl.Tool.Commands;
using Ukl.Tool.Shell;

// What follows the first "--" belongs to the program in the guest and is not parsed here.
int separator = Array.IndexOf(args, "--");
string[] own = separator < 0 ? args : args[..separator];
string[] programArguments = separator < 0 ? [] : args[(separator + 1)..];

RootCommand root = new("UKL: a .NET program and its kernel in one image")
{
    RunCommand.Create(programArguments),
    BuildCommand.Create(),
    TestCommand.Create(),
    CleanCommand.Create(),
    BuildCommand.CreateLink(),
};

ParseResult parsed = root.Parse(own);
if (parsed.Errors.Count > 0)
{
    new Reporter().Fail(new ToolException($"{string.Join(" ", parsed.Errors.Select(error => error.Message))} Try ./ukl --help."));
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
