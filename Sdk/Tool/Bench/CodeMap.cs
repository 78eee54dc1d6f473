using System.Globalization;
using Ukl.Lint.Elf;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Bench;

/// <summary>Whose code a function is.</summary>
public enum CodeOwner
{
    /// <summary>The kernel's.</summary>
    Kernel,

    /// <summary>The program's, its libraries and runtime included.</summary>
    Program,
}

/// <summary>A function with what was executed in it.</summary>
/// <param name="Name">Its symbol, or an address when there is none.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Instructions">Executed instructions.</param>
public sealed record FunctionCount(string Name, CodeOwner Owner, long Instructions);

/// <summary>The functions of a guest by address, from the symbols of its files.</summary>
public sealed class CodeMap
{
    /// <summary>Addresses from here on are the kernel's; only a linked program is there too.</summary>
    private const ulong KernelHalf = 1ul << 63;

    private const ulong LargestFunction = 1 << 20;

    private static readonly string[] KernelPrefixes = ["Ukl_Kernel_", "Ukl_Drivers_", "ukl_"];

    private const string CoreLibraryPrefix = "S_P_CoreLib_";

    private readonly List<(ulong Address, string Name, CodeOwner Owner)> functions = [];

    /// <summary>Adds the functions of a kernel, or of a program that is executed where it was linked for; one that can be loaded anywhere adds nothing.</summary>
    /// <param name="path">An ELF file with its symbols.</param>
    public CodeMap AddImage(string path)
    {
        ObjectFile file = ObjectFile.Read(path);
        if (file.Segments.Any(segment => segment.Type == ElfSegment.Load && segment.Address == 0))
            return this;
        foreach (ElfSymbol symbol in FunctionsOf(file))
            functions.Add((symbol.Value, symbol.Name, OwnerByAddress(symbol.Value)));
        Sort();
        return this;
    }

    /// <summary>Adds the functions of a kernel and a program in one image, which only their names tell apart.</summary>
    /// <param name="path">The image with its symbols.</param>
    /// <param name="kernel">The kernel alone, whose names in assembly language have no prefix.</param>
    public CodeMap AddLinkedImage(string path, string kernel)
    {
        HashSet<string> names = [.. FunctionsOf(ObjectFile.Read(kernel)).Select(symbol => symbol.Name).Where(name => !name.StartsWith(CoreLibraryPrefix, StringComparison.Ordinal))];
        foreach (ElfSymbol symbol in FunctionsOf(ObjectFile.Read(path)))
        {
            bool isKernel = names.Contains(symbol.Name) || KernelPrefixes.Any(prefix => symbol.Name.StartsWith(prefix, StringComparison.Ordinal));
            functions.Add((symbol.Value, symbol.Name, isKernel ? CodeOwner.Kernel : CodeOwner.Program));
        }
        Sort();
        return this;
    }

    /// <summary>Adds the functions of a Linux kernel, as /proc/kallsyms lists them: address, type and name in a line.</summary>
    public CodeMap AddKernelSymbols(string text)
    {
        foreach (string line in text.Split('\n'))
            if (line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [var address, "t" or "T" or "w" or "W", var name, ..]
                && ulong.TryParse(address, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value))
                functions.Add((value, name, CodeOwner.Kernel));
        Sort();
        return this;
    }

    /// <summary>Whose the code at an address is.</summary>
    public CodeOwner OwnerOf(ulong address) => Find(address) is var index and >= 0 && IsNear(functions[index].Address, address) ? functions[index].Owner : OwnerByAddress(address);

    /// <summary>How many instructions of a sample were its program's.</summary>
    public long ProgramInstructions(InstructionSample sample) => sample.Blocks.Where(block => OwnerOf(block.Key) == CodeOwner.Program).Sum(block => block.Value);

    /// <summary>A sample by function, the most expensive first.</summary>
    public IReadOnlyList<FunctionCount> ByFunction(InstructionSample sample) =>
    [
        .. sample.Blocks
            .GroupBy(block => NameOf(block.Key))
            .Select(group => new FunctionCount(group.Key, OwnerOf(group.First().Key), group.Sum(block => block.Value)))
            .OrderByDescending(function => function.Instructions),
    ];

    private static CodeOwner OwnerByAddress(ulong address) => address >= KernelHalf ? CodeOwner.Kernel : CodeOwner.Program;

    private static IEnumerable<ElfSymbol> FunctionsOf(ObjectFile file) =>
        file.Symbols.Where(symbol =>
            symbol.Type is ElfSymbolType.Function or ElfSymbolType.None && symbol.Name.Length > 0 && symbol.Section > 0 && file.Sections[symbol.Section].IsCode);

    /// <summary>A symbol says nothing about code that lies far from it: in the other half, in another program, in a mapped page.</summary>
    private static bool IsNear(ulong symbol, ulong address) => address - symbol < LargestFunction;

    private string NameOf(ulong address)
    {
        int index = Find(address);
        if (index >= 0 && IsNear(functions[index].Address, address))
            return functions[index].Name;
        return OwnerByAddress(address) == CodeOwner.Program ? "(program)" : $"0x{address >> 12:x}000";
    }

    private void Sort() => functions.Sort((left, right) => left.Address.CompareTo(right.Address));

    /// <summary>The last function that starts at or below an address; -1 for none.</summary>
    private int Find(ulong address)
    {
        int low = 0, high = functions.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (functions[middle].Address <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }
}
