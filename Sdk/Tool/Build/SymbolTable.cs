using Ukl.Lint.Elf;
using Ukl.Lint.Names;
using Ukl.Lint.Symbols;
using ObjectFile = Ukl.Lint.Elf.ElfFile;

namespace Ukl.Tool.Build;

/// <summary>
/// Puts the table of methods and source lines, from which a kernel panic prints its backtrace, into an image: the image is linked, the table is made
/// from it, and a second link adds the table at its end. The table is made by Sdk/Lint and read by Kernel/Diagnostics.
/// </summary>
/// <param name="repository">The tree; source files are named relative to it.</param>
public sealed class SymbolTable(Repository repository)
{
    /// <summary>Links an image twice.</summary>
    /// <param name="description">The assemblies that give methods their names.</param>
    /// <param name="image">The image.</param>
    /// <param name="link">Links it, with further objects.</param>
    /// <exception cref="ToolException">The second link moved code, so that the table is wrong.</exception>
    public void Link(ImageDescription description, string image, Action<IReadOnlyList<string>> link)
    {
        link([]);
        byte[] table = Make(description, image);
        string member = $"{image}.symbols.o";
        File.WriteAllBytes(member, ElfObjectWriter.Write(ImageSymbols.SectionName, table));
        link([member]);
        File.Delete(member);
        ObjectFile linked = ObjectFile.Read(image);
        if (linked.Find(ImageSymbols.SectionName) is not { } section || !linked.Content(section).SequenceEqual(Make(description, image)))
            throw new ToolException($"The symbol table of {Path.GetFileName(image)} does not fit it: the second link moved code.");
    }

    private byte[] Make(ImageDescription description, string image)
    {
        using Demangler names = new([.. description.Kernel, .. description.Program, .. description.References]);
        SymbolOptions options = new(Names(description.Kernel), Names(description.Program), repository.Root);
        return ImageSymbols.Make(ObjectFile.Read(image), names, options);
    }

    private static string[] Names(IEnumerable<string> files) => [.. files.Select(file => Path.GetFileNameWithoutExtension(file))];
}
