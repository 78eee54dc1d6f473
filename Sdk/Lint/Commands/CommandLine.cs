using System.CommandLine;

namespace Ukl.Lint.Commands;

/// <summary>The commands of this tool.</summary>
public static class CommandLine
{
    /// <summary>Makes the parser.</summary>
    public static RootCommand Create() =>
        new("Reads machine code that ilc made: checks the kernel's discipline, makes the symbols that a panic prints and the compatibility page.")
        {
            CheckCommands.Kernel(),
            CheckCommands.Joint(),
            SymbolsCommand.Create(),
            PageCommand.Create(), CallsCommand.Create(),
        };
}
