using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Arch;

/// <summary>Task state segment and interrupt table, and where SYSCALL enters. Sources: Intel SDM volume 3, 6.10–6.14 and 7.7; volume 2, SYSCALL.</summary>
internal static unsafe class DescriptorTables
{
    internal const ushort KernelCode = 0x08;
    internal const ushort KernelData = 0x10;
    internal const ushort UserData = 0x23;
    internal const ushort UserCode = 0x2b;

    private const ushort TaskSelector = 0x30;
    private const int TaskDescriptor = TaskSelector / 8;
    private const uint StarMsr = 0xc000_0081;
    private const uint LstarMsr = 0xc000_0082;
    private const uint SyscallMaskMsr = 0xc000_0084;
    private const uint GsBaseMsr = 0xc000_0101;

    /// <summary>Cleared by SYSCALL: TF, IF, DF, IOPL, NT, AC.</summary>
    private const ulong SyscallMask = 0x4_7700;

    private const int InterruptStack = 1;
    private const int FatalStack = 2;
    private const int NonMaskable = 2;
    private const int DoubleFault = 8;
    private const int MachineCheck = 18;

    private static TaskState s_taskState;
    private static InterruptTable s_interrupts;
    private static TableDescriptor s_interruptDescriptor;
    private static InterruptStackMemory s_interruptStack;
    private static FatalStackMemory s_fatalStack;
    private static CpuBlock s_bootCpu;

    /// <summary>Sets up this processor, with the boot stack as its kernel stack.</summary>
    internal static void Initialize()
    {
        CpuBlock* cpu = (CpuBlock*)Unsafe.AsPointer(ref s_bootCpu);
        cpu->Self = cpu;
        cpu->KernelStackTop = Instructions.AddressOfBootStack() + 16384;
        Instructions.WriteMsr(GsBaseMsr, (ulong)cpu);

        TaskState* task = (TaskState*)Unsafe.AsPointer(ref s_taskState);
        task->InterruptStack1 = StackTop(Unsafe.AsPointer(ref s_interruptStack), sizeof(InterruptStackMemory));
        task->InterruptStack2 = StackTop(Unsafe.AsPointer(ref s_fatalStack), sizeof(FatalStackMemory));
        task->MapBase = (ushort)sizeof(TaskState);
        ulong address = (ulong)task;
        ulong* descriptors = Instructions.AddressOfGdt();
        descriptors[TaskDescriptor] = ((ulong)sizeof(TaskState) - 1) | ((address & 0xff_ffff) << 16) | (0x89ul << 40) | (((address >> 24) & 0xff) << 56);
        descriptors[TaskDescriptor + 1] = address >> 32;
        Instructions.LoadTaskRegister(TaskSelector);

        Gate* gates = (Gate*)Unsafe.AsPointer(ref s_interrupts);
        ulong stubs = Instructions.AddressOfTrapStubs();
        for (int vector = 0; vector < 256; vector++)
        {
            bool isFatal = vector is NonMaskable or DoubleFault or MachineCheck;
            // int3 and into may be raised by programs.
            bool isForPrograms = vector is 3 or 4;
            gates[vector].Set(stubs + (ulong)vector * 16, isFatal ? FatalStack : InterruptStack, isForPrograms ? 3 : 0);
        }
        s_interruptDescriptor.Limit = (ushort)(sizeof(InterruptTable) - 1);
        s_interruptDescriptor.Address = (ulong)gates;
        Instructions.LoadInterruptTable(Unsafe.AsPointer(ref s_interruptDescriptor));

        // SYSRET takes its selectors from base + 8 (SS) and base + 16 (CS).
        Instructions.WriteMsr(StarMsr, (0x1bul << 48) | ((ulong)KernelCode << 32));
        Instructions.WriteMsr(SyscallMaskMsr, SyscallMask);
    }

    /// <summary>Where SYSCALL enters on this processor while a process of ring 3, or a linked one, runs.</summary>
    internal static void SetSyscallEntry(bool isUserMode) =>
        Instructions.WriteMsr(LstarMsr, isUserMode ? Instructions.AddressOfSyscallEntry() : Instructions.AddressOfRing0SyscallEntry());

    /// <summary>Whether the address lies on the stack of fatal exceptions: a second one means that the panic itself failed.</summary>
    internal static bool IsOnFatalStack(ulong address) =>
        address - (ulong)Unsafe.AsPointer(ref s_fatalStack) < (ulong)sizeof(FatalStackMemory);

    private static ulong StackTop(void* memory, int size) => ((ulong)memory + (ulong)size) & ~15ul;

    [StructLayout(LayoutKind.Sequential)]
    private struct Gate
    {
        private ushort _offsetLow;
        private ushort _selector;
        private byte _stack;
        private byte _type;
        private ushort _offsetMiddle;
        private uint _offsetHigh;
        private uint _reserved;

        internal void Set(ulong handler, int stack, int privilege)
        {
            _offsetLow = (ushort)handler;
            _selector = KernelCode;
            _stack = (byte)stack;
            _type = (byte)(0x8e | (privilege << 5));
            _offsetMiddle = (ushort)(handler >> 16);
            _offsetHigh = (uint)(handler >> 32);
            _reserved = 0;
        }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct TaskState
    {
        internal uint Reserved0;
        internal ulong Stack0;
        internal ulong Stack1;
        internal ulong Stack2;
        internal ulong Reserved1;
        internal ulong InterruptStack1;
        internal ulong InterruptStack2;
        internal ulong InterruptStack3;
        internal ulong InterruptStack4;
        internal ulong InterruptStack5;
        internal ulong InterruptStack6;
        internal ulong InterruptStack7;
        internal ulong Reserved2;
        internal ushort Reserved3;
        internal ushort MapBase;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct TableDescriptor
    {
        internal ushort Limit;
        internal ulong Address;
    }

    [InlineArray(256)]
    private struct InterruptTable
    {
        private Gate _first;
    }

    [InlineArray(64)]
    private struct InterruptStackMemory
    {
        private ulong _first;
    }

    [InlineArray(1024)]
    private struct FatalStackMemory
    {
        private ulong _first;
    }
}
