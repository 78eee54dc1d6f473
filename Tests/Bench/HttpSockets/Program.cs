// HTTP on bare sockets, as ukl bench net drives it: an async loop per connection that answers every GET with the same text and keeps the connection
// open. It knows no more of HTTP than where a request ends. The argument is the port.

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

const int DefaultPort = 80, Backlog = 511, BufferSize = 4096;

byte[] response = "HTTP/1.1 200 OK\r\nServer: sockets\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!"u8.ToArray();
int port = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : DefaultPort;
using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Bind(new IPEndPoint(IPAddress.Any, port));
listener.Listen(Backlog);
using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Environment.Exit(0));
Console.WriteLine($"HttpSockets listens on port {port}");
while (true)
    _ = Serve(await listener.AcceptAsync());

async Task Serve(Socket socket)
{
    byte[] buffer = new byte[BufferSize];
    int filled = 0;
    try
    {
        socket.NoDelay = true;
        while (true)
        {
            int count = await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None);
            if (count == 0)
                break;
            filled += count;
            int length;
            while ((length = LengthOfRequest(buffer.AsSpan(0, filled))) > 0)
            {
                await socket.SendAsync(response, SocketFlags.None);
                buffer.AsSpan(length, filled - length).CopyTo(buffer);
                filled -= length;
            }
            if (filled == buffer.Length)
                break; // A request that long is none that a benchmark sends.
        }
    }
    catch (SocketException)
    {
        // The client left.
    }
    socket.Dispose();
}

static int LengthOfRequest(ReadOnlySpan<byte> input) => input.IndexOf("\r\n\r\n"u8) + 4 is var end and > 3 ? end : 0;
