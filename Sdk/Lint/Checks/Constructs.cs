// From the symbols that machine code refers to, to the C# construct that made the compiler refer to them. Source: compiling every construct with ilc 10.0.12,
// alone and jointly with a program; Tests/Lint does it again for each.
using System;
using System.Collections.Generic;

namespace Ukl.Lint.Checks;

/// <summary>Classifies symbols.</summary>
public static class Constructs
{
    private const string CoreLib = "S_P_CoreLib_System_";
    private const string MethodTable = "_ZTV";

    private static readonly (string Prefix, Construct Construct)[] s_prefixes =
    [
        ("RhpNewArray", Construct.Array),
        ("RhpNewPtrArray", Construct.Array),
        ("RhNewArray", Construct.Array),
        ("RhNewVariableSizeObject", Construct.Array),
        ("S_P_CoreLib_Internal_Runtime_CompilerHelpers_ArrayHelpers__", Construct.Array),
        ("RhpNew", Construct.Object),
        ("RhNewObject", Construct.Object),
        ("g_cpuFeatures", Construct.Feature),
        ("RhNewString", Construct.StringUse),
        ("S_P_CoreLib_System_Activator__", Construct.Object),
        ("RhpAssignRef", Construct.ReferenceStore),
        ("RhpCheckedAssignRef", Construct.ReferenceStore),
        ("RhpByRefAssignRef", Construct.ReferenceStore),
        ("RhBulkMoveWithWriteBarrier", Construct.ReferenceStore),
        (CoreLib + "SpanHelpers__ClearWithReferences", Construct.ReferenceStore),
        ("RhpThrow", Construct.Throw),
        ("RhpRethrow", Construct.Throw),
        ("S_P_CoreLib_Internal_Runtime_CompilerHelpers_ThrowHelpers__ThrowOverflowException", Construct.Checked),
        ("__GetNonGCStaticBase_", Construct.StaticConstructor),
        ("__GetGCStaticBase_", Construct.StaticConstructor),
        (CoreLib + "Runtime_CompilerServices_ClassConstructorRunner__", Construct.StaticConstructor),
        ("__GCSTATICS", Construct.StaticReference),
        ("__FrozenObj_", Construct.StaticReference),
        ("__GetThreadStaticBase_", Construct.ThreadStatic),
        ("__GetInlinedThreadStaticBase", Construct.ThreadStatic),
        ("tls_InlinedThreadStatics", Construct.ThreadStatic),
        ("__tls_get_addr", Construct.ThreadStatic),
        ("S_P_CoreLib_Internal_Runtime_ThreadStatics__", Construct.ThreadStatic),
        ("RhGetInlinedThreadStaticStorage", Construct.ThreadStatic),
        ("RhGetThreadStaticStorage", Construct.ThreadStatic),
        (CoreLib + "Threading_Monitor__", Construct.Lock),
        (CoreLib + "Threading_Lock__", Construct.Lock),
        (CoreLib + "Threading_Lock_Scope__", Construct.Lock),
        ("__DelegateCtor_", Construct.Delegate),
        ("RhpInitialDynamicInterfaceDispatch", Construct.InterfaceCall),
        ("RhpInterfaceDispatch", Construct.InterfaceCall),
        (CoreLib + "Runtime_TypeLoaderExports__GVMLookup", Construct.GenericVirtual),
        ("__GenericDict_", Construct.SharedGeneric),
        ("__GenericLookup", Construct.SharedGeneric),
        (CoreLib + "Runtime_TypeCast__Stelem", Construct.ArrayElement),
        (CoreLib + "Runtime_TypeCast__Ldelema", Construct.ArrayElement),
        (CoreLib + "Runtime_TypeCast__", Construct.Cast),
        (CoreLib + "Runtime_RuntimeExports__RhUnbox", Construct.Cast),
        ("RhUnbox", Construct.Cast),
        ("RhpReversePInvoke", Construct.Unmanaged),
        ("RhpPInvoke", Construct.PlatformInvoke),
        (CoreLib + "Runtime_CompilerServices_AsyncMethodBuilderCore__", Construct.Async),
        (CoreLib + "Runtime_CompilerServices_AsyncTaskMethodBuilder", Construct.Async),
        (CoreLib + "Runtime_CompilerServices_AsyncVoidMethodBuilder", Construct.Async),
        (CoreLib + "Decimal__", Construct.Decimal),
        (CoreLib + "Decimal_DecCalc__", Construct.Decimal),
        (CoreLib + "UInt128__", Construct.Wide),
        (CoreLib + "Int128__", Construct.Wide),
        (CoreLib + "Math___BigMul", Construct.Wide),
        (CoreLib + "Math__BigMul", Construct.Wide),
        ("String__", Construct.StringUse),
        (CoreLib + "String__", Construct.StringUse),
        (CoreLib + "Runtime_CompilerServices_DefaultInterpolatedStringHandler__", Construct.StringUse),
        (CoreLib + "Number__", Construct.StringUse),
        (CoreLib + "Enum__ToString", Construct.StringUse),
    ];

    // Written after the name of the object file or after nothing.
    private static readonly (string Part, Construct Construct)[] s_parts =
    [
        ("__InterfaceDispatchCell_", Construct.InterfaceCall),
        ("__Str_", Construct.StringUse),
        ("__RuntimeMethodHandle_", Construct.GenericVirtual),
        ("__RuntimeType_", Construct.TypeOf),
        ("__RuntimeFieldHandle_", Construct.TypeOf),
    ];

    private static readonly HashSet<string> s_floatingPoint =
    [
        "fmod", "fmodf", "sin", "sinf", "cos", "cosf", "tan", "tanf", "asin", "acos", "atan", "atan2", "exp", "expf", "log", "logf", "log2", "log10", "pow", "powf", "cbrt",
        "sinh", "cosh", "tanh",
    ];

    // What the kernel may call although it is not its own: the ends of failed bounds checks, and copying and clearing memory.
    private static readonly HashSet<string> s_allowed =
    [
        "S_P_CoreLib_System_SpanHelpers__Memmove",
        "S_P_CoreLib_System_SpanHelpers__ClearWithoutReferences",
        "S_P_CoreLib_System_Buffer__Memmove",
        "RhpFallbackFailFast",
        "RhpStackProbe",
        "__security_cookie",
        "memset",
        "memcpy",
        "memmove",
    ];

    private static readonly string[] s_allowedPrefixes =
    [
        "S_P_CoreLib_Internal_Runtime_CompilerHelpers_ThrowHelpers__ThrowIndexOutOfRangeException",
        "S_P_CoreLib_Internal_Runtime_CompilerHelpers_ThrowHelpers__ThrowDivideByZeroException",
        "S_P_CoreLib_Internal_Runtime_CompilerHelpers_ThrowHelpers__ThrowNullReferenceException",
        "S_P_CoreLib_System_ThrowHelper__ThrowArgumentOutOfRange",
        "S_P_CoreLib_System_ThrowHelper__ThrowIndexOutOfRange",
        "S_P_CoreLib_System_ThrowHelper__ThrowStartIndexArgumentOutOfRange",
        "S_P_CoreLib_System_ThrowHelper__ThrowArgumentException_DestinationTooShort",
    ];

    /// <summary>The construct that a reference to this symbol gives away, or null.</summary>
    public static Construct? Find(string symbol)
    {
        foreach ((string prefix, Construct construct) in s_prefixes)
        {
            if (symbol.StartsWith(prefix, StringComparison.Ordinal))
                return construct;
        }
        foreach ((string part, Construct construct) in s_parts)
        {
            if (symbol.Contains(part, StringComparison.Ordinal))
                return construct;
        }
        return s_floatingPoint.Contains(symbol) ? Construct.FloatingPoint : null;
    }

    /// <summary>Whether the kernel may call this although it is CoreLib's or the runtime's.</summary>
    public static bool IsAllowed(string symbol) =>
        s_allowed.Contains(symbol) || Array.Exists(s_allowedPrefixes, prefix => symbol.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>The mangled type whose method table this symbol is, or null. A boxed value's starts with "Boxed_".</summary>
    public static string? MethodTableOf(string symbol)
    {
        if (!symbol.StartsWith(MethodTable, StringComparison.Ordinal))
            return null;
        int at = MethodTable.Length;
        while (at < symbol.Length && char.IsAsciiDigit(symbol[at]))
            at++;
        return symbol[at..];
    }
}
