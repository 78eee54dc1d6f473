namespace Ukl.Kernel.Net.Tcp;

/// <summary>A segment that came in.</summary>
internal unsafe struct Segment
{
    /// <summary>The packet, its data still beginning with the header. Null once somebody has taken it.</summary>
    public PacketBuffer* Packet;

    public TcpHeader Header;
    public TcpOptions Options;

    /// <summary>SEG.LEN without SYN and FIN.</summary>
    public uint Length;

    /// <summary>The sequence number after the segment's last.</summary>
    public readonly uint End => Header.Sequence + Length + (Header.Has(TcpFlags.Syn) ? 1u : 0) + (Header.Has(TcpFlags.Fin) ? 1u : 0);

    /// <summary>The payload of one segment as it was on the wire: of several that were put together, of each but the last.</summary>
    public readonly uint WireLength => Packet->Segmentation != SegmentationKind.None && Packet->SegmentSize != 0 ? Packet->SegmentSize : Length;
}
