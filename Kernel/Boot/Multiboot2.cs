// The information that a Multiboot2 loader (GRUB) passes in ebx. Source: Multiboot2 specification 2.0, section 3.6; EFI memory types from the UEFI
// specification, section 7.2.
using System;

namespace Ukl.Kernel.Boot;

/// <summary>Reads Multiboot2 information into <see cref="BootInformation"/>.</summary>
public static class Multiboot2
{
    private const uint EndTag = 0;
    private const uint CommandLineTag = 1;
    private const uint ModuleTag = 3;
    private const uint MemoryMapTag = 6;
    private const uint OldRsdpTag = 14;
    private const uint NewRsdpTag = 15;
    private const uint EfiMemoryMapTag = 17;

    private const int FixedPartSize = 8;
    private const int TagHeaderSize = 8;
    private const int MapHeaderSize = 16;
    private const int MapEntrySize = 24;
    private const int EfiDescriptorSize = 40;
    private const uint UsableMemory = 1;
    private const uint MaximumSize = 1 << 20;

    private const uint EfiLoaderCode = 1;
    private const uint EfiBootServicesData = 4;
    private const uint EfiConventionalMemory = 7;

    /// <summary>Fills <paramref name="information"/>. Returns a message when the information at physical <paramref name="address"/> cannot be used, or nothing.</summary>
    public static ReadOnlySpan<byte> Read(PhysicalView memory, ulong address, scoped ref BootInformation information)
    {
        information.Clear();
        if (!memory.TryGet(address, FixedPartSize, out ReadOnlySpan<byte> bytes))
            return "the Multiboot2 information lies outside memory"u8;
        uint size = new TableReader(bytes).U32(0);
        if (size < FixedPartSize + TagHeaderSize || size > MaximumSize)
            return "the Multiboot2 information has an absurd size"u8;
        if (!memory.TryGet(address, size, out bytes))
            return "the Multiboot2 information reaches outside memory"u8;
        information.Structure = new MemoryRange(address, address + size);

        var info = new TableReader(bytes);
        int memoryMap = 0;
        int efiMemoryMap = 0;
        int offset = FixedPartSize;
        while (info.Has(offset, TagHeaderSize))
        {
            uint type = info.U32(offset);
            uint tagSize = info.U32(offset + 4);
            if (type == EndTag)
                break;
            if (tagSize < TagHeaderSize || tagSize > (uint)(info.Length - offset))
                return "the Multiboot2 information has a damaged tag"u8;

            ReadOnlySpan<byte> tag = bytes.Slice(offset, (int)tagSize);
            ReadOnlySpan<byte> error = default;
            switch (type)
            {
                case CommandLineTag:
                    error = information.CommandLine.Set(TextOf(tag.Slice(TagHeaderSize)));
                    break;
                case ModuleTag:
                    error = ReadModule(memory, new TableReader(tag), ref information);
                    break;
                case MemoryMapTag:
                    memoryMap = offset;
                    break;
                case EfiMemoryMapTag:
                    efiMemoryMap = offset;
                    break;
                case NewRsdpTag:
                    information.RsdpAddress = address + (ulong)(offset + TagHeaderSize);
                    break;
                case OldRsdpTag when information.RsdpAddress == 0:
                    information.RsdpAddress = address + (ulong)(offset + TagHeaderSize);
                    break;
            }
            if (error.Length != 0)
                return error;
            offset += (int)((tagSize + 7) & ~7u);
        }

        // Under UEFI GRUB gives both maps; its own is made from the other and already says what is left after boot services ended.
        if (memoryMap != 0)
            return ReadMemoryMap(new TableReader(bytes.Slice(memoryMap, (int)info.U32(memoryMap + 4))), ref information);
        if (efiMemoryMap != 0)
            return ReadEfiMemoryMap(new TableReader(bytes.Slice(efiMemoryMap, (int)info.U32(efiMemoryMap + 4))), ref information);
        return "the boot loader gave no memory map"u8;
    }

    private static ReadOnlySpan<byte> ReadModule(PhysicalView memory, TableReader tag, scoped ref BootInformation information)
    {
        uint start = tag.U32(8);
        uint end = tag.U32(12);
        return end >= start && information.TryAddModule(memory, start, end - start) ? default : "the initramfs lies outside memory"u8;
    }

    private static ReadOnlySpan<byte> ReadMemoryMap(TableReader tag, scoped ref BootInformation information)
    {
        uint entrySize = tag.U32(8);
        if (entrySize < MapEntrySize || entrySize > MaximumSize)
            return "the memory map has entries of an absurd size"u8;
        for (int pass = 0; pass < 2; pass++)
        {
            for (int entry = MapHeaderSize; tag.Has(entry, MapEntrySize); entry += (int)entrySize)
            {
                bool isUsable = tag.U32(entry + 16) == UsableMemory;
                if (isUsable && pass == 0)
                    information.Memory.Add(tag.U64(entry), tag.U64(entry + 8));
                else if (!isUsable && pass == 1)
                    information.Memory.Remove(tag.U64(entry), tag.U64(entry + 8));
            }
        }
        return information.Memory.TotalBytes == 0 ? "the memory map has no usable memory"u8 : default;
    }

    private static ReadOnlySpan<byte> ReadEfiMemoryMap(TableReader tag, scoped ref BootInformation information)
    {
        const int PageShift = 12;
        uint descriptorSize = tag.U32(8);
        if (descriptorSize < EfiDescriptorSize || descriptorSize > MaximumSize)
            return "the memory map has entries of an absurd size"u8;
        for (int pass = 0; pass < 2; pass++)
        {
            for (int entry = MapHeaderSize; tag.Has(entry, EfiDescriptorSize); entry += (int)descriptorSize)
            {
                uint type = tag.U32(entry);
                bool isUsable = type is (>= EfiLoaderCode and <= EfiBootServicesData) or EfiConventionalMemory;
                ulong pages = tag.U64(entry + 24);
                ulong length = pages < MemoryMap.Limit >> PageShift ? pages << PageShift : MemoryMap.Limit;
                if (isUsable && pass == 0)
                    information.Memory.Add(tag.U64(entry + 8), length);
                else if (!isUsable && pass == 1)
                    information.Memory.Remove(tag.U64(entry + 8), length);
            }
        }
        return information.Memory.TotalBytes == 0 ? "the memory map has no usable memory"u8 : default;
    }

    private static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> bytes)
    {
        int length = 0;
        while (length < bytes.Length && bytes[length] != 0)
            length++;
        return bytes.Slice(0, length);
    }
}
