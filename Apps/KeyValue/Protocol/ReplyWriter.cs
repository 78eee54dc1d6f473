// Replies in the Redis serialization protocol (RESP2), written one behind the other into a buffer that is sent in one piece.

using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;

namespace KeyValue.Protocol;

/// <summary>Collects replies.</summary>
internal sealed class ReplyWriter
{
    /// <summary>The size of the buffer while nobody needs more.</summary>
    public const int FirstSize = 4096;

    private const int LongestNumber = 20;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstSize);

    private int length;

    /// <summary>Bytes written and not sent yet.</summary>
    public int Length => length;

    /// <summary>Whether the connection ends when this has been sent.</summary>
    public bool IsLast { get; private set; }

    /// <summary>What to send is at the beginning of this.</summary>
    public byte[] Buffer => buffer;

    /// <summary>+OK and its like.</summary>
    public void Status(ReadOnlySpan<byte> text) => Line((byte)'+', text);

    /// <summary>The most frequent status.</summary>
    public void Ok() => Raw("+OK\r\n"u8);

    /// <summary>-ERR and its like, with the word in front. What a client sent may be part of it: line ends become spaces.</summary>
    public void Error(ReadOnlySpan<byte> text)
    {
        int start = length + 1;
        Line((byte)'-', text);
        Span<byte> written = buffer.AsSpan(start, text.Length);
        written.Replace((byte)'\r', (byte)' ');
        written.Replace((byte)'\n', (byte)' ');
    }

    /// <summary>An integer.</summary>
    public void Integer(long value) => Number((byte)':', value);

    /// <summary>The beginning of an array; its elements follow.</summary>
    public void Array(int count) => Number((byte)'*', count);

    /// <summary>No value.</summary>
    public void Null() => Raw("$-1\r\n"u8);

    /// <summary>A string of any bytes.</summary>
    public void Bulk(ReadOnlySpan<byte> value)
    {
        Ensure(value.Length + LongestNumber + 5);
        Number((byte)'$', value.Length);
        value.CopyTo(buffer.AsSpan(length));
        length += value.Length;
        buffer[length++] = (byte)'\r';
        buffer[length++] = (byte)'\n';
    }

    /// <summary>Bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        Ensure(bytes.Length);
        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }

    /// <summary>Ends the connection when this has been sent.</summary>
    public void Close() => IsLast = true;

    /// <summary>Forgets what was sent; a buffer that has grown beyond need shrinks.</summary>
    public void Clear()
    {
        int size = buffer.Length;
        bool isTooLarge = size > FirstSize && length <= size / 4;
        length = 0;
        if (!isTooLarge)
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = ArrayPool<byte>.Shared.Rent(size / 2);
    }

    /// <summary>Gives the buffer back; the writer cannot be used again.</summary>
    public void Release()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    private void Line(byte type, ReadOnlySpan<byte> text)
    {
        Ensure(text.Length + 3);
        buffer[length++] = type;
        text.CopyTo(buffer.AsSpan(length));
        length += text.Length;
        buffer[length++] = (byte)'\r';
        buffer[length++] = (byte)'\n';
    }

    private void Number(byte type, long value)
    {
        Ensure(LongestNumber + 3);
        buffer[length++] = type;
        bool isWritten = Utf8Formatter.TryFormat(value, buffer.AsSpan(length), out int written);
        Debug.Assert(isWritten);
        length += written;
        buffer[length++] = (byte)'\r';
        buffer[length++] = (byte)'\n';
    }

    private void Ensure(int more)
    {
        if (buffer.Length - length >= more)
            return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(length + more, buffer.Length * 2));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
