using System.CommandLine;

namespace Ukl.Tool.Commands;

/// <summary>Arguments that several commands share.</summary>
public static class CommonOptions
{
    /// <summary>The program.</summary>
    public static Argument<string> App() => new("APP") { Description = "A project folder (Apps/Hello), a static x86-64 Linux program, or a C file" };

    /// <summary>The specialization level.</summary>
    public static Option<string?> Level() => new("--level") { Description = "Level by name or number, in place of the project's SpecializationLevel" };
}
