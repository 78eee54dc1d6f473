using System.Net;
using System.Text;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>Reading and writing addresses, against .NET's own.</summary>
public unsafe class IpAddressTextTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("255.255.255.255")]
    [InlineData("10.0.2.15")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("fe80::5054:ff:fe12:3456")]
    [InlineData("2001:db8::1:0:0:1")]
    [InlineData("2001:db8:0:1:1:1:1:1")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("1:0:0:4::8")]
    public void What_is_written_is_what_was_read(string text)
    {
        Assert.True(IpAddressText.TryParse(Encoding.ASCII.GetBytes(text), out IpAddress address));
        Assert.Equal(TestHost.Address(text), address);
        Assert.Equal(IPAddress.Parse(text).ToString(), Write(address));
    }

    [Fact]
    public void Random_addresses_are_written_as_NET_writes_them()
    {
        var random = new System.Random(1);
        byte[] bytes = new byte[16];
        for (int i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            for (int at = 0; at < 16; at++)
            {
                if (random.Next(3) != 0)
                    bytes[at & ~1] = bytes[at | 1] = 0;
            }
            bytes[0] |= 0x20;
            string text = Write(IpAddress.ReadV6(bytes));
            Assert.Equal(new IPAddress(bytes).ToString(), text);
            Assert.True(IpAddressText.TryParse(Encoding.ASCII.GetBytes(text), out IpAddress address));
            Assert.Equal(IpAddress.ReadV6(bytes), address);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.")]
    [InlineData("1.2.3.4 ")]
    [InlineData("1..3.4")]
    [InlineData("1.2.3.4444")]
    [InlineData(":")]
    [InlineData(":::")]
    [InlineData("1::2::3")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7::8")]
    [InlineData("12345::")]
    [InlineData("g::")]
    [InlineData("1:2:")]
    [InlineData(":1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:1.2.3.4")]
    public void What_is_no_address_is_refused(string text) => Assert.False(IpAddressText.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Theory]
    [InlineData("10.0.0.1/24", true, 24)]
    [InlineData("10.0.0.1", true, 32)]
    [InlineData("10.0.0.1/33", false, 0)]
    [InlineData("10.0.0.1/", false, 0)]
    [InlineData("10.0.0.1/x", false, 0)]
    [InlineData("fd00::2/64", true, 64)]
    [InlineData("fd00::2/129", false, 0)]
    [InlineData("::ffff:1.2.3.4", true, 32)]
    public void With_a_length(string text, bool isGood, int length)
    {
        Assert.Equal(isGood, IpAddressText.TryParse(Encoding.ASCII.GetBytes(text), out _, out byte prefixLength));
        Assert.Equal(length, prefixLength);
    }

    private static string Write(IpAddress address)
    {
        TextBuffer text = default;
        IpAddressText.Write(&text, address);
        string written = Encoding.ASCII.GetString(text.Text);
        text.Dispose();
        return written;
    }
}
