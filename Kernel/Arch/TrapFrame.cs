namespace Ukl.Kernel.Arch;

/// <summary>The registers of the code that entered the kernel, as the entry code saved them.</summary>
public struct TrapFrame
{
    public ulong R15, R14, R13, R12, Rbp, Rbx, R11, R10, R9, R8, Rax, Rcx, Rdx, Rsi, Rdi;

    /// <summary>The vector and the error code; for a system call the call's number in both.</summary>
    public ulong Vector, ErrorCode;

    public ulong Rip, Cs, Rflags, Rsp, Ss;
}
