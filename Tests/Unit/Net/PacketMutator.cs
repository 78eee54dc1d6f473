using System;
using System.Collections.Generic;

namespace Ukl.Tests.Unit.Net;

/// <summary>Makes wrong frames of right ones: bytes, numbers and lengths are changed, pieces cut, doubled and mixed, checksums repaired now and then so that the harm gets deeper.</summary>
internal sealed class PacketMutator(System.Random random)
{
    private const int HeaderBytes = 90;
    private static readonly byte[] s_bytes = [0, 1, 0x7f, 0x80, 0xff, 4, 6, 0x45, 0x60, 43, 44, 58, 60];
    private static readonly ushort[] s_words = [0, 1, 8, 20, 40, 0xff, 0x100, 0x5dc, 0x2000, 0x3fff, 0x7fff, 0x8000, 0xfff8, 0xfff9, 0xffff];

    /// <summary>A wrong frame, made of one of these: any kind is as likely as another.</summary>
    public byte[] Make(IReadOnlyList<IReadOnlyList<byte[]>> frames)
    {
        byte[] frame = [.. Any(frames)];
        for (int changes = 1 + random.Next(4); changes != 0; changes--)
            frame = Change(frame, frames);
        if (random.Next(10) < 7)
            Repair(frame);
        return frame;
    }

    private byte[] Any(IReadOnlyList<IReadOnlyList<byte[]>> frames)
    {
        IReadOnlyList<byte[]> kind = frames[random.Next(frames.Count)];
        return kind[random.Next(kind.Count)];
    }

    private byte[] Change(byte[] frame, IReadOnlyList<IReadOnlyList<byte[]>> frames)
    {
        if (frame.Length < 4)
            return [.. frame, 0, 0, 0, 0];
        switch (random.Next(12))
        {
            case 0 or 1 or 2:
                frame[Place(frame)] ^= (byte)(1 << random.Next(8));
                return frame;
            case 3 or 4:
                frame[Place(frame)] = s_bytes[random.Next(s_bytes.Length)];
                return frame;
            case 5 or 6:
                int at = Math.Min(Place(frame), frame.Length - 2);
                int word = random.Next(3) == 0 ? frame.Length - at + random.Next(-3, 4) : s_words[random.Next(s_words.Length)];
                frame[at] = (byte)(word >> 8);
                frame[at + 1] = (byte)word;
                return frame;
            case 7:
                return frame[..random.Next(frame.Length)];
            case 8:
                byte[] more = new byte[random.Next(200)];
                random.NextBytes(more);
                return [.. frame, .. more];
            case 9:
                int start = random.Next(frame.Length);
                int end = start + random.Next(frame.Length - start);
                return random.Next(2) == 0 ? [.. frame[..start], .. frame[end..]] : [.. frame[..end], .. frame[start..]];
            case 10:
                byte[] other = Any(frames);
                int cut = random.Next(Math.Min(frame.Length, other.Length));
                return [.. frame[..cut], .. other[cut..]];
            default:
                random.NextBytes(frame.AsSpan(Math.Min(14 + random.Next(60), frame.Length)));
                return frame;
        }
    }

    /// <summary>Headers are where it hurts.</summary>
    private int Place(byte[] frame) => random.Next(4) == 0 ? random.Next(frame.Length) : 12 + random.Next(Math.Max(1, Math.Min(frame.Length, HeaderBytes) - 12)) is var at && at < frame.Length ? at : 0;

    /// <summary>Makes lengths and the checksum of IPv4's header right, so that what lies behind is looked at.</summary>
    private void Repair(byte[] frame)
    {
        if (frame.Length >= 54 && frame[12] == 0x86 && random.Next(2) == 0)
        {
            frame[14] = (byte)(0x60 | (frame[14] & 15));
            frame[18] = (byte)((frame.Length - 54) >> 8);
            frame[19] = (byte)(frame.Length - 54);
        }
        if (frame.Length < 34 || frame[12] != 8 || frame[13] != 0)
            return;
        int size = (frame[14] & 15) * 4;
        if (size < 20 || 14 + size > frame.Length)
        {
            frame[14] = 0x45;
            size = 20;
        }
        if (random.Next(2) == 0)
        {
            frame[16] = (byte)((frame.Length - 14) >> 8);
            frame[17] = (byte)(frame.Length - 14);
        }
        byte[] header = frame[14..(14 + size)];
        header[10] = header[11] = 0;
        Frames.SetChecksum(header, 10, 0);
        header.CopyTo(frame, 14);
    }
}
