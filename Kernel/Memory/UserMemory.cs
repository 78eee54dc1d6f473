using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Memory;

/// <summary>Copies between kernel and the current process, with the range check that keeps kernel memory out of a program's reach.</summary>
public static unsafe class UserMemory
{
    /// <summary>First address above what a ring-3 program may use: 47 bits less a guard page (Linux's TASK_SIZE_MAX).</summary>
    public const ulong Top = 0x0000_7fff_ffff_f000;

    /// <summary>Whether the range may belong to a program: below <see cref="Top"/>, or in the image for a linked program.</summary>
    public static bool IsValidRange(ulong address, nuint length)
    {
        ulong end = address + length;
        if (end < address)
            return false;
        return end <= Top || UserAccess.IsLinkedProgramRange(address, end);
    }

    /// <summary>Copies from the program. False is EFAULT; part may have been copied.</summary>
    public static bool CopyIn(void* destination, ulong source, nuint count) =>
        IsValidRange(source, count) && UserAccess.CopyIn(destination, source, count) == 0;

    /// <summary>Copies to the program. False is EFAULT; part may have been copied.</summary>
    public static bool CopyOut(ulong destination, void* source, nuint count) =>
        IsValidRange(destination, count) && UserAccess.CopyOut(destination, source, count) == 0;

    /// <summary>Zeroes the program's memory. False is EFAULT; part may have been zeroed.</summary>
    public static bool Clear(ulong destination, nuint count) =>
        IsValidRange(destination, count) && UserAccess.Clear(destination, count) == 0;

    /// <summary>Copies a NUL-terminated string; see <see cref="UserString.CopyTo"/>.</summary>
    public static nint CopyStringIn(byte* destination, ulong source, nuint capacity)
    {
        // Byte-wise by page: a string may end just before unmapped memory, so nothing is read past its NUL's page.
        nuint done = 0;
        while (done < capacity)
        {
            nuint chunk = 4096 - (nuint)((source + done) & 4095);
            if (chunk > capacity - done)
                chunk = capacity - done;
            if (!CopyIn(destination + done, source + done, chunk))
                return -1;
            for (nuint i = 0; i < chunk; i++)
            {
                if (destination[done + i] == 0)
                    return (nint)(done + i);
            }
            done += chunk;
        }
        return (nint)capacity;
    }
}
