using FsCheck;
using FsCheck.Fluent;
using Ukl.Tool;
using Ukl.Tool.Qemu;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class KernelCommandLineTests
{
    [Fact]
    public void Words_come_before_the_arguments_whatever_the_order() =>
        Assert.Equal("init=/app/x trace -- a", new KernelCommandLine().Add("init", "/app/x").AddArguments(["a"]).Add("trace").ToString());

    [Fact]
    public void Without_arguments_there_is_no_separator() => Assert.Equal("trace", new KernelCommandLine().Add("trace").ToString());

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "\"\"")]
    [InlineData("two words", "\"two words\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    public void Arguments_are_quoted_when_they_must_be(string argument, string expected) =>
        Assert.Equal($"-- {expected}", new KernelCommandLine().AddArguments([argument]).ToString());

    [Fact]
    public void A_variable_keeps_its_value() => Assert.Equal("PATH=\"/a b\"", new KernelCommandLine().AddEnvironment("PATH=/a b").ToString());

    [Theory]
    [InlineData("x=1")]
    [InlineData("1X=1")]
    [InlineData("NAME")]
    [InlineData("=1")]
    [InlineData("A B=1")]
    public void What_the_kernel_would_not_take_for_a_variable_is_refused(string assignment) =>
        Assert.Throws<ToolException>(() => new KernelCommandLine().AddEnvironment(assignment));

    /// <summary>Reading back by the documented rules gives what was put in, for any arguments.</summary>
    [Fact]
    public void Quoting_loses_nothing() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>[]>(), given =>
        {
            string[] arguments = [.. given.Select(text => text.Get)];
            string line = new KernelCommandLine().Add("init", "/x").AddArguments(arguments).ToString();
            List<string> words = Split(line);
            return arguments.Length == 0 ? words.SequenceEqual(["init=/x"]) : words.SequenceEqual(["init=/x", "--", .. arguments]);
        }).QuickCheckThrowOnFailure();

    private static List<string> Split(string line)
    {
        List<string> words = [];
        string word = "";
        bool isQuoted = false, isWord = false;
        for (int index = 0; index < line.Length; index++)
        {
            char character = line[index];
            if (character == '"')
                (isQuoted, isWord) = (!isQuoted, true);
            else if (character == '\\')
                (word, isWord) = (word + line[++index], true);
            else if (!isQuoted && character is ' ' or '\t' or '\n' && !isQuoted)
            {
                if (isWord)
                    words.Add(word);
                (word, isWord) = ("", false);
            }
            else
                (word, isWord) = (word + character, true);
        }
        if (isWord)
            words.Add(word);
        return words;
    }
}
