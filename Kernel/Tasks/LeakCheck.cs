using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Tasks;

/// <summary>
/// With the word <c>leakcheck</c> on the kernel's command line: whether the end of the first process gave back every page. Without it its memory is not released
/// at all, because the machine ends with it. What files hold is counted apart.
/// </summary>
public static unsafe class LeakCheck
{
    /// <summary>What the machine hands on when pages were lost.</summary>
    private const int FailureStatus = 255;

    private static nuint s_freeBefore;
    private static ulong s_fileBefore;

    /// <summary>Whether the check was asked for.</summary>
    public static bool IsOn { get; private set; }

    /// <summary>Notes what is free when the first process and its thread exist and own nothing yet.</summary>
    public static void Begin()
    {
        IsOn = true;
        // The kernel's network stack stays once it stands.
        if (LinkedParts.Network)
            _ = Net.KernelNetwork.GetStack();
        s_freeBefore = CountFreePages();
        s_fileBefore = TmpfsContent.MemoryPages;
        Slab.NoteAll();
    }

    /// <summary>Compares when that state is reached again. A difference is a failure of the kernel, which stops the machine.</summary>
    public static void End()
    {
        nuint free = CountFreePages();
        // A page of the initramfs that was mapped stays with its file.
        ulong files = TmpfsContent.MemoryPages - s_fileBefore;
        long lost = (long)(s_freeBefore - free - files);
        Log.Write("ukl: leak check: "u8);
        Log.WriteUnsigned(s_freeBefore);
        Log.Write(" pages free before the program, "u8);
        Log.WriteUnsigned(free);
        Log.Write(" after it and "u8);
        Log.WriteUnsigned(files);
        Log.Write(" more in files: "u8);
        Log.WriteDecimal(lost);
        Log.WriteLine(" lost"u8);
        if (lost == 0)
            return;
        Slab.WriteGrowth();
        Devices.ReportPanic("the end of the program did not give back what it took"u8);
        PowerControl.TurnOff(FailureStatus);
    }

    /// <summary>
    /// Without what the kernel only keeps for speed. The thread that ends last need not be the first one, so the page table of its stack may be another: tables count
    /// as free.
    /// </summary>
    private static nuint CountFreePages()
    {
        _ = Dentry.Shrink(int.MaxValue);
        nuint kept = LinkedParts.Network ? Net.KernelNetwork.Trim() : 0;
        PageAllocator.Trim();
        return PageAllocator.FreePages + KernelStack.CountTables() + kept;
    }
}
