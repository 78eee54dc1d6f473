// Reads cpio archives of the "newc" kind, as a Linux initramfs is made of. Pure parsing over a span: nothing outside it is read, whatever it holds.
// Source: cpio(5); Documentation/driver-api/early-userspace/buffer-format.rst.
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files;

/// <summary>What is wrong with an archive.</summary>
public enum CpioError
{
    None = 0,

    /// <summary>There is no archive's magic where an entry should begin.</summary>
    BadMagic,

    /// <summary>A header field is not hexadecimal.</summary>
    BadNumber,

    /// <summary>The archive ends within an entry.</summary>
    Truncated,

    /// <summary>A name is empty, too long, or lacks its NUL.</summary>
    BadName,

    /// <summary>The archive is packed (gzip, xz, zstd…), which is not supported.</summary>
    Packed,
}

/// <summary>One entry of an archive.</summary>
public ref struct CpioEntry
{
    /// <summary>The path, without its NUL.</summary>
    public ReadOnlySpan<byte> Name;

    /// <summary>A file's bytes or a link's target.</summary>
    public ReadOnlySpan<byte> Data;

    public uint InodeNumber;
    public uint Mode;
    public uint UserId;
    public uint GroupId;
    public uint LinkCount;

    /// <summary>Seconds since 1970.</summary>
    public uint ModifyTime;

    public uint DeviceMajor;
    public uint DeviceMinor;

    /// <summary>Number of a device node, as dev_t.</summary>
    public ulong SpecialDevice;

    /// <summary>Which archive of several concatenated ones it is in; hard links do not reach across.</summary>
    public int Archive;
}

/// <summary>Goes through the entries of one or several concatenated archives, with zeros between and behind them.</summary>
public ref struct CpioReader(ReadOnlySpan<byte> bytes)
{
    private const int HeaderLength = 110;
    private const int MagicLength = 6;
    private const int FieldLength = 8;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _archive;

    /// <summary>Where the next entry is looked for, in bytes; after an error, where it lies.</summary>
    public int Offset { get; private set; }

    /// <summary>What stopped the reading, when <see cref="TryRead"/> said false.</summary>
    public CpioError Error { get; private set; }

    /// <summary>Reads the next entry. False at the end, or when the archive is damaged: see <see cref="Error"/>.</summary>
    public bool TryRead(out CpioEntry entry)
    {
        entry = default;
        while (true)
        {
            while (Offset < _bytes.Length && _bytes[Offset] == 0)
                Offset++;
            if (Offset == _bytes.Length)
                return false;
            Error = Parse(out entry, out int next);
            if (Error != CpioError.None)
                return false;
            Offset = next;
            if (!FileNames.AreEqual(entry.Name, "TRAILER!!!"u8))
                return true;
            _archive++;
        }
    }

    private readonly CpioError Parse(out CpioEntry entry, out int next)
    {
        entry = default;
        next = 0;
        ReadOnlySpan<byte> rest = _bytes[Offset..];
        if (rest.Length < MagicLength)
            return CpioError.Truncated;
        // "070702" has checksums, which Linux ignores too.
        bool isKnown = FileNames.AreEqual(rest[..(MagicLength - 1)], "07070"u8) && rest[MagicLength - 1] is (byte)'1' or (byte)'2';
        // An entry begins on a multiple of four; so does every archive, counted from the front.
        if (!isKnown || (Offset & 3) != 0)
            return IsPacked(rest) ? CpioError.Packed : CpioError.BadMagic;
        if (rest.Length < HeaderLength)
            return CpioError.Truncated;
        for (int i = MagicLength; i < HeaderLength; i++)
        {
            if (HexValue(rest[i]) < 0)
                return CpioError.BadNumber;
        }
        uint fileSize = Field(rest, 6);
        uint nameSize = Field(rest, 11);
        if (nameSize is < 2 or > FileNames.MaximumPathLength)
            return CpioError.BadName;
        ulong dataStart = AlignUp((ulong)Offset + HeaderLength + nameSize) - (ulong)Offset;
        if (dataStart > (ulong)rest.Length || fileSize > (ulong)rest.Length - dataStart)
            return CpioError.Truncated;
        ReadOnlySpan<byte> name = rest.Slice(HeaderLength, (int)nameSize - 1);
        if (rest[HeaderLength + (int)nameSize - 1] != 0 || Contains(name, 0))
            return CpioError.BadName;
        entry.Name = name;
        entry.Data = rest.Slice((int)dataStart, (int)fileSize);
        entry.InodeNumber = Field(rest, 0);
        entry.Mode = Field(rest, 1);
        entry.UserId = Field(rest, 2);
        entry.GroupId = Field(rest, 3);
        entry.LinkCount = Field(rest, 4);
        entry.ModifyTime = Field(rest, 5);
        entry.DeviceMajor = Field(rest, 7);
        entry.DeviceMinor = Field(rest, 8);
        entry.SpecialDevice = DeviceNumber.Make(Field(rest, 9), Field(rest, 10));
        entry.Archive = _archive;
        // The padding behind the last entry may be missing.
        ulong end = AlignUp((ulong)Offset + dataStart + fileSize);
        next = end > (ulong)_bytes.Length ? _bytes.Length : (int)end;
        return CpioError.None;
    }

    private static ulong AlignUp(ulong value) => (value + 3) & ~3ul;

    private static uint Field(ReadOnlySpan<byte> header, int index)
    {
        uint value = 0;
        int start = MagicLength + index * FieldLength;
        for (int i = start; i < start + FieldLength; i++)
            value = value << 4 | (uint)HexValue(header[i]);
        return value;
    }

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };

    private static bool Contains(ReadOnlySpan<byte> bytes, byte wanted)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == wanted)
                return true;
        }
        return false;
    }

    // The first bytes of gzip, bzip2, xz, lzma, lz4 (legacy) and zstd.
    private static bool IsPacked(ReadOnlySpan<byte> bytes)
    {
        uint start = bytes[0] | (uint)bytes[1] << 8 | (uint)bytes[2] << 16 | (uint)bytes[3] << 24;
        return (start & 0xffff) == 0x8b1f || (start & 0xffffff) == 0x685a42 || start is 0x587a37fd or 0x184c2102 or 0xfd2fb528 || (start & 0xffffff) == 0x00005d;
    }
}
