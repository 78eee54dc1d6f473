using System.CommandLine;

namespace Ukl.Tool.Commands;

/// <summary>ukl clean: removes everything that was built, except the tool itself.</summary>
public static class CleanCommand
{
    /// <summary>The folders whose bin and obj are removed; Sdk is left out, because the running tool lies there.</summary>
    private static readonly string[] Sources = ["Apps", "Drivers", "Kernel", "Tests"];

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<bool> cache = new("--cache") { Description = "Also remove the cache shared by all trees: libc, Linux guest, package lists" };
        Command command = new("clean", "Remove everything that was built") { cache };
        command.SetAction(parsed =>
        {
            CommandContext context = new();
            Remove(context.Repository.Output);
            foreach (string folder in Sources.Select(name => context.Repository.At(name)).Where(Directory.Exists))
                foreach (string project in Directory.GetFiles(folder, "*.csproj", SearchOption.AllDirectories))
                    foreach (string name in (string[])["bin", "obj"])
                        Remove(Path.Combine(Path.GetDirectoryName(project)!, name));
            if (parsed.GetValue(cache))
                Remove(context.Repository.Cache);
            return 0;
        });
        return command;
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
