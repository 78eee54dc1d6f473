// The device of lo: what goes out comes in again, at the end of the batch, so that input never runs inside of output.
namespace Ukl.Kernel.Net;

/// <summary>The machine's way to itself. Part of its stack.</summary>
public unsafe struct LoopbackDevice
{
    /// <summary>The largest packet, as on Linux.</summary>
    public const uint Mtu = 65536;

    /// <summary>Packets on their way; further ones are refused.</summary>
    private const uint Limit = 4096;

    /// <summary>What the stack sees.</summary>
    public NetworkDevice Device;

    private PacketQueue _queue;
    private NetworkStack* _stack;

    /// <summary>Whether packets are on their way.</summary>
    public readonly bool IsEmpty => _queue.IsEmpty;

    /// <summary>Makes it ready for a stack.</summary>
    internal void Initialize(NetworkStack* stack)
    {
        _stack = stack;
        Device.Driver = stack;
        Device.Mtu = Mtu;
        Device.Features = NetworkFeatures.Loopback | NetworkFeatures.TransmitChecksum | NetworkFeatures.Segmentation4 | NetworkFeatures.Segmentation6;
        Device.IsLinkUp = true;
        Device.Transmit = &Transmit;
    }

    /// <summary>Takes a packet that came in. Null when there is none.</summary>
    internal PacketBuffer* Take() => _queue.Take();

    /// <summary>Drops what is on its way.</summary>
    internal void Clear() => _queue.Clear();

    private static bool Transmit(NetworkDevice* device, PacketBuffer* packet)
    {
        NetworkStack* stack = (NetworkStack*)device->Driver;
        ref LoopbackDevice loopback = ref stack->LoopbackDevice;
        if (loopback._queue.Count >= Limit)
            return false;
        if (packet->References == 1 && packet->PartCount == 0)
        {
            // Nobody keeps it: what was sent is what comes in.
            packet->Checksum = ChecksumState.Verified;
            loopback._queue.Add(packet);
            return true;
        }
        // Its sender keeps it or parts of it until they are acknowledged, so the receiver gets its own. Without memory it is lost on the way.
        PacketBuffer* copy = PacketCopy.OfSent(&stack->Packets, packet);
        PacketBuffer.Release(packet);
        if (copy == null)
            return true;
        copy->Checksum = ChecksumState.Verified;
        loopback._queue.Add(copy);
        return true;
    }
}
