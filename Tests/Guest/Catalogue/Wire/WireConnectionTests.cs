using System.Net.Sockets;
using Ukl.Tool.Network;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Wire;

/// <summary>Many connections, and clients that misbehave while another one is served.</summary>
public sealed class WireConnectionTests : WireCatalogue
{
    private static readonly TimeSpan FloodTime = TimeSpan.FromSeconds(20);

    /// <summary>A client that is served beside troublemakers may wait this long for an answer.</summary>
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public override IEnumerable<WireTest> Tests =>
    [
        new("wire/10,000 connections", session => OpenAndClose(session, 10_000)),
        new("wire/10,000 connections that the server closes", session => BeClosed(session, 10_000)),
        new("wire/2,000 connections at once", session => AtOnce(session, 2_000)),
        new("wire/flood of SYNs", Flood),
        new("wire/clients that stop reading", session => StopReading(session, 200)),
        new("wire/clients that reset", session => Reset(session, 2_000)),
        new("wire/client that vanishes", Vanish) { Wire = new(), Ends = false },
    ];

    private static void OpenAndClose(WireSession session, int count) => session.Repeat(count, number =>
    {
        using Socket socket = session.Connect(WirePort.Echo);
        WireSession.Echo(socket, $"connection {number}");
    });

    private static void BeClosed(WireSession session, int count) => session.Repeat(count, number =>
    {
        using Socket socket = session.Connect(WirePort.Farewell);
        string text = WireSession.ReadToEnd(socket);
        WireSession.Require(text == "bye", $"connection {number} said '{text}'");
    });

    private static void AtOnce(WireSession session, int count)
    {
        List<Socket> sockets = [];
        try
        {
            while (sockets.Count < count)
                sockets.Add(session.Connect(WirePort.Echo));
            for (int round = 0; round < 2; round++)
                for (int i = 0; i < count; i++)
                    WireSession.Echo(sockets[i], $"round {round}, connection {i}");
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    private static void Flood(WireSession session)
    {
        using SynFlood flood = new(session.Rig, WirePort.Echo);
        int served = ServeFor(session, FloodTime);
        WireSession.Require(flood.Sent > 10_000, $"only {flood.Sent} SYNs could be sent");
        WireSession.Require(served > 0, "no client was served during the flood");
    }

    /// <summary>A client comes again and again.</summary>
    private static int ServeFor(WireSession session, TimeSpan time)
    {
        int served = 0;
        for (TimeSpan start = session.Guest.Started.Elapsed, now = start; now - start < time; served++)
        {
            using Socket socket = session.Connect(WirePort.Echo);
            WireSession.Echo(socket, $"served {served}");
            TimeSpan taken = session.Guest.Started.Elapsed - now;
            WireSession.Require(taken < LongestAnswer, $"a client waited {taken.TotalSeconds:0.0} s for its answer");
            now += taken;
        }
        return served;
    }

    private static void StopReading(WireSession session, int count)
    {
        const long Wanted = 64L << 20;
        List<Socket> sockets = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                Socket socket = session.Connect(WirePort.Source);
                sockets.Add(socket);
                WireSession.Ask(socket, $"{Wanted} {i + 1}\n");
            }
            ServeFor(session, TimeSpan.FromSeconds(15));
            // Two of them read on after all.
            WireSession.Verify(sockets[0], Wanted, 1);
            WireSession.Verify(sockets[^1], Wanted, (ulong)count);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    private static void Reset(WireSession session, int count)
    {
        session.Repeat(count, _ =>
        {
            using Socket socket = session.Connect(WirePort.Source);
            WireSession.Ask(socket, "100000000 1\n");
            socket.LingerState = new LingerOption(true, 0);
        });
        session.Download(1 << 20, 5);
    }

    private static void Vanish(WireSession session)
    {
        using Socket idle = session.Connect(WirePort.Keepalive);
        WireSession.Ask(idle, "here\n");
        // Frames arrive in order: when this is answered, the guest has the end of the other's handshake and knows of a client that can vanish.
        using (Socket second = session.Connect(WirePort.Echo))
            WireSession.Echo(second, "after it");
        session.Wire.Cut();
        session.Guest.WaitForOutput("vanished: Operation timed out", session.Guest.Started.Elapsed + TimeSpan.FromSeconds(20));
    }
}
