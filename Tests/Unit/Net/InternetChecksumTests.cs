using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>The checksum of RFC 1071 against one that is as plain as its text.</summary>
public unsafe class InternetChecksumTests
{
    [Fact]
    public void The_example_of_RFC_1071_section_3()
    {
        byte* bytes = stackalloc byte[] { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
        Assert.Equal(new byte[] { 0xdd, 0xf2 }, BitConverter.GetBytes((ushort)InternetChecksum.Sum(bytes, 8)));
    }

    [Fact]
    public void Every_length_at_every_alignment_sums_as_the_plain_one()
    {
        var random = new System.Random(1);
        byte[] bytes = new byte[3000];
        for (int round = 0; round < 3000; round++)
        {
            random.NextBytes(bytes);
            if (round % 3 == 0)
                Array.Fill(bytes, (byte)0xff);
            int start = random.Next(64);
            int length = round < 300 ? round : random.Next(2900);
            fixed (byte* first = bytes)
                Assert.Equal(Plain(bytes.AsSpan(start, length)), Normal(InternetChecksum.Sum(first + start, (nuint)length)));
        }
    }

    [Fact]
    public void A_packet_in_pieces_sums_as_one_piece()
    {
        var random = new System.Random(2);
        var pool = new PacketPool { Limit = 64 };
        for (int round = 0; round < 500; round++)
        {
            PacketBuffer* sent = pool.Allocate();
            byte[] whole = new byte[random.Next(200)];
            random.NextBytes(whole);
            whole.CopyTo(new Span<byte>(sent->Data, whole.Length));
            sent->Length = (uint)whole.Length;
            int parts = random.Next(5);
            for (int i = 0; i < parts; i++)
            {
                PacketBuffer* part = pool.Allocate();
                byte[] more = new byte[random.Next(1, 300)];
                random.NextBytes(more);
                more.CopyTo(new Span<byte>(part->Data, more.Length));
                Assert.True(sent->TryAddPart(part->Data, (uint)more.Length));
                PacketBuffer.Release(part);
                whole = [.. whole, .. more];
            }
            Assert.Equal(Plain(whole), Normal(InternetChecksum.Sum(sent)));
            PacketBuffer* received = PacketCopy.OfSent(&pool, sent);
            Assert.Equal(Plain(whole), Normal(InternetChecksum.Sum(received)));
            PacketBuffer.Release(received);
            PacketBuffer.Release(sent);
        }
        Assert.Equal(0u, pool.InUse);
        pool.Clear();
    }

    [Theory]
    [InlineData("10.0.0.1", "10.255.3.9")]
    [InlineData("2001:db8::1:ffff", "fe80::ffff:ffff:ffff:1")]
    public void The_pseudo_header_is_the_one_of_the_version(string source, string destination)
    {
        byte[] from = System.Net.IPAddress.Parse(source).GetAddressBytes();
        byte[] to = System.Net.IPAddress.Parse(destination).GetAddressBytes();
        byte[] rest = from.Length == 4 ? [0, 17, 5, 220] : [0, 0, 5, 220, 0, 0, 0, 17];
        ushort sum = InternetChecksum.PseudoHeader(TestHost.Address(source), TestHost.Address(destination), 17, 1500);
        Assert.Equal(Plain([.. from, .. to, .. rest]), Normal(sum));
    }

    /// <summary>The two zeros are one.</summary>
    private static uint Normal(uint sum) => sum == 0xffff ? 0 : sum;

    private static uint Plain(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            sum += i + 1 < bytes.Length ? MemoryMarshal.Read<ushort>(bytes[i..]) : bytes[i];
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return Normal(sum);
    }
}
