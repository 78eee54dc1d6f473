using System.Text;

namespace Ukl.Tool.Qemu;

/// <summary>
/// The kernel's command line, in Linux's manner: key=value words, then "--" and the program's arguments. A name in capitals is an environment
/// variable of the program. Double quotes group, a backslash takes the next character as it is. Source of truth: Linux
/// Documentation/admin-guide/kernel-parameters.rst; the reader is the kernel's own (Kernel/Boot).
/// </summary>
public sealed class KernelCommandLine
{
    private readonly List<string> words = [];

    private readonly List<string> arguments = [];

    /// <summary>Adds a key with a value, or a bare key.</summary>
    public KernelCommandLine Add(string key, string? value = null)
    {
        words.Add(value is null ? key : $"{key}={Quote(value)}");
        return this;
    }

    /// <summary>Adds an environment variable of the program.</summary>
    /// <param name="assignment">NAME=VALUE.</param>
    /// <exception cref="ToolException">It is none, or its name is not in capitals.</exception>
    public KernelCommandLine AddEnvironment(string assignment)
    {
        string[] parts = assignment.Split('=', 2);
        if (parts.Length != 2 || parts[0].Length == 0)
            throw new ToolException($"'{assignment}' is no environment variable; write NAME=VALUE.");
        if (!parts[0].All(character => character is (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_') || char.IsAsciiDigit(parts[0][0]))
            throw new ToolException($"The environment variable '{parts[0]}' cannot be passed: names are made of capitals, digits and '_'.");
        return Add(parts[0], parts[1]);
    }

    /// <summary>Adds the program's arguments.</summary>
    public KernelCommandLine AddArguments(IEnumerable<string> values)
    {
        arguments.AddRange(values);
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', arguments.Count == 0 ? words : [.. words, "--", .. arguments.Select(Quote)]);

    private static string Quote(string value)
    {
        if (value.Length > 0 && !value.AsSpan().ContainsAny(" \t\n\"\\"))
            return value;
        StringBuilder quoted = new("\"");
        foreach (char character in value)
        {
            if (character is '"' or '\\')
                quoted.Append('\\');
            quoted.Append(character);
        }
        return quoted.Append('"').ToString();
    }
}
