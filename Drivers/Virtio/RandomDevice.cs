// Device: virtio entropy device. Source: virtio 1.2, section 5.4. One queue, of buffers that the device fills.
// QEMU: -device virtio-rng-pci; on microvm -device virtio-rng-device.
using System.Runtime.CompilerServices;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Drivers.Virtio.Transport;
using Ukl.Kernel.Core;
using Ukl.Kernel.Memory;

namespace Ukl.Drivers.Virtio;

/// <summary>Feeds the kernel's random numbers: at boot, and again whenever they ask for more.</summary>
internal unsafe struct RandomDevice
{
    /// <summary>Bytes asked for at a time: twice the generator's key.</summary>
    private const int BufferSize = 64;

    /// <summary>More than one entry is never used.</summary>
    private const ushort QueueSize = 8;

    private VirtioDevice _device;
    private SplitQueue _queue;
    private BufferArray _buffer;

    /// <summary>Whether the device has the buffer.</summary>
    private bool _isAsked;

    /// <summary>Starts a device.</summary>
    internal static void Start(in TransportOperations transport)
    {
        RandomDevice* random = (RandomDevice*)KernelHeap.Allocate((nuint)sizeof(RandomDevice));
        if (random == null)
            return;
        random->_device = new VirtioDevice(transport, "virtio-rng"u8);
        if (!random->_device.TryNegotiate(&Features.ChooseNone) || !random->_device.TryStartQueue(&random->_queue, 0, QueueSize, 0, 0, &HandleInterrupt, random))
            return;
        random->_device.Start();
        Ask(random);
        Devices.Register(new EntropySource { Context = random, Request = &Ask });
    }

    private static void Ask(void* context)
    {
        var random = (RandomDevice*)context;
        if (random->_isAsked || random->_device.IsBroken)
            return;
        void* buffer = Unsafe.AsPointer(ref random->_buffer);
        random->_isAsked = random->_queue.TryAdd(PhysicalAddress.Of(buffer).Value, BufferSize, true, buffer);
        _ = random->_queue.ResumeInterrupts();
        VirtioDevice.Kick(&random->_queue);
    }

    private static void HandleInterrupt(void* context)
    {
        var random = (RandomDevice*)context;
        if (random->_device.IsBroken)
            return;
        if (random->_queue.TryTake(out void* buffer, out uint length))
        {
            random->_isAsked = false;
            Random.AddEntropy((byte*)buffer, length);
            Unsafe.InitBlockUnaligned(buffer, 0, BufferSize);
        }
        random->_device.Break(random->_queue.Fault);
    }

    [InlineArray(BufferSize)]
    private struct BufferArray
    {
        private byte _first;
    }
}
