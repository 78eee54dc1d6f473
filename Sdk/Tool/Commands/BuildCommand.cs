using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Ukl.Tool.Bench;
using Ukl.Tool.Build;

namespace Ukl.Tool.Commands;

/// <summary>ukl build: makes a program's image and prints the paths and sizes of what it made; and the hidden ukl link that dotnet publish calls.</summary>
public static class BuildCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Argument<string> app = CommonOptions.App();
        Option<string?> level = CommonOptions.Level();
        Option<bool> iso = new("--iso") { Description = "Make the bootable ISO too" };
        Command command = new("build", "Build a program's image and print what was made") { app, level, iso };
        command.SetAction(parsed =>
        {
            CommandContext context = new();
            (ProgramReference program, Level chosen) = context.Resolve(parsed.GetValue(app)!, parsed.GetValue(level));
            BuiltImage image = context.Builder.Build(program, chosen);
            if (parsed.GetValue(iso))
                IsoImage.Make(image, RunCommand.CommandLineFor(image, isTraced: false, [], []), context.Reporter);
            Print(context, image, parsed.GetValue(iso));
            return 0;
        });
        return command;
    }

    /// <summary>The end of a dotnet publish: links and packs what MSBuild compiled.</summary>
    public static Command CreateLink()
    {
        Argument<string> description = new("DESCRIPTION") { Description = "The file that the MSBuild target UklDescribe wrote" };
        Command command = new("link", "Link and pack an image from MSBuild's description") { description };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            CommandContext context = new();
            BuiltImage image = context.Builder.Link(ImageDescription.Parse(File.ReadAllLines(parsed.GetValue(description)!)));
            Print(context, image, withIso: false);
            return 0;
        });
        return command;
    }

    private static void Print(CommandContext context, BuiltImage image, bool withIso)
    {
        Table table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("file").AddColumn(new TableColumn("size").RightAligned()).AddColumn("what");
        string[] files = [image.Kernel, image.Symbols, image.Initramfs, image.Program, .. withIso ? (string[])[image.Iso] : []];
        foreach (string file in files.Where(File.Exists))
            table.AddRow(
                Markup.Escape(Path.GetRelativePath(context.Repository.Root, file)),
                (new FileInfo(file).Length / 1024.0).ToString("N0", CultureInfo.InvariantCulture) + " KiB",
                Describe(image, file));
        AnsiConsole.Write(table);
        if (File.Exists(image.Parts))
            Console.WriteLine($"kernel: {KernelSize.Measure(image.Symbols):N0} bytes of C# code, {File.ReadAllText(image.Parts)}");
    }

    private static string Describe(BuiltImage image, string file)
    {
        if (file == image.Kernel)
            return image.Level.IsLinked ? "program and kernel" : "kernel";
        if (file == image.Symbols)
            return "the same with symbols, for gdb";
        if (file == image.Initramfs)
            return "initramfs";
        return file == image.Iso ? "bootable ISO" : "the program, which also runs on Linux";
    }
}
