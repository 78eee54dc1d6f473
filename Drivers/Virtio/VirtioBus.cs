// Finds virtio devices on every bus and starts their drivers. Sources: virtio 1.2, sections 4.1.2 (PCI), 4.2.1 (MMIO), 5 (device types); Linux Documentation/admin-guide/
// kernel-parameters (virtio_mmio.device=SIZE@ADDRESS:IRQ[:ID]); ACPI id LNRO0005.
using System;
using Ukl.Drivers.Pci;
using Ukl.Drivers.Virtio.Net;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Drivers.Virtio.Transport;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net;

namespace Ukl.Drivers.Virtio;

/// <summary>Every virtio device of the machine.</summary>
internal static unsafe class VirtioBus
{
    // Device types.
    private const int NetworkType = 1;
    private const int ConsoleType = 3;
    private const int RandomType = 4;

    /// <summary>"LNRO0005": a virtio device behind registers in memory.</summary>
    private const ulong AcpiHardwareId = 'L' | 'N' << 8 | 'R' << 16 | (ulong)'O' << 24 | (ulong)'0' << 32 | (ulong)'0' << 40 | (ulong)'0' << 48 | (ulong)'5' << 56;

    /// <summary>Starts the driver of a function on PCI when it is a virtio device.</summary>
    internal static void Start(in PciFunction function)
    {
        int type = PciTransport.TypeOf(function);
        if (type == 0 || !HasDriver(type))
            return;
        PciTransport* transport = Pool<PciTransport>.Allocate();
        if (transport == null)
            return;
        ReadOnlySpan<byte> problem = transport->Initialize(function);
        if (problem.IsEmpty)
        {
            Start(type, TransportOperations.Of(transport));
            return;
        }
        Pool<PciTransport>.Free(transport);
        Report(problem);
    }

    /// <summary>Starts the drivers of the devices that ACPI or the command line says lie in memory.</summary>
    internal static void StartMemoryDevices(in CommandLine commandLine)
    {
        foreach (ref readonly AcpiDevice device in Devices.Acpi.MemoryDevices)
        {
            if (device.HardwareId == AcpiHardwareId)
                Start(device.Address, device.Length, device.Interrupt);
        }
        CommandLineWords words = commandLine.Options;
        while (words.MoveNext())
        {
            if (MmioParameter.TryParse(words.Current, out MmioParameter place))
                Start(place.Address, place.Length, new IsaLine { GlobalInterrupt = place.Interrupt, IsLevelTriggered = true });
        }
    }

    private static void Start(ulong address, ulong length, IsaLine interrupt)
    {
        MmioTransport* transport = Pool<MmioTransport>.Allocate();
        if (transport == null)
            return;
        if (transport->TryInitialize(address, length, interrupt) && HasDriver((int)transport->Type))
        {
            ReadOnlySpan<byte> problem = transport->Check();
            if (problem.IsEmpty)
            {
                Start((int)transport->Type, TransportOperations.Of(transport));
                return;
            }
            Report(problem);
        }
        Pool<MmioTransport>.Free(transport);
    }

    private static bool HasDriver(int type) =>
        (LinkedDrivers.VirtioNetwork && type == NetworkType)
        || (LinkedDrivers.VirtioRandom && type == RandomType)
        || (LinkedDrivers.VirtioConsole && type == ConsoleType && VirtioConsole.IsWanted);

    private static void Start(int type, in TransportOperations transport)
    {
        switch (type)
        {
            case NetworkType when LinkedDrivers.VirtioNetwork:
                StartNetwork(transport);
                break;
            case ConsoleType when LinkedDrivers.VirtioConsole:
                VirtioConsole.Start(transport);
                break;
            case RandomType when LinkedDrivers.VirtioRandom:
                RandomDevice.Start(transport);
                break;
        }
    }

    private static void StartNetwork(in TransportOperations transport)
    {
        var device = new VirtioDevice(transport, "virtio-net"u8);
        if (!device.TryNegotiate(&NetFeatures.Choose))
            return;
        NetworkDevice* card = device.Has(Features.RingPacked) ? NetDevice<PackedQueue>.Create(device) : NetDevice<SplitQueue>.Create(device);
        if (card != null)
            NetworkDevices.Register(card);
    }

    private static void Report(ReadOnlySpan<byte> problem)
    {
        Log.Write("ukl: a virtio device is not used: "u8);
        Log.WriteLine(problem);
    }
}
