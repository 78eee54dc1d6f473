using System;
using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Ip;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>A stack with one card. What it sends goes to <see cref="Peer"/>, or is kept for the test; the test can hand it frames.</summary>
internal sealed unsafe class TestHost : IDisposable
{
    public const uint PacketLimit = 4096;

    private readonly GCHandle _handle;
    private readonly VirtualClock _clock;
    private readonly System.Random _random;
    private readonly NetworkDevice* _device;
    private readonly Queue<byte[]> _arriving = new();
    private bool _isDelivering;

    public TestHost(VirtualClock clock, int number, NetworkFeatures features = NetworkFeatures.None, uint mtu = 1500)
    {
        _clock = clock;
        _random = new System.Random(number);
        _handle = GCHandle.Alloc(this);
        clock.Add(this);
        var environment = new NetworkEnvironment
        {
            Context = (void*)GCHandle.ToIntPtr(_handle),
            Now = &ReadClock,
            SetAlarm = &SetAlarm,
            FillRandom = &FillRandom,
        };
        Stack = NetworkStack.Create(environment, PacketLimit);
        Assert.True(Stack != null);
        _device = (NetworkDevice*)NativeMemory.AllocZeroed((nuint)sizeof(NetworkDevice));
        _device->Driver = environment.Context;
        _device->Address = new MacAddress(0x02 | ((ulong)number << 40));
        _device->Mtu = mtu;
        _device->Features = features;
        _device->IsLinkUp = true;
        _device->Start = &Start;
        _device->Stop = &Stop;
        _device->Transmit = &Transmit;
        _device->Flush = &Flush;
        Do(() => Card = Stack->Attach(_device));
        Assert.True(Card != null);
    }

    public NetworkStack* Stack { get; }

    public Kernel.Net.NetworkInterface* Card { get; private set; }

    public NetworkDevice* Device => _device;

    public PhysicalAddress Mac
    {
        get
        {
            byte[] bytes = new byte[6];
            _device->Address.Write(bytes);
            return new PhysicalAddress(bytes);
        }
    }

    /// <summary>Who gets the frames; null: they stay in <see cref="Sent"/>.</summary>
    public TestHost? Peer { get; set; }

    /// <summary>Looks at every frame before it goes to the peer; false loses it.</summary>
    public Func<byte[], bool>? Filter { get; set; }

    /// <summary>Frames that were sent, when there is no peer.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>How many bytes of a frame stand in one buffer when it comes in.</summary>
    public int ReceiveBufferSize { get; set; } = 1600;

    /// <summary>Frames the card has room for; more are refused until the test says otherwise.</summary>
    public int TransmitRoom { get; set; } = int.MaxValue;

    /// <summary>How often the card was told of packets.</summary>
    public int Flushes { get; private set; }

    public ulong Alarm { get; private set; } = ulong.MaxValue;

    public static void Connect(TestHost left, TestHost right)
    {
        left.Peer = right;
        right.Peer = left;
    }

    public static IpAddress Address(string text)
    {
        byte[] bytes = IPAddress.Parse(text).GetAddressBytes();
        return bytes.Length == 16 ? IpAddress.ReadV6(bytes) : IpAddress.FromV4(((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3]);
    }

    /// <summary>Gives the card an address.</summary>
    public void AddAddress(string address, byte prefixLength) =>
        Do(() => Assert.Equal(default, InterfaceAddresses.Add(Card, Address(address), prefixLength, AddressOrigin.Static)));

    /// <summary>Adds a default route.</summary>
    public void AddGateway(string gateway)
    {
        IpAddress address = Address(gateway);
        Do(() => Assert.Equal(default, Stack->AddRoute(new Route
        {
            Prefix = address.IsV4 ? IpAddress.Any4 : IpAddress.Any6,
            PrefixLength = address.IsV4 ? (byte)96 : (byte)0,
            Gateway = address,
            Interface = Card,
            ValidUntil = ulong.MaxValue,
        })));
    }

    /// <summary>A way into the stack.</summary>
    public void Do(Action action)
    {
        Stack->Enter();
        action();
        Stack->Leave();
        DeliverAll();
    }

    /// <summary>Hands the card a frame, as one batch.</summary>
    public void Receive(params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            HandUp(frame, ChecksumState.None);
        _device->BatchEnded(_device);
        DeliverAll();
    }

    public void HandUp(byte[] frame, ChecksumState checksum)
    {
        PacketBuffer* first = null;
        PacketBuffer* last = null;
        for (int at = 0; at < frame.Length || first == null; at += ReceiveBufferSize)
        {
            PacketBuffer* buffer = Stack->Packets.Allocate(first == null ? 18u : 0u);
            if (buffer == null)
            {
                PacketBuffer.Release(first);
                return;
            }
            int length = Math.Min(ReceiveBufferSize, frame.Length - at);
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
        first->Checksum = checksum;
        _device->Received(_device, first);
    }

    /// <summary>The card has room again.</summary>
    public void MakeRoom(int frames)
    {
        TransmitRoom = frames;
        _device->TransmitReady(_device);
        DeliverAll();
    }

    public void SetLink(bool isUp)
    {
        _device->IsLinkUp = isUp;
        _device->LinkChanged(_device);
    }

    public void Ring()
    {
        Alarm = ulong.MaxValue;
        Stack->RunTimers();
        DeliverAll();
    }

    /// <summary>The frames sent since the last call.</summary>
    public List<byte[]> TakeSent()
    {
        List<byte[]> frames = [.. Sent];
        Sent.Clear();
        return frames;
    }

    /// <summary>Ends the stack; every buffer must have come back.</summary>
    public void Dispose()
    {
        Stack->Neighbors.Clear(Card);
        Stack->Reassembly.Clear();
        Assert.Equal(0u, Stack->Packets.InUse);
        NetworkStack.Destroy(Stack);
        _clock.Remove(this);
        NativeMemory.Free(_device);
        _handle.Free();
    }

    private static TestHost Of(void* context) => (TestHost)GCHandle.FromIntPtr((nint)context).Target!;

    private static ulong ReadClock(void* context) => Of(context)._clock.Now;

    private static void SetAlarm(void* context, ulong at) => Of(context).Alarm = at;

    private static void FillRandom(void* context, byte* to, nuint count) => Of(context)._random.NextBytes(new Span<byte>(to, (int)count));

    private static bool Start(NetworkDevice* device, PacketPool* pool) => true;

    private static void Stop(NetworkDevice* device)
    {
    }

    private static bool Transmit(NetworkDevice* device, PacketBuffer* packet)
    {
        TestHost host = Of(device->Driver);
        if (host.TransmitRoom == 0)
            return false;
        host.TransmitRoom--;
        byte[] frame = new byte[packet->TotalLength];
        packet->Bytes.CopyTo(frame);
        int at = (int)packet->Length;
        for (int i = 0; i < packet->PartCount; i++)
        {
            new Span<byte>(packet->Parts[i].Data, (int)packet->Parts[i].Length).CopyTo(frame.AsSpan(at));
            at += (int)packet->Parts[i].Length;
        }
        Assert.Equal(frame.Length, at);
        if (packet->Checksum == ChecksumState.Partial)
        {
            // What the device does: from the transport header to the end.
            int start = (int)(packet->TransportHeader - packet->Data);
            int field = start + packet->ChecksumOffset;
            ushort sum;
            fixed (byte* bytes = frame)
                sum = (ushort)~InternetChecksum.Sum(bytes + start, (nuint)(frame.Length - start));
            MemoryMarshal.Write(frame.AsSpan(field), sum == 0 ? (ushort)0xffff : sum);
        }
        PacketBuffer.Release(packet);
        if (host.Peer == null)
            host.Sent.Add(frame);
        else if (host.Filter == null || host.Filter(frame))
            host.Peer._arriving.Enqueue(frame);
        return true;
    }

    private static void Flush(NetworkDevice* device) => Of(device->Driver).Flushes++;

    /// <summary>Hands over what is on the wire until it is still, each frame a batch of its own.</summary>
    private void DeliverAll()
    {
        if (_isDelivering || Peer is { _isDelivering: true })
            return;
        _isDelivering = true;
        bool isAny = true;
        while (isAny)
        {
            isAny = DeliverOne();
            if (Peer != null)
                isAny |= Peer.DeliverOne();
        }
        _isDelivering = false;
    }

    private bool DeliverOne()
    {
        if (!_arriving.TryDequeue(out byte[]? frame))
            return false;
        HandUp(frame, ChecksumState.None);
        _device->BatchEnded(_device);
        return true;
    }
}
