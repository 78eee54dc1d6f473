namespace Ukl.Kernel.Net.Tcp;

/// <summary>What a segment finds in the <see cref="FlowTable"/>.</summary>
internal enum FlowKind : byte
{
    Connection,

    /// <summary>A connection request whose handshake is not complete.</summary>
    Request,

    TimeWait,
}

/// <summary>The first field of everything that owns a pair of addresses and ports.</summary>
internal unsafe struct FlowEntry
{
    /// <summary>The next in the bucket.</summary>
    public FlowEntry* Next;

    public uint Hash;
    public FlowKind Kind;
    public bool IsInTable;

    /// <summary>This host's address and port.</summary>
    public IpAddress Local;
    public IpAddress Remote;
    public ushort LocalPort;
    public ushort RemotePort;
}
