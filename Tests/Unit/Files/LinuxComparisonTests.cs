using System;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Abi;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>
/// Random calls on UKL's tmpfs and on the tmpfs of the build machine's Linux: every result and the trees at the end must be the same. Linux is the model.
/// </summary>
public unsafe class LinuxComparisonTests
{
    // Paths with ".." must not leave the test's directory on the build machine: this is deeper than any sequence of links can climb.
    private const int Depth = 24;

    private static readonly string s_base = string.Join('/', Enumerable.Range(0, Depth).Select(level => $"level{level}"));

    private static readonly Gen<string> s_name = Gen.Elements("a", "b", "c", "d");

    private static readonly Gen<string> s_target = Gen.Elements("a", "b", "c/d", "a/b", ".", "d/", "./c", "b/.", "a/..", "missing");

    private static readonly Gen<string> s_path = Gen.Frequency(
        (6, s_name),
        (6, Gen.Two(s_name).Select(pair => $"{pair.Item1}/{pair.Item2}")),
        (3, Gen.Three(s_name).Select(names => $"{names.Item1}/{names.Item2}//{names.Item3}")),
        (1, s_name.Select(name => name + "/")),
        (1, Gen.Two(s_name).Select(pair => $"{pair.Item1}/{pair.Item2}/")),
        (1, s_name.Select(name => name + "/.")),
        (1, s_name.Select(name => name + "/..")),
        (1, Gen.Two(s_name).Select(pair => $"{pair.Item1}/../{pair.Item2}")),
        (1, Gen.Elements(".", "..", "", "../" + $"level{Depth - 1}", new string('n', 255), new string('n', 256), "a/" + new string('n', 256))));

    private static readonly Gen<Operation> s_operation = Gen.Frequency(
        (6, s_path.Select(path => new Operation($"mkdir {path}", (user, at) => user.Call(258, at, user.Text(path), 0x1ed)))),
        (2, s_path.Select(path => new Operation($"rmdir {path}", (user, at) => user.Call(263, at, user.Text(path), 0x200)))),
        (3, s_path.Select(path => new Operation($"unlink {path}", (user, at) => user.Call(263, at, user.Text(path), 0)))),
        (4, from path in s_path
            from to in s_path
            from flags in Gen.Elements(0, 0, 0, 1, 2, 3)
            select new Operation($"rename {path} {to} {flags}", (user, at) => user.Call(316, at, user.Text(path), at, user.Text(to), flags))),
        (3, from path in s_path
            from to in s_path
            from flags in Gen.Elements(0, 0x400)
            select new Operation($"link {path} {to} {flags}", (user, at) => user.Call(265, at, user.Text(path), at, user.Text(to), flags))),
        (4, s_target.Zip(s_path).Select(x => new Operation($"symlink {x.Item1} {x.Item2}", (user, at) => user.Call(266, user.Text(x.Item1), at, user.Text(x.Item2))))),
        (8, s_path.Zip(OpenFlagsGenerator()).Select(x => new Operation($"open {x.Item1} {x.Item2}", (user, at) => OpenAndWrite(user, at, x.Item1, x.Item2)))),
        (2, s_path.Zip(Gen.Choose(0, 0xfff)).Select(x => new Operation($"chmod {x.Item1} {x.Item2:x}", (user, at) => user.Call(268, at, user.Text(x.Item1), x.Item2)))),
        (2, s_path.Zip(Gen.Elements(0, 0x100)).Select(x => new Operation($"stat {x.Item1} {x.Item2}", (user, at) => DescribeStatus(user, at, x.Item1, x.Item2)))),
        (1, s_path.Select(path => new Operation($"readlink {path}", (user, at) => user.Call(267, at, user.Text(path), user.Memory(300), 300)))),
        (1, s_path.Zip(Gen.Choose(0, 8)).Select(x => new Operation($"access {x.Item1} {x.Item2}", (user, at) => user.Call(269, at, user.Text(x.Item1), x.Item2)))),
        (1, s_path.Zip(Gen.Elements(0x8180u, 0x180u, 0x4180u, 0xa180u, 0xb000u)).Select(x => new Operation($"mknod {x.Item1} {x.Item2:x}",
            (user, at) => user.Call(259, at, user.Text(x.Item1), x.Item2, 0)))),
        (1, from path in s_path
            from owner in Gen.Choose(-1, 2)
            from team in Gen.Choose(-1, 2)
            select new Operation($"chown {path} {owner} {team}", (user, at) => user.Call(260, at, user.Text(path), owner, team, 0))));

    // Whether pages that are only reserved count as data is each file system's choice, so these calls are not mixed.
    private static readonly Gen<Operation> s_reserve =
        from mode in Gen.Elements(0, 1, 2, 0x10)
        from offset in Gen.Choose(-1, 60_000)
        from length in Gen.Choose(0, 20_000)
        select new Operation($"fallocate {mode} {offset}+{length}", (user, fd) => user.Call(285, fd, mode, offset, length));

    private static readonly Gen<Operation> s_seekData =
        from offset in Gen.Choose(-1, 70_000)
        from origin in Gen.Choose(3, 5)
        select new Operation($"lseek {offset} {origin}", (user, fd) => user.Call(8, fd, offset, origin));

    private static readonly Gen<Operation> s_contentOperation = Gen.Frequency(
        (6, Gen.Choose(0, 60_000).Zip(Gen.Choose(0, 9_000)).Select(x => new Operation($"pwrite {x.Item1}+{x.Item2}", (user, fd) => user.WriteAt(fd, Pattern(x.Item1, x.Item2), x.Item1)))),
        (4, Gen.Choose(0, 70_000).Zip(Gen.Choose(0, 9_000)).Select(x => new Operation($"pread {x.Item1}+{x.Item2}", (user, fd) => Digest(user.ReadAt(fd, x.Item2, x.Item1))))),
        (2, Gen.Choose(0, 70_000).Select(size => new Operation($"ftruncate {size}", (user, fd) => user.Call(77, fd, size)))),
        (2, from offset in Gen.Choose(0, 60_000)
            from length in Gen.Choose(0, 20_000)
            select new Operation($"punch {offset}+{length}", (user, fd) => user.Call(285, fd, 3, offset, length))),
        (3, Gen.Choose(-1, 70_000).Zip(Gen.Choose(0, 2)).Select(x => new Operation($"lseek {x.Item1} {x.Item2}", (user, fd) => user.Call(8, fd, x.Item1, x.Item2)))),
        (2, Gen.Choose(0, 5_000).Select(count => new Operation($"read {count}", (user, fd) => user.Call(0, fd, user.Memory(count), count)))),
        (2, Gen.Choose(0, 5_000).Select(count => new Operation($"write {count}", (user, fd) => user.Write(fd, Pattern(count, count))))),
        (1, Gen.Constant(new Operation("blocks", (user, fd) => (long)user.StatusOf(fd).Blocks))));

    [Fact]
    public void Random_calls_on_names_give_what_Linux_gives()
    {
        Assert.SkipUnless(HostFileUser.IsPossible, "needs root and /dev/shm");
        Prop.ForAll(s_operation.ListOf().Resize(60).ToArbitrary(), operations => CompareTrees([.. operations]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(250));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_calls_on_content_give_what_Linux_gives(bool isReserving)
    {
        Assert.SkipUnless(HostFileUser.IsPossible, "needs root and /dev/shm");
        Gen<Operation> operation = Gen.Frequency((10, s_contentOperation), (2, isReserving ? s_reserve : s_seekData));
        Prop.ForAll(operation.ListOf().Resize(60).ToArbitrary(), operations => CompareContents([.. operations]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(250));
    }

    private static Gen<OpenFlags> OpenFlagsGenerator() => Gen.Elements(
        OpenFlags.ReadOnly, OpenFlags.WriteOnly, OpenFlags.ReadWrite, OpenFlags.Create | OpenFlags.WriteOnly, OpenFlags.Create | OpenFlags.ReadWrite,
        OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.WriteOnly, OpenFlags.Create | OpenFlags.Truncate | OpenFlags.WriteOnly, OpenFlags.Truncate | OpenFlags.ReadWrite,
        OpenFlags.Append | OpenFlags.WriteOnly, OpenFlags.Directory, OpenFlags.Directory | OpenFlags.WriteOnly, OpenFlags.Directory | OpenFlags.Create, OpenFlags.NoFollow,
        OpenFlags.NoFollow | OpenFlags.Directory, OpenFlags.NoFollow | OpenFlags.Create | OpenFlags.WriteOnly, OpenFlags.Path, OpenFlags.Path | OpenFlags.NoFollow,
        OpenFlags.Path | OpenFlags.Directory, OpenFlags.TemporaryFile | OpenFlags.WriteOnly, OpenFlags.TemporaryFile, OpenFlags.Truncate, OpenFlags.AccessMask);

    private static long OpenAndWrite(FileUser user, long at, string path, OpenFlags flags)
    {
        long fd = user.Call(257, at, user.Text(path), (uint)flags, 0x1ff);
        if (fd < 0)
            return fd;
        long written = user.Write(fd, "some text");
        long shown = user.Call(72, fd, 3, 0);
        user.Close(fd);
        return (shown << 8) ^ written;
    }

    private static long DescribeStatus(FileUser user, long at, string path, int flags)
    {
        long result = user.Status(at, path, out Stat status, flags);
        // A directory's size is its file system's own affair.
        return result < 0 ? result : ((long)status.Mode << 32) ^ ((long)status.LinkCount << 20) ^ ((status.Mode & 0xf000) == 0x4000 ? 0 : (long)status.Size);
    }

    private static bool CompareTrees(Operation[] operations)
    {
        using FileUser ukl = FileUser.On("ukl");
        using FileUser linux = FileUser.On("linux");
        long uklBase = MakeBase(ukl);
        long linuxBase = MakeBase(linux);
        foreach (Operation operation in operations)
            Compare(operation, ukl, uklBase, linux, linuxBase);
        ukl.Close(uklBase);
        linux.Close(linuxBase);
        string expected = Describe(linux, linux.BaseDirectory, ".");
        string actual = Describe(ukl, ukl.BaseDirectory, ".");
        Assert.Equal(expected, actual);
        return true;
    }

    private static bool CompareContents(Operation[] operations)
    {
        using FileUser ukl = FileUser.On("ukl");
        using FileUser linux = FileUser.On("linux");
        int uklFile = ukl.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        int linuxFile = linux.OpenOk("file", OpenFlags.Create | OpenFlags.ReadWrite);
        foreach (Operation operation in operations)
            Compare(operation, ukl, uklFile, linux, linuxFile);
        Assert.Equal(linux.StatusOf(linuxFile).Size, ukl.StatusOf(uklFile).Size);
        Assert.True(linux.ReadAt(linuxFile, 100_000, 0).AsSpan().SequenceEqual(ukl.ReadAt(uklFile, 100_000, 0)), "contents differ");
        linux.Close(linuxFile);
        return true;
    }

    private static void Compare(Operation operation, FileUser ukl, long uklFile, FileUser linux, long linuxFile)
    {
        long expected = operation.Run(linux, linuxFile);
        long actual = operation.Run(ukl, uklFile);
        Assert.True(expected == actual, $"{operation.Name}: Linux {Show(expected)}, UKL {Show(actual)}");
    }

    private static string Show(long result) => result is < 0 and > -4096 ? ((Errno)(-result)).ToString() : result.ToString("x");

    private static long MakeBase(FileUser user)
    {
        string path = "";
        foreach (string level in s_base.Split('/'))
        {
            path += level;
            FileUser.Ok(user.MakeDirectory(path));
            path += "/";
        }
        return user.OpenOk(s_base, OpenFlags.Directory);
    }

    private static string Describe(FileUser user, int root, string path)
    {
        var text = new StringBuilder();
        foreach (string name in user.Names(path))
        {
            string child = path == "." ? name : $"{path}/{name}";
            Stat status = user.StatusOf(child);
            text.Append($"{child} {status.Mode:x} {status.LinkCount} {status.UserId} {status.GroupId}");
            if ((status.Mode & 0xf000) == 0xa000)
                text.Append($" -> {user.ReadLink(child)}");
            if ((status.Mode & 0xf000) == 0x8000)
                text.Append($" {status.Size} {user.ContentOf(child)}");
            text.Append('\n');
            if ((status.Mode & 0xf000) == 0x4000)
                text.Append(Describe(user, root, child));
        }
        return text.ToString();
    }

    private static byte[] Pattern(int seed, int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
            bytes[i] = (byte)(seed * 31 + i * 7 + (i >> 8) + 1);
        return bytes;
    }

    private static long Digest(byte[] bytes)
    {
        long digest = bytes.Length;
        foreach (byte value in bytes)
            digest = (digest * 31 + value) & 0xffff_ffff_ffff;
        return digest;
    }

    private sealed record Operation(string Name, Func<FileUser, long, long> Run)
    {
        public override string ToString() => Name;
    }
}
