// Finds requests in what a client sends. Source of truth: the Redis serialization protocol specification (RESP2), "Sending commands to a Redis
// server" and "Inline commands"; the limits and the words of the errors are those of Redis.

using System.Runtime.CompilerServices;

namespace KeyValue.Protocol;

/// <summary>What <see cref="RequestReader.Read"/> found.</summary>
internal enum RequestStatus
{
    /// <summary>A request; its arguments are there.</summary>
    Complete,

    /// <summary>The beginning of one.</summary>
    Incomplete,

    /// <summary>Something that is none; the connection cannot go on.</summary>
    Invalid,
}

/// <summary>
/// Reads one request after the other. A request that is not all there yet is not read again from its start when more of it comes: the reader remembers
/// where it was.
/// </summary>
/// <param name="longest">The most bytes in an argument.</param>
internal sealed class RequestReader(int longest)
{
    private const int MostArguments = 1024 * 1024;

    private const int LongestLine = 64 * 1024;

    private const byte CarriageReturn = (byte)'\r', LineFeed = (byte)'\n';

    private static ReadOnlySpan<byte> TooManyArguments => "Protocol error: invalid multibulk length"u8;

    private static ReadOnlySpan<byte> BadLength => "Protocol error: invalid bulk length"u8;

    private static ReadOnlySpan<byte> LineTooLong => "Protocol error: too big inline request"u8;

    private static ReadOnlySpan<byte> CountTooLong => "Protocol error: too big mbulk count string"u8;

    private static ReadOnlySpan<byte> LengthTooLong => "Protocol error: too big bulk count string"u8;

    private static ReadOnlySpan<byte> NoDollar => "Protocol error: expected '$', got '"u8;

    private static ReadOnlySpan<byte> Unbalanced => "Protocol error: unbalanced quotes in request"u8;

    private (int Start, int Length)[] arguments = new (int, int)[8];

    /// <summary>Arguments that are still missing of a request that was begun; 0: the next byte begins one.</summary>
    private int missing;

    /// <summary>Where reading goes on.</summary>
    private int position;

    /// <summary>The arguments of a complete request, the command's name first; 0 for an empty line.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the input that belong to the request that was read, or to the part of it that is known.</summary>
    public int Consumed => position;

    /// <summary>Reads the request that starts at the beginning of the input.</summary>
    /// <param name="input">All that has come since the end of the last request.</param>
    /// <param name="error">Why the request is invalid, as it is told to the client.</param>
    public RequestStatus Read(Span<byte> input, out ReadOnlySpan<byte> error)
    {
        error = default;
        if (missing == 0)
        {
            Count = 0;
            position = 0;
            if (input.Length == 0)
                return RequestStatus.Incomplete;
            if (input[0] != (byte)'*')
                return ReadLine(input, out error);
            RequestStatus status = ReadNumber(input, CountTooLong, TooManyArguments, MostArguments, out int count, ref error);
            if (status != RequestStatus.Complete || count <= 0)
                return status;
            missing = count;
        }
        return ReadArguments(input, ref error);
    }

    /// <summary>An argument of the request that was read, in the input that was given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Argument(ReadOnlySpan<byte> input, int index)
    {
        (int start, int length) = arguments[index];
        return input.Slice(start, length);
    }

    private RequestStatus ReadArguments(ReadOnlySpan<byte> input, ref ReadOnlySpan<byte> error)
    {
        while (missing > 0)
        {
            if (position == input.Length)
                return RequestStatus.Incomplete;
            if (input[position] != (byte)'$')
            {
                error = (byte[])[.. NoDollar, input[position], (byte)'\''];
                return RequestStatus.Invalid;
            }
            int start = position;
            RequestStatus status = ReadNumber(input, LengthTooLong, BadLength, longest, out int length, ref error);
            if (status == RequestStatus.Complete && length < 0)
            {
                error = BadLength;
                return RequestStatus.Invalid;
            }
            if (status != RequestStatus.Complete)
                return status;
            if (input.Length - position < length + 2)
            {
                position = start;
                return RequestStatus.Incomplete;
            }
            if (Count == arguments.Length)
                Array.Resize(ref arguments, arguments.Length * 2);
            arguments[Count++] = (position, length);
            position += length + 2;
            missing--;
        }
        return RequestStatus.Complete;
    }

    /// <summary>Reads a line of a type's byte and a number, and leaves the position behind it; where it was when the line is not complete.</summary>
    private RequestStatus ReadNumber(
        ReadOnlySpan<byte> input, ReadOnlySpan<byte> tooLong, ReadOnlySpan<byte> outOfRange, int most, out int value, ref ReadOnlySpan<byte> error)
    {
        int index = position + 1;
        bool isNegative = index < input.Length && input[index] == (byte)'-';
        if (isNegative)
            index++;
        int first = index;
        long number = 0;
        while (index < input.Length && (uint)(input[index] - '0') <= 9 && number <= most)
            number = (number * 10) + (input[index++] - '0');
        value = (int)(isNegative ? -number : number);
        if (index + 1 < input.Length && index > first && number <= most && input[index] == CarriageReturn && input[index + 1] == LineFeed)
        {
            position = index + 2;
            return RequestStatus.Complete;
        }
        ReadOnlySpan<byte> rest = input[position..];
        bool isWhole = rest.IndexOf(CarriageReturn) is var end and >= 0 && end + 1 < rest.Length;
        if (!isWhole && rest.Length <= LongestLine)
            return RequestStatus.Incomplete;
        error = isWhole ? outOfRange : tooLong;
        return RequestStatus.Invalid;
    }

    /// <summary>Reads a request as one types it: words in a line, with quotes around those that need them.</summary>
    private RequestStatus ReadLine(Span<byte> input, out ReadOnlySpan<byte> error)
    {
        error = default;
        int end = input.IndexOf(LineFeed);
        if (end > LongestLine || (end < 0 && input.Length > LongestLine))
        {
            error = LineTooLong;
            return RequestStatus.Invalid;
        }
        if (end < 0)
            return RequestStatus.Incomplete;
        position = end + 1;
        Span<byte> line = input[..end];
        if (line.Length > 0 && line[^1] == CarriageReturn)
            line = line[..^1];
        int index = 0;
        while (true)
        {
            while (index < line.Length && InlineWord.IsSpace(line[index]))
                index++;
            if (index == line.Length)
                return RequestStatus.Complete;
            if (Count == arguments.Length)
                Array.Resize(ref arguments, arguments.Length * 2);
            int start = index;
            if (!InlineWord.Read(line, ref index, out int length))
            {
                error = Unbalanced;
                return RequestStatus.Invalid;
            }
            arguments[Count++] = (start, length);
        }
    }
}
