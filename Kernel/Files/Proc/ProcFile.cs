// Open files and directories of file systems whose content is generated. Source: proc(5).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files.Proc;

/// <summary>
/// The kind of generated files. <see cref="OpenFile.Object"/> is one of these. The text is made whole when the first byte is read, and again whenever a reader goes back to
/// the start, so that every pass sees one state of its subject, however long the text is.
/// </summary>
public unsafe struct ProcFile : IFileKind
{
    private const int MaxStored = 256;

    private ProcNode _node;
    private TextBuffer _text;
    private bool _isGenerated;

    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    /// <inheritdoc/>
    public static Result Open(OpenFile* file)
    {
        ProcFile* self = Pool<ProcFile>.Allocate();
        if (self == null)
            return Errno.ENOMEM;
        self->_node = *ProcInode.NodeOf(file->Inode);
        file->Object = self;
        return Result.Ok;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        var self = (ProcFile*)file->Object;
        if (position == 0 || !self->_isGenerated)
        {
            Errno error = self->Generate();
            if (error != Errno.None)
                return error;
        }
        if (position >= self->_text.Length)
            return 0;
        nuint left = self->_text.Length - (nuint)position;
        nuint count = to.Length < left ? to.Length : left;
        if (!to.CopyFrom(self->_text.Bytes + position, count))
            return Errno.EFAULT;
        position += count;
        return (ulong)count;
    }

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position)
    {
        var self = (ProcFile*)file->Object;
        if (self->_node.Store == null)
            return Errno.EIO;
        if (from.Length > MaxStored)
            return Errno.EINVAL;
        byte* bytes = stackalloc byte[MaxStored];
        if (!from.CopyTo(bytes, from.Length))
            return Errno.EFAULT;
        int length = (int)from.Length;
        // What a shell's echo ends with is no part of the value.
        if (length != 0 && bytes[length - 1] == '\n')
            length--;
        Errno error = self->_node.Store(self->_node.Key, new ReadOnlySpan<byte>(bytes, length));
        return error != Errno.None ? error : (ulong)from.Length;
    }

    /// <inheritdoc/>
    public static void Release(OpenFile* file)
    {
        var self = (ProcFile*)file->Object;
        self->_text.Dispose();
        Pool<ProcFile>.Free(self);
    }

    private Errno Generate()
    {
        var self = (ProcFile*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref this);
        _isGenerated = false;
        _text.Clear();
        Errno error = _node.Content(_node.Key, &self->_text);
        if (error == Errno.None && _text.IsIncomplete)
            error = Errno.ENOMEM;
        _isGenerated = error == Errno.None;
        return error;
    }
}

/// <summary>The kind of open generated directories.</summary>
public unsafe struct ProcDirectoryFile : IFileKind
{
    /// <inheritdoc/>
    public static FileTraits Traits => FileTraits.Seekable | FileTraits.NoEpoll;

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => Errno.EISDIR;

    /// <inheritdoc/>
    public static Result Iterate(OpenFile* file, DirectorySink* sink)
    {
        if (!sink->AddDots(file))
            return Result.Ok;
        ProcNode* node = ProcInode.NodeOf(file->Inode);
        var visitor = new ProcVisitor(file, sink);
        node->Entries(node->Key, ref visitor);
        return Result.Ok;
    }
}
