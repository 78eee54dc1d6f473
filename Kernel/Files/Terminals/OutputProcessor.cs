// Output half of the N_TTY line discipline: what OPOST does to written bytes, the cursor's column, and stopped output. Source: termios(3), "c_oflag".
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Files.Terminals;

/// <summary>Translates what programs write and what is echoed, and sends it to the port.</summary>
public unsafe struct OutputProcessor
{
    private const int TabWidth = 8;
    private const int HeldCapacity = 256;

    /// <summary>Where the bytes go.</summary>
    public TerminalPort Port;

    private int _heldCount;
    private HeldBytes _held;

    /// <summary>The cursor's column, counted from 0, as far as it can be told from what was written.</summary>
    public int Column { get; private set; }

    /// <summary>Whether the STOP character or TCOOFF holds output back. Programs' writes wait; echo is kept, as far as there is room.</summary>
    public bool IsStopped { get; private set; }

    [InlineArray(HeldCapacity)]
    private struct HeldBytes
    {
        private byte _first;
    }

    /// <summary>Holds output back.</summary>
    public void Stop() => IsStopped = true;

    /// <summary>Lets output go on, beginning with the echo that was held back.</summary>
    public void Start()
    {
        IsStopped = false;
        int count = _heldCount;
        _heldCount = 0;
        Emit(((ReadOnlySpan<byte>)_held)[..count]);
    }

    /// <summary>Forgets echo that was held back.</summary>
    public void DiscardHeld() => _heldCount = 0;

    /// <summary>Writes bytes as OPOST and its companions ask.</summary>
    public void Write(in TerminalSettings settings, ReadOnlySpan<byte> text)
    {
        if ((settings.Output & OutputModes.Process) == 0)
        {
            Emit(text);
            return;
        }
        // Bytes that pass unchanged are sent in runs, so that ordinary text costs one call of the port.
        int runStart = 0;
        for (int at = 0; at < text.Length; at++)
        {
            byte value = text[at];
            if (value >= ' ' && (settings.Output & OutputModes.LowerToUpper) == 0)
            {
                if (value != 0x7f && !IsUtf8Continuation(settings, value))
                    Column++;
                continue;
            }
            if (PassesUnchanged(settings, value))
                continue;
            Emit(text[runStart..at]);
            WriteTranslated(settings, value);
            runStart = at + 1;
        }
        Emit(text[runStart..]);
    }

    /// <summary>Writes one byte as <see cref="Write(in TerminalSettings, ReadOnlySpan{byte})"/> does.</summary>
    public void Write(in TerminalSettings settings, byte value) => Write(settings, new ReadOnlySpan<byte>(in value));

    /// <summary>Whether the byte continues a UTF-8 character and the terminal knows UTF-8.</summary>
    public static bool IsUtf8Continuation(in TerminalSettings settings, byte value) =>
        (settings.Input & InputModes.Utf8) != 0 && (value & 0xc0) == 0x80;

    // Moves the column for a control character, and says whether it is sent as it is.
    private bool PassesUnchanged(in TerminalSettings settings, byte value)
    {
        OutputModes modes = settings.Output;
        switch (value)
        {
            case (byte)'\n':
                if ((modes & OutputModes.NewlineToReturnNewline) != 0)
                    return false;
                if ((modes & OutputModes.NewlineReturns) != 0)
                    Column = 0;
                return true;
            case (byte)'\r':
                if ((modes & (OutputModes.ReturnToNewline | OutputModes.NoReturnAtColumnZero)) != 0)
                    return false;
                Column = 0;
                return true;
            case (byte)'\t':
                if ((modes & OutputModes.TabDelay) == OutputModes.ExpandTabs)
                    return false;
                Column += TabWidth - (Column & (TabWidth - 1));
                return true;
            case (byte)'\b':
                if (Column > 0)
                    Column--;
                return true;
            default:
                return value < ' ' || (modes & OutputModes.LowerToUpper) == 0;
        }
    }

    private void WriteTranslated(in TerminalSettings settings, byte value)
    {
        switch (value)
        {
            case (byte)'\n':
                Column = 0;
                Emit("\r\n"u8);
                break;
            case (byte)'\r':
                WriteReturn(settings);
                break;
            case (byte)'\t':
                int spaces = TabWidth - (Column & (TabWidth - 1));
                Column += spaces;
                Emit("        "u8[..spaces]);
                break;
            default:
                if (value is >= (byte)'a' and <= (byte)'z')
                    value -= 'a' - 'A';
                if (value != 0x7f && !IsUtf8Continuation(settings, value))
                    Column++;
                Emit(new ReadOnlySpan<byte>(in value));
                break;
        }
    }

    private void WriteReturn(in TerminalSettings settings)
    {
        if ((settings.Output & OutputModes.NoReturnAtColumnZero) != 0 && Column == 0)
            return;
        if ((settings.Output & OutputModes.ReturnToNewline) != 0)
        {
            if ((settings.Output & OutputModes.NewlineReturns) != 0)
                Column = 0;
            Emit("\n"u8);
            return;
        }
        Column = 0;
        Emit("\r"u8);
    }

    private void Emit(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
            return;
        if (IsStopped)
        {
            Hold(bytes);
            return;
        }
        fixed (byte* start = &MemoryMarshal.GetReference(bytes))
            Port.Write(Port.Context, start, (nuint)bytes.Length);
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        int room = HeldCapacity - _heldCount;
        int count = bytes.Length < room ? bytes.Length : room;
        bytes[..count].CopyTo(((Span<byte>)_held)[_heldCount..]);
        _heldCount += count;
    }
}
