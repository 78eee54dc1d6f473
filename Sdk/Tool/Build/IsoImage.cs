using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>
/// Makes an ISO that boots by GRUB on BIOS and UEFI: the image by Multiboot2, the initramfs as its module. Source of truth: the GRUB manual
/// (multiboot2, module2), grub-mkrescue(1).
/// </summary>
public static class IsoImage
{
    /// <summary>The modules of GRUB that the few lines below need, and those that grub-mkrescue's own first lines load; all would be 20 MB.</summary>
    private const string Modules =
        "multiboot2 normal configfile iso9660 search search_fs_file fat boot all_video "
        + "part_acorn part_amiga part_apple part_bsd part_dfly part_dvh part_gpt part_msdos part_plan part_sun part_sunpc";

    /// <summary>Writes the ISO of an image, unless it is newer than the image and boots the same command line.</summary>
    /// <returns>Its path.</returns>
    public static string Make(BuiltImage image, KernelCommandLine commandLine, Reporter reporter)
    {
        string configuration = Configuration(image, commandLine.ToString());
        string remembered = Path.Combine(image.Folder, "grub.cfg");
        bool isFresh = File.Exists(image.Iso) && File.Exists(remembered) && File.ReadAllText(remembered) == configuration
            && File.GetLastWriteTimeUtc(image.Iso) >= File.GetLastWriteTimeUtc(image.Stamp);
        if (!isFresh)
            reporter.Step($"Making {Path.GetFileName(image.Iso)}", () => Write(image, configuration, remembered));
        return image.Iso;
    }

    private static void Write(BuiltImage image, string configuration, string remembered)
    {
        string tree = Path.Combine(image.Folder, "iso");
        if (Directory.Exists(tree))
            Directory.Delete(tree, recursive: true);
        string boot = Path.Combine(tree, "boot", "grub");
        Directory.CreateDirectory(boot);
        File.Copy(image.Kernel, Path.Combine(tree, "boot", Path.GetFileName(image.Kernel)));
        File.Copy(image.Initramfs, Path.Combine(tree, "boot", Path.GetFileName(image.Initramfs)));
        File.WriteAllText(Path.Combine(boot, "grub.cfg"), configuration);
        string staging = $"{image.Iso}.new";
        CommandRunner.Require(
            "The ISO could not be made", "grub-mkrescue",
            [$"--install-modules={Modules}", "--fonts=", "--themes=", "--locales=", "--compress=xz", "-o", staging, tree]);
        File.Move(staging, image.Iso, overwrite: true);
        File.WriteAllText(remembered, configuration);
        Directory.Delete(tree, recursive: true);
    }

    private static string Configuration(BuiltImage image, string commandLine) =>
        $"""
        multiboot2 /boot/{Path.GetFileName(image.Kernel)} {EscapeForGrub(commandLine)}
        module2 /boot/{Path.GetFileName(image.Initramfs)}
        boot

        """;

    /// <summary>
    /// GRUB reads quotes and backslashes as a shell does and passes each word on with a space between, so every character that is not plain gets a
    /// backslash; GRUB then escapes quotes and backslashes of a word again for the kernel, which is undone by giving it only plain ones.
    /// </summary>
    private static string EscapeForGrub(string text) =>
        string.Concat(text.Select(character => character == ' ' || char.IsAsciiLetterOrDigit(character) || "-_=+,.:/@%".Contains(character, StringComparison.Ordinal)
            ? character.ToString()
            : $"\\{character}"));
}
