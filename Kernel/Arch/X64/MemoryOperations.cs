using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Arch;

/// <summary>Whole pages, fast.</summary>
public static unsafe class PageOperations
{
    /// <summary>Zeroes <paramref name="count"/> pages of 4096 bytes.</summary>
    public static void Clear(void* page, nuint count) => Instructions.ClearPages(page, count);

    /// <summary>Copies one page of 4096 bytes.</summary>
    public static void Copy(void* destination, void* source) => Instructions.CopyPage(destination, source);
}

/// <summary>Translations cached by the processor.</summary>
public static class Tlb
{
    /// <summary>Forgets one page of the current address space.</summary>
    public static void FlushPage(ulong address) => Instructions.InvalidatePage(address);

    /// <summary>Forgets all of the current address space but global (kernel) pages.</summary>
    public static void FlushAll() => Instructions.WriteCr3(Instructions.ReadCr3());
}

/// <summary>Copies between kernel and program that recover from a fault (cpu.S). The range has been checked by <see cref="UserMemory"/>.</summary>
public static unsafe class UserAccess
{
    private static ulong s_programStart;
    private static ulong s_programEnd;

    /// <summary>Whether the range lies in the image of a program linked with the kernel, whose constants and variables are arguments too.</summary>
    public static bool IsLinkedProgramRange(ulong start, ulong end) => start >= s_programStart && end <= s_programEnd;

    /// <summary>Notes where a linked program's image is, before any program runs; without one no range lies in it.</summary>
    internal static void Initialize()
    {
        if (!Image.HasLinkedProgram)
            return;
        s_programStart = Image.Start;
        s_programEnd = Image.End;
    }

    /// <summary>Returns the number of bytes not copied.</summary>
    public static nuint CopyIn(void* destination, ulong source, nuint count) => (nuint)Instructions.UserCopy(destination, (void*)source, count);

    /// <summary>Returns the number of bytes not copied.</summary>
    public static nuint CopyOut(ulong destination, void* source, nuint count) => (nuint)Instructions.UserCopy((void*)destination, source, count);

    /// <summary>Returns the number of bytes not cleared.</summary>
    public static nuint Clear(ulong destination, nuint count) => (nuint)Instructions.UserClear((void*)destination, count);

    /// <summary>Atomically replaces a word if it is <paramref name="expected"/>. False when the memory cannot be written.</summary>
    public static bool TryCompareExchange(ulong address, uint expected, uint desired, out uint seen)
    {
        uint old = 0;
        bool success = Instructions.UserCompareExchange(address, expected, &old, desired) == 0;
        seen = old;
        return success;
    }
}
