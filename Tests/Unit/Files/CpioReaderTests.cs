using System.Collections.Generic;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Files;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>The cpio parser: what it accepts, how it refuses, and that it never reads outside the archive.</summary>
public class CpioReaderTests
{
    private const uint File = 0x81a4, Directory = 0x41ed;

    [Fact]
    public void Entries_come_with_name_mode_and_data()
    {
        byte[] archive = new CpioArchive().Add("dir", Directory).Add("dir/file", File, "content", inode: 7, links: 2, time: 99).Add("dev", 0x21b6, major: 5, minor: 1).End().ToArray();
        var reader = new CpioReader(archive);
        Assert.True(reader.TryRead(out CpioEntry entry));
        Assert.Equal("dir", Encoding.UTF8.GetString(entry.Name));
        Assert.Equal(Directory, entry.Mode);
        Assert.True(reader.TryRead(out entry));
        Assert.Equal("content", Encoding.UTF8.GetString(entry.Data));
        Assert.Equal((7u, 2u, 99u), (entry.InodeNumber, entry.LinkCount, entry.ModifyTime));
        Assert.True(reader.TryRead(out entry));
        Assert.Equal(0x501ul, entry.SpecialDevice);
        Assert.False(reader.TryRead(out _));
        Assert.Equal(CpioError.None, reader.Error);
    }

    [Fact]
    public void Archives_may_follow_each_other_with_zeros_between()
    {
        byte[] one = new CpioArchive().Add("one", File, "1").End().ToArray();
        byte[] two = new CpioArchive().Add("two", File, "22").End(4).ToArray();
        Assert.Equal(["one:0", "two:1"], Names([.. one, .. new byte[1024], .. two, .. new byte[12]], out CpioError error));
        Assert.Equal(CpioError.None, error);
    }

    [Fact]
    public void An_archive_may_lack_trailer_and_last_padding()
    {
        byte[] archive = new CpioArchive().Add("file", File, "12345").ToArray();
        Assert.Equal(["file:0"], Names(archive[..^3], out CpioError error));
        Assert.Equal(CpioError.None, error);
        Assert.Empty(Names([], out error));
        Assert.Equal(CpioError.None, error);
    }

    [Fact]
    public void Every_truncation_is_noticed_or_ends_between_entries()
    {
        byte[] archive = new CpioArchive().Add("first", File, "some data").Add("second", File, "more").End(4).ToArray();
        for (int length = 0; length < archive.Length; length++)
        {
            List<string> names = Names(archive[..length], out CpioError error);
            Assert.True(names.Count <= 2);
            if (error != CpioError.None)
                Assert.True(error is CpioError.Truncated or CpioError.BadMagic or CpioError.BadName, error.ToString());
        }
    }

    [Theory]
    [InlineData("not an archive at all, just text", CpioError.BadMagic)]
    [InlineData("0707", CpioError.Truncated)]
    [InlineData("070707000000", CpioError.BadMagic)]
    [InlineData("070701zzzzzzzz", CpioError.Truncated)]
    public void What_is_no_archive_is_refused(string text, CpioError expected)
    {
        Assert.Empty(Names(Encoding.ASCII.GetBytes(text), out CpioError error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Packed_archives_are_named_as_such()
    {
        byte[][] starts = [[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0], [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0], [0x42, 0x5a, 0x68, 0x39, 0, 0, 0, 0]];
        foreach (byte[] start in starts)
        {
            Names(start, out CpioError error);
            Assert.Equal(CpioError.Packed, error);
        }
    }

    [Fact]
    public void Hostile_fields_are_refused()
    {
        byte[] good = new CpioArchive().Add("name", File, "data").End(4).ToArray();
        Assert.Equal(CpioError.Truncated, ErrorWith(good, 6 + 6 * 8, "FFFFFFFF"));
        Assert.Equal(CpioError.BadName, ErrorWith(good, 6 + 11 * 8, "FFFFFFFF"));
        Assert.Equal(CpioError.BadName, ErrorWith(good, 6 + 11 * 8, "00000000"));
        Assert.Equal(CpioError.BadName, ErrorWith(good, 6 + 11 * 8, "00000001"));
        Assert.Equal(CpioError.BadName, ErrorWith(good, 6 + 11 * 8, "00000004"));
        Assert.Equal(CpioError.BadNumber, ErrorWith(good, 6, "0000000G"));
        Assert.Equal(CpioError.BadName, ErrorWith(good, 110, "n\0me"));
    }

    [Fact]
    public void Random_damage_never_reads_outside()
    {
        byte[] good = new CpioArchive().Add("dir", Directory).Add("dir/file", File, new string('x', 300)).Add("link", 0xa1ff, "dir/file").End().ToArray();
        Gen<(int At, int Value)> damage = Gen.Choose(0, good.Length - 1).Zip(Gen.Choose(0, 255));
        Prop.ForAll(damage.ListOf().ToArbitrary(), Gen.Choose(0, good.Length).ToArbitrary(), (damages, length) =>
        {
            byte[] bytes = (byte[])good.Clone();
            foreach ((int at, int value) in damages)
                bytes[at] = (byte)value;
            Names(bytes[..length], out _);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    private static CpioError ErrorWith(byte[] good, int at, string text)
    {
        byte[] bytes = (byte[])good.Clone();
        Encoding.ASCII.GetBytes(text).CopyTo(bytes, at);
        Names(bytes, out CpioError error);
        return error;
    }

    private static List<string> Names(byte[] archive, out CpioError error)
    {
        var names = new List<string>();
        var reader = new CpioReader(archive);
        while (reader.TryRead(out CpioEntry entry))
            names.Add($"{Encoding.UTF8.GetString(entry.Name)}:{entry.Archive}");
        error = reader.Error;
        Assert.InRange(reader.Offset, 0, archive.Length);
        return names;
    }
}
