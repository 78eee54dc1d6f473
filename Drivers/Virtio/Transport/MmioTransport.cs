// Virtio over registers in memory, one block per device. Source: virtio 1.2, section 4.2. Legacy devices (version 1) are not driven.
// QEMU: -M microvm with -device virtio-…-device and -global virtio-mmio.force-legacy=off. The blocks are named by the ACPI byte code or, with -M microvm,acpi=off,
// by QEMU's own words on the kernel's command line.
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;

namespace Ukl.Drivers.Virtio.Transport;

/// <summary>A virtio device behind a block of registers.</summary>
internal unsafe struct MmioTransport : IVirtioTransport
{
    // Registers (section 4.2.2).
    private const int MagicValue = 0x000;
    private const int Version = 0x004;
    private const int DeviceId = 0x008;
    private const int DeviceFeatures = 0x010;
    private const int DeviceFeaturesSelect = 0x014;
    private const int DriverFeatures = 0x020;
    private const int DriverFeaturesSelect = 0x024;
    private const int QueueSelect = 0x030;
    private const int QueueSizeMaximum = 0x034;
    private const int QueueSize = 0x038;
    private const int QueueReady = 0x044;
    private const int QueueNotify = 0x050;
    private const int InterruptStatus = 0x060;
    private const int InterruptAcknowledge = 0x064;
    private const int Status = 0x070;
    private const int QueueDescriptors = 0x080;
    private const int QueueDriver = 0x090;
    private const int QueueDevice = 0x0a0;
    private const int ConfigGeneration = 0x0fc;
    private const int Configuration = 0x100;

    private const uint Magic = 'v' | 'i' << 8 | 'r' << 16 | 't' << 24;
    private const uint ModernVersion = 2;
    private const uint BufferUsed = 1;
    private const uint ConfigurationChanged = 2;

    private byte* _registers;
    private uint _length;
    private IsaLine _interrupt;
    private QueueHandlers _handlers;
    private bool _isConnected;

    /// <summary>The virtio device type (section 5).</summary>
    internal readonly uint Type => Mmio.Read32(_registers + DeviceId);

    /// <summary>Maps the registers. False when there is no device: an empty block says that its type is 0.</summary>
    internal bool TryInitialize(ulong address, ulong length, IsaLine interrupt)
    {
        this = default;
        if (length <= Configuration || length > uint.MaxValue)
            return false;
        _registers = Paging.MapDevice(address, length);
        _length = (uint)length;
        _interrupt = interrupt;
        return _registers != null && Mmio.Read32(_registers + MagicValue) == Magic && Type != 0;
    }

    /// <summary>What keeps the device from being driven, or nothing.</summary>
    internal readonly System.ReadOnlySpan<byte> Check() =>
        Mmio.Read32(_registers + Version) == ModernVersion ? default : "it is a legacy device"u8;

    /// <inheritdoc/>
    public static uint ReadFeatures(void* self, uint word)
    {
        byte* registers = RegistersOf(self);
        Mmio.Write32(registers + DeviceFeaturesSelect, word);
        return Mmio.Read32(registers + DeviceFeatures);
    }

    /// <inheritdoc/>
    public static void WriteFeatures(void* self, uint word, uint value)
    {
        byte* registers = RegistersOf(self);
        Mmio.Write32(registers + DriverFeaturesSelect, word);
        Mmio.Write32(registers + DriverFeatures, value);
    }

    /// <inheritdoc/>
    public static byte ReadStatus(void* self) => (byte)Mmio.Read32(RegistersOf(self) + Status);

    /// <inheritdoc/>
    public static void WriteStatus(void* self, byte value) => Mmio.Write32(RegistersOf(self) + Status, value);

    /// <inheritdoc/>
    public static uint ReadGeneration(void* self) => Mmio.Read32(RegistersOf(self) + ConfigGeneration);

    /// <inheritdoc/>
    public static uint ReadConfiguration(void* self, uint offset, int size)
    {
        var transport = (MmioTransport*)self;
        if ((ulong)offset + (uint)size > transport->_length - Configuration)
            return 0;
        byte* register = transport->_registers + Configuration + offset;
        return size == 1 ? Mmio.Read8(register) : size == 2 ? Mmio.Read16(register) : Mmio.Read32(register);
    }

    /// <inheritdoc/>
    public static ushort ReadQueueSize(void* self, ushort queue)
    {
        byte* registers = RegistersOf(self);
        Mmio.Write32(registers + QueueSelect, queue);
        uint size = Mmio.Read32(registers + QueueSizeMaximum);
        return size > ushort.MaxValue ? (ushort)0 : (ushort)size;
    }

    /// <inheritdoc/>
    public static bool TryStartQueue(void* self, ushort queue, QueueLayout* layout, delegate*<void*, void> handler, void* context, QueueNotifier* notifier)
    {
        var transport = (MmioTransport*)self;
        byte* registers = transport->_registers;
        if (!transport->_handlers.TrySet(queue, handler, context) || !transport->TryConnect())
            return false;
        *notifier = new QueueNotifier { Register = registers + QueueNotify, Queue = queue, IsWide = true };
        Mmio.Write32(registers + QueueSelect, queue);
        Mmio.Write32(registers + QueueSize, layout->Size);
        Write64(registers + QueueDescriptors, layout->DescriptorArea);
        Write64(registers + QueueDriver, layout->DriverArea);
        Write64(registers + QueueDevice, layout->DeviceArea);
        Mmio.Write32(registers + QueueReady, 1);
        return Mmio.Read32(registers + QueueReady) == 1;
    }

    /// <inheritdoc/>
    public static bool TryWatchConfiguration(void* self, delegate*<void*, void> handler, void* context)
    {
        var transport = (MmioTransport*)self;
        transport->_handlers.SetConfiguration(handler, context);
        return transport->TryConnect();
    }

    private bool TryConnect()
    {
        if (!_isConnected)
        {
            _isConnected = Interrupts.Register(_interrupt.GlobalInterrupt, _interrupt.IsLevelTriggered, _interrupt.IsActiveLow, &HandleInterrupt,
                System.Runtime.CompilerServices.Unsafe.AsPointer(ref this));
        }
        return _isConnected;
    }

    private static void HandleInterrupt(void* context)
    {
        var transport = (MmioTransport*)context;
        uint status = Mmio.Read32(transport->_registers + InterruptStatus);
        // First acknowledge, then look: what comes after the look interrupts again.
        Mmio.Write32(transport->_registers + InterruptAcknowledge, status);
        if ((status & ConfigurationChanged) != 0)
            transport->_handlers.CallConfiguration();
        if ((status & BufferUsed) != 0)
            transport->_handlers.CallQueues();
    }

    private static byte* RegistersOf(void* self) => ((MmioTransport*)self)->_registers;

    private static void Write64(byte* register, ulong value)
    {
        Mmio.Write32(register, (uint)value);
        Mmio.Write32(register + 4, (uint)(value >> 32));
    }
}
