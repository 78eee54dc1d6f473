using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>A segment on the wire, its numbers relative to the initial ones of each side.</summary>
internal sealed record WireSegment(TcpFlags Flags, uint Sequence, uint Acknowledgment, ushort Window, byte[] Payload, byte[] Options)
{
    public override string ToString() => $"{Flags} seq {Sequence} ack {Acknowledgment} win {Window} len {Payload.Length}";
}

/// <summary>
/// One stack, and a peer that is played by the test segment by segment. Numbers of the test are relative: the stack's initial number and the peer's are 0.
/// </summary>
internal sealed unsafe class SegmentRig : IDisposable
{
    public const ushort PeerPort = 5000;
    public const ushort LocalPort = 80;
    private const uint PeerIss = 0xffff_fff0;

    private readonly SimulatedHost _neighbor;
    private readonly List<byte[]> _sent = [];
    private readonly GCHandle _handle;
    private uint _localIss;
    private bool _knowsIss;

    public SegmentRig(CardSettings? card = null)
    {
        World = new SimulatedWorld(1);
        Host = new SimulatedHost(World, 1, card ?? new CardSettings());
        _neighbor = new SimulatedHost(World, 2, new CardSettings { Mtu = Host.Stack->Loopback->Next->Mtu });
        var link = new SimulatedLink(World, Host, _neighbor, new LinkSettings { Delay = 0 });
        Host.Link = link;
        _neighbor.Link = link;
        link.Filter = Capture;
        _handle = GCHandle.Alloc(this);
        // The neighbour's Ethernet address is learned before the first segment.
        Host.Do(() =>
        {
            TcpConnection* probe = TcpCalls.Create(Host.Stack, false);
            Assert.Equal(Errno.EINPROGRESS, TcpCalls.Connect(probe, _neighbor.Address4, 9));
            TcpCalls.Close(probe, false);
            TcpCalls.Release(probe);
        });
        World.Run(100 * SimulatedWorld.Millisecond);
        _sent.Clear();
        _knowsIss = false;
        _localIss = 0;
    }

    public SimulatedWorld World { get; }

    public SimulatedHost Host { get; }

    public TcpConnection* Listener { get; private set; }

    /// <summary>The connection under test.</summary>
    public TcpConnection* Connection { get; private set; }

    /// <summary>What Notify was told since the last look.</summary>
    public PollEvents Events { get; set; }

    /// <summary>How often Notify was called.</summary>
    public int Notifications { get; set; }

    /// <summary>Whether segments to the stack carry timestamps, and the value and echo of the next.</summary>
    public bool UsesTimestamps { get; set; }

    public uint TimestampValue { get; set; } = 1000;

    public uint TimestampEcho { get; set; }

    /// <summary>The state of the connection under test.</summary>
    public ConnectionState State => Connection->State;

    public ushort RemotePort { get; set; } = PeerPort;

    /// <summary>A way into the stack.</summary>
    public void Do(Action action) => Host.Do(action);

    public void Listen(int backlog = 16, Action<nint>? configure = null)
    {
        Do(() =>
        {
            Listener = TcpCalls.Create(Host.Stack, false);
            TcpCalls.SetPortFlag(Listener, PortFlags.ReuseAddress, true);
            Assert.Equal(Errno.None, TcpCalls.Bind(Listener, IpAddress.Any4, LocalPort));
            configure?.Invoke((nint)Listener);
            Assert.Equal(Errno.None, TcpCalls.Listen(Listener, backlog));
        });
    }

    /// <summary>Begins to connect to the peer, from port 80.</summary>
    public void Connect()
    {
        Do(() =>
        {
            Connection = TcpCalls.Create(Host.Stack, false);
            TcpCalls.SetPortFlag(Connection, PortFlags.ReuseAddress, true);
            Assert.Equal(Errno.None, TcpCalls.Bind(Connection, IpAddress.Any4, LocalPort));
            Assert.Equal(Errno.EINPROGRESS, TcpCalls.Connect(Connection, _neighbor.Address4, PeerPort));
            Adopt(Connection);
        });
    }

    public TcpConnection* Accept()
    {
        TcpConnection* accepted = null;
        Do(() =>
        {
            accepted = TcpCalls.Accept(Listener, out _);
            if (accepted != null)
                Adopt(accepted);
        });
        return accepted;
    }

    /// <summary>An established connection that the peer opened; the peer's next number is 1, and so is the stack's.</summary>
    public void EstablishPassive(ushort window = 65535, byte[]? synOptions = null)
    {
        if (Listener == null)
            Listen();
        Inject(TcpFlags.Syn, 0, 0, window, options: synOptions);
        Expect(TcpFlags.Syn | TcpFlags.Acknowledgment, 0, 1);
        Inject(TcpFlags.Acknowledgment, 1, 1, window);
        Connection = Accept();
        Assert.True(Connection != null);
        Assert.Equal(ConnectionState.Established, State);
        ExpectNothing();
        Events = PollEvents.None;
    }

    /// <summary>An established connection that the stack opened.</summary>
    public void EstablishActive(ushort window = 65535, byte[]? synOptions = null)
    {
        Connect();
        Expect(TcpFlags.Syn, 0, 0);
        Inject(TcpFlags.Syn | TcpFlags.Acknowledgment, 0, 1, window, options: synOptions);
        Expect(TcpFlags.Acknowledgment, 1, 1);
        Assert.Equal(ConnectionState.Established, State);
        Events = PollEvents.None;
    }

    /// <summary>A segment from the peer. Numbers are relative.</summary>
    public void Inject(TcpFlags flags, uint sequence, uint acknowledgment, ushort window = 65535, int payload = 0, byte[]? options = null, ushort urgent = 0)
    {
        Host.Receive([Build(flags, sequence, acknowledgment, window, payload, options, urgent)]);
    }

    /// <summary>A frame of the peer.</summary>
    public byte[] Build(TcpFlags flags, uint sequence, uint acknowledgment, ushort window = 65535, int payload = 0, byte[]? options = null, ushort urgent = 0)
    {
        if (options == null && UsesTimestamps)
            options = Timestamps();
        options ??= [];
        int size = 20 + options.Length;
        byte[] frame = new byte[Offload.EthernetSize + 20 + size + payload];
        Span<byte> ethernet = frame;
        Host.Card->Mac.Write(ethernet);
        ethernet[12] = 0x08;
        Span<byte> ip = ethernet[Offload.EthernetSize..];
        ip[0] = 0x45;
        ip[8] = 64;
        ip[9] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], _neighbor.Address4.V4);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], Host.Address4.V4);
        Span<byte> tcp = ip[20..];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, RemotePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], LocalPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence + PeerIss);
        bool isAck = (flags & TcpFlags.Acknowledgment) != 0;
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], isAck ? acknowledgment + _localIss : acknowledgment);
        tcp[12] = (byte)(size << 2);
        tcp[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], window);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[18..], urgent);
        options.CopyTo(tcp[20..]);
        for (int i = 0; i < payload; i++)
            tcp[size + i] = ByteAt(sequence + (uint)i);
        Offload.Finish(frame);
        return frame;
    }

    /// <summary>What the peer's stream has at a (relative) number.</summary>
    public static byte ByteAt(uint sequence) => (byte)((sequence * 7) + 3);

    public byte[] Timestamps()
    {
        byte[] options = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(4), TimestampValue);
        BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(8), TimestampEcho);
        return options;
    }

    /// <summary>A SACK option that tells of the peer's numbers.</summary>
    public static byte[] SackOfPeer(params (uint Start, uint End)[] blocks) => SackOption(PeerIss, blocks);

    /// <summary>SACK blocks of the stack's own numbers, which are relative.</summary>
    public byte[] SackOfLocal(params (uint Start, uint End)[] blocks) => SackOption(_localIss, blocks);

    /// <summary>The segments the stack sent since the last look.</summary>
    public List<WireSegment> TakeSent()
    {
        var segments = new List<WireSegment>();
        foreach (byte[] frame in _sent)
            segments.Add(Parse(frame));
        _sent.Clear();
        return segments;
    }

    /// <summary>Forgets what the stack sent.</summary>
    public void Discard() => _sent.Clear();

    /// <summary>Whether the stack has sent something since the last look.</summary>
    public bool HasSent => _sent.Count != 0;

    /// <summary>What the stack sent last, as it was on the wire.</summary>
    public byte[] LastFrame => _sent[^1];

    /// <summary>A router says that a frame of the stack was too large (RFC 1191).</summary>
    public void InjectTooBig(byte[] lost, ushort mtu)
    {
        const int quoted = 28;
        byte[] frame = new byte[Offload.EthernetSize + 20 + 8 + quoted];
        Host.Card->Mac.Write(frame);
        frame[12] = 0x08;
        Span<byte> ip = frame.AsSpan(Offload.EthernetSize);
        ip[0] = 0x45;
        ip[8] = 64;
        ip[9] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], _neighbor.Address4.V4);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], Host.Address4.V4);
        ip[20] = 3;
        ip[21] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(ip[26..], mtu);
        lost.AsSpan(Offload.EthernetSize, quoted).CopyTo(ip[28..]);
        Sum(ip[..20], 10);
        Sum(ip[20..], 2);
        Host.Receive([frame]);

        static void Sum(Span<byte> bytes, int field)
        {
            ushort sum;
            fixed (byte* first = bytes)
                sum = (ushort)~InternetChecksum.Sum(first, (nuint)bytes.Length);
            MemoryMarshal.Write(bytes[field..], sum);
        }
    }

    /// <summary>The stack sent one segment: this one.</summary>
    public WireSegment Expect(TcpFlags flags, uint sequence, uint acknowledgment, int? payload = null)
    {
        List<WireSegment> sent = TakeSent();
        Assert.True(sent.Count == 1, $"expected one segment, got {sent.Count}: {string.Join("; ", sent)}");
        WireSegment only = sent[0];
        Assert.True((only.Flags & ~TcpFlags.Push) == flags && only.Sequence == sequence && only.Acknowledgment == acknowledgment
            && (payload == null || only.Payload.Length == payload), $"expected {flags} seq {sequence} ack {acknowledgment} len {payload}, got {only}");
        return only;
    }

    public void ExpectNothing()
    {
        List<WireSegment> sent = TakeSent();
        Assert.True(sent.Count == 0, $"expected nothing, got {string.Join("; ", sent)}");
    }

    public Result Send(int count, TcpSendFlags flags = TcpSendFlags.None)
    {
        Result result = default;
        Do(() =>
        {
            var source = new PatternBytes(1, 0);
            result = TcpCalls.Send(Connection, ref source, (nuint)count, flags);
        });
        return result;
    }

    /// <summary>Reads and checks nothing.</summary>
    public Result Receive(int count, TcpReceiveFlags flags = TcpReceiveFlags.None)
    {
        byte[] buffer = new byte[Math.Max(count, 1)];
        return Receive(buffer, count, flags);
    }

    public Result Receive(byte[] buffer, int count, TcpReceiveFlags flags = TcpReceiveFlags.None)
    {
        Result result = default;
        Do(() =>
        {
            fixed (byte* to = buffer)
            {
                var sink = new KernelBytes(to);
                result = TcpCalls.Receive(Connection, ref sink, (nuint)count, flags);
            }
        });
        return result;
    }

    public void Shutdown(ShutdownHow how) => Do(() => Assert.Equal(Errno.None, TcpCalls.Shutdown(Connection, how)));

    /// <summary>The test has given the connection up itself.</summary>
    public void Forget() => Connection = null;

    public void Close(bool isAbort = false) => Do(() =>
    {
        TcpCalls.Close(Connection, isAbort);
        TcpCalls.Release(Connection);
        Connection = null;
    });

    public void Dispose()
    {
        if (Connection != null)
            Close(true);
        if (Listener != null)
        {
            Do(() =>
            {
                TcpCalls.Close(Listener, false);
                TcpCalls.Release(Listener);
            });
        }
        // An orphan that nobody answers gives up after eight retries of at most two minutes.
        World.Run(1200 * SimulatedWorld.Second);
        Host.CheckAtRest("after the test");
        Host.Dispose();
        _neighbor.Dispose();
        _handle.Free();
    }

    private static byte[] SackOption(uint iss, (uint Start, uint End)[] blocks)
    {
        byte[] options = new byte[4 + (blocks.Length * 8)];
        options[0] = 1;
        options[1] = 1;
        options[2] = 5;
        options[3] = (byte)(2 + (blocks.Length * 8));
        for (int i = 0; i < blocks.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(4 + (i * 8)), blocks[i].Start + iss);
            BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(8 + (i * 8)), blocks[i].End + iss);
        }
        return options;
    }

    private void Adopt(TcpConnection* connection)
    {
        connection->Owner = (void*)GCHandle.ToIntPtr(_handle);
        connection->Notify = &OnNotify;
    }

    private static void OnNotify(TcpConnection* connection, PollEvents events)
    {
        var rig = (SegmentRig)GCHandle.FromIntPtr((nint)connection->Owner).Target!;
        rig.Events |= events;
        rig.Notifications++;
    }

    private bool Capture(SimulatedHost from, byte[] frame)
    {
        if (from != Host)
            return false;
        if ((FlagsOf(frame) & TcpFlags.Syn) != 0)
        {
            _localIss = Offload.SequenceOf(frame);
            _knowsIss = true;
        }
        _sent.Add(frame);
        return false;
    }

    private static TcpFlags FlagsOf(byte[] frame) => (TcpFlags)Offload.FlagsOf(frame);

    private WireSegment Parse(byte[] frame)
    {
        Assert.True(Offload.IsRight(frame), "a wrong checksum");
        int tcp = Offload.TransportOf(frame);
        int payload = Offload.PayloadOf(frame);
        TcpFlags flags = FlagsOf(frame);
        uint acknowledgment = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(tcp + 8));
        return new WireSegment(flags, Offload.SequenceOf(frame) - (_knowsIss ? _localIss : 0),
            (flags & TcpFlags.Acknowledgment) != 0 ? acknowledgment - PeerIss : acknowledgment,
            BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(tcp + 14)), frame[payload..Offload.EndOf(frame)], frame[(tcp + 20)..payload]);
    }
}
