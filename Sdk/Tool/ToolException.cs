namespace Ukl.Tool;

/// <summary>Something the user can act on: shown as one sentence on standard error, without a stack trace.</summary>
/// <param name="message">The sentence.</param>
/// <param name="details">Lines shown below it, such as compiler errors; may be empty.</param>
public sealed class ToolException(string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    /// <summary>The exit code of a failure of UKL itself, chosen above what programs commonly return.</summary>
    public const int ExitCode = 125;

    /// <summary>Lines shown below the sentence.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];
}
