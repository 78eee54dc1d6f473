using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ukl.Tool.Qemu;

/// <summary>A port of this machine behind which a port of the guest answers.</summary>
/// <param name="Address">The address of this machine that it is opened on.</param>
/// <param name="Host">The port of this machine.</param>
/// <param name="Guest">The port of the guest.</param>
/// <param name="IsUdp">Whether it is UDP in place of TCP.</param>
public sealed record PublishedPort(IPAddress Address, int Host, int Guest, bool IsUdp = false)
{
    private const string Tcp = "tcp", Udp = "udp";

    /// <summary>Reads [ADDRESS:]HOST:GUEST[/udp]. Without an address the port is this machine's alone.</summary>
    /// <exception cref="ToolException">It is none.</exception>
    public static PublishedPort Parse(string text)
    {
        ToolException wrong = new($"--publish {text} names no ports; write HOST:GUEST, such as 8080:80, or HOST:GUEST/udp.");
        string[] halves = text.Split('/');
        if (halves.Length > 2 || (halves.Length == 2 && halves[1] is not (Tcp or Udp)))
            throw wrong;
        string[] parts = halves[0].Split(':');
        if (parts.Length is not (2 or 3))
            throw wrong;
        IPAddress? address = IPAddress.Loopback;
        if (parts.Length == 3 && !(parts[0].Count(letter => letter == '.') == 3 && IPAddress.TryParse(parts[0], out address)))
            throw new ToolException($"--publish {text}: '{parts[0]}' is no IPv4 address of this machine.");
        return new PublishedPort(address!, Port(parts[^2]) ?? throw wrong, Port(parts[^1]) ?? throw wrong, halves is [_, Udp]);
    }

    /// <summary>QEMU's word for it.</summary>
    /// <param name="guest">The guest's address; empty for the one that QEMU's DHCP server gives.</param>
    public string Forward(string guest) =>
        string.Create(CultureInfo.InvariantCulture, $"hostfwd={(IsUdp ? Udp : Tcp)}:{Address}:{Host}-{guest}:{Guest}");

    /// <summary>Makes sure that the port can be opened.</summary>
    /// <exception cref="ToolException">Another program has it, or it is not ours to open.</exception>
    public void RequireFree()
    {
        string name = $"{(IsUdp ? "UDP port" : "Port")} {Host.ToString(CultureInfo.InvariantCulture)}";
        try
        {
            using Socket socket = new(AddressFamily.InterNetwork, IsUdp ? SocketType.Dgram : SocketType.Stream, IsUdp ? ProtocolType.Udp : ProtocolType.Tcp);
            socket.ExclusiveAddressUse = !IsUdp;
            socket.Bind(new IPEndPoint(Address, Host));
            if (!IsUdp)
                socket.Listen();
        }
        catch (SocketException failure)
        {
            throw new ToolException(failure.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"{name} is in use by another program; publish another one in its place.",
                SocketError.AccessDenied => $"{name} may be opened by root only; publish one above 1023 in its place.",
                SocketError.AddressNotAvailable => $"{Address} is no address of this machine.",
                _ => $"{name} cannot be opened: {failure.Message}.",
            });
        }
    }

    private static int? Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= ushort.MaxValue ? port : null;
}
