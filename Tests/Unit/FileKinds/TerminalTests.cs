using System;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Terminals;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>The terminal as a file: blocking, timeouts, job control, ioctl. What happens to each byte is in <see cref="LineDisciplineTests"/>.</summary>
public sealed unsafe class TerminalTests : IDisposable
{
    private const ulong Tenth = 100_000_000;

    private readonly TreeRig _tree = new();
    private readonly int _fd;

    public TerminalTests()
    {
        Assert.Equal(Errno.None, DeviceFiles.OpenStandardFiles(Kernel.Process));
        _fd = 0;
        TerminalSettings.SetDefaults(out TerminalSettings settings);
        Set(settings, TerminalCommand.SetSettingsFlushing);
        Control(TerminalCommand.FlowControl, (void*)1);
        Kernel.Process->PendingSignals.Discard(~SignalSet.Empty);
        _ = TreeRig.Screen;
    }

    private KernelRig Kernel => _tree.Kernel;

    public void Dispose()
    {
        Terminal.EndSession(Terminal.OnConsole->SessionId);
        _tree.Dispose();
    }

    private static void Type(string text) => Terminal.Receive(Encoding.UTF8.GetBytes(text));

    private Result Control(TerminalCommand command, void* argument) => Kernel.Control(_fd, (uint)command, argument);

    private TerminalSettings Get()
    {
        TerminalSettings* settings = Kernel.Alloc<TerminalSettings>();
        KernelRig.Ok(Control(TerminalCommand.GetSettings, settings));
        return *settings;
    }

    private void Set(TerminalSettings settings, TerminalCommand how = TerminalCommand.SetSettings) => KernelRig.Ok(Control(how, &settings));

    private void MakeRaw(byte minimum, byte time)
    {
        TerminalSettings settings = Get();
        settings.Local = 0;
        settings.Input = 0;
        settings.Characters[(int)ControlCharacter.Minimum] = minimum;
        settings.Characters[(int)ControlCharacter.Time] = time;
        Set(settings);
    }

    [Fact]
    public void The_settings_structure_has_the_kernels_size()
    {
        Assert.Equal(36, sizeof(TerminalSettings));
        Assert.Equal(44, sizeof(TerminalSettings2));
    }

    [Fact]
    public void A_reader_sleeps_until_a_line_is_complete()
    {
        Kernel.WhileAsleep(() => Type("one\rtwo"), () => Assert.Fail("woken for a half line"));
        Assert.Equal("one\n", Kernel.ReadText(_fd));
        Kernel.WhileAsleep(() => Type("\r"));
        Assert.Equal("two\n", Kernel.ReadText(_fd));
        Assert.Equal("one\r\ntwo\r\n", TreeRig.Screen);
    }

    [Fact]
    public void A_long_line_is_one_read()
    {
        string line = new string('x', 1000) + "\n";
        Type(line + "next\n");
        Assert.Equal(line, Kernel.ReadText(_fd));
        Assert.Equal("next\n", Kernel.ReadText(_fd));
    }

    [Fact]
    public void Reading_can_be_nonblocking_and_is_interrupted_by_signals()
    {
        Kernel.File(_fd)->Flags |= OpenFlags.NonBlock;
        Assert.Equal(Errno.EAGAIN, Kernel.Read(_fd, new byte[1]).Error);
        Kernel.File(_fd)->Flags &= ~OpenFlags.NonBlock;
        Kernel.WhileAsleep(() => Kernel.SendSignal(Signal.SIGUSR1));
        Assert.Equal(Errno.ERESTARTSYS, Kernel.Read(_fd, new byte[1]).Error);
    }

    [Fact]
    public void Control_c_reaches_the_foreground_group_though_nobody_reads()
    {
        Kernel.Process->Actions[Signal.SIGINT - 1].Handler = 0x1234;
        Type("\u0003");
        Assert.True(Kernel.HasSignal(Signal.SIGINT));
        Assert.Equal("^C", TreeRig.Screen);
    }

    [Fact]
    public void Raw_reads_wait_for_the_minimum()
    {
        MakeRaw(3, 0);
        Type("a");
        Assert.Equal(PollEvents.Out | PollEvents.WriteNormal, Kernel.Poll(_fd));
        Kernel.WhileAsleep(() => Type("b"), () => Type("c"));
        Assert.Equal("abc", Kernel.ReadText(_fd));
        Type("xyz");
        Assert.True((Kernel.Poll(_fd) & PollEvents.In) != 0);
        Assert.Equal("xy", Kernel.ReadText(_fd, 2));
    }

    [Fact]
    public void Without_minimum_and_time_raw_reads_return_at_once()
    {
        MakeRaw(0, 0);
        Assert.Equal("", Kernel.ReadText(_fd));
        Type("ab");
        Assert.Equal("ab", Kernel.ReadText(_fd));
    }

    [Fact]
    public void Time_without_minimum_limits_the_wait_for_the_first_byte()
    {
        MakeRaw(0, 2);
        Kernel.WhileAsleep(() => KernelRig.Advance(2 * Tenth));
        Assert.Equal("", Kernel.ReadText(_fd));
        Kernel.WhileAsleep(() => Type("a"));
        Assert.Equal("a", Kernel.ReadText(_fd));
    }

    [Fact]
    public void Time_with_minimum_limits_the_pause_between_bytes()
    {
        MakeRaw(5, 1);
        Kernel.WhileAsleep(() => KernelRig.Advance(10 * Tenth), () => Type("a"), () => Type("b"), () => KernelRig.Advance(Tenth));
        Assert.Equal("ab", Kernel.ReadText(_fd));
    }

    [Fact]
    public void Writing_translates_and_waits_while_output_is_stopped()
    {
        Kernel.Write(1, "a\nb"u8);
        Assert.Equal("a\r\nb", TreeRig.Screen);
        Type("\u0013");
        Assert.Equal(PollEvents.None, Kernel.Poll(_fd));
        Kernel.WhileAsleep(() => Type("\u0011"));
        Assert.Equal(4, KernelRig.Ok(Kernel.Write(1, "late"u8)));
        Assert.Equal("late", TreeRig.Screen);
    }

    [Fact]
    public void Window_size_is_kept_and_a_change_signals()
    {
        var size = new WindowSize { Rows = 25, Columns = 80 };
        Kernel.Process->Actions[Signal.SIGWINCH - 1].Handler = 0x1234;
        KernelRig.Ok(Control(TerminalCommand.SetWindowSize, &size));
        Assert.True(Kernel.HasSignal(Signal.SIGWINCH));
        Kernel.Process->PendingSignals.Discard(~SignalSet.Empty);
        KernelRig.Ok(Control(TerminalCommand.SetWindowSize, &size));
        Assert.False(Kernel.HasSignal(Signal.SIGWINCH));
        WindowSize* got = Kernel.Alloc<WindowSize>();
        KernelRig.Ok(Control(TerminalCommand.GetWindowSize, got));
        Assert.Equal((25, 80), (got->Rows, got->Columns));
        size = default;
        KernelRig.Ok(Control(TerminalCommand.SetWindowSize, &size));
    }

    [Fact]
    public void Foreground_group_and_session_can_be_asked_and_set()
    {
        int* value = Kernel.Alloc<int>();
        KernelRig.Ok(Control(TerminalCommand.GetForegroundGroup, value));
        Assert.Equal(Kernel.Process->GroupId, *value);
        KernelRig.Ok(Control(TerminalCommand.GetSession, value));
        Assert.Equal(Kernel.Process->SessionId, *value);
        *value = 999_999;
        Assert.Equal(Errno.ESRCH, Control(TerminalCommand.SetForegroundGroup, value).Error);
        *value = -1;
        Assert.Equal(Errno.EINVAL, Control(TerminalCommand.SetForegroundGroup, value).Error);
        *value = Kernel.Process->GroupId;
        KernelRig.Ok(Control(TerminalCommand.SetForegroundGroup, value));
    }

    [Fact]
    public void A_background_reader_is_stopped_or_gets_an_error()
    {
        // A parent in the same session but another group: the group is not orphaned.
        using var parent = new KernelRig();
        Ukl.Kernel.Arch.Cpu.CurrentThread = Kernel.Thread;
        parent.Process->SessionId = Kernel.Process->SessionId;
        Kernel.Process->ParentId = parent.Process->Id;
        Kernel.Process->GroupId = 777_777;
        Kernel.Process->Actions[Signal.SIGTTIN - 1].Handler = 0x1234;
        Assert.Equal(Errno.ERESTARTSYS, Kernel.Read(_fd, new byte[1]).Error);
        Assert.True(Kernel.HasSignal(Signal.SIGTTIN));
        Kernel.Process->Actions[Signal.SIGTTIN - 1].Handler = SignalAction.Ignore;
        Assert.Equal(Errno.EIO, Kernel.Read(_fd, new byte[1]).Error);
        Assert.Equal(1, KernelRig.Ok(Kernel.Write(1, "x"u8)));
        TerminalSettings settings = Get();
        settings.Local |= LocalModes.StopBackgroundOutput;
        Kernel.Process->GroupId = Terminal.OnConsole->ForegroundGroup;
        Set(settings);
        Kernel.Process->GroupId = 777_777;
        Kernel.Process->Actions[Signal.SIGTTOU - 1].Handler = 0x1234;
        Assert.Equal(Errno.ERESTARTSYS, Kernel.Write(1, "x"u8).Error);
        Kernel.Process->ParentId = 0;
        Assert.Equal(Errno.EIO, Kernel.Write(1, "x"u8).Error);
        Kernel.Process->GroupId = Terminal.OnConsole->ForegroundGroup;
        Kernel.Process->PendingSignals.Discard(~SignalSet.Empty);
    }

    [Fact]
    public void A_session_leader_can_give_its_terminal_up_and_take_it_again()
    {
        Kernel.Process->Actions[Signal.SIGHUP - 1].Handler = 0x1234;
        KernelRig.Ok(Control(TerminalCommand.GiveUp, null));
        Assert.True(Kernel.HasSignal(Signal.SIGHUP));
        Assert.Equal(Errno.ENOTTY, Control(TerminalCommand.GiveUp, null).Error);
        Assert.Equal(Errno.ENOTTY, Control(TerminalCommand.GetForegroundGroup, Kernel.Alloc<int>()).Error);
        KernelRig.Ok(Control(TerminalCommand.SetControlling, null));
        Assert.Equal(Kernel.Process->GroupId, Terminal.OnConsole->ForegroundGroup);
        using var other = new KernelRig();
        OpenFile* file = Kernel.File(_fd);
        Assert.Equal(Errno.EPERM, file->Operations->Control(file, (uint)TerminalCommand.SetControlling, 0).Error);
        KernelRig.Ok(file->Operations->Control(file, (uint)TerminalCommand.SetControlling, 1));
        Ukl.Kernel.Arch.Cpu.CurrentThread = Kernel.Thread;
    }

    [Fact]
    public void Queues_can_be_counted_and_flushed()
    {
        int* count = Kernel.Alloc<int>();
        Type("abc\n");
        KernelRig.Ok(Control(TerminalCommand.InputQueued, count));
        Assert.Equal(4, *count);
        KernelRig.Ok(Control(TerminalCommand.Flush, (void*)0));
        KernelRig.Ok(Control(TerminalCommand.InputQueued, count));
        Assert.Equal(0, *count);
        Assert.Equal(Errno.EINVAL, Control(TerminalCommand.Flush, (void*)3).Error);
        KernelRig.Ok(Control(TerminalCommand.OutputQueued, count));
        KernelRig.Ok(Control(TerminalCommand.SendBreak, (void*)1));
        Assert.Equal(Errno.ENOTTY, Kernel.Control(_fd, 0x1234, count).Error);
        Assert.Equal(Errno.EFAULT, Control(TerminalCommand.GetSettings, (void*)8).Error);
    }

    [Fact]
    public void Setting_with_flush_drops_what_was_typed()
    {
        Type("old\n");
        Set(Get(), TerminalCommand.SetSettingsFlushing);
        Kernel.WhileAsleep(() => Type("new\n"));
        Assert.Equal("new\n", Kernel.ReadText(_fd));
    }
}
