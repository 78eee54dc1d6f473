using System;
using System.Linq;
using System.Text;
using Ukl.Kernel.Abi;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>What file calls do, one behaviour a test, on UKL and on the build machine's Linux.</summary>
public unsafe class FileCallsTests
{
    private const int GetFlags = 3, SetFlags = 4, DuplicateFd = 0, DuplicateCloseOnExec = 1030, GetFdFlags = 1, SetFdFlags = 2;

    // A descriptor that the test's process does not have on Linux either.
    private const int Unused = 900_000;

    public static TheoryData<string> Systems => FileUser.Systems;

    [Theory, MemberData(nameof(Systems))]
    public void A_file_reads_back_what_was_written(string system)
    {
        using FileUser user = FileUser.On(system);
        int fd = user.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        Assert.Equal(5, user.Write(fd, "hello"));
        Assert.Equal("", user.Read(fd));
        Assert.Equal(1, user.Seek(fd, 1, 0));
        Assert.Equal("ello", user.Read(fd));
        Assert.Equal(3, user.Seek(fd, -2, 2));
        Assert.Equal(5ul, user.StatusOf(fd).Size);
        Assert.Equal(0x81a4u, user.StatusOf(fd).Mode);
        Assert.Equal(0, user.Close(fd));
        FileUser.Fails(Errno.EBADF, user.Close(fd));
    }

    [Theory, MemberData(nameof(Systems))]
    public void Access_modes_are_enforced(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file", "text");
        int read = user.OpenOk("file");
        int write = user.OpenOk("file", OpenFlags.WriteOnly);
        int path = user.OpenOk("file", OpenFlags.Path);
        FileUser.Fails(Errno.EBADF, user.Write(read, "x"));
        FileUser.Fails(Errno.EINVAL, user.Truncate(read, 0));
        foreach (int fd in new[] { write, path, Unused, -1, int.MinValue })
            FileUser.Fails(Errno.EBADF, user.Call(0, fd, user.Memory(1), 1));
        FileUser.Fails(Errno.EBADF, user.Seek(path, 0, 0));
        FileUser.Fails(Errno.EBADF, user.Call(73, path, 1));
        FileUser.Fails(Errno.EBADF, user.Call(72, path, SetFlags, 0));
        Assert.Equal(4ul, user.StatusOf(path).Size);
        foreach (int fd in new[] { read, write, path })
            user.Close(fd);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Bad_pointers_are_EFAULT_and_bad_lengths_EINVAL(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file", "text");
        int fd = user.OpenOk("file", OpenFlags.ReadWrite);
        FileUser.Fails(Errno.EFAULT, user.Call(0, fd, 1, 4));
        FileUser.Fails(Errno.EFAULT, user.Call(1, fd, 1, 4));
        FileUser.Fails(Errno.EFAULT, user.Call(0, fd, user.Memory(1), -1));
        FileUser.Fails(Errno.EINVAL, user.Call(17, fd, user.Memory(1), 1, -1));
        FileUser.Fails(Errno.EFAULT, user.Call(257, -100, 1, 0, 0));
        FileUser.Fails(Errno.EFAULT, user.Call(5, fd, 8));
        FileUser.Fails(Errno.ENAMETOOLONG, user.Open(string.Concat(Enumerable.Repeat("a/", 2048))));
        FileUser.Fails(Errno.ENOENT, user.Open(string.Concat(Enumerable.Repeat("./", 2046)) + "no"));
        FileUser.Fails(Errno.EBADF, user.Call(257, Unused, user.Text("file"), 0, 0));
        FileUser.Fails(Errno.ENOTDIR, user.Call(257, fd, user.Text("file"), 0, 0));
        Assert.Equal("text", user.ContentOf("file"));
        user.Close(fd);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Vectors_gather_and_scatter(string system)
    {
        using FileUser user = FileUser.On(system);
        int fd = user.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        long ranges = user.Memory(16 * 12);
        for (int i = 0; i < 12; i++)
        {
            ((long*)ranges)[2 * i] = user.Text($"part{i:00}");
            ((long*)ranges)[2 * i + 1] = i == 3 ? 0 : 6;
        }
        Assert.Equal(66, user.Call(20, fd, ranges, 12));
        Assert.Equal(12, user.Call(295, fd, ranges, 3, 54, 0));
        Assert.Equal("part10", Encoding.ASCII.GetString((byte*)((long*)ranges)[0], 6));
        Assert.Equal("part11", Encoding.ASCII.GetString((byte*)((long*)ranges)[2], 6));
        Assert.Equal(6, user.Call(328, fd, ranges, 1, -1, 0, 0x10));
        Assert.Equal(72ul, user.StatusOf(fd).Size);
        FileUser.Fails(Errno.EINVAL, user.Call(20, fd, ranges, 1025));
        FileUser.Fails(Errno.EFAULT, user.Call(20, fd, 8, 2));
        FileUser.Fails(Errno.EOPNOTSUPP, user.Call(328, fd, ranges, 1, 0, 0, 0x8000));
        ((long*)ranges)[1] = -1;
        FileUser.Fails(Errno.EINVAL, user.Call(20, fd, ranges, 1));
        user.Close(fd);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Appending_writes_go_to_the_end_wherever_the_position_is(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file", "abc");
        int fd = user.OpenOk("file", OpenFlags.ReadWrite | OpenFlags.Append);
        Assert.Equal("abc", user.Read(fd));
        user.Seek(fd, 0, 0);
        Assert.Equal(2, user.Write(fd, "de"));
        Assert.Equal(5, user.Seek(fd, 0, 1));
        Assert.Equal(1, user.WriteAt(fd, "f"u8, 0));
        Assert.Equal("abcdef", user.ContentOf("file"));
        user.Close(fd);
    }

    // On UKL only: on Linux the numbers could be the test's own process's.
    [Fact]
    public void Duplicates_share_position_and_flags_but_not_close_on_exec()
    {
        using FileUser user = FileUser.On("ukl");
        user.Make("file", "abcdef");
        int fd = user.OpenOk("file", OpenFlags.CloseOnExec);
        int copy = (int)FileUser.Ok(user.Call(32, fd));
        Assert.Equal("ab", user.Read(fd, 2));
        Assert.Equal("cd", user.Read(copy, 2));
        Assert.Equal(1, user.Call(72, fd, GetFdFlags, 0));
        Assert.Equal(0, user.Call(72, copy, GetFdFlags, 0));
        user.Call(72, copy, SetFlags, (long)OpenFlags.NonBlock);
        Assert.Equal((long)(OpenFlags.NonBlock | OpenFlags.LargeFile), user.Call(72, fd, GetFlags, 0));
        int high = (int)FileUser.Ok(user.Call(72, fd, DuplicateCloseOnExec, 200));
        Assert.Equal(200, high);
        Assert.Equal(1, user.Call(72, high, GetFdFlags, 0));
        Assert.Equal(201, user.Call(72, fd, DuplicateFd, 200));
        FileUser.Fails(Errno.EINVAL, user.Call(72, fd, DuplicateFd, 1 << 24));
        Assert.Equal(0, user.Call(72, high, SetFdFlags, 0));
        Assert.Equal(0, user.Call(72, high, GetFdFlags, 0));
        Assert.Equal(220, user.Call(33, fd, 220));
        Assert.Equal(fd, user.Call(33, fd, fd));
        FileUser.Fails(Errno.EINVAL, user.Call(292, fd, fd, 0));
        FileUser.Fails(Errno.EBADF, user.Call(33, fd, -1));
        FileUser.Fails(Errno.EBADF, user.Call(33, Unused, 5));
        user.Close(fd);
        Assert.Equal("ef", user.Read(220, 9));
        Assert.Equal(0, user.Call(436, 200, 220, 0));
        FileUser.Fails(Errno.EBADF, user.Close(220));
        FileUser.Fails(Errno.EINVAL, user.Call(436, 5, 4, 0));
        user.Close(copy);
    }

    // On UKL only: on Linux the numbers could be the test's own process's.
    [Fact]
    public void The_lowest_free_descriptor_is_handed_out()
    {
        using FileUser user = FileUser.On("ukl");
        user.Make("file");
        int[] fds = [.. Enumerable.Range(0, 100).Select(_ => user.OpenOk("file"))];
        user.Close(fds[70]);
        user.Close(fds[3]);
        Assert.Equal(fds[3], user.OpenOk("file"));
        Assert.Equal(fds[70], user.OpenOk("file"));
        foreach (int fd in fds)
            Assert.Equal(0, user.Close(fd));
    }

    [Theory, MemberData(nameof(Systems))]
    public void An_unlinked_file_lives_until_it_is_closed(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file", "still here");
        int fd = user.OpenOk("file", OpenFlags.ReadWrite);
        Assert.Equal(0, user.Unlink("file"));
        FileUser.Fails(Errno.ENOENT, user.Access("file"));
        Assert.Equal("still here", user.Read(fd));
        Assert.Equal(0ul, user.StatusOf(fd).LinkCount);
        FileUser.Fails(Errno.ENOENT, user.Call(265, fd, user.Text(""), user.BaseDirectory, user.Text("again"), 0x1000));
        user.Close(fd);
    }

    [Theory, MemberData(nameof(Systems))]
    public void A_temporary_file_can_be_given_a_name(string system)
    {
        using FileUser user = FileUser.On(system);
        int fd = user.OpenOk(".", OpenFlags.TemporaryFile | OpenFlags.ReadWrite, 0x180);
        user.Write(fd, "kept");
        Assert.Equal(0ul, user.StatusOf(fd).LinkCount);
        Assert.Empty(user.Names("."));
        Assert.Equal(0, user.Call(265, fd, user.Text(""), user.BaseDirectory, user.Text("named"), 0x1000));
        user.Close(fd);
        Assert.Equal("kept", user.ContentOf("named"));
        Assert.Equal(1ul, user.StatusOf("named").LinkCount);
    }

    [Theory, MemberData(nameof(Systems))]
    public void A_directory_lists_its_entries_with_types_whatever_the_buffer(string system)
    {
        using FileUser user = FileUser.On(system);
        user.MakeDirectory("dir");
        for (int i = 0; i < 100; i++)
            user.Make($"dir/file{i}");
        user.MakeDirectory("dir/sub");
        user.Symlink("x", "dir/link");
        foreach (int size in new[] { 32, 48, 280, 4096, 65536 })
        {
            int fd = user.OpenOk("dir", OpenFlags.Directory);
            var entries = user.Entries(fd, size);
            Assert.Equal(104, entries.Count);
            Assert.Equal(104, entries.Select(entry => entry.Name).Distinct().Count());
            Assert.Equal(4, entries.Single(entry => entry.Name == "sub").Type);
            Assert.Equal(10, entries.Single(entry => entry.Name == "link").Type);
            Assert.Equal(8, entries.Single(entry => entry.Name == "file7").Type);
            Assert.Equal(user.StatusOf("dir/file7").Inode, entries.Single(entry => entry.Name == "file7").Inode);
            Assert.Equal(user.StatusOf("dir").Inode, entries.Single(entry => entry.Name == ".").Inode);
            Assert.Equal(user.StatusOf(".").Inode, entries.Single(entry => entry.Name == "..").Inode);
            Assert.Empty(user.Entries(fd));
            user.Seek(fd, 0, 0);
            Assert.Equal(104, user.Entries(fd).Count);
            user.Close(fd);
        }
        int again = user.OpenOk("dir", OpenFlags.Directory);
        FileUser.Fails(Errno.EINVAL, user.Call(217, again, user.Memory(20), 20));
        FileUser.Fails(Errno.EFAULT, user.Call(217, again, 8, 4096));
        FileUser.Fails(Errno.EISDIR, user.Call(0, again, user.Memory(8), 8));
        user.Close(again);
        int file = user.OpenOk("dir/file0");
        FileUser.Fails(Errno.ENOTDIR, user.Call(217, file, user.Memory(4096), 4096));
        user.Close(file);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Removing_while_listing_misses_nothing(string system)
    {
        using FileUser user = FileUser.On(system);
        user.MakeDirectory("dir");
        for (int i = 0; i < 200; i++)
            user.Make($"dir/file{i}");
        int fd = user.OpenOk("dir", OpenFlags.Directory);
        long buffer = user.Memory(512);
        int count;
        while ((count = (int)FileUser.Ok(user.Call(217, fd, buffer, 512))) != 0)
        {
            for (int at = 0; at < count; at += *(ushort*)(buffer + at + 16))
            {
                string name = System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)buffer + at + 19)!;
                if (name[0] != '.')
                    FileUser.Ok(user.Unlink("dir/" + name));
            }
        }
        user.Close(fd);
        Assert.Equal(0, user.RemoveDirectory("dir"));
    }

    [Theory, MemberData(nameof(Systems))]
    public void A_removed_directory_can_be_used_but_not_filled(string system)
    {
        using FileUser user = FileUser.On(system);
        user.MakeDirectory("dir");
        int fd = user.OpenOk("dir", OpenFlags.Directory);
        Assert.Equal(0, user.RemoveDirectory("dir"));
        FileUser.Fails(Errno.ENOENT, user.Call(257, fd, user.Text("new"), (long)(OpenFlags.Create | OpenFlags.WriteOnly), 0x1a4));
        FileUser.Fails(Errno.ENOENT, user.Call(258, fd, user.Text("new"), 0x1ed));
        FileUser.Fails(Errno.ENOENT, user.Call(217, fd, user.Memory(4096), 4096));
        Assert.Equal(0ul, user.StatusOf(fd).LinkCount);
        user.Close(fd);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Links_end_in_ELOOP_after_forty(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("end", "reached");
        user.Symlink("end", "link0");
        for (int i = 1; i <= 40; i++)
            user.Symlink($"link{i - 1}", $"link{i}");
        Assert.Equal("reached", user.ContentOf("link39"));
        FileUser.Fails(Errno.ELOOP, user.Open("link40"));
        user.Symlink("loop", "loop");
        FileUser.Fails(Errno.ELOOP, user.Open("loop"));
        FileUser.Fails(Errno.ELOOP, user.Open("end/../loop/x".Replace("end/../", "")));
        FileUser.Fails(Errno.ELOOP, user.Open("link0", OpenFlags.NoFollow));
        Assert.Equal("loop", user.ReadLink("loop"));
    }

    [Theory, MemberData(nameof(Systems))]
    public void Long_links_are_followed_and_kept_whole(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("end", "reached");
        string target = string.Concat(Enumerable.Repeat("./", 1500)) + "end";
        Assert.Equal(0, user.Symlink(target, "link"));
        Assert.Equal(target, user.ReadLink("link"));
        Assert.Equal("reached", user.ContentOf("link"));
        Assert.Equal((ulong)target.Length, user.StatusOf("link").Size);
        Assert.Equal(3, user.Call(267, user.BaseDirectory, user.Text("link"), user.Memory(3), 3));
        FileUser.Fails(Errno.EINVAL, user.Call(267, user.BaseDirectory, user.Text("link"), user.Memory(3), 0));
        FileUser.Fails(Errno.EINVAL, user.Call(267, user.BaseDirectory, user.Text("end"), user.Memory(3), 3));
        FileUser.Fails(Errno.ENAMETOOLONG, user.Symlink(new string('x', 4096), "other"));
        FileUser.Fails(Errno.ENOENT, user.Symlink("", "other"));
    }

    [Theory, MemberData(nameof(Systems))]
    public void Openat2_confines_a_walk(string system)
    {
        using FileUser user = FileUser.On(system);
        user.MakeDirectory("root");
        user.MakeDirectory("root/sub");
        user.Make("root/file", "inside");
        user.Make("outside", "outside");
        user.Symlink("../../outside", "root/sub/escape");
        user.Symlink("/file", "root/absolute");
        user.Symlink("file", "root/plain");
        int root = user.OpenOk("root", OpenFlags.Directory);
        long Try(string path, ulong resolve, ulong flags = 0, int size = 24)
        {
            long how = user.Memory(64);
            ((ulong*)how)[0] = flags;
            ((ulong*)how)[2] = resolve;
            long fd = user.Call(437, root, user.Text(path), how, size);
            if (fd >= 0)
                user.Close(fd);
            return Math.Min(fd, 0);
        }

        Assert.Equal(0, Try("sub/../file", 8));
        Assert.Equal(0, Try("sub/../file", 8, 0, 64));
        FileUser.Fails(Errno.EXDEV, Try("../outside", 8));
        FileUser.Fails(Errno.EXDEV, Try("sub/escape", 8));
        FileUser.Fails(Errno.EXDEV, Try("/file", 8));
        FileUser.Fails(Errno.EXDEV, Try("absolute", 8));
        Assert.Equal(0, Try("/file", 16));
        Assert.Equal(0, Try("absolute", 16));
        Assert.Equal(0, Try("../../file", 16));
        FileUser.Fails(Errno.ENOENT, Try("sub/escape", 16));
        FileUser.Fails(Errno.ELOOP, Try("plain", 4));
        FileUser.Fails(Errno.EINVAL, Try("file", 24));
        FileUser.Fails(Errno.EINVAL, Try("file", 1 << 20));
        FileUser.Fails(Errno.EINVAL, Try("file", 0, 1ul << 40));
        FileUser.Fails(Errno.EINVAL, Try("file", 0, 0, 16));
        user.Close(root);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Times_are_set_as_asked(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file");
        long times = user.Memory(32);
        ((long*)times)[0] = 1000;
        ((long*)times)[1] = 5;
        ((long*)times)[2] = 2000;
        ((long*)times)[3] = 999_999_999;
        Assert.Equal(0, user.Call(280, user.BaseDirectory, user.Text("file"), times, 0));
        Stat status = user.StatusOf("file");
        Assert.Equal((1000, 5), (status.AccessTime.Seconds, status.AccessTime.Nanoseconds));
        Assert.Equal((2000, 999_999_999), (status.ModifyTime.Seconds, status.ModifyTime.Nanoseconds));
        ((long*)times)[1] = 0x3fff_fffe;
        ((long*)times)[2] = 7;
        int fd = user.OpenOk("file");
        Assert.Equal(0, user.Call(280, fd, 0, times, 0));
        Assert.Equal((1000, 7), (user.StatusOf(fd).AccessTime.Seconds, user.StatusOf(fd).ModifyTime.Seconds));
        ((long*)times)[3] = 1_000_000_000;
        FileUser.Fails(Errno.EINVAL, user.Call(280, fd, 0, times, 0));
        Assert.Equal(0, user.Call(280, fd, 0, 0, 0));
        user.Close(fd);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Sendfile_and_copy_file_range_copy_and_move_positions(string system)
    {
        using FileUser user = FileUser.On(system);
        string text = string.Concat(Enumerable.Range(0, 10_000).Select(i => $"{i:0000} "));
        user.Make("from", text);
        int from = user.OpenOk("from");
        int to = user.OpenOk("to", OpenFlags.Create | OpenFlags.ReadWrite);
        Assert.Equal(text.Length, user.Call(40, to, from, 0, 1 << 20));
        Assert.Equal(text.Length, user.Seek(from, 0, 1));
        long offset = user.Memory(8);
        *(long*)offset = 5;
        Assert.Equal(10, user.Call(40, to, from, offset, 10));
        Assert.Equal(15, *(long*)offset);
        *(long*)offset = 0;
        Assert.Equal(4, user.Call(326, from, offset, to, 0, 4, 0));
        Assert.Equal(4, *(long*)offset);
        Assert.Equal((ulong)text.Length + 14, user.StatusOf(to).Size);
        Assert.Equal(text + "0001 0002 0000", Encoding.ASCII.GetString(user.ReadAt(to, 100_000, 0)));
        FileUser.Fails(Errno.EINVAL, user.Call(326, from, 0, to, 0, 4, 1));
        FileUser.Fails(Errno.EBADF, user.Call(326, to, 0, from, 0, 4, 0));
        user.Close(from);
        user.Close(to);
    }

    [Theory, MemberData(nameof(Systems))]
    public void A_memory_file_can_be_sealed(string system)
    {
        using FileUser user = FileUser.On(system);
        int fd = (int)FileUser.Ok(user.Call(319, user.Text("data"), 3));
        user.Write(fd, "0123456789");
        Assert.Equal(0, user.Call(72, fd, 1034, 0));
        Assert.Equal(0, user.Call(72, fd, 1033, 2 | 4));
        FileUser.Fails(Errno.EPERM, user.Truncate(fd, 5));
        FileUser.Fails(Errno.EPERM, user.Truncate(fd, 50));
        FileUser.Fails(Errno.EPERM, user.WriteAt(fd, "abc"u8, 8));
        Assert.Equal(3, user.WriteAt(fd, "abc"u8, 0));
        Assert.Equal(0, user.Call(72, fd, 1033, 1 | 8));
        FileUser.Fails(Errno.EPERM, user.WriteAt(fd, "abc"u8, 0));
        FileUser.Fails(Errno.EPERM, user.Call(72, fd, 1033, 8));
        Assert.Equal(0x81ffu, user.StatusOf(fd).Mode);
        user.Close(fd);
        FileUser.Fails(Errno.EINVAL, user.Call(319, user.Text(new string('n', 250)), 0));
        user.Make("file");
        int plain = user.OpenOk("file");
        FileUser.Fails(Errno.EBADF, user.Call(72, Unused, 1034, 0));
        user.Close(plain);
    }
}
