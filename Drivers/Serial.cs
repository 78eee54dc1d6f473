// Device: 16550A UART as COM1 of a PC. Source: National Semiconductor PC16550D datasheet, section 8 (registers). ISA port 0x3f8, line 4.
// QEMU: -serial stdio (q35, pc), -M microvm (isa-serial is on by default); -serial none takes it away.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The first serial port. Sends polled, so that it works in a panic; receives by interrupt.</summary>
public static unsafe class Serial
{
    private const ushort Base = 0x3f8;
    private const int IsaLine = 4;

    // Registers (section 8.0, table II).
    private const ushort ReceiverBuffer = Base;
    private const ushort TransmitterHolding = Base;
    private const ushort DivisorLow = Base;
    private const ushort DivisorHigh = Base + 1;
    private const ushort InterruptEnable = Base + 1;
    private const ushort FifoControl = Base + 2;
    private const ushort LineControl = Base + 3;
    private const ushort ModemControl = Base + 4;
    private const ushort LineStatus = Base + 5;
    private const ushort Scratch = Base + 7;

    private const byte InterruptOnData = 1;
    private const byte FifoEnable = 0x01;
    private const byte EightBitsNoParity = 0x03;
    private const byte DivisorLatchAccess = 0x80;
    private const byte Divisor115200 = 1;
    private const byte ReadyAndRequest = 0x03;
    private const byte Out2 = 0x08;
    private const byte Loopback = 0x10;
    private const byte DataReady = 0x01;
    private const byte TransmitterHoldingEmpty = 0x20;

    private const int FifoSize = 16;

    /// <summary>
    /// How often the line status is read before a full FIFO counts as stuck. A read takes about a microsecond and 16 bytes at 115200 baud 1.4 ms; a reader
    /// outside that is slow to take the output may hold it up for seconds.
    /// </summary>
    private const int PatientPolls = 4_000_000;
    private const int LoopbackPolls = 1000;

    private const int EarlyCapacity = 64;

    private static int s_polls;

    /// <summary>How many bytes the transmitter takes at once.</summary>
    private static nuint s_batch;
    private static EarlyBytes s_early;
    private static int s_earlyCount;
    private static delegate*<byte, void> s_receive;

    /// <summary>Looks for the device and sets it to 115200 baud, 8 bits, no parity. False when the machine has none.</summary>
    public static bool TryInitialize()
    {
        if (!HoldsScratch(0x5a) || !HoldsScratch(0xa5))
            return false;
        Port.Out8(InterruptEnable, 0);
        Port.Out8(LineControl, DivisorLatchAccess);
        Port.Out8(DivisorLow, Divisor115200);
        Port.Out8(DivisorHigh, 0);
        Port.Out8(LineControl, EightBitsNoParity);
        s_earlyCount = 0;
        // What was typed before the kernel ran is input like any other. Switching the FIFO on would drop what the receiver holds, and so would
        // a byte in loopback: whoever types already shows that the device is there, and the line goes without FIFO.
        s_batch = 1;
        if ((Port.In8(LineStatus) & DataReady) == 0)
        {
            s_batch = FifoSize;
            Port.Out8(FifoControl, FifoEnable);
            if (!EchoesInLoopback(0x6e))
                return false;
        }
        Port.Out8(ModemControl, ReadyAndRequest | Out2);
        s_polls = PatientPolls;
        return true;
    }

    /// <summary>The device as the kernel's console.</summary>
    public static ConsoleDevice Console => new() { Write = &Write, StartInput = &StartInput };

    /// <summary>Sends bytes. When the device stops taking them for seconds, the rest is dropped and later calls hardly wait until it takes bytes again.</summary>
    public static void Write(byte* bytes, nuint count)
    {
        while (count != 0)
        {
            if (!WaitForEmptyFifo())
                return;
            nuint batch = count < s_batch ? count : s_batch;
            for (nuint i = 0; i < batch; i++)
                Port.Out8(TransmitterHolding, bytes[i]);
            bytes += batch;
            count -= batch;
        }
    }

    private static void StartInput(delegate*<byte, void> receive)
    {
        s_receive = receive;
        Interrupts.Register(IsaLine, &HandleInterrupt, null);
        Port.Out8(InterruptEnable, InterruptOnData);
        for (int i = 0; i < s_earlyCount; i++)
            receive(s_early[i]);
        s_earlyCount = 0;
        // What was typed before would otherwise wait for the next key: the line was raised when nobody listened.
        HandleInterrupt(null);
    }

    private static void HandleInterrupt(void* context)
    {
        // No more than a FIFO's worth at a time: a device that says "ready" for ever must not hold the kernel.
        for (int i = 0; i < FifoSize && (Port.In8(LineStatus) & DataReady) != 0; i++)
            s_receive(Port.In8(ReceiverBuffer));
    }

    /// <summary>Keeps a byte that came before anybody listens; false when there is none.</summary>
    private static bool KeepEarly()
    {
        if ((Port.In8(LineStatus) & DataReady) == 0)
            return false;
        byte value = Port.In8(ReceiverBuffer);
        if (s_earlyCount < EarlyCapacity)
            s_early[s_earlyCount++] = value;
        return true;
    }

    private static bool WaitForEmptyFifo()
    {
        for (int i = 0; i < s_polls; i++)
        {
            if ((Port.In8(LineStatus) & TransmitterHoldingEmpty) != 0)
            {
                s_polls = PatientPolls;
                return true;
            }
            Cpu.Relax();
        }
        s_polls = 1;
        return false;
    }

    private static bool HoldsScratch(byte value)
    {
        Port.Out8(Scratch, value);
        return Port.In8(Scratch) == value;
    }

    /// <summary>Whether a byte sent in loopback mode comes back (section 8.6, bit 4).</summary>
    private static bool EchoesInLoopback(byte value)
    {
        Port.Out8(ModemControl, ReadyAndRequest | Out2 | Loopback);
        Port.Out8(TransmitterHolding, value);
        for (int i = 0; i < LoopbackPolls; i++)
        {
            // Some devices go on receiving from outside: what is not the echo was typed.
            if (KeepEarly() && s_earlyCount != 0 && s_early[s_earlyCount - 1] == value)
            {
                s_earlyCount--;
                return true;
            }
        }
        s_earlyCount = 0;
        return false;
    }

    [InlineArray(EarlyCapacity)]
    private struct EarlyBytes
    {
        private byte _first;
    }
}
