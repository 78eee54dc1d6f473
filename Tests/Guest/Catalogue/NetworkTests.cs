using System.Security.Cryptography;
using Ukl.Tests.Guest.Clients;
using Ukl.Tool;
using Ukl.Tool.Bench;
using Ukl.Tool.Build;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest;

/// <summary>The programs for the network, with this machine as their client or server, over QEMU's own network.</summary>
public sealed class NetworkTests : GuestCatalogue
{
    private const string WebServer = "Apps/WebServer", SecureWebServer = "Apps/SecureWebServer", KeyValue = "Apps/KeyValue", Fetch = "Apps/Fetch";

    private const string Certificates = "Tests/Guest/Certificates";

    private const string Host = $"{GuestPeer.HostAddress}:{{port}}";

    private const int BodySize = 5_000_000;

    private static readonly byte[] Body = [.. Enumerable.Range(0, BodySize).Select(index => (byte)(index * 13 / 5))];

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <inheritdoc/>
    public override IEnumerable<GuestTest> Tests(Repository repository)
    {
        string certificates = repository.At(Certificates.Split('/'));
        return
        [
            Web("answers", repository, client => client.GreetOften()),
            Web("notes", repository, client => client.KeepNotes()),
            Web("files", repository, client => client.ReadFiles()),
            Web("transfers", repository, client => client.Transfer()),
            Web("events", repository, client => client.FollowEvents()),
            Web("websocket", repository, client => client.TalkByWebSocket()),
            Web("rubbish", repository, client => client.SendRubbish()),
            Web("https", repository, async client =>
            {
                await client.GreetSecurely();
                await client.Transfer("https", BodySize);
            }) with
            {
                Program = SecureWebServer,
                Arguments =
                [
                    "--Kestrel:Endpoints:Https:Url=https://*:443", "--Kestrel:Endpoints:Https:Certificate:Path=/app/server.pem",
                    "--Kestrel:Endpoints:Https:Certificate:KeyPath=/app/server.key",
                ],
                Files = [Certificate("server.pem"), Certificate("server.key")],
                Ports = [WebServerClient.Port, WebServerClient.SecurePort],
                Contains = ["Now listening on: http://[::]:80", "Now listening on: https://[::]:443", "Application is shutting down"],
            },
            Web("microvm", repository, client => client.Transfer()) with { Machine = new() { Type = "microvm" } },
            Web("capture", repository, _ => Task.CompletedTask) with { VerifyCapture = capture => PacketCapture.Problem(capture, WebServerClient.Port, "GET / HTTP/1.1\r\n"u8) },
            Keys("commands", client => client.UseCommands()),
            Keys("expiry", client => client.LetKeysExpire()),
            Keys("pieces", client => client.SendPieces()),
            Keys("pipeline", client => client.Pipeline()),
            Keys("rubbish", client => client.SendRubbish()),
            Keys("connections", client => client.UseManyConnections()),
            // An unmodified Linux server, at level 0.
            Keys("redis-server", async client =>
            {
                await client.LetKeysExpire();
                await client.SendPieces();
                await client.UseManyConnections();
            }) with
            {
                Program = "redis-server",
                Provide = (tree, reporter) => new RedisServer(tree, reporter).Get(),
                Arguments = ["--save", "", "--appendonly", "no", "--protected-mode", "no"],
                InputAfter = "Ready to accept connections",
                Contains = ["Received SIGINT scheduling shutdown", "bye bye"],
            },
            Get("http", ["http://" + Host + "/a", "http://" + Host + "/chunked", "http://" + Host + "/b"], certificates: null),
            Get("https", ["https://" + Host + "/a", "https://" + Host + "/chunked", "--ca", "/app/authority.pem"], certificates),
            new("fetch/missing", Fetch)
            {
                Arguments = ["http://" + Host + "/missing"],
                Files = [Certificate("authority.pem")],
                Client = peer => new FetchServer(peer.HostPort, Body, certificates: null).Serve(1),
                ExitCode = 1,
                Contains = ["404 Not Found"],
            },
            new("fetch/refused", Fetch)
            {
                Arguments = ["http://" + Host + "/"],
                Files = [Certificate("authority.pem")],
                Client = _ => Task.CompletedTask,
                ExitCode = 2,
                Contains = ["Connection refused"],
            },
            // A card behind which there is nobody: the program starts all the same, and lo works.
            new("fetch/no-dhcp-server", Fetch)
            {
                Arguments = ["http://127.0.0.1:9/"],
                Files = [Certificate("authority.pem")],
                Machine = new() { Extra = ["-netdev", "hubport,id=net,hubid=0", "-device", "virtio-net-pci,romfile=,netdev=net"] },
                ExitCode = 2,
                Contains = ["no DHCP server has answered", "Connection refused"],
            },
            new("fetch/no-network", Fetch)
            {
                Arguments = ["http://192.0.2.1/"],
                Files = [Certificate("authority.pem")],
                ExitCode = 2,
                Contains = ["Network unreachable"],
            },
        ];
    }

    private static GuestTest Web(string name, Repository repository, Func<WebServerClient, Task> work) => new($"webserver/{name}", WebServer)
    {
        Ports = [WebServerClient.Port],
        Client = async peer =>
        {
            using WebServerClient client = new(peer, repository.At([.. Certificates.Split('/'), "authority.pem"]));
            await client.Greet();
            await work(client);
        },
        InputAfter = "Application started",
        Input = Outputs.CtrlC,
        Contains = ["Now listening on: http://[::]:80", "Application is shutting down"],
        Limit = Limit,
    };

    private static GuestTest Keys(string name, Func<KeyValueClient, Task> work) => new($"keyvalue/{name}", KeyValue)
    {
        Ports = [KeyValueClient.Port],
        Client = async peer =>
        {
            KeyValueClient client = new(peer);
            await client.Greet();
            await work(client);
        },
        InputAfter = "KeyValue listens on",
        Input = Outputs.CtrlC,
        Limit = Limit,
    };

    private static GuestTest Get(string name, string[] arguments, string? certificates) => new($"fetch/{name}", Fetch)
    {
        Arguments = arguments,
        Files = [Certificate("authority.pem")],
        Client = peer => new FetchServer(peer.HostPort, Body, certificates).Serve(arguments.Count(argument => argument.Contains("://", StringComparison.Ordinal))),
        Contains = [.. arguments.Where(argument => argument.Contains("://", StringComparison.Ordinal)).Select(_ => $"SHA-256 {Convert.ToHexStringLower(SHA256.HashData(Body))}")],
        Limit = Limit,
    };

    private static GuestFile Certificate(string name) => new($"{Certificates}/{name}", $"/app/{name}");
}
