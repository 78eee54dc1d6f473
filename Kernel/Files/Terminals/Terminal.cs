// A terminal: a line discipline, who waits for it, and the session whose terminal it is. Source: termios(3), ioctl_tty(2), credentials(7).
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Terminals;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Files;

/// <summary>A terminal. The machine has one, on the console.</summary>
public unsafe partial struct Terminal
{
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal, Writable = PollEvents.Out | PollEvents.WriteNormal;
    private const int ChunkSize = 256;
    private const ulong NanosecondsPerTenth = 100_000_000;

    private static Terminal* s_console;

    private LineDiscipline _line;
    private WaitQueue _waiters;
    private WindowSize _size;
    private int _sessionId;
    private int _foregroundGroup;

    /// <summary>Whether a program is at the other end.</summary>
    private bool _isPipe;

    /// <summary>Whether that program's input has been read to its end.</summary>
    private bool _isAtEnd;

    /// <summary>The terminal on the console; null before <see cref="Initialize"/>.</summary>
    public static Terminal* OnConsole => s_console;

    /// <summary>The session whose controlling terminal this is; 0: none's.</summary>
    public readonly int SessionId => _sessionId;

    /// <summary>The process group that gets its signals; 0: none.</summary>
    public readonly int ForegroundGroup => _foregroundGroup;

    /// <summary>Makes the terminal on the console. ENOMEM.</summary>
    public static Errno Initialize()
    {
        var terminal = (Terminal*)KernelHeap.Allocate((nuint)sizeof(Terminal));
        void* ring = KernelHeap.Allocate(LineDiscipline.RingBytes);
        if (terminal == null || ring == null)
            return Errno.ENOMEM;
        terminal->_line.Initialize(ring, new TerminalPort { Write = &WritePort, Signal = &SignalPort, Context = terminal });
        s_console = terminal;
        return Errno.None;
    }

    /// <summary>
    /// Sets the console's terminal up as the command line describes its other end: <c>console=pipe</c> is a program: the console then says that it
    /// is no terminal, echoes nothing and sends the output as it was written, but still takes Ctrl-C and Ctrl-D; <c>winsize=ROWSxCOLUMNS</c> is a window, whose size a serial line cannot tell.
    /// </summary>
    public static void Configure(in Boot.CommandLine commandLine)
    {
        if (commandLine.HasFlag("console=pipe"u8))
        {
            s_console->_isPipe = true;
            s_console->_line.Settings.Local &= ~LocalModes.Echo;
            s_console->_line.Settings.Output &= ~OutputModes.Process;
        }
        if (commandLine.TryGetValue("winsize"u8, out ReadOnlySpan<byte> size))
        {
            int at = 0;
            ushort rows = ReadNumber(size, ref at);
            if (rows == 0 || at == size.Length || size[at++] != 'x')
                return;
            ushort columns = ReadNumber(size, ref at);
            if (columns != 0 && at == size.Length)
                s_console->_size = new WindowSize { Rows = rows, Columns = columns };
        }
    }

    private static ushort ReadNumber(ReadOnlySpan<byte> text, ref int at)
    {
        uint value = 0;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9' && value < ushort.MaxValue / 10)
            value = value * 10 + text[at++] - '0';
        return (ushort)value;
    }

    /// <summary>Takes what was typed. Called by the console's interrupt handler; bytes that come before <see cref="Initialize"/> are lost.</summary>
    public static void Receive(ReadOnlySpan<byte> bytes)
    {
        Terminal* terminal = s_console;
        if (terminal == null)
            return;
        bool wasStopped = terminal->_line.Output.IsStopped;
        terminal->_line.Receive(bytes);
        // The end of a pipe also ends a line that has no line feed, and stays the end: see Read.
        if (terminal->_isPipe && bytes.Length != 0 && terminal->_line.Settings.Is(ControlCharacter.EndOfFile, bytes[^1]))
            terminal->_line.Receive(bytes[^1..]);
        if (terminal->_line.CanRead() && !terminal->_waiters.IsEmpty)
            terminal->_waiters.Wake(Readable);
        if (wasStopped && !terminal->_line.Output.IsStopped)
            terminal->_waiters.Wake(Writable);
    }

    /// <summary>The terminal of a process's session, or null.</summary>
    public static Terminal* ControllingOf(Process* process) =>
        s_console != null && s_console->_sessionId != 0 && s_console->_sessionId == process->SessionId ? s_console : null;

    /// <summary>Makes it the controlling terminal of a process's session, with the process's group in the foreground.</summary>
    public void SetSession(Process* process)
    {
        _sessionId = process->SessionId;
        _foregroundGroup = process->GroupId;
    }

    /// <summary>A session leader ended: its terminal is nobody's, and what was in the foreground is hung up. For process exit.</summary>
    public static void EndSession(int sessionId)
    {
        Terminal* terminal = s_console;
        if (terminal == null || sessionId == 0 || terminal->_sessionId != sessionId)
            return;
        int group = terminal->_foregroundGroup;
        terminal->_sessionId = 0;
        terminal->_foregroundGroup = 0;
        Signals.SendToGroup(group, Signal.SIGHUP);
        Signals.SendToGroup(group, Signal.SIGCONT);
    }

    /// <summary>What poll shows.</summary>
    public readonly PollEvents Poll()
    {
        PollEvents ready = PollEvents.None;
        int minimum = _line.Settings[ControlCharacter.Minimum];
        if (_isAtEnd || _line.CanRead(minimum != 0 && _line.Settings[ControlCharacter.Time] == 0 ? minimum : 1))
            ready |= Readable;
        if (!_line.Output.IsStopped)
            ready |= Writable;
        return ready;
    }

    /// <summary>The queue of those who wait to read or write.</summary>
    public static WaitQueue* WaitersOf(Terminal* terminal) => &terminal->_waiters;

    /// <summary>
    /// Reads a line in canonical mode, or else what VMIN and VTIME ask for. EAGAIN, EIO or SIGTTIN for a background process, ERESTARTSYS, EFAULT.
    /// </summary>
    public Result Read(UserSpan to, bool isNonBlocking)
    {
        Errno error = CheckForeground(Signal.SIGTTIN);
        if (error != Errno.None)
            return error;
        if (_isAtEnd)
            return 0ul;
        Result result = (_line.Settings.Local & LocalModes.Canonical) != 0 ? ReadLine(to, isNonBlocking) : ReadRaw(to, isNonBlocking);
        _isAtEnd = _isPipe && to.Length != 0 && !result.IsError && result.Value == 0;
        return result;
    }

    /// <summary>Writes; waits while output is stopped. EAGAIN, SIGTTOU for a background process when TOSTOP is set, ERESTARTSYS, EFAULT.</summary>
    public Result Write(UserSpan from, bool isNonBlocking)
    {
        if ((_line.Settings.Local & LocalModes.StopBackgroundOutput) != 0)
        {
            Errno error = CheckForeground(Signal.SIGTTOU);
            if (error != Errno.None)
                return error;
        }
        byte* chunk = stackalloc byte[ChunkSize];
        nuint done = 0;
        while (done < from.Length)
        {
            Errno interruption = WaitWhileStopped(isNonBlocking);
            if (interruption != Errno.None)
                return done != 0 ? (Result)(ulong)done : interruption;
            nuint count = from.Length - done < ChunkSize ? from.Length - done : ChunkSize;
            if (!from.Slice(done).CopyTo(chunk, count))
                return done != 0 ? (Result)(ulong)done : Errno.EFAULT;
            _line.Output.Write(_line.Settings, new ReadOnlySpan<byte>(chunk, (int)count));
            done += count;
        }
        return (ulong)done;
    }

    /// <summary>Writes the kernel's bytes (sendfile). Errors as for <see cref="Write"/>.</summary>
    public Result WriteKernel(byte* from, nuint count, bool isNonBlocking)
    {
        Errno error = (_line.Settings.Local & LocalModes.StopBackgroundOutput) != 0 ? CheckForeground(Signal.SIGTTOU) : Errno.None;
        if (error == Errno.None)
            error = WaitWhileStopped(isNonBlocking);
        if (error != Errno.None)
            return error;
        _line.Output.Write(_line.Settings, new ReadOnlySpan<byte>(from, (int)count));
        return (ulong)count;
    }

    private Errno WaitWhileStopped(bool isNonBlocking)
    {
        while (_line.Output.IsStopped)
        {
            Errno interruption = isNonBlocking ? Errno.EAGAIN : Self->_waiters.Sleep(Writable);
            if (interruption != Errno.None)
                return interruption;
        }
        return Errno.None;
    }

    private Result ReadLine(UserSpan to, bool isNonBlocking)
    {
        while (!_line.CanRead())
        {
            if (isNonBlocking)
                return Errno.EAGAIN;
            Errno interruption = Self->_waiters.Sleep(Readable);
            if (interruption != Errno.None)
                return interruption;
            // Another thread may have left canonical mode meanwhile.
            if ((_line.Settings.Local & LocalModes.Canonical) == 0)
                return ReadRaw(to, isNonBlocking);
        }
        return Take(to, out nuint count) ? (ulong)count : Errno.EFAULT;
    }

    // With VMIN, VTIME is the longest pause between two bytes; without, it is how long to wait for the first.
    private Result ReadRaw(UserSpan to, bool isNonBlocking)
    {
        nuint minimum = _line.Settings[ControlCharacter.Minimum];
        ulong time = _line.Settings[ControlCharacter.Time] * NanosecondsPerTenth;
        ulong deadline = minimum != 0 ? Scheduler.Forever : Clock.MonotonicNanoseconds + time;
        bool waits = minimum != 0 || time != 0;
        nuint wanted = minimum != 0 ? minimum : 1;
        nuint done = 0;
        while (done < to.Length)
        {
            if (_line.CanRead())
            {
                if (!Take(to.Slice(done), out nuint count))
                    return done != 0 ? (Result)(ulong)done : Errno.EFAULT;
                done += count;
                if (done >= wanted)
                    break;
                if (time != 0)
                    deadline = Clock.MonotonicNanoseconds + time;
                continue;
            }
            if (!waits)
                break;
            Errno interruption = isNonBlocking ? Errno.EAGAIN : Self->_waiters.Sleep(Readable, deadline);
            if (interruption == Errno.ETIMEDOUT)
                break;
            if (interruption != Errno.None)
                return done != 0 ? (Result)(ulong)done : interruption;
        }
        return (ulong)done;
    }

    // Moves what one read may have to the program. False: EFAULT.
    private bool Take(UserSpan to, out nuint done)
    {
        byte* chunk = stackalloc byte[ChunkSize];
        done = 0;
        while (done < to.Length)
        {
            int room = to.Length - done < ChunkSize ? (int)(to.Length - done) : ChunkSize;
            int count = _line.Read(new Span<byte>(chunk, room), out bool isLineEnd);
            if (!to.Slice(done).CopyFrom(chunk, (nuint)count))
                return false;
            done += (nuint)count;
            if (isLineEnd || count < room)
                break;
        }
        return true;
    }

    private static void WritePort(void* context, byte* bytes, nuint count)
    {
        if (Core.Devices.Console.Write != null)
            Core.Devices.Console.Write(bytes, count);
    }

    private static void SignalPort(void* context, int signal)
    {
        int group = ((Terminal*)context)->_foregroundGroup;
        if (group != 0)
            Signals.SendToGroup(group, signal);
    }

    private Terminal* Self => (Terminal*)Unsafe.AsPointer(ref this);
}
