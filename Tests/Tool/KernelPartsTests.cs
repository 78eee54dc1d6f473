using Ukl.Lint.Linking;
using Ukl.Tool;
using Ukl.Tool.Build;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class KernelPartsTests
{
    private static readonly string[] Calls = ["execve", "read", "socket", "write"];

    private static readonly DriverSwitch[] Drivers = [new("Clock", []), new("Net", ["socket"]), new("Serial", [])];

    private static CallNumbers Found(int[] numbers, params string[] unproven) => new(new HashSet<int>(numbers), unproven);

    [Fact]
    public void The_calls_that_are_found_and_supported_are_needed() =>
        Assert.Equal(["read", "write"], KernelParts.Needed(Calls, Found([0, 1, 2, 999])).Calls.Order());

    [Theory]
    [InlineData(new[] { "f+0x1" }, "at f+0x1")]
    [InlineData(new[] { "f+0x1", "g+0x2", "h+0x3" }, "at f+0x1 and 2 other places")]
    public void A_place_that_cannot_be_judged_keeps_all_calls_and_is_named(string[] places, string sentence)
    {
        (IReadOnlyList<string> needed, string reason) = KernelParts.Needed(Calls, Found([0], places));
        Assert.Equal(Calls, needed);
        Assert.EndsWith(sentence, reason);
    }

    [Fact]
    public void A_program_that_starts_others_keeps_all_calls()
    {
        (IReadOnlyList<string> needed, string reason) = KernelParts.Needed(Calls, Found([59]));
        Assert.Equal(Calls, needed);
        Assert.Contains("execve", reason);
    }

    [Fact]
    public void A_kernel_that_starts_no_programs_need_not_care() =>
        Assert.Equal(["read"], KernelParts.Needed(["read", "write"], Found([0, 59])).Calls);

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("all", new string[0])]
    [InlineData("-Clock", new[] { "Clock" })]
    [InlineData("-clock; -NET", new[] { "Clock", "Net" })]
    [InlineData("Serial", new[] { "Clock", "Net" })]
    [InlineData("Serial Clock", new[] { "Net" })]
    public void Drivers_are_kept_or_left_out_by_name(string property, string[] leftOut) => Assert.Equal(leftOut, KernelParts.LeftOut(property, Drivers));

    [Theory]
    [InlineData("Floppy", "no such driver; the drivers are Clock, Net, Serial")]
    [InlineData("Clock;-Net", "cannot do both")]
    public void Wrong_names_of_drivers_are_refused(string property, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<ToolException>(() => KernelParts.LeftOut(property, Drivers)).Message);
}
