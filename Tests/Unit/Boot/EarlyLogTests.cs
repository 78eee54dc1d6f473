using System.Text;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Xunit;

namespace Ukl.Tests.Unit.Boot;

public class EarlyLogTests
{
    [Fact]
    public void What_was_said_early_is_said_once_to_the_first_console()
    {
        int start = HostedMachine.Console.Length;
        EarlyLog.Append("one\n"u8);
        EarlyLog.Append("two\n"u8);
        Assert.Equal(start, HostedMachine.Console.Length);
        Devices.Register(default(ConsoleDevice));
        Assert.Equal("one\ntwo\n", HostedMachine.Console[start..]);
        Devices.Register(default(ConsoleDevice));
        Assert.Equal("one\ntwo\n", HostedMachine.Console[start..]);
    }

    [Fact]
    public void What_does_not_fit_is_lost()
    {
        int start = HostedMachine.Console.Length;
        string line = new('x', 100);
        for (int i = 0; i < 100; i++)
            EarlyLog.Append(Encoding.ASCII.GetBytes(line));
        Devices.Register(default(ConsoleDevice));
        Assert.Equal(new string('x', 1024), HostedMachine.Console[start..]);
    }
}
