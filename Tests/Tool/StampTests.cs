using Ukl.Tool;
using Ukl.Tool.Build;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class StampTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ukl-test-").FullName;

    public StampTests()
    {
        Directory.CreateDirectory(Path.Combine(folder, "src", "obj"));
        File.WriteAllText(Path.Combine(folder, "src", "a.cs"), "a");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Nothing_changed_matches()
    {
        Compute().Write(StampFile);
        Assert.True(Compute().Matches(StampFile));
    }

    [Fact]
    public void A_changed_new_or_removed_file_and_other_settings_do_not_match()
    {
        string source = Path.Combine(folder, "src", "a.cs"), other = Path.Combine(folder, "src", "b.cs");
        Compute().Write(StampFile);
        File.WriteAllText(source, "ab");
        Assert.False(Compute().Matches(StampFile));

        Compute().Write(StampFile);
        File.WriteAllText(other, "");
        Assert.False(Compute().Matches(StampFile));

        Compute().Write(StampFile);
        File.Delete(other);
        Assert.False(Compute().Matches(StampFile));

        Compute().Write(StampFile);
        Assert.False(Compute("other").Matches(StampFile));
    }

    [Fact]
    public void What_a_build_writes_does_not_count()
    {
        Compute().Write(StampFile);
        File.WriteAllText(Path.Combine(folder, "src", "obj", "x"), "x");
        Assert.True(Compute().Matches(StampFile));
    }

    private Stamp Compute(string settings = "level") => Stamp.Compute(new Repository(folder), ["src", "missing"], settings);

    private string StampFile => Path.Combine(folder, "stamp");
}
