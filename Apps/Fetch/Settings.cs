using System.Globalization;

namespace Fetch;

/// <summary>What the program is told by its arguments.</summary>
internal sealed record Settings
{
    /// <summary>How to call the program.</summary>
    public const string Usage =
        """
        Fetch [OPTIONS] URL...

        Downloads each URL and prints its status, its size, the SHA-256 of its bytes and the time it took.
          --ca FILE          trust the certificates in this PEM file, and no others
          --insecure         trust every certificate
          --output FILE      write the bytes to a file; with one URL only
          --upload FILE      send a file with PUT
          --header NAME:VALUE  send a header; may be repeated
          --timeout SECONDS  give up when one URL takes longer; 100
          --repeat N         fetch the list N times, over connections that are kept; 1
        The exit code is 0 when every answer was a success, 1 when one was not, 2 when a URL could not be fetched, 64 when the arguments are wrong.
        """;

    /// <summary>What to fetch.</summary>
    public IReadOnlyList<Uri> Urls { get; private init; } = [];

    /// <summary>The PEM file of the authorities to trust; null for the system's.</summary>
    public string? Authorities { get; private init; }

    /// <summary>Whether certificates are not checked.</summary>
    public bool IsInsecure { get; private init; }

    /// <summary>The file for the bytes, or null.</summary>
    public string? Output { get; private init; }

    /// <summary>The file to send, or null.</summary>
    public string? Upload { get; private init; }

    /// <summary>Headers to send.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; private init; } = [];

    /// <summary>The most time for one URL.</summary>
    public TimeSpan Timeout { get; private init; } = TimeSpan.FromSeconds(100);

    /// <summary>How often the list is fetched.</summary>
    public int Repeat { get; private init; } = 1;

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="FormatException">They are wrong; the message is a sentence.</exception>
    public static Settings Parse(string[] arguments)
    {
        Settings settings = new();
        for (int index = 0; index < arguments.Length; index++)
        {
            string name = arguments[index];
            string Value() => ++index < arguments.Length ? arguments[index] : throw new FormatException($"{name} needs a value.");
            settings = name switch
            {
                "--ca" => settings with { Authorities = Value() },
                "--insecure" => settings with { IsInsecure = true },
                "--output" => settings with { Output = Value() },
                "--upload" => settings with { Upload = Value() },
                "--header" => settings with { Headers = [.. settings.Headers, Header(Value())] },
                "--timeout" => settings with { Timeout = TimeSpan.FromSeconds(Number(name, Value())) },
                "--repeat" => settings with { Repeat = Number(name, Value()) },
                _ when name.StartsWith('-') => throw new FormatException($"There is no option {name}."),
                _ => settings with { Urls = [.. settings.Urls, Url(name)] },
            };
        }
        if (settings.Urls.Count == 0)
            throw new FormatException("No URL was given.");
        if (settings.Output is not null && settings.Urls.Count > 1)
            throw new FormatException("--output takes the bytes of one URL only.");
        return settings;
    }

    private static Uri Url(string text) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}", UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https"
            ? url
            : throw new FormatException($"'{text}' is no http or https URL.");

    private static (string, string) Header(string text) =>
        text.Split(':', 2) is [{ Length: > 0 } name, var value] ? (name.Trim(), value.Trim()) : throw new FormatException($"'{text}' is no header; write NAME:VALUE.");

    private static int Number(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value is > 0 and <= 1_000_000
            ? value
            : throw new FormatException($"{name} needs a number from 1 to 1000000, not '{text}'.");
}
