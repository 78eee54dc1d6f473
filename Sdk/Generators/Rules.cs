// Every rule this assembly reports: UKL00xx about system calls, UKL01xx about the kernel's discipline. UKL1xxx are Sdk/Lint's.
using System.Collections.Generic;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Ukl.Generators;

/// <summary>The rules, all of them errors.</summary>
public static class Rules
{
    /// <summary>Two methods declare the same number.</summary>
    public static readonly DiagnosticDescriptor DuplicateNumber = Syscall("UKL0001", "System call number {0} is declared twice: '{1}' and '{2}'");

    /// <summary>Two methods declare the same name.</summary>
    public static readonly DiagnosticDescriptor DuplicateName = Syscall("UKL0002", "System call '{0}' is declared twice: numbers {1} and {2}");

    /// <summary>A parameter type that no register can be turned into.</summary>
    public static readonly DiagnosticDescriptor ParameterType =
        Syscall("UKL0003", "Parameter '{0}' of system call '{1}' has type '{2}': use an integer, enum, Fd, Pid, UserPtr<T>, UserString, UserSpan or TrapFrame*, by value");

    /// <summary>The handler is an instance method.</summary>
    public static readonly DiagnosticDescriptor NotStatic = Syscall("UKL0004", "System call '{0}': the method must be static");

    /// <summary>The handler does not return Result.</summary>
    public static readonly DiagnosticDescriptor ReturnType = Syscall("UKL0005", "System call '{0}' returns '{1}': it must return Ukl.Kernel.Abi.Result");

    /// <summary>Not a number of Linux.</summary>
    public static readonly DiagnosticDescriptor Number = Syscall("UKL0006", "System call '{0}': Linux has no call with number {1}");

    /// <summary>Too many arguments.</summary>
    public static readonly DiagnosticDescriptor Registers = Syscall("UKL0007", "System call '{0}' takes {1} registers: there are 6");

    /// <summary>The number is another call's.</summary>
    public static readonly DiagnosticDescriptor Name = Syscall("UKL0008", "System call {0} is '{1}' on Linux, not '{2}'");

    /// <summary>The generated wrapper cannot see the method.</summary>
    public static readonly DiagnosticDescriptor Accessibility = Syscall("UKL0009", "System call '{0}': method and containing types must be public or internal, and not generic");

    public static readonly DiagnosticDescriptor Throw = Kernel("UKL0101", "The kernel throws no exceptions: return an Errno, or call Panic.Halt for a kernel bug");
    public static readonly DiagnosticDescriptor Try = Kernel("UKL0102", "The kernel has no exceptions, so no try, using or finally");
    public static readonly DiagnosticDescriptor Allocation = Kernel("UKL0103", "The kernel has no garbage collector: use structs, spans, Pool<T> or KernelHeap");
    public static readonly DiagnosticDescriptor Boxing = Kernel("UKL0104", "This boxes a value: the kernel has no garbage collector");
    public static readonly DiagnosticDescriptor Text = Kernel("UKL0105", "The kernel has no strings: use a u8 literal");
    public static readonly DiagnosticDescriptor Delegate = Kernel("UKL0106", "The kernel has no delegates or lambdas: use a function pointer to a static method (&Method)");
    public static readonly DiagnosticDescriptor StaticInitializer = Kernel("UKL0107", "Nothing runs static initialisers in the kernel: use const, a property with a constant span, or an Initialize method");
    public static readonly DiagnosticDescriptor StaticReference = Kernel("UKL0108", "A static field of a reference type needs the garbage collector");
    public static readonly DiagnosticDescriptor ThreadStatic = Kernel("UKL0109", "The kernel has no thread statics: keep it in Thread or in the CPU's block");
    public static readonly DiagnosticDescriptor Lock = Kernel("UKL0110", "The kernel has no monitors: use Core.SpinLock");
    public static readonly DiagnosticDescriptor InterfaceCall = Kernel("UKL0111", "The kernel makes no calls through interfaces: use static abstract members or a table of function pointers");
    public static readonly DiagnosticDescriptor Async = Kernel("UKL0112", "The kernel has no async methods and no iterators: sleep through WaitQueue");
    public static readonly DiagnosticDescriptor Arithmetic = Kernel("UKL0113", "The kernel has no checked arithmetic, no decimal and no 128-bit integers");
    public static readonly DiagnosticDescriptor Unmanaged = Kernel("UKL0114", "[UnmanagedCallersOnly] needs the runtime: use [RuntimeExport]");
    public static readonly DiagnosticDescriptor TypeOf = Kernel("UKL0115", "The kernel has no run-time types");

    /// <summary>The rules of <see cref="DisciplineAnalyzer"/>.</summary>
    public static readonly ImmutableArray<DiagnosticDescriptor> Discipline =
        [Throw, Try, Allocation, Boxing, Text, Delegate, StaticInitializer, StaticReference, ThreadStatic, Lock, InterfaceCall, Async, Arithmetic, Unmanaged, TypeOf];

    private static readonly DiagnosticDescriptor[] s_syscallRules =
        [DuplicateNumber, DuplicateName, ParameterType, NotStatic, ReturnType, Number, Registers, Name, Accessibility];

    /// <summary>The rule with this id.</summary>
    public static DiagnosticDescriptor ById(string id)
    {
        foreach (DiagnosticDescriptor rule in s_syscallRules)
        {
            if (rule.Id == id)
                return rule;
        }
        throw new KeyNotFoundException(id);
    }

    private static DiagnosticDescriptor Syscall(string id, string message) =>
        new(id, "System call declaration", message, "Ukl.Syscalls", DiagnosticSeverity.Error, isEnabledByDefault: true, customTags: WellKnownDiagnosticTags.NotConfigurable);

    private static DiagnosticDescriptor Kernel(string id, string message) =>
        new(id, "Kernel discipline", message, "Ukl.Kernel", DiagnosticSeverity.Error, isEnabledByDefault: true, customTags: WellKnownDiagnosticTags.NotConfigurable);
}
