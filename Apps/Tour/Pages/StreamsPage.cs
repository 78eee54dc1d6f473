// A page of the tour: memory, compression, archives, readers and writers, pipes.

using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;

namespace Ukl.Tour.Pages;

internal sealed class StreamsPage : Page
{
    public override string Name => "streams";

    public override string About => "memory, compression, archives, readers and writers, pipes";

    public override void Visit(Guide guide)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i % 100}\n")));
        (string Name, Func<Stream, Stream> Pack, Func<Stream, Stream> Unpack)[] methods =
        [
            ("gzip", stream => new GZipStream(stream, CompressionLevel.Optimal), stream => new GZipStream(stream, CompressionMode.Decompress)),
            ("deflate", stream => new DeflateStream(stream, CompressionLevel.Fastest), stream => new DeflateStream(stream, CompressionMode.Decompress)),
            ("zlib", stream => new ZLibStream(stream, CompressionLevel.SmallestSize), stream => new ZLibStream(stream, CompressionMode.Decompress)),
            ("brotli", stream => new BrotliStream(stream, CompressionLevel.Fastest), stream => new BrotliStream(stream, CompressionMode.Decompress)),
        ];
        foreach ((string name, Func<Stream, Stream> pack, Func<Stream, Stream> unpack) in methods)
        {
            MemoryStream packed = new();
            using (Stream stream = pack(packed))
                stream.Write(text);
            byte[] small = packed.ToArray();
            MemoryStream unpacked = new();
            using (Stream stream = unpack(new MemoryStream(small)))
                stream.CopyTo(unpacked);
            guide.Check(small.Length < text.Length / 10 && unpacked.ToArray().AsSpan().SequenceEqual(text), $"{name} packs to a tenth and back");
        }

        MemoryStream file = new();
        using (ZipArchive archive = new(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            using StreamWriter writer = new(archive.CreateEntry("folder/entry.txt").Open());
            writer.Write("in the archive");
        }
        using (ZipArchive archive = new(file, ZipArchiveMode.Read))
        {
            using StreamReader reader = new(archive.GetEntry("folder/entry.txt")!.Open());
            guide.Equal("in the archive", reader.ReadToEnd(), "a zip archive is written and read");
        }

        MemoryStream binary = new();
        using (BinaryWriter writer = new(binary, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(123456789);
            writer.Write("text");
            writer.Write(Math.PI);
        }
        binary.Position = 0;
        using (BinaryReader reader = new(binary))
            guide.Check(reader.ReadInt32() == 123456789 && reader.ReadString() == "text" && reader.ReadDouble() == Math.PI, "binary values are written and read");

        using StringReader lines = new("one\r\ntwo\nthree");
        guide.Equal("one two three", $"{lines.ReadLine()} {lines.ReadLine()} {lines.ReadLine()}", "lines end in either way");
        guide.Equal(500_000, ThroughPipe(500_000).GetAwaiter().GetResult(), "half a million bytes go through a pipe in memory");
        using BufferedStream buffered = new(new MemoryStream(text), 128);
        guide.Equal(text.Length, new StreamReader(buffered).ReadToEnd().Length, "a buffered stream");
        guide.Throws<EndOfStreamException>(() => new MemoryStream(3).ReadExactly(new byte[1]), "the end is noticed");
    }

    private static async Task<int> ThroughPipe(int length)
    {
        Pipe pipe = new();
        Task writing = Task.Run(async () =>
        {
            for (int left = length; left > 0; left -= 1000)
            {
                pipe.Writer.GetMemory(1000).Span[..1000].Fill(1);
                pipe.Writer.Advance(1000);
                await pipe.Writer.FlushAsync();
            }
            pipe.Writer.Complete();
        });
        int seen = 0;
        for (bool completed = false; !completed;)
        {
            ReadResult result = await pipe.Reader.ReadAsync();
            seen += (int)result.Buffer.Length;
            pipe.Reader.AdvanceTo(result.Buffer.End);
            completed = result.IsCompleted;
        }
        await writing;
        return seen;
    }
}
