using System;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;
using Xunit;

namespace Ukl.Tests.Unit.Drivers;

public sealed unsafe class PitTests : IDisposable
{
    private readonly FakePit _pit = new();

    public PitTests()
    {
        HostedDevices.Clear();
        HostedDevices.Attach(0x42, 0x20, _pit);
    }

    public void Dispose() => HostedDevices.Clear();

    [Fact]
    public void It_counts_upwards_from_its_start_with_the_speaker_off()
    {
        ReferenceCounter counter = Pit.Counter;
        Assert.True(counter.Start());
        Assert.Equal(1, _pit.SystemControl & 3);
        uint first, second;
        Assert.True(counter.TryRead(&first));
        uint between = _pit.Time;
        _pit.Time += 5000;
        Assert.True(counter.TryRead(&second));
        Assert.Equal(_pit.Time - between, second - first);
    }

    [Fact]
    public void It_says_when_it_has_run_out()
    {
        ReferenceCounter counter = Pit.Counter;
        uint ticks;
        Assert.True(counter.Start());
        _pit.Time += 65_500;
        Assert.True(counter.TryRead(&ticks));
        _pit.Time += 100;
        Assert.False(counter.TryRead(&ticks));
        _pit.Time += 100_000;
        Assert.False(counter.TryRead(&ticks));
        Assert.True(counter.Start());
        Assert.True(counter.TryRead(&ticks));
    }

    [Fact]
    public void An_empty_bus_is_no_counter()
    {
        HostedDevices.Clear();
        Assert.False(Pit.Counter.Start());
    }
}
