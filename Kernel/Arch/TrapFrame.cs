using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Arch;

/// <summary>Sixteen 128-bit vector registers.</summary>
[InlineArray(32)]
public struct VectorRegisters
{
    private ulong _first;
}

/// <summary>
/// The registers of a thread that entered the kernel, at the top of its kernel stack (or nested, when the kernel itself was interrupted). entry.S builds and
/// restores it; the offsets are written there too.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct TrapFrame
{
    /// <summary>xmm0–15; undefined when <see cref="Origin"/> is <see cref="OriginGate"/>.</summary>
    public VectorRegisters Vectors;

    public ulong R11;
    public ulong Rcx;
    public ulong R15;
    public ulong R14;
    public ulong R13;
    public ulong R12;
    public ulong R10;
    public ulong R9;
    public ulong R8;
    public ulong Rbp;
    public ulong Rdi;
    public ulong Rsi;
    public ulong Rdx;
    public ulong Rbx;
    public ulong Rax;

    /// <summary>How the kernel was entered: a vector below 256, or one of the constants here.</summary>
    public ulong Origin;

    /// <summary>The exception's error code; for system calls the call's number.</summary>
    public ulong Error;

    public ulong Rip;
    public ulong Cs;
    public ulong Rflags;
    public ulong Rsp;
    public ulong Ss;

    /// <summary>Entered by the SYSCALL instruction from ring 3.</summary>
    public const ulong OriginSyscall = 256;

    /// <summary>Entered through the call gate of a linked program.</summary>
    public const ulong OriginGate = 257;

    /// <summary>Entered by the SYSCALL instruction from a linked program.</summary>
    public const ulong OriginRing0Syscall = 258;

    /// <summary>The frame was rewritten: every register must be restored from it.</summary>
    public const ulong OriginRewritten = 259;

    /// <summary>Whether this is a system call, by whichever way.</summary>
    public readonly bool IsSyscall => Origin is >= OriginSyscall and <= OriginRing0Syscall;

    /// <summary>Whether ring 3 was interrupted.</summary>
    public readonly bool IsFromUserMode => (Cs & 3) != 0;
}
