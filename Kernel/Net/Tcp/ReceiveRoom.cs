// How much may wait for a program to read it. The buffer grows with what the program reads in a round trip, as Linux does it: M. Fisk and W. Feng, Dynamic Right-Sizing in
// TCP, LACSI 2001. Sizes are memory, overhead included; half of it is offered as window (Linux: tcp_adv_win_scale 1).
namespace Ukl.Kernel.Net.Tcp;

/// <summary>The size of the receive buffer.</summary>
internal static unsafe class ReceiveRoom
{
    /// <summary>net.ipv4.tcp_rmem: what a connection begins with, and what it grows to by itself.</summary>
    public const uint Initial = 131072;

    /// <inheritdoc cref="Initial"/>
    public const uint Largest = 6 << 20;

    /// <summary>The window that the first segment offers, which is not scaled.</summary>
    private const uint LargestUnscaled = 65535;

    /// <summary>How the window field must be scaled so that all of the buffer can be offered.</summary>
    public static byte ScaleFor(TcpConnection* c)
    {
        uint most = c->Has(ConnectionFlags.IsReceiveBufferFixed) ? c->RcvBuf : Largest;
        byte scale = 0;
        while (most >> scale > LargestUnscaled && scale < TcpOptions.LargestWindowScale)
            scale++;
        return scale;
    }

    /// <summary>The window of the first segment.</summary>
    public static uint FirstWindow(uint buffer) => buffer / 2 < LargestUnscaled ? buffer / 2 : LargestUnscaled;

    /// <summary>How many buffers of the pool one connection's queues may have: its part of all but an eighth. What senders keep leaves more.</summary>
    public static uint PartOf(PacketPool* pool) => pool->PartOf(pool->Limit - (pool->Limit >> 3));

    /// <summary>The size of the buffer, or what it shrinks to while buffers of the pool are scarce.</summary>
    public static uint SizeNow(TcpConnection* c)
    {
        PacketPool* pool = &c->Stack->Packets;
        return pool->IsScarce && PartOf(pool) is var part && part < c->RcvBuf / PacketBuffer.BlockSize ? part * PacketBuffer.BlockSize : c->RcvBuf;
    }

    /// <summary>The program has read <paramref name="count"/> bytes.</summary>
    public static void OnRead(TcpConnection* c, uint count)
    {
        ref ReceiveTuning tuning = ref c->Tuning;
        tuning.Copied += count;
        ulong now = c->Stack->Now;
        if (now - tuning.Since < c->Rtt.Smoothed || c->Rtt.Smoothed == 0)
            return;
        if (tuning.Copied > tuning.Space)
        {
            Grow(c, tuning.Copied, tuning.Space);
            tuning.Space = tuning.Copied;
        }
        tuning.Copied = 0;
        tuning.Since = now;
    }

    private static void Grow(TcpConnection* c, uint copied, uint space)
    {
        if (c->Has(ConnectionFlags.IsReceiveBufferFixed) || c->RcvBuf >= Largest)
            return;
        // Twice what came in a round trip, so that the sender can double; more while it speeds up; as memory, twice that again.
        ulong window = (2UL * copied) + (16 * c->RcvMss);
        if (space != 0)
            window += 2 * (window * (copied - space) / space);
        ulong wanted = 2 * window;
        if (wanted > c->RcvBuf)
            c->RcvBuf = wanted < Largest ? (uint)wanted : Largest;
    }
}
