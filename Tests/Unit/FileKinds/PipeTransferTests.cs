using System;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Memory;
using Xunit;
using Result = Ukl.Kernel.Abi.Result;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>Bytes that go from one pipe to another.</summary>
public sealed unsafe class PipeTransferTests : IDisposable
{
    private readonly KernelRig _rig = new();
    private readonly Pipe* _from = Pipe.Create();
    private readonly Pipe* _to = Pipe.Create();

    public PipeTransferTests()
    {
        foreach (nint pipe in (nint[])[(nint)_from, (nint)_to])
        {
            ((Pipe*)pipe)->Readers = 1;
            ((Pipe*)pipe)->Writers = 1;
        }
    }

    public void Dispose()
    {
        Pipe.Free(_from);
        Pipe.Free(_to);
        _rig.Dispose();
    }

    [Fact]
    public void Moved_and_copied_bytes_are_those_of_a_queue()
    {
        const int Operations = 4, Longest = 6000;
        Arbitrary<int[]> walks = Gen.Choose(0, (Operations * Longest) - 1).ListOf().Resize(40).Select(steps => steps.ToArray()).ToArbitrary();
        Prop.ForAll(walks, steps =>
        {
            var source = new System.Collections.Generic.Queue<byte>();
            var target = new System.Collections.Generic.Queue<byte>();
            Empty(_from);
            Empty(_to);
            byte next = 0;
            foreach (int step in steps)
            {
                int count = (step % Longest) + 1;
                switch (step / Longest)
                {
                    case 0:
                        byte[] bytes = [.. Enumerable.Range(0, Math.Min(count, (int)_from->Room)).Select(_ => next++)];
                        Write(_from, bytes);
                        Array.ForEach(bytes, source.Enqueue);
                        break;
                    case 1:
                        int moved = Transfer(count, keeps: false);
                        Assert.True(moved != 0 || source.Count == 0 || _to->Room == 0);
                        for (int i = 0; i < moved; i++)
                            target.Enqueue(source.Dequeue());
                        break;
                    case 2:
                        foreach (byte value in source.Take(Transfer(count, keeps: true)).ToArray())
                            target.Enqueue(value);
                        break;
                    default:
                        byte[] read = Read(_to, count);
                        Assert.Equal(Enumerable.Range(0, read.Length).Select(_ => target.Dequeue()), read);
                        break;
                }
                Assert.Equal((uint)source.Count, _from->Count);
                Assert.Equal((uint)target.Count, _to->Count);
            }
            Assert.Equal(source, Read(_from, int.MaxValue));
            Assert.Equal(target, Read(_to, int.MaxValue));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50).WithEndSize(40));
    }

    [Fact]
    public void Without_memory_for_the_first_byte_nothing_is_lost()
    {
        Write(_from, [1, 2, 3]);
        using (new Memory.MemoryPressure(0))
            Assert.Equal(Errno.ENOMEM, PipeTransfer.Transfer(_from, _to, 3, isNonBlocking: true, keeps: false).Error);
        Assert.Equal(3, Transfer(3, keeps: false));
        Assert.Equal([1, 2, 3], Read(_to, 10));
    }

    [Fact]
    public void Who_waits_for_room_notices_that_the_bytes_are_gone()
    {
        Write(_from, [1]);
        Write(_to, new byte[_to->Capacity]);
        _rig.WhileAsleep(
            () =>
            {
                Read(_from, 1);
                Read(_to, 10_000);
            },
            () => Write(_from, [2]));
        Assert.Equal(1, KernelRig.Ok(PipeTransfer.Transfer(_from, _to, 5, isNonBlocking: false, keeps: false)));
        Assert.Equal(2, Read(_to, int.MaxValue)[^1]);
    }

    private int Transfer(int count, bool keeps)
    {
        Result result = PipeTransfer.Transfer(_from, _to, (nuint)count, isNonBlocking: true, keeps);
        return result.Error == Errno.EAGAIN ? 0 : KernelRig.Ok(result);
    }

    private static void Write(Pipe* pipe, byte[] bytes)
    {
        fixed (byte* from = bytes)
            Assert.Equal(bytes.Length, KernelRig.Ok(pipe->WriteKernel(from, (nuint)bytes.Length, isNonBlocking: true)));
    }

    private static byte[] Read(Pipe* pipe, int count)
    {
        byte[] bytes = new byte[Math.Min(count, (int)pipe->Count)];
        fixed (byte* to = bytes)
        {
            if (bytes.Length != 0)
                Assert.Equal(bytes.Length, KernelRig.Ok(pipe->Read(new UserSpan((ulong)to, (nuint)bytes.Length), isNonBlocking: true)));
        }
        return bytes;
    }

    private static void Empty(Pipe* pipe) => Read(pipe, int.MaxValue);
}
