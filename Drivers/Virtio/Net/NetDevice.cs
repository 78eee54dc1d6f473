// Device: virtio network device. Source: virtio 1.2, section 5.1. One pair of queues is used, receiveq1 and transmitq1 (numbers 0 and 1); every pair is a receiver and a
// transmitter, so that more of them are more of the same.
// QEMU: -netdev user,id=n -device virtio-net-pci,netdev=n (packed=on for packed queues); on microvm -device virtio-net-device,netdev=n.
using System;
using System.Runtime.CompilerServices;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net;
using Ukl.Kernel.Time;

namespace Ukl.Drivers.Virtio.Net;

/// <summary>A network card. Until the stack starts it, it has no queues and no buffers.</summary>
internal unsafe struct NetDevice<TQueue>
    where TQueue : unmanaged, IVirtQueue
{
    private const ushort ReceiveQueue = 0;
    private const ushort TransmitQueue = 1;
    private const ushort QueueSize = 256;

    /// <summary>Packets that are to be cut go through indirect tables: 64 KiB of payload in full blocks, its headers and one cut block.</summary>
    private const int TransmitTables = 32;
    private const int TransmitTableCapacity = 40;

    // struct virtio_net_config (section 5.1.4).
    private const uint MacOffset = 0;
    private const uint StatusOffset = 6;
    private const uint MtuOffset = 10;
    private const ushort LinkUp = 1;

    private const int EthernetHeader = 14;
    private const uint DefaultMtu = 1500;
    private const uint SmallestMtu = 68;
    private const uint LocallyAdministered = 2;
    private const uint Group = 1;

    /// <summary>The most packets handed up before the program has a turn, and how long that turn is: a device that is faster than the stack does not get it all.</summary>
    private const int Budget = 1024;
    private const ulong BudgetPause = 20_000;

    /// <summary>How long to wait, in nanoseconds, before asking again for memory that there was not.</summary>
    private const ulong MemoryPause = 2_000_000;

    private VirtioDevice _device;
    private NetReceiver<TQueue> _receiver;
    private NetTransmitter<TQueue> _transmitter;
    private NetworkDevice _card;
    private Timer _again;
    private bool _isStarted;
    private bool _wasStarted;

    private readonly bool IsUsable => _isStarted && !_device.IsBroken;

    /// <summary>Makes a network card of a device that has agreed on features. Null when the device cannot be used or memory ran out.</summary>
    internal static NetworkDevice* Create(in VirtioDevice device)
    {
        NetDevice<TQueue>* net = (NetDevice<TQueue>*)KernelHeap.Allocate((nuint)sizeof(NetDevice<TQueue>));
        if (net == null)
            return null;
        net->_device = device;
        net->_again.Callback = &HandleTimer;
        net->_again.Context = net;
        NetworkDevice* card = &net->_card;
        card->Driver = net;
        card->Start = &Start;
        card->Stop = &Stop;
        card->Transmit = &Transmit;
        card->Flush = &Flush;
        return net->TryReadConfiguration() ? card : null;
    }

    private bool TryReadConfiguration()
    {
        _card.Address = ReadAddress();
        _card.Mtu = _device.Has(NetFeatures.Mtu) ? _device.Read16(MtuOffset) : DefaultMtu;
        if (_card.Mtu < SmallestMtu)
            return _device.Fail("its MTU is too small"u8);
        uint largest = NetReceiver<TQueue>.BufferLength - NetHeader.Size - EthernetHeader;
        if (!_device.Has(NetFeatures.MergeableBuffers) && _card.Mtu > largest)
            _card.Mtu = largest;
        _card.IsLinkUp = ReadLink();
        if (_device.Has(NetFeatures.Checksum))
        {
            _card.Features = NetworkFeatures.TransmitChecksum;
            if (_device.Has(NetFeatures.HostSegmentation4))
                _card.Features |= NetworkFeatures.Segmentation4;
            if (_device.Has(NetFeatures.HostSegmentation6))
                _card.Features |= NetworkFeatures.Segmentation6;
        }
        return true;
    }

    private readonly MacAddress ReadAddress()
    {
        Span<byte> address = stackalloc byte[MacAddress.Size];
        if (_device.Has(NetFeatures.Mac))
        {
            _device.Read(MacOffset, address);
            return MacAddress.Read(address);
        }
        return new MacAddress((Kernel.Core.Random.NextUInt64() & 0xffff_ffff_fffc) | LocallyAdministered);
    }

    private readonly bool ReadLink() => !_device.Has(NetFeatures.Status) || (_device.Read16(StatusOffset) & LinkUp) != 0;

    private static bool Start(NetworkDevice* card, PacketPool* pool)
    {
        var net = (NetDevice<TQueue>*)card->Driver;
        if (net->IsUsable || net->_device.IsBroken)
            return net->IsUsable;
        // A device that was stopped has forgotten what was agreed on.
        if (net->_wasStarted && !net->_device.TryNegotiate(&NetFeatures.Choose))
            return false;
        net->_wasStarted = true;
        if (!net->_device.TryStartQueue(&net->_receiver.Queue, ReceiveQueue, QueueSize, 0, 0, &HandleReceive, net)
            || !net->_device.TryStartQueue(&net->_transmitter.Queue, TransmitQueue, QueueSize, TransmitTables, TransmitTableCapacity, &HandleTransmit, net)
            || (net->_device.Has(NetFeatures.Status) && !net->_device.TryWatchConfiguration(&HandleConfiguration, net)))
            return false;
        net->_receiver.Initialize(pool, net->_device.Features);
        net->_transmitter.Initialize();
        net->_isStarted = true;
        net->_device.Start();
        net->Receive();
        return true;
    }

    private static void Stop(NetworkDevice* card)
    {
        var net = (NetDevice<TQueue>*)card->Driver;
        if (!net->_isStarted)
            return;
        net->_isStarted = false;
        _ = Timers.Cancel(&net->_again);
        if (!net->_device.TryStop())
            return;
        Drain(&net->_receiver.Queue);
        Drain(&net->_transmitter.Queue);
    }

    private static void Drain(TQueue* queue)
    {
        while (queue->TryDrain(out void* packet))
            PacketBuffer.Release((PacketBuffer*)packet);
        queue->Free();
    }

    private static bool Transmit(NetworkDevice* card, PacketBuffer* packet)
    {
        var net = (NetDevice<TQueue>*)card->Driver;
        if (net->IsUsable)
        {
            if (net->_transmitter.TrySend(packet))
                return true;
            if (!net->Check())
                return false;
        }
        // Lost, as on a cable that nobody is at the other end of.
        PacketBuffer.Release(packet);
        return true;
    }

    private static void Flush(NetworkDevice* card)
    {
        var net = (NetDevice<TQueue>*)card->Driver;
        if (!net->IsUsable)
            return;
        VirtioDevice.Kick(&net->_transmitter.Queue);
        net->_transmitter.Reclaim();
        _ = net->Check();
    }

    private static void HandleReceive(void* context)
    {
        var net = (NetDevice<TQueue>*)context;
        if (net->IsUsable)
            net->Receive();
    }

    private static void HandleTransmit(void* context)
    {
        var net = (NetDevice<TQueue>*)context;
        if (!net->IsUsable)
            return;
        net->_transmitter.Reclaim();
        if (!net->Check())
            net->Unblock();
    }

    private static void HandleConfiguration(void* context)
    {
        var net = (NetDevice<TQueue>*)context;
        if (!net->IsUsable || net->_device.CheckStatus())
        {
            net->GiveUp();
            return;
        }
        NetworkDevice* card = &net->_card;
        bool isUp = net->ReadLink();
        if (isUp == card->IsLinkUp)
            return;
        card->IsLinkUp = isUp;
        card->LinkChanged(card);
    }

    private static void HandleTimer(Timer* timer) => HandleReceive(timer->Context);

    /// <summary>Hands up what came in, batch by batch, until nothing more is there.</summary>
    private void Receive()
    {
        var card = (NetworkDevice*)Unsafe.AsPointer(ref _card);
        int left = Budget;
        _receiver.Queue.SuspendInterrupts();
        do
        {
            int before = left;
            PacketBuffer* packet;
            while (left != 0 && (packet = _receiver.Take()) != null)
            {
                left--;
                card->Received(card, packet);
            }
            if (left != before)
                card->BatchEnded(card);
            // The stack may have stopped the device.
            if (!_isStarted || Check())
                return;
            if (_receiver.Refill())
                _receiver.Queue.Notifier.Notify();
        }
        while (left != 0 && _receiver.Queue.ResumeInterrupts());

        var again = (Timer*)Unsafe.AsPointer(ref _again);
        if (left == 0)
            Timers.Start(again, Clock.MonotonicNanoseconds + BudgetPause);
        else if (_receiver.IsStarving)
            Timers.Start(again, Clock.MonotonicNanoseconds + MemoryPause);
        _transmitter.Reclaim();
        if (!Check())
            Unblock();
    }

    private void Unblock()
    {
        if (_transmitter.TryUnblock())
            _card.TransmitReady((NetworkDevice*)Unsafe.AsPointer(ref _card));
    }

    /// <summary>Whether the device has broken the rules; then it is stopped.</summary>
    private bool Check()
    {
        if (_receiver.Queue.Fault == QueueFault.None && _transmitter.Queue.Fault == QueueFault.None && !_receiver.IsMalformed)
            return _device.IsBroken;
        _device.Break(_receiver.Queue.Fault);
        _device.Break(_transmitter.Queue.Fault);
        _device.Break("it gave a packet that is none"u8);
        GiveUp();
        return true;
    }

    /// <summary>The device is broken: a stack that waits for room gets it, and its packets are lost.</summary>
    private void GiveUp()
    {
        if (_device.IsBroken && _transmitter.Unblock())
            _card.TransmitReady((NetworkDevice*)Unsafe.AsPointer(ref _card));
    }
}
