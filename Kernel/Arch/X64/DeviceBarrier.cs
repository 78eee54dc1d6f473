using System.Threading;

namespace Ukl.Kernel.Arch;

/// <summary>
/// Orders memory shared with a device: what was written before is visible to it before what comes after is read. A ring and its doorbell need this, or both sides
/// believe that the other one has been told.
/// </summary>
/// <remarks>
/// QEMU's emulated processor leaves fences out when a machine has only one processor, though its devices run on other threads of the host (versions before 8.1). A device
/// register does what the fence would: reading one takes QEMU's big lock.
/// </remarks>
public static unsafe class DeviceBarrier
{
    private const uint HypervisorLeaf = 0x4000_0000;

    // "TCGTCGTCGTCG" in ebx, ecx and edx.
    private const uint EmulatorName0 = 0x5447_4354;
    private const uint EmulatorName1 = 0x4354_4743;
    private const uint EmulatorName2 = 0x4743_5447;

    private static bool s_isEmulated;

    /// <summary>Finds out which processor this is. Before the first driver starts.</summary>
    internal static void Initialize()
    {
        uint* leaf = stackalloc uint[4];
        Cpu.Identify(HypervisorLeaf, 0, leaf);
        s_isEmulated = leaf[1] == EmulatorName0 && leaf[2] == EmulatorName1 && leaf[3] == EmulatorName2;
    }

    /// <summary>Ends every write before any later read.</summary>
    public static void Full()
    {
        Interlocked.MemoryBarrier();
        if (s_isEmulated)
            _ = LocalApic.Identifier;
    }
}
