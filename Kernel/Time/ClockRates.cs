// Rates that the processor or the hypervisor tells. Sources: Intel SDM volume 2, CPUID leaves 15H and 16H; the hypervisor leaf 40000010H as VMware defined it and KVM
// copied it (Linux, arch/x86/kernel/cpu/vmware.c).
namespace Ukl.Kernel.Time;

/// <summary>Where rates come from.</summary>
public enum RateSource
{
    /// <summary>Nothing was known and nothing could be measured: an arbitrary rate.</summary>
    Assumed,

    /// <summary>Measured against the reference counter.</summary>
    Measured,

    /// <summary>Told by the processor or the hypervisor.</summary>
    Identified,
}

/// <summary>How fast the machine's counters run, in hertz.</summary>
public struct ClockRates
{
    /// <summary>What is assumed of a machine that offers nothing to measure with.</summary>
    public const ulong AssumedTimestampRate = 1_000_000_000;

    /// <summary>A time stamp counter slower than this does not count time.</summary>
    internal const ulong LowestMeasurable = 1_000_000;

    private const ulong LowestPlausible = 100_000_000;
    private const ulong HighestPlausible = 20_000_000_000;
    private const int Eax = 0;
    private const int Ebx = 1;
    private const int Ecx = 2;
    private const int Edx = 3;

    /// <summary>The time stamp counter.</summary>
    public ulong TimestampRate;

    /// <summary>The local APIC's timer as it is set up; 0 when there is none.</summary>
    public ulong TimerRate;

    /// <summary>Where <see cref="TimestampRate"/> comes from.</summary>
    public RateSource Source;

    /// <summary>The rate of the time stamp counter by identification, or 0 when none is told or it is implausible.</summary>
    public static unsafe ulong Identify(delegate*<uint, uint, uint*, void> identify)
    {
        ulong rate = IdentifyByHypervisor(identify);
        if (!IsPlausible(rate))
            rate = IdentifyByProcessor(identify);
        return IsPlausible(rate) ? rate : 0;
    }

    private static bool IsPlausible(ulong rate) => rate is >= LowestPlausible and <= HighestPlausible;

    private static unsafe ulong IdentifyByHypervisor(delegate*<uint, uint, uint*, void> identify)
    {
        const uint HypervisorPresent = 1u << 31;
        const uint SignatureLeaf = 0x4000_0000;
        const uint TimingLeaf = 0x4000_0010;
        uint* leaf = stackalloc uint[4];
        identify(1, 0, leaf);
        if ((leaf[Ecx] & HypervisorPresent) == 0)
            return 0;
        identify(SignatureLeaf, 0, leaf);
        bool isKvm = leaf[Ebx] == 0x4b4d_564b && leaf[Ecx] == 0x564b_4d56 && leaf[Edx] == 0x0000_004d;
        bool isVmware = leaf[Ebx] == 0x6177_4d56 && leaf[Ecx] == 0x4d56_6572 && leaf[Edx] == 0x6572_6177;
        if (leaf[Eax] < TimingLeaf || !(isKvm || isVmware))
            return 0;
        identify(TimingLeaf, 0, leaf);
        return leaf[Eax] * 1000ul;
    }

    private static unsafe ulong IdentifyByProcessor(delegate*<uint, uint, uint*, void> identify)
    {
        const uint CrystalLeaf = 0x15;
        const uint FrequencyLeaf = 0x16;
        uint* leaf = stackalloc uint[4];
        identify(0, 0, leaf);
        uint highest = leaf[Eax];
        if (highest < CrystalLeaf)
            return 0;
        identify(CrystalLeaf, 0, leaf);
        uint denominator = leaf[Eax];
        uint numerator = leaf[Ebx];
        uint crystal = leaf[Ecx];
        if (denominator == 0 || numerator == 0)
            return 0;
        if (crystal != 0)
            return (ulong)crystal * numerator / denominator;

        // The ratio is told but not the crystal: then the counter runs at the nominal frequency.
        if (highest < FrequencyLeaf)
            return 0;
        identify(FrequencyLeaf, 0, leaf);
        return (leaf[Eax] & 0xffff) * 1_000_000ul;
    }
}
