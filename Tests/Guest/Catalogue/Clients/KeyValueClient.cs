using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Clients;

/// <summary>What a client does with Apps/KeyValue, and what must come of it: the Redis protocol, byte by byte.</summary>
public sealed class KeyValueClient(GuestPeer guest)
{
    /// <summary>The server's port.</summary>
    public const int Port = 6379;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Waits until the server answers.</summary>
    public Task Greet() => GuestPeer.Eventually(
        async () =>
        {
            await Exchange("PING\r\n", "+PONG\r\n");
            return true;
        },
        Limit);

    /// <summary>Each command, and the errors in Redis' words.</summary>
    public async Task UseCommands()
    {
        await Exchange("FLUSHALL\r\nSET a 1\r\nGET a\r\nGET b\r\n", "+OK\r\n+OK\r\n$1\r\n1\r\n$-1\r\n");
        await Exchange("INCR a\r\nDECR a\r\nINCRBY a 41\r\nGET a\r\n", ":2\r\n:1\r\n:42\r\n$2\r\n42\r\n");
        await Exchange("SET a x NX\r\nSET c y XX\r\nSET c y NX\r\nSET c z GET\r\n", "$-1\r\n$-1\r\n+OK\r\n$1\r\ny\r\n");
        await Exchange("MSET k 1 l 2\r\nMGET k none l\r\nEXISTS k l k\r\nDEL k l m\r\n", "+OK\r\n*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n:3\r\n:2\r\n");
        await Exchange("APPEND s ab\r\nAPPEND s cd\r\nSTRLEN s\r\nTYPE s\r\nGETDEL s\r\nTYPE s\r\n", ":2\r\n:4\r\n:4\r\n+string\r\n$4\r\nabcd\r\n+none\r\n");
        await Exchange("SET e v EX 100\r\nTTL e\r\nPERSIST e\r\nTTL e\r\nTTL none\r\nEXPIRE e -1\r\nGET e\r\n", "+OK\r\n:100\r\n:1\r\n:-1\r\n:-2\r\n:1\r\n$-1\r\n");
        await Exchange("SET \"a b\" 'it'\r\nGET \"a\\x20b\"\r\nDBSIZE\r\nECHO hi\r\n", "+OK\r\n$2\r\nit\r\n:3\r\n$2\r\nhi\r\n");
        await Exchange("INCR c\r\n", "-ERR value is not an integer or out of range\r\n");
        await Exchange("GET\r\n", "-ERR wrong number of arguments for 'get' command\r\n");
        await Exchange("SET a b EX 0\r\n", "-ERR invalid expire time in 'set' command\r\n");
        await Exchange("NOPE x\r\n", "-ERR unknown command 'NOPE', with args beginning with: 'x' \r\n");
        await Exchange("SELECT 0\r\nSELECT 99\r\n", "+OK\r\n-ERR DB index is out of range\r\n");
        await Exchange("SET n 9223372036854775807\r\nINCR n\r\n", "+OK\r\n-ERR increment or decrement would overflow\r\n");
        await Exchange("CONFIG GET save\r\nCOMMAND DOCS\r\nQUIT\r\n", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n*0\r\n+OK\r\n");
    }

    /// <summary>Keys end in time, whether or not anybody asks for them.</summary>
    public async Task LetKeysExpire()
    {
        await Exchange("FLUSHALL\r\nSET short v PX 100\r\nSET long v PX 60000\r\nSET asked v PX 100\r\n", "+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
        await Task.Delay(TimeSpan.FromSeconds(1));
        await Exchange("GET asked\r\nDBSIZE\r\nGET long\r\n", "$-1\r\n:1\r\n$1\r\nv\r\n");
    }

    /// <summary>Requests that come in pieces of any size, and values of any bytes.</summary>
    public async Task SendPieces()
    {
        byte[] value = [.. Enumerable.Range(0, 100_000).Select(index => (byte)(index * 7))];
        byte[] requests = [.. Request("SET"u8.ToArray(), "v"u8.ToArray(), value), .. Request("GET"u8.ToArray(), "v"u8.ToArray())];
        byte[] expected = [.. "+OK\r\n"u8, .. Encoding.ASCII.GetBytes($"${value.Length.ToString(CultureInfo.InvariantCulture)}\r\n"), .. value, .. "\r\n"u8];
        Random random = new(1);
        using Socket socket = await guest.Connect(Port);
        for (int sent = 0; sent < requests.Length;)
        {
            int count = Math.Min(sent < 50 ? 1 : random.Next(1, 9000), requests.Length - sent);
            sent += await socket.SendAsync(requests.AsMemory(sent, count));
        }
        GuestPeer.Check((await Receive(socket, expected.Length)).AsSpan().SequenceEqual(expected), "a large value came back changed");
    }

    /// <summary>Thousands of requests without waiting for replies: they come in order, and the server allocates nothing for them.</summary>
    public async Task Pipeline()
    {
        const int Count = 20_000, PerRequest = 16;
        using Socket socket = await guest.Connect(Port);
        await Exchange(socket, "SET counter 0\r\n"u8.ToArray(), "+OK\r\n");
        byte[] requests = [.. Enumerable.Repeat(Request("INCR"u8.ToArray(), "counter"u8.ToArray()), Count).SelectMany(bytes => bytes)];
        string replies = string.Concat(Enumerable.Range(1, Count).Select(number => $":{number.ToString(CultureInfo.InvariantCulture)}\r\n"));
        long before = await Allocated();
        Task<byte[]> received = Receive(socket, replies.Length);
        for (int sent = 0; sent < requests.Length;)
            sent += await socket.SendAsync(requests.AsMemory(sent));
        GuestPeer.Check(Encoding.ASCII.GetString(await received) == replies, "pipelined replies are wrong or out of order");
        long allocated = await Allocated() - before;
        GuestPeer.Check(allocated < Count * PerRequest, $"{Count} requests allocated {allocated} bytes");
    }

    /// <summary>What breaks the protocol is answered and the connection closed; the server goes on.</summary>
    public async Task SendRubbish()
    {
        await Exchange("*1\r\n!4\r\n", "-ERR Protocol error: expected '$', got '!'\r\n");
        await Exchange("*99999999\r\n", "-ERR Protocol error: invalid multibulk length\r\n");
        await Exchange("*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n");
        await Exchange("*1\r\n$99999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n");
        await Exchange("GET \"x\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n");
        await Exchange(new string('x', 70_000), "-ERR Protocol error: too big inline request\r\n");
        await Exchange("PING\r\n", "+PONG\r\n");
    }

    /// <summary>Many clients at a time, each with keys of its own. They connect one by one: QEMU's own network loses connections that come all at once.</summary>
    public async Task UseManyConnections()
    {
        const int Clients = 50;
        List<Socket> sockets = [];
        while (sockets.Count < Clients)
        {
            sockets.Add(await guest.Connect(Port));
            await Exchange(sockets[^1], "PING\r\n"u8.ToArray(), "+PONG\r\n");
        }
        await Task.WhenAll(sockets.Select(async (socket, number) =>
        {
            for (int round = 0; round < 20; round++)
                await Exchange(socket, Encoding.ASCII.GetBytes($"SET key{number} {round}\r\nGET key{number}\r\n"), $"+OK\r\n${(round < 10 ? 1 : 2)}\r\n{round}\r\n");
            socket.Dispose();
        }));
    }

    private async Task<long> Allocated()
    {
        const string Field = "gc_allocated_bytes:";
        using Socket socket = await guest.Connect(Port);
        await socket.SendAsync("INFO\r\nQUIT\r\n"u8.ToArray());
        byte[] buffer = new byte[16 * 1024];
        int filled = 0, count;
        while ((count = await socket.ReceiveAsync(buffer.AsMemory(filled))) > 0)
            filled += count;
        string line = Encoding.ASCII.GetString(buffer, 0, filled).Split("\r\n").First(line => line.StartsWith(Field, StringComparison.Ordinal));
        return long.Parse(line[Field.Length..], CultureInfo.InvariantCulture);
    }

    private async Task Exchange(string request, string expected)
    {
        using Socket socket = await guest.Connect(Port);
        await Exchange(socket, Encoding.ASCII.GetBytes(request), expected);
    }

    private static async Task Exchange(Socket socket, byte[] request, string expected)
    {
        await socket.SendAsync(request);
        GuestPeer.Equal(expected, Encoding.ASCII.GetString(await Receive(socket, expected.Length)), "a reply");
    }

    private static async Task<byte[]> Receive(Socket socket, int length)
    {
        using CancellationTokenSource patience = new(Limit);
        byte[] bytes = new byte[length];
        int filled = 0, count;
        while (filled < length && (count = await socket.ReceiveAsync(bytes.AsMemory(filled), patience.Token)) > 0)
            filled += count;
        return filled == length ? bytes : throw new IOException($"The connection ended after {filled} of {length} bytes: {Encoding.ASCII.GetString(bytes, 0, Math.Min(filled, 200))}");
    }

    private static byte[] Request(params byte[][] arguments)
    {
        List<byte> request = [.. Encoding.ASCII.GetBytes($"*{arguments.Length}\r\n")];
        foreach (byte[] argument in arguments)
            request.AddRange([.. Encoding.ASCII.GetBytes($"${argument.Length}\r\n"), .. argument, .. "\r\n"u8]);
        return [.. request];
    }
}
