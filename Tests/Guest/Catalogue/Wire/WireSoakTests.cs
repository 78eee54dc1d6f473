using System.Security.Cryptography;
using Ukl.Tool.Bench;
using Ukl.Tool.Network;
using Ukl.Tool.Shell;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Wire;

/// <summary>Servers of ours under the tools that people use, for a minute each, without a single error.</summary>
public sealed class WireSoakTests : WireCatalogue
{
    private const int Seconds = 60, HttpPort = 80, RedisPort = 6379;
    private const string HttpSockets = "Tests/Bench/HttpSockets", WebServer = "Apps/WebServer", KeyValue = "Apps/KeyValue";

    private static readonly TimeSpan CurlLimit = TimeSpan.FromMinutes(5);

    private static readonly string Site = $"http://{NetworkRig.Guest}";

    /// <inheritdoc/>
    public override IEnumerable<WireTest> Tests =>
    [
        .. ((int[])[1, 50, 500]).Select(connections => Http($"soak/sockets, wrk {connections}", HttpSockets, session => Wrk(session, connections))),
        .. ((int[])[1, 50, 500]).Select(connections => Http($"soak/web server, wrk {connections}", WebServer, session => Wrk(session, connections))),
        Http("soak/web server, curl", WebServer, Curl),
        .. from clients in (int[])[1, 50] from pipeline in (int[])[1, 16] select KeyValues(clients, pipeline),
    ];

    private static WireTest Http(string name, string program, Action<WireSession> run) => new(name, run) { Program = program, ReadyPort = HttpPort, Ends = false };

    private static WireTest KeyValues(int clients, int pipeline) => new($"soak/key value, -c {clients} -P {pipeline}", session =>
    {
        // It counts requests, not seconds: the next run is as long as the last one says that the rest of the time is.
        LoadResult last = LoadGenerators.Redis(session.Rig, RedisPort, clients, pipeline, Seconds, earlier: null);
        Repeat(session, left => last = LoadGenerators.Redis(session.Rig, RedisPort, clients, pipeline, left, last));
    })
    {
        Program = KeyValue,
        ReadyPort = RedisPort,
        Ends = false,
    };

    private static void Wrk(WireSession session, int connections)
    {
        LoadResult result = LoadGenerators.Wrk(session.Rig, $"{Site}/", connections, Seconds);
        WireSession.Require(result.Errors == 0 && result.Requests > 0, $"{result.Errors} errors in {result.Requests} requests");
        StillRuns(session);
    }

    private static void Curl(WireSession session)
    {
        const int Size = 64 << 20;
        string file = Path.GetTempFileName();
        try
        {
            byte[] content = new byte[Size];
            new WireStream(4).Fill(content);
            File.WriteAllBytes(file, content);
            string hash = Convert.ToHexStringLower(SHA256.HashData(content));
            Repeat(session, _ =>
            {
                // Two requests on one connection.
                Require(session, "Hello from ASP.NET Core\nHello from ASP.NET Core\n", $"{Site}/", $"{Site}/");
                foreach (string[] how in (string[][])[[], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]])
                    Require(session, hash, [.. how, "--data-binary", $"@{file}", $"{Site}/upload"]);
                foreach (string query in (string[])["", "?chunked=true"])
                    Require(session, $"{Size}", "-o", "/dev/null", "-w", "%{size_download}", $"{Site}/download/{Size}{query}");
                Require(session, "404", "-o", "/dev/null", "-w", "%{http_code}", $"{Site}/nothing");
            });
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Does something, which is told the seconds that are left, until the time is over.</summary>
    private static void Repeat(WireSession session, Action<int> work)
    {
        TimeSpan end = session.Guest.Started.Elapsed + TimeSpan.FromSeconds(Seconds);
        for (TimeSpan left; (left = end - session.Guest.Started.Elapsed) > TimeSpan.Zero;)
        {
            work((int)Math.Ceiling(left.TotalSeconds));
            StillRuns(session);
        }
    }

    private static void Require(WireSession session, string expected, params string[] arguments)
    {
        CommandResult result = session.Rig.Run("curl", ["-sS", "--http1.1", "--max-time", "200", .. arguments], CurlLimit);
        WireSession.Require(
            result.ExitCode == 0 && result.Output.Contains(expected, StringComparison.Ordinal),
            $"curl {string.Join(' ', arguments)} ended with exit code {result.ExitCode}: {result.Lines.FirstOrDefault()}");
    }

    private static void StillRuns(WireSession session) => WireSession.Require(!session.Guest.HasEnded, "the guest ended");
}
