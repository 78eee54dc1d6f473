using System.Threading;

namespace Ukl.Kernel.Arch;

/// <summary>The interrupt controller of the machine, with the old 8259 pair masked. Sources: 82093AA datasheet section 3; 8259A datasheet.</summary>
internal static unsafe class IoApic
{
    private const ushort MasterData = 0x21;
    private const ushort SlaveData = 0xa1;
    private const uint Masked = 1 << 16;
    private const int VersionRegister = 1;
    private const int RedirectionRegister = 0x10;

    private static ulong s_base;

    /// <summary>
    /// Masks the 8259 pair. Comes before the local APIC closes LINT0: a request that the pair has raised by then, such as the firmware's timer tick, would
    /// stay pending with nobody to name its vector.
    /// </summary>
    internal static void MaskLegacy()
    {
        Port.Out8(MasterData, 0xff);
        Port.Out8(SlaveData, 0xff);
    }

    /// <summary>Masks every line. <paramref name="physicalBase"/> comes from the MADT or is the customary 0xfec00000.</summary>
    internal static void Initialize(ulong physicalBase)
    {
        s_base = DirectMap.Base + physicalBase;
        uint lines = ((Read(VersionRegister) >> 16) & 0xff) + 1;
        for (uint line = 0; line < lines; line++)
            Write(RedirectionRegister + 2 * (int)line, Masked);
    }

    /// <summary>Sends an ISA line (edge, active high) to this processor as <paramref name="vector"/>.</summary>
    internal static void Route(int line, int vector)
    {
        Write(RedirectionRegister + 2 * line + 1, 0);
        Write(RedirectionRegister + 2 * line, (uint)vector);
    }

    private static uint Read(int register)
    {
        Volatile.Write(ref *(uint*)s_base, (uint)register);
        return Volatile.Read(ref *(uint*)(s_base + 0x10));
    }

    private static void Write(int register, uint value)
    {
        Volatile.Write(ref *(uint*)s_base, (uint)register);
        Volatile.Write(ref *(uint*)(s_base + 0x10), value);
    }
}
