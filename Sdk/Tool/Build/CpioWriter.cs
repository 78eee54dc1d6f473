using System.Text;

namespace Ukl.Tool.Build;

/// <summary>
/// Writes a cpio archive of the "newc" format, the initramfs of Linux and of UKL. Source of truth: Linux Documentation/driver-api/early-userspace/
/// buffer-format.rst. Entries are written in the order given; folders that a path needs are added before it.
/// </summary>
/// <param name="stream">Where the archive goes; stays open.</param>
public sealed class CpioWriter(Stream stream) : IDisposable
{
    private const int FolderMode = 0x4000;
    private const int FileMode = 0x8000;
    private const int TypeMask = 0xf000;
    private const string Trailer = "TRAILER!!!";

    private readonly HashSet<string> folders = [];

    private uint inode;

    /// <summary>Adds a folder and those above it.</summary>
    /// <param name="path">Absolute or relative to the root: "/app".</param>
    /// <param name="permissions">Such as 0755 (octal).</param>
    public void AddFolder(string path, int permissions = 0b111_101_101)
    {
        path = path.Trim('/');
        if (path.Length == 0 || !folders.Add(path))
            return;
        if (path.LastIndexOf('/') is var slash and > 0)
            AddFolder(path[..slash]);
        WriteEntry(path, FolderMode | permissions, []);
    }

    /// <summary>Adds a regular file.</summary>
    /// <param name="path">Where it goes: "/app/data.txt".</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="permissions">Such as 0644 (octal).</param>
    /// <param name="time">Of the last change, in seconds since 1970.</param>
    public void AddFile(string path, ReadOnlySpan<byte> content, int permissions = 0b110_100_100, long time = 0)
    {
        path = path.Trim('/');
        if (path.LastIndexOf('/') is var slash and > 0)
            AddFolder(path[..slash]);
        WriteEntry(path, FileMode | permissions, content, time);
    }

    /// <summary>Ends the archive.</summary>
    public void Dispose() => WriteEntry(Trailer, 0, []);

    private void WriteEntry(string name, int mode, ReadOnlySpan<byte> content, long time = 0)
    {
        byte[] nameBytes = [.. Encoding.UTF8.GetBytes(name), 0];
        uint number = name == Trailer ? 0 : ++inode;
        int links = (mode & TypeMask) == FolderMode ? 2 : 1;
        // Magic, then thirteen fields of eight hexadecimal digits. Time stamps are the caller's: the same input gives the same archive.
        string header = $"070701{number:x8}{mode:x8}{0:x8}{0:x8}{links:x8}{time:x8}{content.Length:x8}{0:x8}{0:x8}{0:x8}{0:x8}{nameBytes.Length:x8}{0:x8}";
        stream.Write(Encoding.ASCII.GetBytes(header));
        stream.Write(nameBytes);
        Pad(header.Length + nameBytes.Length);
        stream.Write(content);
        Pad(content.Length);
    }

    private void Pad(int written)
    {
        ReadOnlySpan<byte> zeros = [0, 0, 0];
        stream.Write(zeros[..(-written & 3)]);
    }
}
