using Ukl.Tool;
using Ukl.Tool.Build;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class ProgramReferenceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ukl-test-").FullName;

    private Repository Tree => new(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_project_is_found_by_folder_by_file_and_by_name()
    {
        string project = Write("Apps/One/One.csproj", "<Project />");
        foreach (string text in (string[])["Apps/One", "One", project, Path.GetDirectoryName(project)!])
            Assert.Equal(new ProgramReference(ProgramKind.DotNet, "One", project), ProgramReference.Resolve(Tree, text));
    }

    [Fact]
    public void A_C_file_is_a_program() => Assert.Equal(ProgramKind.C, ProgramReference.Resolve(Tree, Write("Tests/x.c", "")).Kind);

    [Fact]
    public void What_is_no_program_is_named()
    {
        Write("Apps/One/One.csproj", "<Project />");
        Write("Apps/Two/A.csproj", "");
        Write("Apps/Two/B.csproj", "");
        Directory.CreateDirectory(Path.Combine(folder, "Empty"));
        Assert.Contains("Apps/One", Sentence("Nowhere"));
        Assert.Contains("no .csproj", Sentence("Empty"));
        Assert.Contains("2 .csproj files", Sentence("Apps/Two"));
        Assert.Contains("neither", Sentence(Write("text.txt", "text")));
        Assert.Contains("damaged", Sentence(Write("cut", "\u007fELF")));
        Assert.Contains("No program", Sentence(""));
    }

    private string Sentence(string text) => Assert.Throws<ToolException>(() => ProgramReference.Resolve(Tree, text)).Message;

    private string Write(string path, string text)
    {
        string file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }
}
