using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Clients;

/// <summary>What a client does with Apps/WebServer, and what must come of it.</summary>
public sealed class WebServerClient(GuestPeer guest, string authority) : IDisposable
{
    /// <summary>The port of the guest that speaks plain HTTP.</summary>
    public const int Port = 80;

    /// <summary>The port of the guest that speaks HTTPS.</summary>
    public const int SecurePort = 443;

    private const string Greeting = "Hello from ASP.NET Core\n";

    private const int Megabyte = 1 << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>QEMU's own network loses connections that come all at once, so there are few.</summary>
    private readonly HttpClient client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 4, SslOptions = { CertificateChainPolicy = TrustOnly(authority) } }) { Timeout = Limit };

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>Waits until the server answers.</summary>
    public async Task Greet() =>
        GuestPeer.Equal(Greeting, await GuestPeer.Eventually(() => client.GetStringAsync(guest.Url(Port)), Limit), "the greeting");

    /// <summary>Many requests, one after the other on one connection and then on many at a time.</summary>
    public async Task GreetOften()
    {
        for (int number = 0; number < 200; number++)
            GuestPeer.Equal(Greeting, await client.GetStringAsync(guest.Url(Port)), $"answer {number}");
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetStringAsync(guest.Url(Port))));
        GuestPeer.Check(answers.All(answer => answer == Greeting), "an answer among many at a time is wrong");
    }

    /// <summary>The JSON service: list, add, read, change, delete, and what does not exist.</summary>
    public async Task KeepNotes()
    {
        Uri notes = guest.Url(Port, "notes");
        HttpResponseMessage added = await client.PostAsJsonAsync(notes, new { text = "ünïcode \"quoted\"" });
        GuestPeer.Equal(HttpStatusCode.Created, added.StatusCode, "the status of an added note");
        Uri note = new(notes, added.Headers.Location!);
        GuestPeer.Equal("ünïcode \"quoted\"", (await client.GetFromJsonAsync<JsonElement>(note)).GetProperty("text").GetString(), "the note's text");
        GuestPeer.Equal(HttpStatusCode.NoContent, (await client.PutAsJsonAsync(note, new { text = "other", isDone = true })).StatusCode, "the status of a change");
        GuestPeer.Check((await client.GetFromJsonAsync<JsonElement>(note)).GetProperty("isDone").GetBoolean(), "the change is not there");
        GuestPeer.Check((await client.GetFromJsonAsync<JsonElement>(notes)).GetArrayLength() >= 2, "the list lacks a note");
        GuestPeer.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync(note)).StatusCode, "the status of a removal");
        GuestPeer.Equal(HttpStatusCode.NotFound, (await client.GetAsync(note)).StatusCode, "the status of what was removed");
        HttpResponseMessage bad = await client.PostAsync(notes, new StringContent("{", Encoding.UTF8, "application/json"));
        GuestPeer.Equal(HttpStatusCode.BadRequest, bad.StatusCode, "the status of broken JSON");
    }

    /// <summary>Static files: whole, unchanged since, and in part.</summary>
    public async Task ReadFiles()
    {
        HttpResponseMessage page = await client.GetAsync(guest.Url(Port, "index.html"));
        GuestPeer.Equal("text/html", page.Content.Headers.ContentType?.MediaType, "the page's type");
        GuestPeer.Check((await page.Content.ReadAsStringAsync()).Contains("</html>", StringComparison.Ordinal), "the page is not whole");
        using HttpRequestMessage again = new(HttpMethod.Get, guest.Url(Port, "index.html")) { Headers = { IfNoneMatch = { page.Headers.ETag! } } };
        GuestPeer.Equal(HttpStatusCode.NotModified, (await client.SendAsync(again)).StatusCode, "the status of an unchanged page");
        using HttpRequestMessage part = new(HttpMethod.Get, guest.Url(Port, "index.html")) { Headers = { Range = new RangeHeaderValue(0, 14) } };
        GuestPeer.Equal("<!DOCTYPE html>", await (await client.SendAsync(part)).Content.ReadAsStringAsync(), "the page's first bytes");
        GuestPeer.Equal(HttpStatusCode.NotFound, (await client.GetAsync(guest.Url(Port, "appsettings.json"))).StatusCode, "the status of a file outside of wwwroot");
    }

    /// <summary>Bodies of many sizes, each way, with their length announced and without.</summary>
    public async Task Transfer(string scheme = "http", int largest = 20 * Megabyte)
    {
        int port = scheme == "http" ? Port : SecurePort;
        foreach (int size in (int[])[0, 1, 1460, 65_535, Megabyte + 1, largest])
        {
            byte[] body = Pattern(size);
            string hash = Convert.ToHexStringLower(SHA256.HashData(body));
            foreach (string query in (string[])["", "?chunked=true"])
                GuestPeer.Check((await client.GetByteArrayAsync(guest.Url(port, $"download/{size}{query}", scheme))).AsSpan().SequenceEqual(body), $"a download of {size} bytes{query} is wrong");
            foreach (bool isAnnounced in (bool[])[true, false])
            {
                using HttpRequestMessage request = new(HttpMethod.Put, guest.Url(port, "upload", scheme)) { Content = new ByteArrayContent(body) };
                request.Headers.TransferEncodingChunked = !isAnnounced;
                request.Headers.ExpectContinue = size > Megabyte;
                JsonElement answer = await (await client.SendAsync(request)).Content.ReadFromJsonAsync<JsonElement>();
                GuestPeer.Equal(size, answer.GetProperty("bytes").GetInt64(), "the size of an upload");
                GuestPeer.Equal(hash, answer.GetProperty("sha256").GetString(), $"the hash of an upload of {size} bytes");
            }
        }
    }

    /// <summary>Server-Sent Events come one by one, not all at the end.</summary>
    public async Task FollowEvents()
    {
        const int Count = 5, Interval = 100;
        using StreamReader reader = new(await client.GetStreamAsync(guest.Url(Port, $"events?count={Count}&interval={Interval}")));
        List<DateTime> times = [];
        while (await reader.ReadLineAsync() is { } line)
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                times.Add(DateTime.UtcNow);
                GuestPeer.Equal($"data: tick {times.Count.ToString(CultureInfo.InvariantCulture)}", line, "an event");
            }
        GuestPeer.Equal(Count, times.Count, "the number of events");
        GuestPeer.Check(times[^1] - times[0] > TimeSpan.FromMilliseconds(Interval * (Count - 1) / 2), "the events came all at once");
    }

    /// <summary>A WebSocket gives back what it was sent, small and large, text and binary, and closes as agreed.</summary>
    public async Task TalkByWebSocket()
    {
        using ClientWebSocket socket = new();
        using CancellationTokenSource patience = new(Limit);
        await socket.ConnectAsync(guest.Url(Port, "echo", "ws"), patience.Token);
        foreach (int size in (int[])[0, 1, 125, 126, 65_536, Megabyte])
        {
            byte[] message = Pattern(size);
            WebSocketMessageType type = size < 126 ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
            if (type == WebSocketMessageType.Text)
                Array.Fill(message, (byte)'x');
            Task sent = socket.SendAsync(message.AsMemory(), type, endOfMessage: true, patience.Token).AsTask();
            byte[] answer = new byte[size + 1];
            int filled = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(answer.AsMemory(filled), patience.Token);
                filled += part.Count;
            }
            while (!part.EndOfMessage);
            await sent;
            GuestPeer.Equal(type, part.MessageType, "the type of a message");
            GuestPeer.Check(answer.AsSpan(0, filled).SequenceEqual(message), $"a message of {size} bytes came back changed");
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", patience.Token);
        GuestPeer.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus, "the end of the WebSocket");
    }

    /// <summary>HTTPS, by HTTP/1.1 and by HTTP/2, with a certificate of a private authority; who does not trust that authority is not talked to.</summary>
    public async Task GreetSecurely()
    {
        foreach (Version version in (Version[])[HttpVersion.Version11, HttpVersion.Version20])
        {
            using HttpRequestMessage request = new(HttpMethod.Get, guest.Url(SecurePort, "", "https")) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            HttpResponseMessage answer = await client.SendAsync(request);
            GuestPeer.Equal(version, answer.Version, "the version of HTTP");
            GuestPeer.Equal(Greeting, await answer.Content.ReadAsStringAsync(), "the greeting by HTTPS");
        }
        using HttpClient stranger = new();
        bool isRefused = false;
        try
        {
            await stranger.GetStringAsync(guest.Url(SecurePort, "", "https"));
        }
        catch (HttpRequestException)
        {
            isRefused = true;
        }
        GuestPeer.Check(isRefused, "a certificate of an unknown authority was accepted");
    }

    /// <summary>What is no HTTP gets an answer or a closed connection, and the server goes on.</summary>
    public async Task SendRubbish()
    {
        GuestPeer.Equal("HTTP/1.1 400 Bad Request", await FirstLine("GET\r\n\r\n"u8.ToArray()), "the answer to half a request line");
        GuestPeer.Equal("HTTP/1.1 400 Bad Request", await FirstLine(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n")), "the answer to a request without Host");
        GuestPeer.Equal("HTTP/1.1 400 Bad Request", await FirstLine(Encoding.ASCII.GetBytes("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")), "the answer to a negative length");
        string large = $"GET / HTTP/1.1\r\nHost: x\r\nX: {new string('x', 40_000)}\r\n\r\n";
        GuestPeer.Equal("HTTP/1.1 431 Request Header Fields Too Large", await FirstLine(Encoding.ASCII.GetBytes(large)), "the answer to headers of 40 kB");
        Random random = new(1);
        for (int number = 0; number < 20; number++)
        {
            byte[] noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            await FirstLine([.. noise, .. "\r\n\r\n"u8]);
        }
        GuestPeer.Equal(Greeting, await client.GetStringAsync(guest.Url(Port)), "the greeting after rubbish");
    }

    private async Task<string> FirstLine(byte[] request)
    {
        using Socket socket = await guest.Connect(Port);
        using CancellationTokenSource patience = new(Limit);
        byte[] answer = new byte[4096];
        int filled = 0;
        try
        {
            await socket.SendAsync(request, patience.Token);
            int count;
            while (filled < answer.Length && (count = await socket.ReceiveAsync(answer.AsMemory(filled), patience.Token)) > 0)
                filled += count;
        }
        catch (SocketException)
        {
            // The server need not listen to the end of what it does not understand.
        }
        return Encoding.ASCII.GetString(answer, 0, filled).Split("\r\n")[0];
    }

    /// <summary>The bytes that /download sends: Apps/WebServer/Transfers.cs.</summary>
    private static byte[] Pattern(int size)
    {
        const int BlockSize = 64 * 1024;
        byte[] bytes = new byte[size];
        for (int index = 0; index < size; index++)
            bytes[index] = (byte)(index % BlockSize * 31 / 7);
        return bytes;
    }

    private static X509ChainPolicy TrustOnly(string file)
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }
}
