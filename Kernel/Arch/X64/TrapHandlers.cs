using System.Runtime;
using Ukl.Kernel.Levels;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Arch;

/// <summary>What entry.S calls for exceptions and interrupts. Source: Intel SDM volume 3 chapter 6.15.</summary>
internal static unsafe class TrapHandlers
{
    private const int DivideError = 0;
    private const int Debug = 1;
    private const int Breakpoint = 3;
    private const int InvalidOpcode = 6;
    private const int PageFault = 14;
    private const int X87Error = 16;
    private const int AlignmentCheck = 17;
    private const int SimdError = 19;
    private const int LastException = 31;

    private const ulong FaultPresent = 1;
    private const ulong FaultWrite = 2;
    private const ulong FaultReserved = 8;
    private const ulong FaultInstruction = 16;

    [RuntimeExport("ukl_trap")]
    private static void Handle(TrapFrame* frame, Thread* thread)
    {
        int vector = (int)frame->Origin;
        bool isProgram = IsProgram(frame, thread);
        if (isProgram)
            EntryWork.Enter(thread);
        if (vector == PageFault)
            HandlePageFault(frame, thread, isProgram);
        else if (vector > LastException)
            HandleInterrupt(vector);
        else if (isProgram)
            SignalForException(frame, thread, vector);
        else
            Machine.Panic("exception in the kernel"u8, frame);
        if (isProgram)
            EntryWork.Exit(thread, frame);
    }

    [RuntimeExport("ukl_fatal")]
    private static void HandleFatal(TrapFrame* frame) => Machine.Panic("double fault, machine check or non-maskable interrupt"u8, frame);

    [RuntimeExport("ukl_bounds_failure")]
    private static void HandleBoundsFailure() => Machine.Panic("index or length out of range in the kernel"u8);

    [RuntimeExport("ukl_stack_failure")]
    private static void HandleStackFailure() => Machine.Panic("stack buffer overrun in the kernel"u8);

    /// <summary>Whether a program was interrupted, in ring 3 or linked: a linked program is never on its thread's kernel stack.</summary>
    private static bool IsProgram(TrapFrame* frame, Thread* thread) => thread != null && frame == thread->Context.Frame;

    private static void HandlePageFault(TrapFrame* frame, Thread* thread, bool isProgram)
    {
        ulong address = Instructions.ReadCr2();
        ulong error = frame->Error;
        FaultAccess access = (error & FaultInstruction) != 0 ? FaultAccess.Execute : (error & FaultWrite) != 0 ? FaultAccess.Write : FaultAccess.Read;
        bool isUserCopy = !isProgram && frame->Rip >= Instructions.AddressOfUserCopyBegin() && frame->Rip < Instructions.AddressOfUserCopyEnd();
        if (!isProgram && !isUserCopy)
            Machine.Panic(KernelStack.IsGuardPage(address) ? "kernel stack overflow"u8 : "page fault in the kernel"u8, frame);

        FaultOutcome outcome = FaultOutcome.NotMapped;
        if (address < UserMemory.Top && (error & FaultReserved) == 0)
            outcome = thread->Process->Memory->HandleFault(address, access);
        if (outcome == FaultOutcome.Resolved)
        {
            thread->Counts.Faults++;
            return;
        }
        if (isUserCopy)
        {
            frame->Rip = Instructions.AddressOfUserCopyFault();
            return;
        }
        if (outcome == FaultOutcome.OutOfMemory)
        {
            ProcessExit.KillForMemory(thread);
            return;
        }
        bool isMapped = outcome == FaultOutcome.Forbidden || (address >= UserMemory.Top && (error & FaultPresent) != 0);
        if (outcome == FaultOutcome.BeyondFile)
            Signals.Force(thread, SignalInfo.ForFault(Signal.SIGBUS, SignalInfo.BusAddressError, address), address, error, PageFault);
        else
            Signals.Force(thread, SignalInfo.ForFault(Signal.SIGSEGV, isMapped ? SignalInfo.SegvAccessError : SignalInfo.SegvMapError, address), address, error, PageFault);
    }

    private static void HandleInterrupt(int vector)
    {
        if (vector == LocalApic.TimerVector)
        {
            LocalApic.EndOfInterrupt();
            Time.Timers.RunExpired(Time.Clock.MonotonicNanoseconds);
            return;
        }
        if (vector == LocalApic.SpuriousVector)
            return;
        Interrupts.Dispatch(vector);
        LocalApic.EndOfInterrupt();
    }

    private static void SignalForException(TrapFrame* frame, Thread* thread, int vector)
    {
        SignalInfo info;
        switch (vector)
        {
            case DivideError:
                info = SignalInfo.ForFault(Signal.SIGFPE, SignalInfo.FpeIntegerDivide, frame->Rip);
                break;
            case Debug:
                info = SignalInfo.ForFault(Signal.SIGTRAP, SignalInfo.TrapTrace, frame->Rip);
                break;
            case Breakpoint:
                info = SignalInfo.ForFault(Signal.SIGTRAP, SignalInfo.Kernel, 0);
                break;
            case InvalidOpcode:
                info = SignalInfo.ForFault(Signal.SIGILL, SignalInfo.IllIllegalOperand, frame->Rip);
                break;
            case X87Error:
            case SimdError:
                VectorState.SaveForProgram(thread->Context.Vectors);
                info = SignalInfo.ForFault(Signal.SIGFPE, CodeOf(VectorState.UnmaskedExceptions(thread->Context.Vectors, vector == SimdError)), frame->Rip);
                break;
            case AlignmentCheck:
                info = SignalInfo.ForFault(Signal.SIGBUS, SignalInfo.BusAddressAlignment, frame->Rip);
                break;
            default:
                info = SignalInfo.ForFault(Signal.SIGSEGV, SignalInfo.Kernel, 0);
                break;
        }
        Signals.Force(thread, info, 0, frame->Error, (ulong)vector);
    }

    /// <summary>What a floating-point exception is called in siginfo_t; the lowest bit decides, as on Linux.</summary>
    private static int CodeOf(FloatingExceptions exceptions)
    {
        if ((exceptions & FloatingExceptions.Invalid) != 0)
            return SignalInfo.FpeInvalid;
        if ((exceptions & FloatingExceptions.DivideByZero) != 0)
            return SignalInfo.FpeDivide;
        if ((exceptions & FloatingExceptions.Overflow) != 0)
            return SignalInfo.FpeOverflow;
        if ((exceptions & (FloatingExceptions.Denormal | FloatingExceptions.Underflow)) != 0)
            return SignalInfo.FpeUnderflow;
        return SignalInfo.FpeInexact;
    }
}
