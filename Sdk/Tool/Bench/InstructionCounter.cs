using System.Buffers.Binary;
using System.Globalization;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Bench;

/// <summary>What a guest executed so far, or between two moments, by the address of the block of code.</summary>
/// <param name="Blocks">Instructions executed by the address of the first one of a block.</param>
public sealed record InstructionSample(IReadOnlyDictionary<ulong, long> Blocks)
{
    /// <summary>All instructions.</summary>
    public long Total => Blocks.Values.Sum();

    /// <summary>What was executed after an earlier sample.</summary>
    public InstructionSample Since(InstructionSample earlier) =>
        new(Blocks.Select(block => KeyValuePair.Create(block.Key, block.Value - earlier.Blocks.GetValueOrDefault(block.Key))).Where(block => block.Value > 0).ToDictionary());
}

/// <summary>Counts a guest's instructions while it runs, by a plugin of QEMU's TCG (Sdk/Plugin/instructions.c, which describes the file that is read here).</summary>
public sealed class InstructionCounter : IDisposable
{
    private const int HeaderSize = 16, EntrySize = 16;

    private readonly string plugin;

    private readonly string file;

    /// <summary>Prepares a counter for one run of QEMU.</summary>
    public InstructionCounter(Repository repository)
    {
        plugin = Compile(repository);
        string folder = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"ukl-{Environment.ProcessId}-{Guid.NewGuid():n}.blocks"));
    }

    /// <summary>What QEMU must be told.</summary>
    public IReadOnlyList<string> Arguments => ["-plugin", $"{plugin},blocks={file}"];

    /// <summary>Compiles the plugin when it is newer than what was compiled.</summary>
    /// <returns>The shared object.</returns>
    public static string Compile(Repository repository)
    {
        string source = repository.At("Sdk", "Plugin", "instructions.c");
        string output = Path.Combine(repository.KernelOutput, "instructions.so");
        if (File.Exists(output) && File.GetLastWriteTimeUtc(output) >= File.GetLastWriteTimeUtc(source))
            return output;
        Directory.CreateDirectory(repository.KernelOutput);
        CommandRunner.Require("The instruction counter could not be compiled", "gcc", ["-O2", "-Wall", "-fPIC", "-shared", "-o", output, source]);
        return output;
    }

    /// <summary>The counts of this moment.</summary>
    public InstructionSample Read()
    {
        if (!File.Exists(file))
            throw new ToolException("QEMU did not load the instruction counter; this build of it may not load plugins.");
        using FileStream stream = File.OpenRead(file);
        Span<byte> header = stackalloc byte[HeaderSize];
        stream.ReadExactly(header);
        return Parse(header, stream);
    }

    /// <inheritdoc/>
    public void Dispose() => File.Delete(file);

    /// <summary>Reads the entries that a header announces.</summary>
    internal static InstructionSample Parse(ReadOnlySpan<byte> header, Stream entries)
    {
        if (!header.StartsWith("UKLCOUNT"u8))
            throw new ToolException("The file of the instruction counter is damaged.");
        byte[] bytes = new byte[checked((int)BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) * EntrySize)];
        entries.ReadExactly(bytes);
        Dictionary<ulong, long> blocks = [];
        for (int at = 0; at < bytes.Length; at += EntrySize)
            if (BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8)) is var count and > 0)
                blocks[BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at))] = count;
        return new InstructionSample(blocks);
    }
}
