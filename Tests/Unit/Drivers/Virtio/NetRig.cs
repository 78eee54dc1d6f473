using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Ukl.Drivers.Virtio;
using Ukl.Drivers.Virtio.Net;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>A network card with a fake device below it and, in the place of the stack, a test above it.</summary>
internal sealed unsafe class NetRig : IDisposable
{
    public const int HeaderSize = 12;
    public const ulong Everything = NetFeatures.Checksum | NetFeatures.GuestChecksum | NetFeatures.Mtu | NetFeatures.Mac | NetFeatures.GuestSegmentation4
        | NetFeatures.GuestSegmentation6 | NetFeatures.HostSegmentation4 | NetFeatures.HostSegmentation6 | NetFeatures.MergeableBuffers | NetFeatures.Status
        | Features.EventIndex | Features.IndirectDescriptors;

    [ThreadStatic] private static NetRig? s_current;

    private readonly bool _wasStarted;

    public NetRig(ulong offered = Everything, bool isPci = true, uint poolLimit = 4096, ushort queueSize = 256, byte[]? configuration = null, bool start = true)
    {
        s_current = this;
        Fake = new FakeVirtioDevice(1, 3, offered)
        {
            Configuration = configuration ?? [0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0, 1, 0, 0xdc, 0x05],
            MaximumQueueSize = queueSize,
        };
        Fake.Notified = queue => Notifications[queue]++;
        var device = new VirtioDevice(VirtioRig.Connect(Fake, isPci), "virtio-net"u8);
        Assert.True(device.TryNegotiate(&NetFeatures.Choose));
        Card = device.Has(Features.RingPacked) ? NetDevice<PackedQueue>.Create(device) : NetDevice<SplitQueue>.Create(device);
        Pool = (PacketPool*)NativeMemory.AllocZeroed((nuint)sizeof(PacketPool));
        Pool->Limit = poolLimit;
        if (Card == null)
            return;
        Card->Received = &Receive;
        Card->BatchEnded = &EndBatch;
        Card->TransmitReady = &BecomeReady;
        Card->LinkChanged = &ChangeLink;
        if (start)
        {
            _wasStarted = true;
            Assert.True(Card->Start(Card, Pool));
        }
    }

    public FakeVirtioDevice Fake { get; }

    public NetworkDevice* Card { get; }

    public PacketPool* Pool { get; }

    public int[] Notifications { get; } = new int[3];

    /// <summary>Packets handed up, each a pointer that the test owns.</summary>
    public List<nint> Packets { get; } = [];

    public int Batches { get; private set; }

    public int Readies { get; private set; }

    public int LinkChanges { get; private set; }

    /// <summary>Called for each packet handed up.</summary>
    public Action<nint> OnReceived { get; set; } = _ => { };

    /// <summary>Called at the end of each batch.</summary>
    public Action OnBatch { get; set; } = () => { };

    /// <summary>Called when there is room again.</summary>
    public Action OnReady { get; set; } = () => { };

    private static void Receive(NetworkDevice* card, PacketBuffer* packet)
    {
        s_current!.Packets.Add((nint)packet);
        s_current.OnReceived((nint)packet);
    }

    private static void EndBatch(NetworkDevice* card)
    {
        s_current!.Batches++;
        s_current.OnBatch();
    }

    private static void BecomeReady(NetworkDevice* card)
    {
        s_current!.Readies++;
        s_current.OnReady();
    }

    private static void ChangeLink(NetworkDevice* card) => s_current!.LinkChanges++;

    /// <summary>The device receives a packet of this length and puts it into as many buffers as it takes; false when it has too few.</summary>
    public bool Arrive(int length, byte flags = 0, byte segmentation = 0, ushort segmentSize = 0, ushort? bufferCount = null, int seed = 0)
    {
        byte[] bytes = new byte[HeaderSize + length];
        for (int i = HeaderSize; i < bytes.Length; i++)
            bytes[i] = (byte)(i + seed);
        var buffers = new List<FakeBuffer>();
        int room = 0;
        while (room < bytes.Length)
        {
            if (Fake.Queues[0].Pop() is not { } buffer)
                return false;
            buffers.Add(buffer);
            room += (int)buffer.Writable;
        }
        bytes[0] = flags;
        bytes[1] = segmentation;
        BitConverter.TryWriteBytes(bytes.AsSpan(4), segmentSize);
        BitConverter.TryWriteBytes(bytes.AsSpan(10), bufferCount ?? (ushort)buffers.Count);
        int at = 0;
        foreach (FakeBuffer buffer in buffers)
        {
            int part = Math.Min((int)buffer.Writable, bytes.Length - at);
            bytes.AsSpan(at, part).CopyTo(new Span<byte>((byte*)DirectMap.Base + buffer.Segments[0].Address, part));
            Fake.Push(0, buffer, (uint)part);
            at += part;
        }
        return true;
    }

    /// <summary>Takes the oldest packet that was handed up and gives its bytes.</summary>
    public byte[] TakeBytes()
    {
        var packet = (PacketBuffer*)Packets[0];
        Packets.RemoveAt(0);
        var bytes = new List<byte>();
        for (PacketBuffer* part = packet; part != null; part = part->NextPart)
            bytes.AddRange(part->Bytes.ToArray());
        Assert.Equal((uint)bytes.Count, packet->TotalLength);
        PacketBuffer.Release(packet);
        return [.. bytes];
    }

    public void ReleaseAll()
    {
        foreach (nint packet in Packets)
            PacketBuffer.Release((PacketBuffer*)packet);
        Packets.Clear();
    }

    /// <summary>A packet to send: a block with this many bytes and parts of other blocks.</summary>
    public PacketBuffer* Make(int length, params int[] parts)
    {
        PacketBuffer* packet = Pool->Allocate();
        packet->Length = (uint)length;
        packet->Bytes.Fill(0xaa);
        for (int i = 0; i < parts.Length; i++)
        {
            PacketBuffer* data = Pool->Allocate();
            new Span<byte>(data->Data, parts[i]).Fill((byte)i);
            Assert.True(packet->TryAddPart(data->Data, (uint)parts[i]));
            PacketBuffer.Release(data);
        }
        return packet;
    }

    /// <summary>The device sends what it has: header and bytes of each packet.</summary>
    public List<byte[]> SendAll(int limit = int.MaxValue)
    {
        var sent = new List<byte[]>();
        while (sent.Count < limit && Fake.Queues[1].Pop() is { } buffer)
        {
            Assert.All(buffer.Segments, segment => Assert.False(segment.IsWritable));
            sent.Add([.. buffer.Segments.SelectMany(segment => new Span<byte>((byte*)DirectMap.Base + segment.Address, (int)segment.Length).ToArray())]);
            Fake.Push(1, buffer, 0);
        }
        return sent;
    }

    public void Dispose()
    {
        ReleaseAll();
        if (Card != null && _wasStarted)
            Card->Stop(Card);
        if (Pool->InUse == 0)
            Pool->Clear();
        NativeMemory.Free(Pool);
        VirtioRig.Clear();
    }
}
