using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>
/// The frame a handler runs on, and the way back from it (rt_sigreturn). Layout: Linux's rt_sigframe, ucontext_t and sigcontext for x86-64, with the XSAVE image and
/// its software-reserved bytes (arch/x86/include/uapi/asm/sigcontext.h), which the .NET runtime reads and writes.
/// </summary>
internal static unsafe class SignalFrame
{
    private const ulong RedZone = 128;
    /// <summary>Where siginfo_t stands in the frame: after the return address and ucontext_t.</summary>
    private const ulong InfoOffset = 312;
    private const int SoftwareBytesOffset = 464;
    private const uint Magic1 = 0x4650_5853;
    private const uint Magic2 = 0x4650_5845;
    private const ulong HasExtendedState = 1;
    private const ulong HasStackSegment = 2;
    private const ulong StrictRestore = 4;
    private const ulong DirectionFlag = 0x400;
    private const ulong TrapFlag = 0x100;
    private const ulong AlignmentFlag = 0x4_0000;

    /// <summary>The flags a program may set: CF PF AF ZF SF TF DF OF AC.</summary>
    private const ulong ProgramFlags = 0x4_0dd5;
    private const ulong AlwaysFlags = 0x202;

    /// <summary>Makes the thread enter the handler when it leaves the kernel. False when the stack cannot take the frame.</summary>
    internal static bool Push(Thread* thread, TrapFrame* frame, in SignalInfo info, in SignalAction action)
    {
        ulong stack = frame->Rsp;
        bool isOnAlternate = thread->AlternateStack.Contains(stack);
        if ((action.Flags & SignalAction.OnStack) != 0 && thread->AlternateStack.IsEnabled && !isOnAlternate)
            stack = thread->AlternateStack.Address + thread->AlternateStack.Size;
        else
            stack -= RedZone;

        ulong extendedSize = VectorState.Features == 0 ? 0ul : sizeof(uint);
        ulong vectors = (stack - (ulong)VectorState.Size - extendedSize) & ~63ul;
        ulong address = ((vectors - (ulong)sizeof(Layout)) & ~15ul) - 8;

        SaveVectors(thread, frame);
        byte* area = thread->Context.Vectors;
        if (VectorState.Features != 0)
        {
            SoftwareBytes* software = (SoftwareBytes*)(area + SoftwareBytesOffset);
            *software = default;
            software->Magic = Magic1;
            software->ExtendedSize = (uint)VectorState.Size + sizeof(uint);
            software->Features = VectorState.Features;
            software->Size = (uint)VectorState.Size;
            uint magic = Magic2;
            if (!UserMemory.CopyOut(vectors + (ulong)VectorState.Size, &magic, sizeof(uint)))
                return false;
        }
        if (!UserMemory.CopyOut(vectors, area, (nuint)VectorState.Size))
            return false;

        Layout layout = default;
        layout.ReturnAddress = action.Restorer;
        layout.Flags = HasStackSegment | StrictRestore | (VectorState.Features == 0 ? 0 : HasExtendedState);
        layout.Stack = thread->AlternateStack;
        layout.Stack.Flags |= !thread->AlternateStack.IsEnabled ? SignalStack.Disabled : isOnAlternate ? SignalStack.OnStack : 0;
        FillRegisters(ref layout.Registers, thread, frame);
        layout.Registers.Vectors = vectors;
        layout.Mask = thread->HasSavedSignalMask ? thread->SavedSignalMask : thread->SignalMask;
        layout.Info = info;
        if (!UserMemory.CopyOut(address, &layout, (nuint)sizeof(Layout)))
            return false;

        // A handler starts with clean registers and default control words.
        VectorState.LoadInitial(area);
        frame->Vectors = default;
        if ((thread->AlternateStack.Flags & SignalStack.AutoDisarm) != 0)
            thread->AlternateStack = default;
        frame->Rdi = (ulong)info.Number;
        frame->Rsi = address + InfoOffset;
        frame->Rdx = address + sizeof(ulong);
        frame->Rax = 0;
        frame->Rip = action.Handler;
        frame->Rsp = address;
        frame->Rflags &= ~(DirectionFlag | TrapFlag | AlignmentFlag);
        frame->Origin = TrapFrame.OriginRewritten;
        return true;
    }

    /// <summary>Puts the registers back from the frame below the stack pointer. False when it cannot be read: the program dies of SIGSEGV.</summary>
    internal static bool Pop(Thread* thread, TrapFrame* frame)
    {
        Layout layout;
        // The handler's return has popped the return address.
        if (!UserMemory.CopyIn(&layout, frame->Rsp - sizeof(ulong), (nuint)sizeof(Layout)))
            return false;
        ref Registers saved = ref layout.Registers;
        if (saved.Rip >= UserMemory.Top && !UserMemory.IsValidRange(saved.Rip, 1))
            return false;
        if (!RestoreVectors(thread, frame, saved.Vectors))
            return false;

        frame->R8 = saved.R8;
        frame->R9 = saved.R9;
        frame->R10 = saved.R10;
        frame->R11 = saved.R11;
        frame->R12 = saved.R12;
        frame->R13 = saved.R13;
        frame->R14 = saved.R14;
        frame->R15 = saved.R15;
        frame->Rdi = saved.Rdi;
        frame->Rsi = saved.Rsi;
        frame->Rbp = saved.Rbp;
        frame->Rbx = saved.Rbx;
        frame->Rdx = saved.Rdx;
        frame->Rax = saved.Rax;
        frame->Rcx = saved.Rcx;
        frame->Rsp = saved.Rsp;
        frame->Rip = saved.Rip;
        frame->Rflags = (saved.Rflags & ProgramFlags) | AlwaysFlags;
        frame->Origin = TrapFrame.OriginRewritten;
        if ((layout.Stack.Flags & SignalStack.AutoDisarm) != 0)
            thread->AlternateStack = layout.Stack;
        Signals.SetMask(thread, layout.Mask);
        return true;
    }

    /// <summary>
    /// Brings the thread's vector area up to date: the processor has the upper halves, the trap frame has xmm (unless the thread came through the gate, where they do not count).
    /// </summary>
    private static void SaveVectors(Thread* thread, TrapFrame* frame)
    {
        byte* area = thread->Context.Vectors;
        VectorState.SaveForProgram(area);
        if (frame->Origin != TrapFrame.OriginGate)
            *(VectorRegisters*)(area + VectorState.XmmOffset) = frame->Vectors;
        VectorState.MarkLegacyPresent(area);
    }

    private static bool RestoreVectors(Thread* thread, TrapFrame* frame, ulong address)
    {
        byte* area = thread->Context.Vectors;
        if (address == 0)
        {
            for (int i = 0; i < VectorState.Size; i++)
                area[i] = 0;
            VectorState.InitializeArea(area);
        }
        else
        {
            if (!UserMemory.CopyIn(area, address, VectorState.LegacySize))
                return false;
            SoftwareBytes* software = (SoftwareBytes*)(area + SoftwareBytesOffset);
            bool isExtended = VectorState.Features != 0 && software->Magic == Magic1 && software->Size == (uint)VectorState.Size;
            if (isExtended
                && !UserMemory.CopyIn(area + VectorState.LegacySize, address + VectorState.LegacySize, (nuint)(VectorState.Size - VectorState.LegacySize)))
                return false;
            VectorState.Sanitize(area, isExtended);
        }
        VectorState.Restore(area);
        frame->Vectors = *(VectorRegisters*)(area + VectorState.XmmOffset);
        return true;
    }

    private static void FillRegisters(ref Registers registers, Thread* thread, TrapFrame* frame)
    {
        registers.R8 = frame->R8;
        registers.R9 = frame->R9;
        registers.R10 = frame->R10;
        registers.R11 = frame->R11;
        registers.R12 = frame->R12;
        registers.R13 = frame->R13;
        registers.R14 = frame->R14;
        registers.R15 = frame->R15;
        registers.Rdi = frame->Rdi;
        registers.Rsi = frame->Rsi;
        registers.Rbp = frame->Rbp;
        registers.Rbx = frame->Rbx;
        registers.Rdx = frame->Rdx;
        registers.Rax = frame->Rax;
        registers.Rcx = frame->Rcx;
        registers.Rsp = frame->Rsp;
        registers.Rip = frame->Rip;
        registers.Rflags = frame->Rflags;
        registers.Segments = frame->Cs | (frame->Ss << 48);
        registers.ErrorCode = thread->Fault.ErrorCode;
        registers.Vector = thread->Fault.Vector;
        registers.OldMask = thread->SignalMask;
        registers.FaultAddress = thread->Fault.Address;
    }

    /// <summary>struct rt_sigframe: return address, ucontext_t, siginfo_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Layout
    {
        public ulong ReturnAddress;
        public ulong Flags;
        public ulong Link;
        public SignalStack Stack;
        public Registers Registers;
        public SignalSet Mask;
        public SignalInfo Info;
        public InfoRest Rest;
    }

    /// <summary>struct sigcontext.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Registers
    {
        public ulong R8;
        public ulong R9;
        public ulong R10;
        public ulong R11;
        public ulong R12;
        public ulong R13;
        public ulong R14;
        public ulong R15;
        public ulong Rdi;
        public ulong Rsi;
        public ulong Rbp;
        public ulong Rbx;
        public ulong Rdx;
        public ulong Rax;
        public ulong Rcx;
        public ulong Rsp;
        public ulong Rip;
        public ulong Rflags;
        public ulong Segments;
        public ulong ErrorCode;
        public ulong Vector;
        public SignalSet OldMask;
        public ulong FaultAddress;
        public ulong Vectors;
        public Reserved Reserved;
    }

    [InlineArray(8)]
    private struct Reserved
    {
        private ulong _first;
    }

    [InlineArray(10)]
    private struct InfoRest
    {
        private ulong _first;
    }

    /// <summary>struct _fpx_sw_bytes, in the part of the FXSAVE image that is left to software.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SoftwareBytes
    {
        public uint Magic;
        public uint ExtendedSize;
        public ulong Features;
        public uint Size;
        public SoftwarePadding Padding;
    }

    [InlineArray(7)]
    private struct SoftwarePadding
    {
        private uint _first;
    }
}
