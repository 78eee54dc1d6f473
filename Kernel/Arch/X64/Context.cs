using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>What a thread keeps of the processor while another runs.</summary>
public unsafe struct ThreadContext
{
    /// <summary>Where its kernel stack stood when it was switched away.</summary>
    public ulong StackPointer;

    /// <summary>Top of its kernel stack: where an entry puts the TrapFrame.</summary>
    public ulong StackTop;

    /// <summary>Base of fs, the program's thread pointer.</summary>
    public ulong FsBase;

    /// <summary>Base of gs of a ring-3 program.</summary>
    public ulong GsBase;

    /// <summary>XSAVE area.</summary>
    public byte* Vectors;

    /// <summary>MXCSR and x87 control word, while <see cref="HasSavedVectors"/> is false.</summary>
    public uint Mxcsr;

    /// <summary>See <see cref="Mxcsr"/>.</summary>
    public uint X87ControlWord;

    /// <summary>Whether <see cref="Vectors"/> holds the registers; a thread that called through the gate has none that count.</summary>
    public bool HasSavedVectors;

    /// <summary>The registers with which the thread entered the kernel.</summary>
    public readonly TrapFrame* Frame => (TrapFrame*)(StackTop - (ulong)sizeof(TrapFrame));
}

/// <summary>Threads as the processor sees them.</summary>
public static unsafe class Context
{
    private const uint FsBaseMsr = 0xc000_0100;
    private const uint KernelGsBaseMsr = 0xc000_0102;

    /// <summary>
    /// Prepares a new thread on the kernel stack that ends at <paramref name="stackEnd"/>: its first switch leaves the kernel with the registers in
    /// <see cref="ThreadContext.Frame"/>, which the caller fills.
    /// </summary>
    public static void Prepare(Thread* thread, ulong stackEnd)
    {
        ref ThreadContext context = ref thread->Context;
        ulong vectors = stackEnd - (ulong)VectorState.Size;
        context.Vectors = (byte*)vectors;
        for (ulong* word = (ulong*)vectors; word < (ulong*)stackEnd; word++)
            *word = 0;
        VectorState.InitializeArea(context.Vectors);
        context.HasSavedVectors = true;
        context.StackTop = vectors;
        // What ukl_switch pops: six registers and a return address.
        ulong* stack = (ulong*)context.Frame - 7;
        for (int i = 0; i < 6; i++)
            stack[i] = 0;
        stack[6] = Instructions.AddressOfThreadStart();
        context.StackPointer = (ulong)stack;
    }

    /// <summary>Gives a new thread the vector registers of the current one (clone); through the gate only the control words count.</summary>
    public static void CopyVectors(Thread* current, Thread* to)
    {
        if (current->Context.Frame->Origin != TrapFrame.OriginGate)
        {
            VectorState.SaveForProgram(to->Context.Vectors);
            return;
        }
        Instructions.SaveControlWords(&to->Context.Mxcsr);
        *(ushort*)to->Context.Vectors = (ushort)to->Context.X87ControlWord;
        *(uint*)(to->Context.Vectors + VectorState.MxcsrOffset) = to->Context.Mxcsr;
    }

    /// <summary>Gives a new program's frame its segments: ring 3, or ring 0 for a linked program.</summary>
    public static void SetSegments(TrapFrame* frame, bool isUserMode)
    {
        frame->Cs = isUserMode ? DescriptorTables.UserCode : DescriptorTables.KernelCode;
        frame->Ss = isUserMode ? DescriptorTables.UserData : DescriptorTables.KernelData;
    }

    /// <summary>Runs <paramref name="to"/> until something switches back to <paramref name="from"/>, the current thread.</summary>
    public static void Switch(Thread* from, Thread* to)
    {
        ref ThreadContext old = ref from->Context;
        ref ThreadContext next = ref to->Context;
        CpuBlock* cpu = Cpu.Current;

        bool isOldLive = old.Frame->Origin != TrapFrame.OriginGate;
        old.HasSavedVectors = isOldLive;
        if (isOldLive)
            VectorState.Save(old.Vectors);
        else
            Instructions.SaveControlWords(&from->Context.Mxcsr);

        bool isUserMode = to->Process->IsUserMode;
        if (Cpu.HasFsGsBase)
        {
            old.FsBase = Instructions.ReadFsBase();
            Instructions.WriteFsBase(next.FsBase);
        }
        else
        {
            Instructions.WriteMsr(FsBaseMsr, next.FsBase);
        }
        if (from->Process->IsUserMode && Cpu.HasFsGsBase)
            old.GsBase = Instructions.ReadMsr(KernelGsBaseMsr);
        if (isUserMode)
            Instructions.WriteMsr(KernelGsBaseMsr, next.GsBase);
        if (isUserMode != from->Process->IsUserMode)
            DescriptorTables.SetSyscallEntry(isUserMode);
        if (from->Process->Memory != to->Process->Memory)
            to->Process->Memory->Activate();

        if (next.HasSavedVectors)
        {
            VectorState.Restore(next.Vectors);
        }
        else
        {
            if (isOldLive)
                Instructions.ResetX87();
            Instructions.LoadControlWords(&to->Context.Mxcsr);
        }
        cpu->Current = to;
        cpu->KernelStackTop = next.StackTop;
        Instructions.SwitchStacks(&from->Context.StackPointer, next.StackPointer);
    }

    /// <summary>Starts the first thread; the boot stack is left for good.</summary>
    public static void Start(Thread* thread)
    {
        CpuBlock* cpu = Cpu.Current;
        thread->Process->Memory->Activate();
        DescriptorTables.SetSyscallEntry(thread->Process->IsUserMode);
        SetFsBase(thread, thread->Context.FsBase);
        VectorState.Restore(thread->Context.Vectors);
        cpu->Current = thread;
        cpu->KernelStackTop = thread->Context.StackTop;
        ulong boot = 0;
        Instructions.SwitchStacks(&boot, thread->Context.StackPointer);
    }

    /// <summary>Sets fs of the current thread (arch_prctl).</summary>
    public static void SetFsBase(Thread* thread, ulong address)
    {
        thread->Context.FsBase = address;
        if (Cpu.HasFsGsBase)
            Instructions.WriteFsBase(address);
        else
            Instructions.WriteMsr(FsBaseMsr, address);
    }

    /// <summary>fs of the current thread.</summary>
    public static ulong GetFsBase(Thread* thread) => Cpu.HasFsGsBase ? Instructions.ReadFsBase() : thread->Context.FsBase;

    /// <summary>Sets gs of the current ring-3 thread (arch_prctl).</summary>
    public static void SetGsBase(Thread* thread, ulong address)
    {
        thread->Context.GsBase = address;
        Instructions.WriteMsr(KernelGsBaseMsr, address);
    }

    /// <summary>gs of the current ring-3 thread.</summary>
    public static ulong GetGsBase(Thread* thread) => Cpu.HasFsGsBase ? Instructions.ReadMsr(KernelGsBaseMsr) : thread->Context.GsBase;
}
