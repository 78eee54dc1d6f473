using System;
using System.Collections.Generic;
using Ukl.Kernel.Arch;

namespace Ukl.Tests.Unit.Drivers;

/// <summary>A 16550A as far as a driver can see one.</summary>
internal sealed class FakeUart : IHostedPortDevice
{
    private readonly byte[] _registers = new byte[8];
    private readonly Queue<byte> _received = new();
    private byte _divisorLow;
    private byte _fifoControl;

    public List<byte> Sent { get; } = [];

    /// <summary>Bytes in the transmit FIFO that the line has not taken yet.</summary>
    public int Pending { get; private set; }

    public int Overruns { get; private set; }

    /// <summary>How many reads of the line status it takes until the FIFO is empty; negative: for ever.</summary>
    public int Slowness { get; set; }

    public bool IsDead { get; set; }

    /// <summary>What comes from outside while the line is in loopback: some devices go on receiving then. It comes before the echo.</summary>
    public byte[] TypedInLoopback { get; set; } = [];

    /// <summary>Whether loopback gives nothing back.</summary>
    public bool IsMute { get; set; }

    private int _wait;

    private bool IsLatchOpen => (_registers[3] & 0x80) != 0;

    public int Divisor => _divisorLow;

    public bool ReceivesInterrupts => (_registers[1] & 1) != 0 && (_registers[4] & 8) != 0;

    public void Type(params byte[] bytes)
    {
        foreach (byte value in bytes)
            _received.Enqueue(value);
    }

    public byte Read(int offset)
    {
        if (IsDead)
            return 0;
        switch (offset)
        {
            case 0:
                return _received.TryDequeue(out byte value) ? value : (byte)0;
            case 5:
                if (Pending > 0 && Slowness >= 0 && _wait++ >= Slowness)
                    Pending = 0;
                return (byte)((_received.Count > 0 ? 1 : 0) | (Pending == 0 ? 0x60 : 0));
            default:
                return _registers[offset];
        }
    }

    public void Write(int offset, byte value)
    {
        if (offset == 0 && IsLatchOpen)
        {
            _divisorLow = value;
        }
        else if (offset == 0 && (_registers[4] & 0x10) != 0)
        {
            Type(TypedInLoopback);
            if (!IsMute)
                _received.Enqueue(value);
        }
        else if (offset == 2)
        {
            // Switching the FIFOs on or off drops what they hold.
            if (((value ^ _fifoControl) & 1) != 0)
                _received.Clear();
            _fifoControl = value;
        }
        else if (offset == 0)
        {
            _wait = 0;
            if (++Pending > ((_fifoControl & 1) != 0 ? 16 : 1))
                Overruns++;
            Sent.Add(value);
        }
        else if (!(offset == 1 && IsLatchOpen))
        {
            _registers[offset] = value;
        }
    }
}

/// <summary>A CMOS clock that holds one moment.</summary>
internal sealed class FakeCmos : IHostedPortDevice
{
    private byte _index;

    public byte[] Registers { get; } = new byte[128];

    /// <summary>Called before every read of a register.</summary>
    public Action<byte> OnRead { get; set; } = _ => { };

    public void Set(DateTime time, bool isBinary, bool is24Hours, byte centuryIndex)
    {
        byte Encode(int value) => (byte)(isBinary ? value : value / 10 << 4 | value % 10);
        Registers[0] = Encode(time.Second);
        Registers[2] = Encode(time.Minute);
        int hour = time.Hour % 12 == 0 ? 12 : time.Hour % 12;
        Registers[4] = is24Hours ? Encode(time.Hour) : (byte)(Encode(hour) | (time.Hour >= 12 ? 0x80 : 0));
        Registers[7] = Encode(time.Day);
        Registers[8] = Encode(time.Month);
        Registers[9] = Encode(time.Year % 100);
        Registers[0x0b] = (byte)((isBinary ? 4 : 0) | (is24Hours ? 2 : 0));
        Registers[0x0d] = 0x80;
        if (centuryIndex != 0)
            Registers[centuryIndex] = Encode(time.Year / 100);
    }

    public byte Read(int offset)
    {
        if (offset == 0)
            return 0xff;
        OnRead(_index);
        return Registers[_index & 0x7f];
    }

    public void Write(int offset, byte value)
    {
        if (offset == 0)
            _index = value;
    }
}

/// <summary>Channel 2 of an 8254 with its gate; every access of a port takes one tick.</summary>
internal sealed class FakePit : IHostedPortDevice
{
    private readonly Queue<byte> _latched = new();
    private uint _start;
    private int _loaded;
    private byte _mode;

    public uint Time { get; set; }

    public byte SystemControl { get; set; } = 0x02;

    private uint Passed => Time - _start;

    public byte Read(int offset)
    {
        Time++;
        return offset == 0x1f ? SystemControl : offset == 0 && _latched.TryDequeue(out byte value) ? value : (byte)0xff;
    }

    public void Write(int offset, byte value)
    {
        Time++;
        if (offset == 0x1f)
        {
            SystemControl = value;
        }
        else if (offset == 1 && value == 0xc8)
        {
            uint count = 0xffff - (Passed & 0xffff);
            _latched.Clear();
            _latched.Enqueue((byte)((Passed > 0xffff ? 0x80 : 0) | (Passed == 0 || _loaded < 2 ? 0x40 : 0) | _mode));
            _latched.Enqueue((byte)count);
            _latched.Enqueue((byte)(count >> 8));
        }
        else if (offset == 1)
        {
            _mode = (byte)(value & 0x3f);
            _loaded = 0;
        }
        else if (++_loaded == 2 && (SystemControl & 1) != 0)
        {
            _start = Time;
        }
    }
}

/// <summary>Ports that remember what was written and read as what a test sets.</summary>
internal sealed class FakeRegisters(int count) : IHostedPortDevice
{
    public byte[] Values { get; } = new byte[count];

    public List<(int Offset, byte Value)> Writes { get; } = [];

    public bool KeepsWrites { get; set; }

    public byte Read(int offset) => Values[offset];

    public void Write(int offset, byte value)
    {
        Writes.Add((offset, value));
        if (KeepsWrites)
            Values[offset] = value;
    }
}
