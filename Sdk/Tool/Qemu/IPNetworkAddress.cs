using System.Globalization;
using System.Net;

namespace Ukl.Tool.Qemu;

/// <summary>An address of the guest and the length of its network's prefix.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">How many of its leading bits name the network.</param>
public sealed record IPNetworkAddress(IPAddress Address, int PrefixLength)
{
    /// <summary>The network's own address: the prefix, and zeros behind it.</summary>
    public IPAddress Network
    {
        get
        {
            byte[] bytes = Address.GetAddressBytes();
            for (int bit = PrefixLength; bit < bytes.Length * 8; bit++)
                bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
            return new IPAddress(bytes);
        }
    }

    /// <summary>Reads ADDRESS/LENGTH.</summary>
    /// <exception cref="ToolException">It is none.</exception>
    public static IPNetworkAddress Parse(string text) =>
        text.Split('/') is [var first, var second] && IPAddress.TryParse(first, out IPAddress? address)
            && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int length) && length > 0 && length <= address.GetAddressBytes().Length * 8
            ? new IPNetworkAddress(address, length)
            : throw new ToolException($"--ip {text} is no address with the length of its prefix; write ADDRESS/LENGTH, such as 192.168.1.2/24 or fd00::2/64.");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{PrefixLength}");
}
