// A page of the tour: the processor's vector instructions.

using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ukl.Tour.Pages;

internal sealed class VectorsPage : Page
{
    public override string Name => "vectors";

    public override string About => "the processor's vector instructions";

    public override void Visit(Guide guide)
    {
        float[] numbers = [.. Enumerable.Range(0, 1000).Select(i => (float)i)];
        Vector<float> sum = Vector<float>.Zero;
        int at = 0;
        for (; at <= numbers.Length - Vector<float>.Count; at += Vector<float>.Count)
            sum += new Vector<float>(numbers, at);
        float total = Vector.Sum(sum);
        for (; at < numbers.Length; at++)
            total += numbers[at];
        guide.Equal(499_500f, total, "a sum by vectors");
        guide.Equal(Vector256.Create(11, 22, 33, 44, 55, 66, 77, 88), Vector256.Create(1, 2, 3, 4, 5, 6, 7, 8) * 11, "eight products at once");
        guide.Equal(0b0101u, Vector128.ExtractMostSignificantBits(Vector128.Create(-1, 1, -1, 1)), "signs as a mask");
        guide.Check(Sse2.IsSupported, "SSE2 is there");
        guide.Equal(new Vector3(0, 0, 1), Vector3.Cross(Vector3.UnitX, Vector3.UnitY), "a cross product");
        guide.Equal(Matrix4x4.Identity, Matrix4x4.CreateScale(2) * Matrix4x4.CreateScale(0.5f), "matrices");
        guide.Equal(999f, Enumerable.Max(numbers), "the greatest of an array");
        guide.Equal(500, Array.IndexOf(numbers, 500f), "and the place of an element");
    }
}
