using System;
using System.Reflection;
using System.Text;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Generators;

public unsafe class SyscallTraceTests
{
    private const string Types = """
        [Flags] enum OpenFlags { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0x40, O_DSYNC = 0x1000, O_CLOEXEC = 0x80000, O_SYNC = 0x101000 }
        [Flags] enum Protection : uint { None = 0, Read = 1, Write = 2 }
        enum Whence { Start = 0, Current = 1, End = 2 }
        internal static class Trace
        {
            public static unsafe void Call(int number, nint frame) => SyscallTrace.WriteCall(number, (TrapFrame*)frame);
            public static void Result(int number, long result) => SyscallTrace.WriteResult(number, result);
            public static void Unknown(int number) => SyscallTrace.NoteUnknown(number);
            public static void List() => SyscallTrace.WriteUnknown();
        }
        """;

    private const string Members = """
        [Syscall(0, "read"), MayBlock] public static Result Read(Fd fd, UserSpan to) => 0;
        [Syscall(8, "lseek")] public static Result Seek(Fd fd, long offset, Whence whence) => 0;
        [Syscall(9, "mmap")] public static Result Map(ulong address, nuint length, Protection protection, int flags) => 0;
        [Syscall(83, "mkdir")] public static Result MakeDirectory(UserString path, uint mode) => 0;
        [Syscall(60, "exit")] public static Result Exit(int status) => 0;
        [Syscall(257, "openat")] public static Result Open(Fd directory, UserString path, OpenFlags flags) => 0;
        [Syscall(15, "rt_sigreturn")] public static Result Return(TrapFrame* frame) => 0;
        """;

    // Each test has its own copy, because the trace keeps state between calls.
    private readonly Assembly _kernel = KernelCompilation.Of(
        $$"""
        using System;
        using Ukl.Kernel.Abi;
        using Ukl.Kernel.Arch;
        using Ukl.Kernel.Memory;
        namespace Ukl.Kernel.Syscalls;
        {{Types}}
        internal static unsafe class TestCalls
        {
            {{Members}}
        }
        """,
        KernelCompilation.Resource("SyscallTrace.cs")).Load();

    private string Trace(string method, params object[] arguments)
    {
        string before = Machine.Console;
        KernelCompilation.Call(_kernel, "Ukl.Kernel.Syscalls.Trace", method, arguments);
        return Machine.Console[before.Length..];
    }

    private string Call(int number, TrapFrame frame, long result = 0) => Trace("Call", number, (nint)(&frame)) + Trace("Result", number, result);

    private static ulong Text(string text)
    {
        byte[] bytes = GC.AllocateArray<byte>(Encoding.Latin1.GetByteCount(text) + 8192, pinned: true);
        Encoding.Latin1.GetBytes(text, bytes);
        s_kept = bytes;
        fixed (byte* address = bytes)
            return (ulong)address;
    }

    [ThreadStatic] private static byte[]? s_kept;

    [Fact]
    public void Open_looks_as_in_strace() => Assert.Equal(
        "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3\n",
        Call(257, new() { Rdi = unchecked((ulong)-100L), Rsi = Text("/etc/passwd"), Rdx = 0x80000 }, 3));

    [Theory]
    [InlineData(0, "O_RDONLY")]
    [InlineData(1, "O_WRONLY")]
    [InlineData(0x42, "O_RDWR|O_CREAT")]
    [InlineData(0x1000, "O_RDONLY|O_DSYNC")]
    [InlineData(0x101000, "O_RDONLY|O_SYNC")]
    [InlineData(0x40000002, "O_RDWR|0x40000000")]
    public void Flags_are_shown_by_name(int flags, string expected) => Assert.Equal(
        $"openat(3, NULL, {expected}) = -1 ENOENT\n",
        Call(257, new() { Rdi = 3, Rdx = (ulong)flags }, -2));

    [Fact]
    public void A_buffer_is_an_address_and_a_length() => Assert.Equal(
        "read(3, 0x7f0000001000, 100) = 12\n",
        Call(0, new() { Rdi = 3, Rsi = 0x7f00_0000_1000, Rdx = 100 }, 12));

    [Fact]
    public void An_enum_is_a_name_or_a_number()
    {
        Assert.Equal("lseek(3, -5, End) = 0\n", Call(8, new() { Rdi = 3, Rsi = unchecked((ulong)-5L), Rdx = 2 }));
        Assert.Equal("lseek(3, 0, 77) = -1 EINVAL\n", Call(8, new() { Rdi = 3, Rdx = 77 }, -22));
    }

    [Fact]
    public void Addresses_and_unnamed_flags_are_hexadecimal() => Assert.Equal(
        "mmap(NULL, 4096, Read|Write, 0x22) = 0x7f0000000000\n",
        Call(9, new() { Rsi = 4096, Rdx = 3, R10 = 0x22 }, 0x7f00_0000_0000));

    [Fact]
    public void A_mode_is_octal_and_text_is_escaped() => Assert.Equal(
        """mkdir("a\"\\\n\377", 0755) = 0""" + "\n",
        Call(83, new() { Rdi = Text("a\"\\\n\u00ff"), Rsi = Convert.ToUInt32("755", 8) }));

    [Fact]
    public void Long_text_is_cut() => Assert.Equal(
        $"mkdir(\"{new string('x', 64)}\"..., 00) = 0\n",
        Call(83, new() { Rdi = Text(new string('x', 65)) }));

    [Fact]
    public void Text_that_cannot_be_read_is_an_address() => Assert.Equal(
        "mkdir(0x10, 00) = -1 EFAULT\n",
        Call(83, new() { Rdi = 0x10 }, -14));

    [Fact]
    public void A_call_that_does_not_return_ends_its_line()
    {
        TrapFrame frame = new() { Rdi = 3 };
        Assert.Equal("exit(3) = ?\n", Trace("Call", 60, (nint)(&frame)));
        Assert.Equal("read(3, NULL, 0) = 0\n", Call(0, frame));
    }

    [Fact]
    public void A_call_overtaken_by_another_is_unfinished()
    {
        TrapFrame frame = new() { Rdi = 3 };
        Assert.Equal("read(3, NULL, 0", Trace("Call", 0, (nint)(&frame)));
        Assert.Equal(" <unfinished ...>\nlseek(3, 0, Start) = 0\n", Call(8, frame));
        Assert.EndsWith("<... read resumed>) = 0\n", Trace("Result", 0, 0L));
    }

    [Fact]
    public void The_second_thread_makes_ids_appear()
    {
        TrapFrame frame = new() { Rdi = 3 };
        var first = new Thread { Id = 1 };
        var second = new Thread { Id = 2 };
        Scheduler.Current = &first;
        Assert.Equal("read(3, NULL, 0", Trace("Call", 0, (nint)(&frame)));
        Scheduler.Current = &second;
        Assert.Equal(" <unfinished ...>\n[2] lseek(3, 0, Start) = 0\n", Call(8, frame));
        Scheduler.Current = &first;
        Assert.Equal("[1] <... read resumed>) = -1 EINTR\n", Trace("Result", 0, -4L));
        Scheduler.Current = null;
    }

    [Fact]
    public void Unknown_calls_show_raw_registers_and_are_listed_once()
    {
        Assert.Equal("", Trace("List"));
        Assert.Equal("bpf(0x1, 0x0, 0x0, 0x0, 0x0, 0x0) = -1 ENOSYS\n", Call(321, new() { Rdi = 1 }, -38));
        Assert.Equal("syscall_9999(0x1, 0x0, 0x0, 0x0, 0x0, 0x0) = -1 ENOSYS\n", Call(9999, new() { Rdi = 1 }, -38));
        Trace("Unknown", 321);
        Trace("Unknown", 321);
        Trace("Unknown", 400);
        Trace("Unknown", 9999);
        Assert.Equal("calls not supported: bpf (321), (400)\n", Trace("List"));
    }

    [Fact]
    public void A_call_without_arguments_has_none() => Assert.Equal("rt_sigreturn() = 0\n", Call(15, default));
}
