using System;
using System.Net;
using System.Net.NetworkInformation;
using PacketDotNet;

namespace Ukl.Tests.Unit.Net;

/// <summary>Frames made by an implementation that is not the kernel's.</summary>
internal static class Frames
{
    public static byte[] Ipv4(PhysicalAddress from, PhysicalAddress to, string source, string destination, ProtocolType protocol, byte[] payload,
        int fragmentOffset = 0, bool isMore = false, ushort identification = 0, byte hopLimit = 64)
    {
        var packet = new IPv4Packet(IPAddress.Parse(source), IPAddress.Parse(destination))
        {
            Protocol = protocol,
            TimeToLive = hopLimit,
            Id = identification,
            FragmentOffset = (ushort)(fragmentOffset / 8),
            FragmentFlags = (ushort)(isMore ? 1 : 0),
            PayloadData = payload,
        };
        packet.UpdateCalculatedValues();
        packet.UpdateIPChecksum();
        return new EthernetPacket(from, to, EthernetType.IPv4) { PayloadPacket = packet }.Bytes;
    }

    public static byte[] Ipv6(PhysicalAddress from, PhysicalAddress to, string source, string destination, byte nextHeader, byte[] payload, byte hopLimit = 64)
    {
        byte[] header = new byte[40];
        header[0] = 0x60;
        header[4] = (byte)(payload.Length >> 8);
        header[5] = (byte)payload.Length;
        header[6] = nextHeader;
        header[7] = hopLimit;
        IPAddress.Parse(source).GetAddressBytes().CopyTo(header, 8);
        IPAddress.Parse(destination).GetAddressBytes().CopyTo(header, 24);
        return [.. to.GetAddressBytes(), .. from.GetAddressBytes(), 0x86, 0xdd, .. header, .. payload];
    }

    public static byte[] Icmp4(TestHost from, TestHost to, string source, string destination, byte type, byte code, ushort mtu, byte[] quoted)
    {
        byte[] message = [type, code, 0, 0, 0, 0, (byte)(mtu >> 8), (byte)mtu, .. quoted];
        SetChecksum(message, 2, 0);
        return Ipv4(from.Mac, to.Mac, source, destination, ProtocolType.Icmp, message);
    }

    public static byte[] Icmp6(PhysicalAddress from, PhysicalAddress to, string source, string destination, byte[] message, byte hopLimit = 255)
    {
        byte[] copy = [.. message];
        copy[2] = copy[3] = 0;
        SetChecksum(copy, 2, PseudoSum6(source, destination, 58, copy.Length));
        return Ipv6(from, to, source, destination, 58, copy, hopLimit);
    }

    public static uint PseudoSum6(string source, string destination, byte protocol, int length) =>
        Sum([.. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes()]) + protocol + (uint)length;

    /// <summary>UDP with a checksum.</summary>
    public static byte[] Udp(string source, string destination, ushort from, ushort to, ReadOnlySpan<byte> payload)
    {
        int length = payload.Length + 8;
        byte[] datagram = [(byte)(from >> 8), (byte)from, (byte)(to >> 8), (byte)to, (byte)(length >> 8), (byte)length, 0, 0, .. payload];
        SetChecksum(datagram, 6, PseudoSum6(source, destination, 17, length));
        return datagram;
    }

    public static void SetChecksum(byte[] bytes, int at, uint start)
    {
        uint sum = start + Sum(bytes);
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        bytes[at] = (byte)(~sum >> 8);
        bytes[at + 1] = (byte)~sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
            sum += (i & 1) == 0 ? (uint)bytes[i] << 8 : bytes[i];
        return sum;
    }
}
