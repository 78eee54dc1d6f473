// An object file with one section of bytes, for the linker. Source: System V ABI (gABI) 4.1, chapter 4; SHF_GNU_RETAIN from the GNU ABI.
using System.IO;
using System.Text;

namespace Ukl.Lint.Elf;

/// <summary>Writes an object file that holds bytes.</summary>
public static class ElfObjectWriter
{
    private const ulong Retain = 0x200000;
    private const int HeaderSize = 64, SectionHeaderSize = 64;
    private const ushort Relocatable = 1, X86_64 = 62;
    private const uint Bits = 1, Strings = 3;

    /// <summary>One read-only section, which --gc-sections keeps.</summary>
    public static byte[] Write(string section, byte[] content)
    {
        string names = $"\0{section}\0.shstrtab\0";
        byte[] nameBytes = Encoding.ASCII.GetBytes(names);
        ulong namesAt = HeaderSize + (ulong)content.Length;
        ulong padding = (8 - ((namesAt + (ulong)nameBytes.Length) & 7)) & 7;
        ulong headersAt = namesAt + (ulong)nameBytes.Length + padding;

        var output = new MemoryStream();
        using var writer = new BinaryWriter(output);
        writer.Write("\u007fELF"u8);
        writer.Write([2, 1, 1, 0]); // 64 bits, little-endian, version 1
        writer.Write(0ul);
        writer.Write(Relocatable);
        writer.Write(X86_64);
        writer.Write(1u);
        writer.Write(0ul); // no entry
        writer.Write(0ul); // no segments
        writer.Write(headersAt);
        writer.Write(0u);
        writer.Write((ushort)HeaderSize);
        writer.Write(0u); // no segments
        writer.Write((ushort)SectionHeaderSize);
        writer.Write((ushort)3);
        writer.Write((ushort)2);
        writer.Write(content);
        writer.Write(nameBytes);
        writer.Write(new byte[padding]);
        writer.Write(new byte[SectionHeaderSize]);
        WriteHeader(writer, 1, Bits, ElfSection.Alloc | Retain, HeaderSize, (ulong)content.Length, 8);
        WriteHeader(writer, (uint)section.Length + 2, Strings, 0, namesAt, (ulong)nameBytes.Length, 1);
        writer.Flush();
        return output.ToArray();
    }

    private static void WriteHeader(BinaryWriter writer, uint name, uint type, ulong flags, ulong offset, ulong size, ulong alignment)
    {
        writer.Write(name);
        writer.Write(type);
        writer.Write(flags);
        writer.Write(0ul);
        writer.Write(offset);
        writer.Write(size);
        writer.Write(0u);
        writer.Write(0u);
        writer.Write(alignment);
        writer.Write(0ul);
    }
}
