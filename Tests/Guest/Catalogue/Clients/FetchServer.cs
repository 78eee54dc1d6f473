using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Ukl.Tests.Guest.Clients;

/// <summary>A web server on this machine for Apps/Fetch: it answers a few requests, in the open or by TLS, and ends.</summary>
/// <param name="port">The port.</param>
/// <param name="body">What every answer brings.</param>
/// <param name="certificates">The folder of the tests' certificates for HTTPS; null for HTTP.</param>
public sealed class FetchServer(int port, byte[] body, string? certificates)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    /// <summary>Answers requests until there have been enough. /missing is not found; /chunked comes without a length.</summary>
    /// <returns>The request lines.</returns>
    public async Task<IReadOnlyList<string>> Serve(int requests)
    {
        using TcpListener listener = new(IPAddress.Any, port);
        listener.Start();
        using CancellationTokenSource patience = new(Limit);
        List<string> lines = [];
        while (lines.Count < requests)
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(patience.Token);
            await using Stream stream = await Open(client, patience.Token);
            using StreamReader reader = new(stream, Encoding.ASCII, leaveOpen: true);
            while (lines.Count < requests && await reader.ReadLineAsync(patience.Token) is { } line)
            {
                lines.Add(line);
                while (!string.IsNullOrEmpty(await reader.ReadLineAsync(patience.Token)))
                {
                }
                await Answer(stream, line, patience.Token);
            }
        }
        return lines;
    }

    private async Task<Stream> Open(TcpClient client, CancellationToken cancelled)
    {
        if (certificates is null)
            return client.GetStream();
        SslStream stream = new(client.GetStream());
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(Path.Combine(certificates, "server.pem"), Path.Combine(certificates, "server.key"));
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancelled);
        return stream;
    }

    private async Task Answer(Stream stream, string line, CancellationToken cancelled)
    {
        if (line.Contains("/missing", StringComparison.Ordinal))
        {
            await stream.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), cancelled);
        }
        else if (line.Contains("/chunked", StringComparison.Ordinal))
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n"), cancelled);
            await stream.WriteAsync(body, cancelled);
            await stream.WriteAsync("\r\n0\r\n\r\n"u8.ToArray(), cancelled);
        }
        else
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n"), cancelled);
            await stream.WriteAsync(body, cancelled);
        }
        await stream.FlushAsync(cancelled);
    }
}
