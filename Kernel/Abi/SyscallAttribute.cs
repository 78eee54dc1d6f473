using System;

namespace Ukl.Kernel.Abi;

/// <summary>
/// Declares a static method as the handler of a Linux system call. This is the only place a call is declared: a source generator makes the
/// dispatch table, the trace decoder and the compatibility page from it. The method is <c>internal static</c> or <c>public static</c> and returns
/// <see cref="Result"/>. Its parameters take the argument registers rdi, rsi, rdx, r10, r8, r9 in order: integers, <see cref="Fd"/>,
/// <see cref="Pid"/>, enums, <c>UserPtr&lt;T&gt;</c> and <c>UserString</c> take one register, <c>UserSpan</c> takes two (address, length).
/// A parameter of type <c>TrapFrame*</c> takes none: it is the caller's saved registers.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SyscallAttribute(int number, string name) : Attribute
{
    /// <summary>Linux's number on x86-64.</summary>
    public int Number { get; } = number;

    /// <summary>Linux's name, as in the manual's section 2.</summary>
    public string Name { get; } = name;

    /// <summary>What of the call is not supported, for the compatibility page; null when all of it is.</summary>
    public string Limits { get; set; }
}

/// <summary>The call can sleep: from linked managed code it must be reached through a GC transition.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MayBlockAttribute : Attribute;
