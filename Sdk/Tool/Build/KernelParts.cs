using Ukl.Generators;
using Ukl.Lint.Linking;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Build;

/// <summary>
/// What of the kernel an image has: the system calls that its program can make and the drivers that its project keeps. The rest is compiled with its switch off
/// and so is not there, nor is what hangs on it alone.
/// </summary>
public sealed class KernelParts
{
    private const string All = "all";
    private const string Reachable = "reachable";

    // A program that can start others may start one that makes any call.
    private static readonly string[] Starters = ["execve", "execveat"];

    private readonly KernelSwitches known;

    private KernelParts(KernelSwitches known, IEnumerable<string> callsLeftOut, IEnumerable<string> driversLeftOut, string reason)
    {
        this.known = known;
        CallsLeftOut = [.. callsLeftOut];
        DriversLeftOut = [.. driversLeftOut];
        Reason = reason;
        Options = KernelSwitches.Options(CallsLeftOut, DriversLeftOut);
    }

    /// <summary>Calls that the kernel supports and the image does not have, in alphabetical order.</summary>
    public IReadOnlyList<string> CallsLeftOut { get; }

    /// <summary>Drivers that the image does not have, in alphabetical order.</summary>
    public IReadOnlyList<string> DriversLeftOut { get; }

    /// <summary>Why every call is kept; empty when calls were left out.</summary>
    public string Reason { get; }

    /// <summary>The options for ilc that say this.</summary>
    public IReadOnlyList<string> Options { get; }

    /// <summary>What is left out, for people: one line.</summary>
    public string Summary =>
        $"left out: {CallsLeftOut.Count} of {known.Calls.Count} calls, {DriversLeftOut.Count} of {known.Drivers.Count} drivers{(Reason.Length > 0 ? $" (every call is kept: {Reason})" : "")}";

    /// <summary>For the kernel that runs any program: every call, and the drivers that the project keeps.</summary>
    /// <param name="description">Names the kernel's assemblies.</param>
    /// <param name="drivers">What the project says of drivers.</param>
    public static KernelParts ForAnyProgram(ImageDescription description, string drivers)
    {
        KernelSwitches known = KernelSwitches.Read(description.Kernel);
        return new KernelParts(known, [], LeftOut(drivers, known.Drivers), "any program may run on it");
    }

    /// <summary>For a program that is linked with its kernel: the calls that the code of the linked image can make.</summary>
    /// <param name="description">The project's wishes and the kernel's assemblies.</param>
    /// <param name="image">An image of the program, with symbols; which calls its kernel has does not matter.</param>
    public static KernelParts ForProgram(ImageDescription description, string image)
    {
        KernelSwitches known = KernelSwitches.Read(description.Kernel);
        (IReadOnlyList<string> needed, string reason) = description.KernelCalls switch
        {
            All => (known.Calls, "the project asks for it"),
            Reachable or "" => Needed(known.Calls, CallNumbers.Read(ObjectFile.Read(image))),
            _ => throw new ToolException($"KernelCalls is '{description.KernelCalls}'; it can be '{Reachable}' (the calls that the program can make) or '{All}'."),
        };
        IEnumerable<string> useless = known.Drivers.Where(driver => driver.Serves.Count > 0 && !driver.Serves.Intersect(needed).Any()).Select(driver => driver.Name);
        return new KernelParts(known, known.Calls.Except(needed), LeftOut(description.KernelDrivers, known.Drivers).Union(useless).Order(StringComparer.Ordinal), reason);
    }

    /// <summary>The calls that must be kept, and why that is all of them, when it is.</summary>
    /// <param name="calls">Those that the kernel supports.</param>
    /// <param name="found">Those that the program can make.</param>
    public static (IReadOnlyList<string> Calls, string Reason) Needed(IReadOnlyList<string> calls, CallNumbers found)
    {
        if (found.Unproven.Count > 0)
        {
            string others = found.Unproven.Count > 1 ? $" and {found.Unproven.Count - 1} other places" : "";
            return (calls, $"the number of a call is not known before it is made at {found.Unproven[0]}{others}");
        }
        string[] reachable = [.. found.Numbers.Select(LinuxSyscalls.NameOf).OfType<string>().Intersect(calls)];
        return Starters.FirstOrDefault(reachable.Contains) is { } starter ? (calls, $"the program can start others by {starter}") : (reachable, "");
    }

    /// <summary>Reads the property KernelDrivers: "all", the names to keep, or the names to leave out with a minus before each.</summary>
    /// <exception cref="ToolException">There is no such driver, or both kinds of names are given.</exception>
    public static IReadOnlyList<string> LeftOut(string property, IReadOnlyList<DriverSwitch> drivers)
    {
        string[] words = [.. property.Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        if (words is [] or [All])
            return [];
        string[] names = [.. drivers.Select(driver => driver.Name)];
        bool isLeavingOut = words[0].StartsWith('-');
        List<string> named = [];
        foreach (string word in words)
        {
            string name = word.TrimStart('-');
            if (word.StartsWith('-') != isLeavingOut)
                throw new ToolException("KernelDrivers names either the drivers to keep, or those to leave out with a minus before each; it cannot do both.");
            named.Add(names.FirstOrDefault(driver => driver.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? throw new ToolException($"KernelDrivers names '{name}', and there is no such driver; the drivers are {string.Join(", ", names)}."));
        }
        return [.. names.Where(driver => named.Contains(driver) == isLeavingOut)];
    }
}
