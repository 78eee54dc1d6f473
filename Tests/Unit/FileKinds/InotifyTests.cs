using System;
using System.Collections.Generic;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

public sealed unsafe class InotifyTests : IDisposable
{
    private const uint Create = 0x100, Delete = 0x200, DeleteSelf = 0x400, MovedFrom = 0x40, MovedTo = 0x80, Ignored = 0x8000, IsDirectory = 0x4000_0000;

    private readonly TreeRig _tree = new();
    private readonly string _directory = TreeRig.MakeDirectory();
    private readonly int _fd = KernelRig.Ok(InotifyCalls.InotifyInit1(OpenFlags.NonBlock));

    private KernelRig Kernel => _tree.Kernel;

    public void Dispose() => _tree.Dispose();

    private Result Watch(string path, uint mask, int? fd = null)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path + "\0");
        byte* memory = Kernel.Alloc<byte>(8192);
        bytes.CopyTo(new Span<byte>(memory, 8192));
        return InotifyCalls.InotifyAddWatch(new Fd(fd ?? _fd), new UserString((ulong)memory), (InotifyFlags)mask);
    }

    private (int Watch, uint Mask, string Name)[] Read(int room = 4096)
    {
        byte[] bytes = new byte[room];
        Result result = Kernel.Read(_fd, bytes);
        if (result.Error == Errno.EAGAIN)
            return [];
        int count = KernelRig.Ok(result);
        var events = new List<(int, uint, string)>();
        for (int at = 0; at < count;)
        {
            int length = BitConverter.ToInt32(bytes, at + 12);
            Assert.Equal(0, length % 16);
            events.Add((BitConverter.ToInt32(bytes, at), BitConverter.ToUInt32(bytes, at + 4), Encoding.UTF8.GetString(bytes, at + 16, length).TrimEnd('\0')));
            at += 16 + length;
        }
        return [.. events];
    }

    private void MakeFile(string name) => Kernel.Close(_tree.Open($"{_directory}/{name}", OpenFlags.WriteOnly | OpenFlags.Create));

    private void Unlink(string path)
    {
        PathText text;
        PathText.Load(Encoding.UTF8.GetBytes(path), &text);
        KernelRig.Ok(Vfs.Unlink(VfsCaller.Current, Fd.CurrentDirectory, &text));
        text.Free();
    }

    [Fact]
    public void Creating_moving_and_deleting_in_a_directory_is_told()
    {
        int watch = KernelRig.Ok(Watch(_directory, Create | Delete | MovedFrom | MovedTo));
        MakeFile("a");
        Assert.False(Vfs.EnsureDirectory(Encoding.UTF8.GetBytes(_directory + "/sub"), 0x1ed).IsError);
        PathText from, to;
        PathText.Load(Encoding.UTF8.GetBytes(_directory + "/a"), &from);
        PathText.Load(Encoding.UTF8.GetBytes(_directory + "/a-longer-name-than-fifteen"), &to);
        KernelRig.Ok(Vfs.Rename(VfsCaller.Current, Fd.CurrentDirectory, &from, Fd.CurrentDirectory, &to, 0));
        Unlink(_directory + "/a-longer-name-than-fifteen");
        Assert.Equal(
            [(watch, Create, "a"), (watch, Create | IsDirectory, "sub"), (watch, MovedFrom, "a"), (watch, MovedTo, "a-longer-name-than-fifteen"), (watch, Delete, "a-longer-name-than-fifteen")],
            Read());
    }

    [Fact]
    public void Only_what_is_asked_for_is_told()
    {
        KernelRig.Ok(Watch(_directory, Delete));
        MakeFile("a");
        Assert.Empty(Read());
        Assert.Equal(PollEvents.None, Kernel.Poll(_fd));
    }

    [Fact]
    public void A_deleted_file_ends_its_watch()
    {
        MakeFile("a");
        int watch = KernelRig.Ok(Watch(_directory + "/a", DeleteSelf));
        Unlink(_directory + "/a");
        Assert.Equal([(watch, DeleteSelf, ""), (watch, Ignored, "")], Read());
        Assert.Equal(Errno.EINVAL, InotifyCalls.InotifyRemoveWatch(new Fd(_fd), watch).Error);
    }

    [Fact]
    public void Watching_again_changes_the_mask_and_keeps_the_number()
    {
        int watch = KernelRig.Ok(Watch(_directory, Create));
        Assert.Equal(watch, KernelRig.Ok(Watch(_directory, Delete)));
        MakeFile("a");
        Assert.Empty(Read());
        Assert.Equal(watch, KernelRig.Ok(Watch(_directory, Create | (uint)InotifyFlags.MaskAdd)));
        MakeFile("b");
        Unlink(_directory + "/b");
        Assert.Equal([(watch, Create, "b"), (watch, Delete, "b")], Read());
        Assert.Equal(Errno.EEXIST, Watch(_directory, Create | (uint)InotifyFlags.MaskCreate).Error);
    }

    [Fact]
    public void A_one_shot_watch_ends_after_its_event_and_a_removed_one_at_once()
    {
        int watch = KernelRig.Ok(Watch(_directory, Create | (uint)InotifyFlags.OneShot));
        MakeFile("a");
        MakeFile("b");
        Assert.Equal([(watch, Create, "a"), (watch, Ignored, "")], Read());
        watch = KernelRig.Ok(Watch(_directory, Create));
        KernelRig.Ok(InotifyCalls.InotifyRemoveWatch(new Fd(_fd), watch));
        MakeFile("c");
        Assert.Equal([(watch, Ignored, "")], Read());
    }

    [Fact]
    public void Errors_are_linux_errors()
    {
        Assert.Equal(Errno.EINVAL, InotifyCalls.InotifyInit1(OpenFlags.Append).Error);
        Assert.Equal(Errno.EINVAL, Watch(_directory, 0).Error);
        Assert.Equal(Errno.EINVAL, Watch(_directory, 0x0800_0001).Error);
        Assert.Equal(Errno.EBADF, Watch(_directory, Create, 99).Error);
        Assert.Equal(Errno.EINVAL, Watch(_directory, Create, _tree.Open("/dev/null")).Error);
        Assert.Equal(Errno.ENOENT, Watch(_directory + "/missing", Create).Error);
        MakeFile("a");
        Assert.Equal(Errno.ENOTDIR, Watch(_directory + "/a", Create | (uint)InotifyFlags.OnlyDirectory).Error);
        Assert.Equal(Errno.EINVAL, InotifyCalls.InotifyRemoveWatch(new Fd(_fd), 12).Error);
        Assert.Equal(Errno.EAGAIN, Kernel.Read(_fd, new byte[100]).Error);
    }

    [Fact]
    public void Reading_gives_whole_events_and_sleeps_for_them()
    {
        int watch = KernelRig.Ok(Watch(_directory, Create));
        MakeFile("a");
        MakeFile("b");
        Assert.Equal(Errno.EINVAL, Kernel.Read(_fd, new byte[31]).Error);
        int* count = Kernel.Alloc<int>();
        KernelRig.Ok(Kernel.Control(_fd, 0x541b, count));
        Assert.Equal(64, *count);
        Assert.Equal([(watch, Create, "a")], Read(63));
        Assert.Equal([(watch, Create, "b")], Read());
        Kernel.File(_fd)->Flags &= ~OpenFlags.NonBlock;
        Kernel.WhileAsleep(() => MakeFile("c"));
        Assert.Equal([(watch, Create, "c")], Read());
    }

    [Fact]
    public void A_reader_that_never_comes_gets_an_overflow()
    {
        KernelRig.Ok(Watch(_directory, Create | Delete));
        for (int i = 0; i < InotifyQueue.Capacity / 2 + 1; i++)
        {
            MakeFile("x");
            Unlink(_directory + "/x");
        }
        (int Watch, uint Mask, string Name)[] events = Read(1 << 20);
        Assert.Equal(InotifyQueue.Capacity + 1, events.Length);
        Assert.Equal((-1, InotifyQueue.Overflow, ""), events[^1]);
    }

    [Fact]
    public void Closing_forgets_all_watches()
    {
        KernelRig.Ok(Watch(_directory, Create));
        Kernel.Close(_fd);
        MakeFile("a");
        Assert.Equal(0ul, Kernel.OpenFiles);
    }
}
