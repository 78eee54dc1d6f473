using System.Diagnostics;
using KeyValue.Storage;

namespace KeyValue.Commands;

/// <summary>The keys, and the figures that INFO shows. Whoever carries out requests holds <see cref="Gate"/>.</summary>
/// <param name="settings">The server's settings.</param>
internal sealed class Database(Settings settings)
{
    /// <summary>Held while requests are carried out; once per batch.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The server's settings.</summary>
    public Settings Settings { get; } = settings;

    /// <summary>The keys.</summary>
    public Store Store { get; } = new(settings.MaxMemory);

    /// <summary>When the server started.</summary>
    public long Started { get; } = Stopwatch.GetTimestamp();

    /// <summary>Requests carried out.</summary>
    public long Commands { get; set; }

    /// <summary>Keys that were read and were there.</summary>
    public long Hits { get; set; }

    /// <summary>Keys that were read and were not there.</summary>
    public long Misses { get; set; }

    /// <summary>Connections that are open.</summary>
    public int Clients { get; set; }

    /// <summary>Connections that were ever accepted.</summary>
    public long Connections { get; set; }

    /// <summary>Bytes in input buffers beyond what every connection has.</summary>
    public long InputBytes { get; set; }
}
