// Device: Intel 8254 programmable interval timer, channel 2, whose gate and output are at the PC's port 0x61. Source: Intel 8254 datasheet, "Programming the 8254"
// (control word, read-back command, mode 0). Always there in QEMU's q35, pc and microvm (-M microvm,pit=on is the default).
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The interval timer as the counter that other clocks are measured with. Its interrupts are not used.</summary>
public static unsafe class Pit
{
    /// <summary>The input clock, in hertz: 105/88 MHz.</summary>
    public const uint Frequency = 1_193_182;

    private const ushort Channel2 = 0x42;
    private const ushort Control = 0x43;
    private const ushort SystemControl = 0x61;

    private const byte Gate = 0x01;
    private const byte Speaker = 0x02;

    // Control words: channel 2, low then high byte, mode 0, binary; and read-back of count and status of channel 2.
    private const byte CountDown = 0xb0;
    private const byte ReadBack = 0xc8;

    // Status byte.
    private const byte Output = 0x80;
    private const byte NullCount = 0x40;
    private const byte ModeBits = 0x3f;
    private const byte ModeCountDown = 0x30;

    private const uint InitialCount = 0xffff;
    private const int LoadPolls = 100;

    /// <summary>The device as the kernel's reference counter.</summary>
    public static ReferenceCounter Counter => new() { Frequency = Frequency, MaximumTicks = InitialCount - 1, Start = &Start, TryRead = &TryRead };

    private static bool Start()
    {
        Port.Out8(SystemControl, (byte)((Port.In8(SystemControl) & ~Speaker) | Gate));
        Port.Out8(Control, CountDown);
        Port.Out8(Channel2, (byte)(InitialCount & 0xff));
        Port.Out8(Channel2, (byte)(InitialCount >> 8));
        // The count is taken over at the next edge of the input clock; until then reads give the old one.
        for (int i = 0; i < LoadPolls; i++)
        {
            byte status = ReadStatus(out _);
            if ((status & ModeBits) != ModeCountDown)
                return false;
            if ((status & NullCount) == 0)
                return true;
        }
        return false;
    }

    private static bool TryRead(uint* ticks)
    {
        byte status = ReadStatus(out uint count);
        *ticks = InitialCount - count;
        return (status & Output) == 0;
    }

    private static byte ReadStatus(out uint count)
    {
        Port.Out8(Control, ReadBack);
        byte status = Port.In8(Channel2);
        uint low = Port.In8(Channel2);
        count = low | (uint)Port.In8(Channel2) << 8;
        return status;
    }
}
