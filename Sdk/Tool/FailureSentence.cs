namespace Ukl.Tool;

/// <summary>Finds the sentence for failures that come from the machine and not from the tool's own logic.</summary>
public static class FailureSentence
{
    /// <summary>errno ENOSPC as .NET puts it into HResult on Linux.</summary>
    private const int NoSpace = 28;

    /// <summary>The sentence, or null when the failure is a bug of the tool and deserves its stack trace.</summary>
    public static ToolException? For(Exception failure) => failure switch
    {
        ToolException known => known,
        AggregateException { InnerException: { } inner } => For(inner),
        IOException { HResult: NoSpace } => new ToolException("The disk is full."),
        UnauthorizedAccessException or IOException => new ToolException(failure.Message),
        _ => null,
    };
}
