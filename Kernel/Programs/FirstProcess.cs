// The first process: either the program that is linked with the kernel, in ring 0, or an executable of the initramfs, in ring 3.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Programs;

/// <summary>Makes the first process and starts it.</summary>
internal static unsafe class FirstProcess
{
    private const ulong PageSize = 4096;
    private const ulong PageMask = PageSize - 1;

    /// <summary>Mapped at once; it grows down on demand from there (stack limit).</summary>
    private const ulong InitialStackSize = 33 * PageSize;

    /// <summary>Random bits of the stack's place (16 GiB), of mmap's and of the break's (32 MiB), in pages.</summary>
    private const ulong StackRandomMask = 0x3f_ffff;
    private const ulong MmapRandomMask = 0xfff_ffff;
    private const ulong BreakRandomMask = 0x1fff;

    /// <summary>What mmap leaves free for the stack to grow into, beside the guard gap.</summary>
    private const ulong StackReserve = 128 << 20;

    /// <summary>Where a linked program's break starts: its image lies in the kernel half, where there is no room to grow.</summary>
    private const ulong LinkedBreak = 0x1_0000_0000;

    private const ulong HardwareCapabilities2 = 2;
    private const ulong ClockTicksPerSecond = 100;
    private const int AuxiliaryCapacity = 21;

    /// <summary>
    /// Makes the process from the command line: init= is the program's path, what follows "--" its arguments, NAME=value its environment. Then runs it;
    /// returns only when that is impossible, with the reason as text.
    /// </summary>
    internal static ReadOnlySpan<byte> Run(ref CommandLine commandLine)
    {
        bool isLinked = Image.HasLinkedProgram;
        Process* process = ThreadTable.CreateProcess();
        if (process == null)
            return "no memory for the first process"u8;
        process->IsUserMode = !isLinked;
        Thread* thread = ThreadTable.Create(process);
        if (thread == null)
            return "no memory for the first thread"u8;
        if (!Vdso.TryPrepare())
            return "no memory for the vDSO"u8;
        if (commandLine.HasFlag("canaries"u8))
            Canaries.Place();
        if (commandLine.HasFlag("leakcheck"u8) && AddressSpace.TryPrepare())
            LeakCheck.Begin();
        process->Memory = AddressSpace.Create(isUserMode: !isLinked);
        process->Files = FileTable.Create();
        process->FileSystem = FileSystemContext.Create();
        process->Limits.SetDefaults();
        if (process->Memory == null || process->Files == null || process->FileSystem == null)
            return "no memory for the first process"u8;
        process->Id = thread->Id;
        process->GroupId = thread->Id;
        process->SessionId = thread->Id;
        // From here on user memory is this process's.
        Cpu.Current->Current = thread;
        process->Memory->Activate();

        if (!commandLine.TryGetValue("init"u8, out ReadOnlySpan<byte> path) || path.IsEmpty)
            path = "/init"u8;
        SetName(thread, path);
        process->ExecutablePath = CopyPath(path);
        if (process->ExecutablePath == null)
            return "no memory for the first process"u8;

        PlaceAreas(process->Memory);
        LoadedProgram program;
        if (isLinked)
        {
            program = DescribeImage();
        }
        else
        {
            Errno error = Vfs.Open(path, OpenFlags.ReadOnly, 0, out OpenFile* file);
            if (error != Errno.None)
                return "the initramfs has no executable at the path that init= names (default /init)"u8;
            error = ProgramLoader.Load(process->Memory, file, out program);
            OpenFile.Release(file);
            if (error == Errno.ENOENT)
                return "the program is dynamically linked; only static executables can run yet"u8;
            if (error != Errno.None)
                return "the program is no x86-64 Linux executable, or does not fit into memory"u8;
        }
        ulong breakStart = isLinked ? LinkedBreak : program.End;
        process->Memory->BreakStart = breakStart + (Core.Random.NextUInt64() & BreakRandomMask) * PageSize;
        process->Memory->Break = process->Memory->BreakStart;

        if (Vdso.Map(process) != Errno.None)
            return "no memory for the vDSO"u8;
        if (!FileSystems.OpenStandardFiles(process))
            return "no console for the first process"u8;
        if (!TryBuildStack(process, ref commandLine, path, program, out ulong stack))
            return "the program's arguments do not fit on its stack"u8;

        TrapFrame* frame = thread->Context.Frame;
        frame->Rip = program.Entry;
        frame->Rsp = stack;
        frame->Rflags = InitialFlags;
        frame->Origin = TrapFrame.OriginRewritten;
        Context.SetSegments(frame, process->IsUserMode);
        if (SyscallDispatch.IsTracing)
            thread->Work |= ThreadWork.Trace;
        thread->SliceLeft = Scheduler.SliceFor(thread);
        thread->SystemBalance = 0 - Cpu.ReadTimestamp();
        Context.Start(thread);
        return "the first thread did not start"u8;
    }

    /// <summary>Interrupts on.</summary>
    private const ulong InitialFlags = 0x202;

    private static LoadedProgram DescribeImage()
    {
        ElfHeader* header = (ElfHeader*)Image.Start;
        return new LoadedProgram
        {
            Entry = Image.LinkedProgramEntry,
            ProgramHeaders = Image.Start + header->ProgramHeaderOffset,
            ProgramHeaderCount = header->ProgramHeaderCount,
        };
    }

    private static void PlaceAreas(AddressSpace* space)
    {
        space->StackStart = (UserMemory.Top - (Core.Random.NextUInt64() & StackRandomMask) * PageSize) & ~PageMask;
        ulong reserve = space->StackStart - StackReserve - AddressSpace.StackGuardGap;
        space->MmapBase = (reserve - (Core.Random.NextUInt64() & MmapRandomMask) * PageSize) & ~PageMask;
    }

    private static bool TryBuildStack(Process* process, ref CommandLine commandLine, ReadOnlySpan<byte> path, in LoadedProgram program, out ulong stackPointer)
    {
        stackPointer = 0;
        AddressSpace* space = process->Memory;
        Result mapped = space->Map(space->StackStart - InitialStackSize, InitialStackSize, Protection.Read | Protection.Write,
            MapFlags.Private | MapFlags.Anonymous | MapFlags.FixedNoReplace | MapFlags.GrowsDown | MapFlags.NoReserve);
        if (mapped.IsError)
            return false;
        ulong* strings = (ulong*)KernelHeap.Allocate(InitialStack.StringCapacity * sizeof(ulong));
        if (strings == null)
            return false;
        scoped var stack = new InitialStack(space->StackStart - sizeof(ulong), strings);
        ulong executableName = stack.PushString(path);
        ulong platform = stack.PushString("x86_64"u8);
        ulong random = stack.PushRandom();

        stack.ReserveStrings(SizeOfStrings(ref commandLine, path));
        process->Areas.ArgumentsStart = stack.NextString;
        stack.AddArgument(path);
        CommandLineWords words = commandLine.Arguments;
        while (words.MoveNext())
            stack.AddArgument(words.Current);
        process->Areas.ArgumentsEnd = stack.NextString;
        process->Areas.EnvironmentStart = stack.NextString;
        words = commandLine.Options;
        while (words.MoveNext())
        {
            if (words.IsEnvironment)
                stack.AddEnvironment(words.Current);
        }
        process->Areas.EnvironmentEnd = stack.NextString;

        Span<AuxiliaryEntry> auxiliary = stackalloc AuxiliaryEntry[AuxiliaryCapacity];
        int count = 0;
        uint* leaf = stackalloc uint[4];
        Cpu.Identify(1, 0, leaf);
        Add(auxiliary, ref count, AuxiliaryKey.HardwareCapabilities, leaf[3]);
        Add(auxiliary, ref count, AuxiliaryKey.PageSize, PageSize);
        Add(auxiliary, ref count, AuxiliaryKey.ClockTicks, ClockTicksPerSecond);
        Add(auxiliary, ref count, AuxiliaryKey.ProgramHeaders, program.ProgramHeaders);
        Add(auxiliary, ref count, AuxiliaryKey.ProgramHeaderSize, ElfProgramHeader.Size);
        Add(auxiliary, ref count, AuxiliaryKey.ProgramHeaderCount, program.ProgramHeaderCount);
        Add(auxiliary, ref count, AuxiliaryKey.Base, 0);
        Add(auxiliary, ref count, AuxiliaryKey.Flags, 0);
        Add(auxiliary, ref count, AuxiliaryKey.Entry, program.Entry);
        Add(auxiliary, ref count, AuxiliaryKey.UserId, process->Credentials.UserId);
        Add(auxiliary, ref count, AuxiliaryKey.EffectiveUserId, process->Credentials.EffectiveUserId);
        Add(auxiliary, ref count, AuxiliaryKey.GroupId, process->Credentials.GroupId);
        Add(auxiliary, ref count, AuxiliaryKey.EffectiveGroupId, process->Credentials.EffectiveGroupId);
        Add(auxiliary, ref count, AuxiliaryKey.Secure, 0);
        Add(auxiliary, ref count, AuxiliaryKey.Random, random);
        Add(auxiliary, ref count, AuxiliaryKey.HardwareCapabilities2, Cpu.HasFsGsBase ? HardwareCapabilities2 : 0);
        Add(auxiliary, ref count, AuxiliaryKey.ExecutableName, executableName);
        Add(auxiliary, ref count, AuxiliaryKey.Platform, platform);
        Add(auxiliary, ref count, AuxiliaryKey.MinimumSignalStack, SignalStack.MinimumSize + (ulong)VectorState.Size);
        Add(auxiliary, ref count, AuxiliaryKey.VdsoHeader, process->Areas.VdsoStart);
        Add(auxiliary, ref count, AuxiliaryKey.End, 0);
        stackPointer = stack.Finish(auxiliary[..count], out ulong auxiliaryStart);
        process->Areas.AuxiliaryStart = auxiliaryStart;
        process->Areas.AuxiliaryEnd = auxiliaryStart + (ulong)(count * sizeof(AuxiliaryEntry));
        process->Areas.StackStart = stackPointer;
        space->StackStart = stackPointer;
        KernelHeap.Free(strings);
        return !stack.HasFailed;
    }

    /// <summary>Bytes of all arguments and environment strings with their NULs.</summary>
    private static ulong SizeOfStrings(ref CommandLine commandLine, ReadOnlySpan<byte> path)
    {
        ulong size = (ulong)path.Length + 1;
        CommandLineWords words = commandLine.Arguments;
        while (words.MoveNext())
            size += (ulong)words.Current.Length + 1;
        words = commandLine.Options;
        while (words.MoveNext())
        {
            if (words.IsEnvironment)
                size += (ulong)words.Current.Length + 1;
        }
        return size;
    }

    private static void Add(Span<AuxiliaryEntry> auxiliary, ref int count, AuxiliaryKey key, ulong value) =>
        auxiliary[count++] = new AuxiliaryEntry { Key = key, Value = value };

    private static byte* CopyPath(ReadOnlySpan<byte> path)
    {
        byte* copy = (byte*)KernelHeap.Allocate((nuint)path.Length + 1);
        if (copy != null)
            path.CopyTo(new Span<byte>(copy, path.Length));
        return copy;
    }

    private static void SetName(Thread* thread, ReadOnlySpan<byte> path)
    {
        int start = 0;
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] == (byte)'/')
                start = i + 1;
        }
        int length = path.Length - start < ThreadName.Length - 1 ? path.Length - start : ThreadName.Length - 1;
        Span<byte> name = thread->Name;
        path.Slice(start, length).CopyTo(name);
    }
}
