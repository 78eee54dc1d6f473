using Ukl.Tool;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class LevelsTests
{
    private static readonly Levels Levels = Levels.Parse(File.ReadAllText(Repository.Find().At(Repository.Marker)));

    [Theory]
    [InlineData("general", 0)]
    [InlineData("0", 0)]
    [InlineData("Linked", 1)]
    [InlineData(" 1 ", 1)]
    public void Names_and_numbers_are_accepted(string text, int number) => Assert.Equal(number, Levels.Get(text).Number);

    [Theory]
    [InlineData("bypass")]
    [InlineData("3")]
    [InlineData("INLINE")]
    [InlineData("5")]
    public void A_level_of_the_design_that_is_not_built_is_refused_as_such(string text) =>
        Assert.Contains("not built yet", Assert.Throws<ToolException>(() => Levels.Get(text)).Message);

    [Theory]
    [InlineData("")]
    [InlineData("6")]
    [InlineData("-1")]
    [InlineData("01")]
    [InlineData("link")]
    public void Another_word_is_no_level(string text) => Assert.StartsWith("There is no level", Assert.Throws<ToolException>(() => Levels.Get(text)).Message);

    [Fact]
    public void The_default_is_linked() => Assert.Equal("linked", Levels.Default.Name);

    [Fact]
    public void Only_level_0_is_not_linked() => Assert.Equal(["general"], Levels.Built.Where(level => !level.IsLinked).Select(level => level.Name));
}
