using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Memory;

/// <summary>An address of physical memory, in bytes.</summary>
public readonly struct PhysicalAddress(ulong value)
{
    /// <summary>The address.</summary>
    public readonly ulong Value = value;

    /// <summary>No address; what a failed allocation returns. Page 0 is never handed out.</summary>
    public static PhysicalAddress None => default;

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Value == 0;

    /// <summary>Where the kernel sees this address (the direct map).</summary>
    public unsafe void* Pointer => (void*)(DirectMap.Base + Value);

    /// <summary>The physical address behind a pointer into the direct map.</summary>
    public static unsafe PhysicalAddress Of(void* pointer) => new((ulong)pointer - DirectMap.Base);

    public static PhysicalAddress operator +(PhysicalAddress address, ulong offset) => new(address.Value + offset);
}
