using System;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Diagnostics;

/// <summary>What a panic prints: the reason, the registers, and who called whom.</summary>
internal static unsafe class PanicReport
{
    private static bool s_isPanicking;

    /// <summary>
    /// Prints all that is known. <paramref name="frame"/> is the code that failed; null when the caller itself found the bug. A panic within a panic prints its
    /// reason and where it was, nothing that could fail again.
    /// </summary>
    internal static void Write(ReadOnlySpan<byte> reason, TrapFrame* frame, ulong faultAddress)
    {
        Log.Write("\nukl: kernel panic: "u8);
        Log.WriteLine(reason);
        if (s_isPanicking)
        {
            if (frame != null)
                WriteRegister("rip"u8, frame->Rip);
            Log.WriteLine(" (while reporting a panic)"u8);
            return;
        }
        s_isPanicking = true;
        UnwindState state;
        if (frame == null)
        {
            Cpu.CaptureFrame(&state);
        }
        else
        {
            WriteRegisters(frame, faultAddress);
            state.Rip = frame->Rip;
            state.Rsp = frame->Rsp;
            state.Rbp = frame->Rbp;
        }
        Backtrace.Write(state, isReturnAddress: frame == null);
    }

    private static void WriteRegisters(TrapFrame* frame, ulong faultAddress)
    {
        WriteRegister("vector"u8, frame->Origin);
        WriteRegister("error"u8, frame->Error);
        WriteRegister("cr2"u8, faultAddress);
        WriteRegister("cs"u8, frame->Cs);
        WriteRegister("rflags"u8, frame->Rflags);
        Log.Write("\n"u8);
        WriteRegister("rip"u8, frame->Rip);
        WriteRegister("rsp"u8, frame->Rsp);
        WriteRegister("rbp"u8, frame->Rbp);
        Log.Write("\n"u8);
        WriteRegister("rax"u8, frame->Rax);
        WriteRegister("rbx"u8, frame->Rbx);
        WriteRegister("rcx"u8, frame->Rcx);
        WriteRegister("rdx"u8, frame->Rdx);
        Log.Write("\n"u8);
        WriteRegister("rsi"u8, frame->Rsi);
        WriteRegister("rdi"u8, frame->Rdi);
        WriteRegister("r8"u8, frame->R8);
        WriteRegister("r9"u8, frame->R9);
        Log.Write("\n"u8);
        WriteRegister("r10"u8, frame->R10);
        WriteRegister("r11"u8, frame->R11);
        WriteRegister("r12"u8, frame->R12);
        WriteRegister("r13"u8, frame->R13);
        WriteRegister("r14"u8, frame->R14);
        WriteRegister("r15"u8, frame->R15);
        Log.Write("\n"u8);
    }

    private static void WriteRegister(ReadOnlySpan<byte> name, ulong value)
    {
        Log.Write(" "u8);
        Log.Write(name);
        Log.Write("="u8);
        Log.WriteHex(value);
    }
}
