using Ukl.Tool.Build;
using Ukl.Tool.Commands;
using Ukl.Tool.Network;
using Ukl.Tool.Qemu;

namespace Ukl.Tool.Bench;

/// <summary>A client's load on a server.</summary>
/// <param name="guest">The guest.</param>
/// <param name="rig">The network.</param>
/// <param name="seconds">About how long it lasts.</param>
/// <param name="earlier">What the same load achieved before; null the first time, which warms up.</param>
public delegate LoadResult LoadRun(NetworkGuest guest, NetworkRig rig, int seconds, LoadResult? earlier);

/// <summary>One client's load on a server.</summary>
/// <param name="Name">What the client does: "wrk, 50 connections".</param>
/// <param name="Run">Does it.</param>
public sealed record NetworkLoad(string Name, LoadRun Run)
{
    /// <summary>The most instructions per request that the linked level may take; null when no figure is set.</summary>
    public long? Target { get; init; }

    /// <summary>Whether requests stand for bytes.</summary>
    public bool IsBulk { get; init; }
}

/// <summary>A server in a guest, as it is measured.</summary>
/// <param name="Load">What the client did.</param>
/// <param name="Guest">The guest's name.</param>
/// <param name="Client">What the client saw.</param>
/// <param name="PerRequest">Instructions of the whole guest per request.</param>
/// <param name="ProgramPerRequest">Those of the program, with its runtime and libraries.</param>
/// <param name="Functions">Where they went, the most expensive first.</param>
public sealed record NetworkFigure(
    NetworkLoad Load, string Guest, LoadResult Client, double PerRequest, double ProgramPerRequest, IReadOnlyList<FunctionCount> Functions);

/// <summary>
/// Measures servers in guests, Linux and ours, with the same QEMU, the same flags and the same client over a tap device. Every guest has one CPU. Instructions are
/// those between two readings of the counter, less what the idle guest executes in the same time.
/// </summary>
/// <param name="context">Tree, levels and builder.</param>
/// <param name="seconds">How long each load lasts.</param>
public sealed class NetworkBench(CommandContext context, int seconds)
{
    /// <summary>As for the calls: string instructions are slow under TCG, so both kernels are told not to use them.</summary>
    private static readonly MachineOptions Machine = new() { CpuModel = "max,-erms,-fsrm" };

    private const int SymbolPort = 11;

    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(180);

    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(2);

    private readonly NetworkImages images = new(context);

    /// <summary>A guest that can be booted.</summary>
    /// <param name="Image">What is booted.</param>
    /// <param name="Map">Its functions.</param>
    public sealed record Guest(NetworkImage Image, CodeMap Map);

    /// <summary>The release of the Linux that is measured beside.</summary>
    public string LinuxName => images.LinuxGuest.Name;

    /// <summary>A program at one of our levels.</summary>
    public Guest Ours(string program, Level level, IReadOnlyList<string> arguments)
    {
        NetworkImage image = images.Ours(program, level, arguments);
        CodeMap map = level.IsLinked
            ? new CodeMap().AddLinkedImage(image.Image.Symbols, images.KernelAlone())
            : new CodeMap().AddImage(image.Image.Symbols).AddImage(ProgramSymbols(program, image.Image));
        return new Guest(image, map);
    }

    /// <summary>The same program's file of level 0 on Linux.</summary>
    public Guest Linux(string program, IReadOnlyList<string> arguments)
    {
        NetworkImage image = images.Linux(program, arguments, $"symbols={SymbolPort}");
        return new Guest(image, new CodeMap().AddImage(ProgramSymbols(program, image.Image)));
    }

    /// <summary>Boots a guest and puts all loads on it, one after the other.</summary>
    /// <param name="guest">The guest.</param>
    /// <param name="name">How it is called in the figures.</param>
    /// <param name="port">The port on which its server listens.</param>
    /// <param name="loads">The loads.</param>
    public IReadOnlyList<NetworkFigure> Measure(Guest guest, string name, int port, IReadOnlyList<NetworkLoad> loads)
    {
        using NetworkRig rig = new();
        using InstructionCounter counter = new(context.Repository);
        using NetworkGuest running = Boot(rig, guest, Machine with { Extra = [.. NetworkRig.CardOnTap(Machine.Type), .. counter.Arguments] });
        running.WaitForPort(port, BootLimit);
        double idle = IdlePerSecond(counter);
        return [.. loads.Select(load => Measure(guest.Map, name, running, rig, counter, load, idle))];
    }

    private NetworkFigure Measure(CodeMap map, string name, NetworkGuest running, NetworkRig rig, InstructionCounter counter, NetworkLoad load, double idle)
    {
        const int WarmUp = 2;
        LoadResult warm = load.Run(running, rig, WarmUp, earlier: null);
        InstructionSample before = counter.Read();
        TimeSpan start = running.Started.Elapsed;
        LoadResult result = load.Run(running, rig, seconds, warm);
        double elapsed = (running.Started.Elapsed - start).TotalSeconds;
        InstructionSample during = counter.Read().Since(before);
        if (running.HasEnded)
            throw running.Failure("it ended under load");
        double requests = Math.Max(result.Requests, 1);
        return new NetworkFigure(
            load, name, result, (during.Total - (idle * elapsed)) / requests, map.ProgramInstructions(during) / requests, map.ByFunction(during));
    }

    /// <summary>What the guest executes per second while nobody asks anything of it.</summary>
    private static double IdlePerSecond(InstructionCounter counter)
    {
        Thread.Sleep(IdleTime);
        InstructionSample before = counter.Read();
        Thread.Sleep(IdleTime);
        return counter.Read().Since(before).Total / IdleTime.TotalSeconds;
    }

    private static NetworkGuest Boot(NetworkRig rig, Guest guest, MachineOptions machine)
    {
        NetworkGuest running = new(rig, status => guest.Image.Arguments(machine, "tcg", status));
        try
        {
            if (guest.Image.CommandLine.Contains($" symbols={SymbolPort} ", StringComparison.Ordinal))
                guest.Map.AddKernelSymbols(running.ReadText(SymbolPort, BootLimit));
            return running;
        }
        catch
        {
            running.Dispose();
            throw;
        }
    }

    /// <summary>A finished program has what symbols it was given.</summary>
    private static string ProgramSymbols(string program, BuiltImage image) => File.Exists(image.ProgramSymbols) ? image.ProgramSymbols : program;
}
