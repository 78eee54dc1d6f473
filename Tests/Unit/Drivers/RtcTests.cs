using System;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;
using Xunit;

namespace Ukl.Tests.Unit.Drivers;

public sealed unsafe class RtcTests : IDisposable
{
    private const byte CenturyIndex = 0x32;
    private readonly FakeCmos _cmos = new();

    public RtcTests()
    {
        HostedDevices.Clear();
        HostedDevices.Attach(0x70, 2, _cmos);
        Devices.Acpi.CenturyIndex = CenturyIndex;
        Devices.Acpi.HasNoCmosClock = false;
    }

    public void Dispose()
    {
        HostedDevices.Clear();
        Devices.Acpi.CenturyIndex = 0;
    }

    [Fact]
    public void Every_encoding_of_every_time_is_understood()
    {
        Gen<(int, int)> moment = Gen.Choose(0, 100 * 366).Zip(Gen.Choose(0, 86399));
        Prop.ForAll(moment.Zip(Gen.Choose(0, 7)).ToArbitrary(), input =>
        {
            // 1970 to 2069, which is what years without a century mean.
            DateTime time = DateTime.UnixEpoch.AddDays(input.Item1.Item1 % 36_524).AddSeconds(input.Item1.Item2);
            bool hasCentury = (input.Item2 & 4) != 0;
            Devices.Acpi.CenturyIndex = hasCentury ? CenturyIndex : (byte)0;
            _cmos.Set(time, (input.Item2 & 1) != 0, (input.Item2 & 2) != 0, hasCentury ? CenturyIndex : (byte)0);
            return Rtc.IsPresent && Read() == new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeSeconds();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void A_leap_day_and_a_century_without_one()
    {
        foreach (DateTime time in new DateTime[] { new(2024, 2, 29, 23, 59, 59), new(2100, 2, 28), new(2100, 3, 1), new(2000, 2, 29) })
        {
            _cmos.Set(time, isBinary: false, is24Hours: true, CenturyIndex);
            Assert.Equal(new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeSeconds(), Read());
        }
    }

    [Fact]
    public void An_update_between_two_registers_is_noticed()
    {
        _cmos.Set(new DateTime(2026, 1, 1, 9, 59, 59), isBinary: false, is24Hours: true, CenturyIndex);
        int reads = 0;
        _cmos.OnRead = index =>
        {
            if (index == 2 && reads++ == 0)
                _cmos.Set(new DateTime(2026, 1, 1, 10, 0, 0), isBinary: false, is24Hours: true, CenturyIndex);
        };
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 10, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds(), Read());
    }

    [Fact]
    public void An_update_that_never_ends_does_not_hang()
    {
        _cmos.Set(new DateTime(2026, 1, 1), isBinary: true, is24Hours: true, CenturyIndex);
        _cmos.Registers[0x0a] = 0x80;
        Assert.NotNull(Read());
        byte second = 0;
        _cmos.OnRead = _ => _cmos.Registers[0] = (byte)(second++ % 60);
        Assert.Null(Read());
    }

    [Fact]
    public void Nonsense_and_missing_clocks_have_no_time()
    {
        _cmos.Set(new DateTime(2026, 1, 1), isBinary: false, is24Hours: true, CenturyIndex);
        _cmos.Registers[8] = 0x1a;
        Assert.Null(Read());
        _cmos.Registers[8] = 0;
        Assert.Null(Read());
        _cmos.Registers[8] = 1;
        Assert.NotNull(Read());
        Devices.Acpi.HasNoCmosClock = true;
        Assert.Null(Read());
        HostedDevices.Clear();
        Assert.False(Rtc.IsPresent);
    }

    private static long? Read()
    {
        long seconds;
        return Rtc.Clock.TryRead(&seconds) ? seconds : null;
    }
}
