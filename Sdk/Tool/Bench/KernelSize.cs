using Ukl.Lint.Elf;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Bench;

/// <summary>How much of an image is the kernel's C#.</summary>
public static class KernelSize
{
    private static readonly string[] Prefixes = ["Ukl_Kernel_", "Ukl_Drivers_"];

    /// <summary>Bytes of machine code of the kernel's methods that are in the image.</summary>
    /// <param name="symbols">The image with its symbols.</param>
    public static long Measure(string symbols) =>
        ObjectFile.Read(symbols).Symbols
            .Where(symbol => symbol.Type == ElfSymbolType.Function && symbol.Section > 0 && Prefixes.Any(prefix => symbol.Name.StartsWith(prefix, StringComparison.Ordinal)))
            .DistinctBy(symbol => symbol.Value)
            .Sum(symbol => (long)symbol.Size);
}
