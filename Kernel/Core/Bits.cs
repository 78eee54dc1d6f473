namespace Ukl.Kernel.Core;

/// <summary>Bit counting without the runtime: BitOperations.PopCount asks the runtime whether the processor has the instruction.</summary>
public static class Bits
{
    /// <summary>How many bits are set.</summary>
    public static int Count(ulong value)
    {
        value -= (value >> 1) & 0x5555_5555_5555_5555;
        value = (value & 0x3333_3333_3333_3333) + ((value >> 2) & 0x3333_3333_3333_3333);
        value = (value + (value >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
        return (int)((value * 0x0101_0101_0101_0101) >> 56);
    }
}
