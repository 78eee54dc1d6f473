using System;
using System.Linq;
using System.Text;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Xunit;

namespace Ukl.Tests.Unit.Drivers;

public sealed unsafe class PowerTests : IDisposable
{
    private readonly FakeRegisters _pm1 = new(2) { KeepsWrites = true };
    private readonly FakeRegisters _command = new(1);
    private readonly FakeRegisters _reset = new(1);
    private readonly FakeRegisters _keyboard = new(1);

    public PowerTests()
    {
        HostedDevices.Clear();
        HostedDevices.Attach(0x604, 2, _pm1);
        HostedDevices.Attach(0xb2, 1, _command);
        HostedDevices.Attach(0xcf9, 1, _reset);
        HostedDevices.Attach(0x64, 1, _keyboard);
        Devices.Acpi = new AcpiInformation
        {
            HasSoftOff = true,
            SoftOffTypeA = 5,
            Pm1aControl = new AcpiRegister { Space = AcpiRegister.PortSpace, Address = 0x604 },
            CommandPort = 0xb2,
            EnableValue = 2,
        };
    }

    public void Dispose()
    {
        HostedDevices.Clear();
        Devices.Acpi = default;
    }

    [Fact]
    public void Power_off_enables_ACPI_and_writes_the_sleep_type_and_then_the_enable_bit()
    {
        Power.Driver.PowerOff(0);
        Assert.Equal([(0, (byte)2)], _command.Writes);
        Assert.Equal([(0, 0), (1, 5 << 2), (0, 0), (1, 5 << 2 | 1 << 5)], _pm1.Writes.Select(write => (write.Offset, (int)write.Value)));
    }

    [Fact]
    public void Power_off_leaves_other_bits_alone_and_does_not_enable_twice()
    {
        _pm1.Values[0] = 0x03;
        Power.Driver.PowerOff(0);
        Assert.Empty(_command.Writes);
        Assert.Equal(0x03, _pm1.Values[0]);
    }

    [Fact]
    public void Without_a_soft_off_state_nothing_is_written()
    {
        Devices.Acpi.HasSoftOff = false;
        Power.Driver.PowerOff(0);
        Assert.Empty(_pm1.Writes);
    }

    [Fact]
    public void Reset_tries_every_way()
    {
        Devices.Acpi.Reset = new AcpiRegister { Space = AcpiRegister.PortSpace, Address = 0xb2 };
        Devices.Acpi.ResetValue = 0x0f;
        _keyboard.Values[0] = 0x02;
        Power.Driver.Reset();
        Assert.Equal([(0, (byte)0x0f)], _command.Writes);
        Assert.Equal([(0, (byte)2), (0, (byte)6)], _reset.Writes);
        Assert.Equal([(0, (byte)0xfe)], _keyboard.Writes);
    }

    [Fact]
    public void The_debug_devices_are_noticed_and_report()
    {
        Assert.False(DebugConsole.IsPresent);
        Assert.False(DebugExit.IsPresent);
        var console = new FakeRegisters(1);
        console.Values[0] = 0xe9;
        var exit = new FakeRegisters(4);
        HostedDevices.Attach(0xe9, 1, console);
        HostedDevices.Attach(0xf4, 4, exit);
        Assert.True(DebugConsole.IsPresent);
        Assert.True(DebugExit.IsPresent);

        ExitReporter reporter = DebugConsole.Reporter;
        reporter.Exited(0);
        reporter.Exited(255);
        reporter.Signaled(11);
        byte[] reason = Encoding.ASCII.GetBytes("no memory");
        fixed (byte* text = reason)
            reporter.Panicked(text, (nuint)reason.Length);
        Assert.Equal("exit 0\nexit 255\nsignal 11\npanic no memory\n", Encoding.ASCII.GetString([.. console.Writes.Select(write => write.Value)]));
        DebugExit.Driver.PowerOff(255);
        Assert.Equal([127, 0, 0, 0], exit.Writes.Select(write => (int)write.Value));
    }
}
