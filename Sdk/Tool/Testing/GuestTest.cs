using Ukl.Tool.Build;
using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Testing;

/// <summary>
/// One boot of one program and what must come of it. The tests are listed in Tests/Guest/Catalogue, a class per subject that derives from
/// <see cref="GuestCatalogue"/>.
/// </summary>
/// <param name="Name">Subject and case: "exit/code-3".</param>
/// <param name="Program">As for ukl run, relative to the tree's root; in a package when Package is set.</param>
public sealed record GuestTest(string Name, string Program)
{
    /// <summary>The Debian package that brings the program; Program is then a path inside of it.</summary>
    public string? Package { get; init; }

    /// <summary>Makes a program that no package brings, and returns its path; Program is then only its name. Null: Program is there already.</summary>
    public Func<Repository, Reporter, string>? Provide { get; init; }

    /// <summary>The levels that the test runs at, by name; null for all that are built and that the program can be built for.</summary>
    public IReadOnlyList<string>? Levels { get; init; }

    /// <summary>The program's arguments.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>NAME=VALUE for the program's environment.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Further words for the kernel's command line.</summary>
    public IReadOnlyList<string> KernelWords { get; init; } = [];

    /// <summary>Files for the guest; sources are relative to the tree's root.</summary>
    public IReadOnlyList<GuestFile> Files { get; init; } = [];

    /// <summary>
    /// Text files for the guest's root by relative path, with <see cref="FileTime"/>. On Linux the program runs in a folder that holds a fresh copy of them.
    /// </summary>
    public IReadOnlyDictionary<string, string> RootFiles { get; init; } = new Dictionary<string, string>();

    /// <summary>When the root files were changed last, in seconds since 1970.</summary>
    public long FileTime { get; init; }

    /// <summary>What is typed at the serial line; "\u0003" is Ctrl-C. The end of input follows.</summary>
    public string Input { get; init; } = "";

    /// <summary>The output after which the input is typed; empty: at once.</summary>
    public string InputAfter { get; init; } = "";

    /// <summary>TCP ports of the guest that <see cref="Client"/> reaches.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>
    /// What this machine does with the running guest, after <see cref="InputAfter"/> has been printed; the input is typed when it is done. In the arguments,
    /// {port} then stands for <see cref="GuestPeer.HostPort"/>. An exception fails the test.
    /// </summary>
    public Func<GuestPeer, Task>? Client { get; init; }

    /// <summary>Whether <see cref="Client"/> reaches the machine's buttons.</summary>
    public bool HasMonitor { get; init; }

    /// <summary>Whether the console is a terminal for the program; otherwise it behaves as pipes do.</summary>
    public bool HasTerminal { get; init; }

    /// <summary>The machine.</summary>
    public MachineOptions Machine { get; init; } = new();

    /// <summary>What is done to the initramfs before the boot, such as damage; null for nothing.</summary>
    public Func<byte[], byte[]>? Initramfs { get; init; }

    /// <summary>A C file that stands between QEMU and the kernel (see <see cref="PvhLoader"/>), relative to the tree's root; null for none.</summary>
    public string? Loader { get; init; }

    /// <summary>How many times in a row the program is booted; the first failure ends it.</summary>
    public int Boots { get; init; } = 1;

    /// <summary>When the test has failed at the latest.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The exit code as a shell reports it: 128 plus the signal's number when one ended the program. Ignored when the kernel must panic.</summary>
    public int ExitCode { get; init; }

    /// <summary>Whether the kernel must stop with a message of its own in place of running the program.</summary>
    public bool Panics { get; init; }

    /// <summary>What the reason that the kernel gives on the status port, when it must stop, must contain.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Texts that the output must contain, in this order.</summary>
    public IReadOnlyList<string> Contains { get; init; } = [];

    /// <summary>Whether the same program, run on this machine's Linux, must give the same output and exit code. Only for level 0's file.</summary>
    public bool MatchesLinux { get; init; }

    /// <summary>Whether that output's lines may come in any order.</summary>
    public bool AnyOrder { get; init; }

    /// <summary>Judges the output further: why it is wrong, or null.</summary>
    public Func<string, string?>? Verify { get; init; }

    /// <summary>Whether every line "ok NAME" and "not ok NAME: why" of the output counts as a test of its own; at least one is then required.</summary>
    public bool HasChecks { get; init; }

    /// <summary>Judges a capture of the card's packets (--pcap): why it is wrong, or null. Without this there is none.</summary>
    public Func<byte[], string?>? VerifyCapture { get; init; }

    /// <summary>Whether the test runs only with ukl test --all.</summary>
    public bool IsSlow { get; init; }
}
