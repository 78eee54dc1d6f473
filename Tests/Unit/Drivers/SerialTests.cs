using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Ukl.Drivers;
using Ukl.Kernel.Arch;
using Xunit;

namespace Ukl.Tests.Unit.Drivers;

public sealed unsafe class SerialTests : IDisposable
{
    private static readonly List<byte> s_received = [];
    private readonly FakeUart _uart = new();

    public SerialTests()
    {
        HostedDevices.Clear();
        HostedDevices.Attach(0x3f8, 8, _uart);
        s_received.Clear();
    }

    public void Dispose() => HostedDevices.Clear();

    [Fact]
    public void The_device_is_found_and_set_up()
    {
        Assert.True(Serial.TryInitialize());
        Assert.Equal(1, _uart.Divisor);
        Assert.Empty(_uart.Sent);
        Assert.False(_uart.ReceivesInterrupts);
    }

    [Fact]
    public void An_empty_bus_and_dead_ports_are_no_device()
    {
        _uart.IsDead = true;
        Assert.False(Serial.TryInitialize());
        HostedDevices.Clear();
        Assert.False(Serial.TryInitialize());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(500)]
    public void Text_goes_out_whole_and_never_overruns_the_FIFO(int slowness)
    {
        Assert.True(Serial.TryInitialize());
        _uart.Slowness = slowness;
        byte[] text = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
        Write(text);
        Assert.Equal(text, _uart.Sent);
        Assert.Equal(0, _uart.Overruns);
    }

    [Fact]
    public void A_line_that_stops_does_not_hang_the_kernel_and_may_come_back()
    {
        Assert.True(Serial.TryInitialize());
        _uart.Slowness = -1;
        Write(new byte[40]);
        Assert.Equal(16, _uart.Sent.Count);
        for (int i = 0; i < 10_000; i++)
            Write(new byte[40]);
        Assert.Equal(16, _uart.Sent.Count);
        _uart.Slowness = 0;
        Write(Encoding.ASCII.GetBytes("back"));
        Assert.Equal("back", Encoding.ASCII.GetString([.. _uart.Sent.Skip(16)]));
    }

    [Fact]
    public void Bytes_are_received_by_interrupt_also_those_typed_before()
    {
        Assert.True(Serial.TryInitialize());
        Assert.False(HostedDevices.Raise(4));
        _uart.Type((byte)'a');
        Serial.Console.StartInput(&Receive);
        Assert.True(_uart.ReceivesInterrupts);
        Assert.Equal("a"u8.ToArray(), s_received);
        _uart.Type((byte)'b', (byte)'c');
        Assert.True(HostedDevices.Raise(4));
        Assert.Equal("abc"u8.ToArray(), s_received);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("early birds")]
    public void What_was_typed_before_the_driver_ran_is_received_in_order(string typed)
    {
        _uart.Type(Encoding.ASCII.GetBytes(typed));
        Assert.True(Serial.TryInitialize());
        Serial.Console.StartInput(&Receive);
        _uart.Type((byte)'!');
        HostedDevices.Raise(4);
        Assert.Equal(typed + "!", Encoding.ASCII.GetString([.. s_received]));
    }

    [Fact]
    public void A_line_on_which_was_typed_before_goes_without_FIFO()
    {
        _uart.Type((byte)'x');
        Assert.True(Serial.TryInitialize());
        _uart.Slowness = 3;
        Write(new byte[50]);
        Assert.Equal(50, _uart.Sent.Count);
        Assert.Equal(0, _uart.Overruns);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("several")]
    [InlineData("n")] // the byte of the loopback test itself
    [InlineData("nnn")]
    public void What_is_typed_while_the_driver_tests_the_device_is_received(string typed)
    {
        _uart.TypedInLoopback = Encoding.ASCII.GetBytes(typed);
        Assert.True(Serial.TryInitialize());
        Serial.Console.StartInput(&Receive);
        Assert.Equal(typed, Encoding.ASCII.GetString([.. s_received]));
        Assert.Empty(_uart.Sent);
    }

    [Fact]
    public void A_device_that_only_talks_is_none_and_what_it_said_is_forgotten()
    {
        _uart.IsMute = true;
        _uart.TypedInLoopback = new byte[500];
        Assert.False(Serial.TryInitialize());
        _uart.IsMute = false;
        _uart.TypedInLoopback = [];
        _uart.Read(0);
        while ((_uart.Read(5) & 1) != 0)
            _uart.Read(0);
        Assert.True(Serial.TryInitialize());
        Serial.Console.StartInput(&Receive);
        Assert.Empty(s_received);
    }

    [Fact]
    public void One_interrupt_takes_no_more_than_a_FIFO()
    {
        Assert.True(Serial.TryInitialize());
        Serial.Console.StartInput(&Receive);
        _uart.Type(new byte[100]);
        HostedDevices.Raise(4);
        Assert.Equal(16, s_received.Count);
    }

    private static void Receive(byte value) => s_received.Add(value);

    private static void Write(byte[] text)
    {
        fixed (byte* bytes = text)
            Serial.Write(bytes, (nuint)text.Length);
    }
}
