using System.Net;
using System.Net.Sockets;
using Ukl.Tool.Network;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Wire;

/// <summary>What travels beside TCP over IPv4: datagrams, fragments, IPv6, echo requests.</summary>
public sealed class WireProtocolTests : WireCatalogue
{
    private static readonly int[] Sizes = [0, 1, 2, 100, 1400, 1472, 1473, 1480, 2000, 4000, 8000, 20_000, 65_000];

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public override IEnumerable<WireTest> Tests =>
    [
        new("wire/datagrams and fragments", session => Datagrams(session, NetworkRig.Guest)),
        new("wire/datagrams and fragments over IPv6", session => Datagrams(session, NetworkRig.Guest6)),
        new("wire/datagrams, software checksums", session => Datagrams(session, NetworkRig.Guest)) { Wire = new() },
        new("wire/IPv6", OverIpv6),
        new("wire/ping", Ping),
        new("wire/closed port", ClosedPort),
    ];

    private static void Datagrams(WireSession session, IPAddress guest)
    {
        using Socket socket = NetworkNamespace.CreateSocket(session.Rig.Namespace, guest.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.ReceiveTimeout = (int)Limit.TotalMilliseconds;
        socket.Connect(new IPEndPoint(guest, WirePort.Echo));
        byte[] received = new byte[1 << 16];
        foreach (int size in Sizes)
        {
            byte[] sent = new byte[size];
            new WireStream((ulong)size + 1).Fill(sent);
            socket.Send(sent);
            int count = socket.Receive(received);
            WireSession.Require(count == size && sent.AsSpan().SequenceEqual(received.AsSpan(0, count)), $"a datagram of {size} bytes came back as another one of {count}");
        }
    }

    private static void OverIpv6(WireSession session)
    {
        using Socket socket = NetworkNamespace.CreateSocket(session.Rig.Namespace, AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        socket.ReceiveTimeout = socket.SendTimeout = (int)Limit.TotalMilliseconds;
        socket.Connect(new IPEndPoint(NetworkRig.Guest6, WirePort.Source));
        WireSession.Ask(socket, "50000000 9\n");
        WireSession.Verify(socket, 50_000_000, 9);
    }

    private static void Ping(WireSession session)
    {
        foreach ((IPAddress address, int size) in ((IPAddress, int)[])[(NetworkRig.Guest, 56), (NetworkRig.Guest, 4000), (NetworkRig.Guest6, 56), (NetworkRig.Guest6, 4000)])
        {
            string output = session.Rig.Run("ping", ["-c", "20", "-i", "0.05", "-W", "5", "-s", $"{size}", $"{address}"], Limit).Output;
            WireSession.Require(output.Contains("20 received, 0% packet loss", StringComparison.Ordinal), $"ping {address} with {size} bytes: {output.Split('\n').FirstOrDefault(line => line.Contains("received", StringComparison.Ordinal))}");
        }
    }

    private static void ClosedPort(WireSession session)
    {
        TimeSpan start = session.Guest.Started.Elapsed;
        try
        {
            using Socket socket = session.Connect(4711);
            throw new Ukl.Tool.ToolException("a port on which nobody listens accepted a connection");
        }
        catch (SocketException failure)
        {
            WireSession.Require(failure.SocketErrorCode == SocketError.ConnectionRefused, $"a port on which nobody listens answered with {failure.SocketErrorCode}");
        }
        WireSession.Require(session.Guest.Started.Elapsed - start < TimeSpan.FromSeconds(5), "the refusal came late");
        using Socket datagrams = NetworkNamespace.CreateSocket(session.Rig.Namespace, AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.ReceiveTimeout = (int)Limit.TotalMilliseconds;
        datagrams.Connect(new IPEndPoint(NetworkRig.Guest, 4711));
        datagrams.Send("hello"u8);
        try
        {
            datagrams.Receive(new byte[16]);
            throw new Ukl.Tool.ToolException("a port on which nobody listens answered a datagram");
        }
        catch (SocketException failure)
        {
            WireSession.Require(failure.SocketErrorCode == SocketError.ConnectionRefused, $"a datagram to a closed port ended in {failure.SocketErrorCode}, not in a refusal by ICMP");
        }
    }
}
