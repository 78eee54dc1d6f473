using System;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.Time;

/// <summary>What programs read the clocks by.</summary>
public sealed unsafe class ClockPageTests : IDisposable
{
    private readonly TimeRig _rig = new();
    private ClockPage _page;

    public void Dispose()
    {
        Clock.Share(null);
        _rig.Dispose();
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(999_999_937)]
    [InlineData(2_600_000_000)]
    [InlineData(19_999_999_999)]
    public void The_page_goes_as_the_clock_does(ulong rate)
    {
        fixed (ClockPage* page = &_page)
        {
            Clock.Share(page);
            ulong before = Cpu.ReadTimestamp();
            Clock.Start(rate);
            ulong after = Cpu.ReadTimestamp();
            foreach (ulong seconds in (ReadOnlySpan<ulong>)[0, 1, 3600, 86_400 * 365])
            {
                ulong passed = seconds * rate;
                ulong expected = Clock.TicksToNanoseconds(passed);
                // The clock started somewhere between the two time stamps.
                Assert.InRange(page->Monotonic(after + passed), expected, expected + Clock.TicksToNanoseconds(after - before) + 1);
            }
        }
    }

    [Fact]
    public void Setting_the_time_of_day_reaches_the_page()
    {
        fixed (ClockPage* page = &_page)
        {
            Clock.Share(page);
            Assert.Equal(Clock.RealtimeOffset, page->RealtimeOffset);
            Assert.True(Clock.TrySetRealtime(1_800_000_000ul * TimeRig.Second));
            Assert.Equal(Clock.RealtimeOffset, page->RealtimeOffset);
            Assert.Equal(1_800_000_000ul * TimeRig.Second, page->Monotonic(0) + page->RealtimeOffset);
        }
    }

    [Fact]
    public void The_sequence_is_even_whenever_nobody_writes()
    {
        fixed (ClockPage* page = &_page)
        {
            Clock.Share(page);
            for (int i = 0; i < 3; i++)
            {
                uint before = *(uint*)page;
                Clock.RealtimeOffset++;
                Assert.Equal(0u, *(uint*)page & 1);
                Assert.NotEqual(before, *(uint*)page);
            }
        }
    }
}
