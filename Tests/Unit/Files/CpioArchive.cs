using System.IO;
using System.Text;

namespace Ukl.Tests.Unit.Files;

/// <summary>Writes cpio archives of the newc kind for tests.</summary>
internal sealed class CpioArchive
{
    private readonly MemoryStream _bytes = new();

    public CpioArchive Add(string name, uint mode, string data = "", uint inode = 0, uint links = 1, uint major = 0, uint minor = 0, uint time = 0) =>
        Add(name, mode, Encoding.UTF8.GetBytes(data), inode, links, major, minor, time);

    public CpioArchive Add(string name, uint mode, byte[] data, uint inode = 0, uint links = 1, uint major = 0, uint minor = 0, uint time = 0)
    {
        uint[] fields = [inode, mode, 0, 0, links, time, (uint)data.Length, 0, 0, major, minor, (uint)Encoding.UTF8.GetByteCount(name) + 1, 0];
        Write("070701");
        foreach (uint field in fields)
            Write(field.ToString("X8", null));
        Write(name + "\0");
        Pad(4);
        _bytes.Write(data);
        Pad(4);
        return this;
    }

    public CpioArchive End(int blockSize = 512)
    {
        Add("TRAILER!!!", 0);
        Pad(blockSize);
        return this;
    }

    public byte[] ToArray() => _bytes.ToArray();

    private void Write(string text) => _bytes.Write(Encoding.UTF8.GetBytes(text));

    private void Pad(int multiple)
    {
        while (_bytes.Length % multiple != 0)
            _bytes.WriteByte(0);
    }
}
