using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Core;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Proc;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>A process that sees the tree as it is after boot: /dev, /proc, /sys and a terminal on a console whose output is kept.</summary>
internal sealed unsafe class TreeRig : IDisposable
{
    private static readonly List<byte> s_screen = [];
    private static int s_lastNumber;

    public TreeRig()
    {
        Start();
        Kernel = new KernelRig();
        Kernel.Process->FileSystem = FileSystemContext.Create();
        s_screen.Clear();
    }

    public KernelRig Kernel { get; }

    /// <summary>What reached the console since it was last asked for.</summary>
    public static string Screen
    {
        get
        {
            string text = Encoding.UTF8.GetString([.. s_screen]);
            s_screen.Clear();
            return text;
        }
    }

    /// <summary>A new empty directory.</summary>
    public static string MakeDirectory()
    {
        string path = $"/test{++s_lastNumber}";
        Assert.False(Vfs.EnsureDirectory(Encoding.UTF8.GetBytes(path), 0x1ed).IsError);
        return path;
    }

    public Result TryOpen(string path, OpenFlags flags = OpenFlags.ReadOnly, uint mode = 0x1b6)
    {
        PathText text;
        Assert.Equal(Errno.None, PathText.Load(Encoding.UTF8.GetBytes(path), &text));
        Errno error = Vfs.Open(VfsCaller.Current, Fd.CurrentDirectory, &text, flags, mode, ResolveFlags.None, out OpenFile* file);
        text.Free();
        return error != Errno.None ? error : Kernel.Process->Files->Add(file, false);
    }

    public int Open(string path, OpenFlags flags = OpenFlags.ReadOnly) => KernelRig.Ok(TryOpen(path, flags));

    /// <summary>Reads a file in pieces of an odd size until its end.</summary>
    public string ReadAll(string path)
    {
        int fd = Open(path);
        var bytes = new MemoryStream();
        byte[] piece = new byte[113];
        int count;
        while ((count = KernelRig.Ok(Kernel.Read(fd, piece))) != 0)
            bytes.Write(piece, 0, count);
        Kernel.Close(fd);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>The type of what stands at a path; links are not followed.</summary>
    public static uint TypeOf(string path)
    {
        Ukl.Kernel.Files.Path found = Find(path);
        uint type = found.Inode->Type;
        found.Release();
        return type;
    }

    public static string ReadLink(string path)
    {
        Ukl.Kernel.Files.Path found = Find(path);
        byte[] buffer = new byte[4096];
        int length;
        fixed (byte* bytes = buffer)
            length = KernelRig.Ok(found.Inode->Operations->ReadLink(found.Inode, bytes, (nuint)buffer.Length));
        found.Release();
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <summary>The names in a directory, taken <paramref name="room"/> at a time.</summary>
    public string[] List(string path, int room = 3)
    {
        int fd = Open(path, OpenFlags.Directory);
        OpenFile* file = Kernel.File(fd);
        var names = new List<string>();
        int before;
        do
        {
            before = names.Count;
            s_listed = names;
            s_room = room;
            var sink = new DirectorySink { Take = &TakeName };
            KernelRig.Ok(file->Operations->Iterate(file, &sink));
        }
        while (names.Count != before);
        Kernel.Close(fd);
        return [.. names];
    }

    public void Dispose()
    {
        FileTable.Release(Kernel.Process->Files);
        Kernel.Process->Files = FileTable.Create();
        FileSystemContext.Release(Kernel.Process->FileSystem);
        Kernel.Process->FileSystem = null;
        Kernel.Dispose();
    }

    private static Ukl.Kernel.Files.Path Find(string path)
    {
        PathText text;
        Assert.Equal(Errno.None, PathText.Load(Encoding.UTF8.GetBytes(path), &text));
        Errno error = Vfs.Find(VfsCaller.Current, Fd.CurrentDirectory, &text, false, out Ukl.Kernel.Files.Path found);
        text.Free();
        Assert.True(error == Errno.None, $"{path}: {error}");
        return found;
    }

    private static List<string> s_listed = [];
    private static int s_room;

    private static bool TakeName(DirectorySink* sink, ReadOnlySpan<byte> name, ulong number, byte type, ulong next)
    {
        if (s_room-- == 0)
            return false;
        Assert.NotEqual(0ul, number);
        s_listed.Add(Encoding.UTF8.GetString(name));
        return true;
    }

    private static void Start()
    {
        Devices.Register(new ConsoleDevice { Write = &WriteConsole });
        if (Terminal.OnConsole != null)
            return;
        if (Vfs.Root.IsEmpty)
        {
            Assert.True(FileSystems.Start());
            return;
        }
        // Other tests mounted the root already.
        Assert.False(Vfs.MakeMountPoints().IsError);
        Assert.Equal(Errno.None, Terminal.Initialize());
        Assert.Equal(Errno.None, DeviceFiles.Start());
        Assert.Equal(Errno.None, ProcFileSystems.Start());
    }

    private static void WriteConsole(byte* bytes, nuint count) => s_screen.AddRange(new ReadOnlySpan<byte>(bytes, (int)count));
}
