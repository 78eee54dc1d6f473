using System.Net;
using System.Net.Sockets;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Testing;

/// <summary>
/// What a test does on this machine with a guest that runs: the guest's published ports, and a port of this machine for the guest to connect to. The work
/// that uses it fails by any exception.
/// </summary>
public sealed class GuestPeer
{
    /// <summary>This machine's address as the guest sees it, in QEMU's own network.</summary>
    public const string HostAddress = "10.0.2.2";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<int, int> ports;

    /// <summary>Chooses free ports of this machine.</summary>
    /// <param name="guestPorts">The guest's ports.</param>
    public GuestPeer(IEnumerable<int> guestPorts)
    {
        ports = guestPorts.ToDictionary(port => port, _ => FreePort());
        HostPort = FreePort();
    }

    /// <summary>A port of this machine that is free, for servers that the guest connects to.</summary>
    public int HostPort { get; }

    /// <summary>The values of --publish.</summary>
    public IReadOnlyList<string> Published => [.. ports.Select(pair => $"{pair.Value}:{pair.Key}")];

    /// <summary>Where a TCP port of the guest is reached.</summary>
    public IPEndPoint At(int guestPort) => new(IPAddress.Loopback, ports[guestPort]);

    /// <summary>Where the guest's web server is reached.</summary>
    public Uri Url(int guestPort, string path = "", string scheme = "http") => new($"{scheme}://localhost:{ports[guestPort]}/{path}");

    /// <summary>A connection to the guest.</summary>
    public async Task<Socket> Connect(int guestPort)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(At(guestPort));
        return socket;
    }

    /// <summary>QEMU's monitor; null unless the test asked for it.</summary>
    public QemuMonitor? Monitor { private get; init; }

    /// <summary>Presses the machine's power button.</summary>
    public Task PressPowerButton() => Monitor?.Execute("system_powerdown") ?? throw new InvalidOperationException("The test has no monitor.");

    /// <summary>Tries something until it succeeds: a port of the guest is open here from the start, whether or not the guest listens.</summary>
    /// <param name="work">What is tried; must give up by itself.</param>
    /// <param name="limit">When the last failure is the result.</param>
    public static async Task<T> Eventually<T>(Func<Task<T>> work, TimeSpan limit)
    {
        DateTime end = DateTime.UtcNow + limit;
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException or OperationCanceledException && DateTime.UtcNow < end)
            {
                await Task.Delay(Pause);
            }
        }
    }

    /// <summary>Fails the test unless something holds.</summary>
    /// <param name="isTrue">Whether it holds.</param>
    /// <param name="otherwise">What is wrong then.</param>
    public static void Check(bool isTrue, string otherwise)
    {
        if (!isTrue)
            throw new InvalidOperationException(otherwise);
    }

    /// <summary>Fails the test unless two values are the same.</summary>
    public static void Equal<T>(T expected, T actual, string what) =>
        Check(EqualityComparer<T>.Default.Equals(expected, actual), $"{what} is '{actual}', expected '{expected}'");

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
