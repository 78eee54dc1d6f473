// A page of the tour: strings, encodings, builders, spans.

using System.Text;

namespace Ukl.Tour.Pages;

internal sealed class TextPage : Page
{
    private const string Sample = "Grüße, 世界 😀";

    public override string Name => "text";

    public override string About => "strings, encodings, builders, spans";

    public override void Visit(Guide guide)
    {
        foreach (Encoding encoding in new[] { Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32 })
            guide.Equal(Sample, encoding.GetString(encoding.GetBytes(Sample)), $"there and back in {encoding.WebName}");
        guide.Equal(20, Encoding.UTF8.GetByteCount(Sample), "bytes in UTF-8");
        guide.Equal("Gr??e", Encoding.ASCII.GetString(Encoding.ASCII.GetBytes("Grüße")), "ASCII replaces what it has not");
        guide.Equal("Grüße", Encoding.Latin1.GetString(Encoding.Latin1.GetBytes("Grüße")), "Latin 1 has it");
        guide.Equal("a\ufffdb", Encoding.UTF8.GetString([0x61, 0xff, 0x62]), "a wrong byte is replaced");
        guide.Throws<DecoderFallbackException>(() => new UTF8Encoding(false, true).GetString([0xc0, 0x80]), "or refused, if asked for");
        guide.Equal(11, Sample.EnumerateRunes().Count(), "runes are counted as people would");

        StringBuilder builder = new();
        for (int i = 0; i < 5000; i++)
            builder.Append(i).Append(',');
        guide.Equal(4999 + 18_891, builder.Length, "a builder grows over many chunks");
        builder.Replace("4999,", "end").Insert(0, "start,");
        guide.Check(builder.ToString().StartsWith("start,0,1,") && builder.ToString().EndsWith("4998,end"), "and changes in place");

        ReadOnlySpan<char> span = "key = value";
        int at = span.IndexOf('=');
        guide.Equal("key|value", $"{span[..at].Trim()}|{span[(at + 1)..].Trim()}", "spans cut without copying");
        guide.Equal("a,b,,c", string.Join(',', "a;b;;c".Split(';')), "split and join");
        guide.Check("Straße".Equals("STRASSE", StringComparison.OrdinalIgnoreCase) is false && "ÄÖ".Equals("äö", StringComparison.OrdinalIgnoreCase), "ordinal comparison ignores simple case");
        guide.Equal("0A1B", Convert.ToHexString([0x0a, 0x1b]), "hexadecimal");
        guide.Equal("AQID/w==", Convert.ToBase64String([1, 2, 3, 255]), "base 64");
        guide.Check("needle in a long haystack, with a needle at the end: needle".LastIndexOf("needle", StringComparison.Ordinal) == 53, "searching");
    }
}
