using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>Bytes of a file where they lie, for who copies them on by himself (sendfile). They stay there until <see cref="Release"/>, but may change.</summary>
public unsafe struct FileLoan
{
    /// <summary>The first byte.</summary>
    public byte* Bytes;

    /// <summary>How many there are.</summary>
    public nuint Length;

    /// <summary>The page that is held; null for bytes that always stay.</summary>
    public PageFrame* Frame;

    /// <summary>Gives the page back.</summary>
    public void Release()
    {
        if (Frame != null)
            PageFrame.Release(PageFrame.AddressOf(Frame));
        Frame = null;
    }
}
