// Device: VGA in text mode 3, 80 x 25 characters at physical 0xb8000. Source: IBM VGA technical reference (CRT controller registers, text memory).
// QEMU: -vga std (the default of q35 and pc); microvm and -vga none have none.
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The screen, for messages on a machine without a serial port. Output only; control sequences are left out.</summary>
public static unsafe class VgaText
{
    private const int Columns = 80;
    private const int Rows = 25;
    private const int TabSize = 8;
    private const ulong TextMemory = 0xb8000;
    private const ushort Blank = 0x0720;
    private const ushort GreyOnBlack = 0x0700;

    private const ushort ControllerIndex = 0x3d4;
    private const ushort ControllerData = 0x3d5;
    private const byte CursorHigh = 0x0e;
    private const byte CursorLow = 0x0f;

    private const byte Escape = 0x1b;
    private const byte FirstFinal = 0x40;

    private enum Sequence
    {
        None,
        Introduced,
        Parameters,
    }

    private static int s_column;
    private static int s_row;
    private static Sequence s_sequence;

    /// <summary>Looks for the device and clears the screen. False when the machine has none.</summary>
    public static bool TryInitialize()
    {
        if (!HoldsCursor(0x5a) || !HoldsCursor(0xa5))
            return false;
        for (int i = 0; i < Columns * Rows; i++)
            Cells[i] = Blank;
        s_column = 0;
        s_row = 0;
        s_sequence = Sequence.None;
        MoveCursor();
        return true;
    }

    /// <summary>The device as the kernel's console.</summary>
    public static ConsoleDevice Console => new() { Write = &Write };

    private static ushort* Cells => (ushort*)(DirectMap.Base + TextMemory);

    private static void Write(byte* bytes, nuint count)
    {
        for (nuint i = 0; i < count; i++)
        {
            if (!IsPartOfSequence(bytes[i]))
                Put(bytes[i]);
        }
        MoveCursor();
    }

    /// <summary>Follows an escape sequence to its final byte (ECMA-48, section 5.4).</summary>
    private static bool IsPartOfSequence(byte letter)
    {
        switch (s_sequence)
        {
            case Sequence.Introduced:
                s_sequence = letter == '[' ? Sequence.Parameters : Sequence.None;
                return true;
            case Sequence.Parameters:
                if (letter >= FirstFinal)
                    s_sequence = Sequence.None;
                return true;
            default:
                if (letter != Escape)
                    return false;
                s_sequence = Sequence.Introduced;
                return true;
        }
    }

    private static void Put(byte letter)
    {
        switch (letter)
        {
            case (byte)'\n':
                s_row++;
                break;
            case (byte)'\r':
                s_column = 0;
                break;
            case (byte)'\b':
                if (s_column > 0)
                    s_column--;
                break;
            case (byte)'\t':
                s_column = (s_column / TabSize + 1) * TabSize;
                break;
            case >= (byte)' ':
                if (s_column >= Columns)
                {
                    s_column = 0;
                    s_row++;
                    ScrollIfNeeded();
                }
                Cells[s_row * Columns + s_column++] = (ushort)(GreyOnBlack | letter);
                break;
        }
        ScrollIfNeeded();
    }

    private static void ScrollIfNeeded()
    {
        if (s_row < Rows)
            return;
        for (int i = 0; i < Columns * (Rows - 1); i++)
            Cells[i] = Cells[i + Columns];
        for (int i = Columns * (Rows - 1); i < Columns * Rows; i++)
            Cells[i] = Blank;
        s_row = Rows - 1;
    }

    private static void MoveCursor()
    {
        int position = s_row * Columns + (s_column < Columns ? s_column : Columns - 1);
        WriteController(CursorHigh, (byte)(position >> 8));
        WriteController(CursorLow, (byte)position);
    }

    private static bool HoldsCursor(byte value)
    {
        WriteController(CursorLow, value);
        Port.Out8(ControllerIndex, CursorLow);
        return Port.In8(ControllerData) == value;
    }

    private static void WriteController(byte register, byte value)
    {
        Port.Out8(ControllerIndex, register);
        Port.Out8(ControllerData, value);
    }
}
