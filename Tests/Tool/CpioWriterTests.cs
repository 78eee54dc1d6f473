using System.Globalization;
using System.Text;
using Ukl.Tool.Build;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class CpioWriterTests
{
    [Fact]
    public void Folders_come_before_what_they_hold_and_once()
    {
        List<(string Name, int Mode, string Content)> entries = Write(cpio =>
        {
            cpio.AddFile("/app/data/a.txt", "A"u8);
            cpio.AddFile("/app/b", "BCDEF"u8, permissions: 0b111_101_101);
            cpio.AddFolder("app");
        });
        Assert.Equal(["app", "app/data", "app/data/a.txt", "app/b", "TRAILER!!!"], entries.Select(entry => entry.Name));
        Assert.Equal([0x41ed, 0x41ed, 0x81a4, 0x81ed, 0], entries.Select(entry => entry.Mode));
        Assert.Equal(["", "", "A", "BCDEF", ""], entries.Select(entry => entry.Content));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_length_of_name_and_content_keeps_the_alignment(int length)
    {
        string text = new('x', length);
        Assert.Equal(text, Write(cpio => cpio.AddFile($"/n{text}", Encoding.ASCII.GetBytes(text)))[0].Content);
    }

    [Fact]
    public void The_same_input_gives_the_same_bytes()
    {
        static byte[] Make()
        {
            using MemoryStream stream = new();
            using (CpioWriter cpio = new(stream))
                cpio.AddFile("/app/a", "a"u8);
            return stream.ToArray();
        }
        Assert.Equal(Make(), Make());
    }

    private static List<(string Name, int Mode, string Content)> Write(Action<CpioWriter> add)
    {
        using MemoryStream stream = new();
        using (CpioWriter cpio = new(stream))
            add(cpio);
        byte[] bytes = stream.ToArray();
        Assert.Equal(0, bytes.Length % 4);

        List<(string, int, string)> entries = [];
        for (int offset = 0; offset < bytes.Length;)
        {
            int Field(int index) => int.Parse(Encoding.ASCII.GetString(bytes, offset + 6 + 8 * index, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            Assert.Equal("070701", Encoding.ASCII.GetString(bytes, offset, 6));
            (int mode, int size, int nameSize) = (Field(1), Field(6), Field(11));
            int content = offset + 110 + nameSize + 3 & ~3;
            entries.Add((Encoding.UTF8.GetString(bytes, offset + 110, nameSize - 1), mode, Encoding.UTF8.GetString(bytes, content, size)));
            offset = content + size + 3 & ~3;
        }
        return entries;
    }
}
