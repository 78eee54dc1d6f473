using Ukl.Tool;
using Ukl.Tool.Qemu;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class GuestStatusTests
{
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 255\r", 255)]
    [InlineData("signal 9", 137)]
    [InlineData("noise\nexit 3\n\nmore noise", 3)]
    [InlineData("exit 3\nsignal 11", 139)]
    [InlineData("exit 3\npanic", ToolException.ExitCode)]
    [InlineData("", ToolException.ExitCode)]
    [InlineData("exit 256", ToolException.ExitCode)]
    [InlineData("exit -1", ToolException.ExitCode)]
    [InlineData("exit", ToolException.ExitCode)]
    [InlineData("signal 65", ToolException.ExitCode)]
    public void The_last_verdict_becomes_the_exit_code(string text, int expected) => Assert.Equal(expected, GuestStatus.Parse(text.Split('\n')).ExitCode);

    [Theory]
    [InlineData("panic", "")]
    [InlineData("panic no memory for the page frames", "no memory for the page frames")]
    [InlineData("panic no memory\nexit 0", "")]
    public void The_kernel_says_why_it_stopped(string text, string expected) => Assert.Equal(expected, GuestStatus.Parse(text.Split('\n')).Reason);
}
