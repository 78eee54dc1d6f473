using System.Globalization;
using System.Xml.Linq;

namespace Ukl.Tool;

/// <summary>One point of the spectrum. Source: Cosmos.props, item UklLevel.</summary>
/// <param name="Name">The name used in paths and project files.</param>
/// <param name="Number">The other spelling, 0 to 5.</param>
/// <param name="IsLinked">Program and kernel are one image; otherwise the program is a Linux ELF in the initramfs.</param>
/// <param name="IsBuilt">This version can build it.</param>
public sealed record Level(string Name, int Number, bool IsLinked, bool IsBuilt)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Number.ToString(CultureInfo.InvariantCulture)})";
}

/// <summary>The spectrum of specialization levels.</summary>
public sealed class Levels
{
    private readonly Level[] levels;

    private Levels(Level[] levels, string defaultName)
    {
        this.levels = levels;
        Default = Array.Find(levels, level => level.Name == defaultName)
            ?? throw new ToolException($"{Repository.Marker} names the default level '{defaultName}', which it does not define.");
    }

    /// <summary>The level of a project that names none.</summary>
    public Level Default { get; }

    /// <summary>Level 0: the program is an ordinary Linux process.</summary>
    public Level General => levels[0];

    /// <summary>Level 1: the first level that links program and kernel.</summary>
    public Level Linked => levels[1];

    /// <summary>The levels that this version can build.</summary>
    public IEnumerable<Level> Built => levels.Where(level => level.IsBuilt);

    /// <summary>Reads the levels from the text of Cosmos.props.</summary>
    public static Levels Parse(string xml)
    {
        XElement project = XElement.Parse(xml);
        Level[] levels =
        [
            .. from element in project.Descendants("UklLevel")
               select new Level(
                   (string)element.Attribute("Include")!,
                   (int)element.Attribute("Number")!,
                   (bool)element.Attribute("IsLinked")!,
                   (bool)element.Attribute("IsBuilt")!)
               into level
               orderby level.Number
               select level,
        ];
        return new Levels(levels, (string?)project.Descendants("UklDefaultLevel").FirstOrDefault() ?? "");
    }

    /// <summary>The level of that name or number.</summary>
    /// <exception cref="ToolException">There is no such level, or it is not built yet.</exception>
    public Level Get(string text)
    {
        Level? found = Array.Find(
            levels,
            level => level.Name.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase) || level.Number.ToString(CultureInfo.InvariantCulture) == text.Trim());
        if (found is null)
            throw new ToolException($"There is no level '{text}'; the levels are {string.Join(", ", levels.AsEnumerable())}.");
        return found.IsBuilt
            ? found
            : throw new ToolException($"Level {found} is not built yet; this version of UKL builds {string.Join(" and ", Built)}.");
    }
}
