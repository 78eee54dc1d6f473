using System.Globalization;
using System.Net;

namespace KeyValue;

/// <summary>What the server is told by its arguments.</summary>
internal sealed record Settings
{
    /// <summary>How to call the program.</summary>
    public const string Usage =
        """
        KeyValue [--port N] [--bind ADDRESS] [--maxmemory BYTES] [--maxclients N] [--maxvalue BYTES]

        A server of keys and values in memory that speaks the Redis protocol. Numbers of bytes may end in k, m or g.
          --port        where it listens; 6379
          --bind        the address that it listens on; all
          --maxmemory   the most that keys and values may take; half of the machine's memory
          --maxclients  the most connections at a time; 10000
          --maxvalue    the largest key or value; a quarter of maxmemory, at most 512m
        """;

    private const long LargestValue = 512L << 20;

    /// <summary>Where it listens.</summary>
    public int Port { get; private init; } = 6379;

    /// <summary>The address that it listens on; null for all.</summary>
    public IPAddress? Address { get; private init; }

    /// <summary>The most bytes of keys and values.</summary>
    public long MaxMemory { get; private init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

    /// <summary>The most connections at a time.</summary>
    public int MaxClients { get; private init; } = 10_000;

    /// <summary>The most bytes in a key or value.</summary>
    public int MaxValue { get; private init; }

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="FormatException">They are wrong; the message is a sentence.</exception>
    public static Settings Parse(string[] arguments)
    {
        Settings settings = new();
        for (int index = 0; index < arguments.Length; index += 2)
        {
            string name = arguments[index];
            string value = index + 1 < arguments.Length ? arguments[index + 1] : throw new FormatException($"{name} needs a value.");
            settings = name switch
            {
                "--port" => settings with { Port = (int)Number(name, value, 1, ushort.MaxValue) },
                "--bind" => settings with { Address = IPAddress.TryParse(value, out IPAddress? address) ? address : throw new FormatException($"'{value}' is no address.") },
                "--maxmemory" => settings with { MaxMemory = Number(name, value, 1 << 16, long.MaxValue) },
                "--maxclients" => settings with { MaxClients = (int)Number(name, value, 1, 1_000_000) },
                "--maxvalue" => settings with { MaxValue = (int)Number(name, value, 1, LargestValue) },
                _ => throw new FormatException($"There is no option {name}."),
            };
        }
        return settings.MaxValue > 0 ? settings : settings with { MaxValue = (int)Math.Min(settings.MaxMemory / 4, LargestValue) };
    }

    private static long Number(string name, string text, long least, long most)
    {
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= most >> shift && value << shift >= least
            ? value << shift
            : throw new FormatException($"{name} needs a number from {least} to {most}, not '{text}'.");
    }
}
