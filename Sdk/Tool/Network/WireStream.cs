using System.Buffers.Binary;

namespace Ukl.Tool.Network;

/// <summary>The bytes that the tests on the wire send: those of the generator in Tests/Wire/server.c, xorshift64* of Marsaglia and Vigna.</summary>
/// <param name="seed">Where it begins; not 0.</param>
public sealed class WireStream(ulong seed)
{
    private ulong state = seed;

    /// <summary>Makes the next bytes.</summary>
    /// <param name="to">A multiple of eight bytes, except at the end of the stream.</param>
    public void Fill(Span<byte> to)
    {
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        while (!to.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(last, Next());
            int count = Math.Min(to.Length, last.Length);
            last[..count].CopyTo(to);
            to = to[count..];
        }
    }

    private ulong Next()
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 0x2545f4914f6cdd1d;
    }
}
