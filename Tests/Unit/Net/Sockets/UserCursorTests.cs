using System;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Net.Sockets;

public sealed unsafe class UserCursorTests : IDisposable
{
    private readonly KernelRig _rig = new();

    public void Dispose() => _rig.Dispose();

    /// <summary>Bytes that go through ranges of any sizes in pieces of any sizes stay in order.</summary>
    [Fact]
    public void Ranges_are_one_run_of_bytes() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        ArbMap.Default.ArbFor<byte[]>(),
        (sizes, pieces) =>
        {
            UserSpan* ranges = _rig.Alloc<UserSpan>(sizes.Length + 1);
            int total = sizes.Sum(size => size % 17);
            byte* expected = _rig.Alloc<byte>(total + 1);
            for (int i = 0; i < total; i++)
                expected[i] = (byte)(i * 7);
            for (int i = 0; i < sizes.Length; i++)
                ranges[i] = new UserSpan((ulong)_rig.Alloc<byte>((sizes[i] % 17) + 1), (nuint)(sizes[i] % 17));
            var vector = new UserVector { Ranges = ranges, Count = sizes.Length, Total = (nuint)total };

            var giving = new UserCursor(&vector);
            int done = 0;
            foreach (byte piece in pieces.Append(byte.MaxValue))
            {
                int count = piece == byte.MaxValue ? total - done : Math.Min(piece % 11, total - done);
                Assert.True(giving.TryGive(expected + done, (nuint)count));
                done += count;
            }
            var taking = new UserCursor(&vector);
            byte* taken = _rig.Alloc<byte>(total + 1);
            Assert.True(taking.TryTake(taken, (nuint)total));
            Assert.True(new Span<byte>(expected, total).SequenceEqual(new Span<byte>(taken, total)));
            Assert.False(taking.TryTake(taken, 1));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_range_that_is_not_the_programs_is_a_fault()
    {
        byte value = 1;
        var cursor = new UserCursor(new UserSpan(UserMemory.Top, 8));
        Assert.False(cursor.TryGive(&value, 1));
        Assert.False(cursor.TryTake(&value, 1));
    }
}
