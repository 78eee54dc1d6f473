using System.Buffers.Binary;
using System.Net.Sockets;
using Ukl.Tool.Network;
using Ukl.Tool.Testing;

namespace Ukl.Tests.Guest.Wire;

/// <summary>Frames that no honest neighbour sends, while a client is served. Source of truth for their shape: RFC 826, 791, 9293 section 3.1, 8200.</summary>
public sealed class WireHostileTests : WireCatalogue
{
    private const int EthernetHeader = 14, IpHeader = 20, TcpHeader = 20;
    private const int FramesPerServed = 200;

    private static readonly TimeSpan Time = TimeSpan.FromSeconds(20);

    private static readonly byte[] GuestCard = [0x52, 0x54, 0, 0x77, 0, 2], Everyone = [255, 255, 255, 255, 255, 255];

    /// <inheritdoc/>
    public override IEnumerable<WireTest> Tests =>
    [
        new("wire/storm of gratuitous ARP", session => Serve(session, Arp)) { Wire = new() },
        new("wire/wrong checksums", session => Serve(session, WrongChecksum)) { Wire = new() },
        new("wire/frames with random bytes in them", session => Serve(session, Mutated)) { Wire = new() },
        new("wire/frames of random bytes", session => Serve(session, Noise)) { Wire = new() },
        new("wire/random bytes to every service", RandomBytes),
    ];

    /// <summary>Clients are served one after the other, and between two of them come frames.</summary>
    private static void Serve(WireSession session, Func<Random, byte[]> next)
    {
        Random random = new(1);
        int served = 0;
        for (TimeSpan start = session.Guest.Started.Elapsed; session.Guest.Started.Elapsed - start < Time; served++)
        {
            using Socket socket = session.Connect(WirePort.Echo);
            for (int i = 0; i < FramesPerServed; i++)
                session.Wire.Inject(next(random));
            WireSession.Echo(socket, $"served {served}");
        }
        session.Download(1 << 20, 3);
    }

    /// <summary>"ADDRESS is at CARD", of neighbours that do not exist.</summary>
    private static byte[] Arp(Random random)
    {
        byte[] frame = Ethernet(Everyone, 0x0806, 28, random);
        Span<byte> arp = frame.AsSpan(EthernetHeader);
        byte[] header = [0, 1, 8, 0, 6, 4, 0, (byte)random.Next(1, 3)];
        header.CopyTo(arp);
        random.NextBytes(arp[8..14]);
        byte[] neighbour = [10, 77, 0, (byte)random.Next(3, 255)];
        neighbour.CopyTo(arp[14..]);
        neighbour.CopyTo(arp[24..]);
        return frame;
    }

    /// <summary>A SYN for the echo service whose checksum, or that of its IP header, is wrong.</summary>
    private static byte[] WrongChecksum(Random random)
    {
        byte[] frame = Segment(random);
        int at = EthernetHeader + (random.Next(2) == 0 ? 10 : IpHeader + 16);
        frame[at] ^= (byte)random.Next(1, 256);
        return frame;
    }

    private static byte[] Mutated(Random random)
    {
        byte[] frame = random.Next(4) == 0 ? Arp(random) : Segment(random);
        for (int count = random.Next(1, 6); count > 0; count--)
            frame[random.Next(EthernetHeader - 2, frame.Length)] = (byte)random.Next(256);
        return frame[..random.Next(EthernetHeader, frame.Length + 1)];
    }

    private static byte[] Noise(Random random)
    {
        ushort[] types = [0x0800, 0x86dd, 0x0806, 0x8100, (ushort)random.Next(1 << 16)];
        byte[] frame = Ethernet(random.Next(2) == 0 ? GuestCard : Everyone, types[random.Next(types.Length)], random.Next(0, 1500), random);
        random.NextBytes(frame.AsSpan(EthernetHeader));
        return frame;
    }

    private static byte[] Ethernet(byte[] destination, ushort type, int size, Random random)
    {
        byte[] frame = new byte[EthernetHeader + size];
        destination.CopyTo(frame, 0);
        random.NextBytes(frame.AsSpan(6, 6));
        frame[6] &= 0xfe;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        return frame;
    }

    /// <summary>A correct SYN from an address beyond the gateway, with random flags now and then.</summary>
    private static byte[] Segment(Random random)
    {
        byte[] frame = Ethernet(GuestCard, 0x0800, IpHeader + TcpHeader, random);
        Span<byte> ip = frame.AsSpan(EthernetHeader), tcp = ip[IpHeader..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], IpHeader + TcpHeader);
        ip[8] = 64;
        ip[9] = (byte)ProtocolType.Tcp;
        byte[] source = [198, 18, (byte)random.Next(256), (byte)random.Next(1, 255)];
        source.CopyTo(ip[12..]);
        NetworkRig.Guest.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~InternetSum.Of(ip[..IpHeader]));
        random.NextBytes(tcp[..12]);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], WirePort.Echo);
        tcp[12] = TcpHeader / 4 << 4;
        tcp[13] = (byte)(random.Next(2) == 0 ? 2 : random.Next(64));
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], ushort.MaxValue);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~InternetSum.OfSegment(ip, tcp[..TcpHeader]));
        return frame;
    }

    private static void RandomBytes(WireSession session)
    {
        Random random = new(1);
        int[] ports = [WirePort.Discard, WirePort.Digest, WirePort.Farewell, WirePort.Source, WirePort.Zeros, WirePort.Keepalive, WirePort.End];
        byte[] bytes = new byte[20_000];
        for (int i = 0; i < 500; i++)
        {
            using Socket socket = session.Connect(ports[i % ports.Length]);
            random.NextBytes(bytes);
            try
            {
                socket.Send(bytes.AsSpan(0, random.Next(1, bytes.Length)));
            }
            catch (SocketException)
            {
                // The server may close on such a client at once.
            }
        }
        session.Download(1 << 20, 3);
    }
}
