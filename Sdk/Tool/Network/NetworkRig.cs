using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Network;

/// <summary>
/// A network of this machine and one guest, apart from everything else: a network namespace with a tap device, this machine's Linux at one end of it and the guest's
/// card at the other. Names carry the process id; what another run left behind because it was killed is removed by the next. Needs root. Source of truth:
/// ip-netns(8), ip-tuntap(8).
/// </summary>
public sealed class NetworkRig : IDisposable
{
    private const string Prefix = "ukl-";
    private const string Tap = "ukl0";
    private const string GuestCard = "52:54:00:77:00:02";

    /// <summary>The length of the network's prefix.</summary>
    public const int PrefixLength = 24;

    private readonly List<PosixSignalRegistration> signals = [];

    private bool isRemoved;

    /// <summary>Sets the network up.</summary>
    /// <exception cref="ToolException">This process is not root, or the machine has no namespaces or tap devices.</exception>
    public NetworkRig()
    {
        RequireRoot();
        RemoveLeftovers();
        Ip("netns", "add", Namespace);
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
            signals.Add(PosixSignalRegistration.Create(signal, _ => Remove()));
        try
        {
            Ip("-n", Namespace, "link", "set", "lo", "up");
            Ip("-n", Namespace, "tuntap", "add", "dev", Tap, "mode", "tap");
            Ip("-n", Namespace, "address", "add", $"{Host}/{PrefixLength}", "dev", Tap);
            Ip("-n", Namespace, "-6", "address", "add", $"{Host6}/{Prefix6Length}", "dev", Tap, "nodad");
            Ip("-n", Namespace, "link", "set", Tap, "up");
        }
        catch (ToolException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The length of the prefix of the network's IPv6 addresses.</summary>
    public const int Prefix6Length = 64;

    /// <summary>This machine's address.</summary>
    public static IPAddress Host { get; } = IPAddress.Parse("10.77.0.1");

    /// <summary>The guest's address.</summary>
    public static IPAddress Guest { get; } = IPAddress.Parse("10.77.0.2");

    /// <summary>This machine's IPv6 address.</summary>
    public static IPAddress Host6 { get; } = IPAddress.Parse("fd77::1");

    /// <summary>The guest's IPv6 address.</summary>
    public static IPAddress Guest6 { get; } = IPAddress.Parse("fd77::2");

    /// <summary>The namespace's name.</summary>
    public string Namespace { get; } = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}");

    /// <summary>The tap device's name.</summary>
    public string Device => Tap;

    /// <summary>QEMU's arguments for a card whose other end is the tap device.</summary>
    public static IReadOnlyList<string> CardOnTap(string machine) => Card(machine, $"tap,id=net,ifname={Tap},script=no,downscript=no");

    /// <summary>QEMU's arguments for a card on any wire.</summary>
    /// <param name="machine">The machine's type, which decides whether the card is a PCI device.</param>
    /// <param name="wire">The value of -netdev, with the id "net".</param>
    public static IReadOnlyList<string> Card(string machine, string wire)
    {
        string device = machine == "microvm" ? "virtio-net-device" : "virtio-net-pci,romfile=";
        return ["-netdev", wire, "-device", $"{device},netdev=net,mac={GuestCard}"];
    }

    /// <summary>The words of a kernel's command line that give the guest its addresses.</summary>
    public static IReadOnlyList<string> AddressWords => [$"ip={Guest}/{PrefixLength}", $"ip={Guest6}/{Prefix6Length}", $"gateway={Host}"];

    /// <summary>A command line that runs a program inside of the namespace, in the place of the command that enters it.</summary>
    public IEnumerable<string> Inside(string program, IEnumerable<string> arguments) => ["netns", "exec", Namespace, program, .. arguments];

    /// <summary>Runs a program of this machine inside of the namespace to its end.</summary>
    public CommandResult Run(string program, IEnumerable<string> arguments, TimeSpan limit)
    {
        if (!CommandRunner.Exists(program))
            throw CommandRunner.Missing(program);
        try
        {
            return CommandRunner.Run("ip", Inside(program, arguments), limit: limit);
        }
        catch (ToolException)
        {
            throw new ToolException($"{program} did not end within {limit.TotalSeconds:0} s.");
        }
    }

    /// <summary>
    /// Tells this machine's Linux which card has the guest's address. Otherwise it asks, and asks a guest that is not up yet again only after a second.
    /// </summary>
    public void KnowGuest() => Ip("-n", Namespace, "neighbor", "replace", $"{Guest}", "lladdr", GuestCard, "dev", Tap, "nud", "permanent");

    /// <summary>Says in one sentence why there can be no rig, or null.</summary>
    public static string? Obstacle() =>
        !Environment.IsPrivilegedProcess ? "A tap device and a network namespace need root."
        : !File.Exists("/dev/net/tun") ? "This machine has no tap devices: /dev/net/tun is missing."
        : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in signals)
            signal.Dispose();
        Remove();
    }

    private static void RequireRoot()
    {
        if (Obstacle() is { } obstacle)
            throw new ToolException(obstacle);
    }

    private void Remove()
    {
        if (Interlocked.Exchange(ref isRemoved, true))
            return;
        Remove(Namespace);
    }

    /// <summary>Ends what still runs in a namespace that is ours, and removes it.</summary>
    private static void Remove(string name)
    {
        foreach (string line in CommandRunner.Run("ip", ["netns", "pids", name]).Lines)
            if (int.TryParse(line, CultureInfo.InvariantCulture, out int process))
                CommandRunner.Run("kill", ["-KILL", $"{process}"]);
        // The device first: who still reads from it would keep the namespace alive.
        CommandRunner.Run("ip", ["-n", name, "link", "delete", Tap]);
        CommandRunner.Run("ip", ["netns", "delete", name]);
    }

    private static void RemoveLeftovers()
    {
        foreach (string line in CommandRunner.Run("ip", ["netns", "list"]).Lines)
        {
            string name = line.Split(' ')[0];
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Prefix.Length), CultureInfo.InvariantCulture, out int process)
                && !Directory.Exists($"/proc/{process}"))
                Remove(name);
        }
    }

    private static void Ip(params string[] arguments) => CommandRunner.Require("The test network could not be set up", "ip", arguments);
}
