using System;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Arch;
using Ukl.Tests.Unit.Drivers.Pci;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>A virtio device on PCI: virtio 1.2, section 4.1. Registers at 0x0000 of base address 4, messages at 0 of base address 1.</summary>
internal sealed class FakeVirtioFunction : IHostedMemoryDevice
{
    public const ulong RegistersAddress = 0x3800_0000_0000;
    private const ulong MessagesAddress = 0xfebd_0000;
    private const int NotifyStart = 0x1000, DeviceStart = 0x2000, NotifyMultiplier = 4;
    private const ushort NoVector = 0xffff;

    private readonly FakeVirtioDevice _device;
    private readonly FakeMemory _messages;
    private readonly ushort[] _vectors = new ushort[16];
    private uint _deviceFeaturesSelect, _driverFeaturesSelect;
    private ushort _queue, _configurationVector = NoVector;
    private QueueLayout _layout;

    public FakeVirtioFunction(FakeVirtioDevice device, int messageCount = 4, bool isTransitional = false)
    {
        _device = device;
        Array.Fill(_vectors, NoVector);
        Function = isTransitional
            ? new FakePciFunction(0x1af4, 0x1000, (ushort)device.Type)
            : new FakePciFunction(0x1af4, (ushort)(0x1040 + device.Type), 0x1100);
        Function.AddBar(1, MessagesAddress, 0x1000, isWide: false);
        Function.AddBar(4, RegistersAddress, 0x4000, isWide: true);
        if (messageCount != 0)
            Function.AddCapability(0x98, 0x11, (byte)(messageCount - 1), 0, 1, 0, 0, 0);
        AddCapability(0x80, 4, DeviceStart, 0x1000);
        AddCapability(0x60, 2, NotifyStart, 0x1000, NotifyMultiplier);
        AddCapability(0x40, 1, 0, 0x1000);
        _messages = new FakeMemory(16 * Math.Max(messageCount, 1));
        HostedRegisters.Attach(MessagesAddress, (ulong)_messages.Bytes.Length, _messages);
        HostedRegisters.Attach(RegistersAddress, 0x4000, this);
        device.Interrupt = queue => Send(queue < 0 ? _configurationVector : _vectors[queue]);
    }

    public FakePciFunction Function { get; }

    private void AddCapability(byte offset, byte type, uint start, uint length, uint? multiplier = null)
    {
        byte[] rest = new byte[multiplier is null ? 14 : 18];
        rest[0] = (byte)(rest.Length + 2);
        rest[1] = type;
        rest[2] = 4;
        BitConverter.TryWriteBytes(rest.AsSpan(6), start);
        BitConverter.TryWriteBytes(rest.AsSpan(10), length);
        if (multiplier is { } value)
            BitConverter.TryWriteBytes(rest.AsSpan(14), value);
        Function.AddCapability(offset, 9, rest);
    }

    private void Send(ushort vector)
    {
        if (vector == NoVector || (_messages.Read((ulong)vector * 16 + 12, 4) & 1) != 0)
            return;
        ulong entry = (ulong)vector * 16;
        HostedInterrupts.Send(_messages.Read(entry, 4) | (ulong)_messages.Read(entry + 4, 4) << 32, _messages.Read(entry + 8, 4));
    }

    public uint Read(ulong offset, int size)
    {
        if (offset >= DeviceStart)
        {
            uint value = 0;
            for (int i = size - 1; i >= 0; i--)
                value = value << 8 | _device.ReadConfiguration((int)offset - DeviceStart + i);
            return value;
        }
        bool isQueue = _queue < _device.QueueCount;
        return (offset, size) switch
        {
            (0x04, 4) => (uint)(_device.Offered >> (int)(32 * _deviceFeaturesSelect)),
            (0x10, 2) => _configurationVector,
            (0x12, 2) => (uint)_device.QueueCount,
            (0x14, 1) => _device.Status,
            (0x15, 1) => _device.Generation,
            (0x18, 2) => isQueue ? _device.MaximumQueueSize : 0u,
            (0x1a, 2) => isQueue ? _vectors[_queue] : NoVector,
            (0x1c, 2) => isQueue && _device.Queues[_queue].IsEnabled ? 1u : 0,
            (0x1e, 2) => _queue,
            _ => 0,
        };
    }

    public void Write(ulong offset, int size, uint value)
    {
        if (offset is >= NotifyStart and < DeviceStart)
        {
            _device.Notified((int)(offset - NotifyStart) / NotifyMultiplier);
            return;
        }
        switch (offset, size)
        {
            case (0x00, 4):
                _deviceFeaturesSelect = value;
                break;
            case (0x08, 4):
                _driverFeaturesSelect = value;
                break;
            case (0x0c, 4):
                _device.Accepted |= (ulong)value << (int)(32 * _driverFeaturesSelect);
                break;
            case (0x10, 2):
                _configurationVector = (ushort)value;
                break;
            case (0x14, 1):
                _device.WriteStatus((byte)value);
                break;
            case (0x16, 2):
                _queue = (ushort)value;
                break;
            case (0x18, 2):
                _layout.Size = (ushort)value;
                break;
            case (0x1a, 2):
                _vectors[_queue] = (ushort)value;
                break;
            case (0x1c, 2) when !_device.RefusesQueues:
                _device.Queues[_queue].Layout = _layout;
                _device.Queues[_queue].IsEnabled = true;
                break;
            case (0x20, 4):
                _layout.DescriptorArea = value;
                break;
            case (0x24, 4):
                _layout.DescriptorArea |= (ulong)value << 32;
                break;
            case (0x28, 4):
                _layout.DriverArea = value;
                break;
            case (0x2c, 4):
                _layout.DriverArea |= (ulong)value << 32;
                break;
            case (0x30, 4):
                _layout.DeviceArea = value;
                break;
            case (0x34, 4):
                _layout.DeviceArea |= (ulong)value << 32;
                break;
        }
    }
}
