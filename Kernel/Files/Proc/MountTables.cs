// /proc/<pid>/mounts and mountinfo. .NET finds the control group tree through mountinfo, and its drives too. Source: proc(5), fstab(5).
using System;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Files.Proc;

/// <summary>What is mounted, as text.</summary>
internal static unsafe class MountTables
{
    private const int MaxTypeLength = 32;

    internal static Errno WriteMounts(ProcKey key, TextBuffer* text)
    {
        Errno error = Errno.None;
        for (Mount* mount = Mount.First; mount != null && error == Errno.None; mount = mount->Next)
        {
            WriteType(text, mount);
            text->WriteByte((byte)' ');
            error = WritePoint(text, mount);
            text->WriteByte((byte)' ');
            WriteType(text, mount);
            text->WriteByte((byte)' ');
            WriteOptions(text, mount);
            text->Write(" 0 0\n"u8);
        }
        return error;
    }

    internal static Errno WriteInformation(ProcKey key, TextBuffer* text)
    {
        Errno error = Errno.None;
        for (Mount* mount = Mount.First; mount != null && error == Errno.None; mount = mount->Next)
        {
            text->WriteDecimal(mount->Id);
            text->WriteByte((byte)' ');
            text->WriteDecimal(mount->Point.IsEmpty ? mount->Id : mount->Point.Mount->Id);
            text->WriteByte((byte)' ');
            text->WriteDecimal(DeviceNumber.Major(mount->FileSystem->DeviceNumber));
            text->WriteByte((byte)':');
            text->WriteDecimal(DeviceNumber.Minor(mount->FileSystem->DeviceNumber));
            text->Write(" / "u8);
            error = WritePoint(text, mount);
            text->WriteByte((byte)' ');
            WriteOptions(text, mount);
            text->Write(" - "u8);
            WriteType(text, mount);
            text->WriteByte((byte)' ');
            WriteType(text, mount);
            text->Write(mount->IsReadOnly ? " ro\n"u8 : " rw\n"u8);
        }
        return error;
    }

    // A file system without device is its own source.
    private static void WriteType(TextBuffer* text, Mount* mount)
    {
        Span<byte> type = stackalloc byte[MaxTypeLength];
        text->Write(type[..mount->FileSystem->Operations->Describe(type)]);
    }

    private static Errno WritePoint(TextBuffer* text, Mount* mount)
    {
        if (!mount->Point.IsEmpty)
            return PathWriter.WriteEscaped(mount->Point, text);
        text->WriteByte((byte)'/');
        return Errno.None;
    }

    private static void WriteOptions(TextBuffer* text, Mount* mount)
    {
        text->Write(mount->IsReadOnly ? "ro"u8 : "rw"u8);
        text->Write(",relatime"u8);
    }
}
