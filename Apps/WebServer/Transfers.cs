// Bodies of any size: /download/N sends N bytes of a fixed pattern, /upload reads whatever comes and tells its size and hash. Neither keeps more than
// one block in memory.

using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;

namespace WebServer;

/// <summary>What arrived at /upload.</summary>
/// <param name="Bytes">How much.</param>
/// <param name="Sha256">Its hash, in lower-case hexadecimal.</param>
public sealed record Upload(long Bytes, string Sha256);

internal static class Transfers
{
    private const int BlockSize = 64 * 1024;

    /// <summary>The pattern, repeated to the end of a download: byte N of it is N * 31 / 7, modulo 256.</summary>
    private static readonly byte[] Block = [.. Enumerable.Range(0, BlockSize).Select(index => (byte)(index * 31 / 7))];

    public static void MapTransfers(this WebApplication app)
    {
        app.MapGet("/download/{bytes:long:min(0)}", Download);
        app.MapMethods("/upload", [HttpMethods.Post, HttpMethods.Put], Receive);
    }

    /// <summary>Sends the pattern; without ?chunked=true its length is announced.</summary>
    private static async Task Download(HttpContext context, long bytes, bool chunked = false)
    {
        context.Response.ContentType = "application/octet-stream";
        if (!chunked)
            context.Response.ContentLength = bytes;
        for (long left = bytes; left > 0; left -= BlockSize)
            await context.Response.Body.WriteAsync(Block.AsMemory(0, (int)Math.Min(left, BlockSize)), context.RequestAborted);
    }

    private static async Task<Upload> Receive(HttpContext context, PipeReader body)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = 0;
        ReadResult read;
        do
        {
            read = await body.ReadAsync(context.RequestAborted);
            foreach (ReadOnlyMemory<byte> part in read.Buffer)
                hash.AppendData(part.Span);
            bytes += read.Buffer.Length;
            body.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);
        return new Upload(bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
