using System.Buffers.Binary;
using System.Text;

namespace Ukl.Tool.Build;

/// <summary>What the tool needs to know of an ELF file. Source of truth: System V ABI, chapter 4 (object files) and chapter 5 (program loading).</summary>
public sealed class ElfFile
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const ushort TypeExecutable = 2;
    private const ushort TypeShared = 3;
    private const ushort MachineX64 = 62;
    private const uint SegmentLoad = 1;
    private const uint SegmentInterpreter = 3;
    private const uint SegmentStack = 0x6474e551;

    private ElfFile(bool isX64, bool isExecutable, string? interpreter, ulong physicalEnd = 0)
    {
        IsX64 = isX64;
        IsExecutable = isExecutable;
        Interpreter = interpreter;
        PhysicalEnd = physicalEnd;
    }

    /// <summary>Made for 64-bit little-endian x86.</summary>
    public bool IsX64 { get; }

    /// <summary>A program (fixed address or position independent), not an object or a core dump.</summary>
    public bool IsExecutable { get; }

    /// <summary>The dynamic linker the program asks for; null for a static one.</summary>
    public string? Interpreter { get; }

    /// <summary>First physical address above everything that is loaded.</summary>
    public ulong PhysicalEnd { get; }

    /// <summary>Whether the bytes begin like an ELF file.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> file) => file.StartsWith("\u007fELF"u8);

    /// <summary>Reads the headers.</summary>
    /// <returns>Null when the bytes are no ELF file or its headers are cut off.</returns>
    public static ElfFile? Parse(ReadOnlySpan<byte> file)
    {
        if (!HasMagic(file) || file.Length < HeaderSize)
            return null;
        bool isX64 = file[4] == 2 && file[5] == 1 && BinaryPrimitives.ReadUInt16LittleEndian(file[18..]) == MachineX64;
        if (!isX64)
            return new ElfFile(false, false, null);
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(file[16..]);
        string? interpreter = null;
        ulong physicalEnd = 0;
        foreach (int header in ProgramHeaders(file))
            if (BinaryPrimitives.ReadUInt32LittleEndian(file[header..]) == SegmentLoad)
            {
                ulong address = BinaryPrimitives.ReadUInt64LittleEndian(file[(header + 24)..]);
                ulong size = BinaryPrimitives.ReadUInt64LittleEndian(file[(header + 40)..]);
                physicalEnd = Math.Max(physicalEnd, unchecked(address + size));
            }
            else if (BinaryPrimitives.ReadUInt32LittleEndian(file[header..]) == SegmentInterpreter)
            {
                ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(file[(header + 8)..]);
                ulong size = BinaryPrimitives.ReadUInt64LittleEndian(file[(header + 32)..]);
                if (offset > (ulong)file.Length || size > (ulong)file.Length - offset)
                    return null;
                interpreter = Encoding.UTF8.GetString(file.Slice((int)offset, (int)size)).TrimEnd('\0');
            }
        return new ElfFile(true, type is TypeExecutable or TypeShared, interpreter, physicalEnd);
    }

    /// <summary>
    /// Records the default size of thread stacks in the PT_GNU_STACK header, where musl looks for it. A linker script with its own program headers
    /// makes lld ignore -z stack-size.
    /// </summary>
    /// <param name="file">The whole file, changed in place.</param>
    /// <param name="size">In bytes.</param>
    /// <returns>False when the file has no such header.</returns>
    public static bool SetStackSize(Span<byte> file, ulong size)
    {
        foreach (int header in ProgramHeaders(file))
            if (BinaryPrimitives.ReadUInt32LittleEndian(file[header..]) == SegmentStack)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(file[(header + 40)..], size);
                return true;
            }
        return false;
    }

    /// <summary>The offsets of the program headers that lie within the file.</summary>
    private static List<int> ProgramHeaders(ReadOnlySpan<byte> file)
    {
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(file[32..]);
        ushort entry = BinaryPrimitives.ReadUInt16LittleEndian(file[54..]);
        ushort count = BinaryPrimitives.ReadUInt16LittleEndian(file[56..]);
        List<int> offsets = [];
        if (entry < ProgramHeaderSize || table > (ulong)file.Length)
            return offsets;
        for (int index = 0; index < count; index++)
        {
            ulong offset = table + (ulong)index * entry;
            if (offset + ProgramHeaderSize > (ulong)file.Length)
                break;
            offsets.Add((int)offset);
        }
        return offsets;
    }
}
