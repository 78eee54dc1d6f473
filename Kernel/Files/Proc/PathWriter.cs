using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Proc;

/// <summary>Writes paths into generated text.</summary>
internal static unsafe class PathWriter
{
    /// <summary>Writes a place as the current process sees it. ENOMEM, ENAMETOOLONG.</summary>
    internal static Errno Write(in Path path, TextBuffer* text)
    {
        // Too long for a kernel stack.
        byte* buffer = (byte*)KernelHeap.Allocate(FileNames.MaximumPathLength);
        if (buffer == null)
            return Errno.ENOMEM;
        FileSystemContext* context = Process.Current->FileSystem;
        Path root = context == null ? Vfs.Root : context->Root;
        Result length = PathDescription.Write(path, root, new Span<byte>(buffer, FileNames.MaximumPathLength));
        if (!length.IsError)
            text->Write(new ReadOnlySpan<byte>(buffer, (int)length.Value));
        KernelHeap.Free(buffer);
        return length.Error;
    }

    /// <summary>As <see cref="Write"/>, with spaces, tabs, newlines and backslashes as octal escapes, so that the path stays one word.</summary>
    internal static Errno WriteEscaped(in Path path, TextBuffer* text)
    {
        TextBuffer plain = default;
        Errno error = Write(path, &plain);
        ReadOnlySpan<byte> bytes = plain.Text;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\\')
            {
                text->WriteByte((byte)'\\');
                text->WriteOctal(bytes[i], 3);
            }
            else
            {
                text->WriteByte(bytes[i]);
            }
        }
        if (error == Errno.None && plain.IsIncomplete)
            error = Errno.ENOMEM;
        plain.Dispose();
        return error;
    }
}
