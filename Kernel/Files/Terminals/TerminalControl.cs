// The ioctl commands of terminals. Source: ioctl_tty(2), include/uapi/asm-generic/ioctls.h.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Terminals;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>Terminal commands of ioctl(2).</summary>
public enum TerminalCommand : uint
{
    GetSettings = 0x5401,
    SetSettings = 0x5402,
    SetSettingsAfterOutput = 0x5403,
    SetSettingsFlushing = 0x5404,
    SendBreak = 0x5409,
    FlowControl = 0x540a,
    Flush = 0x540b,
    SetExclusive = 0x540c,
    ClearExclusive = 0x540d,
    SetControlling = 0x540e,
    GetForegroundGroup = 0x540f,
    SetForegroundGroup = 0x5410,
    OutputQueued = 0x5411,
    GetWindowSize = 0x5413,
    SetWindowSize = 0x5414,
    InputQueued = 0x541b,
    GiveUp = 0x5422,
    GetDiscipline = 0x5424,
    SendBreakLong = 0x5425,
    GetSession = 0x5429,
    GetSettings2 = 0x802c_542a,
    SetSettings2 = 0x402c_542b,
    SetSettings2AfterOutput = 0x402c_542c,
    SetSettings2Flushing = 0x402c_542d,
}

/// <summary>Linux's <c>struct termios2</c>: termios and two speeds.</summary>
public struct TerminalSettings2
{
    public TerminalSettings Settings;
    public uint InputSpeed;
    public uint OutputSpeed;
}

public unsafe partial struct Terminal
{
    private const uint ConsoleSpeed = 38400;
    private const ulong FlushInput = 0, FlushOutput = 1, FlushBoth = 2;
    private const ulong StopOutput = 0, StartOutput = 1, SendStop = 2, SendStart = 3;

    /// <summary>ioctl(2). ENOTTY for commands that are not a terminal's.</summary>
    public Result Control(uint command, ulong argument)
    {
        if (_isPipe && (TerminalCommand)command != TerminalCommand.InputQueued)
            return Errno.ENOTTY;
        switch ((TerminalCommand)command)
        {
            case TerminalCommand.GetSettings:
                return Answer(new UserPtr<TerminalSettings>(argument), _line.Settings);
            case TerminalCommand.GetSettings2:
                return Answer(new UserPtr<TerminalSettings2>(argument), new TerminalSettings2 { Settings = _line.Settings, InputSpeed = ConsoleSpeed, OutputSpeed = ConsoleSpeed });
            case TerminalCommand.SetSettings or TerminalCommand.SetSettingsAfterOutput or TerminalCommand.SetSettings2 or TerminalCommand.SetSettings2AfterOutput:
                return Configure(new UserPtr<TerminalSettings>(argument), false);
            case TerminalCommand.SetSettingsFlushing or TerminalCommand.SetSettings2Flushing:
                return Configure(new UserPtr<TerminalSettings>(argument), true);
            case TerminalCommand.SendBreak or TerminalCommand.SendBreakLong:
                // Output is sent as it is written, and the console's line has no break.
                return CheckForeground(Signal.SIGTTOU);
            case TerminalCommand.FlowControl:
                return ControlFlow(argument);
            case TerminalCommand.Flush:
                return Flush(argument);
            case TerminalCommand.SetExclusive or TerminalCommand.ClearExclusive:
                // Root may open an exclusive terminal anyway.
                return Result.Ok;
            case TerminalCommand.SetControlling:
                return TakeAsControlling(argument);
            case TerminalCommand.GiveUp:
                return GiveUp();
            case TerminalCommand.GetForegroundGroup:
                return IsControllingCurrent ? Answer(new UserPtr<int>(argument), _foregroundGroup) : Errno.ENOTTY;
            case TerminalCommand.SetForegroundGroup:
                return SetForegroundGroup(new UserPtr<int>(argument));
            case TerminalCommand.GetSession:
                return IsControllingCurrent ? Answer(new UserPtr<int>(argument), _sessionId) : Errno.ENOTTY;
            case TerminalCommand.OutputQueued:
                return Answer(new UserPtr<int>(argument), 0);
            case TerminalCommand.InputQueued:
                return Answer(new UserPtr<int>(argument), _line.ReadableBytes);
            case TerminalCommand.GetWindowSize:
                return Answer(new UserPtr<WindowSize>(argument), _size);
            case TerminalCommand.SetWindowSize:
                return new UserPtr<WindowSize>(argument).TryRead(out WindowSize size) ? Resize(size) : Errno.EFAULT;
            case TerminalCommand.GetDiscipline:
                return Answer(new UserPtr<int>(argument), _line.Settings.Discipline);
            default:
                return Errno.ENOTTY;
        }
    }

    /// <summary>Sets the size of the window; the foreground group gets SIGWINCH when it is another one.</summary>
    public Result Resize(WindowSize size)
    {
        bool isSame = size.Rows == _size.Rows && size.Columns == _size.Columns && size.WidthPixels == _size.WidthPixels && size.HeightPixels == _size.HeightPixels;
        _size = size;
        if (!isSame && _foregroundGroup != 0)
            Signals.SendToGroup(_foregroundGroup, Signal.SIGWINCH);
        return Result.Ok;
    }

    private static Result Answer<T>(UserPtr<T> to, in T value)
        where T : unmanaged => to.TryWrite(value) ? Result.Ok : Errno.EFAULT;

    private Result Configure(UserPtr<TerminalSettings> from, bool flush)
    {
        Errno error = CheckForeground(Signal.SIGTTOU);
        if (error != Errno.None)
            return error;
        if (!from.TryRead(out TerminalSettings settings))
            return Errno.EFAULT;
        settings.Discipline = 0;
        if (flush)
            _line.FlushInput();
        bool wasStopped = _line.Output.IsStopped;
        _line.Configure(settings);
        // What is readable may have changed with the mode.
        if (_line.CanRead())
            _waiters.Wake(Readable);
        if (wasStopped && !_line.Output.IsStopped)
            _waiters.Wake(Writable);
        return Result.Ok;
    }

    private Result ControlFlow(ulong action)
    {
        Errno error = CheckForeground(Signal.SIGTTOU);
        if (error != Errno.None)
            return error;
        switch (action)
        {
            case StopOutput:
                _line.Output.Stop();
                return Result.Ok;
            case StartOutput:
                _line.Output.Start();
                _waiters.Wake(Writable);
                return Result.Ok;
            case SendStop or SendStart:
                byte character = _line.Settings[action == SendStop ? ControlCharacter.Stop : ControlCharacter.Start];
                if (character != TerminalSettings.Disabled)
                    WritePort(null, &character, 1);
                return Result.Ok;
            default:
                return Errno.EINVAL;
        }
    }

    private Result Flush(ulong queue)
    {
        Errno error = CheckForeground(Signal.SIGTTOU);
        if (error != Errno.None)
            return error;
        if (queue > FlushBoth)
            return Errno.EINVAL;
        if (queue is FlushInput or FlushBoth)
            _line.FlushInput();
        if (queue is FlushOutput or FlushBoth)
            _line.Output.DiscardHeld();
        return Result.Ok;
    }
}
