using System.Collections.Generic;
using Iced.Intel;

namespace Ukl.Lint.Linking;

/// <summary>The code from one symbol of an image to the next: a function, or a part of one.</summary>
/// <param name="Name">The symbol.</param>
/// <param name="Start">Its address.</param>
/// <param name="Code">The machine code.</param>
internal sealed record CodeRegion(string Name, ulong Start, byte[] Code)
{
    /// <summary>The address behind it.</summary>
    public ulong End => Start + (ulong)Code.Length;

    /// <summary>Places inside that code outside jumps to.</summary>
    public HashSet<ulong> EnteredAt { get; } = [];

    /// <summary>Whether an address is inside.</summary>
    public bool Contains(ulong address) => address >= Start && address < End;

    /// <summary>The instructions, from the start on.</summary>
    public IEnumerable<Instruction> Decode()
    {
        var reader = new ByteArrayCodeReader(Code);
        var decoder = Decoder.Create(64, reader, Start);
        while (reader.CanReadByte)
            yield return decoder.Decode();
    }
}
