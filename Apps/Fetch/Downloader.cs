using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fetch;

/// <summary>Fetches URLs one after the other, over connections that are kept open between them.</summary>
internal sealed class Downloader : IDisposable
{
    private const int BlockSize = 64 * 1024;

    private readonly Settings settings;

    private readonly HttpClient client;

    /// <summary>Prepares the client.</summary>
    /// <exception cref="IOException">The file of authorities cannot be read.</exception>
    /// <exception cref="CryptographicException">It holds no certificates.</exception>
    public Downloader(Settings settings)
    {
        this.settings = settings;
        SocketsHttpHandler handler = new() { AutomaticDecompression = DecompressionMethods.None };
        if (settings.Authorities is { } file)
            handler.SslOptions.CertificateChainPolicy = TrustOnly(file);
        if (settings.IsInsecure)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("Fetch/1.0");
        foreach ((string name, string value) in settings.Headers)
            client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>Fetches a URL and prints what came.</summary>
    /// <returns>Whether the answer was a success.</returns>
    /// <exception cref="HttpRequestException">There was no answer, or it broke off.</exception>
    /// <exception cref="OperationCanceledException">It took too long, or the program was interrupted.</exception>
    public async Task<bool> Fetch(Uri url, CancellationToken interrupted)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        limit.CancelAfter(settings.Timeout);
        Stopwatch watch = Stopwatch.StartNew();
        using HttpRequestMessage request = new(settings.Upload is null ? HttpMethod.Get : HttpMethod.Put, url);
        if (settings.Upload is { } upload)
            request.Content = new StreamContent(File.OpenRead(upload), BlockSize);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        (long bytes, string hash) = await Receive(response, limit.Token);
        double seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{url} {(int)response.StatusCode} {response.ReasonPhrase} HTTP/{response.Version}\n  {bytes} bytes in {seconds:0.000} s ({bytes / seconds / (1 << 20):0.0} MiB/s)\n  SHA-256 {hash}"));
        return response.IsSuccessStatusCode;
    }

    private async Task<(long Bytes, string Hash)> Receive(HttpResponseMessage response, CancellationToken cancelled)
    {
        await using Stream body = await response.Content.ReadAsStreamAsync(cancelled);
        await using Stream output = settings.Output is { } file ? File.Create(file) : Stream.Null;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockSize];
        long bytes = 0;
        int count;
        while ((count = await body.ReadAsync(block, cancelled)) > 0)
        {
            hash.AppendData(block, 0, count);
            await output.WriteAsync(block.AsMemory(0, count), cancelled);
            bytes += count;
        }
        return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static X509ChainPolicy TrustOnly(string file)
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy.CustomTrustStore.Count > 0 ? policy : throw new CryptographicException($"{file} holds no certificate.");
    }
}
