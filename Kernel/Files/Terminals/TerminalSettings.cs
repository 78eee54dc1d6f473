// The settings of a terminal as TCGETS and TCSETS carry them, with Linux's values for x86-64.
// Source: termios(3), ioctl_tty(2), include/uapi/asm-generic/termbits.h.
using System;
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Files.Terminals;

/// <summary>c_iflag: what becomes of received bytes.</summary>
[Flags]
public enum InputModes : uint
{
    None = 0,
    IgnoreBreak = 0x0001,
    BreakInterrupts = 0x0002,
    IgnoreParity = 0x0004,
    MarkParity = 0x0008,
    CheckParity = 0x0010,

    /// <summary>ISTRIP: the eighth bit is cleared.</summary>
    Strip = 0x0020,

    /// <summary>INLCR: a received newline becomes a carriage return.</summary>
    NewlineToReturn = 0x0040,

    /// <summary>IGNCR: a received carriage return is dropped.</summary>
    IgnoreReturn = 0x0080,

    /// <summary>ICRNL: a received carriage return becomes a newline.</summary>
    ReturnToNewline = 0x0100,

    /// <summary>IUCLC: upper case becomes lower case.</summary>
    UpperToLower = 0x0200,

    /// <summary>IXON: the STOP and START characters stop and start output.</summary>
    FlowControlOutput = 0x0400,

    /// <summary>IXANY: any character starts stopped output.</summary>
    AnyStarts = 0x0800,
    FlowControlInput = 0x1000,
    BellWhenFull = 0x2000,

    /// <summary>IUTF8: erasing takes a whole UTF-8 character.</summary>
    Utf8 = 0x4000,
}

/// <summary>c_oflag: what becomes of written bytes.</summary>
[Flags]
public enum OutputModes : uint
{
    None = 0,

    /// <summary>OPOST: without it the others mean nothing.</summary>
    Process = 0x0001,
    LowerToUpper = 0x0002,

    /// <summary>ONLCR: a newline becomes carriage return and newline.</summary>
    NewlineToReturnNewline = 0x0004,

    /// <summary>OCRNL: a carriage return becomes a newline.</summary>
    ReturnToNewline = 0x0008,

    /// <summary>ONOCR: no carriage return at column 0.</summary>
    NoReturnAtColumnZero = 0x0010,

    /// <summary>ONLRET: a newline also returns the carriage.</summary>
    NewlineReturns = 0x0020,

    /// <summary>TABDLY: the field whose value XTABS expands tabs.</summary>
    TabDelay = 0x1800,
    ExpandTabs = 0x1800,
}

/// <summary>c_cflag: the line's hardware. Kept and given back; only the baud rate's absence (B0) would matter to a modem.</summary>
[Flags]
public enum ControlModes : uint
{
    None = 0,
    Baud38400 = 0x000f,
    EightBits = 0x0030,
    EnableReceiver = 0x0080,
    HangUpOnClose = 0x0400,
}

/// <summary>c_lflag: how input is edited and echoed.</summary>
[Flags]
public enum LocalModes : uint
{
    None = 0,

    /// <summary>ISIG: INTR, QUIT and SUSP send signals.</summary>
    Signals = 0x0001,

    /// <summary>ICANON: input is given line by line and can be edited.</summary>
    Canonical = 0x0002,

    /// <summary>ECHO.</summary>
    Echo = 0x0008,

    /// <summary>ECHOE: erasing rubs characters out on the screen.</summary>
    EchoErase = 0x0010,

    /// <summary>ECHOK: KILL is followed by a newline.</summary>
    EchoKill = 0x0020,

    /// <summary>ECHONL: a newline is echoed even without ECHO.</summary>
    EchoNewline = 0x0040,

    /// <summary>NOFLSH: signals leave the queues as they are.</summary>
    NoFlush = 0x0080,

    /// <summary>TOSTOP: background writers are stopped by SIGTTOU.</summary>
    StopBackgroundOutput = 0x0100,

    /// <summary>ECHOCTL: control characters are echoed as ^X.</summary>
    EchoControl = 0x0200,

    /// <summary>ECHOPRT: erased characters are printed between \ and /.</summary>
    EchoErasedText = 0x0400,

    /// <summary>ECHOKE: KILL rubs the line out character by character.</summary>
    EchoKillErase = 0x0800,

    /// <summary>IEXTEN: WERASE, LNEXT, REPRINT and EOL2 are special.</summary>
    Extended = 0x8000,

    /// <summary>EXTPROC: the other side edits.</summary>
    ExternalProcessing = 0x10000,
}

/// <summary>Index of a special character in c_cc.</summary>
public enum ControlCharacter
{
    Interrupt = 0,
    Quit = 1,
    Erase = 2,
    Kill = 3,
    EndOfFile = 4,
    Time = 5,
    Minimum = 6,
    SwitchCharacter = 7,
    Start = 8,
    Stop = 9,
    Suspend = 10,
    EndOfLine = 11,
    Reprint = 12,
    Discard = 13,
    WordErase = 14,
    LiteralNext = 15,
    EndOfLine2 = 16,
}

/// <summary>Linux's <c>struct termios</c> as the kernel passes it: 36 bytes with 19 control characters.</summary>
public struct TerminalSettings
{
    /// <summary>NCCS of the kernel's structure.</summary>
    public const int ControlCharacterCount = 19;

    /// <summary>_POSIX_VDISABLE: a control character with this value is off.</summary>
    public const byte Disabled = 0;

    public InputModes Input;
    public OutputModes Output;
    public ControlModes Control;
    public LocalModes Local;

    /// <summary>Always N_TTY, 0.</summary>
    public byte Discipline;
    public ControlCharacters Characters;

    /// <summary>The control characters c_cc.</summary>
    [InlineArray(ControlCharacterCount)]
    public struct ControlCharacters
    {
        private byte _first;
    }

    /// <summary>The control character in place <paramref name="which"/>.</summary>
    public readonly byte this[ControlCharacter which] => ((ReadOnlySpan<byte>)Characters)[(int)which];

    /// <summary>Whether <paramref name="value"/> is the control character <paramref name="which"/> and that is not switched off.</summary>
    public readonly bool Is(ControlCharacter which, byte value) => value != Disabled && this[which] == value;

    /// <summary>What a console starts with: canonical, echo, signals, ^C ^\ DEL ^U ^D ^Z and 38400 8N1.</summary>
    public static void SetDefaults(out TerminalSettings settings)
    {
        settings = default;
        settings.Input = InputModes.ReturnToNewline | InputModes.FlowControlOutput | InputModes.Utf8;
        settings.Output = OutputModes.Process | OutputModes.NewlineToReturnNewline;
        settings.Control = ControlModes.Baud38400 | ControlModes.EightBits | ControlModes.EnableReceiver | ControlModes.HangUpOnClose;
        settings.Local = LocalModes.Signals | LocalModes.Canonical | LocalModes.Echo | LocalModes.EchoErase | LocalModes.EchoKill |
            LocalModes.EchoControl | LocalModes.EchoKillErase | LocalModes.Extended;
        // INTR QUIT ERASE KILL EOF TIME MIN SWTC START STOP SUSP EOL REPRINT DISCARD WERASE LNEXT EOL2
        ReadOnlySpan<byte> characters = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0];
        characters.CopyTo(settings.Characters);
    }
}

/// <summary>Linux's <c>struct winsize</c>.</summary>
public struct WindowSize
{
    public ushort Rows;
    public ushort Columns;
    public ushort WidthPixels;
    public ushort HeightPixels;
}
