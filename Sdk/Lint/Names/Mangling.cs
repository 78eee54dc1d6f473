// How ilc makes linker symbols of managed names: assembly, namespace and type with every other character than letters and digits as '_', "__", the method,
// and a number for what would otherwise be the same. Source: observed from objects of ilc 10.0.12; checked by Tests/Lint.
using System.Text;

namespace Ukl.Lint.Names;

/// <summary>The forward direction, which loses information; <see cref="Demangler"/> goes back with the help of metadata.</summary>
internal static class Mangling
{
    /// <summary>Replaces what a symbol cannot hold.</summary>
    public static string Sanitize(string name)
    {
        var text = new StringBuilder(name.Length + 1);
        foreach (char c in name)
        {
            if (text.Length == 0 && char.IsAsciiDigit(c))
                text.Append('_');
            text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }
        return text.ToString();
    }

    /// <summary>The part of a symbol that stands for an assembly.</summary>
    public static string Assembly(string name) =>
        Sanitize(name.StartsWith("System.Private.", System.StringComparison.Ordinal) ? "S.P." + name["System.Private.".Length..] : name);

    /// <summary>The symbol without type arguments, which stand between angle brackets.</summary>
    public static string WithoutArguments(string symbol)
    {
        if (!symbol.Contains('<'))
            return symbol;
        var text = new StringBuilder(symbol.Length);
        int depth = 0;
        foreach (char c in symbol)
        {
            if (c == '<')
                depth++;
            else if (c == '>')
                depth--;
            else if (depth == 0)
                text.Append(c);
        }
        return text.ToString();
    }
}
