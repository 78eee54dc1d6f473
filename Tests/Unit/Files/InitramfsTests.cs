using System;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>Unpacking an initramfs. Entries go below a folder of the root that this class owns; their files read from the archive in place.</summary>
public unsafe class InitramfsTests : IDisposable
{
    private const uint File = 0x81a4, Directory = 0x41ed, Link = 0xa1ff, Character = 0x21b6;

    private readonly KernelFileUser _user = new();
    private readonly string _root;

    public InitramfsTests() => _root = $"mnt{KernelFileUser.LastId}/";

    public void Dispose() => _user.Dispose();

    [Fact]
    public void Files_directories_links_and_nodes_appear()
    {
        Assert.Equal("", Unpack(new CpioArchive().Add(".", Directory).Add(_root + "a", 0x41c0).Add(_root + "a/file", 0x89ed, "content", time: 1234)
            .Add(_root + "link", Link, "a/file").Add(_root + "node", Character, major: 1, minor: 3).Add("/" + _root + "fifo", 0x1180).End()));
        Assert.Equal(0x41c0u, _user.StatusOf("a").Mode);
        Assert.Equal("content", _user.ContentOf("link"));
        Stat status = _user.StatusOf("a/file");
        Assert.Equal((0x89edu, 1234L, 8ul), (status.Mode, status.ModifyTime.Seconds, status.Blocks));
        Assert.Equal((Character, 0x103ul), (_user.StatusOf("node").Mode, _user.StatusOf("node").SpecialDevice));
        Assert.Equal(0x1180u, _user.StatusOf("fifo").Mode);
    }

    [Fact]
    public void Missing_parents_are_made()
    {
        Assert.Equal("", Unpack(new CpioArchive().Add(_root + "deep//er/file", File, "x").End()));
        Assert.Equal("x", _user.ContentOf("deep/er/file"));
    }

    [Fact]
    public void Hard_links_share_an_inode_whichever_has_the_bytes()
    {
        Assert.Equal("", Unpack(new CpioArchive().Add(_root + "one", File, "", inode: 5, links: 3).Add(_root + "two", File, "", inode: 5, links: 3)
            .Add(_root + "three", File, "shared", inode: 5, links: 3).End().Add(_root + "other", File, "own", inode: 5, links: 2).End()));
        Assert.Equal("shared", _user.ContentOf("one"));
        Assert.Equal(3ul, _user.StatusOf("two").LinkCount);
        Assert.Equal(_user.StatusOf("one").Inode, _user.StatusOf("three").Inode);
        Assert.Equal("own", _user.ContentOf("other"));
        Assert.Equal(1ul, _user.StatusOf("other").LinkCount);
    }

    [Fact]
    public void A_later_archive_replaces_files_but_keeps_directories()
    {
        Assert.Equal("", Unpack(new CpioArchive().Add(_root + "d", Directory).Add(_root + "d/keep", File, "k").Add(_root + "file", File, "old").End()
            .Add(_root + "d", 0x41c0).Add(_root + "file", File, "new!").End()));
        Assert.Equal("new!", _user.ContentOf("file"));
        Assert.Equal("k", _user.ContentOf("d/keep"));
        Assert.Equal(0x41c0u, _user.StatusOf("d").Mode);
    }

    [Fact]
    public void Content_is_read_in_place_until_a_page_is_written()
    {
        byte[] data = [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * 13))];
        Assert.Equal("", Unpack(new CpioArchive().Add(_root + "file", File, data).End()));
        Assert.Equal(0ul, _user.Tmpfs->UsedPages);
        int fd = _user.OpenOk("file", OpenFlags.ReadWrite);
        Assert.Equal(data, _user.ReadAt(fd, 20_000, 0));
        Assert.Equal(3, _user.WriteAt(fd, "new"u8, 5000));
        Assert.Equal(1ul, _user.Tmpfs->UsedPages);
        "new"u8.CopyTo(data.AsSpan(5000));
        Assert.Equal(data, _user.ReadAt(fd, 20_000, 0));
        Assert.Equal(24ul, _user.StatusOf(fd).Blocks);
        Assert.Equal(0, _user.Truncate(fd, 9000));
        Assert.Equal(0, _user.Truncate(fd, 9100));
        Assert.Equal([.. data[..9000], .. new byte[100]], _user.ReadAt(fd, 20_000, 0));
        Assert.Equal(0, _user.Call(285, fd, 3, 4096, 100));
        data.AsSpan(4096, 100).Clear();
        Assert.Equal(data[..9000], _user.ReadAt(fd, 9000, 0));
        Assert.Equal(0, _user.Call(285, fd, 3, 0, 4096));
        data.AsSpan(0, 4096).Clear();
        Assert.Equal(data[..9000], _user.ReadAt(fd, 9000, 0));
        _user.Close(fd);
    }

    [Theory]
    [InlineData(20, "cut off")]
    [InlineData(113, "cut off")]
    public void A_cut_archive_is_refused_with_a_sentence(int left, string reason)
    {
        byte[] archive = new CpioArchive().Add(_root + "file", File, "content").ToArray();
        Assert.Contains(reason, Unpack(archive[..left]));
    }

    [Fact]
    public void What_came_before_the_damage_is_there()
    {
        byte[] archive = [.. new CpioArchive().Add(_root + "file", File, "content").ToArray(), .. Encoding.ASCII.GetBytes("garbage!")];
        Assert.Contains("no cpio header", Unpack(archive));
        Assert.Equal("content", _user.ContentOf("file"));
    }

    [Fact]
    public void Contradictions_are_refused()
    {
        Assert.Contains("contradicts", Unpack(new CpioArchive().Add(_root + "f", File, "x").Add(_root + "f/below", File, "y").End()));
        Assert.Contains("contradicts", Unpack(new CpioArchive().Add(_root + "d", Directory).Add(_root + "d", File, "y").End()));
        Assert.Contains("unknown type", Unpack(new CpioArchive().Add(_root + "strange", 0xf000, "y").End()));
    }

    [Fact]
    public void Random_damage_never_crashes_and_leaves_nothing_open()
    {
        byte[] good = new CpioArchive().Add(_root + "dir", Directory).Add(_root + "dir/file", File, new string('x', 300), inode: 3, links: 2)
            .Add(_root + "dir/other", File, "", inode: 3, links: 2).Add(_root + "link", Link, "dir/file").End(4).ToArray();
        ulong open = OpenFile.Count;
        // The names stay: whatever is made must be below this test's folder.
        int[] places = [.. Enumerable.Range(0, good.Length).Where(at => !IsInName(good, at))];
        Gen<(int At, int Value)> damage = Gen.Elements(places).Zip(Gen.Elements<int>('0', '1', '2', 'F', '8', 0, 'x'));
        Prop.ForAll(damage.ListOf().ToArbitrary(), damages =>
        {
            byte[] bytes = (byte[])good.Clone();
            foreach ((int at, int value) in damages)
                bytes[at] = (byte)value;
            Unpack(bytes);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
        Assert.Equal(open, OpenFile.Count);
    }

    private static bool IsInName(byte[] archive, int at)
    {
        const int header = 110;
        for (int start = 0; start + header < archive.Length; start++)
        {
            if (!archive.AsSpan(start).StartsWith("070701"u8))
                continue;
            int nameSize = Convert.ToInt32(Encoding.ASCII.GetString(archive, start + 94, 8), 16);
            if (at >= start + 94 && at < start + header + nameSize)
                return true;
        }
        return false;
    }

    private string Unpack(CpioArchive archive) => Unpack(archive.ToArray());

    private string Unpack(byte[] archive)
    {
        // Like a boot module the bytes stay where they are as long as the tree.
        long bytes = _user.Bytes(archive);
        Ukl.Kernel.Abi.Result result = Vfs.Populate(new ReadOnlySpan<byte>((void*)bytes, archive.Length), out ReadOnlySpan<byte> problem);
        Assert.Equal(result.IsError, !problem.IsEmpty);
        return Encoding.UTF8.GetString(problem);
    }
}
