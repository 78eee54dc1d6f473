using System;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Diagnostics;

/// <summary>What a panic prints.</summary>
internal static unsafe class PanicReport
{
    private static bool s_isPanicking;

    /// <summary>Prints the reason and the registers. A panic within a panic prints its reason only.</summary>
    internal static void Write(ReadOnlySpan<byte> reason, TrapFrame* frame, ulong faultAddress)
    {
        Log.Write("\nukl: kernel panic: "u8);
        Log.WriteLine(reason);
        if (s_isPanicking || frame == null)
            return;
        s_isPanicking = true;
        WriteRegister("vector"u8, frame->Origin);
        WriteRegister("error"u8, frame->Error);
        WriteRegister("cr2"u8, faultAddress);
        WriteRegister("rip"u8, frame->Rip);
        WriteRegister("rsp"u8, frame->Rsp);
        WriteRegister("rflags"u8, frame->Rflags);
        WriteRegister("cs"u8, frame->Cs);
        WriteRegister("rax"u8, frame->Rax);
        WriteRegister("rbx"u8, frame->Rbx);
        WriteRegister("rcx"u8, frame->Rcx);
        WriteRegister("rdx"u8, frame->Rdx);
        WriteRegister("rsi"u8, frame->Rsi);
        WriteRegister("rdi"u8, frame->Rdi);
        WriteRegister("rbp"u8, frame->Rbp);
        WriteRegister("r8"u8, frame->R8);
        WriteRegister("r9"u8, frame->R9);
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
