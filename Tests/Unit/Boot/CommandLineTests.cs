using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Boot;
using Xunit;

namespace Ukl.Tests.Unit.Boot;

public class CommandLineTests
{
    [Fact]
    public void Options_environment_and_arguments_are_told_apart()
    {
        CommandLine line = Parse("trace console=ttyS0  init=/bin/app DOTNET_gcServer=0 a.b=c -- --port 80 'x'");
        Assert.True(line.HasFlag("trace"u8));
        Assert.False(line.HasFlag("trac"u8));
        Assert.False(line.HasFlag("console"u8));
        Assert.True(line.TryGetValue("init"u8, out ReadOnlySpan<byte> init));
        Assert.Equal("/bin/app", Encoding.UTF8.GetString(init));
        Assert.Equal(["DOTNET_gcServer=0"], Words(line.Options, onlyEnvironment: true));
        Assert.Equal(["--port", "80", "'x'"], Words(line.Arguments));
    }

    [Fact]
    public void The_last_of_equal_keys_wins()
    {
        CommandLine line = Parse("init=/a init=/b");
        Assert.True(line.TryGetValue("init"u8, out ReadOnlySpan<byte> init));
        Assert.Equal("/b", Encoding.UTF8.GetString(init));
    }

    [Theory]
    [InlineData("-- \"a b\" c", "a b|c")]
    [InlineData("-- name=\"a b\"c", "name=a bc")]
    [InlineData("-- a\\ b \\\"q\\\" \\\\", "a b|\"q\"|\\")]
    [InlineData("-- \"\" x", "|x")]
    [InlineData("-- \"open to the end", "open to the end")]
    [InlineData("-- a -- b", "a|--|b")]
    [InlineData("\"--\" x", "")]
    [InlineData("", "")]
    [InlineData("--", "")]
    [InlineData("-- \\", "\\")]
    public void Quotes_and_backslashes(string text, string expected)
    {
        CommandLine line = Parse(text);
        Assert.Equal(expected.Length == 0 ? [] : expected.Split('|'), Words(line.Arguments));
    }

    [Fact]
    public void Without_the_separator_there_are_no_arguments() => Assert.Empty(Words(Parse("a b=c").Arguments));

    [Fact]
    public void A_line_that_does_not_fit_is_refused()
    {
        var line = new CommandLine();
        Assert.True(line.Set(new byte[CommandLine.Capacity - 1].AsSpan()).IsEmpty);
        Assert.False(line.Set(new byte[CommandLine.Capacity].AsSpan()).IsEmpty);
        var full = new byte[CommandLine.Capacity - 1];
        full.AsSpan().Fill((byte)'x');
        Assert.True(line.Set(full).IsEmpty);
        Assert.Equal(CommandLine.Capacity - 1, Words(line.Options).Single().Length);
    }

    [Fact]
    public void Any_words_survive_quoting()
    {
        Gen<string> word = Gen.Elements("abz=\"\\ -\t".ToCharArray()).ListOf().Select(letters => new string([.. letters]));
        Prop.ForAll(word.ListOf().Select(words => words.Take(100).ToArray()).ToArbitrary(), words =>
        {
            string text = "-- " + string.Join(' ', words.Select(Quote));
            return text.Length >= CommandLine.Capacity || Words(Parse(text).Arguments).SequenceEqual(words);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Any_bytes_are_taken_without_harm()
    {
        Prop.ForAll<byte[]>(bytes =>
        {
            var line = new CommandLine();
            if (line.Set(bytes).IsEmpty)
                return Words(line.Options).Sum(word => word.Length) + Words(line.Arguments).Sum(word => word.Length) <= bytes.Length;
            return bytes.Length >= CommandLine.Capacity;
        }).QuickCheckThrowOnFailure();
    }

    private static string Quote(string word) => "\"" + word.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    private static CommandLine Parse(string text)
    {
        var line = new CommandLine();
        Assert.True(line.Set(Encoding.UTF8.GetBytes(text)).IsEmpty);
        return line;
    }

    // Latin-1, so that every byte counts as one letter.
    private static List<string> Words(CommandLineWords words, bool onlyEnvironment = false)
    {
        var list = new List<string>();
        while (words.MoveNext())
        {
            if (!onlyEnvironment || words.IsEnvironment)
                list.Add(Encoding.Latin1.GetString(words.Current));
        }
        return list;
    }
}
