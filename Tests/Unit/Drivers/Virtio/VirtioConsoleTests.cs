using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Ukl.Drivers;
using Ukl.Drivers.Virtio;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

public sealed unsafe class VirtioConsoleTests : IDisposable
{
    private const int Input = 0, Output = 1;
    private const ulong MultiPort = 1 << 1;

    private static readonly List<byte> s_received = [];
    private static readonly List<byte> s_onSerial = [];

    private readonly FakeVirtioDevice _device = new(3, 4, MultiPort | Features.EventIndex);
    private readonly List<byte> _shown = [];

    public VirtioConsoleTests()
    {
        VirtioRig.Clear();
        s_received.Clear();
        s_onSerial.Clear();
        _ = new FakeMmioBus(_device);
        _device.Notified = Show;
    }

    public void Dispose() => VirtioRig.Clear();

    [Fact]
    public void Without_another_console_the_device_is_one_of_a_single_port()
    {
        Start();
        Assert.True(_device.IsRunning);
        Assert.Equal(0ul, _device.Accepted & MultiPort);
        Assert.Equal([true, true, false, false], _device.Queues.Select(queue => queue.IsEnabled));
        Assert.True(Devices.Console.Write != null && Devices.Console.StartInput != null);
    }

    [Theory]
    [InlineData("", false, true)]
    [InlineData("", true, false)]
    [InlineData("console=virtio", true, true)]
    [InlineData("console=pipe console=virtio", true, true)]
    [InlineData("console=virtios", true, false)]
    public void With_another_console_it_is_used_when_that_takes_no_input_or_on_request(string commandLine, bool takesInput, bool isUsed)
    {
        Devices.Register(new ConsoleDevice { Write = &WriteSerial, StartInput = takesInput ? &StartSerial : null });
        Start(commandLine);
        Assert.Equal(isUsed, _device.IsRunning);
        Write("text");
        Assert.Equal(isUsed ? ("text", 0) : ("", 4), (Text(_shown), s_onSerial.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(5000)]
    public void What_is_written_goes_out_in_order(int length)
    {
        Start();
        string text = new([.. Enumerable.Range(0, length).Select(i => (char)('a' + i % 26))]);
        for (int round = 0; round < 20; round++)
        {
            _shown.Clear();
            Write(text);
            Assert.Equal(text, Text(_shown));
        }
    }

    [Fact]
    public void What_is_written_while_the_device_is_busy_goes_out_together()
    {
        Start();
        _device.Notified = _ => { };
        Write("a");
        for (int i = 0; i < 100; i++)
            Write("bc");
        FakeBuffer first = _device.Queues[Output].Pop()!;
        Assert.Equal(1u, Assert.Single(first.Segments).Length);
        Assert.Null(_device.Queues[Output].Pop());
        _device.Push(Output, first, 0);
        Assert.Equal(1, _device.Deliver());
        FakeBuffer second = _device.Queues[Output].Pop()!;
        Assert.Equal(200u, Assert.Single(second.Segments).Length);
        Assert.Null(_device.Queues[Output].Pop());
        _device.Push(Output, second, 0);
        Devices.Console.Flush();
        Assert.Null(_device.Queues[Output].Pop());
    }

    [Fact]
    public void What_is_typed_arrives_in_order_and_the_buffers_go_round()
    {
        Start();
        Assert.Null(_device.Queues[Input].Pop());
        Devices.Console.StartInput(&Receive);
        string all = "";
        for (int round = 0; round < 100; round++)
        {
            string typed = $"line {round}\n";
            all += typed;
            Type(typed);
            Assert.Equal(1, _device.Deliver());
        }
        Assert.Equal(all, Text(s_received));
    }

    [Fact]
    public void A_device_that_takes_nothing_holds_up_only_the_first_call()
    {
        Start();
        _device.Notified = _ => { };
        Write(new string('k', 4096));
        Write("lost");
        long start = Environment.TickCount64;
        for (int i = 0; i < 1000; i++)
            Write("lost too");
        Assert.InRange(Environment.TickCount64 - start, 0, 1000);
        Assert.True(_device.IsRunning);

        FakeBuffer buffer = _device.Queues[Output].Pop()!;
        Assert.Null(_device.Queues[Output].Pop());
        _device.Push(Output, buffer, 0);
        _device.Notified = Show;
        Write("back");
        Assert.EndsWith("back", Text(_shown));
    }

    [Theory]
    [InlineData(Input, 0u, 129u, "it says that it wrote past the end of a buffer")]
    [InlineData(Input, 7u, 1u, "it gave back a buffer that it did not have")]
    [InlineData(Output, uint.MaxValue, 1u, "it gave back a buffer that it did not have")]
    public void A_device_that_lies_is_stopped_and_the_console_before_it_takes_over(int queue, uint id, uint length, string reason)
    {
        Devices.Register(new ConsoleDevice { Write = &WriteSerial });
        Start();
        Devices.Console.StartInput(&Receive);
        int start = VirtioRig.Mark();
        if (queue == Output)
        {
            _device.Notified = _ => _device.Queues[Output].PushSplit(id, length);
            Write("to the fallback");
        }
        else
        {
            _ = _device.Queues[Input].Pop();
            _device.Queues[Input].PushSplit(id, length);
            _device.Raise(Input);
            _device.Deliver();
            Write("to the fallback");
        }
        Assert.Equal($"ukl: virtio-console is not used: {reason}\n", VirtioRig.Said(start));
        Assert.False(_device.IsRunning);
        Write(", which goes on");
        Assert.EndsWith(", which goes on", Text(s_onSerial));
        Assert.Empty(s_received);
    }

    [Fact]
    public void A_device_that_needs_a_reset_is_not_waited_for()
    {
        Start();
        _device.Notified = _ => _device.SetNeedsReset();
        int start = VirtioRig.Mark();
        Write("lost");
        Devices.Console.Flush();
        Write("lost");
        Assert.Equal("ukl: virtio-console is not used: it needs a reset\n", VirtioRig.Said(start));
    }

    private static void Start(string commandLine = "")
    {
        var line = new CommandLine();
        line.Set(Encoding.ASCII.GetBytes($"virtio_mmio.device=512@0xfeb00200:12 {commandLine}"));
        Registration.StartAll(&line);
    }

    private static string Text(List<byte> bytes) => Encoding.ASCII.GetString([.. bytes]);

    private static void Write(string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        fixed (byte* start = bytes)
            Devices.Console.Write(start, (nuint)bytes.Length);
    }

    /// <summary>What a device does that works: shows a buffer and gives it back.</summary>
    private void Show(int queue)
    {
        if (queue != Output)
            return;
        while (_device.Queues[Output].Pop() is { } buffer)
        {
            (ulong address, uint length, bool isWritable) = Assert.Single(buffer.Segments);
            Assert.False(isWritable);
            _shown.AddRange(new ReadOnlySpan<byte>((byte*)DirectMap.Base + address, (int)length));
            _device.Push(Output, buffer, 0);
        }
    }

    private void Type(string text)
    {
        FakeBuffer? buffer = _device.Queues[Input].Pop();
        Assert.NotNull(buffer);
        (ulong address, uint length, bool isWritable) = Assert.Single(buffer.Segments);
        Assert.True(isWritable && length == 128);
        Encoding.ASCII.GetBytes(text).CopyTo(new Span<byte>((byte*)DirectMap.Base + address, (int)length));
        _device.Push(Input, buffer, (uint)text.Length);
    }

    private static void Receive(byte value) => s_received.Add(value);

    private static void WriteSerial(byte* bytes, nuint count) => s_onSerial.AddRange(new ReadOnlySpan<byte>(bytes, (int)count));

    private static void StartSerial(delegate*<byte, void> receive)
    {
    }
}
