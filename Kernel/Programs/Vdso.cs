// The two pages of the kernel that every program has: the values its clocks go by, and behind them the code that reads those. Source: vdso(7).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Programs;

/// <summary>Gives programs the vDSO.</summary>
internal static unsafe class Vdso
{
    private const ulong PageSize = PageAllocator.PageSize;
    private const ulong DataIndex = 0;
    private const ulong CodeIndex = 1;

    private static PhysicalAddress s_data;
    private static PhysicalAddress s_code;

    /// <summary>Makes the pages, which all programs share. False when out of memory.</summary>
    internal static bool TryPrepare()
    {
        s_data = PageAllocator.AllocateZeroed();
        s_code = PageAllocator.AllocateZeroed();
        if (s_data.IsNone || s_code.IsNone)
            return false;
        Image.Vdso.CopyTo(new Span<byte>(s_code.Pointer, PageAllocator.PageSize));
        var page = (ClockPage*)s_data.Pointer;
        page->HasProcessorId = Cpu.HasProcessorId;
        Clock.Share(page);
        return true;
    }

    /// <summary>Maps both into a new program's memory; notes where the code is in <see cref="ProgramAreas.VdsoStart"/>. ENOMEM.</summary>
    internal static Errno Map(Process* process)
    {
        var file = new MappedFile { Object = s_code.Pointer, AddReference = &Ignore, Release = &Ignore, GetPage = &GetPage };
        Result mapped = process->Memory->Map(0, 2 * PageSize, Protection.Read, MapFlags.Private, &file, 0);
        if (mapped.IsError)
            return mapped.Error;
        ulong code = (ulong)mapped.Value + (CodeIndex * PageSize);
        process->Areas.VdsoStart = code;
        return process->Memory->Protect(code, PageSize, Protection.Read | Protection.Execute).Error;
    }

    /// <summary>The pages are the kernel's for ever.</summary>
    private static void Ignore(void* pages)
    {
    }

    private static FaultOutcome GetPage(void* pages, ulong index, bool forWrite, PhysicalAddress* page)
    {
        if (index > CodeIndex)
            return FaultOutcome.BeyondFile;
        *page = index == DataIndex ? s_data : s_code;
        PageFrame.Of(*page)->AddReference();
        return FaultOutcome.Resolved;
    }
}
