using KeyValue.Protocol;
using KeyValue.Storage;

namespace KeyValue.Commands;

/// <summary>A request while it is carried out.</summary>
/// <param name="reader">Knows where its arguments are.</param>
/// <param name="input">The bytes that they lie in.</param>
/// <param name="reply">Takes the reply.</param>
/// <param name="database">What it works on.</param>
internal readonly ref struct Request(RequestReader reader, ReadOnlySpan<byte> input, ReplyWriter reply, Database database)
{
    private readonly ReadOnlySpan<byte> input = input;

    /// <summary>The number of arguments, the command's name among them.</summary>
    public int Count => reader.Count;

    /// <summary>An argument; 0 is the command's name.</summary>
    public ReadOnlySpan<byte> this[int index] => reader.Argument(input, index);

    /// <summary>Takes the reply.</summary>
    public ReplyWriter Reply => reply;

    /// <summary>Figures and settings of the server.</summary>
    public Database Database => database;

    /// <summary>The keys.</summary>
    public Store Store => database.Store;

    /// <summary>Whether an argument is a word, whatever its case.</summary>
    public bool Is(int index, ReadOnlySpan<byte> word) => System.Text.Ascii.EqualsIgnoreCase(this[index], word);

    /// <summary>Answers that the arguments are not what the command takes.</summary>
    public void SyntaxError() => reply.Error("ERR syntax error"u8);

    /// <summary>Answers that an argument is no number.</summary>
    public void NotAnInteger() => reply.Error("ERR value is not an integer or out of range"u8);

    /// <summary>Answers that there is no memory left.</summary>
    public void OutOfMemory() => reply.Error("OOM command not allowed when used memory > 'maxmemory'."u8);
}
