using System;
using System.Globalization;
using System.Linq;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>/proc, /sys and the control group tree as programs read them.</summary>
public sealed unsafe class ProcTests : IDisposable
{
    private readonly TreeRig _tree = new();

    public ProcTests()
    {
        Kernel.Process->Limits.SetDefaults();
        "name"u8.CopyTo(Kernel.Thread->Name);
    }

    private KernelRig Kernel => _tree.Kernel;

    public void Dispose() => _tree.Dispose();

    private string Id => Kernel.Process->Id.ToString(CultureInfo.InvariantCulture);

    private string Field(string path, string name) =>
        _tree.ReadAll(path).Split('\n').Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    // What NativeAOT's garbage collector does to find its limit (statfs, mountinfo, cgroup, memory.max, memory.current, memory.stat).
    [Fact]
    public void The_garbage_collector_finds_the_memory_limit()
    {
        Assert.Equal(Errno.None, Vfs.Find("/sys/fs/cgroup"u8, out Path place));
        Assert.Equal(0x63677270u, place.Inode->FileSystem->Magic);
        place.Release();

        string[] lines = _tree.ReadAll("/proc/self/mountinfo").TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.Equal(3, line[(line.IndexOf(" - ", StringComparison.Ordinal) + 3)..].Split(' ').Length));
        string cgroup = Assert.Single(lines, line => line.Contains(" - cgroup2 ", StringComparison.Ordinal));
        string[] fields = cgroup.Split(' ');
        Assert.Equal(("/", "/sys/fs/cgroup"), (fields[3], fields[4]));
        Assert.Equal("0::/\n", _tree.ReadAll("/proc/self/cgroup"));

        ulong limit = ulong.Parse(_tree.ReadAll("/sys/fs/cgroup//memory.max"), CultureInfo.InvariantCulture);
        Assert.Equal((ulong)PageAllocator.TotalPages * 4096, limit);
        ulong used = ulong.Parse(_tree.ReadAll("/sys/fs/cgroup/memory.current"), CultureInfo.InvariantCulture);
        Assert.InRange(used, 1ul, limit);
        Assert.Contains("\ninactive_file 0\n", _tree.ReadAll("/sys/fs/cgroup/memory.stat"), StringComparison.Ordinal);
        Assert.Equal("max 100000\n", _tree.ReadAll("/sys/fs/cgroup/cpu.max"));
        Assert.Contains("memory", _tree.ReadAll("/sys/fs/cgroup/cgroup.controllers"), StringComparison.Ordinal);
    }

    [Fact]
    public void Self_leads_to_the_process_and_thread_self_to_the_thread()
    {
        Assert.Equal(Id, TreeRig.ReadLink("/proc/self"));
        Assert.Equal($"{Id}/task/{Id}", TreeRig.ReadLink("/proc/thread-self"));
        Assert.Equal("name\n", _tree.ReadAll("/proc/self/comm"));
        Assert.Equal("name\n", _tree.ReadAll($"/proc/{Id}/task/{Id}/comm"));
        Assert.Equal(Errno.ENOENT, _tree.TryOpen("/proc/4194303/comm").Error);
        Assert.Equal(Errno.ENOENT, _tree.TryOpen($"/proc/0{Id}/comm").Error);
        Assert.Equal(Errno.ENOENT, _tree.TryOpen("/proc/self/nothing").Error);
    }

    [Fact]
    public void A_threads_name_can_be_written()
    {
        Kernel.Write(_tree.Open("/proc/self/comm", OpenFlags.WriteOnly), "worker\n"u8);
        Assert.Equal("worker\n", _tree.ReadAll("/proc/self/comm"));
        Kernel.Write(_tree.Open("/proc/self/comm", OpenFlags.WriteOnly), "0123456789abcdefgh"u8);
        Assert.Equal("0123456789abcde\n", _tree.ReadAll("/proc/self/comm"));
        Assert.Equal(Errno.EIO, Kernel.Write(_tree.Open("/proc/self/stat", OpenFlags.WriteOnly), "x"u8).Error);
    }

    [Fact]
    public void Stat_has_the_fields_that_programs_count()
    {
        Kernel.Process->ParentId = 7;
        "a) (b"u8.CopyTo(Kernel.Thread->Name);
        string stat = _tree.ReadAll("/proc/self/stat");
        Assert.StartsWith($"{Id} (a) (b) ", stat, StringComparison.Ordinal);
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].TrimEnd('\n').Split(' ');
        // Fields 3 to 52 of proc(5).
        Assert.Equal(50, fields.Length);
        Assert.Equal("R", fields[0]);
        Assert.Equal("7", fields[1]);
        Assert.Equal(Id, fields[2]);
        Assert.Equal(Id, fields[3]);
        Assert.Equal("20", fields[15]);
        Assert.Equal("1", fields[17]);
        Assert.All(fields[1..], field => long.Parse(field.Replace("18446744073709551615", "0", StringComparison.Ordinal), CultureInfo.InvariantCulture));
        Assert.Equal(7, _tree.ReadAll("/proc/self/statm").Split(' ').Length);
    }

    [Fact]
    public void Status_shows_ids_signals_and_capabilities()
    {
        Kernel.Process->Credentials.EffectiveUserId = 5;
        Kernel.Process->Actions[Signal.SIGUSR1 - 1].Handler = 0x1234;
        Kernel.Process->Actions[Signal.SIGPIPE - 1].Handler = SignalAction.Ignore;
        Assert.Equal("name", Field("/proc/self/status", "Name"));
        Assert.Equal(Id, Field("/proc/self/status", "Pid"));
        Assert.Equal("0\t5\t0\t5", Field("/proc/self/status", "Uid"));
        Assert.Equal("1", Field("/proc/self/status", "Threads"));
        Assert.Equal("0000000000000200", Field("/proc/self/status", "SigCgt"));
        Assert.Equal("0000000000001000", Field("/proc/self/status", "SigIgn"));
        Assert.Equal("0000000000000000", Field("/proc/self/status", "CapEff"));
        Assert.Equal("R (running)", Field("/proc/self/status", "State"));
    }

    [Fact]
    public void Maps_lists_every_area_however_many_there_are()
    {
        AddressSpace* space = AddressSpace.Create(true);
        Kernel.Process->Memory = space;
        space->BreakStart = space->Break = 0x5000_0000;
        // Alternating protections, so that neighbours do not join.
        const int count = 500;
        for (uint i = 0; i < count; i++)
        {
            Protection protection = (i & 1) == 0 ? Protection.Read | Protection.Write : Protection.Read;
            KernelRig.Ok(space->Map(0x1000_0000 + i * 4096, 4096, protection, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed));
        }
        string[] lines = _tree.ReadAll("/proc/self/maps").TrimEnd('\n').Split('\n');
        Assert.Equal(count, lines.Length);
        Assert.Equal("10000000-10001000 rw-p 00000000 00:00 0 ", lines[0]);
        Assert.Equal("10001000-10002000 r--p 00000000 00:00 0 ", lines[1]);
        Assert.Equal($"{count}", _tree.ReadAll("/proc/self/statm").Split(' ')[0]);
        Assert.Equal($"{count * 4} kB", Field("/proc/self/status", "VmSize"));
        Kernel.Process->Memory = null;
        AddressSpace.Release(space);
    }

    [Fact]
    public void Heap_and_stack_are_named_in_column_73()
    {
        AddressSpace* space = AddressSpace.Create(true);
        Kernel.Process->Memory = space;
        const Protection both = Protection.Read | Protection.Write;
        KernelRig.Ok(space->Map(0x5000_0000, 8192, both, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed));
        space->BreakStart = 0x5000_0000;
        space->Break = 0x5000_2000;
        KernelRig.Ok(space->Map(0x7ffe_0000_0000, 8192, both, MapFlags.Private | MapFlags.Anonymous | MapFlags.Fixed | MapFlags.GrowsDown));
        space->StackStart = 0x7ffe_0000_1000;
        string[] lines = _tree.ReadAll("/proc/self/maps").TrimEnd('\n').Split('\n');
        Assert.Equal(73, lines[0].IndexOf("[heap]", StringComparison.Ordinal));
        Assert.Equal(73, lines[1].IndexOf("[stack]", StringComparison.Ordinal));
        Kernel.Process->Memory = null;
        AddressSpace.Release(space);
    }

    [Fact]
    public void Maps_names_the_file_behind_a_mapping()
    {
        string path = TreeRig.MakeDirectory() + "/a file";
        int fd = _tree.Open(path, OpenFlags.Create | OpenFlags.ReadWrite);
        KernelRig.Ok(Kernel.Write(fd, "x"u8));
        AddressSpace* space = AddressSpace.Create(true);
        Kernel.Process->Memory = space;
        MappedFile mapping;
        KernelRig.Ok(Kernel.File(fd)->Operations->GetMapping(Kernel.File(fd), &mapping));
        Assert.False(space->Map(0x1000_0000, 4096, Protection.Read, MapFlags.Shared | MapFlags.Fixed, &mapping).IsError);
        mapping.Release(mapping.Object);
        ulong number = Kernel.File(fd)->Inode->Number;
        Kernel.Close(fd);
        string line = _tree.ReadAll("/proc/self/maps").TrimEnd('\n');
        Assert.StartsWith("10000000-10001000 r--s 00000000 ", line, StringComparison.Ordinal);
        Assert.Contains($" {number} ", line, StringComparison.Ordinal);
        Assert.EndsWith(" " + path, line, StringComparison.Ordinal);
        Kernel.Process->Memory = null;
        AddressSpace.Release(space);
    }

    [Fact]
    public void New_names_in_proc_do_not_exist_and_in_sys_are_forbidden()
    {
        Assert.Equal(Errno.ENOENT, _tree.TryOpen("/proc/new", OpenFlags.Create | OpenFlags.WriteOnly).Error);
        Assert.Equal(Errno.ENOENT, _tree.TryOpen("/proc/self/new", OpenFlags.Create | OpenFlags.WriteOnly).Error);
        Assert.Equal(Errno.EPERM, _tree.TryOpen("/sys/new", OpenFlags.Create | OpenFlags.WriteOnly).Error);
    }

    [Fact]
    public void Faults_and_switches_are_counted()
    {
        Kernel.Thread->Counts = new ResourceCounts { Faults = 3, VoluntarySwitches = 4, InvoluntarySwitches = 5 };
        Kernel.Process->EndedCounts.Faults = 100;
        static string Faults(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[7];
        Assert.Equal("103", Faults(_tree.ReadAll("/proc/self/stat")));
        Assert.Equal("3", Faults(_tree.ReadAll("/proc/thread-self/stat")));
        Assert.Equal("4", Field("/proc/self/status", "voluntary_ctxt_switches"));
        Assert.Equal("5", Field("/proc/self/status", "nonvoluntary_ctxt_switches"));
    }

    [Fact]
    public void Arguments_and_environment_come_from_the_programs_memory()
    {
        byte* memory = Kernel.Alloc<byte>(1000);
        "prog\0arg\0KEY=value\0"u8.CopyTo(new Span<byte>(memory, 1000));
        ref ProgramAreas areas = ref Kernel.Process->Areas;
        areas.ArgumentsStart = (ulong)memory;
        areas.ArgumentsEnd = areas.EnvironmentStart = (ulong)memory + 9;
        areas.EnvironmentEnd = (ulong)memory + 19;
        Assert.Equal("prog\0arg\0", _tree.ReadAll("/proc/self/cmdline"));
        Assert.Equal("KEY=value\0", _tree.ReadAll("/proc/self/environ"));
    }

    [Fact]
    public void Descriptors_are_links_to_their_files()
    {
        string directory = TreeRig.MakeDirectory();
        int file = _tree.Open(directory + "/file", OpenFlags.ReadWrite | OpenFlags.Create);
        int pipe = KernelRig.Ok(PipeCalls.Pipe(Kernel.User<PipeDescriptors>())) + 1;
        Assert.Equal(directory + "/file", TreeRig.ReadLink($"/proc/self/fd/{file}"));
        Assert.Matches(@"^pipe:\[\d+\]$", TreeRig.ReadLink($"/proc/self/fd/{pipe}"));
        Assert.Equal(["0", "1", "2", "3"], _tree.List("/proc/self/fd")[2..]);
        Kernel.Write(file, "content"u8);
        Assert.Equal("content", _tree.ReadAll($"/dev/fd/{file}"));
        int again = _tree.Open($"/proc/self/fd/{pipe}");
        Kernel.Write(pipe + 1, "through"u8);
        Assert.Equal("through", Kernel.ReadText(again));
        Assert.Equal("7", Field($"/proc/self/fdinfo/{file}", "pos"));
        Assert.Equal(Errno.ENOENT, _tree.TryOpen("/proc/self/fd/99").Error);
        Assert.Equal(Errno.ENOENT, _tree.TryOpen("/proc/self/fd/x").Error);
    }

    [Fact]
    public void The_working_directory_and_root_can_be_followed()
    {
        string directory = TreeRig.MakeDirectory();
        Kernel.Close(_tree.Open(directory + "/here", OpenFlags.WriteOnly | OpenFlags.Create));
        Assert.Equal("/", TreeRig.ReadLink("/proc/self/cwd"));
        Assert.Equal(Errno.None, Vfs.Find(Encoding.UTF8.GetBytes(directory), out Path place));
        Kernel.Process->FileSystem->WorkingDirectory.Release();
        Kernel.Process->FileSystem->WorkingDirectory = place;
        Assert.Equal(directory, TreeRig.ReadLink("/proc/self/cwd"));
        _tree.Open("/proc/self/cwd/here");
        _tree.Open("/proc/self/root/dev/null");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Listing_gives_every_name_once_however_few_fit(int room)
    {
        string[] names = _tree.List("/proc", room);
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Contains("meminfo", names);
        Assert.Contains("self", names);
        Assert.Contains(Id, names);
        string[] own = _tree.List("/proc/self", room);
        Assert.Contains("maps", own);
        Assert.Contains("task", own);
        Assert.Equal([".", "..", Id], _tree.List("/proc/self/task", room));
        Assert.Equal([".", "..", "cgroup"], _tree.List("/sys/fs", room));
    }

    [Fact]
    public void Every_file_under_proc_and_sys_can_be_read()
    {
        int count = 0;
        void Walk(string path)
        {
            foreach (string name in _tree.List(path, 100))
            {
                // The descriptor that lists its own directory is gone when its entry is looked at.
                if (name is "." or ".." or "fd" or "fdinfo")
                    continue;
                string child = path + "/" + name;
                uint type = TreeRig.TypeOf(child);
                if (type == ModeBits.Directory)
                    Walk(child);
                else if (type == ModeBits.Regular)
                    _tree.ReadAll(child);
                count++;
            }
        }

        Walk("/proc/self");
        Walk("/proc/sys");
        Walk("/sys");
        foreach (string name in new[] { "cmdline", "cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "swaps", "uptime", "version", "mounts" })
            Assert.NotEqual("", _tree.ReadAll("/proc/" + name));
        Assert.True(count > 100);
        Assert.Equal(0ul, Kernel.OpenFiles);
    }

    [Fact]
    public void Memory_information_has_the_form_that_is_parsed()
    {
        string[] lines = _tree.ReadAll("/proc/meminfo").TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.Matches(@"^[A-Za-z()]+: +\d+ kB$", line));
        Assert.Equal($"{PageAllocator.TotalPages * 4} kB", Field("/proc/meminfo", "MemTotal"));
    }

    [Fact]
    public void Times_have_the_forms_that_are_parsed()
    {
        ulong before = Clock.MonotonicNanoseconds;
        KernelRig.Advance(1_230_000_000);
        Assert.Matches(@"^\d+\.\d\d \d+\.\d\d\n$", _tree.ReadAll("/proc/uptime"));
        Assert.Matches(@"^\d\.\d\d \d\.\d\d \d\.\d\d \d+/\d+ \d+\n$", _tree.ReadAll("/proc/loadavg"));
        string stat = _tree.ReadAll("/proc/stat");
        Assert.Matches(@"^cpu  \d+( \d+){9}\ncpu0 \d+( \d+){9}\n", stat);
        Assert.Contains("\nbtime ", stat, StringComparison.Ordinal);
        Assert.True(Clock.MonotonicNanoseconds > before);
    }

    [Fact]
    public void Identifiers_are_version_4_uuids()
    {
        const string form = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$";
        string boot = _tree.ReadAll("/proc/sys/kernel/random/boot_id");
        Assert.Matches(form, boot);
        Assert.Equal(boot, _tree.ReadAll("/proc/sys/kernel/random/boot_id"));
        string random = _tree.ReadAll("/proc/sys/kernel/random/uuid");
        Assert.Matches(form, random);
        Assert.NotEqual(random, _tree.ReadAll("/proc/sys/kernel/random/uuid"));
    }

    [Fact]
    public void Processors_and_caches_are_described()
    {
        Assert.Equal("0\n", _tree.ReadAll("/sys/devices/system/cpu/online"));
        Assert.Contains("flags\t\t: fpu ", _tree.ReadAll("/proc/cpuinfo"), StringComparison.Ordinal);
        foreach (string name in _tree.List("/sys/devices/system/cpu/cpu0/cache")[2..])
        {
            Assert.Matches(@"^[1-9]\d*K\n$", _tree.ReadAll($"/sys/devices/system/cpu/cpu0/cache/{name}/size"));
            Assert.Matches(@"^[1-4]\n$", _tree.ReadAll($"/sys/devices/system/cpu/cpu0/cache/{name}/level"));
        }
    }

    [Fact]
    public void Mounts_and_limits_are_tables()
    {
        string mounts = _tree.ReadAll("/proc/mounts");
        Assert.Contains("proc /proc proc rw,relatime 0 0\n", mounts, StringComparison.Ordinal);
        Assert.Contains("cgroup2 /sys/fs/cgroup cgroup2 rw,relatime 0 0\n", mounts, StringComparison.Ordinal);
        string[] limits = _tree.ReadAll("/proc/self/limits").Split('\n');
        Assert.Equal("Max stack size            8388608              unlimited            bytes     ", limits[4].PadRight(78));
        Assert.Equal(18, limits.Length);
    }

    [Fact]
    public void Reading_again_from_the_start_shows_the_new_state()
    {
        int fd = _tree.Open("/proc/self/comm");
        Assert.Equal("na", Kernel.ReadText(fd, 2));
        "other"u8.CopyTo(Kernel.Thread->Name);
        Assert.Equal("me\n", Kernel.ReadText(fd));
        Assert.Equal("", Kernel.ReadText(fd));
        OpenFile* file = Kernel.File(fd);
        KernelRig.Ok(file->Operations->Seek(file, 0, SeekOrigin.Start));
        Assert.Equal("other\n", Kernel.ReadText(fd));
    }
}
