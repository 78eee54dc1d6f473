using System.Runtime.CompilerServices;
using System.Threading;

namespace Ukl.Kernel.Arch;

/// <summary>
/// Device registers in memory, for drivers: each call is one access of that width, in the order of the program. The addresses come from
/// <see cref="Paging.MapDevice"/>. Reads are not inlined: of a wide one that is cast the compiler would make a narrow one, volatile or not, and many registers
/// answer to their own width only.
/// </summary>
public static unsafe class Mmio
{
    /// <summary>Reads a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Read8(byte* register) => Volatile.Read(ref *register);

    /// <summary>Reads 16 bits.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ushort Read16(byte* register) => Volatile.Read(ref *(ushort*)register);

    /// <summary>Reads 32 bits.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static uint Read32(byte* register) => Volatile.Read(ref *(uint*)register);

    /// <summary>Writes a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write8(byte* register, byte value) => Volatile.Write(ref *register, value);

    /// <summary>Writes 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write16(byte* register, ushort value) => Volatile.Write(ref *(ushort*)register, value);

    /// <summary>Writes 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write32(byte* register, uint value) => Volatile.Write(ref *(uint*)register, value);
}
