// Erasing, reprinting and echo of the line being edited (ECHO, ECHOE, ECHOK, ECHOKE, ECHOPRT, ECHOCTL, ECHONL, IUTF8). Source: termios(3), c_lflag.
using System;

namespace Ukl.Kernel.Files.Terminals;

public unsafe partial struct LineDiscipline
{
    private const int TabWidth = 8;

    private static bool IsControl(byte value) => value < 0x20 || value == 0x7f;

    private static bool IsWordCharacter(byte value) =>
        value is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'a' and <= (byte)'z') or (byte)'_' or >= 0x80;

    // Takes out the last character (ERASE), the last word (WERASE) or the whole line (KILL).
    private void Erase(byte key)
    {
        if (_head == _lineStart)
            return;
        bool isKill = Settings.Is(ControlCharacter.Kill, key);
        bool isWord = !isKill && !Settings.Is(ControlCharacter.Erase, key);
        if (isKill && EraseWithoutRubbing(key))
            return;
        bool hasSeenWord = false;
        while (_head != _lineStart)
        {
            uint start = StartOfLastCharacter();
            byte first = (byte)Cell(start);
            if (OutputProcessor.IsUtf8Continuation(Settings, first))
                break;
            if (isWord)
            {
                if (IsWordCharacter(first))
                    hasSeenWord = true;
                else if (hasSeenWord)
                    break;
            }
            uint end = _head;
            _head = start;
            if (Has(LocalModes.Echo))
                EchoErased(key, start, end, isErase: !isKill && !isWord);
            if (!isKill && !isWord)
                break;
        }
        if (_head == _lineStart && Has(LocalModes.Echo))
            FinishErasing();
    }

    // KILL on a terminal that does not rub out.
    private bool EraseWithoutRubbing(byte key)
    {
        if (!Has(LocalModes.Echo))
        {
            _head = _lineStart;
            return true;
        }
        if (Has(LocalModes.EchoKill) && Has(LocalModes.EchoKillErase) && Has(LocalModes.EchoErase))
            return false;
        _head = _lineStart;
        FinishErasing();
        EchoCharacter(key);
        if (Has(LocalModes.EchoKill))
            Echo("\n"u8);
        return true;
    }

    private readonly uint StartOfLastCharacter()
    {
        uint at = _head - 1;
        while (at != _lineStart && OutputProcessor.IsUtf8Continuation(Settings, (byte)Cell(at)))
            at--;
        return at;
    }

    // Shows that the character in cells start…end is gone; the ring ends at start already.
    private void EchoErased(byte key, uint start, uint end, bool isErase)
    {
        byte first = (byte)Cell(start);
        if (Has(LocalModes.EchoErasedText))
        {
            if (!_isPrintingErased)
            {
                Echo("\\"u8);
                _isPrintingErased = true;
            }
            EchoCharacter(first);
            for (uint at = start + 1; at != end; at++)
            {
                byte next = (byte)Cell(at);
                Echo(new ReadOnlySpan<byte>(in next));
            }
        }
        else if (isErase && !Has(LocalModes.EchoErase))
        {
            EchoCharacter(key);
        }
        else if (first == '\t')
        {
            RubOutTab(start);
        }
        else
        {
            int columns = IsControl(first) ? (Has(LocalModes.EchoControl) ? 2 : 0) : 1;
            for (; columns > 0; columns--)
                Echo("\b \b"u8);
        }
    }

    // A tab is as wide as the column it began in says; that follows from what stands before it in the line.
    private void RubOutTab(uint tab)
    {
        int columns = 0;
        uint at = tab;
        bool isAfterTab = false;
        while (at != _lineStart)
        {
            byte value = (byte)Cell(at - 1);
            if (value == '\t')
            {
                isAfterTab = true;
                break;
            }
            if (IsControl(value))
                columns += Has(LocalModes.EchoControl) ? 2 : 0;
            else if (!OutputProcessor.IsUtf8Continuation(Settings, value))
                columns++;
            at--;
        }
        if (!isAfterTab)
            columns += _lineStartColumn;
        for (int back = TabWidth - (columns & (TabWidth - 1)); back > 0; back--)
            Echo("\b"u8);
    }

    private void FinishErasing()
    {
        if (!_isPrintingErased)
            return;
        _isPrintingErased = false;
        Echo("/"u8);
    }

    private void Reprint(byte key)
    {
        FinishErasing();
        EchoCharacter(key);
        Echo("\n"u8);
        _lineStartColumn = Output.Column;
        for (uint at = _lineStart; at != _head; at++)
            EchoCharacter((byte)Cell(at));
    }

    private void EchoOrdinary(byte value)
    {
        if (!Has(LocalModes.Echo))
            return;
        FinishErasing();
        if (_head == _lineStart)
            _lineStartColumn = Output.Column;
        if (value == '\n')
            Echo("\n"u8);
        else
            EchoCharacter(value);
    }

    // With ECHOCTL a control character other than a tab shows as a caret and a letter.
    private void EchoCharacter(byte value)
    {
        if (!Has(LocalModes.EchoControl) || !IsControl(value) || value == '\t')
        {
            Echo(new ReadOnlySpan<byte>(in value));
            return;
        }
        Echo("^"u8);
        byte letter = (byte)(value ^ 0x40);
        Echo(new ReadOnlySpan<byte>(in letter));
    }

    private void Echo(ReadOnlySpan<byte> text) => Output.Write(Settings, text);
}
