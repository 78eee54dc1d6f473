// Every rule this assembly reports: UKL00xx about system calls, UKL01xx about the kernel's discipline. UKL1xxx are Sdk/Lint's.
using System.Collections.Generic;
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
}
