// What every virtio device has in common: reset, status, features, queues, and how it ends. Source: virtio 1.2, sections 2.1 (status), 2.2 (features), 3.1 (initialization).
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Drivers.Virtio.Transport;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Drivers.Virtio;

/// <summary>A virtio device as its driver holds it. A device that breaks the rules is reset, reported once and never used again.</summary>
internal unsafe struct VirtioDevice
{
    // device_status.
    private const byte Acknowledge = 1;
    private const byte Driver = 2;
    private const byte DriverOk = 4;
    private const byte FeaturesOk = 8;
    private const byte NeedsReset = 64;
    private const byte Failed = 128;

    /// <summary>Readings of the status, each an exit to the hypervisor, after which a reset is taken not to happen any more.</summary>
    private const int ResetPolls = 10_000;

    /// <summary>How often a configuration that changes while it is read is read again.</summary>
    private const int ConfigurationAttempts = 16;

    private TransportOperations _transport;
    private byte* _name;
    private int _nameLength;

    /// <summary>Whether it took its reset when it broke the rules.</summary>
    private bool _isHalted;

    /// <summary>What device and driver agreed on.</summary>
    internal ulong Features { get; private set; }

    /// <summary>Whether it broke the rules.</summary>
    internal bool IsBroken { get; private set; }

    /// <summary>What the kernel's messages call it.</summary>
    private readonly ReadOnlySpan<byte> Name => new(_name, _nameLength);

    /// <summary>A device behind a transport; <paramref name="name"/> is a constant.</summary>
    internal VirtioDevice(in TransportOperations transport, ReadOnlySpan<byte> name)
    {
        this = default;
        _transport = transport;
        _name = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name));
        _nameLength = name.Length;
    }

    /// <summary>
    /// Resets the device and agrees on features: those that it offers and that <paramref name="choose"/>, given the offer, wants. False when it does not agree.
    /// </summary>
    internal bool TryNegotiate(delegate*<ulong, ulong> choose)
    {
        if (!TryReset())
            return Fail("it does not reset"u8);
        SetStatus(Acknowledge);
        SetStatus(Driver);
        ulong offered = _transport.ReadFeatures(_transport.Self, 0) | ((ulong)_transport.ReadFeatures(_transport.Self, 1) << 32);
        if ((offered & Virtio.Features.Version1) == 0)
            return Fail("it is a legacy device"u8);
        Features = offered & (choose(offered) | Virtio.Features.Common);
        _transport.WriteFeatures(_transport.Self, 0, (uint)Features);
        _transport.WriteFeatures(_transport.Self, 1, (uint)(Features >> 32));
        SetStatus(FeaturesOk);
        return (_transport.ReadStatus(_transport.Self) & FeaturesOk) != 0 || Fail("it does not take the features that it offered"u8);
    }

    /// <summary>Whether a feature was agreed on.</summary>
    internal readonly bool Has(ulong feature) => (Features & feature) != 0;

    /// <summary>
    /// Makes queue <paramref name="index"/> with at most <paramref name="maximumSize"/> (a power of two) entries and gives it to the device; <paramref name="handler"/> is
    /// called on its interrupts. False when the device has no such queue or memory ran out. See <see cref="IVirtQueue.TryInitialize"/> for the tables.
    /// </summary>
    internal bool TryStartQueue<TQueue>(TQueue* queue, ushort index, ushort maximumSize, int tables, int tableCapacity, delegate*<void*, void> handler, void* context)
        where TQueue : unmanaged, IVirtQueue
    {
        ushort offered = _transport.ReadQueueSize(_transport.Self, index);
        ushort size = maximumSize;
        while (size > offered)
            size >>= 1;
        if (size == 0)
            return Fail("it has too few queues"u8);
        if (!queue->TryInitialize(size, Features, tables, tableCapacity))
            return Fail("no memory for its queues"u8);
        QueueLayout layout = queue->Layout;
        QueueNotifier notifier;
        // The memory of a queue that the device may have taken stays the device's.
        if (!_transport.TryStartQueue(_transport.Self, index, &layout, handler, context, &notifier))
            return Fail("it does not take a queue"u8);
        queue->Notifier = notifier;
        return true;
    }

    /// <summary>Calls <paramref name="handler"/> when the configuration changes. False when it cannot.</summary>
    internal bool TryWatchConfiguration(delegate*<void*, void> handler, void* context) =>
        _transport.TryWatchConfiguration(_transport.Self, handler, context) || Fail("no interrupt for it"u8);

    /// <summary>Lets the device work.</summary>
    internal void Start() => SetStatus(DriverOk);

    /// <summary>Shows the device what was added to a queue, and rings when it wants that.</summary>
    internal static void Kick<TQueue>(TQueue* queue)
        where TQueue : unmanaged, IVirtQueue
    {
        if (queue->Publish())
            queue->Notifier.Notify();
    }

    /// <summary>Whether the device says that it cannot go on; it then counts as broken.</summary>
    internal bool CheckStatus()
    {
        if (!IsBroken && (_transport.ReadStatus(_transport.Self) & NeedsReset) != 0)
            Break("it needs a reset"u8);
        return IsBroken;
    }

    /// <summary>Reads a byte of the configuration.</summary>
    internal readonly byte Read8(uint offset) => (byte)_transport.ReadConfiguration(_transport.Self, offset, 1);

    /// <summary>Reads 16 bits of the configuration.</summary>
    internal readonly ushort Read16(uint offset) => (ushort)_transport.ReadConfiguration(_transport.Self, offset, 2);

    /// <summary>Reads bytes of the configuration that belong together.</summary>
    internal readonly void Read(uint offset, Span<byte> to)
    {
        for (int attempt = 0; attempt < ConfigurationAttempts; attempt++)
        {
            uint before = _transport.ReadGeneration(_transport.Self);
            for (int i = 0; i < to.Length; i++)
                to[i] = Read8(offset + (uint)i);
            if (_transport.ReadGeneration(_transport.Self) == before)
                return;
        }
    }

    /// <summary>Stops the device for good, and says why when a queue of it is at fault.</summary>
    internal void Break(QueueFault fault)
    {
        switch (fault)
        {
            case QueueFault.None:
                break;
            case QueueFault.UnknownBuffer:
                Break("it gave back a buffer that it did not have"u8);
                break;
            case QueueFault.Overrun:
                Break("it says that it wrote past the end of a buffer"u8);
                break;
            default:
                Break("it says that it used more buffers than it has"u8);
                break;
        }
    }

    /// <summary>Stops the device for good. Its buffers stay its own until <see cref="TryStop"/>.</summary>
    internal void Break(ReadOnlySpan<byte> reason)
    {
        if (IsBroken)
            return;
        IsBroken = true;
        _isHalted = TryReset();
        Report(reason);
    }

    /// <summary>Takes everything back from the device. False when it does not let go: then it is broken, and its memory lost.</summary>
    internal bool TryStop()
    {
        if (IsBroken)
            return _isHalted;
        if (TryReset())
            return true;
        Break("it does not reset"u8);
        return false;
    }

    /// <summary>Gives up on a device that cannot be started. Returns false.</summary>
    internal bool Fail(ReadOnlySpan<byte> reason)
    {
        if (IsBroken)
            return false;
        IsBroken = true;
        SetStatus(Failed);
        Report(reason);
        return false;
    }

    private readonly void Report(ReadOnlySpan<byte> reason)
    {
        Log.Write("ukl: "u8);
        Log.Write(Name);
        Log.Write(" is not used: "u8);
        Log.WriteLine(reason);
    }

    private readonly bool TryReset()
    {
        _transport.WriteStatus(_transport.Self, 0);
        for (int i = 0; i < ResetPolls; i++)
        {
            if (_transport.ReadStatus(_transport.Self) == 0)
                return true;
            Cpu.Relax();
        }
        return false;
    }

    private readonly void SetStatus(byte bit) => _transport.WriteStatus(_transport.Self, (byte)(_transport.ReadStatus(_transport.Self) | bit));
}
