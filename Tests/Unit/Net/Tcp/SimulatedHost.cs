using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>What a simulated card does.</summary>
internal sealed record CardSettings
{
    public uint Mtu { get; init; } = 1500;

    /// <summary>It cuts large segments, and completes checksums.</summary>
    public bool CanSegment { get; init; }

    /// <summary>It completes checksums.</summary>
    public bool CanChecksum { get; init; }

    /// <summary>It puts segments together that come in one after the other.</summary>
    public bool CanMerge { get; init; }

    public uint PacketLimit { get; init; } = 4096;
}

/// <summary>A stack with one card on a <see cref="SimulatedLink"/>.</summary>
internal sealed unsafe class SimulatedHost : IDisposable
{
    private readonly GCHandle _handle;
    private readonly SimulatedWorld _world;
    private readonly NetworkDevice* _device;
    private readonly CardSettings _settings;
    private bool _isInside;

    public SimulatedHost(SimulatedWorld world, int number, CardSettings settings)
    {
        _world = world;
        _settings = settings;
        _handle = GCHandle.Alloc(this);
        world.Add(this);
        var environment = new NetworkEnvironment
        {
            Context = (void*)GCHandle.ToIntPtr(_handle),
            Now = &ReadClock,
            SetAlarm = &SetAlarm,
            FillRandom = &FillRandom,
        };
        Stack = NetworkStack.Create(environment, settings.PacketLimit);
        Assert.True(Stack != null);
        _device = (NetworkDevice*)NativeMemory.AllocZeroed((nuint)sizeof(NetworkDevice));
        _device->Driver = environment.Context;
        _device->Address = new MacAddress(0x0200_0000_0002 | ((ulong)number << 40));
        _device->Mtu = settings.Mtu;
        if (settings.CanSegment)
            _device->Features |= NetworkFeatures.Segmentation4 | NetworkFeatures.Segmentation6;
        if (settings.CanChecksum || settings.CanSegment)
            _device->Features |= NetworkFeatures.TransmitChecksum;
        _device->IsLinkUp = true;
        _device->Start = &Start;
        _device->Stop = &Stop;
        _device->Transmit = &Transmit;
        _device->Flush = &Flush;
        Address4 = IpAddress.FromV4(0x0a00_0000u + (uint)number);
        Address6 = new IpAddress(0xfd00_0000_0000_0000, (ulong)number);
        Do(() =>
        {
            Card = Stack->Attach(_device);
            Assert.Equal(default, InterfaceAddresses.Add(Card, Address4, 24, AddressOrigin.Static));
            Assert.Equal(default, InterfaceAddresses.Add(Card, Address6, 64, AddressOrigin.Static));
        });
    }

    public NetworkStack* Stack { get; }

    public NetworkInterface* Card { get; private set; }

    public IpAddress Address4 { get; }

    public IpAddress Address6 { get; }

    public SimulatedLink? Link { get; set; }

    public ulong Alarm { get; private set; } = ulong.MaxValue;

    /// <summary>How many TCP segments came in and went out.</summary>
    public int SegmentsReceived { get; private set; }

    /// <inheritdoc cref="SegmentsReceived"/>
    public int SegmentsSent { get; private set; }

    /// <summary>A way into the stack.</summary>
    public void Do(Action action)
    {
        Assert.False(_isInside);
        _isInside = true;
        Stack->Enter();
        action();
        Stack->Leave();
        _isInside = false;
    }

    public void Ring()
    {
        Alarm = ulong.MaxValue;
        Stack->RunTimers();
    }

    /// <summary>Frames arrive, in one batch.</summary>
    public void Receive(List<byte[]> frames)
    {
        if (_settings.CanMerge)
            frames = Offload.Merge(frames);
        foreach (byte[] frame in frames)
        {
            if (Offload.IsTcp(frame))
                SegmentsReceived++;
            HandUp(frame);
        }
        _device->BatchEnded(_device);
    }

    /// <summary>Everything that TCP took must have been given back.</summary>
    public void CheckAtRest(string context)
    {
        ref TcpState tcp = ref Stack->Tcp;
        Assert.True(tcp.ConnectionCount == 0, $"{context}: {tcp.ConnectionCount} connections left");
        Assert.True(tcp.OrphanCount == 0, $"{context}: {tcp.OrphanCount} orphans left");
        Assert.True(tcp.RequestCount == 0, $"{context}: {tcp.RequestCount} requests left");
        Assert.True(tcp.TimeWaitCount == 0, $"{context}: {tcp.TimeWaitCount} TIME-WAITs left");
        Assert.True(tcp.Flows.Count == 0, $"{context}: {tcp.Flows.Count} flows left");
        Assert.True(tcp.Ports.Count == 0, $"{context}: {tcp.Ports.Count} ports left");
        Assert.True(!tcp.HasPending, $"{context}: work left");
        Stack->Neighbors.Clear(Card);
        Assert.True(Stack->Packets.InUse == 0, $"{context}: {Stack->Packets.InUse} packet buffers left");
    }

    public void Dispose()
    {
        NetworkStack.Destroy(Stack);
        NativeMemory.Free(_device);
        _handle.Free();
    }

    private void HandUp(byte[] frame)
    {
        PacketBuffer* first = null;
        PacketBuffer* last = null;
        const int room = 1600;
        for (int at = 0; at < frame.Length; at += room)
        {
            PacketBuffer* buffer = Stack->Packets.Allocate(first == null ? 18u : 0u);
            if (buffer == null)
            {
                PacketBuffer.Release(first);
                return;
            }
            int length = Math.Min(room, frame.Length - at);
            frame.AsSpan(at, length).CopyTo(new Span<byte>(buffer->Data, length));
            buffer->Length = (uint)length;
            if (first == null)
            {
                first = buffer;
            }
            else
            {
                last->NextPart = buffer;
                first->PartsLength += (uint)length;
            }
            last = buffer;
        }
        if (frame.Length > _settings.Mtu + Offload.EthernetSize)
        {
            // What was put together has been checked.
            first->Checksum = ChecksumState.Verified;
            first->Segmentation = Offload.IsV4(frame) ? SegmentationKind.Tcp4 : SegmentationKind.Tcp6;
            first->SegmentSize = (ushort)Offload.SegmentSizeOf(frame);
        }
        _device->Received(_device, first);
    }

    private static SimulatedHost Of(void* context) => (SimulatedHost)GCHandle.FromIntPtr((nint)context).Target!;

    private static ulong ReadClock(void* context) => Of(context)._world.Now;

    private static void SetAlarm(void* context, ulong at) => Of(context).Alarm = at;

    private static void FillRandom(void* context, byte* to, nuint count) => Of(context)._world.Random.NextBytes(new Span<byte>(to, (int)count));

    private static bool Start(NetworkDevice* device, PacketPool* pool) => true;

    private static void Stop(NetworkDevice* device)
    {
    }

    private static bool Transmit(NetworkDevice* device, PacketBuffer* packet)
    {
        SimulatedHost host = Of(device->Driver);
        byte[] frame = new byte[packet->TotalLength];
        packet->Bytes.CopyTo(frame);
        int at = (int)packet->Length;
        for (int i = 0; i < packet->PartCount; i++)
        {
            new Span<byte>(packet->Parts[i].Data, (int)packet->Parts[i].Length).CopyTo(frame.AsSpan(at));
            at += (int)packet->Parts[i].Length;
        }
        Assert.Equal(frame.Length, at);
        if (packet->Segmentation != SegmentationKind.None)
        {
            Assert.True(host._settings.CanSegment, "a card that cannot cut segments was given a large one");
            Assert.Equal(ChecksumState.Partial, packet->Checksum);
            foreach (byte[] segment in Offload.Cut(frame, packet->SegmentSize))
                host.Send(segment);
        }
        else
        {
            if (packet->Checksum == ChecksumState.Partial)
                Offload.Complete(frame, (int)(packet->TransportHeader - packet->Data), packet->ChecksumOffset);
            host.Send(frame);
        }
        PacketBuffer.Release(packet);
        return true;
    }

    private void Send(byte[] frame)
    {
        Assert.True(frame.Length <= _settings.Mtu + Offload.EthernetSize, "a frame is larger than the card takes");
        if (Offload.IsTcp(frame))
            SegmentsSent++;
        Link?.Send(this, frame);
    }

    private static void Flush(NetworkDevice* device)
    {
    }
}
