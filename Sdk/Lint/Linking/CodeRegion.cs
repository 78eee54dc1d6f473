using System.Collections.Generic;
using Iced.Intel;

namespace Ukl.Lint.Linking;

/// <summary>A stretch of an image's code: a function of known size, or what follows it up to the next.</summary>
/// <param name="Name">The symbol, or for what has none, the one before it.</param>
/// <param name="Start">Its address.</param>
/// <param name="Code">The bytes.</param>
/// <param name="IsFunction">
/// Whether all of it is one function's code, as a compiler makes it. Otherwise it is hand-written assembly, where data may stand among the code, and only what something
/// leads to counts as code.
/// </param>
internal sealed record CodeRegion(string Name, ulong Start, byte[] Code, bool IsFunction)
{
    private readonly SortedDictionary<ulong, Instruction> _followed = [];

    /// <summary>The address behind it.</summary>
    public ulong End => Start + (ulong)Code.Length;

    /// <summary>Places inside that code outside jumps to, or that something holds the address of.</summary>
    public HashSet<ulong> EnteredAt { get; } = [];

    /// <summary>Whether an address is inside.</summary>
    public bool Contains(ulong address) => address >= Start && address < End;

    /// <summary>The instructions by address: all of a function, otherwise those that were followed.</summary>
    public IEnumerable<Instruction> Instructions => IsFunction ? DecodeFrom(Start) : _followed.Values;

    /// <summary>Decodes what is not a function from an address on, with all that it branches to inside; the instructions that are new.</summary>
    public List<Instruction> Follow(ulong address)
    {
        var found = new List<Instruction>();
        var pending = new Stack<ulong>([address]);
        while (pending.TryPop(out ulong at))
        {
            if (!Contains(at) || _followed.ContainsKey(at))
                continue;
            foreach (Instruction instruction in DecodeFrom(at))
            {
                if (instruction.IsInvalid || !_followed.TryAdd(instruction.IP, instruction))
                    break;
                found.Add(instruction);
                if (instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear)
                    pending.Push(instruction.NearBranchTarget);
                if (instruction.EndsFlow())
                    break;
            }
        }
        return found;
    }

    private IEnumerable<Instruction> DecodeFrom(ulong address)
    {
        var reader = new ByteArrayCodeReader(Code, (int)(address - Start), (int)(End - address));
        var decoder = Decoder.Create(64, reader, address);
        while (reader.CanReadByte)
            yield return decoder.Decode();
    }
}
