using System;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>What comes in of a packet that this host sent to itself.</summary>
public sealed unsafe class PacketCopyTests : IDisposable
{
    private const int Headers = 40, Large = 1000, Small = 100;

    private readonly TestHost _host = new(new VirtualClock(), 1);

    [Fact]
    public void Large_parts_are_shared_and_small_ones_copied()
    {
        PacketPool* pool = &_host.Stack->Packets;
        uint atRest = pool->InUse;
        PacketBuffer* large = Filled(Large, 1), small = Filled(Small, 2), sent = Filled(Headers, 3);
        Assert.True(sent->TryAddPart(large->Data, Large));
        Assert.True(sent->TryAddPart(small->Data, Small));

        PacketBuffer* received = PacketCopy.OfSent(pool, sent);
        Assert.Equal(Headers + Large + Small, (int)received->TotalLength);
        PacketBuffer* second = received->NextPart, third = second->NextPart;
        Assert.True(second->Data == large->Data);
        Assert.Equal(0u, second->Tailroom);
        Assert.True(third->Data != small->Data);

        // The sender has done with it; the receiver has not.
        PacketBuffer.Release(sent);
        PacketBuffer.Release(large);
        PacketBuffer.Release(small);
        Assert.Equal(atRest + 4, pool->InUse);
        Check(received, Headers, 3);
        Check(second, Large, 1);
        Check(third, Small, 2);
        PacketBuffer.Release(received);
        Assert.Equal(atRest, pool->InUse);
    }

    [Fact]
    public void Without_buffers_there_is_none_and_nothing_is_left()
    {
        PacketPool* pool = &_host.Stack->Packets;
        uint atRest = pool->InUse;
        PacketBuffer* large = Filled(Large, 1), sent = Filled(Headers, 3);
        Assert.True(sent->TryAddPart(large->Data, Large));
        uint limit = pool->Limit;
        // One more buffer may be had: enough for the headers only.
        PacketBuffer* taken = null;
        while (pool->InUse < limit - 1)
        {
            PacketBuffer* more = pool->Allocate();
            more->NextPart = taken;
            taken = more;
        }
        Assert.True(PacketCopy.OfSent(pool, sent) == null);
        Assert.Equal(limit - 1, pool->InUse);
        Assert.Equal(2u, large->References);
        PacketBuffer.Release(taken);
        PacketBuffer.Release(sent);
        PacketBuffer.Release(large);
        Assert.Equal(atRest, pool->InUse);
    }

    public void Dispose() => _host.Dispose();

    private PacketBuffer* Filled(int length, byte value)
    {
        PacketBuffer* buffer = _host.Stack->Packets.Allocate();
        buffer->Length = (uint)length;
        buffer->Bytes.Fill(value);
        return buffer;
    }

    private static void Check(PacketBuffer* buffer, int length, byte value)
    {
        Assert.Equal(length, buffer->Bytes.Length);
        Assert.False(buffer->Bytes.ContainsAnyExcept(value));
    }
}
