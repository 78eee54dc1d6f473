using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Ukl.Kernel.Abi;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>
/// A program that makes file calls, on UKL or on the build machine's Linux: the same arguments go to both, so a test can ask Linux itself what is right.
/// </summary>
internal abstract unsafe class FileUser : IDisposable
{
    private readonly List<nint> _memory = [];

    /// <summary>A descriptor of an empty directory of a tmpfs; relative paths start there.</summary>
    protected int Base { get; set; }

    /// <summary>The base directory's descriptor.</summary>
    public int BaseDirectory => Base;

    /// <summary>The two systems a test can run on.</summary>
    public static TheoryData<string> Systems => OperatingSystem.IsLinux() && HostFileUser.IsPossible ? ["ukl", "linux"] : ["ukl"];

    public static FileUser On(string system) => system == "ukl" ? new KernelFileUser() : new HostFileUser();

    /// <summary>Makes a call. Negative: an error.</summary>
    public abstract long Call(int number, params ReadOnlySpan<long> arguments);

    public virtual void Dispose()
    {
        foreach (nint memory in _memory)
            NativeMemory.Free((void*)memory);
    }

    public long Text(string text) => Bytes(Encoding.UTF8.GetBytes(text + "\0"));

    public long Bytes(ReadOnlySpan<byte> bytes)
    {
        long memory = Memory(bytes.Length);
        bytes.CopyTo(new Span<byte>((void*)memory, bytes.Length));
        return memory;
    }

    public long Memory(int size)
    {
        nint memory = (nint)NativeMemory.AllocZeroed((nuint)size + 16);
        _memory.Add(memory);
        return memory;
    }

    public long Open(string path, OpenFlags flags = OpenFlags.ReadOnly, uint mode = 0x1a4) => Call(257, Base, Text(path), (uint)flags, mode);

    public int OpenOk(string path, OpenFlags flags = OpenFlags.ReadOnly, uint mode = 0x1a4) => (int)Ok(Open(path, flags, mode));

    public long Close(long fd) => Call(3, fd);

    public long Write(long fd, string text) => Write(fd, Encoding.UTF8.GetBytes(text));

    public long Write(long fd, ReadOnlySpan<byte> bytes) => Call(1, fd, Bytes(bytes), bytes.Length);

    public long WriteAt(long fd, ReadOnlySpan<byte> bytes, long offset) => Call(18, fd, Bytes(bytes), bytes.Length, offset);

    public string Read(long fd, int count = 4096)
    {
        long buffer = Memory(count);
        return Encoding.UTF8.GetString(new ReadOnlySpan<byte>((void*)buffer, (int)Ok(Call(0, fd, buffer, count))));
    }

    public byte[] ReadAt(long fd, int count, long offset)
    {
        long buffer = Memory(count);
        return new ReadOnlySpan<byte>((void*)buffer, (int)Ok(Call(17, fd, buffer, count, offset))).ToArray();
    }

    public long Seek(long fd, long offset, int origin) => Call(8, fd, offset, origin);

    public long MakeDirectory(string path, uint mode = 0x1ed) => Call(258, Base, Text(path), mode);

    public long RemoveDirectory(string path) => Call(263, Base, Text(path), 0x200);

    public long Unlink(string path) => Call(263, Base, Text(path), 0);

    public long Link(string from, string to, int flags = 0) => Call(265, Base, Text(from), Base, Text(to), flags);

    public long Symlink(string target, string path) => Call(266, Text(target), Base, Text(path));

    public long Rename(string from, string to, int flags = 0) => Call(316, Base, Text(from), Base, Text(to), flags);

    public long Access(string path, int mode = 0) => Call(269, Base, Text(path), mode);

    public long Truncate(long fd, long size) => Call(77, fd, size);

    public string ReadLink(string path)
    {
        long buffer = Memory(4096);
        return Encoding.UTF8.GetString(new ReadOnlySpan<byte>((void*)buffer, (int)Ok(Call(267, Base, Text(path), buffer, 4096))));
    }

    public long Status(string path, out Stat status, bool follow = true) => Status(Base, path, out status, follow ? 0 : 0x100);

    public long Status(long directory, string path, out Stat status, int flags)
    {
        long buffer = Memory(sizeof(Stat));
        long result = Call(262, directory, Text(path), buffer, flags);
        status = *(Stat*)buffer;
        return result;
    }

    public Stat StatusOf(long fd)
    {
        long buffer = Memory(sizeof(Stat));
        Ok(Call(5, fd, buffer));
        return *(Stat*)buffer;
    }

    public Stat StatusOf(string path)
    {
        Ok(Status(path, out Stat status, false));
        return status;
    }

    /// <summary>Makes a file with a content.</summary>
    public void Make(string path, string content = "")
    {
        int fd = OpenOk(path, OpenFlags.Create | OpenFlags.WriteOnly | OpenFlags.Truncate);
        Assert.Equal(content.Length, Write(fd, content));
        Close(fd);
    }

    public string ContentOf(string path)
    {
        int fd = OpenOk(path);
        string text = Read(fd);
        Close(fd);
        return text;
    }

    /// <summary>The entries of a directory with their types, in the order given.</summary>
    public List<(string Name, byte Type, ulong Inode)> Entries(int fd, int bufferSize = 4096)
    {
        var entries = new List<(string, byte, ulong)>();
        long buffer = Memory(bufferSize);
        while (true)
        {
            int count = (int)Ok(Call(217, fd, buffer, bufferSize));
            if (count == 0)
                return entries;
            for (int at = 0; at < count; at += *(ushort*)(buffer + at + 16))
                entries.Add((Marshal.PtrToStringUTF8((nint)buffer + at + 19)!, *(byte*)(buffer + at + 18), *(ulong*)(buffer + at)));
        }
    }

    public List<string> Names(string path)
    {
        int fd = OpenOk(path, OpenFlags.Directory);
        var names = new List<string>();
        foreach ((string name, _, _) in Entries(fd))
        {
            if (name is not ("." or ".."))
                names.Add(name);
        }
        Close(fd);
        names.Sort(string.CompareOrdinal);
        return names;
    }

    public static long Ok(long result)
    {
        Assert.True(result >= 0, $"{(Errno)(-result)}");
        return result;
    }

    public static void Fails(Errno error, long result) => Assert.Equal(error, result < 0 ? (Errno)(-result) : Errno.None);
}

/// <summary>The build machine's Linux, in a directory of its tmpfs that only this test uses.</summary>
internal sealed unsafe partial class HostFileUser : FileUser
{
    private const string SharedMemory = "/dev/shm";

    private readonly string _folder = $"{SharedMemory}/ukl-{Guid.NewGuid():N}";

    public HostFileUser()
    {
        Directory.CreateDirectory(_folder);
        Call(95, 0x12);
        Base = (int)Ok(Call(257, -100, Text(_folder), (uint)OpenFlags.Directory, 0));
    }

    /// <summary>Whether there is a tmpfs, and this is root as in UKL.</summary>
    public static bool IsPossible => Directory.Exists(SharedMemory) && Environment.UserName == "root";

    public override long Call(int number, params ReadOnlySpan<long> arguments)
    {
        Span<long> six = stackalloc long[6];
        arguments.CopyTo(six);
        long result = SystemCall(number, six[0], six[1], six[2], six[3], six[4], six[5]);
        return result == -1 ? -Marshal.GetLastPInvokeError() : result;
    }

    public override void Dispose()
    {
        Close(Base);
        Directory.Delete(_folder, true);
        base.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long a, long b, long c, long d, long e, long f);
}
