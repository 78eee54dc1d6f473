using Ukl.Tool.Qemu;
using Ukl.Tool.Testing;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class GuestVerdictTests
{
    private static readonly GuestTest Test = new("t", "p");

    [Fact]
    public void Checks_are_the_lines_that_say_so() =>
        Assert.Equal(
            [("a", null), ("b", "x.c:3 1 is 2: not 3"), ("c", "failed")],
            GuestVerdict.Checks("ok a\r\nokay then\nnot ok b: x.c:3 1 is 2: not 3\nnot ok c\nskip d: why\n1 ok, 2 failed"));

    [Fact]
    public void The_expected_exit_code_passes() => Assert.Null(GuestVerdict.Failure(Test with { ExitCode = 3 }, Run("", "exit 3"), null));

    [Fact]
    public void A_signal_is_an_exit_code_as_in_a_shell() => Assert.Null(GuestVerdict.Failure(Test with { ExitCode = 139 }, Run("", "signal 11"), null));

    [Theory]
    [InlineData("exit 1", "exit code 1, expected 0")]
    [InlineData("panic no clock", "the kernel stopped: no clock")]
    [InlineData("", "the guest ended without reporting a status")]
    public void Another_end_fails(string status, string why) => Assert.Equal(why, GuestVerdict.Failure(Test, Run("", status), null));

    [Fact]
    public void A_time_out_fails() => Assert.Equal("did not end within 60 s", GuestVerdict.Failure(Test, Run("", "exit 0") with { TimedOut = true }, null));

    [Fact]
    public void A_panic_can_be_what_is_wanted()
    {
        GuestTest test = Test with { Panics = true, Contains = ["no memory"] };
        Assert.Null(GuestVerdict.Failure(test, Run("no memory", "panic"), null));
        Assert.NotNull(GuestVerdict.Failure(test, Run("no memory", "exit 0"), null));
        Assert.Null(GuestVerdict.Failure(test with { Reason = "no memory" }, Run("no memory", "panic no memory"), null));
        Assert.Equal(
            "the kernel stopped for another reason: no clock",
            GuestVerdict.Failure(test with { Reason = "no memory" }, Run("no memory", "panic no clock"), null));
    }

    [Fact]
    public void Texts_must_come_in_order()
    {
        GuestTest test = Test with { Contains = ["one", "two"] };
        Assert.Null(GuestVerdict.Failure(test, Run("one two", "exit 0"), null));
        Assert.Equal("the output lacks 'two'", GuestVerdict.Failure(test, Run("two one", "exit 0"), null));
    }

    [Fact]
    public void Linux_decides_what_is_right()
    {
        Assert.Null(GuestVerdict.Failure(Test, Run("a\r\nb\n", "exit 5"), ("a\nb", 5)));
        Assert.Equal("line 2 is 'c', on Linux 'b'", GuestVerdict.Failure(Test, Run("a\nc", "exit 5"), ("a\nb", 5)));
        Assert.Equal("exit code 4, expected 5", GuestVerdict.Failure(Test, Run("a\nb", "exit 4"), ("a\nb", 5)));
    }

    [Fact]
    public void Of_checks_only_those_that_both_ran_must_agree()
    {
        GuestTest test = Test with { HasChecks = true };
        Assert.Null(GuestVerdict.Failure(test, Run("ok a\nok b\n2 ok", "exit 0"), ("ok a\nskip b: why\n1 ok", 0)));
        Assert.Equal("a failed, on Linux it passed", GuestVerdict.Failure(test, Run("not ok a: x", "exit 0"), ("ok a", 0)));
    }

    [Fact]
    public void A_program_of_checks_must_print_one() =>
        Assert.Equal("printed no check", GuestVerdict.Failure(Test with { HasChecks = true }, Run("nothing", "exit 0"), null));

    private static GuestRun Run(string output, string status) => new(GuestStatus.Parse([status]), output, TimedOut: false, TimeSpan.FromSeconds(1));
}
