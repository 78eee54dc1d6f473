// Commands of Debian's static busybox (package busybox-static) that need neither a shell nor a second process. The same command on
// the same files must print the same on Linux and in a guest that runs busybox at level 0.
// Source of truth: what busybox prints on Linux.

using System.Text;

namespace Ukl.Tests.Guest;

/// <summary>One command.</summary>
/// <param name="Name">A name for reports, unique in the list.</param>
/// <param name="Arguments">The applet and its arguments. Paths are relative to the folder that holds <see cref="BusyboxCases.Files"/>, which in a guest is the root.</param>
/// <param name="AnyOrder">The lines come in the order of a folder, which is not the same everywhere: sort before comparing.</param>
public sealed record BusyboxCase(string Name, string[] Arguments, bool AnyOrder = false)
{
    /// <summary>The exit status on Linux.</summary>
    public int Status { get; init; }
}

/// <summary>The commands and the files they work on.</summary>
public static class BusyboxCases
{
    /// <summary>The time of last change that every file must have: the second of 2024-02-29 12:34:56 UTC.</summary>
    public const long FileTime = 1709210096;

    /// <summary>The permissions of the files, which belong to user and group 0. Folders are 0755.</summary>
    public const int FileMode = 0x1a4; // octal 0644

    /// <summary>The whole environment of each command.</summary>
    public static readonly IReadOnlyDictionary<string, string> Environment = new Dictionary<string, string>
    {
        ["PATH"] = "/bin",
        ["TZ"] = "UTC0",
        ["LC_ALL"] = "C",
    };

    /// <summary>Relative path and contents of each file; folders follow from the paths.</summary>
    public static readonly IReadOnlyDictionary<string, string> Files = new Dictionary<string, string>
    {
        ["etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\n",
        ["etc/group"] = "root:x:0:\n",
        ["data/words.txt"] = "pear\napple\nfig\napple\nbanana\n\ncherry\nfig\ndate\n",
        ["data/numbers.txt"] = "10\n9\n100\n-3\n2.5\n9\n",
        ["data/table.csv"] = "name,land,people\nWien,AT,2006\nGraz,AT,303\nBern,CH,137\nBasel,CH,178\n",
        ["data/text.txt"] = "The quick brown fox\njumps over the lazy dog.\n\tA tab, and no end of line",
        ["data/empty"] = "",
        ["data/large.txt"] = MakeLarge(),
        ["data/deep/one/leaf.txt"] = "a needle is here\nand nothing else\n",
        ["data/deep/two/leaf.txt"] = "only hay\n",
        ["data/deep/two/three/other.txt"] = "hay\nanother needle\nhay\n",
    };

    /// <summary>All commands.</summary>
    public static readonly IReadOnlyList<BusyboxCase> All =
    [
        new("echo", ["echo", "-e", "one\\ttwo\\n\\0101"]),
        new("printf", ["printf", "%05d|%-6s|%x|%c\\n", "42", "left", "255", "z"]),
        new("cat", ["cat", "data/words.txt", "data/empty", "data/text.txt"]),
        new("cat numbered", ["cat", "-n", "data/table.csv"]),
        new("cat large", ["cat", "data/large.txt"]),
        new("cat missing", ["cat", "data/absent", "data/words.txt"]) { Status = 1 },
        new("ls", ["ls", "-1", "data", "data/deep"]),
        new("ls long", ["ls", "-l", "data/words.txt", "data/empty", "data/large.txt"]),
        new("ls long numeric", ["ls", "-ln", "--full-time", "data/text.txt", "data/table.csv"]),
        new("ls recursive", ["ls", "-1R", "data/deep"]),
        new("ls all", ["ls", "-1aF", "data/deep/two"]),
        new("ls missing", ["ls", "data/absent"]) { Status = 1 },
        new("sha256sum", ["sha256sum", "data/words.txt", "data/empty", "data/large.txt"]),
        new("sha1sum", ["sha1sum", "data/large.txt"]),
        new("sha512sum", ["sha512sum", "data/large.txt"]),
        new("md5sum", ["md5sum", "data/words.txt", "data/large.txt"]),
        new("date", ["date", "-u", "-d", "@1709210096"]),
        new("date format", ["date", "-u", "-d", "2026-01-02 03:04:05", "+%A %d %B %Y %H:%M:%S %j %s"]),
        new("date of file", ["date", "-u", "-r", "data/words.txt", "+%Y-%m-%dT%H:%M:%S"]),
        new("dd", ["dd", "if=data/text.txt", "bs=4", "skip=1", "count=3", "status=none"]),
        new("dd to file", ["dd", "if=data/large.txt", "of=data/copy", "bs=1000", "status=none"]),
        new("dd zeroes", ["dd", "if=/dev/zero", "bs=1000", "count=3", "status=none"]),
        new("awk sum", ["awk", "-F,", "NR > 1 { sum[$2] += $3 } END { print \"AT\", sum[\"AT\"]; print \"CH\", sum[\"CH\"] }", "data/table.csv"]),
        new("awk functions", ["awk", "function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { printf \"%d %.3f %s\\n\", f(15), 10 / 3, toupper(\"x\") }"]),
        new("awk lines", ["awk", "{ print NR \": \" length($0) \" \" $NF }", "data/text.txt"]),
        new("awk large", ["awk", "{ n += NF; c += length($0) + 1 } END { print NR, n, c }", "data/large.txt"]),
        new("grep", ["grep", "-n", "^a.*e$", "data/words.txt"]),
        new("grep recursive", ["grep", "-r", "needle", "data/deep"], AnyOrder: true),
        new("grep names", ["grep", "-rl", "hay", "data"], AnyOrder: true),
        new("grep count", ["grep", "-c", "-v", "0", "data/large.txt"]),
        new("grep nothing", ["grep", "absent", "data/words.txt"]) { Status = 1 },
        new("sort", ["sort", "data/words.txt"]),
        new("sort unique", ["sort", "-u", "data/words.txt"]),
        new("sort numbers", ["sort", "-n", "data/numbers.txt"]),
        new("sort by field", ["sort", "-t,", "-k3,3nr", "data/table.csv"]),
        new("sort large", ["sort", "-r", "data/large.txt"]),
        new("uniq", ["uniq", "-c", "data/words.txt"]),
        new("wc", ["wc", "data/words.txt", "data/text.txt", "data/empty", "data/large.txt"]),
        new("head", ["head", "-n", "3", "data/words.txt", "data/numbers.txt"]),
        new("tail", ["tail", "-n", "2", "data/words.txt"]),
        new("tail bytes", ["tail", "-c", "10", "data/large.txt"]),
        new("cut", ["cut", "-d,", "-f1,3", "data/table.csv"]),
        new("sed", ["sed", "-e", "s/\\(.*\\),\\(.*\\),.*/\\2: \\1/", "-e", "1d", "data/table.csv"]),
        new("od", ["od", "-A", "x", "-t", "x1", "data/text.txt"]),
        new("hexdump", ["hexdump", "-C", "data/words.txt"]),
        new("base64", ["base64", "data/text.txt"]),
        new("seq", ["seq", "5", "5", "25"]),
        new("expr", ["expr", "6", "*", "7"]),
        new("factor", ["factor", "1234567890"]),
        new("basename", ["basename", "data/words.txt", ".txt"]),
        new("find", ["find", "data", "-name", "*.txt", "-size", "-2"], AnyOrder: true),
        new("find folders", ["find", "data/deep", "-type", "d"], AnyOrder: true),
        new("stat", ["stat", "-c", "%n %s %a %u %g %F %Y", "data/words.txt", "data/deep/one/leaf.txt"]),
        new("cmp", ["cmp", "data/words.txt", "data/numbers.txt"]) { Status = 1 },
        new("diff", ["diff", "data/deep/one/leaf.txt", "data/deep/two/leaf.txt"]) { Status = 1 },
        new("paste", ["paste", "-d", ";", "data/words.txt", "data/numbers.txt"]),
        new("rev", ["rev", "data/words.txt"]),
        new("fold", ["fold", "-w", "10", "data/text.txt"]),
        new("env", ["env"], AnyOrder: true),
        new("dirname", ["dirname", "data/deep/one/leaf.txt"]),
        new("mkdir", ["mkdir", "-p", "data/new/folder"]),
        new("cp recursive", ["cp", "-r", "data/deep", "data/copied"]),
        new("mv", ["mv", "data/empty", "data/moved"]),
        new("rm recursive", ["rm", "-r", "data/deep"]),
        new("true", ["true"]),
        new("false", ["false"]) { Status = 1 },
        new("test", ["test", "-s", "data/empty"]) { Status = 1 },
    ];

    private static string MakeLarge()
    {
        StringBuilder text = new();
        uint state = 1;
        for (int line = 0; line < 3000; line++)
        {
            state = (state * 1664525) + 1013904223;
            text.Append(line).Append(' ').Append(state >> 8).Append(' ').Append("abcdefghij", 0, (int)(state >> 29) + 1).Append('\n');
        }
        return text.ToString();
    }
}
