using System;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Terminals;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>The console's terminal as the command line describes its other end: a program, or a window of some size.</summary>
public sealed unsafe class TerminalConfigurationTests : IDisposable
{
    private readonly TreeRig _tree = new();

    private KernelRig Kernel => _tree.Kernel;

    public void Dispose()
    {
        Terminal.EndSession(Terminal.OnConsole->SessionId);
        // Whoever comes next finds an ordinary terminal.
        Assert.Equal(Errno.None, Terminal.Initialize());
        _tree.Dispose();
    }

    [Fact]
    public void A_pipe_is_no_terminal_for_the_program()
    {
        Start("console=pipe");
        TerminalSettings settings;
        WindowSize size;
        int count = -1;
        Assert.Equal(Errno.ENOTTY, Kernel.Control(0, (uint)TerminalCommand.GetSettings, &settings).Error);
        Assert.Equal(Errno.ENOTTY, Kernel.Control(1, (uint)TerminalCommand.GetWindowSize, &size).Error);
        Type("abc\n");
        KernelRig.Ok(Kernel.Control(0, (uint)TerminalCommand.InputQueued, &count));
        Assert.Equal(4, count);
    }

    [Fact]
    public void A_pipe_echoes_nothing_and_sends_output_as_it_was_written()
    {
        Start("console=pipe");
        Type("typed\n");
        Kernel.Write(1, "one\ntwo\r\n\tthree"u8);
        Assert.Equal("one\ntwo\r\n\tthree", TreeRig.Screen);
        Assert.Equal("typed\n", Kernel.ReadText(0));
    }

    [Theory]
    [InlineData("last")]
    [InlineData("line\nlast")]
    [InlineData("line\n")]
    [InlineData("")]
    public void The_end_of_a_pipe_ends_a_half_line_and_stays_the_end(string typed)
    {
        Start("console=pipe");
        Type(typed + "\u0004");
        var read = new StringBuilder();
        string part;
        while ((part = Kernel.ReadText(0)).Length != 0)
            read.Append(part);
        Assert.Equal(typed, read.ToString());
        Assert.Equal("", Kernel.ReadText(0));
        Assert.Equal("", Kernel.ReadText(0));
        Assert.True((Kernel.Poll(0) & PollEvents.In) != 0);
    }

    [Fact]
    public void Control_c_of_a_pipe_is_a_signal_all_the_same()
    {
        Start("console=pipe");
        Kernel.Process->Actions[Signal.SIGINT - 1].Handler = 0x1234;
        Type("\u0003");
        Assert.True(Kernel.HasSignal(Signal.SIGINT));
        Assert.Equal("", TreeRig.Screen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("console=serial")]
    [InlineData("console=pipes")]
    [InlineData("console=")]
    [InlineData("console")]
    public void Anything_else_is_a_terminal(string commandLine)
    {
        Start(commandLine);
        TerminalSettings settings;
        KernelRig.Ok(Kernel.Control(0, (uint)TerminalCommand.GetSettings, &settings));
        Type("x\u0004");
        Assert.Equal("x", TreeRig.Screen);
        Assert.Equal("x", Kernel.ReadText(0));
        Kernel.WhileAsleep(() => Type("more\n"));
        Assert.Equal("more\n", Kernel.ReadText(0));
    }

    [Theory]
    [InlineData("winsize=30x100", 30, 100)]
    [InlineData("winsize=1x1", 1, 1)]
    [InlineData("winsize=24x80 winsize=50x132", 50, 132)]
    [InlineData("winsize=", 0, 0)]
    [InlineData("winsize=30", 0, 0)]
    [InlineData("winsize=30x", 0, 0)]
    [InlineData("winsize=x100", 0, 0)]
    [InlineData("winsize=0x100", 0, 0)]
    [InlineData("winsize=30x0", 0, 0)]
    [InlineData("winsize=30x100x", 0, 0)]
    [InlineData("winsize=30x100000000000", 0, 0)]
    [InlineData("winsize=-1x5", 0, 0)]
    public void The_size_of_the_window_is_taken_when_it_is_one(string commandLine, int rows, int columns)
    {
        Start(commandLine);
        WindowSize size;
        KernelRig.Ok(Kernel.Control(0, (uint)TerminalCommand.GetWindowSize, &size));
        Assert.Equal((rows, columns), (size.Rows, size.Columns));
    }

    private static void Type(string text) => Terminal.Receive(Encoding.UTF8.GetBytes(text));

    /// <summary>Boots the terminal anew and opens it as the program's descriptors 0 to 2.</summary>
    private void Start(string commandLine)
    {
        CommandLine line = default;
        Assert.Equal(0, line.Set(Encoding.UTF8.GetBytes(commandLine)).Length);
        Assert.Equal(Errno.None, Terminal.Initialize());
        Terminal.Configure(line);
        Assert.Equal(Errno.None, DeviceFiles.OpenStandardFiles(Kernel.Process));
        _ = TreeRig.Screen;
    }
}
