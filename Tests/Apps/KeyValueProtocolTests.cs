using System.Text;
using KeyValue.Commands;
using KeyValue.Protocol;
using Xunit;

namespace Ukl.Tests.Apps;

/// <summary>KeyValue's reading of requests: whole, in pieces, and what is none; and what it answers.</summary>
public sealed class KeyValueProtocolTests
{
    private const int LongestArgument = 1 << 20;

    [Theory]
    [InlineData("*2\r\n$3\r\nGET\r\n$1\r\na\r\n", new[] { "GET", "a" })]
    [InlineData("*1\r\n$0\r\n\r\n", new[] { "" })]
    [InlineData("*0\r\n", new string[0])]
    [InlineData("*-1\r\n", new string[0])]
    [InlineData("\r\n", new string[0])]
    [InlineData("PING\n", new[] { "PING" })]
    [InlineData("  SET  a\t b \r\n", new[] { "SET", "a", "b" })]
    [InlineData("SET \"a b\" 'c\"d'\r\n", new[] { "SET", "a b", "c\"d" })]
    [InlineData("SET \"\\x41\\n\\\"\" 'it\\'s' \"\"\r\n", new[] { "SET", "A\n\"", "it's", "" })]
    public void A_request_is_its_arguments(string text, string[] expected)
    {
        RequestReader reader = new(LongestArgument);
        Assert.Equal(RequestStatus.Complete, Read(reader, text, out string[] arguments, out _));
        Assert.Equal(expected, arguments);
        Assert.Equal(text.Length, reader.Consumed);
    }

    [Theory]
    [InlineData("*1\r\n!4\r\n", "Protocol error: expected '$', got '!'")]
    [InlineData("*1048577\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*x\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*1\r\n$-1\r\n", "Protocol error: invalid bulk length")]
    [InlineData("*1\r\n$1048577\r\n", "Protocol error: invalid bulk length")]
    [InlineData("*1\r\n$99999999999999999999999\r\n", "Protocol error: invalid bulk length")]
    [InlineData("GET \"a\r\n", "Protocol error: unbalanced quotes in request")]
    [InlineData("GET 'a'b\r\n", "Protocol error: unbalanced quotes in request")]
    public void What_is_no_request_is_refused_in_the_words_of_Redis(string text, string expected)
    {
        Assert.Equal(RequestStatus.Invalid, Read(new RequestReader(LongestArgument), text, out _, out string error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void A_line_that_never_ends_is_refused()
    {
        Assert.Equal(RequestStatus.Incomplete, Read(new RequestReader(LongestArgument), new string('x', 1000), out _, out _));
        Assert.Equal(RequestStatus.Invalid, Read(new RequestReader(LongestArgument), new string('x', 70_000), out _, out _));
        Assert.Equal(RequestStatus.Invalid, Read(new RequestReader(LongestArgument), $"*{new string('0', 70_000)}", out _, out _));
    }

    /// <summary>However the bytes of requests are cut into pieces, the same arguments come out.</summary>
    [Fact]
    public void Pieces_make_no_difference()
    {
        Random random = new(1);
        for (int round = 0; round < 500; round++)
        {
            string[][] requests = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Arguments(random))];
            byte[] bytes = [.. requests.SelectMany(Encode)];
            RequestReader reader = new(LongestArgument);
            List<string[]> found = [];
            int start = 0;
            for (int end = 1; end <= bytes.Length; end = Math.Min(end + random.Next(1, 40), bytes.Length))
            {
                byte[] input = bytes[start..end]; // A fresh copy each time, as when the server moves its buffer.
                while (reader.Read(input, out _) == RequestStatus.Complete)
                {
                    found.Add(Texts(reader, input));
                    start += reader.Consumed;
                    input = bytes[start..end];
                }
                if (end == bytes.Length)
                    break;
            }
            Assert.Equal(requests, found);
        }
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "abc", true)]
    [InlineData("a*c", "abbc", true)]
    [InlineData("a*c", "abbd", false)]
    [InlineData("*a*b*", "xxaxxbxx", true)]
    [InlineData("h?llo", "hello", true)]
    [InlineData("h?llo", "hllo", false)]
    [InlineData("h[ae]llo", "hallo", true)]
    [InlineData("h[^e]llo", "hello", false)]
    [InlineData("h[a-c]llo", "hbllo", true)]
    [InlineData("h[c-a]llo", "hbllo", true)]
    [InlineData("a\\*", "a*", true)]
    [InlineData("a\\*", "ab", false)]
    [InlineData("[a", "a", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    public void Patterns_match_as_in_Redis(string pattern, string key, bool expected) =>
        Assert.Equal(expected, Pattern.Matches(Encoding.ASCII.GetBytes(pattern), Encoding.ASCII.GetBytes(key)));

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("-1", -1L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData("+1", null)]
    [InlineData("01", null)]
    [InlineData("-0", null)]
    [InlineData(" 1", null)]
    [InlineData("1 ", null)]
    [InlineData("9223372036854775808", null)]
    public void Numbers_have_one_form(string text, long? expected)
    {
        bool isNumber = Numbers.TryParse(Encoding.ASCII.GetBytes(text), out long value);
        Assert.Equal(expected, isNumber ? value : null);
    }

    [Fact]
    public void An_error_is_one_line_whatever_the_client_sent()
    {
        ReplyWriter reply = new();
        reply.Error("ERR unknown command 'a\r\n+OK'"u8);
        Assert.Equal("-ERR unknown command 'a  +OK'\r\n", Encoding.ASCII.GetString(reply.Buffer, 0, reply.Length));
    }

    private static RequestStatus Read(RequestReader reader, string text, out string[] arguments, out string error)
    {
        byte[] input = Encoding.ASCII.GetBytes(text);
        RequestStatus status = reader.Read(input, out ReadOnlySpan<byte> message);
        error = Encoding.ASCII.GetString(message);
        arguments = status == RequestStatus.Complete ? Texts(reader, input) : [];
        return status;
    }

    private static string[] Texts(RequestReader reader, byte[] input) =>
        [.. Enumerable.Range(0, reader.Count).Select(index => Encoding.Latin1.GetString(reader.Argument(input, index)))];

    private static string[] Arguments(Random random) =>
        [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => new string([.. Enumerable.Range(0, random.Next(0, 60)).Select(_ => (char)random.Next(256))]))];

    private static byte[] Encode(string[] arguments) =>
        Encoding.Latin1.GetBytes($"*{arguments.Length}\r\n{string.Concat(arguments.Select(argument => $"${argument.Length}\r\n{argument}\r\n"))}");
}
