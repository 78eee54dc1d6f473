using System.Runtime.InteropServices;

namespace Ukl.Drivers.Virtio.Net;

/// <summary>struct virtio_net_hdr: stands before every packet in both directions. Source: virtio 1.2, section 5.1.6.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct NetHeader
{
    /// <summary>Bytes.</summary>
    internal const int Size = 12;

    // flags.
    internal const byte NeedsChecksum = 1;
    internal const byte DataValid = 2;

    // gso_type.
    internal const byte Tcp4 = 1;
    internal const byte Tcp6 = 4;
    internal const byte ExplicitCongestion = 0x80;

    /// <summary>flags.</summary>
    internal byte Flags;

    /// <summary>gso_type.</summary>
    internal byte SegmentationType;

    /// <summary>hdr_len: bytes of all headers of a packet to be cut.</summary>
    internal ushort HeaderLength;

    /// <summary>gso_size.</summary>
    internal ushort SegmentSize;

    /// <summary>csum_start.</summary>
    internal ushort ChecksumStart;

    /// <summary>csum_offset, from <see cref="ChecksumStart"/>.</summary>
    internal ushort ChecksumOffset;

    /// <summary>num_buffers: in, how many buffers the packet takes.</summary>
    internal ushort BufferCount;
}
