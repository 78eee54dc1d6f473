using System;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>What only the kernel's own side shows: roots, mounts, permissions, memory, mappings, events.</summary>
public unsafe class VfsTests : IDisposable
{
    private readonly KernelFileUser _user = new();

    public void Dispose() => _user.Dispose();

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a", "/a")]
    [InlineData("a/b", "/a/b")]
    [InlineData("/a/../a//b/.", "/a/b")]
    [InlineData("/../../a", "/a")]
    [InlineData("up", "/")]
    [InlineData("a/absolute", "/a/b")]
    [InlineData("a/absolute/../absolute/", "/a/b")]
    [InlineData("a/relative", "/a/b")]
    [InlineData("a/b/parent", "/a")]
    public void A_path_leads_to_a_place(string path, string expected)
    {
        MakeTree();
        Assert.Equal(0, _user.Call(80, _user.Text(path)));
        Assert.Equal(expected, WorkingDirectory());
    }

    [Theory]
    [InlineData("", Errno.ENOENT)]
    [InlineData("missing", Errno.ENOENT)]
    [InlineData("missing/..", Errno.ENOENT)]
    [InlineData("file", Errno.ENOTDIR)]
    [InlineData("file/", Errno.ENOTDIR)]
    [InlineData("file/.", Errno.ENOTDIR)]
    [InlineData("file/x", Errno.ENOTDIR)]
    [InlineData("dangling", Errno.ENOENT)]
    [InlineData("loop", Errno.ELOOP)]
    [InlineData("loop/x", Errno.ELOOP)]
    public void A_path_that_leads_nowhere_says_why(string path, Errno expected)
    {
        MakeTree();
        FileUser.Fails(expected, _user.Call(80, _user.Text(path)));
    }

    [Fact]
    public void The_working_directory_is_told_or_said_to_be_gone()
    {
        MakeTree();
        _user.Call(80, _user.Text("/a/b"));
        FileUser.Fails(Errno.ERANGE, _user.Call(79, _user.Memory(8), 4));
        FileUser.Fails(Errno.EFAULT, _user.Call(79, 8, 100));
        Assert.Equal(5, _user.Call(79, _user.Memory(8), 5));
        _user.Rename("a", "moved");
        Assert.Equal("/moved/b", WorkingDirectory());
        _user.Unlink("moved/b/parent");
        Assert.Equal(0, _user.RemoveDirectory("moved/b"));
        FileUser.Fails(Errno.ENOENT, _user.Call(79, _user.Memory(100), 100));
        FileUser.Fails(Errno.ENOENT, _user.Call(2, _user.Text("new"), (long)OpenFlags.Create, 0));
    }

    [Fact]
    public void A_new_root_confines_paths_and_links()
    {
        MakeTree();
        _user.Make("a/inside", "inside");
        _user.Symlink("/inside", "a/absolute2");
        Assert.Equal(0, _user.Call(161, _user.Text("/a")));
        Assert.Equal(0, _user.Call(80, _user.Text("/")));
        Assert.Equal("/", WorkingDirectory());
        Assert.Equal(0, _user.Call(80, _user.Text("../..")));
        Assert.Equal("/", WorkingDirectory());
        int fd = (int)FileUser.Ok(_user.Call(2, _user.Text("/absolute2"), 0, 0));
        Assert.Equal("inside", _user.Read(fd));
    }

    [Fact]
    public void A_mount_covers_its_directory_and_dots_lead_out_of_it()
    {
        MakeTree();
        _user.Make("a/b/covered");
        string point = $"/mnt{KernelFileUser.LastId}/a/b";
        FileSystem* fileSystem = Tmpfs.Create(0x1c0);
        Assert.Equal(0, Vfs.MountAt(Encoding.ASCII.GetBytes(point), fileSystem).Value);
        Assert.Empty(_user.Names("a/b"));
        _user.Make("a/b/on top", "x");
        Assert.NotEqual(_user.StatusOf("a").Device, _user.StatusOf("a/b").Device);
        _user.Call(80, _user.Text("/a/b"));
        Assert.Equal("/a/b", WorkingDirectory());
        Assert.Equal(0, _user.Call(80, _user.Text("..")));
        Assert.Equal("/a", WorkingDirectory());
        FileUser.Fails(Errno.EBUSY, _user.RemoveDirectory("a/b"));
        FileUser.Fails(Errno.EBUSY, _user.Rename("a/b", "c"));
        FileUser.Fails(Errno.EXDEV, _user.Rename("a/b/on top", "c"));
        FileUser.Fails(Errno.EXDEV, _user.Link("a/b/on top", "c"));
        Mount* mount = Mount.First;
        while (mount->FileSystem != fileSystem)
            mount = mount->Next;
        int open = _user.OpenOk("a/b/on top");
        Assert.Equal(Errno.EBUSY, Mount.Detach(mount).Error);
        _user.Close(open);
        mount->IsReadOnly = true;
        FileUser.Fails(Errno.EROFS, _user.Open("a/b/on top", OpenFlags.WriteOnly));
        FileUser.Fails(Errno.EROFS, _user.Unlink("a/b/on top"));
        FileUser.Fails(Errno.EROFS, _user.MakeDirectory("a/b/new"));
        FileUser.Fails(Errno.EROFS, _user.Access("a/b/on top", 2));
        Assert.Equal(0, _user.Access("a/b/on top", 4));
        Assert.Equal(0, Mount.Detach(mount).Value);
        Assert.Equal(["covered", "parent"], _user.Names("a/b"));
    }

    [Fact]
    public void Permissions_bind_others_but_not_root()
    {
        MakeTree();
        _user.Make("secret", "x");
        _user.Call(268, _user.BaseDirectory, _user.Text("secret"), 0);
        Assert.Equal(0, _user.Access("secret", 6));
        FileUser.Fails(Errno.EACCES, _user.Access("secret", 1));
        _user.Call(268, _user.BaseDirectory, _user.Text("a"), 0x1ff | 0x200);
        _user.Make("a/roots");
        _user.Context->UserId = 1000;
        _user.Context->GroupId = 1000;
        FileUser.Fails(Errno.EACCES, _user.Open("secret"));
        FileUser.Fails(Errno.EACCES, _user.Open("new", OpenFlags.Create | OpenFlags.WriteOnly));
        FileUser.Fails(Errno.EPERM, _user.Call(268, _user.BaseDirectory, _user.Text("secret"), 0x1ff));
        FileUser.Fails(Errno.EPERM, _user.Call(260, _user.BaseDirectory, _user.Text("secret"), 1000, -1, 0));
        FileUser.Fails(Errno.EPERM, _user.Unlink("a/roots"));
        FileUser.Fails(Errno.EPERM, _user.Call(161, _user.Text("/")));
        FileUser.Fails(Errno.EPERM, _user.Call(259, _user.BaseDirectory, _user.Text("a/device"), 0x21ff, 0x103));
        _user.Make("a/own", "mine");
        Assert.Equal((1000u, 1000u), (_user.StatusOf("a/own").UserId, _user.StatusOf("a/own").GroupId));
        Assert.Equal(0, _user.Unlink("a/own"));
        _user.Context->UserId = 0;
    }

    [Fact]
    public void A_full_file_system_gives_ENOSPC_and_space_comes_back()
    {
        _user.Tmpfs->MaximumPages = 4;
        int fd = _user.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        Assert.Equal(16384, _user.Write(fd, new byte[20_000]));
        FileUser.Fails(Errno.ENOSPC, _user.Write(fd, "x"));
        FileUser.Fails(Errno.ENOSPC, _user.Call(285, fd, 0, 0, 20_000));
        Assert.Equal(16384ul, _user.StatusOf(fd).Size);
        long buffer = _user.Memory(sizeof(StatFs));
        Assert.Equal(0, _user.Call(138, fd, buffer));
        Assert.Equal((4ul, 0ul, (long)Tmpfs.Magic), (((StatFs*)buffer)->Blocks, ((StatFs*)buffer)->BlocksFree, ((StatFs*)buffer)->Type));
        Assert.Equal(0, _user.Truncate(fd, 0));
        Assert.Equal(4096, _user.Write(fd, new byte[4096]));
    }

    [Fact]
    public void A_sparse_file_reaches_to_the_end_of_positions()
    {
        int fd = _user.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        const long far = long.MaxValue - 10;
        Assert.Equal(3, _user.WriteAt(fd, "end"u8, far));
        Assert.Equal(8ul, _user.StatusOf(fd).Blocks);
        Assert.Equal("end"u8.ToArray(), _user.ReadAt(fd, 100, far));
        Assert.Equal(new byte[5], _user.ReadAt(fd, 5, 1L << 40));
        Assert.Equal(far & ~4095L, _user.Seek(fd, 5, 3));
        Assert.Equal(0, _user.Seek(fd, 0, 4));
        FileUser.Fails(Errno.EFBIG, _user.WriteAt(fd, "x"u8, long.MaxValue));
        Assert.Equal(0, _user.Truncate(fd, 1L << 50));
        Assert.Equal(0ul, _user.Tmpfs->UsedPages);
    }

    [Fact]
    public void A_mapping_and_the_file_show_the_same_page()
    {
        int fd = _user.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        _user.Truncate(fd, 8192);
        MappedFile mapping;
        OpenFile* file = _user.File(fd);
        Assert.Equal(0, file->Operations->GetMapping(file, &mapping).Value);
        PhysicalAddress page;
        Assert.Equal(FaultOutcome.Resolved, mapping.GetPage(mapping.Object, 1, true, &page));
        ((byte*)page.Pointer)[5] = 77;
        Assert.Equal([77], _user.ReadAt(fd, 1, 4096 + 5));
        _user.WriteAt(fd, "Z"u8, 4096);
        Assert.Equal((byte)'Z', *(byte*)page.Pointer);
        Assert.Equal(0, _user.Call(285, fd, 3, 4096, 4096));
        Assert.Equal(0, ((byte*)page.Pointer)[5]);
        PhysicalAddress beyond;
        Assert.Equal(FaultOutcome.BeyondFile, mapping.GetPage(mapping.Object, 2, false, &beyond));
        _user.Unlink("file");
        _user.Close(fd);
        PageFrame.Release(page);
        mapping.Release(mapping.Object);
        Assert.Equal(0ul, _user.Tmpfs->UsedPages);
    }

    [Fact]
    public void A_file_cut_short_is_cut_in_its_mappings_and_lives_as_long_as_they_do()
    {
        int fd = _user.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        _user.Truncate(fd, 8192);
        MappedFile mapping;
        OpenFile* file = _user.File(fd);
        Assert.Equal(0, file->Operations->GetMapping(file, &mapping).Value);
        AddressSpace* space = AddressSpace.Create(isUserMode: true);
        Result mapped = space->Map(0, 8192, Protection.Read, MapFlags.Shared, &mapping);
        Assert.False(mapped.IsError);
        mapping.Release(mapping.Object);
        ulong second = (ulong)mapped.Value + 4096;
        Assert.Equal(FaultOutcome.Resolved, space->HandleFault(second, FaultAccess.Read));
        Assert.True(space->TryTranslate(second, out _));
        _user.Truncate(fd, 4096);
        Assert.False(space->TryTranslate(second, out _));
        Assert.Equal(FaultOutcome.BeyondFile, space->HandleFault(second, FaultAccess.Read));
        Assert.Equal(0ul, _user.Tmpfs->UsedPages);

        _user.WriteAt(fd, "x"u8, 0);
        _user.Unlink("file");
        _user.Close(fd);
        Assert.Equal(1ul, _user.Tmpfs->UsedPages);
        AddressSpace.Release(space);
        Assert.Equal(0ul, _user.Tmpfs->UsedPages);
    }

    [Fact]
    public void A_deep_tree_is_freed_without_deep_recursion()
    {
        int fd = _user.OpenOk(".", OpenFlags.Directory);
        for (int i = 0; i < 3000; i++)
        {
            Assert.Equal(0, _user.Call(258, fd, _user.Text("d"), 0x1ed));
            int next = (int)FileUser.Ok(_user.Call(257, fd, _user.Text("d"), (long)OpenFlags.Directory, 0));
            _user.Close(fd);
            fd = next;
        }
        _user.Call(81, fd);
        FileUser.Fails(Errno.ENAMETOOLONG, _user.Call(79, _user.Memory(8192), 8192));
        Assert.Equal(3001ul, _user.Tmpfs->InodeCount);
    }

    [Fact]
    public void A_table_copied_for_fork_shares_open_files()
    {
        _user.Make("file", "abcdef");
        int plain = _user.OpenOk("file");
        int marked = _user.OpenOk("file", OpenFlags.CloseOnExec);
        FileTable* copy = _user.Files->Clone();
        Assert.True(copy->TryGet(new Fd(plain), out OpenFile* file));
        Assert.Equal(2, file->References);
        copy->CloseForExec();
        Assert.False(copy->TryGet(new Fd(marked), out _));
        _user.Close(plain);
        Assert.Equal(1, file->References);
        FileTable.Release(copy);
        _user.Close(marked);
    }

    [Fact]
    public void The_limit_of_descriptors_is_EMFILE_before_anything_is_made()
    {
        _user.Files->Limit = 4;
        _user.OpenOk(".");
        _user.OpenOk(".");
        _user.OpenOk(".");
        FileUser.Fails(Errno.EMFILE, _user.Open("new", OpenFlags.Create | OpenFlags.WriteOnly));
        FileUser.Fails(Errno.EMFILE, _user.Call(32, 0));
        FileUser.Fails(Errno.EBADF, _user.Call(33, 0, 4));
        _user.Files->Limit = 64;
        Assert.DoesNotContain("new", _user.Names("."));
    }

    [Fact]
    public void Special_files_are_found_by_number()
    {
        Assert.True(SpecialFiles.RegisterCharacter(240, 7, FileOperations.Of<SevenDevice>(), (void*)7));
        Assert.Equal(0, _user.Call(259, _user.BaseDirectory, _user.Text("seven"), 0x21b6, (long)DeviceNumber.Make(240, 7)));
        Assert.Equal(0, _user.Call(259, _user.BaseDirectory, _user.Text("eight"), 0x21b6, (long)DeviceNumber.Make(240, 8)));
        int fd = _user.OpenOk("seven", OpenFlags.ReadWrite);
        Assert.Equal("\x7\x7\x7", _user.Read(fd, 3));
        FileUser.Fails(Errno.EINVAL, _user.Write(fd, "x"));
        FileUser.Fails(Errno.ESPIPE, _user.Seek(fd, 0, 0));
        FileUser.Fails(Errno.ESPIPE, _user.Call(17, fd, _user.Memory(1), 1, 0));
        FileUser.Fails(Errno.ENOTTY, _user.Call(16, fd, 0x5413, 0));
        FileUser.Fails(Errno.EINVAL, _user.Call(74, fd));
        FileUser.Fails(Errno.ENXIO, _user.Open("eight"));
        _user.Call(259, _user.BaseDirectory, _user.Text("socket"), 0xc1ff, 0);
        FileUser.Fails(Errno.ENXIO, _user.Open("socket"));
    }

    [Fact]
    public void A_call_that_sleeps_keeps_its_file_through_a_close()
    {
        Assert.True(SpecialFiles.RegisterCharacter(240, 9, FileOperations.Of<SevenDevice>(), null));
        OpenFile* file = OpenFile.Create<ClosingFile>(_user.Files, OpenFlags.ReadOnly);
        int fd = (int)_user.Files->Add(file, false).Value;
        file->Object = (void*)fd;
        ulong before = OpenFile.Count;
        Assert.Equal(1, _user.Call(0, fd, _user.Memory(1), 1));
        Assert.Equal(before - 1, OpenFile.Count);
    }

    [Fact]
    public void Device_numbers_survive_packing()
    {
        foreach ((uint major, uint minor) in new[] { (1u, 3u), (0xfffu, 0xffu), (0x12345u, 0xabcdeu), (uint.MaxValue, uint.MaxValue) })
        {
            ulong device = DeviceNumber.Make(major, minor);
            Assert.Equal((major, minor), (DeviceNumber.Major(device), DeviceNumber.Minor(device)));
        }
    }

    private void MakeTree()
    {
        _user.MakeDirectory("a");
        _user.MakeDirectory("a/b");
        _user.Make("file", "x");
        _user.Symlink("..", "up");
        _user.Symlink("/a/b", "a/absolute");
        _user.Symlink("./b/", "a/relative");
        _user.Symlink("..", "a/b/parent");
        _user.Symlink("missing", "dangling");
        _user.Symlink("loop", "loop");
    }

    private string WorkingDirectory()
    {
        long buffer = _user.Memory(4096);
        int length = (int)FileUser.Ok(_user.Call(79, buffer, 4096));
        return Encoding.UTF8.GetString((byte*)buffer, length - 1);
    }

    private struct SevenDevice : IFileKind
    {
        public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
        {
            Assert.Equal(7, (int)file->Object);
            for (nuint i = 0; i < to.Length; i++)
                Assert.True(new UserPtr<byte>(to.Address + i).TryWrite(7));
            return to.Length;
        }
    }

    private struct ClosingFile : IFileKind
    {
        public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
        {
            Assert.Equal(0, FileTable.Current->Close((int)file->Object).Value);
            return file->References;
        }
    }
}
