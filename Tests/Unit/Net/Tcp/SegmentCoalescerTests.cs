using System.Linq;
using Ukl.Kernel.Net.Tcp;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>
/// Segments that come in one after the other are one to the connection, and nothing else changes for it. Over a hostile network, IPv6 too: the simulations whose cards do not
/// merge.
/// </summary>
public sealed unsafe class SegmentCoalescerTests
{
    private const int Size = 1000;
    private const uint Start = 1;

    private static readonly TcpFlags s_plain = TcpFlags.Acknowledgment, s_pushed = TcpFlags.Acknowledgment | TcpFlags.Push;

    [Fact]
    public void Segments_of_a_batch_are_one()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 1, bytes: 3 * Size, Frame(rig, 0), Frame(rig, Size), Frame(rig, 2 * Size));
        // One acknowledgement for all, as for a large segment.
        rig.Expect(TcpFlags.Acknowledgment, 1, Start + (3 * Size), 0);
    }

    [Fact]
    public void Another_batch_begins_anew()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 1, bytes: Size, Frame(rig, 0));
        CheckArrival(rig, segments: 1, bytes: Size, Frame(rig, Size));
    }

    [Fact]
    public void A_shorter_one_is_the_last()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 2, bytes: (3 * Size) + 10, Frame(rig, 0), Frame(rig, Size, 10), Frame(rig, Size + 10), Frame(rig, (2 * Size) + 10));
    }

    [Fact]
    public void A_larger_one_is_another()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 2, bytes: Size + 1100, Frame(rig, 0), Frame(rig, Size, 1100));
    }

    [Fact]
    public void What_is_pushed_is_the_last()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 2, bytes: 4 * Size, Frame(rig, 0), Frame(rig, Size, flags: s_pushed), Frame(rig, 2 * Size), Frame(rig, 3 * Size));
    }

    [Fact]
    public void No_more_than_a_packet_can_say()
    {
        using var rig = Establish();
        // All fit into the window, but with the headers of IP and TCP not into 65,535 bytes.
        const int size = 1365, count = 48;
        CheckArrival(rig, segments: 2, bytes: count * size, [.. Enumerable.Range(0, count).Select(number => Frame(rig, number * size, size))]);
    }

    [Fact]
    public void Small_ones_are_not_held()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 2, bytes: 200, Frame(rig, 0, 100), Frame(rig, 100, 100));
    }

    [Theory]
    [InlineData("window")]
    [InlineData("acknowledgment")]
    [InlineData("type of service")]
    [InlineData("time to live")]
    [InlineData("do not fragment")]
    [InlineData("urgent")]
    [InlineData("fin")]
    public void Other_headers_are_another(string difference)
    {
        using var rig = Establish();
        Assert.Equal(1ul, (ulong)rig.Send(1).Value);
        byte[] other = difference switch
        {
            "window" => rig.Build(s_plain, Start + Size, 1, window: 60_000, payload: Size),
            "acknowledgment" => rig.Build(s_plain, Start + Size, 2, payload: Size),
            "urgent" => rig.Build(s_plain | TcpFlags.Urgent, Start + Size, 1, payload: Size, urgent: 5000),
            "fin" => rig.Build(s_plain | TcpFlags.Fin, Start + Size, 1, payload: Size),
            "type of service" => Changed(1, 0x10),
            "time to live" => Changed(8, 63),
            _ => Changed(6, 0x40),
        };
        CheckArrival(rig, segments: 2, bytes: 2 * Size, Frame(rig, 0), other);

        byte[] Changed(int at, byte value)
        {
            byte[] frame = Frame(rig, Size);
            frame[Offload.EthernetSize + at] = value;
            Offload.Finish(frame);
            return frame;
        }
    }

    [Fact]
    public void Other_timestamps_are_another()
    {
        using var rig = Establish(timestamps: true);
        byte[] first = Frame(rig, 0), second = Frame(rig, Size);
        rig.TimestampValue++;
        CheckArrival(rig, segments: 2, bytes: 3 * Size, first, second, Frame(rig, 2 * Size));
    }

    [Fact]
    public void Nothing_is_put_behind_a_gap()
    {
        using var rig = Establish();
        CheckArrival(rig, segments: 2, bytes: Size, Frame(rig, 0), Frame(rig, 2 * Size));
        // The acknowledgement asks for what is missing; then all is there.
        CheckArrival(rig, segments: 1, bytes: 2 * Size, Frame(rig, Size));
    }

    [Fact]
    public void A_damaged_one_is_dropped_alone()
    {
        using var rig = Establish();
        byte[] damaged = Frame(rig, Size);
        damaged[^1] ^= 1;
        CheckArrival(rig, segments: 2, bytes: Size, Frame(rig, 0), damaged, Frame(rig, 2 * Size));
        CheckArrival(rig, segments: 1, bytes: 2 * Size, Frame(rig, Size));
    }

    [Fact]
    public void What_is_filled_up_or_in_pieces_is_not_held()
    {
        using var rig = Establish();
        byte[] filled = [.. Frame(rig, 0), 0, 0];
        CheckArrival(rig, segments: 2, bytes: 2 * Size, filled, Frame(rig, Size));
    }

    [Fact]
    public void Nothing_overtakes()
    {
        using var rig = Establish();
        // The acknowledgement in the middle is older than what follows: it must not come last.
        CheckArrival(rig, segments: 3, bytes: 2 * Size, Frame(rig, 0), rig.Build(s_plain, Start + Size, 1), Frame(rig, Size));
    }

    private static SegmentRig Establish(bool timestamps = false)
    {
        var rig = new SegmentRig(new CardSettings { Mtu = 1500 }) { UsesTimestamps = timestamps };
        rig.EstablishPassive(synOptions: timestamps ? rig.Timestamps() : null);
        return rig;
    }

    private static byte[] Frame(SegmentRig rig, int at, int size = Size, TcpFlags flags = TcpFlags.Acknowledgment) =>
        rig.Build(flags, Start + (uint)at, 1, payload: size);

    /// <summary>Frames come in one batch: the connection sees so many segments, and so many bytes of its stream can be read.</summary>
    private static void CheckArrival(SegmentRig rig, int segments, int bytes, params byte[][] frames)
    {
        ulong before = rig.Connection->Counters.SegmentsIn;
        ulong received = rig.Connection->Counters.BytesReceived;
        rig.Discard();
        rig.Host.Receive([.. frames]);
        Assert.Equal(segments, (int)(rig.Connection->Counters.SegmentsIn - before));
        byte[] buffer = new byte[(1 << 17) + 1];
        Assert.Equal(bytes, (int)rig.Receive(buffer, buffer.Length).Value);
        for (int i = 0; i < bytes; i++)
            Assert.Equal(SegmentRig.ByteAt(Start + (uint)received + (uint)i), buffer[i]);
    }
}
