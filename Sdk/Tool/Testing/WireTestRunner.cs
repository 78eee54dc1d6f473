using System.Globalization;
using System.Net.Sockets;
using Ukl.Tool.Commands;
using Ukl.Tool.Network;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Testing;

/// <summary>Boots servers in a <see cref="NetworkRig"/> and plays their clients.</summary>
/// <param name="context">Tree, levels and builder.</param>
/// <param name="accelerator">kvm or tcg.</param>
public sealed class WireTestRunner(CommandContext context, string accelerator)
{
    /// <summary>
    /// Set to a folder, every test leaves a capture of its packets there, NAME.pcap, cut off behind the headers. On a good wire virtio's header of 12 bytes stands before each.
    /// </summary>
    private const string CaptureVariable = "UKL_TEST_CAPTURE";

    private const int CapturedBytes = 128;

    private const string LinuxName = "Linux";

    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(180), EndLimit = TimeSpan.FromSeconds(30);

    private readonly NetworkImages images = new(context);

    /// <summary>A test at one level, or on Linux.</summary>
    /// <param name="Test">The test.</param>
    /// <param name="Level">The level; null for Linux.</param>
    public sealed record Case(WireTest Test, Level? Level)
    {
        /// <summary>How the case is called in output and in --filter.</summary>
        public string Name => $"{Test.Name} ({Level?.Name ?? LinuxName})";

        /// <summary>Whether it runs only when it is asked for: a test passes on Linux to show that the test itself is right.</summary>
        public bool IsReference => Level is null;
    }

    /// <summary>The guests that each test runs in.</summary>
    public IEnumerable<Case> Cases(IEnumerable<WireTest> tests) =>
        from test in tests
        from level in context.Levels.Built.Select(level => (Level?)level).Append(null)
        select new Case(test, level);

    /// <summary>Boots a case and plays its client.</summary>
    public TestResult Run(Case item)
    {
        string suite = $"wire, {item.Level?.Name ?? LinuxName}";
        try
        {
            NetworkImage image = item.Level is { } level ? images.Ours(item.Test.Program, level, item.Test.Arguments) : images.Linux(item.Test.Program, item.Test.Arguments);
            Play(item, image);
            return new TestResult(suite, item.Name, null);
        }
        catch (ToolException failure)
        {
            return new TestResult(suite, item.Name, string.Join(Environment.NewLine, [failure.Message, .. failure.Details.Select(detail => $"  {detail}")]));
        }
    }

    private void Play(Case item, NetworkImage image)
    {
        WireTest test = item.Test;
        using NetworkRig rig = new();
        using BadWire? wire = test.Wire is { } quality ? new BadWire(rig, quality) : null;
        MachineOptions machine = new();
        IReadOnlyList<string> card = wire is null ? NetworkRig.CardOnTap(machine.Type) : NetworkRig.Card(machine.Type, wire.Backend);
        machine = machine with { Memory = test.Memory, Extra = [.. card, .. Capture(item)] };
        using NetworkGuest guest = new(rig, status => image.Arguments(machine, accelerator, status));
        guest.WaitForPort(test.ReadyPort, BootLimit);
        WireSession session = new(rig, guest, wire);
        try
        {
            test.Run(session);
            if (test.Ends)
                End(session, isReference: item.IsReference);
        }
        catch (Exception failure) when (failure is SocketException or IOException)
        {
            throw guest.Failure(failure.Message);
        }
        catch (ToolException failure) when (failure.Details.Count == 0)
        {
            throw guest.Failure(failure.Message);
        }
    }

    /// <summary>The server must still be in its senses.</summary>
    private static void End(WireSession session, bool isReference)
    {
        using Socket socket = session.Connect(WirePort.End);
        WireSession.Ask(socket, "end\n");
        session.Guest.WaitForEnd(EndLimit);
        bool isRight = isReference ? session.Guest.Output.Contains("init: exit 0", StringComparison.Ordinal) : session.Guest.Status is { End: GuestEnd.Exited, Value: 0 };
        WireSession.Require(isRight, "the server did not end with code 0");
    }

    private static IEnumerable<string> Capture(Case item)
    {
        if (Environment.GetEnvironmentVariable(CaptureVariable) is not { Length: > 0 } folder)
            return [];
        string name = string.Concat(item.Name.Select(character => char.IsAsciiLetterOrDigit(character) ? character : '-'));
        string file = Path.Combine(Directory.CreateDirectory(folder).FullName, $"{name}.pcap");
        return ["-object", string.Create(CultureInfo.InvariantCulture, $"filter-dump,id=capture,netdev=net,file={file},maxlen={CapturedBytes}")];
    }
}
