using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Net.Tcp;

/// <summary>How much a program may leave in the send queue. Sizes are memory, overhead included, as SO_SNDBUF counts on Linux.</summary>
internal static unsafe class SendRoom
{
    /// <summary>net.ipv4.tcp_wmem: what a connection begins with, and what it grows to by itself.</summary>
    public const uint Initial = 87040;

    /// <inheritdoc cref="Initial"/>
    public const uint Largest = 4 << 20;

    /// <summary>How often a connection looks whether the pool has buffers again.</summary>
    private const ulong PoolInterval = 50_000_000;

    /// <summary>
    /// How many buffers of the pool one connection's queue may have: its part of the three quarters that are for senders. Clients that do not read thus leave room for
    /// those that come later.
    /// </summary>
    public static uint PartOf(PacketPool* pool) => pool->PartOf(pool->Limit - (pool->Limit >> 2));

    /// <summary>Whether POLLOUT is true: a third of the room is free (as Linux), and of the connection's part of the pool.</summary>
    public static bool IsWritable(TcpConnection* c)
    {
        uint memory = c->SendQueue.Memory;
        uint blocks = c->SendQueue.Blocks;
        return memory + (memory / 2) <= c->SndBuf && blocks + (blocks / 2) < PartOf(&c->Stack->Packets);
    }

    /// <summary>
    /// A program waits for room. Where nothing is in flight whose acknowledgement would bring some, because others have the pool's buffers, the timer looks
    /// again.
    /// </summary>
    public static void Wait(TcpConnection* c)
    {
        c->Flags |= ConnectionFlags.WantsRoom;
        if (c->InFlight == 0 && c->IsSynchronized && !c->RetransmitTimer.IsRunning)
            c->Stack->Timers.Start(&c->RetransmitTimer, c->Stack->Now + PoolInterval);
    }

    /// <summary>Tells a program that waits of room, when there is some.</summary>
    public static void Tell(TcpConnection* c)
    {
        if (!IsWritable(c))
        {
            Wait(c);
            return;
        }
        c->Flags &= ~ConnectionFlags.WantsRoom;
        c->Events |= PollEvents.Out | PollEvents.WriteNormal;
        TcpState.AddPending(c);
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
