namespace Ukl.Kernel.Arch;

/// <summary>The pair of 8259A interrupt controllers of old, which the APICs replace. Source: 8259A datasheet, initialization command words.</summary>
internal static class LegacyPic
{
    private const ushort MasterCommand = 0x20;
    private const ushort MasterData = 0x21;
    private const ushort SlaveCommand = 0xa0;
    private const ushort SlaveData = 0xa1;
    private const byte InitializeWithFourWords = 0x11;
    private const byte SlaveOnLine2 = 4;
    private const byte SlaveIdentity = 2;
    private const byte Mode8086 = 1;
    private const byte AllLines = 0xff;

    /// <summary>Where a spurious interrupt of the pair lands: no other vector.</summary>
    private const byte FirstVector = 0x20;

    /// <summary>
    /// Starts the pair anew, away from the exceptions' vectors, and masks it. Must come before the local APIC stops listening to it: a request that the
    /// firmware's timer has left pending would otherwise stay at the processor with nobody to name its vector.
    /// </summary>
    internal static void Disable()
    {
        Port.Out8(MasterCommand, InitializeWithFourWords);
        Port.Out8(SlaveCommand, InitializeWithFourWords);
        Port.Out8(MasterData, FirstVector);
        Port.Out8(SlaveData, FirstVector + 8);
        Port.Out8(MasterData, SlaveOnLine2);
        Port.Out8(SlaveData, SlaveIdentity);
        Port.Out8(MasterData, Mode8086);
        Port.Out8(SlaveData, Mode8086);
        Port.Out8(MasterData, AllLines);
        Port.Out8(SlaveData, AllLines);
    }
}
