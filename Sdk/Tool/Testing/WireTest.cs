using System.Reflection;
using Ukl.Tool.Network;

namespace Ukl.Tool.Testing;

/// <summary>A server in a guest and what this machine's Linux must see of it over a tap device. The tests are listed in Tests/Guest/Catalogue.</summary>
/// <param name="Name">Subject and case: "wire/loss 1 %".</param>
/// <param name="Run">Plays the client; throws a <see cref="ToolException"/> that says what was wrong.</param>
public sealed record WireTest(string Name, Action<WireSession> Run)
{
    /// <summary>The server, as for ukl run, relative to the tree's root.</summary>
    public string Program { get; init; } = "Tests/Wire/server.c";

    /// <summary>The server's arguments.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The port that is open when the server is ready.</summary>
    public int ReadyPort { get; init; } = WirePort.Echo;

    /// <summary>A bad wire in place of the tap device itself; null for none.</summary>
    public WireQuality? Wire { get; init; }

    /// <summary>Memory in MiB.</summary>
    public int Memory { get; init; } = 256;

    /// <summary>Whether the server must end with code 0 when it is asked to.</summary>
    public bool Ends { get; init; } = true;
}

/// <summary>A subject of tests on the wire. Every class in Tests/Guest/Catalogue that derives from this is found by itself.</summary>
public abstract class WireCatalogue
{
    /// <summary>The subject's tests.</summary>
    public abstract IEnumerable<WireTest> Tests { get; }

    /// <summary>All tests of all subjects, by name.</summary>
    public static IReadOnlyList<WireTest> All() =>
    [
        .. Assembly.GetExecutingAssembly().GetTypes()
            .Where(type => !type.IsAbstract && type.IsSubclassOf(typeof(WireCatalogue)))
            .SelectMany(type => ((WireCatalogue)Activator.CreateInstance(type)!).Tests)
            .OrderBy(test => test.Name, StringComparer.Ordinal),
    ];
}

/// <summary>The services of Tests/Wire/server.c, which describes them.</summary>
public static class WirePort
{
    /// <summary>Every byte comes back.</summary>
    public const int Echo = 7;

    /// <summary>Tells at the end how many bytes came.</summary>
    public const int Discard = 9;

    /// <summary>Tells at the end how many bytes came, and their SHA-256.</summary>
    public const int Digest = 10;

    /// <summary>Says "bye" and closes first.</summary>
    public const int Farewell = 13;

    /// <summary>Gives as many bytes of a <see cref="WireStream"/> as it is asked for.</summary>
    public const int Source = 19;

    /// <summary>Gives as many zeros as it is asked for.</summary>
    public const int Zeros = 20;

    /// <summary>Waits, with keepalive.</summary>
    public const int Keepalive = 21;

    /// <summary>Ends the program.</summary>
    public const int End = 99;
}
