namespace Ukl.Tool.Network;

/// <summary>How bad a wire is, in each direction.</summary>
public sealed record WireQuality
{
    /// <summary>The part of the frames that never arrive.</summary>
    public double Loss { get; init; }

    /// <summary>The part of the frames that arrive after later ones.</summary>
    public double Reorder { get; init; }

    /// <summary>The part of the frames that arrive twice.</summary>
    public double Duplicate { get; init; }

    /// <summary>The part of the IP packets in which a bit is wrong.</summary>
    public double Corrupt { get; init; }

    /// <summary>The time that every frame takes.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>What decides which frames fare badly.</summary>
    public int Seed { get; init; } = 1;
}
