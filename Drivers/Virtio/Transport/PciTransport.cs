// Virtio over PCI: registers in memory that vendor-specific capabilities point to, interrupts as messages (MSI-X). Source: virtio 1.2, section 4.1. Legacy registers
// in ports are not used: a transitional device has the modern ones too. QEMU: -device virtio-…-pci; ,disable-modern=on takes away what this needs.
using Ukl.Drivers.Pci;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Kernel.Arch;

namespace Ukl.Drivers.Virtio.Transport;

/// <summary>A virtio device on PCI.</summary>
internal unsafe struct PciTransport : IVirtioTransport
{
    /// <summary>Who makes virtio devices (section 4.1.2).</summary>
    internal const ushort VendorId = 0x1af4;

    private const ushort FirstTransitionalId = 0x1000;
    private const ushort FirstModernId = 0x1040;
    private const ushort LastModernId = 0x107f;

    // struct virtio_pci_cap (section 4.1.4).
    private const byte VendorSpecific = 0x09;
    private const int CapabilityLength = 2;
    private const int CapabilityType = 3;
    private const int CapabilityBar = 4;
    private const int CapabilityOffset = 8;
    private const int CapabilityRange = 12;
    private const int NotifyMultiplier = 16;
    private const int SmallestCapability = 16;
    private const byte CommonType = 1;
    private const byte NotifyType = 2;
    private const byte DeviceType = 4;

    // struct virtio_pci_common_cfg (section 4.1.4.3).
    private const int DeviceFeatureSelect = 0x00;
    private const int DeviceFeature = 0x04;
    private const int DriverFeatureSelect = 0x08;
    private const int DriverFeature = 0x0c;
    private const int MsixConfiguration = 0x10;
    private const int QueueCount = 0x12;
    private const int DeviceStatus = 0x14;
    private const int Generation = 0x15;
    private const int QueueSelect = 0x16;
    private const int QueueSize = 0x18;
    private const int QueueVector = 0x1a;
    private const int QueueEnable = 0x1c;
    private const int QueueNotifyOffset = 0x1e;
    private const int QueueDescriptors = 0x20;
    private const int QueueDriver = 0x28;
    private const int QueueDevice = 0x30;
    private const uint CommonLength = 0x38;

    private const ushort SharedVector = 0;

    private byte* _common;
    private byte* _notify;
    private uint _notifyLength;
    private uint _notifyMultiplier;
    private byte* _device;
    private uint _deviceLength;
    private MsixTable _messages;
    private QueueHandlers _shared;
    private bool _hasSharedMessage;

    /// <summary>One bit for each queue that has a message of its own.</summary>
    private ulong _connected;

    /// <summary>The virtio device type of a function (section 5); 0 when it is no virtio device.</summary>
    internal static int TypeOf(in PciFunction function)
    {
        if (function.VendorId != VendorId || function.DeviceId is < FirstTransitionalId or > LastModernId)
            return 0;
        return function.DeviceId > FirstModernId ? function.DeviceId - FirstModernId : function.DeviceId < FirstModernId ? function.SubsystemId : 0;
    }

    /// <summary>Finds and maps the device's registers. Returns what is missing, or nothing.</summary>
    internal System.ReadOnlySpan<byte> Initialize(in PciFunction function)
    {
        this = default;
        var walk = new PciCapabilities(function);
        while (walk.MoveNext(VendorSpecific))
        {
            int at = walk.Offset;
            if (function.Read8(at + CapabilityLength) < SmallestCapability)
                continue;
            int bar = function.Read8(at + CapabilityBar);
            uint offset = function.Read32(at + CapabilityOffset);
            uint length = function.Read32(at + CapabilityRange);
            // The first one of a type that can be used is the device's preferred one.
            switch (function.Read8(at + CapabilityType))
            {
                case CommonType when _common == null && length >= CommonLength:
                    _common = function.MapBar(bar, offset, length);
                    break;
                case NotifyType when _notify == null && function.Read8(at + CapabilityLength) >= NotifyMultiplier + sizeof(uint):
                    _notify = function.MapBar(bar, offset, length);
                    _notifyLength = length;
                    _notifyMultiplier = function.Read32(at + NotifyMultiplier);
                    break;
                case DeviceType when _device == null:
                    _device = function.MapBar(bar, offset, length);
                    _deviceLength = _device == null ? 0 : length;
                    break;
            }
        }
        if (_common == null || _notify == null)
            return "it has no modern registers that can be used"u8;
        function.Enable();
        return MsixTable.TryEnable(function, out _messages) ? default : "it has no MSI-X"u8;
    }

    /// <inheritdoc/>
    public static uint ReadFeatures(void* self, uint word)
    {
        byte* common = ((PciTransport*)self)->_common;
        Mmio.Write32(common + DeviceFeatureSelect, word);
        return Mmio.Read32(common + DeviceFeature);
    }

    /// <inheritdoc/>
    public static void WriteFeatures(void* self, uint word, uint value)
    {
        byte* common = ((PciTransport*)self)->_common;
        Mmio.Write32(common + DriverFeatureSelect, word);
        Mmio.Write32(common + DriverFeature, value);
    }

    /// <inheritdoc/>
    public static byte ReadStatus(void* self) => Mmio.Read8(((PciTransport*)self)->_common + DeviceStatus);

    /// <inheritdoc/>
    public static void WriteStatus(void* self, byte value) => Mmio.Write8(((PciTransport*)self)->_common + DeviceStatus, value);

    /// <inheritdoc/>
    public static uint ReadGeneration(void* self) => Mmio.Read8(((PciTransport*)self)->_common + Generation);

    /// <inheritdoc/>
    public static uint ReadConfiguration(void* self, uint offset, int size)
    {
        var transport = (PciTransport*)self;
        if ((uint)size > transport->_deviceLength || offset > transport->_deviceLength - (uint)size)
            return 0;
        byte* register = transport->_device + offset;
        return size == 1 ? Mmio.Read8(register) : size == 2 ? Mmio.Read16(register) : Mmio.Read32(register);
    }

    /// <inheritdoc/>
    public static ushort ReadQueueSize(void* self, ushort queue)
    {
        byte* common = ((PciTransport*)self)->_common;
        if (queue >= Mmio.Read16(common + QueueCount))
            return 0;
        Mmio.Write16(common + QueueSelect, queue);
        return Mmio.Read16(common + QueueSize);
    }

    /// <inheritdoc/>
    public static bool TryStartQueue(void* self, ushort queue, QueueLayout* layout, delegate*<void*, void> handler, void* context, QueueNotifier* notifier)
    {
        var transport = (PciTransport*)self;
        byte* common = transport->_common;
        Mmio.Write16(common + QueueSelect, queue);
        ulong notifyOffset = (ulong)Mmio.Read16(common + QueueNotifyOffset) * transport->_notifyMultiplier;
        if (notifyOffset + sizeof(ushort) > transport->_notifyLength || !transport->TryConnect(queue, handler, context, out ushort vector))
            return false;
        *notifier = new QueueNotifier { Register = transport->_notify + notifyOffset, Queue = queue };

        Mmio.Write16(common + QueueSelect, queue);
        Mmio.Write16(common + QueueVector, vector);
        if (Mmio.Read16(common + QueueVector) != vector)
            return false;
        Mmio.Write16(common + QueueSize, layout->Size);
        Write64(common + QueueDescriptors, layout->DescriptorArea);
        Write64(common + QueueDriver, layout->DriverArea);
        Write64(common + QueueDevice, layout->DeviceArea);
        Mmio.Write16(common + QueueEnable, 1);
        return Mmio.Read16(common + QueueEnable) == 1;
    }

    /// <inheritdoc/>
    public static bool TryWatchConfiguration(void* self, delegate*<void*, void> handler, void* context)
    {
        var transport = (PciTransport*)self;
        transport->_shared.SetConfiguration(handler, context);
        if (!transport->TryUseSharedMessage())
            return false;
        Mmio.Write16(transport->_common + MsixConfiguration, SharedVector);
        return Mmio.Read16(transport->_common + MsixConfiguration) == SharedVector;
    }

    /// <summary>
    /// A message of the queue's own when the table is long enough; else it shares message 0 with the configuration. A queue that is started again after a reset keeps its
    /// message and its handler.
    /// </summary>
    private bool TryConnect(ushort queue, delegate*<void*, void> handler, void* context, out ushort vector)
    {
        vector = (ushort)(queue + 1);
        if (vector < _messages.Count && queue < sizeof(ulong) * 8)
        {
            if ((_connected & (1ul << queue)) == 0 && !_messages.TryRegister(vector, handler, context))
                return false;
            _connected |= 1ul << queue;
            return true;
        }
        vector = SharedVector;
        return _shared.TrySet(queue, handler, context) && TryUseSharedMessage();
    }

    private bool TryUseSharedMessage()
    {
        if (!_hasSharedMessage)
            _hasSharedMessage = _messages.TryRegister(SharedVector, &HandleShared, System.Runtime.CompilerServices.Unsafe.AsPointer(ref this));
        return _hasSharedMessage;
    }

    private static void HandleShared(void* context)
    {
        var transport = (PciTransport*)context;
        transport->_shared.CallConfiguration();
        transport->_shared.CallQueues();
    }

    private static void Write64(byte* register, ulong value)
    {
        Mmio.Write32(register, (uint)value);
        Mmio.Write32(register + 4, (uint)(value >> 32));
    }
}
