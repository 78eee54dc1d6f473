using System;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>The processor this code runs on, and what it can do. Source: Intel SDM volume 2, CPUID; volume 3 chapter 2.5 (CR4).</summary>
public static unsafe class Cpu
{
    private const ulong Cr4Umip = 1 << 11;
    private const ulong Cr4FsGsBase = 1 << 16;
    private const ulong Cr4OsXSave = 1 << 18;
    private const ulong Cr4Smep = 1 << 20;
    private const ulong Cr4Smap = 1 << 21;
    private const ulong Cr4PageGlobal = 1 << 7;

    private const uint HighestExtendedLeaf = 0x8000_0000;

    /// <summary>CPUID leaf 1, ecx, of an x86-64-v2 processor: SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT. Source: the x86-64 psABI, microarchitecture levels.</summary>
    private const uint RequiredFeatures = 1u | (1u << 9) | (1u << 13) | (1u << 19) | (1u << 20) | (1u << 23);

    /// <summary>IA32_TSC_AUX, which RDTSCP returns: the processor's number, as Linux has it.</summary>
    private const uint ProcessorIdMsr = 0xc000_0103;

    private static bool s_hasRequired;
    private static bool s_hasRandom;
    private static bool s_hasSeed;

    /// <summary>How many processors run.</summary>
    public static int Count => 1;

    /// <summary>This processor's number, from 0.</summary>
    public static int Number => Current->Number;

    /// <summary>Whether a program may read and write its segment bases with instructions (FSGSBASE).</summary>
    public static bool HasFsGsBase { get; private set; }

    /// <summary>Whether a program can ask for the processor's number by an instruction (RDTSCP).</summary>
    public static bool HasProcessorId { get; private set; }

    /// <summary>This processor's block.</summary>
    public static CpuBlock* Current => Instructions.CurrentCpu();

    /// <summary>The thread that runs here.</summary>
    public static Thread* CurrentThread => Instructions.CurrentThread();

    /// <summary>A hint in a spinning loop.</summary>
    public static void Relax() => Instructions.Pause();

    /// <summary>Sleeps with interrupts on until one came and was handled; returns with interrupts off.</summary>
    public static void WaitForInterrupt() => Instructions.WaitForInterrupt();

    /// <summary>The time stamp counter.</summary>
    public static ulong ReadTimestamp() => Instructions.ReadTimestamp();

    /// <summary>A random number made by the processor; false when it has no generator or the generator is exhausted.</summary>
    public static bool TryReadRandom(out ulong value)
    {
        ulong random = 0;
        bool success = (s_hasSeed && Instructions.ReadSeed(&random) != 0) || (s_hasRandom && Instructions.ReadRandom(&random) != 0);
        value = random;
        return success;
    }

    /// <summary>Identification leaf <paramref name="leaf"/>: eax, ebx, ecx, edx.</summary>
    public static void Identify(uint leaf, uint subleaf, uint* four) => Instructions.CpuId(leaf, subleaf, four);

    /// <summary>The caller's place and frame, for a walk up its stack.</summary>
    internal static void CaptureFrame(UnwindState* state) => Instructions.CaptureFrame(state);

    /// <summary>What the processor lacks of what images are compiled for (IlcInstructionSet in Sdk/Targets/Ukl.props); empty when it has all.</summary>
    internal static ReadOnlySpan<byte> FindMissing() =>
        s_hasRequired ? default : "the processor is older than x86-64-v2 (SSE4.2, POPCNT); QEMU's default is, use -cpu max or -cpu host"u8;

    /// <summary>Finds out what the processor can do and turns on what protects and what programs expect.</summary>
    internal static void Initialize()
    {
        uint* leaf = stackalloc uint[4];
        Identify(0, 0, leaf);
        uint highest = leaf[0];
        Identify(1, 0, leaf);
        s_hasRequired = (leaf[2] & RequiredFeatures) == RequiredFeatures;
        s_hasRandom = (leaf[2] & (1u << 30)) != 0;
        bool hasXSave = (leaf[2] & (1u << 26)) != 0;
        ulong cr4 = Instructions.ReadCr4() | Cr4PageGlobal;
        if (hasXSave)
            cr4 |= Cr4OsXSave;
        if (highest >= 7)
        {
            Identify(7, 0, leaf);
            s_hasSeed = (leaf[1] & (1u << 18)) != 0;
            if ((leaf[1] & 1) != 0)
            {
                cr4 |= Cr4FsGsBase;
                HasFsGsBase = true;
            }
            if ((leaf[1] & (1u << 7)) != 0)
                cr4 |= Cr4Smep;
            if ((leaf[1] & (1u << 20)) != 0)
            {
                cr4 |= Cr4Smap;
                *Instructions.AddressOfHasSmap() = 1;
            }
            if ((leaf[2] & (1u << 2)) != 0)
                cr4 |= Cr4Umip;
        }
        Instructions.WriteCr4(cr4);
        Identify(HighestExtendedLeaf, 0, leaf);
        if (leaf[0] > HighestExtendedLeaf)
        {
            Identify(HighestExtendedLeaf + 1, 0, leaf);
            HasProcessorId = (leaf[3] & (1u << 27)) != 0;
        }
        if (HasProcessorId)
            Instructions.WriteMsr(ProcessorIdMsr, (ulong)Number);
        VectorState.Initialize(hasXSave);
    }
}
