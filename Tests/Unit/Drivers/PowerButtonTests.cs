using System;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Drivers;

public sealed unsafe class PowerButtonTests : IDisposable
{
    private const int EventBlock = 0x600, Control = 0x604, CommandPort = 0xb2;
    private const uint Line = 9;
    private const ushort Button = 1 << 8, Timer = 1;

    private readonly FakeFixedHardware _hardware = new();

    public PowerButtonTests()
    {
        HostedDevices.Clear();
        HostedDevices.Attach(EventBlock, 6, _hardware);
        HostedDevices.Attach(CommandPort, 1, new CommandRegister(_hardware));
        Devices.Acpi = new AcpiInformation
        {
            HasFixedPowerButton = true,
            Pm1aEvent = new AcpiRegister { Space = AcpiRegister.PortSpace, Address = EventBlock },
            EventLength = 4,
            Pm1aControl = new AcpiRegister { Space = AcpiRegister.PortSpace, Address = Control },
            SystemControlInterrupt = (ushort)Line,
            CommandPort = CommandPort,
            EnableValue = 2,
        };
    }

    public void Dispose()
    {
        HostedDevices.Clear();
        Devices.Acpi = default;
    }

    [Fact]
    public void The_hardware_is_taken_over_and_only_the_button_may_interrupt()
    {
        _hardware.Status = Button | Timer;
        _hardware.Enabled = Timer;
        PowerButton.Start();
        Assert.True(_hardware.IsAcpi);
        Assert.Equal(Button, _hardware.Enabled);
        Assert.Equal(Timer, _hardware.Status);
        Assert.False(_hardware.IsRaised);
    }

    [Fact]
    public void A_press_asks_the_first_process_to_end_and_lets_the_line_go()
    {
        Process* process = ThreadTable.CreateProcess();
        process->Id = 1;
        PowerButton.Start();
        for (int press = 0; press < 3; press++)
        {
            // Somebody else's interrupt is no press.
            Assert.True(HostedInterrupts.Raise(Line));
            Assert.False(process->PendingSignals.Pending.Contains(Signal.SIGTERM));
            _hardware.Status = Button | Timer;
            Assert.True(_hardware.IsRaised);
            Assert.True(HostedInterrupts.Raise(Line));
            Assert.False(_hardware.IsRaised);
            Assert.Equal(Timer, _hardware.Status);
            Assert.True(process->PendingSignals.Pending.Contains(Signal.SIGTERM));
            process->PendingSignals.Discard(SignalSet.Of(Signal.SIGTERM));
        }
        process->Id = ForgottenId;
    }

    [Fact]
    public void Before_the_first_process_a_press_ends_the_machine()
    {
        Assert.True(ThreadTable.FindProcess(1) == null);
        Devices.Register(new ExitReporter { Signaled = &NoteSignal });
        PowerButton.Start();
        _hardware.Status = Button;
        Assert.Throws<KernelPanicException>(() => HostedInterrupts.Raise(Line));
        Devices.Register(default(ExitReporter));
        Assert.Equal(Signal.SIGTERM, s_signal);
    }

    [Fact]
    public void The_button_may_be_in_the_second_block()
    {
        var second = new FakeFixedHardware { IsAcpi = true };
        HostedDevices.Attach(0x700, 4, second);
        Devices.Acpi.Pm1bEvent = new AcpiRegister { Space = AcpiRegister.PortSpace, Address = 0x700 };
        PowerButton.Start();
        Assert.Equal(Button, second.Enabled);
        second.Status = Button;
        Assert.Throws<KernelPanicException>(() => HostedInterrupts.Raise(Line));
        Assert.False(second.IsRaised);
    }

    [Theory]
    [InlineData("no button")]
    [InlineData("no event block")]
    [InlineData("no control")]
    [InlineData("short block")]
    [InlineData("stays with the firmware")]
    public void A_machine_without_the_button_is_left_alone(string machine)
    {
        ref AcpiInformation acpi = ref Devices.Acpi;
        acpi.HasFixedPowerButton = machine != "no button";
        acpi.EventLength = (byte)(machine == "short block" ? 2 : 4);
        _hardware.IsStubborn = machine == "stays with the firmware";
        if (machine == "no event block")
            acpi.Pm1aEvent = default;
        if (machine == "no control")
            acpi.Pm1aControl = default;
        PowerButton.Start();
        Assert.Equal(0, _hardware.Enabled);
        Assert.False(HostedInterrupts.Raise(Line));
    }

    /// <summary>Processes stay in the table; no other test looks for this one.</summary>
    private const int ForgottenId = 999;

    private static int s_signal;

    private static void NoteSignal(int signal) => s_signal = signal;

    /// <summary>An event block and its control register: ACPI 6.4, 4.8.3.</summary>
    private sealed class FakeFixedHardware : IHostedPortDevice
    {
        public ushort Status { get; set; }

        public ushort Enabled { get; set; }

        public bool IsAcpi { get; set; }

        public bool IsStubborn { get; set; }

        public bool IsRaised => IsAcpi && (Status & Enabled) != 0;

        public byte Read(int offset) => offset switch
        {
            < 2 => (byte)(Status >> (8 * offset)),
            < 4 => (byte)(Enabled >> (8 * (offset - 2))),
            4 => IsAcpi ? (byte)1 : (byte)0,
            _ => 0,
        };

        public void Write(int offset, byte value)
        {
            if (offset < 2)
                Status &= (ushort)~(value << (8 * offset));
            else if (offset < 4)
                Enabled = (ushort)((Enabled & 0xff00 >> (8 * (offset - 2))) | value << (8 * (offset - 2)));
        }
    }

    private sealed class CommandRegister(FakeFixedHardware hardware) : IHostedPortDevice
    {
        public byte Read(int offset) => 0xff;

        public void Write(int offset, byte value) => hardware.IsAcpi = value == 2 && !hardware.IsStubborn;
    }
}
