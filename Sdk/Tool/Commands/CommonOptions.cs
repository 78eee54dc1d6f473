using System.CommandLine;
using System.Globalization;

namespace Ukl.Tool.Commands;

/// <summary>Arguments that several commands share.</summary>
public static class CommonOptions
{
    /// <summary>The program.</summary>
    public static Argument<string> App() => new("APP") { Description = "A project folder (Apps/Hello), a static x86-64 Linux program, or a C file" };

    /// <summary>An option whose value is a whole number.</summary>
    public static Option<int> Number(string name, string description, int byDefault) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => byDefault,
        CustomParser = result =>
        {
            string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value))
                result.AddError($"{name} needs a whole number, not '{text}'.");
            return value;
        },
    };

    /// <summary>The specialization level.</summary>
    public static Option<string?> Level() => new("--level") { Description = "Level by name or number, in place of the project's SpecializationLevel" };
}
