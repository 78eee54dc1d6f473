using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;

namespace Ukl.Tests.Unit.Boot;

/// <summary>Random changes of single bytes and of whole fields, the latter with values that upset arithmetic.</summary>
internal static class Damage
{
    private static readonly ulong[] s_nastyValues =
        [0, 1, 7, 8, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1ul << 46, ulong.MaxValue >> 1, ulong.MaxValue - 8, ulong.MaxValue];

    internal static Gen<IList<(int At, ulong Value, int Size)>> Of(int start, int length)
    {
        Gen<(int, ulong, int)> change = Gen.Choose(start, start + length - 8).Zip(Gen.Choose(0, 255)).SelectMany(
            place => Gen.Elements(s_nastyValues).Zip(Gen.Elements(0, 1, 2, 4, 8)).Select(
                field => field.Item2 == 0 ? (place.Item1, (ulong)place.Item2, 1) : (place.Item1 & -field.Item2, field.Item1, field.Item2)));
        return change.ListOf().Select(changes => (IList<(int, ulong, int)>)[.. changes]);
    }

    internal static void Apply(PhysicalMemoryImage memory, IEnumerable<(int At, ulong Value, int Size)> changes)
    {
        foreach ((int at, ulong value, int size) in changes)
        {
            for (int i = 0; i < size; i++)
                memory.U8(at + i, (byte)(value >> (8 * i)));
        }
    }
}
