using System.Runtime.Intrinsics.X86;

namespace Ukl.Kernel.Arch;

public static unsafe partial class Cpu
{
    /// <summary>Identification leaf of the test machine's own processor: eax, ebx, ecx, edx.</summary>
    public static void Identify(uint leaf, uint subleaf, uint* four)
    {
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId((int)leaf, (int)subleaf);
        four[0] = (uint)eax;
        four[1] = (uint)ebx;
        four[2] = (uint)ecx;
        four[3] = (uint)edx;
    }
}
