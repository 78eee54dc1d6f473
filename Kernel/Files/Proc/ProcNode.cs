using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files.Proc;

/// <summary>What an entry is about: a process, one of its threads, and a number (descriptor, processor…). Ids, not pointers: the process may end meanwhile.</summary>
public readonly struct ProcKey(int process, int thread = 0, int number = 0)
{
    public readonly int Process = process;
    public readonly int Thread = thread;
    public readonly int Number = number;
}

/// <summary>
/// An entry of a file system whose content is generated: what it is and which functions make its content. One of <see cref="Content"/>, <see cref="Entries"/> and
/// <see cref="Target"/> is set, as the type in <see cref="Mode"/> says.
/// </summary>
public unsafe struct ProcNode
{
    /// <summary>Type and permissions.</summary>
    public uint Mode;

    /// <summary>Its owner.</summary>
    public uint UserId;

    /// <summary>What it is about.</summary>
    public ProcKey Key;

    /// <summary>Writes a file's text. ESRCH when its subject is gone.</summary>
    public delegate*<ProcKey, TextBuffer*, Errno> Content;

    /// <summary>Takes what is written to a file; null: it cannot be written.</summary>
    public delegate*<ProcKey, ReadOnlySpan<byte>, Errno> Store;

    /// <summary>Shows a directory's entries to a visitor.</summary>
    public delegate*<ProcKey, ref ProcVisitor, void> Entries;

    /// <summary>Writes a link's text.</summary>
    public delegate*<ProcKey, TextBuffer*, Errno> Target;

    /// <summary>Where a link leads without walking along its text; null: its text says.</summary>
    public delegate*<ProcKey, Path*, Result> Follow;

    /// <summary>Opens what a link leads to when that has no path; null: follow it.</summary>
    public delegate*<ProcKey, OpenFlags, OpenFile**, Result> Open;
}
