namespace Ukl.Tool.Testing;

/// <summary>One test that passed or failed.</summary>
/// <param name="Suite">What it belongs to, a row of the final table.</param>
/// <param name="Name">Its name within the suite.</param>
/// <param name="Failure">Why it failed; null when it passed.</param>
public sealed record TestResult(string Suite, string Name, string? Failure)
{
    /// <summary>Whether it passed.</summary>
    public bool HasPassed => Failure is null;
}
