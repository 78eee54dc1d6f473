// A WebSocket at /echo that sends back every message, text or binary, as it came.

using System.Net.WebSockets;

namespace WebServer;

internal static class Echo
{
    private const int BufferSize = 16 * 1024;

    public static void MapEcho(this WebApplication app) => app.Map("/echo", async (HttpContext context, IHostApplicationLifetime lifetime) =>
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        await Serve(socket, lifetime.ApplicationStopping);
    });

    private static async Task Serve(WebSocket socket, CancellationToken stopping)
    {
        byte[] buffer = new byte[BufferSize];
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(), stopping);
                if (part.MessageType == WebSocketMessageType.Close)
                    break;
                await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, stopping);
            }
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, stopping);
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException)
        {
            socket.Abort(); // The client left without closing, or the server stops.
        }
    }
}
