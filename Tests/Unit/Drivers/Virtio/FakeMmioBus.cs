using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Arch;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>A virtio device behind a block of registers: virtio 1.2, section 4.2.2.</summary>
internal sealed class FakeMmioBus : IHostedMemoryDevice
{
    public const ulong Address = 0xfeb0_0200;
    public const ulong Length = 512;
    public const uint Line = 12;

    private readonly FakeVirtioDevice _device;
    private uint _deviceFeaturesSelect, _driverFeaturesSelect, _queue, _interruptStatus;
    private QueueLayout _layout;

    public FakeMmioBus(FakeVirtioDevice device)
    {
        _device = device;
        device.Interrupt = queue =>
        {
            _interruptStatus |= queue < 0 ? 2u : 1;
            HostedInterrupts.Raise(Line);
        };
        HostedRegisters.Attach(Address, Length, this);
    }

    public uint Version { get; set; } = 2;

    public uint Magic { get; set; } = 0x7472_6976;

    /// <summary>Whether the driver has acknowledged every interrupt.</summary>
    public bool IsQuiet => _interruptStatus == 0;

    public uint Read(ulong offset, int size)
    {
        if (offset >= 0x100)
        {
            uint value = 0;
            for (int i = size - 1; i >= 0; i--)
                value = value << 8 | _device.ReadConfiguration((int)offset - 0x100 + i);
            return value;
        }
        // A register of these answers to its own width only.
        return size != 4 ? 0 : offset switch
        {
            0x00 => Magic,
            0x04 => Version,
            0x08 => (uint)_device.Type,
            0x10 => (uint)(_device.Offered >> (int)(32 * _deviceFeaturesSelect)),
            0x34 => _queue < _device.QueueCount ? _device.MaximumQueueSize : 0u,
            0x44 => _queue < _device.QueueCount && _device.Queues[_queue].IsEnabled ? 1u : 0,
            0x60 => _interruptStatus,
            0x70 => _device.Status,
            0xfc => _device.Generation,
            _ => 0,
        };
    }

    public void Write(ulong offset, int size, uint value)
    {
        if (size != 4)
            return;
        switch (offset)
        {
            case 0x14:
                _deviceFeaturesSelect = value;
                break;
            case 0x20:
                _device.Accepted |= (ulong)value << (int)(32 * _driverFeaturesSelect);
                break;
            case 0x24:
                _driverFeaturesSelect = value;
                break;
            case 0x30:
                _queue = value;
                break;
            case 0x38:
                _layout.Size = (ushort)value;
                break;
            case 0x44 when value == 1 && !_device.RefusesQueues:
                _device.Queues[_queue].Layout = _layout;
                _device.Queues[_queue].IsEnabled = true;
                break;
            case 0x50:
                _device.Notified((int)value);
                break;
            case 0x64:
                _interruptStatus &= ~value;
                break;
            case 0x70:
                _device.WriteStatus((byte)value);
                break;
            case 0x80:
                _layout.DescriptorArea = value;
                break;
            case 0x84:
                _layout.DescriptorArea |= (ulong)value << 32;
                break;
            case 0x90:
                _layout.DriverArea = value;
                break;
            case 0x94:
                _layout.DriverArea |= (ulong)value << 32;
                break;
            case 0xa0:
                _layout.DeviceArea = value;
                break;
            case 0xa4:
                _layout.DeviceArea |= (ulong)value << 32;
                break;
        }
    }
}
