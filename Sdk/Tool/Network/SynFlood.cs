using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Ukl.Tool.Network;

/// <summary>
/// Begins connections that are never completed, from addresses that never answer, until it is disposed of: more per second
/// than a listener may keep half open, but no more than a guest's CPU can look at. The addresses are those reserved for
/// benchmarks (RFC 2544), so the guest answers them through its gateway, where nobody takes them.
/// </summary>
public sealed class SynFlood : IDisposable
{
    private const int IpHeader = 20, TcpHeader = 20, TcpOffset = IpHeader;
    private const uint FirstSource = 0xc6120000, Sources = 1 << 17; // 198.18.0.0/15
    private const byte Syn = 2;
    private const int Batch = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Socket socket;

    private readonly Thread thread;

    private readonly byte[] packet = new byte[IpHeader + TcpHeader];

    private volatile bool isDone;

    /// <summary>Starts the flood.</summary>
    public SynFlood(NetworkRig rig, int port)
    {
        socket = NetworkNamespace.CreateSocket(rig.Namespace, AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Raw);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.HeaderIncluded, true);
        thread = new Thread(() => Run(port)) { IsBackground = true };
        thread.Start();
    }

    /// <summary>How many were sent.</summary>
    public long Sent { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        isDone = true;
        thread.Join();
        socket.Dispose();
    }

    private void Run(int port)
    {
        IPEndPoint guest = new(NetworkRig.Guest, 0);
        Random random = new(1);
        while (!isDone)
        {
            Write((uint)(FirstSource + random.NextInt64(Sources)), (ushort)random.Next(1024, 65536), (ushort)port, (uint)random.NextInt64(1L << 32));
            socket.SendTo(packet, guest);
            if (++Sent % Batch == 0)
                Thread.Sleep(Pause);
        }
    }

    /// <summary>RFC 791 section 3.1, RFC 9293 section 3.1.</summary>
    private void Write(uint source, ushort sourcePort, ushort port, uint sequence)
    {
        Span<byte> ip = packet, tcp = ip[TcpOffset..];
        ip.Clear();
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)packet.Length);
        ip[8] = 64;
        ip[9] = (byte)ProtocolType.Tcp;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], source);
        NetworkRig.Guest.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(tcp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], port);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        tcp[12] = TcpHeader / 4 << 4;
        tcp[13] = Syn;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], ushort.MaxValue);
        // The kernel fills in the checksum of the IP header.
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~InternetSum.OfSegment(ip, tcp[..TcpHeader]));
    }
}
