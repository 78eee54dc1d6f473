using System.Xml;
using System.Xml.Linq;

namespace Ukl.Tool.Build;

/// <summary>What can be read off a project file without evaluating it.</summary>
public static class ProjectFile
{
    /// <summary>The SpecializationLevel that the project sets in plain text, or null.</summary>
    /// <exception cref="ToolException">The file is no XML.</exception>
    public static string? Level(string project)
    {
        try
        {
            string? text = (string?)XElement.Load(project).Descendants().FirstOrDefault(element => element.Name.LocalName == "SpecializationLevel");
            return string.IsNullOrWhiteSpace(text) || text.Contains('$') ? null : text.Trim();
        }
        catch (XmlException failure)
        {
            throw new ToolException($"{project} is not a valid project file: {failure.Message}");
        }
    }
}
