namespace Ukl.Tool.Qemu;

/// <summary>The machine that an image is booted on.</summary>
public sealed record MachineOptions
{
    /// <summary>The types of machine that --machine accepts.</summary>
    public static readonly string[] Types = ["q35", "microvm", "pc"];

    /// <summary>QEMU's machine type.</summary>
    public string Type { get; init; } = "q35";

    /// <summary>CPUs.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>Memory in MiB.</summary>
    public int Memory { get; init; } = 256;

    /// <summary>QEMU's CPU model and features.</summary>
    public string CpuModel { get; init; } = "max";

    /// <summary>Whether the boot goes through the ISO's boot loader.</summary>
    public bool IsIso { get; init; }

    /// <summary>Whether the firmware is UEFI (OVMF) in place of a BIOS.</summary>
    public bool IsUefi { get; init; }

    /// <summary>Whether there is a serial port. Without one, nothing that the guest prints reaches the tool.</summary>
    public bool HasSerial { get; init; } = true;

    /// <summary>Whether the CPU waits for gdb before its first instruction.</summary>
    public bool WaitsForDebugger { get; init; }

    /// <summary>The network; none unless it is asked for.</summary>
    public NetworkOptions Network { get; init; } = new();

    /// <summary>
    /// Whether time is instructions, one virtual nanosecond each: the time-stamp counter then counts them, and every run is the same. For emulation (tcg) only.
    /// </summary>
    public bool CountsInstructions { get; init; }

    /// <summary>Further arguments for QEMU.</summary>
    public IReadOnlyList<string> Extra { get; init; } = [];

    /// <summary>Checks what the command line cannot.</summary>
    /// <exception cref="ToolException">A value is out of range, or two exclude each other.</exception>
    public void Validate()
    {
        if (!Types.Contains(Type))
            throw new ToolException($"There is no machine '{Type}'; the machines are {string.Join(", ", Types)}.");
        if (Cpus is < 1 or > 64)
            throw new ToolException($"{Cpus} CPUs are not possible; choose 1 to 64.");
        if (Memory is < 1 or > 1024 * 1024)
            throw new ToolException($"{Memory} MiB of memory are not possible; choose 1 to {1024 * 1024}.");
        if ((IsIso || IsUefi) && Type == "microvm")
            throw new ToolException("The machine microvm has no firmware that boots an ISO; use q35 or pc.");
    }
}
