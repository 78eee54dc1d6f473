using System;
using Ukl.Kernel.Diagnostics;

namespace Ukl.Kernel.Arch;

/// <summary>A host test has no image: no table of symbols, no entry code, no kernel stacks.</summary>
internal static class Image
{
    internal static ReadOnlySpan<byte> Symbols => default;

    /// <summary>Stands for code; nobody runs it.</summary>
    internal static ReadOnlySpan<byte> Vdso => "\u007fELF and so on"u8;

    internal static bool HasLinkedProgram => false;

    internal static ulong Start => 0;

    internal static ulong TextStart => 0;

    internal static ulong TextEnd => 0;

    internal static ulong DataEnd => 0;

    internal static bool Contains(ulong address, ulong length) => false;

    internal static bool IsEntryCode(ulong address) => false;

    internal static bool IsStack(ulong address) => false;
}

public static unsafe partial class Cpu
{
    /// <summary>Nothing to walk: the test's own stack trace says it all.</summary>
    internal static void CaptureFrame(UnwindState* state) => *state = default;
}
