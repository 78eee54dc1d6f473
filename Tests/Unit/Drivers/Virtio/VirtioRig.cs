using System;
using System.Text;
using Ukl.Drivers.Pci;
using Ukl.Drivers.Virtio.Transport;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Kernel.Memory;
using Ukl.Tests.Unit.Drivers.Pci;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>A machine with one virtio device on a bus of the test's choice.</summary>
internal static unsafe class VirtioRig
{
    /// <summary>Takes every device away.</summary>
    public static void Clear()
    {
        HostedDevices.Clear();
        Devices.Acpi = default;
        Devices.Register(default(EntropySource));
        Devices.Register(default(ConsoleDevice));
    }

    /// <summary>Connects a device and gives what its driver gets.</summary>
    public static TransportOperations Connect(FakeVirtioDevice device, bool isPci, int messageCount = 4)
    {
        Clear();
        if (!isPci)
        {
            _ = new FakeMmioBus(device);
            MmioTransport* mmio = Pool<MmioTransport>.Allocate();
            if (!mmio->TryInitialize(FakeMmioBus.Address, FakeMmioBus.Length, new IsaLine { GlobalInterrupt = FakeMmioBus.Line }))
                throw new InvalidOperationException("the block was not found");
            return TransportOperations.Of(mmio);
        }
        FakePciBus bus = FakePciBus.BehindEcam();
        bus.Add(0, 0, 0, new FakeVirtioFunction(device, messageCount).Function);
        PciTransport* pci = Pool<PciTransport>.Allocate();
        s_transport = pci;
        PciBus.ForEach(&Initialize);
        return TransportOperations.Of(pci);
    }

    [ThreadStatic] private static PciTransport* s_transport;

    private static void Initialize(in PciFunction function)
    {
        ReadOnlySpan<byte> problem = s_transport->Initialize(function);
        if (!problem.IsEmpty)
            throw new InvalidOperationException(Encoding.ASCII.GetString(problem));
    }

    /// <summary>What the kernel has said since <paramref name="start"/> characters.</summary>
    public static string Said(int start) => HostedMachine.Console[start..];

    /// <summary>How much it had said until now.</summary>
    public static int Mark() => HostedMachine.Console.Length;
}
