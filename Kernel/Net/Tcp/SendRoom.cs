namespace Ukl.Kernel.Net.Tcp;

/// <summary>How much a program may leave in the send queue. Sizes are memory, overhead included, as SO_SNDBUF counts on Linux.</summary>
internal static unsafe class SendRoom
{
    /// <summary>net.ipv4.tcp_wmem: what a connection begins with, and what it grows to by itself.</summary>
    public const uint Initial = 87040;

    /// <inheritdoc cref="Initial"/>
    public const uint Largest = 4 << 20;

    /// <summary>Whether POLLOUT is true: a third of the room is free (as Linux), and the pool has buffers.</summary>
    public static bool IsWritable(TcpConnection* c)
    {
        uint memory = c->SendQueue.Memory;
        return memory + (memory / 2) <= c->SndBuf && SendQueue.HasReserve(&c->Stack->Packets);
    }

    /// <summary>The congestion window has grown: the queue may hold two of it (Linux: tcp_sndbuf_expand).</summary>
    public static void Follow(TcpConnection* c)
    {
        if (c->Has(ConnectionFlags.IsSendBufferFixed) || c->SndBuf >= Largest)
            return;
        ulong segments = (c->Cwnd / c->SndMss) + 1;
        ulong wanted = 2 * segments * MemoryOf(c->SndMss);
        if (wanted > c->SndBuf)
            c->SndBuf = wanted < Largest ? (uint)wanted : Largest;
    }

    private static uint MemoryOf(uint mss) => (mss + PacketBuffer.PayloadCapacity - 1) / PacketBuffer.PayloadCapacity * PacketBuffer.BlockSize;
}
