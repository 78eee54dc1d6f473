using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Files.Terminals;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>A line discipline with its other side: what was sent to the screen and which signals it raised.</summary>
internal sealed unsafe class DisciplineRig : IDisposable
{
    private readonly LineDiscipline* _discipline = (LineDiscipline*)NativeMemory.AllocZeroed((nuint)sizeof(LineDiscipline));
    private readonly void* _ring = NativeMemory.AllocZeroed(LineDiscipline.RingBytes);
    private readonly List<byte> _screen = [];
    private GCHandle _self;

    public DisciplineRig()
    {
        _self = GCHandle.Alloc(this);
        Line.Initialize(_ring, new TerminalPort { Write = &Write, Signal = &Signal, Context = (void*)GCHandle.ToIntPtr(_self) });
    }

    public ref LineDiscipline Line => ref *_discipline;

    public List<int> Signals { get; } = [];

    /// <summary>What reached the screen since it was last asked for.</summary>
    public string Screen
    {
        get
        {
            string text = Encoding.UTF8.GetString(_screen.ToArray());
            _screen.Clear();
            return text;
        }
    }

    public void Type(string text) => Line.Receive(Encoding.UTF8.GetBytes(text));

    public string Read(int count = 4096)
    {
        byte[] bytes = new byte[count];
        return Encoding.UTF8.GetString(bytes, 0, Line.Read(bytes, out _));
    }

    public void Change(Func<TerminalSettings, TerminalSettings> change) => Line.Configure(change(Line.Settings));

    public void Dispose()
    {
        _self.Free();
        NativeMemory.Free(_ring);
        NativeMemory.Free(_discipline);
    }

    private static DisciplineRig Of(void* context) => (DisciplineRig)GCHandle.FromIntPtr((nint)context).Target!;

    private static void Write(void* context, byte* bytes, nuint count) => Of(context)._screen.AddRange(new ReadOnlySpan<byte>(bytes, (int)count));

    private static void Signal(void* context, int signal) => Of(context).Signals.Add(signal);
}

public sealed class LineDisciplineTests : IDisposable
{
    private readonly DisciplineRig _rig = new();

    public void Dispose() => _rig.Dispose();

    private void Local(LocalModes on = 0, LocalModes off = 0) => _rig.Change(s => s with { Local = (s.Local | on) & ~off });

    private void Input(InputModes on = 0, InputModes off = 0) => _rig.Change(s => s with { Input = (s.Input | on) & ~off });

    [Fact]
    public void A_line_is_readable_only_when_it_is_ended()
    {
        _rig.Type("hello");
        Assert.False(_rig.Line.CanRead());
        Assert.Equal(0, _rig.Line.ReadableBytes);
        _rig.Type("\r");
        Assert.Equal(6, _rig.Line.ReadableBytes);
        Assert.Equal("hello\n", _rig.Read());
        Assert.False(_rig.Line.CanRead());
        Assert.Equal("hello\r\n", _rig.Screen);
    }

    [Fact]
    public void A_read_takes_one_line_and_a_short_read_leaves_the_rest()
    {
        _rig.Type("one\ntwo\n");
        Assert.Equal("on", _rig.Read(2));
        Assert.Equal("e\n", _rig.Read());
        Assert.Equal("two\n", _rig.Read());
    }

    [Theory]
    [InlineData("ab\u007f\u007fc\n", "c\n", "ab\b \b\b \bc\r\n")]
    [InlineData("\u007fx\n", "x\n", "x\r\n")]
    [InlineData("one two\u0017three\n", "one three\n", "one two\b \b\b \b\b \bthree\r\n")]
    [InlineData("ab  \u0017\n", "\n", "ab  \b \b\b \b\b \b\b \b\r\n")]
    [InlineData("abc\u0015x\n", "x\n", "abc\b \b\b \b\b \bx\r\n")]
    [InlineData("a\u0001\u007f\n", "a\n", "a^A\b \b\b \b\r\n")]
    [InlineData("é\u007fx\n", "x\n", "é\b \bx\r\n")]
    [InlineData("ab\u0012c\n", "abc\n", "ab^R\r\nabc\r\n")]
    [InlineData("\u0016\u0003\n", "\u0003\n", "^\b^C\r\n")]
    [InlineData("a\tb\u007f\u007f\u007f\n", "\n", "a\tb\b \b\b\b\b\b\b\b\b\b \b\r\n")]
    public void Editing_changes_the_line_and_the_screen(string typed, string read, string screen)
    {
        _rig.Type(typed);
        Assert.Equal(screen, _rig.Screen);
        Assert.Equal(read, _rig.Read());
        Assert.Empty(_rig.Signals);
    }

    [Fact]
    public void Erasing_stops_at_the_last_line_end()
    {
        _rig.Type("one\n\u007f\u0015\u0017two\n");
        Assert.Equal("one\n", _rig.Read());
        Assert.Equal("two\n", _rig.Read());
    }

    [Fact]
    public void End_of_file_alone_reads_nothing_and_after_text_ends_the_read()
    {
        _rig.Type("\u0004");
        Assert.True(_rig.Line.CanRead());
        Assert.Equal(0, _rig.Line.ReadableBytes);
        Assert.Equal("", _rig.Read());
        Assert.False(_rig.Line.CanRead());
        _rig.Type("abc\u0004");
        Assert.Equal("abc", _rig.Read(3));
        Assert.False(_rig.Line.CanRead());
        Assert.Equal("abc", _rig.Screen);
    }

    [Theory]
    [InlineData("\u0003", 2, "^C")]
    [InlineData("\u001c", 3, "^\\")]
    [InlineData("\u001a", 20, "^Z")]
    public void Signal_characters_signal_echo_and_flush(string typed, int signal, string screen)
    {
        _rig.Type("pending\nhalf" + typed);
        Assert.Equal([signal], _rig.Signals);
        Assert.EndsWith(screen, _rig.Screen, StringComparison.Ordinal);
        Assert.False(_rig.Line.CanRead());
        _rig.Type("x\n");
        Assert.Equal("x\n", _rig.Read());
    }

    [Fact]
    public void Without_isig_the_interrupt_character_is_a_character()
    {
        Local(off: LocalModes.Signals);
        _rig.Type("\u0003\n");
        Assert.Empty(_rig.Signals);
        Assert.Equal("\u0003\n", _rig.Read());
    }

    [Fact]
    public void Noflsh_keeps_what_was_typed()
    {
        Local(on: LocalModes.NoFlush);
        _rig.Type("kept\n\u0003");
        Assert.Equal("kept\n", _rig.Read());
    }

    [Fact]
    public void A_full_ring_still_takes_the_interrupt_character()
    {
        for (int i = 0; i < 100; i++)
            _rig.Type(new string('x', 99) + "\n");
        Assert.True(_rig.Line.ReadableBytes < LineDiscipline.Capacity);
        _rig.Type("\u0003");
        Assert.Equal([2], _rig.Signals);
    }

    [Fact]
    public void A_line_longer_than_the_ring_can_still_be_ended()
    {
        _rig.Type(new string('x', 5000) + "\n");
        string line = _rig.Read(8192);
        Assert.Equal(LineDiscipline.Capacity - 1, line.Length);
        Assert.Equal('\n', line[^1]);
    }

    [Fact]
    public void A_full_ring_drops_what_comes_without_echo()
    {
        _rig.Type(new string('x', 4000) + "\n" + new string('y', 94));
        _ = _rig.Screen;
        _rig.Type("zz");
        Assert.Equal("", _rig.Screen);
        _rig.Type("\u007f\n");
        Assert.Equal(4001, _rig.Read(8192).Length);
        Assert.Equal(new string('y', 93) + "\n", _rig.Read());
    }

    [Fact]
    public void Raw_mode_gives_bytes_as_they_come()
    {
        Local(off: LocalModes.Canonical | LocalModes.Echo | LocalModes.Signals);
        Input(off: InputModes.ReturnToNewline | InputModes.FlowControlOutput);
        _rig.Type("a\r\u0003\u0011");
        Assert.Equal(4, _rig.Line.ReadableBytes);
        Assert.True(_rig.Line.CanRead(4));
        Assert.False(_rig.Line.CanRead(5));
        Assert.Equal("a\r\u0003\u0011", _rig.Read());
        Assert.Equal("", _rig.Screen);
    }

    [Fact]
    public void Leaving_canonical_mode_frees_the_unfinished_line_and_returning_makes_it_a_line()
    {
        _rig.Type("ab");
        Local(off: LocalModes.Canonical);
        Assert.Equal(2, _rig.Line.ReadableBytes);
        Local(on: LocalModes.Canonical);
        Assert.True(_rig.Line.CanRead());
        Assert.Equal("ab", _rig.Read());
    }

    [Theory]
    [InlineData(InputModes.IgnoreReturn, InputModes.ReturnToNewline, "a\rb\n", "ab\n")]
    [InlineData(InputModes.NewlineToReturn, InputModes.ReturnToNewline, "a\nb\u0004", "a\rb")]
    [InlineData(InputModes.None, InputModes.ReturnToNewline, "a\rb\n", "a\rb\n")]
    [InlineData(InputModes.UpperToLower, InputModes.None, "ABc\n", "abc\n")]
    public void Input_modes_translate(InputModes on, InputModes off, string typed, string read)
    {
        Input(on, off);
        _rig.Type(typed);
        Assert.Equal(read, _rig.Read());
    }

    [Fact]
    public void Istrip_clears_the_eighth_bit_and_parmrk_doubles_ff()
    {
        Input(on: InputModes.Strip);
        _rig.Line.Receive([0xe1, (byte)'\n']);
        Assert.Equal("a\n", _rig.Read());
        Input(on: InputModes.MarkParity, off: InputModes.Strip | InputModes.Utf8);
        _rig.Line.Receive([0xff, (byte)'\n']);
        byte[] bytes = new byte[8];
        Assert.Equal(3, _rig.Line.Read(bytes, out _));
        Assert.Equal([0xff, 0xff, (byte)'\n'], bytes[..3]);
    }

    [Fact]
    public void Without_echo_only_echonl_shows_a_newline()
    {
        Local(off: LocalModes.Echo);
        _rig.Type("secret\u007f\u0015again\n");
        Assert.Equal("", _rig.Screen);
        Assert.Equal("again\n", _rig.Read());
        Local(on: LocalModes.EchoNewline);
        _rig.Type("x\n");
        Assert.Equal("\r\n", _rig.Screen);
    }

    [Fact]
    public void Echoprt_prints_erased_text_between_slashes()
    {
        Local(on: LocalModes.EchoErasedText);
        _rig.Type("abc\u007f\u007fd\n");
        Assert.Equal("abc\\cb/d\r\n", _rig.Screen);
        Assert.Equal("ad\n", _rig.Read());
    }

    [Fact]
    public void Kill_without_echoke_starts_a_new_line()
    {
        Local(off: LocalModes.EchoKillErase);
        _rig.Type("abc\u0015d\n");
        Assert.Equal("abc^U\r\nd\r\n", _rig.Screen);
        Assert.Equal("d\n", _rig.Read());
    }

    [Fact]
    public void Stopped_output_is_held_until_started()
    {
        _rig.Type("\u0013abc");
        Assert.True(_rig.Line.Output.IsStopped);
        Assert.Equal("", _rig.Screen);
        _rig.Type("\u0011");
        Assert.Equal("abc", _rig.Screen);
        Input(on: InputModes.AnyStarts);
        _rig.Type("\u0013d");
        Assert.Equal("d", _rig.Screen);
        Assert.False(_rig.Line.Output.IsStopped);
    }

    [Fact]
    public void Interrupt_starts_stopped_output()
    {
        _rig.Type("\u0013abc\u0003");
        Assert.False(_rig.Line.Output.IsStopped);
        Assert.Equal("^C", _rig.Screen);
    }

    [Fact]
    public void Eol_characters_end_lines()
    {
        _rig.Change(s =>
        {
            s.Characters[(int)ControlCharacter.EndOfLine] = (byte)';';
            s.Characters[(int)ControlCharacter.EndOfLine2] = (byte)'|';
            return s;
        });
        _rig.Type("a;b|c\n");
        Assert.Equal("a;", _rig.Read());
        Assert.Equal("b|", _rig.Read());
        Assert.Equal("c\n", _rig.Read());
        Assert.Equal("a;b|c\r\n", _rig.Screen);
    }

    [Theory]
    [InlineData(OutputModes.None, "a\nb\tc", "a\nb\tc")]
    [InlineData(OutputModes.Process, "a\nb", "a\nb")]
    [InlineData(OutputModes.Process | OutputModes.NewlineToReturnNewline, "a\n\nb", "a\r\n\r\nb")]
    [InlineData(OutputModes.Process | OutputModes.ReturnToNewline, "a\rb", "a\nb")]
    [InlineData(OutputModes.Process | OutputModes.NoReturnAtColumnZero, "\ra\rb", "a\rb")]
    [InlineData(OutputModes.Process | OutputModes.ExpandTabs, "a\tb", "a       b")]
    [InlineData(OutputModes.Process | OutputModes.LowerToUpper, "aé\n", "Aé\n")]
    public void Output_modes_translate(OutputModes modes, string written, string screen)
    {
        _rig.Change(s => s with { Output = modes });
        _rig.Line.Output.Write(_rig.Line.Settings, Encoding.UTF8.GetBytes(written));
        Assert.Equal(screen, _rig.Screen);
    }

    // For any settings and any input: reads never exceed what was asked for, the ring never overflows, and with line editing, echo and
    // translation off every byte comes out as it went in.
    [Fact]
    public void Any_input_under_any_settings_keeps_the_ring_sound()
    {
        var steps = Gen.ArrayOf(Gen.OneOf(
            Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>()).Select(bytes => (Settings: (uint[]?)null, Bytes: bytes, Read: -1)),
            Gen.Choose(0, 300).Select(count => (Settings: (uint[]?)null, Bytes: Array.Empty<byte>(), Read: count)),
            Gen.ArrayOf(ArbMap.Default.GeneratorFor<uint>(), 3).Select(modes => (Settings: (uint[]?)modes, Bytes: Array.Empty<byte>(), Read: -1))));
        Prop.ForAll(steps.ToArbitrary(), sequence =>
        {
            using var rig = new DisciplineRig();
            foreach (var step in sequence)
            {
                if (step.Settings is { } modes)
                    rig.Change(s => s with { Input = (InputModes)modes[0], Output = (OutputModes)modes[1], Local = (LocalModes)modes[2] });
                rig.Line.Receive(step.Bytes);
                Assert.InRange(rig.Line.ReadableBytes, 0, LineDiscipline.Capacity - 1);
                if (step.Read >= 0)
                {
                    int before = rig.Line.ReadableBytes;
                    byte[] bytes = new byte[step.Read];
                    Assert.InRange(rig.Line.Read(bytes, out _), 0, Math.Min(step.Read, before));
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Raw_input_comes_out_as_it_went_in()
    {
        var pieces = Gen.ArrayOf(Gen.Zip(Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>()), Gen.Choose(0, 50)));
        Prop.ForAll(pieces.ToArbitrary(), sequence =>
        {
            using var rig = new DisciplineRig();
            rig.Change(s => s with { Input = 0, Output = 0, Local = 0 });
            List<byte> sent = [], got = [];
            foreach ((byte[] bytes, int read) in sequence)
            {
                rig.Line.Receive(bytes);
                sent.AddRange(bytes);
                byte[] buffer = new byte[read];
                got.AddRange(buffer.Take(rig.Line.Read(buffer, out _)));
            }
            byte[] rest = new byte[LineDiscipline.Capacity];
            got.AddRange(rest.Take(rig.Line.Read(rest, out _)));
            Assert.Equal(sent, got);
        }).QuickCheckThrowOnFailure();
    }
}
