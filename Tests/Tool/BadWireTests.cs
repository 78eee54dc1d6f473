using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Ukl.Tool.Network;
using Xunit;

namespace Ukl.Tests.Tool;

/// <summary>A wire between a tap device and a card, which the test plays. Needs root.</summary>
public sealed class BadWireTests
{
    [Fact]
    public void A_frame_reaches_the_card_behind_its_length()
    {
        using NetworkRig rig = Rig();
        using BadWire wire = new(rig, new WireQuality());
        using Socket card = Connect(rig, wire);
        byte[] frame = new byte[60], received = new byte[64];
        frame[^1] = 7;
        // Frames of Linux's own may come before.
        do
        {
            wire.Inject([.. frame]);
            Receive(card, received);
        }
        while (received[^1] != 7);
        Assert.Equal([0, 0, 0, 60], received[..4]);
    }

    /// <summary>The wire's end must not take its devices from those who still read and write them: that ended the process once.</summary>
    [Fact]
    public void A_wire_ends_while_it_is_in_use_and_before_it_was()
    {
        using NetworkRig rig = Rig();
        for (int i = 0; i < 100; i++)
        {
            BadWire wire = new(rig, new WireQuality());
            using Socket? card = i % 2 == 0 ? Connect(rig, wire) : null;
            for (int frame = 0; frame < i; frame++)
            {
                wire.Inject(new byte[60]);
                // It goes to the tap device, and Linux answers there.
                card?.Send(SolicitationOf(frame));
            }
            long start = Stopwatch.GetTimestamp();
            wire.Dispose();
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5), "the wire did not end at once");
        }
    }

    private static NetworkRig Rig()
    {
        Assert.SkipWhen(NetworkRig.Obstacle() is not null, NetworkRig.Obstacle() ?? "");
        return new NetworkRig();
    }

    private static Socket Connect(NetworkRig rig, BadWire wire)
    {
        Socket socket = NetworkNamespace.CreateSocket(rig.Namespace, AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.ReceiveTimeout = 10_000;
        socket.Connect(new IPEndPoint(IPAddress.Loopback, int.Parse(wire.Backend[(wire.Backend.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
        return socket;
    }

    private static void Receive(Socket card, Span<byte> frame)
    {
        for (int at = 0; at < frame.Length;)
            at += card.Receive(frame[at..]) is var size and > 0 ? size : throw new IOException("the wire has ended");
    }

    /// <summary>"Who has 10.77.0.1?" (RFC 826), behind its length.</summary>
    private static byte[] SolicitationOf(int number) =>
    [
        0, 0, 0, 42,
        255, 255, 255, 255, 255, 255, 0x52, 0x54, 0, 0, 0, (byte)number, 8, 6,
        0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0, 0, (byte)number, 10, 77, 0, 2, 0, 0, 0, 0, 0, 0, 10, 77, 0, 1,
    ];
}
