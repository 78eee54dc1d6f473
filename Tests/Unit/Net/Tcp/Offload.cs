using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Ukl.Kernel.Net;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>What cards do with TCP: complete checksums, cut large segments, put small ones together. Frames begin with their Ethernet header.</summary>
internal static unsafe class Offload
{
    public const int EthernetSize = 14;
    private const byte Tcp = 6;
    private const byte FinPush = 0x09;

    public static bool IsV4(byte[] frame) => frame[12] == 0x08 && frame[13] == 0;

    public static bool IsTcp(byte[] frame) =>
        IsV4(frame) ? frame[EthernetSize + 9] == Tcp : frame[12] == 0x86 && frame[13] == 0xdd && frame[EthernetSize + 6] == Tcp;

    public static int TransportOf(byte[] frame) => EthernetSize + (IsV4(frame) ? 20 : 40);

    public static int PayloadOf(byte[] frame)
    {
        int tcp = TransportOf(frame);
        return tcp + (frame[tcp + 12] >> 4 << 2);
    }

    public static uint SequenceOf(byte[] frame) => BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(TransportOf(frame) + 4));

    public static byte FlagsOf(byte[] frame) => frame[TransportOf(frame) + 13];

    /// <summary>Where the frame's last byte of IP is; short frames may be padded.</summary>
    public static int EndOf(byte[] frame) => EthernetSize + (IsV4(frame)
        ? BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(EthernetSize + 2))
        : 40 + BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(EthernetSize + 4)));

    /// <summary>The size of the segments that <see cref="Merge"/> put together, which it leaves in the urgent pointer of a frame it made.</summary>
    public static int SegmentSizeOf(byte[] frame) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(TransportOf(frame) + 18));

    /// <summary>Adds the sum of what follows to a checksum field that holds the sum of the pseudo header.</summary>
    public static void Complete(byte[] frame, int start, int field)
    {
        ushort sum;
        fixed (byte* bytes = frame)
            sum = (ushort)~InternetChecksum.Sum(bytes + start, (nuint)(frame.Length - start));
        MemoryMarshal.Write(frame.AsSpan(start + field), sum == 0 ? (ushort)0xffff : sum);
    }

    /// <summary>Cuts a segment whose checksum is partial.</summary>
    public static List<byte[]> Cut(byte[] frame, int size)
    {
        var frames = new List<byte[]>();
        int payload = PayloadOf(frame);
        uint sequence = SequenceOf(frame);
        for (int at = payload; at < frame.Length; at += size)
        {
            int length = Math.Min(size, frame.Length - at);
            byte[] segment = new byte[payload + length];
            frame.AsSpan(0, payload).CopyTo(segment);
            frame.AsSpan(at, length).CopyTo(segment.AsSpan(payload));
            if (at + length < frame.Length)
                segment[TransportOf(frame) + 13] &= unchecked((byte)~FinPush);
            BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(TransportOf(frame) + 4), sequence + (uint)(at - payload));
            Finish(segment);
            frames.Add(segment);
        }
        return frames;
    }

    /// <summary>Puts segments together that follow each other directly and differ in nothing but what must differ.</summary>
    public static List<byte[]> Merge(List<byte[]> frames)
    {
        var merged = new List<byte[]>();
        int size = 0;
        foreach (byte[] frame in frames)
        {
            byte[]? last = merged.Count == 0 ? null : merged[^1];
            if (last != null && CanFollow(last, frame, size))
            {
                int payload = PayloadOf(frame);
                int length = EndOf(frame) - payload;
                byte[] larger = new byte[last.Length + length];
                last.CopyTo(larger, 0);
                frame.AsSpan(payload, length).CopyTo(larger.AsSpan(last.Length));
                larger[TransportOf(frame) + 13] |= (byte)(FlagsOf(frame) & FinPush);
                BinaryPrimitives.WriteUInt16BigEndian(larger.AsSpan(TransportOf(frame) + 18), (ushort)size);
                SetLength(larger);
                merged[^1] = larger;
            }
            else
            {
                merged.Add(frame);
                size = IsTcp(frame) ? EndOf(frame) - PayloadOf(frame) : 0;
            }
        }
        return merged;
    }

    private static bool CanFollow(byte[] last, byte[] frame, int size)
    {
        if (!IsTcp(last) || !IsTcp(frame) || size == 0 || !IsRight(frame) || (FlagsOf(last) & ~0x08) != 0x10 || (FlagsOf(frame) & ~FinPush) != 0x10)
            return false;
        int payload = PayloadOf(last);
        if (payload != PayloadOf(frame) || (FlagsOf(last) & 0x08) != 0)
            return false;
        int lastLength = EndOf(last) - payload;
        int length = EndOf(frame) - payload;
        if (lastLength % size != 0 || length > size || length == 0 || last.Length + length > 60_000 || (lastLength == size && !IsRight(last)))
            return false;
        int tcp = TransportOf(last);
        // Addresses, ports, acknowledgement, window and options.
        return SequenceOf(frame) == SequenceOf(last) + (uint)lastLength
            && last.AsSpan(tcp - 32, 32).EndsWith(frame.AsSpan(tcp - 8, 8))
            && last.AsSpan(tcp, 4).SequenceEqual(frame.AsSpan(tcp, 4))
            && last.AsSpan(tcp + 8, 8)[..5].SequenceEqual(frame.AsSpan(tcp + 8, 8)[..5])
            && last.AsSpan(tcp + 14, 2).SequenceEqual(frame.AsSpan(tcp + 14, 2))
            && last.AsSpan(tcp + 20, payload - tcp - 20).SequenceEqual(frame.AsSpan(tcp + 20, payload - tcp - 20));
    }

    /// <summary>Whether the checksums are right: a card puts nothing together that is damaged.</summary>
    public static bool IsRight(byte[] frame)
    {
        int tcp = TransportOf(frame);
        int end = EndOf(frame);
        if (end > frame.Length || end < tcp + 20)
            return false;
        fixed (byte* bytes = frame)
        {
            if (IsV4(frame) && InternetChecksum.Sum(bytes + EthernetSize, 20) != InternetChecksum.Correct)
                return false;
            ushort pseudo = Pseudo(frame, end - tcp);
            return InternetChecksum.Fold((ulong)InternetChecksum.Sum(bytes + tcp, (nuint)(end - tcp)) + pseudo) == InternetChecksum.Correct;
        }
    }

    public static void Finish(byte[] frame)
    {
        SetLength(frame);
        int tcp = TransportOf(frame);
        MemoryMarshal.Write(frame.AsSpan(tcp + 16), Pseudo(frame, frame.Length - tcp));
        Complete(frame, tcp, 16);
    }

    private static void SetLength(byte[] frame)
    {
        if (!IsV4(frame))
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetSize + 4), (ushort)(frame.Length - EthernetSize - 40));
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetSize + 2), (ushort)(frame.Length - EthernetSize));
        frame.AsSpan(EthernetSize + 10, 2).Clear();
        ushort sum;
        fixed (byte* bytes = frame)
            sum = (ushort)~InternetChecksum.Sum(bytes + EthernetSize, 20);
        MemoryMarshal.Write(frame.AsSpan(EthernetSize + 10), sum);
    }

    private static ushort Pseudo(byte[] frame, int length)
    {
        ReadOnlySpan<byte> ip = frame.AsSpan(EthernetSize);
        if (!IsV4(frame))
            return InternetChecksum.PseudoHeader(IpAddress.ReadV6(ip[8..]), IpAddress.ReadV6(ip[24..]), Tcp, (uint)length);
        return InternetChecksum.PseudoHeader(IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(ip[12..])),
            IpAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(ip[16..])), Tcp, (uint)length);
    }
}
