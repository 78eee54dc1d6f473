using System.Net.Sockets;
using System.Net.WebSockets;
using Ukl.Tool.Network;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Wire;

/// <summary>Apps/WebServer under .NET's WebSocket client for a minute: every message comes back, none is lost, mixed up or late.</summary>
public sealed class WireWebSocketTests : WireCatalogue
{
    private const int HttpPort = 80, Clients = 20, LargestMessage = 100_000;

    private static readonly TimeSpan Time = TimeSpan.FromSeconds(60), Patience = TimeSpan.FromSeconds(20);

    private static readonly Uri Echo = new($"ws://{NetworkRig.Guest}/echo");

    /// <inheritdoc/>
    public override IEnumerable<WireTest> Tests =>
    [
        new("soak/web server, WebSocket", session => Soak(session).GetAwaiter().GetResult()) { Program = "Apps/WebServer", ReadyPort = HttpPort, Ends = false },
    ];

    private static async Task Soak(WireSession session)
    {
        try
        {
            int[] messages = await Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(() => Talk(session, number))));
            WireSession.Require(messages.All(count => count > 0), "a client had no message answered");
        }
        catch (Exception failure) when (failure is WebSocketException or HttpRequestException or OperationCanceledException)
        {
            throw new Ukl.Tool.ToolException($"a client failed: {failure.Message}");
        }
    }

    /// <summary>Most messages are small, as people's are, and all of a connection's sizes differ; it is closed and opened again now and then.</summary>
    private static async Task<int> Talk(WireSession session, int number)
    {
        Random random = new(number);
        byte[] sent = new byte[LargestMessage], received = new byte[LargestMessage];
        int count = 0;
        for (TimeSpan start = session.Guest.Started.Elapsed; session.Guest.Started.Elapsed - start < Time;)
        {
            using ClientWebSocket socket = new();
            using SocketsHttpHandler handler = new() { ConnectCallback = (_, limit) => Connect(session, limit) };
            using HttpMessageInvoker invoker = new(handler);
            using CancellationTokenSource limit = new(Patience);
            await socket.ConnectAsync(Echo, invoker, limit.Token);
            for (int left = random.Next(1, 200); left > 0; left--, count++)
            {
                int size = random.Next(10) == 0 ? random.Next(LargestMessage) : random.Next(200);
                random.NextBytes(sent.AsSpan(0, size));
                limit.CancelAfter(Patience);
                ValueTask sending = socket.SendAsync(sent.AsMemory(0, size), WebSocketMessageType.Binary, endOfMessage: true, limit.Token);
                int at = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await socket.ReceiveAsync(received.AsMemory(at), limit.Token);
                    at += part.Count;
                }
                while (!part.EndOfMessage);
                await sending;
                bool isSame = part.MessageType == WebSocketMessageType.Binary && received.AsSpan(0, at).SequenceEqual(sent.AsSpan(0, size));
                WireSession.Require(isSame, $"message {count} of client {number} came back as another one");
            }
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
        }
        return count;
    }

    private static async ValueTask<Stream> Connect(WireSession session, CancellationToken limit)
    {
        Socket socket = NetworkNamespace.CreateSocket(session.Rig.Namespace, AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        try
        {
            await socket.ConnectAsync(NetworkRig.Guest, HttpPort, limit);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
