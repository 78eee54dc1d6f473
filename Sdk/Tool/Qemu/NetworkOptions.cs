using System.Net;
using System.Net.Sockets;

namespace Ukl.Tool.Qemu;

/// <summary>What is at the other end of the guest's network card.</summary>
public enum NetworkKind
{
    /// <summary>There is no card.</summary>
    None,

    /// <summary>QEMU's own network: the guest reaches whatever this machine reaches, and is reached by published ports.</summary>
    User,

    /// <summary>A tap device of this machine.</summary>
    Tap,
}

/// <summary>
/// The guest's network: the options --net, --publish, --pcap, --ip and --gateway. Source of truth: qemu(1), "Network options" and filter-dump; Kernel/Net for the
/// words of the kernel's command line.
/// </summary>
public sealed record NetworkOptions
{
    private const string TapPrefix = "tap=";

    /// <summary>What the card is connected with; null when nobody said and the program decides.</summary>
    public NetworkKind? Kind { get; init; }

    /// <summary>The tap device's name.</summary>
    public string Tap { get; init; } = "";

    /// <summary>The ports behind which the guest is reached.</summary>
    public IReadOnlyList<PublishedPort> Published { get; init; } = [];

    /// <summary>The file for a capture of everything that passes the card, or null.</summary>
    public string? Capture { get; init; }

    /// <summary>The guest's addresses; without one it asks by DHCP.</summary>
    public IReadOnlyList<IPNetworkAddress> Addresses { get; init; } = [];

    /// <summary>The routers towards everything else.</summary>
    public IReadOnlyList<IPAddress> Gateways { get; init; } = [];

    /// <summary>Whether there is a card.</summary>
    public bool HasCard => Kind is not (null or NetworkKind.None);

    /// <summary>Reads the options.</summary>
    /// <exception cref="ToolException">One is wrong, or two exclude each other.</exception>
    public static NetworkOptions Parse(string? net, IReadOnlyList<string> publish, string? capture, IReadOnlyList<string> addresses, IReadOnlyList<string> gateways)
    {
        NetworkKind? kind = net switch
        {
            null => null,
            "none" => NetworkKind.None,
            "user" => NetworkKind.User,
            _ when net.StartsWith(TapPrefix, StringComparison.Ordinal) && IsDeviceName(net[TapPrefix.Length..]) => NetworkKind.Tap,
            _ => throw new ToolException($"--net {net} is no network; it can be user, tap=NAME or none."),
        };
        string? asked = publish.Count > 0 ? "--publish" : capture is not null ? "--pcap" : addresses.Count > 0 ? "--ip" : gateways.Count > 0 ? "--gateway" : null;
        if (kind == NetworkKind.None && asked is not null)
            throw new ToolException($"{asked} needs a network card, and --net none leaves it out.");
        if (kind == NetworkKind.Tap && publish.Count > 0)
            throw new ToolException("--publish needs --net user; behind a tap device the guest has an address of its own.");
        NetworkOptions options = new()
        {
            Kind = kind ?? (asked is null ? null : NetworkKind.User),
            Tap = kind == NetworkKind.Tap ? net![TapPrefix.Length..] : "",
            Published = [.. publish.Select(PublishedPort.Parse)],
            Capture = capture,
            Addresses = [.. addresses.Select(IPNetworkAddress.Parse)],
            Gateways = [.. gateways.Select(ParseGateway)],
        };
        options.Check();
        return options;
    }

    /// <summary>The same with a card for a program that can open sockets, when nobody said otherwise.</summary>
    public NetworkOptions For(bool usesSockets) => Kind is null && usesSockets ? this with { Kind = NetworkKind.User } : this;

    /// <summary>Makes sure that what this machine must give is there.</summary>
    /// <exception cref="ToolException">A port is in use, the tap device is missing, or the capture's folder.</exception>
    public void RequireHost()
    {
        foreach (PublishedPort port in Published)
            port.RequireFree();
        if (Kind == NetworkKind.Tap && !Directory.Exists($"/sys/class/net/{Tap}"))
            throw new ToolException($"There is no network device {Tap}; make one with: ip tuntap add dev {Tap} mode tap.");
        if (Capture is not null && Path.GetDirectoryName(Path.GetFullPath(Capture)) is { } folder && !Directory.Exists(folder))
            throw new ToolException($"There is no folder {folder} for the capture.");
    }

    /// <summary>Adds what the kernel must be told.</summary>
    public void AddTo(KernelCommandLine commandLine)
    {
        foreach (IPNetworkAddress address in Addresses)
            commandLine.Add("ip", address.ToString());
        foreach (IPAddress gateway in Gateways)
            commandLine.Add("gateway", gateway.ToString());
    }

    /// <summary>QEMU's arguments: the card, what is behind it, and a source of random numbers beside it.</summary>
    /// <param name="machine">The machine's type, which decides whether devices are on a PCI bus.</param>
    public IEnumerable<string> Arguments(string machine)
    {
        if (!HasCard)
            return [];
        (string card, string random) = machine == "microvm" ? ("virtio-net-device", "virtio-rng-device") : ("virtio-net-pci,romfile=", "virtio-rng-pci");
        // A capture would hold the header that a tap device puts in front of each packet, and no reader knows it.
        string bare = Capture is null ? "" : ",vnet_hdr=off";
        return
        [
            // QEMU's devices in memory are of the kind before virtio 1.0 unless told otherwise.
            .. machine == "microvm" ? (string[])["-global", "virtio-mmio.force-legacy=false"] : [],
            "-netdev", Kind == NetworkKind.Tap ? $"tap,id=net,ifname={Tap},script=no,downscript=no{bare}" : string.Join(',', ["user", "id=net", .. UserWords()]),
            "-device", $"{card},netdev=net",
            "-object", "rng-random,id=random,filename=/dev/urandom",
            "-device", $"{random},rng=random",
            .. Capture is null ? (string[])[] : ["-object", $"filter-dump,id=capture,netdev=net,file={QemuCommand.Escape(Capture)}"],
        ];
    }

    private static bool IsDeviceName(string name) => name.Length is > 0 and < 16 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    private static IPAddress ParseGateway(string text) =>
        IPAddress.TryParse(text, out IPAddress? address) ? address : throw new ToolException($"--gateway {text} is no address.");

    private void Check()
    {
        PublishedPort? twice = Published.GroupBy(port => (port.Host, port.IsUdp)).FirstOrDefault(group => group.Count() > 1)?.First();
        if (twice is not null)
            throw new ToolException($"Port {twice.Host} is published twice.");
        foreach (AddressFamily family in (AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            string version = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
            IPNetworkAddress[] own = [.. Addresses.Where(address => address.Address.AddressFamily == family)];
            IPAddress[] routers = [.. Gateways.Where(gateway => gateway.AddressFamily == family)];
            if (own.Length > 1 || routers.Length > 1)
                throw new ToolException($"The guest can have one {version} address and one {version} gateway.");
            if (routers.Length > own.Length)
                throw new ToolException($"--gateway {routers[0]} needs an {version} address of the guest beside it (--ip).");
        }
    }

    /// <summary>QEMU's network follows the guest's address; without one it has its own, 10.0.2.0/24 and fec0::/64.</summary>
    private IEnumerable<string> UserWords()
    {
        string guest = "";
        foreach (IPNetworkAddress address in Addresses)
        {
            bool isOld = address.Address.AddressFamily == AddressFamily.InterNetwork;
            string prefix = isOld ? "" : "ipv6-";
            yield return $"{prefix}net={address.Network}/{address.PrefixLength}";
            if (Gateways.FirstOrDefault(gateway => gateway.AddressFamily == address.Address.AddressFamily) is { } gateway)
                yield return $"{prefix}host={gateway}";
            if (isOld)
                guest = address.Address.ToString();
        }
        foreach (PublishedPort port in Published)
            yield return port.Forward(guest);
    }
}
