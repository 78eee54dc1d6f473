// What /proc and /sys say of processors: from the CPUID instruction. .NET sizes its first heap generation by the caches. Source: Intel SDM volume 2, CPUID;
// AMD64 APM volume 3, appendix E; sysfs-devices-system-cpu.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files.Proc;

/// <summary>/proc/cpuinfo and /sys/devices/system/cpu.</summary>
internal static unsafe class CpuFiles
{
    private const uint ExtendedLeaves = 0x8000_0000, BrandLeaf = 0x8000_0002, LastBrandLeaf = 0x8000_0004;
    private const uint IntelCacheLeaf = 4, AmdCacheLeaf = 0x8000_001d;
    private const int MaxCaches = 5;
    private const ulong HertzPerMegahertz = 1_000_000;

    // Names of feature bits in order of the bits; "-" where Linux shows none.
    private static ReadOnlySpan<byte> FeaturesEdx =>
        "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"u8;

    private static ReadOnlySpan<byte> FeaturesEcx =>
        "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor"u8;

    private static ReadOnlySpan<byte> ExtendedFeaturesEbx =>
        "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"u8;

    private static ReadOnlySpan<byte> AmdFeaturesEdx =>
        "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow"u8;

    private static ReadOnlySpan<byte> AmdFeaturesEcx => "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw"u8;

    internal static Errno WriteInformation(ProcKey key, TextBuffer* text)
    {
        for (int cpu = 0; cpu < Cpu.Count; cpu++)
            WriteProcessor(text, cpu);
        return Errno.None;
    }

    /// <summary>Writes the numbers of all processors as a range: "0" or "0-3".</summary>
    internal static void WriteRange(TextBuffer* text)
    {
        text->WriteByte((byte)'0');
        if (Cpu.Count == 1)
            return;
        text->WriteByte((byte)'-');
        text->WriteDecimal((ulong)Cpu.Count - 1);
    }

    internal static void ShowAll(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("kernel_max"u8, &WriteLast);
        visitor.File("offline"u8, &WriteEmpty);
        visitor.File("online"u8, &WriteRangeLine);
        visitor.File("possible"u8, &WriteRangeLine);
        visitor.File("present"u8, &WriteRangeLine);
        Span<byte> name = stackalloc byte[16];
        for (int cpu = 0; cpu < Cpu.Count && !visitor.IsDone; cpu++)
            visitor.Directory(Numbered(name, "cpu"u8, cpu), &ShowOne, new ProcKey(0, 0, cpu));
    }

    private static void ShowOne(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.Directory("cache"u8, &ShowCaches, key);
        visitor.Directory("topology"u8, &ShowTopology, key);
    }

    private static void ShowTopology(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("core_id"u8, &WriteNumber, key);
        visitor.File("core_cpus_list"u8, &WriteNumber, key);
        visitor.File("core_siblings_list"u8, &WriteRangeLine, key);
        visitor.File("package_cpus_list"u8, &WriteRangeLine, key);
        visitor.File("physical_package_id"u8, &WriteZero, key);
        visitor.File("thread_siblings_list"u8, &WriteNumber, key);
    }

    private static void ShowCaches(ProcKey key, ref ProcVisitor visitor)
    {
        Span<byte> name = stackalloc byte[16];
        for (int index = 0; index < MaxCaches && !visitor.IsDone; index++)
        {
            if (!TryGetCache(index, out _))
                break;
            visitor.Directory(Numbered(name, "index"u8, index), &ShowCache, new ProcKey(0, 0, index));
        }
    }

    private static void ShowCache(ProcKey key, ref ProcVisitor visitor)
    {
        visitor.File("coherency_line_size"u8, &WriteCacheLine, key);
        visitor.File("level"u8, &WriteCacheLevel, key);
        visitor.File("number_of_sets"u8, &WriteCacheSets, key);
        visitor.File("shared_cpu_list"u8, &WriteRangeLine, key);
        visitor.File("size"u8, &WriteCacheSize, key);
        visitor.File("type"u8, &WriteCacheType, key);
        visitor.File("ways_of_associativity"u8, &WriteCacheWays, key);
    }

    private struct Cache
    {
        public uint Type, Level, LineSize, Ways, Sets;

        public readonly ulong Size => (ulong)LineSize * Ways * Sets;
    }

    // Both makers' leaves have the same layout; AMD's processors answer nothing in Intel's.
    private static bool TryGetCache(int index, out Cache cache)
    {
        uint* leaf = stackalloc uint[4];
        Cpu.Identify(0, 0, leaf);
        uint highest = leaf[0];
        leaf[0] = 0;
        if (highest >= IntelCacheLeaf)
            Cpu.Identify(IntelCacheLeaf, (uint)index, leaf);
        if ((leaf[0] & 0x1f) == 0)
        {
            Cpu.Identify(ExtendedLeaves, 0, leaf);
            if (leaf[0] < AmdCacheLeaf)
            {
                cache = default;
                return false;
            }
            Cpu.Identify(AmdCacheLeaf, (uint)index, leaf);
        }
        cache = new Cache
        {
            Type = leaf[0] & 0x1f,
            Level = leaf[0] >> 5 & 7,
            LineSize = (leaf[1] & 0xfff) + 1,
            Ways = (leaf[1] >> 22) + 1,
            Sets = leaf[2] + 1,
        };
        return cache.Type != 0;
    }

    private static void WriteProcessor(TextBuffer* text, int cpu)
    {
        uint* leaf = stackalloc uint[4];
        Cpu.Identify(0, 0, leaf);
        uint highest = leaf[0];
        Field(text, "processor\t: "u8, (ulong)cpu);
        text->Write("\nvendor_id\t: "u8);
        text->Write(new ReadOnlySpan<byte>(&leaf[1], sizeof(uint)));
        text->Write(new ReadOnlySpan<byte>(&leaf[3], sizeof(uint)));
        text->Write(new ReadOnlySpan<byte>(&leaf[2], sizeof(uint)));
        Cpu.Identify(1, 0, leaf);
        uint signature = leaf[0], edx = leaf[3], ecx = leaf[2];
        uint family = signature >> 8 & 0xf, model = signature >> 4 & 0xf;
        if (family is 6 or 0xf)
            model |= signature >> 12 & 0xf0;
        if (family == 0xf)
            family += signature >> 20 & 0xff;
        Field(text, "\ncpu family\t: "u8, family);
        Field(text, "\nmodel\t\t: "u8, model);
        text->Write("\nmodel name\t: "u8);
        WriteBrand(text);
        Field(text, "\nstepping\t: "u8, signature & 0xf);
        text->Write("\ncpu MHz\t\t: "u8);
        text->WriteDecimal(Clock.TicksPerSecond / HertzPerMegahertz);
        text->WriteByte((byte)'.');
        text->WriteDecimal(Clock.TicksPerSecond % HertzPerMegahertz / 1000, 3, (byte)'0');
        Field(text, "\nphysical id\t: 0\nsiblings\t: "u8, (ulong)Cpu.Count);
        Field(text, "\ncore id\t\t: "u8, (ulong)cpu);
        Field(text, "\ncpu cores\t: "u8, (ulong)Cpu.Count);
        Field(text, "\napicid\t\t: "u8, (ulong)cpu);
        Field(text, "\nfpu\t\t: yes\ncpuid level\t: "u8, highest);
        text->Write("\nwp\t\t: yes\nflags\t\t:"u8);
        WriteFlags(text, edx, FeaturesEdx);
        Cpu.Identify(ExtendedLeaves, 0, leaf);
        bool isExtended = leaf[0] > ExtendedLeaves;
        if (isExtended)
        {
            Cpu.Identify(ExtendedLeaves + 1, 0, leaf);
            WriteFlags(text, leaf[3], AmdFeaturesEdx);
            WriteFlags(text, leaf[2], AmdFeaturesEcx);
        }
        WriteFlags(text, ecx, FeaturesEcx);
        if (highest >= 7)
        {
            Cpu.Identify(7, 0, leaf);
            WriteFlags(text, leaf[1], ExtendedFeaturesEbx);
        }
        text->Write("\nbugs\t\t:\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n"u8);
    }

    private static void WriteBrand(TextBuffer* text)
    {
        uint* leaf = stackalloc uint[4];
        Cpu.Identify(ExtendedLeaves, 0, leaf);
        if (leaf[0] < LastBrandLeaf)
        {
            text->Write("unknown"u8);
            return;
        }
        for (uint number = BrandLeaf; number <= LastBrandLeaf; number++)
        {
            Cpu.Identify(number, 0, leaf);
            text->WriteString((byte*)leaf, 4 * sizeof(uint));
        }
    }

    private static void WriteFlags(TextBuffer* text, uint bits, ReadOnlySpan<byte> names)
    {
        int at = 0;
        for (int bit = 0; bit < 32 && at < names.Length; bit++)
        {
            int end = at;
            while (end < names.Length && names[end] != ' ')
                end++;
            if ((bits >> bit & 1) != 0 && names[at] != '-')
            {
                text->WriteByte((byte)' ');
                text->Write(names[at..end]);
            }
            at = end + 1;
        }
    }

    // One digit is enough for what is numbered here up to ten; processors beyond take two.
    private static ReadOnlySpan<byte> Numbered(Span<byte> to, ReadOnlySpan<byte> prefix, int number)
    {
        prefix.CopyTo(to);
        int length = prefix.Length;
        if (number >= 10)
            to[length++] = (byte)('0' + number / 10);
        to[length++] = (byte)('0' + number % 10);
        return to[..length];
    }

    private static void Field(TextBuffer* text, ReadOnlySpan<byte> name, ulong value)
    {
        text->Write(name);
        text->WriteDecimal(value);
    }

    private static Errno Line(TextBuffer* text, ulong value)
    {
        text->WriteDecimal(value);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteEmpty(ProcKey key, TextBuffer* text)
    {
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteZero(ProcKey key, TextBuffer* text) => Line(text, 0);

    private static Errno WriteNumber(ProcKey key, TextBuffer* text) => Line(text, (ulong)key.Number);

    private static Errno WriteLast(ProcKey key, TextBuffer* text) => Line(text, (ulong)Cpu.Count - 1);

    private static Errno WriteRangeLine(ProcKey key, TextBuffer* text)
    {
        WriteRange(text);
        text->WriteByte((byte)'\n');
        return Errno.None;
    }

    private static Errno WriteCacheLine(ProcKey key, TextBuffer* text) => TryGetCache(key.Number, out Cache cache) ? Line(text, cache.LineSize) : Errno.ENOENT;

    private static Errno WriteCacheLevel(ProcKey key, TextBuffer* text) => TryGetCache(key.Number, out Cache cache) ? Line(text, cache.Level) : Errno.ENOENT;

    private static Errno WriteCacheSets(ProcKey key, TextBuffer* text) => TryGetCache(key.Number, out Cache cache) ? Line(text, cache.Sets) : Errno.ENOENT;

    private static Errno WriteCacheWays(ProcKey key, TextBuffer* text) => TryGetCache(key.Number, out Cache cache) ? Line(text, cache.Ways) : Errno.ENOENT;

    private static Errno WriteCacheSize(ProcKey key, TextBuffer* text)
    {
        if (!TryGetCache(key.Number, out Cache cache))
            return Errno.ENOENT;
        text->WriteDecimal(cache.Size / 1024);
        text->Write("K\n"u8);
        return Errno.None;
    }

    private static Errno WriteCacheType(ProcKey key, TextBuffer* text)
    {
        if (!TryGetCache(key.Number, out Cache cache))
            return Errno.ENOENT;
        text->Write(cache.Type switch { 1 => "Data\n"u8, 2 => "Instruction\n"u8, _ => "Unified\n"u8 });
        return Errno.None;
    }
}
