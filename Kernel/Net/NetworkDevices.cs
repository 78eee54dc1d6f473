using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Net;

/// <summary>The network cards that drivers found. The stack takes them when it starts.</summary>
public static unsafe class NetworkDevices
{
    /// <summary>More cards than a machine of this kind has; further ones are ignored.</summary>
    public const int Capacity = 8;

    private static DeviceArray s_devices;

    /// <summary>How many there are.</summary>
    public static int Count { get; private set; }

    /// <summary>Adds a card. The structure lives for ever.</summary>
    public static void Register(NetworkDevice* device)
    {
        if (Count < Capacity)
            s_devices[Count++] = (nint)device;
    }

    /// <summary>The card with a number below <see cref="Count"/>.</summary>
    public static NetworkDevice* Get(int number) => (NetworkDevice*)s_devices[number];

    [InlineArray(Capacity)]
    private struct DeviceArray
    {
        private nint _first;
    }
}
