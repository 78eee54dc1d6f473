using System;
using System.Linq;
using System.Text;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Xunit;

namespace Ukl.Tests.Unit.Drivers;

public sealed unsafe class VgaTextTests : IDisposable
{
    private const int Columns = 80;
    private readonly FakeRegisters _controller = new(2) { KeepsWrites = true };

    public VgaTextTests()
    {
        HostedDevices.Clear();
        HostedDevices.Attach(0x3d4, 2, _controller);
        Assert.True(VgaText.TryInitialize());
    }

    public void Dispose() => HostedDevices.Clear();

    [Fact]
    public void Text_stands_in_lines()
    {
        Write("one\r\ntwo\tx\r3");
        Assert.Equal("one", Line(0));
        Assert.Equal("3wo     x", Line(1));
    }

    [Fact]
    public void Long_lines_wrap_when_the_next_letter_comes()
    {
        Write(new string('a', Columns));
        Write("\r\nb");
        Assert.Equal(new string('a', Columns), Line(0));
        Assert.Equal("b", Line(1));
        Write("\r" + new string('c', Columns + 1));
        Assert.Equal("c", Line(2));
    }

    [Fact]
    public void The_screen_scrolls()
    {
        for (int i = 0; i < 30; i++)
            Write($"{i}\r\n");
        Assert.Equal("6", Line(0));
        Assert.Equal("29", Line(23));
        Assert.Equal("", Line(24));
    }

    [Fact]
    public void Control_sequences_are_left_out()
    {
        Write("\u001b[31mred\u001b[0m \u001b7x");
        Assert.Equal("red x", Line(0));
    }

    [Fact]
    public void Any_bytes_stay_within_the_screen()
    {
        var random = new System.Random(1);
        ushort* cells = (ushort*)(DirectMap.Base + 0xb8000);
        cells[-1] = 0x1234;
        cells[Columns * 25] = 0x5678;
        for (int i = 0; i < 2000; i++)
        {
            var bytes = new byte[100];
            random.NextBytes(bytes);
            fixed (byte* text = bytes)
                VgaText.Console.Write(text, 100);
        }
        Assert.Equal((0x1234, 0x5678), (cells[-1], cells[Columns * 25]));
    }

    [Fact]
    public void An_empty_bus_is_no_screen()
    {
        HostedDevices.Clear();
        Assert.False(VgaText.TryInitialize());
    }

    private static void Write(string text)
    {
        fixed (byte* bytes = Encoding.ASCII.GetBytes(text))
            VgaText.Console.Write(bytes, (nuint)text.Length);
    }

    private static string Line(int row)
    {
        var cells = new ReadOnlySpan<ushort>((ushort*)(DirectMap.Base + 0xb8000) + row * Columns, Columns);
        return new string([.. cells.ToArray().Select(cell => (char)(cell & 0xff))]).TrimEnd();
    }
}
