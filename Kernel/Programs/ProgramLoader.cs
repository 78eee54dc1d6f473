using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Programs;

/// <summary>What a loaded program's start needs to know.</summary>
internal struct LoadedProgram
{
    /// <summary>First instruction.</summary>
    public ulong Entry;

    /// <summary>Where the program headers lie in its memory.</summary>
    public ulong ProgramHeaders;

    /// <summary>How many there are.</summary>
    public ushort ProgramHeaderCount;

    /// <summary>First page after its last segment: where the break starts.</summary>
    public ulong End;
}

/// <summary>Maps a static or static-PIE executable into the current address space. Source: System V gABI chapter 5; elf(5).</summary>
internal static unsafe class ProgramLoader
{
    private const ulong PageSize = 4096;
    private const ulong PageMask = PageSize - 1;

    /// <summary>Where static-PIE programs are loaded on Linux: two thirds of the address space (ELF_ET_DYN_BASE), plus up to 2^28 random pages.</summary>
    private const ulong RelocatableBase = 0x5555_5555_4000;
    private const ulong RelocatableRandomPages = 1 << 28;

    /// <summary>
    /// Maps the program. ENOEXEC for what is no x86-64 executable, ELIBBAD's place is taken by ENOENT for one that needs an interpreter, ENOMEM, or what
    /// reading the file gave. May sleep.
    /// </summary>
    internal static Errno Load(AddressSpace* space, OpenFile* file, out LoadedProgram program)
    {
        program = default;
        byte* headers = stackalloc byte[ElfHeader.Size];
        Result read = Vfs.ReadInode(file->Inode, 0, headers, ElfHeader.Size);
        if (read.IsError)
            return read.Error;
        Errno error = ElfHeader.Parse(new ReadOnlySpan<byte>(headers, (int)read.Value), out ElfHeader header);
        if (error != Errno.None)
            return error;

        nuint tableSize = (nuint)header.ProgramHeaderCount * ElfProgramHeader.Size;
        ElfProgramHeader* table = (ElfProgramHeader*)KernelHeap.Allocate(tableSize);
        if (table == null)
            return Errno.ENOMEM;
        read = Vfs.ReadInode(file->Inode, header.ProgramHeaderOffset, table, tableSize);
        error = read.IsError ? read.Error : (nuint)read.Value != tableSize ? Errno.ENOEXEC : Errno.None;
        if (error == Errno.None)
            error = MapSegments(space, file, header, new ReadOnlySpan<ElfProgramHeader>(table, header.ProgramHeaderCount), ref program);
        KernelHeap.Free(table);
        return error;
    }

    private static Errno MapSegments(AddressSpace* space, OpenFile* file, in ElfHeader header, ReadOnlySpan<ElfProgramHeader> segments, ref LoadedProgram program)
    {
        ulong lowest = ulong.MaxValue;
        ulong highest = 0;
        for (int i = 0; i < segments.Length; i++)
        {
            ref readonly ElfProgramHeader segment = ref segments[i];
            if (segment.Type == ElfSegmentType.Interpreter)
                return Errno.ENOENT;
            if (segment.Type != ElfSegmentType.Load)
                continue;
            if (!segment.IsLoadable)
                return Errno.ENOEXEC;
            if (segment.PageStart < lowest)
                lowest = segment.PageStart;
            if (segment.PageEnd > highest)
                highest = segment.PageEnd;
        }
        if (lowest >= highest)
            return Errno.ENOEXEC;

        ulong bias = 0;
        if (header.IsRelocatable)
            bias = RelocatableBase + (Core.Random.NextUInt64() & (RelocatableRandomPages - 1)) * PageSize - lowest;
        // Reserve the whole span first, so that it is one place or none.
        Result reserved = space->Map(lowest + bias, highest - lowest, Protection.None, MapFlags.Private | MapFlags.Anonymous | MapFlags.FixedNoReplace | MapFlags.NoReserve);
        if (reserved.IsError)
            return reserved.Error;
        for (int i = 0; i < segments.Length; i++)
        {
            if (segments[i].Type != ElfSegmentType.Load)
                continue;
            Errno error = MapSegment(space, file, segments[i], bias);
            if (error != Errno.None)
                return error;
            ulong offset = header.ProgramHeaderOffset - segments[i].Offset;
            if (header.ProgramHeaderOffset >= segments[i].Offset && offset < segments[i].FileSize)
                program.ProgramHeaders = segments[i].Address + bias + offset;
        }
        program.Entry = header.Entry + bias;
        program.ProgramHeaderCount = header.ProgramHeaderCount;
        program.End = highest + bias;
        return Errno.None;
    }

    private static Errno MapSegment(AddressSpace* space, OpenFile* file, in ElfProgramHeader segment, ulong bias)
    {
        ulong start = segment.PageStart + bias;
        ulong fileEnd = segment.Address + segment.FileSize + bias;
        ulong filePagesEnd = (fileEnd + PageMask) & ~PageMask;
        ulong end = segment.PageEnd + bias;
        if (segment.FileSize > 0)
        {
            MappedFile mapping = default;
            Result result = file->Operations->GetMapping(file, &mapping);
            if (result.IsError)
                return result.Error;
            result = space->Map(start, filePagesEnd - start, segment.Protection, MapFlags.Private | MapFlags.Fixed, &mapping, segment.Offset & ~PageMask);
            mapping.Release(mapping.Object);
            if (result.IsError)
                return result.Error;
            // What follows the file's bytes in their last page is zero, when the program can see it written.
            if (filePagesEnd > fileEnd && (segment.Protection & Protection.Write) != 0 && !UserMemory.Clear(fileEnd, (nuint)(filePagesEnd - fileEnd)))
                return Errno.ENOMEM;
        }
        else
        {
            filePagesEnd = start;
        }
        if (end <= filePagesEnd)
            return Errno.None;
        Result zeroed = space->Map(filePagesEnd, end - filePagesEnd, segment.Protection, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed);
        return zeroed.Error;
    }
}
