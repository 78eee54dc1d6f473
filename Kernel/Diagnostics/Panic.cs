using System;
using System.Diagnostics.CodeAnalysis;
using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Diagnostics;

/// <summary>The end of a kernel that found a bug in itself.</summary>
public static unsafe class Panic
{
    /// <summary>Prints the reason and where it was found, and stops the machine. Never returns.</summary>
    [DoesNotReturn]
    public static void Halt(ReadOnlySpan<byte> reason) => Machine.Panic(reason);
}
