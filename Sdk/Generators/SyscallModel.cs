// What the generator keeps of a [Syscall] method: plain values only, so that unchanged calls cost nothing in the editor.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Ukl.Generators;

/// <summary>How the trace shows an argument. The values are read by Kernel/Syscalls/SyscallTrace.cs: keep both in step.</summary>
public enum ArgumentKind : byte
{
    /// <summary>A signed 32-bit decimal number.</summary>
    Int32 = 1,

    /// <summary>A signed 64-bit decimal number.</summary>
    Int64 = 2,

    /// <summary>An unsigned 32-bit decimal number.</summary>
    UInt32 = 3,

    /// <summary>An unsigned 64-bit decimal number.</summary>
    UInt64 = 4,

    /// <summary>An address: hexadecimal, 0 is NULL.</summary>
    Pointer = 5,

    /// <summary>A 32-bit set of bits without names: hexadecimal.</summary>
    Hex32 = 6,

    /// <summary>A set of bits without names: hexadecimal.</summary>
    Hex64 = 7,

    /// <summary>Permissions: octal.</summary>
    Octal = 8,

    /// <summary>A file descriptor: decimal, -100 is AT_FDCWD.</summary>
    Descriptor = 9,

    /// <summary>A NUL-terminated string in the program: quoted.</summary>
    Text = 10,

    /// <summary>This and all above: an enum, whose number is the value less this.</summary>
    FirstEnum = 32,
}

/// <summary>A named value of an enum.</summary>
public sealed record EnumMember(string Name, ulong Value);

/// <summary>An enum that is a parameter's type.</summary>
public sealed record EnumModel(string FullName, int Size, bool IsFlags, EquatableList<EnumMember> Members);

/// <summary>One parameter: the expression that makes it from the frame, how it is traced, and how many registers it takes.</summary>
public sealed record ParameterModel(string Expression, EquatableList<ArgumentKind> Kinds, EnumModel? Enum);

/// <summary>A place in the source that survives between compilations.</summary>
public sealed record SourcePlace(string Path, TextSpan Span, LinePositionSpan Lines)
{
    /// <summary>The place of a symbol or syntax location; null when it is not in source.</summary>
    public static SourcePlace? From(Location? location) =>
        location?.SourceTree is { } tree ? new(tree.FilePath, location.SourceSpan, location.GetLineSpan().Span) : null;

    /// <summary>Back to what a diagnostic takes.</summary>
    public Location ToLocation() => Location.Create(Path, Span, Lines);
}

/// <summary>A finding about one call.</summary>
public sealed record Finding(string RuleId, SourcePlace? Place, EquatableList<string> Arguments);

/// <summary>A method with [Syscall].</summary>
public sealed record SyscallModel(
    int Number,
    string Name,
    string Target,
    bool MayBlock,
    EquatableList<ParameterModel> Parameters,
    SourcePlace? Place,
    EquatableList<Finding> Findings)
{
    /// <summary>Whether a wrapper can be made.</summary>
    public bool IsUsable => Findings.Count == 0;
}
