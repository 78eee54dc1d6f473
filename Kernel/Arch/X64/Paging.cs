using Ukl.Kernel.Abi;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Arch;

/// <summary>
/// The kernel half of every address space: direct map, image with one protection per segment, kernel stacks. Source: Intel SDM volume 3 chapter 4.
/// boot.S maps the first 4 GiB writable and executable; <see cref="Initialize"/> replaces that by the final map.
/// </summary>
public static unsafe class Paging
{
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong WriteThrough = 8;
    private const ulong CacheDisable = 16;
    private const ulong Uncached = CacheDisable | WriteThrough;
    private const ulong Large = 1 << 7;
    private const ulong Global = 1 << 8;
    private const ulong NoExecute = 1ul << 63;
    private const ulong LargePageSize = 1 << 21;
    private const ulong PageSize = 4096;
    private const ulong AddressMask = 0x000f_ffff_ffff_f000;

    /// <summary>The local APIC's registers, which boot uses through this map before anybody asks for devices.</summary>
    private const ulong LocalApicRegisters = 0xfee0_0000;

    /// <summary>The root table of the kernel; its upper half stands in every address space.</summary>
    public static PhysicalAddress KernelRoot { get; private set; }

    /// <summary>Makes an address space the current one.</summary>
    public static void Activate(PhysicalAddress root) => Instructions.WriteCr3(root.Value);

    /// <summary>Builds the final kernel half over <paramref name="memoryEnd"/> bytes of physical memory and switches to it.</summary>
    internal static void Initialize(ulong memoryEnd)
    {
        KernelRoot = NewTable();
        ulong imageStart = Image.PhysicalOf(Image.Start).Value;
        ulong imageEnd = Image.PhysicalOf(Image.End).Value;

        for (ulong address = 0; address < memoryEnd; address += LargePageSize)
        {
            // The direct map shows the image's text and constants read-only too: no second, writable way to them.
            if (address + LargePageSize > imageStart && address < imageEnd)
                MapAroundImage(address, imageStart);
            else
                MapLarge(DirectMap.Base + address, address, Writable);
        }
        MapLarge(DirectMap.Base + LocalApicRegisters, LocalApicRegisters, Writable | Uncached);

        MapImage(Image.Start, Image.TextStart, NoExecute);
        MapImage(Image.TextStart, Image.TextEnd, 0);
        MapImage(Image.TextEnd, Image.DataEnd, Writable | NoExecute);
        MapImage(Image.DataEnd, Image.End, NoExecute);

        // Entries of the kernel half that are filled later must exist before the first address space copies them.
        _ = NextTable((ulong*)KernelRoot.Pointer, KernelLayout.StackWindow, 39);
        Activate(KernelRoot);
    }

    /// <summary>
    /// mprotect on the image, for a linked program. Code stays as it is, nothing else becomes executable, and everything stays readable: EACCES; EINVAL when the address is
    /// not a page's.
    /// </summary>
    public static Result ProtectImage(ulong address, ulong length, Protection protection)
    {
        if ((address & (PageSize - 1)) != 0)
            return Errno.EINVAL;
        ulong end = (address + length + PageSize - 1) & ~(PageSize - 1);
        bool touchesText = address < Image.TextEnd && end > Image.TextStart;
        bool isWritable = (protection & Protection.Write) != 0;
        if ((protection & Protection.Read) == 0 || (touchesText ? isWritable : (protection & Protection.Execute) != 0) || end > Image.DataEnd)
            return Errno.EACCES;
        if (touchesText)
            return Result.Ok;
        for (; address < end; address += PageSize)
        {
            ulong* entry = Entry(address);
            *entry = isWritable ? *entry | Writable : *entry & ~Writable;
            Tlb.FlushPage(address);
        }
        return Result.Ok;
    }

    /// <summary>
    /// Shows the registers of a device, at any physical address, uncached and writable in the direct map; what else lies in the same 2 MiB becomes uncached with them. Only before
    /// the first process, whose address space copies the kernel's root table. Null when the range is empty, wraps around, lies beyond <see cref="Boot.MemoryMap.Limit"/>
    /// or touches memory, which a device that says so lies about; and when no memory is left for the tables.
    /// </summary>
    public static byte* MapDevice(ulong physical, ulong length)
    {
        ulong end = physical + length;
        if (end <= physical || end > Boot.MemoryMap.Limit || PageAllocator.IsMemory(physical, length) || TouchesImage(physical, end))
            return null;
        // One table for each GiB touched and one for each 512 GiB.
        if (PageAllocator.FreePages < ((length >> 30) + 2) * 2)
            return null;
        for (ulong address = physical & ~(LargePageSize - 1); address < end; address += LargePageSize)
        {
            MapLarge(DirectMap.Base + address, address, Writable | Uncached);
            // The direct map of memory that ends above 4 GiB covers the hole for devices below.
            Tlb.FlushPage(DirectMap.Base + address);
        }
        return (byte*)(DirectMap.Base + physical);
    }

    /// <summary>Whether a range of physical memory touches the 2 MiB pages that are mapped in smaller ones because the image lies in them.</summary>
    private static bool TouchesImage(ulong start, ulong end) =>
        end > (Image.PhysicalOf(Image.Start).Value & ~(LargePageSize - 1)) && start < ((Image.PhysicalOf(Image.End).Value + LargePageSize - 1) & ~(LargePageSize - 1));

    private static void MapAroundImage(ulong start, ulong imageStart)
    {
        ulong readOnlyEnd = Image.PhysicalOf(Image.TextEnd).Value;
        for (ulong page = start; page < start + LargePageSize; page += PageSize)
        {
            bool isReadOnly = page >= imageStart && page < readOnlyEnd;
            *Entry(DirectMap.Base + page) = page | Present | Global | NoExecute | (isReadOnly ? 0 : Writable);
        }
    }

    private static void MapImage(ulong start, ulong end, ulong flags)
    {
        for (ulong address = start; address < end; address += PageSize)
            *Entry(address) = Image.PhysicalOf(address).Value | Present | Global | flags;
    }

    private static void MapLarge(ulong address, ulong physical, ulong flags)
    {
        ulong* table = NextTable((ulong*)KernelRoot.Pointer, address, 39);
        table = NextTable(table, address, 30);
        table[(address >> 21) & 511] = physical | Present | Large | Global | NoExecute | flags;
    }

    private static ulong* Entry(ulong address)
    {
        ulong* table = NextTable((ulong*)KernelRoot.Pointer, address, 39);
        table = NextTable(table, address, 30);
        table = NextTable(table, address, 21);
        return table + ((address >> 12) & 511);
    }

    private static ulong* NextTable(ulong* table, ulong address, int shift)
    {
        ulong* entry = table + ((address >> shift) & 511);
        if ((*entry & Present) == 0)
            *entry = NewTable().Value | Present | Writable;
        return (ulong*)new PhysicalAddress(*entry & AddressMask).Pointer;
    }

    private static PhysicalAddress NewTable()
    {
        PhysicalAddress table = PageAllocator.AllocateZeroed();
        if (table.IsNone)
            Panic.Halt("no memory for the kernel's page tables"u8);
        return table;
    }
}
