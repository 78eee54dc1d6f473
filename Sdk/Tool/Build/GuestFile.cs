using System.Text;

namespace Ukl.Tool.Build;

/// <summary>A file that is put into the guest's initramfs.</summary>
/// <param name="Source">Where it is on this machine.</param>
/// <param name="Target">Its absolute path in the guest.</param>
public sealed record GuestFile(string Source, string Target)
{
    /// <summary>The contents, when they do not come from <see cref="Source"/>.</summary>
    public string? Text { get; init; }

    /// <summary>The time of the last change, in seconds since 1970.</summary>
    public long Time { get; init; }

    /// <summary>The contents.</summary>
    public byte[] Read() => Text is null ? File.ReadAllBytes(Source) : Encoding.UTF8.GetBytes(Text);

    /// <summary>Reads HOST:GUEST; without the second half the file goes beside the program.</summary>
    public static GuestFile Parse(string text)
    {
        string[] parts = text.Split(':', 2);
        string target = parts.Length == 2 ? parts[1] : $"/app/{Path.GetFileName(parts[0])}";
        return target.StartsWith('/') && parts[0].Length > 0
            ? new GuestFile(Path.GetFullPath(parts[0]), target)
            : throw new ToolException($"'{text}' does not name a file for the guest; write HOST:/GUEST.");
    }
}
