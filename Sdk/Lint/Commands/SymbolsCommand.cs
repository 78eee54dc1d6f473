using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using Ukl.Lint.Elf;
using Ukl.Lint.Names;
using Ukl.Lint.Symbols;

namespace Ukl.Lint.Commands;

/// <summary>Makes the object with an image's symbol table, for the second link, or checks that the second link moved nothing.</summary>
internal static class SymbolsCommand
{
    public static Command Create()
    {
        var image = new Argument<FileInfo>("image") { Description = "The linked image, with symbols and line tables." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "Where to write the object." };
        var verify = new Option<bool>("--verify") { Description = "Write nothing; check that the table in the image is the image's own." };
        var kernel = new Option<FileInfo[]>("--assembly") { Description = "A kernel assembly.", Required = true };
        var program = new Option<FileInfo[]>("--program") { Description = "An assembly of the program." };
        var reference = new Option<FileInfo[]>("--reference") { Description = "Another assembly that was compiled, for its names." };
        var root = new Option<DirectoryInfo>("--source-root") { Description = "Source files in this folder are named relative to it." };
        var budget = new Option<int>("--budget") { Description = "Percent of the image that the table may take beyond the kernel's own methods.", DefaultValueFactory = _ => 10 };
        var command = new Command("symbols", "Makes the table of methods and lines that a kernel panic prints from.") { image, output, verify, kernel, program, reference, root, budget };
        command.SetAction(result =>
        {
            FileInfo[] kernelFiles = result.GetRequiredValue(kernel), programFiles = result.GetValue(program) ?? [];
            var options = new SymbolOptions(Names(kernelFiles), Names(programFiles), result.GetValue(root)?.FullName, result.GetValue(budget));
            using var names = new Demangler(kernelFiles.Concat(programFiles).Concat(result.GetValue(reference) ?? []).Select(file => file.FullName));
            ElfFile elf = ElfFile.Read(result.GetRequiredValue(image).FullName);
            byte[] table = ImageSymbols.Make(elf, names, options);
            if (result.GetValue(verify))
                return Verify(elf, table);
            if (result.GetValue(output) is not { } file)
                throw new InvalidDataException("symbols needs --output or --verify.");
            File.WriteAllBytes(file.FullName, ElfObjectWriter.Write(ImageSymbols.SectionName, table));
            return 0;
        });
        return command;
    }

    private static int Verify(ElfFile elf, byte[] table)
    {
        if (elf.Find(ImageSymbols.SectionName) is { } section && elf.Content(section).SequenceEqual(table))
            return 0;
        Console.Error.WriteLine($"ukl-lint: error UKL1017: {elf.Path}: the symbol table is not this image's: the second link moved code");
        return 1;
    }

    private static string[] Names(FileInfo[] files) => [.. files.Select(file => Path.GetFileNameWithoutExtension(file.Name))];
}
