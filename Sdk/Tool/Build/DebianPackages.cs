using Ukl.Tool.Shell;

namespace Ukl.Tool.Build;

/// <summary>
/// Fetches packages of the machine's own distribution without installing them and without touching its configuration: apt is given a source list
/// and a state folder of ours. Source of truth: apt.conf(5), sources.list(5) (both the one-line and the deb822 style).
/// </summary>
/// <param name="repository">Tells where the cache is.</param>
public sealed class DebianPackages(Repository repository)
{
    private string StateFolder => Path.Combine(repository.Cache, "apt");

    private string SourceList => Path.Combine(StateFolder, "ukl.list");

    /// <summary>Downloads and unpacks a source package.</summary>
    /// <param name="package">The name, such as musl.</param>
    /// <param name="folder">Where its tree goes; must not exist.</param>
    public void UnpackSource(string package, string folder)
    {
        string download = FetchSource(package);
        string description = Directory.GetFiles(download, "*.dsc").Single();
        CommandRunner.Require($"The source of {package} could not be unpacked", "dpkg-source", ["--no-check", "--extract", description, folder]);
        Directory.Delete(download, recursive: true);
    }

    /// <summary>The newest version, or else an older one: an archive may list a version that a mirror does not have.</summary>
    private string FetchSource(string package)
    {
        EnsureLists();
        const string Field = "Version: ";
        string[] lines = CommandRunner.Run("apt-cache", [.. Options(), "showsrc", package]).Lines;
        string[] versions = [.. lines.Where(line => line.StartsWith(Field, StringComparison.Ordinal)).Select(line => line[Field.Length..]).Distinct()];
        foreach (string version in versions)
        {
            try
            {
                return Fetch(["source", "--download-only", $"{package}={version}"], package);
            }
            catch (ToolException) when (version != versions[^1])
            {
                continue;
            }
        }
        throw new ToolException($"The distribution has no source package {package}.");
    }

    /// <summary>Downloads and unpacks a binary package.</summary>
    /// <param name="package">The name, such as busybox-static.</param>
    /// <param name="folder">Where its files go.</param>
    private void UnpackBinary(string package, string folder)
    {
        string download = Fetch(["download", package], package);
        string archive = Directory.GetFiles(download, "*.deb").Single();
        Directory.CreateDirectory(folder);
        CommandRunner.Require($"The package {package} could not be unpacked", "dpkg-deb", ["--extract", archive, folder]);
        Directory.Delete(download, recursive: true);
    }

    /// <summary>The folder of a binary package's files in the cache, fetched when they are not there.</summary>
    public string Unpacked(string package)
    {
        string folder = Path.Combine(repository.Cache, "packages", package);
        if (Directory.Exists(folder))
            return folder;
        string staging = $"{folder}.new";
        UnpackBinary(package, staging);
        Directory.Move(staging, folder);
        return folder;
    }

    /// <summary>The first package that another one, such as a metapackage, depends on; null when the distribution does not have it.</summary>
    public string? FirstDependency(string package)
    {
        EnsureLists();
        CommandResult result = CommandRunner.Run("apt-cache", [.. Options(), "depends", "--important", package]);
        const string Field = "Depends: ";
        return result.Lines.Where(line => line.StartsWith(Field, StringComparison.Ordinal)).Select(line => line[Field.Length..]).FirstOrDefault();
    }

    private string Fetch(string[] command, string package)
    {
        EnsureLists();
        string download = Path.Combine(StateFolder, "download", package);
        if (Directory.Exists(download))
            Directory.Delete(download, recursive: true);
        Directory.CreateDirectory(download);
        CommandResult result = CommandRunner.Run("apt-get", ["-q", .. Options(), .. command], download);
        return result.ExitCode == 0 ? download : throw CommandRunner.Failure($"The package {package} could not be downloaded", "apt-get", result);
    }

    /// <summary>Reads the package lists once; a day later they are read again, because mirrors drop what they replaced.</summary>
    private void EnsureLists()
    {
        string lists = Path.Combine(StateFolder, "lists");
        string stamp = Path.Combine(StateFolder, "updated");
        if (File.Exists(stamp) && DateTime.UtcNow - File.GetLastWriteTimeUtc(stamp) < TimeSpan.FromDays(1))
            return;
        Directory.CreateDirectory(Path.Combine(lists, "partial"));
        Directory.CreateDirectory(Path.Combine(StateFolder, "cache", "archives", "partial"));
        File.WriteAllLines(SourceList, DeriveSources(ReadSystemSources()));
        CommandRunner.Require("The package lists could not be read", "apt-get", ["-q", .. Options(), "update"]);
        File.WriteAllText(stamp, "");
    }

    private string[] Options() =>
    [
        "-o", $"Dir::Etc::sourcelist={SourceList}",
        "-o", "Dir::Etc::sourceparts=-",
        "-o", $"Dir::State::lists={Path.Combine(StateFolder, "lists")}",
        "-o", $"Dir::Cache={Path.Combine(StateFolder, "cache")}",
        "-o", "APT::Sandbox::User=",
    ];

    private static IEnumerable<(string Name, string Text)> ReadSystemSources()
    {
        const string Folder = "/etc/apt/sources.list.d";
        string[] parts = Directory.Exists(Folder) ? Directory.GetFiles(Folder) : [];
        foreach (string file in parts.Order(StringComparer.Ordinal).Prepend("/etc/apt/sources.list"))
            if (File.Exists(file) && Path.GetExtension(file) is ".list" or ".sources")
                yield return (file, File.ReadAllText(file));
    }

    /// <summary>One-line entries, binary and source, for the distribution's own archives among the machine's sources.</summary>
    /// <param name="files">Name and text of each file; the name's ending decides the style.</param>
    /// <exception cref="ToolException">There are none.</exception>
    public static IReadOnlyList<string> DeriveSources(IEnumerable<(string Name, string Text)> files)
    {
        List<string> lines = [];
        foreach ((string name, string text) in files)
            foreach ((string options, string uri, string suite, string components) in name.EndsWith(".sources", StringComparison.Ordinal) ? ParseStanzas(text) : ParseLines(text))
            {
                lines.Add($"deb {options}{uri} {suite} {components}");
                lines.Add($"deb-src {options}{uri} {suite} {components}");
            }
        string[] distinct = [.. lines.Distinct()];
        return distinct.Length > 0 ? distinct : throw new ToolException("No package source of Debian or Ubuntu is configured in /etc/apt.");
    }

    private static IEnumerable<(string Options, string Uri, string Suite, string Components)> ParseLines(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            string entry = line.Split('#')[0].Trim();
            if (!entry.StartsWith("deb ", StringComparison.Ordinal) && !entry.StartsWith("deb\t", StringComparison.Ordinal))
                continue;
            string rest = entry[4..].Trim();
            string options = "";
            if (rest.StartsWith('[') && rest.IndexOf(']') is var end and > 0)
            {
                options = $"{rest[..(end + 1)]} ";
                rest = rest[(end + 1)..].Trim();
            }
            string[] words = rest.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 3 && IsDistribution(words[0], words[2..]))
                yield return (options, words[0], words[1], string.Join(' ', words[2..]));
        }
    }

    private static IEnumerable<(string Options, string Uri, string Suite, string Components)> ParseStanzas(string text)
    {
        foreach (string stanza in text.ReplaceLineEndings("\n").Split("\n\n"))
        {
            Dictionary<string, string> fields = new(StringComparer.OrdinalIgnoreCase);
            foreach (string line in stanza.Split('\n'))
                if (!line.StartsWith('#') && !line.StartsWith(' ') && line.Split(':', 2) is [string key, string value])
                    fields[key.Trim()] = value.Trim();
            if (!fields.TryGetValue("URIs", out string? uris) || !fields.TryGetValue("Suites", out string? suites) || !fields.TryGetValue("Components", out string? components))
                continue;
            if (fields.TryGetValue("Enabled", out string? enabled) && enabled.Equals("no", StringComparison.OrdinalIgnoreCase))
                continue;
            string options = fields.TryGetValue("Signed-By", out string? key2) && Path.IsPathRooted(key2) ? $"[signed-by={key2}] " : "";
            foreach (string uri in uris.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                foreach (string suite in suites.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    if (IsDistribution(uri, components.Split(' ')))
                        yield return (options, uri, suite, components);
        }
    }

    /// <summary>Whether an entry is the distribution's archive: only those have the component main, and they name themselves in the address.</summary>
    private static bool IsDistribution(string uri, IEnumerable<string> components) =>
        components.Contains("main") && (uri.Contains("debian", StringComparison.Ordinal) || uri.Contains("ubuntu", StringComparison.Ordinal));
}
