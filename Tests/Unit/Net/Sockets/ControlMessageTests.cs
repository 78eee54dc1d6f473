using System;
using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net.Sockets;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Net.Sockets;

public sealed unsafe class ControlMessageTests : IDisposable
{
    private readonly KernelRig _rig = new();

    public void Dispose() => _rig.Dispose();

    private ControlWriter Writer(nuint size, out byte* memory)
    {
        memory = _rig.Alloc<byte>((int)size + 8);
        return new ControlWriter { Address = (ulong)memory, Left = size };
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        ControlWriter writer = Writer(128, out byte* memory);
        MessageFlags returned = MessageFlags.None;
        ulong first = 0x1122334455667788;
        byte second = 9;
        writer.Put(1, 2, &first, 8, ref returned);
        writer.Put(3, 4, &second, 1, ref returned);
        Assert.Equal(MessageFlags.None, returned);
        Assert.Equal(128u - 24 - 24, writer.Left);

        var reader = new ControlReader(memory, 128 - writer.Left);
        Assert.True(reader.MoveNext(out Errno error));
        Assert.Equal((1, 2, 8), (reader.Current->Level, reader.Current->Type, (int)reader.DataLength));
        Assert.Equal(first, *(ulong*)reader.Data);
        Assert.True(reader.MoveNext(out error));
        Assert.Equal((3, 4, 1), (reader.Current->Level, reader.Current->Type, (int)reader.DataLength));
        Assert.Equal(second, *reader.Data);
        Assert.False(reader.MoveNext(out error));
        Assert.Equal(Errno.None, error);
    }

    [Theory]
    [InlineData(24, 24, MessageFlags.None)]
    [InlineData(20, 20, MessageFlags.ControlTruncated)]
    [InlineData(16, 16, MessageFlags.ControlTruncated)]
    public void A_message_that_does_not_fit_is_cut(uint room, ulong length, MessageFlags expected)
    {
        ControlWriter writer = Writer(room, out byte* memory);
        MessageFlags returned = MessageFlags.None;
        ulong value = ulong.MaxValue;
        writer.Put(1, 2, &value, 8, ref returned);
        Assert.Equal(expected, returned);
        Assert.Equal(length, ((ControlHeader*)memory)->Length);
        Assert.Equal(0u, writer.Left);
        Assert.Equal(0, memory[room]);
    }

    [Fact]
    public void Without_room_for_a_header_nothing_is_written()
    {
        ControlWriter writer = Writer(15, out byte* memory);
        MessageFlags returned = MessageFlags.None;
        writer.Put(1, 2, memory, 0, ref returned);
        Assert.Equal(MessageFlags.ControlTruncated, returned);
        Assert.Equal(0ul, ((ControlHeader*)memory)->Length);
        Assert.Equal(15u, writer.Left);
    }

    [Theory]
    [InlineData(15ul, 64u)]
    [InlineData(65ul, 64u)]
    [InlineData(ulong.MaxValue, 64u)]
    public void A_length_that_makes_no_sense_is_an_error(ulong length, uint size)
    {
        byte* memory = _rig.Alloc<byte>((int)size);
        ((ControlHeader*)memory)->Length = length;
        var reader = new ControlReader(memory, size);
        Assert.False(reader.MoveNext(out Errno error));
        Assert.Equal(Errno.EINVAL, error);
    }

    /// <summary>Whatever the bytes are, the reader stays within them and comes to an end.</summary>
    [Fact]
    public void Random_bytes_are_never_left() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        bytes =>
        {
            byte* memory = _rig.Alloc<byte>(bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(memory, bytes.Length));
            // Lengths that are small enough to matter.
            for (int i = 0; i + 8 <= bytes.Length; i += 8)
                *(ulong*)(memory + i) &= 0x3f;
            var reader = new ControlReader(memory, (nuint)bytes.Length);
            var seen = new HashSet<nint>();
            while (reader.MoveNext(out _))
            {
                Assert.True(seen.Add((nint)reader.Current));
                Assert.True(reader.Data + reader.DataLength <= memory + bytes.Length);
            }
        }).QuickCheckThrowOnFailure();
}
