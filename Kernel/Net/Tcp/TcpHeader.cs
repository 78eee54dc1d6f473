// The header of a segment. Source of truth: RFC 9293 section 3.1. Nothing but reading and writing; what it means is decided elsewhere.
using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>The control bits.</summary>
[Flags]
public enum TcpFlags : byte
{
    None = 0,
    Fin = 0x01,
    Syn = 0x02,
    Reset = 0x04,
    Push = 0x08,
    Acknowledgment = 0x10,
    Urgent = 0x20,
    EcnEcho = 0x40,
    CongestionWindowReduced = 0x80,
}

/// <summary>The fixed part of a header, in host order.</summary>
public unsafe struct TcpHeader
{
    /// <summary>Bytes without options.</summary>
    public const uint MinimumSize = 20;

    /// <summary>Bytes with all options there may be.</summary>
    public const uint MaximumSize = 60;

    /// <summary>Where the checksum stands.</summary>
    public const ushort ChecksumOffset = 16;

    /// <summary>The sender's port.</summary>
    public ushort SourcePort;

    /// <summary>The receiver's port.</summary>
    public ushort DestinationPort;

    /// <summary>SEG.SEQ.</summary>
    public uint Sequence;

    /// <summary>SEG.ACK.</summary>
    public uint Acknowledgment;

    /// <summary>SEG.WND as it stands in the header, not scaled.</summary>
    public ushort Window;

    /// <summary>SEG.UP.</summary>
    public ushort UrgentPointer;

    /// <summary>Bytes of header and options.</summary>
    public uint Size;

    /// <summary>The control bits.</summary>
    public TcpFlags Flags;

    /// <summary>Whether a control bit is set.</summary>
    public readonly bool Has(TcpFlags flag) => (Flags & flag) != 0;

    /// <summary>Reads a header of which <paramref name="available"/> bytes lie at <paramref name="from"/>. False when it is too short or says so itself.</summary>
    public static bool TryRead(byte* from, uint available, out TcpHeader header)
    {
        header = default;
        if (available < MinimumSize)
            return false;
        uint size = (uint)(from[12] >> 4) * 4;
        if (size < MinimumSize || size > available)
            return false;
        header.SourcePort = ReadUInt16(from);
        header.DestinationPort = ReadUInt16(from + 2);
        header.Sequence = ReadUInt32(from + 4);
        header.Acknowledgment = ReadUInt32(from + 8);
        header.Size = size;
        header.Flags = (TcpFlags)from[13];
        header.Window = ReadUInt16(from + 14);
        header.UrgentPointer = ReadUInt16(from + 18);
        return true;
    }

    /// <summary>Writes all but the checksum, which becomes <paramref name="checksum"/> as it is (the partial sum of the pseudo header).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* to, ushort sourcePort, ushort destinationPort, uint sequence, uint acknowledgment, uint size, TcpFlags flags, ushort window,
        ushort checksum, ushort urgentPointer)
    {
        WriteUInt32(to, ((uint)sourcePort << 16) | destinationPort);
        WriteUInt32(to + 4, sequence);
        WriteUInt32(to + 8, acknowledgment);
        WriteUInt32(to + 12, (size << 26) | ((uint)flags << 16) | window);
        *(ushort*)(to + 16) = checksum;
        *(ushort*)(to + 18) = BinaryPrimitives.ReverseEndianness(urgentPointer);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ushort ReadUInt16(byte* from) => BinaryPrimitives.ReverseEndianness(*(ushort*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint ReadUInt32(byte* from) => BinaryPrimitives.ReverseEndianness(*(uint*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void WriteUInt32(byte* to, uint value) => *(uint*)to = BinaryPrimitives.ReverseEndianness(value);
}
