// Input half of the N_TTY line discipline: received bytes are translated, edited, echoed, turned into signals and queued for readers. Pure: it knows
// no files and no processes, only a port. Source: termios(3), "Canonical and noncanonical mode", c_iflag and c_lflag; ioctl_tty(2).
using System;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Terminals;

/// <summary>
/// A terminal's line discipline. Received bytes stand in a ring of cells between <c>_tail</c> and <c>_head</c>; in canonical mode those before <c>_lineStart</c> are whole lines
/// that readers may have, and those after it can still be edited.
/// </summary>
public unsafe partial struct LineDiscipline
{
    /// <summary>Cells of the ring; one line may have one byte less (N_TTY's 4096).</summary>
    public const int Capacity = 4096;

    /// <summary>Bytes of memory that <see cref="Initialize"/> needs for the ring.</summary>
    public const int RingBytes = Capacity * sizeof(ushort);

    // A cell is a byte and two marks.
    private const ushort EndsLine = 0x100;
    private const ushort IsEndOfFile = 0x200;

    /// <summary>The settings; changed through <see cref="Configure"/>.</summary>
    public TerminalSettings Settings;

    /// <summary>The output half.</summary>
    public OutputProcessor Output;

    private ushort* _cells;
    private uint _head;
    private uint _tail;
    private uint _lineStart;

    // The column in which the line being edited began.
    private int _lineStartColumn;
    private bool _isNextLiteral;
    private bool _isPrintingErased;

    /// <summary>Starts with default settings. <paramref name="ring"/> has <see cref="RingBytes"/> bytes and stays with the discipline.</summary>
    public void Initialize(void* ring, TerminalPort port)
    {
        _cells = (ushort*)ring;
        Output.Port = port;
        TerminalSettings.SetDefaults(out Settings);
    }

    /// <summary>Bytes that a reader could have now (FIONREAD): whole lines in canonical mode, without their end-of-file marks.</summary>
    public readonly int ReadableBytes
    {
        get
        {
            if (!Has(LocalModes.Canonical))
                return (int)(_head - _tail);
            int count = 0;
            for (uint at = _tail; at != _lineStart; at++)
            {
                if ((Cell(at) & IsEndOfFile) == 0)
                    count++;
            }
            return count;
        }
    }

    /// <summary>Whether a read finds a line, in canonical mode, or else at least <paramref name="minimum"/> bytes. A lone end of file is a line.</summary>
    public readonly bool CanRead(int minimum = 1) =>
        Has(LocalModes.Canonical) ? _lineStart != _tail : _head - _tail >= (uint)minimum;

    /// <summary>Forgets received bytes (TCIFLUSH).</summary>
    public void FlushInput()
    {
        _tail = _head;
        _lineStart = _head;
        _isPrintingErased = false;
        _isNextLiteral = false;
    }

    /// <summary>
    /// Takes new settings. Bytes queued in raw mode become a line when canonical mode comes on; whole lines and the one being edited
    /// become plain bytes when it goes off.
    /// </summary>
    public void Configure(in TerminalSettings settings)
    {
        bool wasCanonical = Has(LocalModes.Canonical);
        Settings = settings;
        bool isCanonical = Has(LocalModes.Canonical);
        if (wasCanonical != isCanonical)
        {
            for (uint at = _tail; at != _head; at++)
                _cells[at % Capacity] &= 0xff;
            if (isCanonical && _head != _tail)
                _cells[(_head - 1) % Capacity] |= EndsLine;
            _lineStart = isCanonical ? _head : _tail;
            _isPrintingErased = false;
            _isNextLiteral = false;
        }
        if (Output.IsStopped && (Settings.Input & InputModes.FlowControlOutput) == 0)
            Output.Start();
    }

    /// <summary>
    /// Gives a reader bytes and returns how many: at most one line in canonical mode. <paramref name="isLineEnd"/>: the read ends here, even with room left. Zero
    /// with <see cref="CanRead"/> true is end of file.
    /// </summary>
    public int Read(Span<byte> to, out bool isLineEnd)
    {
        int count = 0;
        isLineEnd = false;
        if (!Has(LocalModes.Canonical))
        {
            while (count < to.Length && _tail != _head)
                to[count++] = (byte)_cells[_tail++ % Capacity];
            _lineStart = _tail;
            return count;
        }
        while (_tail != _lineStart)
        {
            ushort cell = _cells[_tail % Capacity];
            if ((cell & IsEndOfFile) != 0)
            {
                // Also taken when the bytes before it just filled the buffer: the next read must wait for the next line.
                _tail++;
                isLineEnd = true;
                break;
            }
            if (count == to.Length)
                break;
            to[count++] = (byte)cell;
            _tail++;
            isLineEnd = (cell & EndsLine) != 0;
            if (isLineEnd)
                break;
        }
        return count;
    }

    /// <summary>Takes bytes from the other side. Signal and flow-control characters work even when the ring is full.</summary>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
            Receive(bytes[i]);
    }

    private readonly bool Has(LocalModes mode) => (Settings.Local & mode) != 0;

    private readonly bool Has(InputModes mode) => (Settings.Input & mode) != 0;

    private readonly ushort Cell(uint at) => _cells[at % Capacity];

    private void Receive(byte value)
    {
        if (Has(InputModes.Strip))
            value &= 0x7f;
        if (Has(InputModes.UpperToLower) && Has(LocalModes.Extended) && value is >= (byte)'A' and <= (byte)'Z')
            value += 'a' - 'A';
        if (_isNextLiteral)
        {
            _isNextLiteral = false;
            ReceiveOrdinary(value);
            return;
        }
        if (Has(LocalModes.ExternalProcessing))
        {
            Put(value);
            return;
        }
        if (ReceiveFlowControl(value) || ReceiveSignal(value))
            return;
        if (Output.IsStopped && Has(InputModes.FlowControlOutput) && Has(InputModes.AnyStarts))
            Output.Start();
        if (value == '\r')
        {
            if (Has(InputModes.IgnoreReturn))
                return;
            if (Has(InputModes.ReturnToNewline))
                value = (byte)'\n';
        }
        else if (value == '\n' && Has(InputModes.NewlineToReturn))
        {
            value = (byte)'\r';
        }
        if (!Has(LocalModes.Canonical) || !ReceiveCanonical(value))
            ReceiveOrdinary(value);
    }

    private bool ReceiveFlowControl(byte value)
    {
        if (!Has(InputModes.FlowControlOutput))
            return false;
        if (Settings.Is(ControlCharacter.Start, value))
            Output.Start();
        else if (Settings.Is(ControlCharacter.Stop, value))
            Output.Stop();
        else
            return false;
        return true;
    }

    private bool ReceiveSignal(byte value)
    {
        if (!Has(LocalModes.Signals))
            return false;
        int signal;
        if (Settings.Is(ControlCharacter.Interrupt, value))
            signal = Signal.SIGINT;
        else if (Settings.Is(ControlCharacter.Quit, value))
            signal = Signal.SIGQUIT;
        else if (Settings.Is(ControlCharacter.Suspend, value))
            signal = Signal.SIGTSTP;
        else
            return false;
        if (!Has(LocalModes.NoFlush))
        {
            FlushInput();
            Output.DiscardHeld();
        }
        if (Has(InputModes.FlowControlOutput))
            Output.Start();
        if (Has(LocalModes.Echo))
            EchoCharacter(value);
        Output.Port.Signal(Output.Port.Context, signal);
        return true;
    }

    // The characters that canonical mode knows. False: an ordinary character.
    private bool ReceiveCanonical(byte value)
    {
        bool isExtended = Has(LocalModes.Extended);
        if (Settings.Is(ControlCharacter.Erase, value) || Settings.Is(ControlCharacter.Kill, value) ||
            (isExtended && Settings.Is(ControlCharacter.WordErase, value)))
        {
            Erase(value);
        }
        else if (isExtended && Settings.Is(ControlCharacter.LiteralNext, value))
        {
            _isNextLiteral = true;
            if (Has(LocalModes.Echo))
            {
                FinishErasing();
                // A caret that the character itself will overwrite.
                if (Has(LocalModes.EchoControl))
                    Echo("^\b"u8);
            }
        }
        else if (isExtended && Has(LocalModes.Echo) && Settings.Is(ControlCharacter.Reprint, value))
        {
            Reprint(value);
        }
        else if (!CanPut)
        {
            return true;
        }
        else if (value == '\n')
        {
            if (Has(LocalModes.Echo) || Has(LocalModes.EchoNewline))
            {
                FinishErasing();
                Echo("\n"u8);
            }
            EndLine(value, EndsLine);
        }
        else if (Settings.Is(ControlCharacter.EndOfFile, value))
        {
            EndLine(0, EndsLine | IsEndOfFile);
        }
        else if (Settings.Is(ControlCharacter.EndOfLine, value) || (isExtended && Settings.Is(ControlCharacter.EndOfLine2, value)))
        {
            EchoOrdinary(value);
            DoubleMark(value);
            EndLine(value, EndsLine);
        }
        else
        {
            return false;
        }
        return true;
    }

    private void ReceiveOrdinary(byte value)
    {
        if (!CanPut)
            return;
        EchoOrdinary(value);
        DoubleMark(value);
        Put(value);
    }

    // With PARMRK a real 0xff is told from the mark of a parity error by being doubled.
    private void DoubleMark(byte value)
    {
        if (value == 0xff && Has(InputModes.MarkParity))
            Put(value);
    }

    private void EndLine(byte value, ushort marks)
    {
        Put((ushort)(value | marks));
        _lineStart = _head;
    }

    // One cell always stays free. A full ring drops what comes, except that a line that fills it alone has its last byte replaced, so that it
    // can still be ended.
    private readonly bool CanPut => !IsFull || (Has(LocalModes.Canonical) && _lineStart == _tail);

    private readonly bool IsFull => _head - _tail >= Capacity - 1;

    private void Put(ushort cell)
    {
        if (!CanPut)
            return;
        if (IsFull)
            _head--;
        _cells[_head++ % Capacity] = cell;
    }
}
