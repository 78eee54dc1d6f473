// From a method symbol with [Syscall] to a SyscallModel. The rules are those of Kernel/Abi/SyscallAttribute.cs.
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Ukl.Generators;

internal static class SyscallParser
{
    public const string AttributeName = "Ukl.Kernel.Abi.SyscallAttribute";

    private const string MayBlockAttributeName = "Ukl.Kernel.Abi.MayBlockAttribute";
    private const string ResultName = "Ukl.Kernel.Abi.Result";
    private const string TrapFrameName = "Ukl.Kernel.Arch.TrapFrame";

    private static readonly string[] s_registers = ["Rdi", "Rsi", "Rdx", "R10", "R8", "R9"];

    private static readonly SymbolDisplayFormat s_fullName =
        SymbolDisplayFormat.FullyQualifiedFormat.WithMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    private static readonly SymbolDisplayFormat s_metadataName = s_fullName.WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted)
        .WithGenericsOptions(SymbolDisplayGenericsOptions.None);

    public static SyscallModel Parse(IMethodSymbol method, AttributeData attribute)
    {
        int number = attribute.ConstructorArguments.Length > 0 && attribute.ConstructorArguments[0].Value is int value ? value : -1;
        string name = attribute.ConstructorArguments.Length > 1 && attribute.ConstructorArguments[1].Value is string text ? text : "";
        SourcePlace? place = SourcePlace.From(method.Locations.FirstOrDefault());
        var findings = new List<Finding>();
        void Report(DiagnosticDescriptor rule, params string[] arguments) => findings.Add(new(rule.Id, place, new(arguments)));

        string? linuxName = LinuxSyscalls.NameOf(number);
        if (linuxName is null)
            Report(Rules.Number, name, number.ToString());
        else if (linuxName != name)
            Report(Rules.Name, number.ToString(), linuxName, name);
        if (!method.IsStatic)
            Report(Rules.NotStatic, name);
        if (FullNameOf(method.ReturnType) != ResultName || method.ReturnsByRef || method.ReturnsByRefReadonly)
            Report(Rules.ReturnType, name, method.ReturnType.ToDisplayString());
        if (!IsReachable(method))
            Report(Rules.Accessibility, name);

        var parameters = new List<ParameterModel>();
        int used = 0;
        foreach (IParameterSymbol parameter in method.Parameters)
        {
            int needed = RegistersOf(parameter);
            ParameterModel? model = needed < 0 ? null
                : used + needed > s_registers.Length ? new("0", new([]), null)
                : Convert(parameter, used);
            if (model is null)
                Report(Rules.ParameterType, parameter.Name, name, parameter.Type.ToDisplayString());
            else
                parameters.Add(model);
            used += Math.Max(needed, 0);
        }
        if (used > s_registers.Length)
            Report(Rules.Registers, name, used.ToString());

        bool mayBlock = method.GetAttributes().Any(a => a.AttributeClass is { } type && FullNameOf(type) == MayBlockAttributeName);
        string target = $"{method.ContainingType.ToDisplayString(s_fullName)}.{Escape(method.Name)}";
        return new(number, name, target, mayBlock, new(parameters), place, new(findings));
    }

    private static string Escape(string identifier) =>
        Microsoft.CodeAnalysis.CSharp.SyntaxFacts.GetKeywordKind(identifier) == Microsoft.CodeAnalysis.CSharp.SyntaxKind.None ? identifier : "@" + identifier;

    private static string FullNameOf(ITypeSymbol type) => type.OriginalDefinition.ToDisplayString(s_metadataName);

    private static bool IsReachable(IMethodSymbol method)
    {
        if (method.IsGenericMethod)
            return false;
        for (ISymbol? symbol = method; symbol is not null and not INamespaceSymbol; symbol = symbol.ContainingSymbol)
        {
            if (symbol.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Internal or Accessibility.ProtectedOrInternal))
                return false;
            if (symbol is INamedTypeSymbol { IsGenericType: true })
                return false;
        }
        return true;
    }

    /// <summary>How many registers a parameter takes; -1 when its type is not allowed.</summary>
    private static int RegistersOf(IParameterSymbol parameter)
    {
        if (parameter.RefKind != RefKind.None)
            return -1;
        if (IsTrapFrame(parameter.Type))
            return 0;
        if (parameter.Type.TypeKind == TypeKind.Enum || IntegerKindOf(parameter.Type) != 0)
            return 1;
        return FullNameOf(parameter.Type) switch
        {
            "Ukl.Kernel.Memory.UserSpan" => 2,
            "Ukl.Kernel.Abi.Fd" or "Ukl.Kernel.Abi.Pid" or "Ukl.Kernel.Memory.UserPtr" or "Ukl.Kernel.Memory.UserString" => 1,
            _ => -1,
        };
    }

    private static bool IsTrapFrame(ITypeSymbol type) => type is IPointerTypeSymbol pointer && FullNameOf(pointer.PointedAtType) == TrapFrameName;

    private static ParameterModel Convert(IParameterSymbol parameter, int register)
    {
        if (IsTrapFrame(parameter.Type))
            return new("frame", new([]), null);
        string type = parameter.Type.ToDisplayString(s_fullName);
        string first = $"frame->{s_registers[register]}";
        if (parameter.Type is INamedTypeSymbol { TypeKind: TypeKind.Enum, EnumUnderlyingType: { } underlying } enumType)
            return new($"({type})({underlying.ToDisplayString()}){first}", new([ArgumentKind.FirstEnum]), EnumOf(enumType, underlying));
        if (IntegerKindOf(parameter.Type) is var kind and not 0)
            return new($"({type}){first}", new([KindByName(parameter.Name, kind)]), null);
        return FullNameOf(parameter.Type) switch
        {
            "Ukl.Kernel.Abi.Fd" => new($"new {type}((int){first})", new([ArgumentKind.Descriptor]), null),
            "Ukl.Kernel.Abi.Pid" => new($"new {type}((int){first})", new([ArgumentKind.Int32]), null),
            "Ukl.Kernel.Memory.UserString" => new($"new {type}({first})", new([ArgumentKind.Text]), null),
            "Ukl.Kernel.Memory.UserSpan" => new($"new {type}({first}, (nuint)frame->{s_registers[register + 1]})", new([ArgumentKind.Pointer, ArgumentKind.UInt64]), null),
            _ => new($"new {type}({first})", new([ArgumentKind.Pointer]), null),
        };
    }

    private static ArgumentKind IntegerKindOf(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_SByte or SpecialType.System_Int16 or SpecialType.System_Int32 => ArgumentKind.Int32,
        SpecialType.System_Byte or SpecialType.System_UInt16 or SpecialType.System_UInt32 => ArgumentKind.UInt32,
        SpecialType.System_Int64 or SpecialType.System_IntPtr => ArgumentKind.Int64,
        SpecialType.System_UInt64 or SpecialType.System_UIntPtr => ArgumentKind.UInt64,
        _ => 0,
    };

    /// <summary>An integer whose name says that it is an address, a set of bits or permissions is shown as one.</summary>
    private static ArgumentKind KindByName(string name, ArgumentKind kind)
    {
        bool is32 = kind is ArgumentKind.Int32 or ArgumentKind.UInt32;
        bool EndsWith(string word) => name.EndsWith(word, StringComparison.OrdinalIgnoreCase);
        if (name == "mode")
            return ArgumentKind.Octal;
        if (!is32 && (EndsWith("address") || EndsWith("pointer") || EndsWith("stack")))
            return ArgumentKind.Pointer;
        if (EndsWith("flags") || EndsWith("mask") || EndsWith("argument") || name is "request" or "command")
            return is32 ? ArgumentKind.Hex32 : ArgumentKind.Hex64;
        return kind;
    }

    private static EnumModel EnumOf(INamedTypeSymbol type, INamedTypeSymbol underlying)
    {
        int size = underlying.SpecialType switch
        {
            SpecialType.System_SByte or SpecialType.System_Byte => 1,
            SpecialType.System_Int16 or SpecialType.System_UInt16 => 2,
            SpecialType.System_Int32 or SpecialType.System_UInt32 => 4,
            _ => 8,
        };
        ulong sizeMask = size == 8 ? ulong.MaxValue : (1ul << (size * 8)) - 1;
        bool isFlags = type.GetAttributes().Any(a => a.AttributeClass is { } attribute && FullNameOf(attribute) == "System.FlagsAttribute");
        IEnumerable<EnumMember> members = type.GetMembers().OfType<IFieldSymbol>().Where(field => field.HasConstantValue)
            .Select(field => new EnumMember(field.Name, Bits(field.ConstantValue!) & sizeMask));
        return new(type.ToDisplayString(s_fullName), size, isFlags, new(members));
    }

    private static ulong Bits(object value) => value switch
    {
        ulong large => large,
        _ => unchecked((ulong)System.Convert.ToInt64(value)),
    };
}
