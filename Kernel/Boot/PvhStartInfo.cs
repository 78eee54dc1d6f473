// The structure that a PVH boot passes in ebx. Source: Xen's public/arch-x86/hvm/start_info.h, version 1 (struct hvm_start_info, hvm_modlist_entry,
// hvm_memmap_table_entry). QEMU's -kernel, Firecracker and Cloud Hypervisor use it.
using System;

namespace Ukl.Kernel.Boot;

/// <summary>Reads a PVH start info into <see cref="BootInformation"/>.</summary>
public static class PvhStartInfo
{
    /// <summary>XEN_HVM_START_MAGIC_VALUE.</summary>
    public const uint Magic = 0x336e_c578;

    private const int VersionOffset = 4;
    private const int ModuleCountOffset = 12;
    private const int ModuleListOffset = 16;
    private const int CommandLineOffset = 24;
    private const int RsdpOffset = 32;
    private const int MemoryMapOffset = 40;
    private const int MemoryMapEntriesOffset = 48;
    private const int Version1Size = 56;

    private const int ModuleEntrySize = 32;
    private const int MemoryEntrySize = 24;
    private const int MemoryEntryTypeOffset = 16;
    private const uint UsableMemory = 1;

    /// <summary>More entries than any machine has; a larger count is damage.</summary>
    private const uint MaximumMemoryEntries = 4096;
    private const uint MaximumModules = 64;

    /// <summary>Fills <paramref name="information"/>. Returns a message when the start info at physical <paramref name="address"/> cannot be used, or nothing.</summary>
    public static ReadOnlySpan<byte> Read(PhysicalView memory, ulong address, scoped ref BootInformation information)
    {
        information.Clear();
        if (!memory.TryGet(address, Version1Size, out ReadOnlySpan<byte> bytes))
            return "the PVH start info lies outside memory"u8;
        var info = new TableReader(bytes);
        if (info.U32(0) != Magic)
            return "the PVH start info has the wrong magic number"u8;
        if (info.U32(VersionOffset) == 0)
            return "the PVH start info is version 0, which has no memory map"u8;

        ReadOnlySpan<byte> error = ReadMemoryMap(memory, info, ref information);
        if (error.Length != 0)
            return error;
        error = ReadModules(memory, info, ref information);
        if (error.Length != 0)
            return error;
        information.RsdpAddress = info.U64(RsdpOffset);

        ulong commandLine = info.U64(CommandLineOffset);
        if (commandLine == 0)
            return default;
        if (!memory.TryGetString(commandLine, CommandLine.Capacity, out ReadOnlySpan<byte> text))
            return "the command line lies outside memory"u8;
        return information.CommandLine.Set(text);
    }

    private static ReadOnlySpan<byte> ReadMemoryMap(PhysicalView memory, TableReader info, scoped ref BootInformation information)
    {
        uint count = info.U32(MemoryMapEntriesOffset);
        if (count == 0)
            return "the boot loader gave no memory map"u8;
        if (count > MaximumMemoryEntries)
            return "the memory map has an absurd number of entries"u8;
        if (!memory.TryGet(info.U64(MemoryMapOffset), (ulong)count * MemoryEntrySize, out ReadOnlySpan<byte> bytes))
            return "the memory map lies outside memory"u8;

        var map = new TableReader(bytes);
        for (int pass = 0; pass < 2; pass++)
        {
            for (int entry = 0; entry < map.Length; entry += MemoryEntrySize)
            {
                bool isUsable = map.U32(entry + MemoryEntryTypeOffset) == UsableMemory;
                if (isUsable && pass == 0)
                    information.Memory.Add(map.U64(entry), map.U64(entry + 8));
                else if (!isUsable && pass == 1)
                    information.Memory.Remove(map.U64(entry), map.U64(entry + 8));
            }
        }
        return information.Memory.TotalBytes == 0 ? "the memory map has no usable memory"u8 : default;
    }

    private static ReadOnlySpan<byte> ReadModules(PhysicalView memory, TableReader info, scoped ref BootInformation information)
    {
        uint count = info.U32(ModuleCountOffset);
        if (count == 0)
            return default;
        if (count > MaximumModules)
            return "the boot loader passed an absurd number of modules"u8;
        if (!memory.TryGet(info.U64(ModuleListOffset), (ulong)count * ModuleEntrySize, out ReadOnlySpan<byte> bytes))
            return "the module list lies outside memory"u8;

        var list = new TableReader(bytes);
        for (int entry = 0; entry < list.Length; entry += ModuleEntrySize)
        {
            if (!information.TryAddModule(memory, list.U64(entry), list.U64(entry + 8)))
                return "the initramfs lies outside memory"u8;
        }
        return default;
    }
}
