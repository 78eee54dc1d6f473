using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Pipes;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

public sealed unsafe class PipeTests : IDisposable
{
    private readonly KernelRig _rig = new();
    private readonly nuint _pagesBefore = PageAllocator.FreePages;

    public void Dispose() => _rig.Dispose();

    private (int Reader, int Writer) Open(OpenFlags flags = 0)
    {
        PipeDescriptors* descriptors = _rig.Alloc<PipeDescriptors>();
        KernelRig.Ok(PipeCalls.Pipe2(new UserPtr<PipeDescriptors>((ulong)descriptors), flags));
        return (descriptors->Reader, descriptors->Writer);
    }

    [Fact]
    public void What_is_written_is_read_in_order()
    {
        (int reader, int writer) = Open();
        Assert.Equal(5, KernelRig.Ok(_rig.Write(writer, "hello"u8)));
        Assert.Equal(6, KernelRig.Ok(_rig.Write(writer, " world"u8)));
        Assert.Equal("hel", _rig.ReadText(reader, 3));
        Assert.Equal("lo world", _rig.ReadText(reader));
    }

    [Fact]
    public void A_bad_pointer_leaves_no_descriptors()
    {
        Assert.Equal(Errno.EFAULT, PipeCalls.Pipe2(new UserPtr<PipeDescriptors>(0), 0).Error);
        Assert.Equal(Errno.EINVAL, PipeCalls.Pipe2(new UserPtr<PipeDescriptors>(0), OpenFlags.Append).Error);
        Assert.Equal(0ul, _rig.OpenFiles);
        Assert.Equal((0, 1), Open());
    }

    [Fact]
    public void At_the_descriptor_limit_neither_end_stays()
    {
        _rig.Process->Files->Limit = 1;
        Assert.Equal(Errno.EMFILE, PipeCalls.Pipe(_rig.User<PipeDescriptors>()).Error);
        _rig.Process->Files->Limit = 2;
        Assert.Equal((0, 1), Open());
    }

    [Fact]
    public void Reading_an_empty_pipe_sleeps_until_something_is_written()
    {
        (int reader, int writer) = Open();
        _rig.WhileAsleep(() => _rig.Write(writer, "late"u8));
        Assert.Equal("late", _rig.ReadText(reader));
    }

    [Fact]
    public void Reading_after_the_last_writer_left_ends()
    {
        (int reader, int writer) = Open();
        _rig.Write(writer, "rest"u8);
        _rig.Close(writer);
        Assert.Equal(PollEvents.In | PollEvents.ReadNormal | PollEvents.HangUp, _rig.Poll(reader));
        Assert.Equal("rest", _rig.ReadText(reader));
        Assert.Equal("", _rig.ReadText(reader));
    }

    [Fact]
    public void A_sleeping_reader_wakes_when_the_writer_leaves()
    {
        (int reader, int writer) = Open();
        _rig.WhileAsleep(() => _rig.Close(writer));
        Assert.Equal("", _rig.ReadText(reader));
    }

    [Fact]
    public void Writing_without_reader_gives_EPIPE_and_SIGPIPE()
    {
        (int reader, int writer) = Open();
        _rig.Close(reader);
        _rig.Process->Actions[Signal.SIGPIPE - 1].Handler = 0x1234;
        Assert.Equal(PollEvents.Out | PollEvents.WriteNormal | PollEvents.Error, _rig.Poll(writer));
        Assert.Equal(0, KernelRig.Ok(_rig.Write(writer, ""u8)));
        Assert.False(_rig.HasSignal(Signal.SIGPIPE));
        Assert.Equal(Errno.EPIPE, _rig.Write(writer, "x"u8).Error);
        Assert.True(_rig.HasSignal(Signal.SIGPIPE));
    }

    [Fact]
    public void Nonblocking_ends_give_EAGAIN()
    {
        (int reader, int writer) = Open(OpenFlags.NonBlock);
        byte[] block = new byte[65536];
        Assert.Equal(Errno.EAGAIN, _rig.Read(reader, block).Error);
        Assert.Equal(65536, KernelRig.Ok(_rig.Write(writer, block)));
        Assert.Equal(Errno.EAGAIN, _rig.Write(writer, "x"u8).Error);
        Assert.Equal(PollEvents.None, _rig.Poll(writer));
    }

    [Fact]
    public void Small_writes_are_all_or_nothing_and_large_ones_partial()
    {
        (int reader, int writer) = Open(OpenFlags.NonBlock);
        _rig.Write(writer, new byte[65536 - 100]);
        Assert.Equal(Errno.EAGAIN, _rig.Write(writer, new byte[101]).Error);
        Assert.Equal(Errno.EAGAIN, _rig.Write(writer, new byte[4096]).Error);
        Assert.Equal(100, KernelRig.Ok(_rig.Write(writer, new byte[4097])));
        Assert.Equal(4096, KernelRig.Ok(_rig.Read(reader, new byte[4096])));
        Assert.Equal(PollEvents.Out | PollEvents.WriteNormal, _rig.Poll(writer));
    }

    [Fact]
    public void A_blocking_writer_sleeps_until_all_is_written()
    {
        (int reader, int writer) = Open();
        byte[] sent = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))];
        List<byte> got = [];
        void Drain()
        {
            byte[] buffer = new byte[30_000];
            got.AddRange(buffer.Take(KernelRig.Ok(_rig.Read(reader, buffer))));
        }

        _rig.WhileAsleep([.. Enumerable.Repeat((Action)Drain, 10)]);
        Assert.Equal(sent.Length, KernelRig.Ok(_rig.Write(writer, sent)));
        while (_rig.Poll(reader) != 0)
            Drain();
        Assert.Equal(sent, got);
    }

    [Fact]
    public void A_signal_ends_the_sleep_with_what_was_written()
    {
        (int reader, int writer) = Open();
        _rig.WhileAsleep(() => _rig.SendSignal(Signal.SIGUSR1));
        Assert.Equal(Errno.ERESTARTSYS, _rig.Read(reader, new byte[1]).Error);
        _rig.Thread->Work = 0;
        _rig.Process->PendingSignals.Discard(SignalSet.Of(Signal.SIGUSR1));
        _rig.WhileAsleep(() => _rig.SendSignal(Signal.SIGUSR1));
        Assert.Equal(65536, KernelRig.Ok(_rig.Write(writer, new byte[70_000])));
    }

    [Fact]
    public void A_fault_keeps_bytes_in_the_pipe()
    {
        (int reader, int writer) = Open();
        OpenFile* file = _rig.File(writer);
        Assert.Equal(Errno.EFAULT, file->Operations->Write(file, new UserSpan(8, 10), ref file->Position).Error);
        _rig.Write(writer, "kept"u8);
        file = _rig.File(reader);
        Assert.Equal(Errno.EFAULT, file->Operations->Read(file, new UserSpan(8, 10), ref file->Position).Error);
        Assert.Equal("kept", _rig.ReadText(reader));
    }

    [Fact]
    public void A_vectored_write_up_to_a_page_is_atomic()
    {
        (int reader, int writer) = Open(OpenFlags.NonBlock);
        _rig.Write(writer, new byte[65536 - 150]);
        OpenFile* file = _rig.File(writer);
        byte* bytes = _rig.Alloc<byte>(200);
        UserSpan* ranges = stackalloc UserSpan[2];
        ranges[0] = ranges[1] = new UserSpan((ulong)bytes, 100);
        var vector = new UserVector { Ranges = ranges, Count = 2, Total = 200 };
        Assert.Equal(Errno.EAGAIN, file->Operations->WriteVector(file, &vector, ref file->Position).Error);
        _rig.Read(reader, new byte[50]);
        Assert.Equal(200, KernelRig.Ok(file->Operations->WriteVector(file, &vector, ref file->Position)));
    }

    [Fact]
    public void Fionread_counts_and_the_size_can_be_changed()
    {
        (int reader, int writer) = Open(OpenFlags.NonBlock);
        OpenFile* file = _rig.File(writer);
        Assert.Equal(65536, KernelRig.Ok(file->Operations->GetPipeSize(file)));
        _rig.Write(writer, Encoding.ASCII.GetBytes(new string('x', 5000)));
        int* count = _rig.Alloc<int>();
        KernelRig.Ok(_rig.Control(reader, 0x541b, count));
        Assert.Equal(5000, *count);
        Assert.Equal(Errno.ENOTTY, _rig.Control(reader, 0x5401, count).Error);
        Assert.Equal(Errno.EBUSY, file->Operations->SetPipeSize(file, 4096).Error);
        Assert.Equal(Errno.EPERM, file->Operations->SetPipeSize(file, 2 << 20).Error);
        Assert.Equal(Errno.EINVAL, file->Operations->SetPipeSize(file, 0).Error);
        Assert.Equal(8192, KernelRig.Ok(file->Operations->SetPipeSize(file, 5001)));
        Assert.Equal(3192, KernelRig.Ok(_rig.Write(writer, new byte[5000])));
        Assert.Equal(1 << 20, KernelRig.Ok(file->Operations->SetPipeSize(file, 1 << 20)));
        Assert.Equal(new string('x', 5000), _rig.ReadText(reader, 5000));
    }

    [Fact]
    public void Small_messages_take_one_page_and_closing_gives_all_back()
    {
        (int reader, int writer) = Open();
        nuint open = PageAllocator.FreePages;
        byte[] one = new byte[1];
        for (int i = 0; i < 10_000; i++)
        {
            _rig.Write(writer, one);
            _rig.Read(reader, one);
            Assert.InRange(open - PageAllocator.FreePages, (nuint)0, (nuint)1);
        }
        _rig.Write(writer, new byte[65536]);
        _rig.Read(reader, new byte[65536]);
        Assert.Equal((nuint)1, open - PageAllocator.FreePages);
        _rig.Close(reader);
        _rig.Close(writer);
        Assert.Equal(0ul, _rig.OpenFiles);
        Assert.InRange(_pagesBefore - PageAllocator.FreePages, (nuint)0, (nuint)4);
    }

    [Fact]
    public void Both_ends_show_the_same_name_and_a_fifo_type()
    {
        (int reader, int writer) = Open();
        Span<byte> name = stackalloc byte[64];
        int length = _rig.File(reader)->Operations->Describe(_rig.File(reader), name);
        string first = Encoding.ASCII.GetString(name[..length]);
        length = _rig.File(writer)->Operations->Describe(_rig.File(writer), name);
        Assert.Equal(first, Encoding.ASCII.GetString(name[..length]));
        Assert.Matches(@"^pipe:\[\d+\]$", first);
        Stat* status = _rig.Alloc<Stat>();
        KernelRig.Ok(_rig.File(reader)->Operations->GetStatus(_rig.File(reader), status));
        Assert.Equal(ModeBits.Fifo, status->Mode & ModeBits.TypeMask);
    }

    // Any sequence of writes and reads behaves as a queue of bytes, however pages and wrap-around fall.
    [Fact]
    public void A_pipe_is_a_queue_of_bytes()
    {
        Gen<(bool, int)[]> sequences = Gen.ArrayOf(Gen.Zip(ArbMap.Default.GeneratorFor<bool>(), Gen.Choose(0, 20_000)), 60);
        Prop.ForAll(sequences.ToArbitrary(), sequence =>
        {
            PipeBuffer buffer = default;
            Assert.Equal(Errno.None, buffer.Initialize());
            Queue<byte> model = new();
            byte[] scratch = new byte[20_000];
            byte next = 0;
            foreach ((bool isWrite, int count) in sequence)
            {
                if (isWrite)
                {
                    for (int i = 0; i < count; i++)
                        scratch[i] = next++;
                    nuint written;
                    fixed (byte* bytes = scratch)
                        Assert.Equal(Errno.None, buffer.Write(bytes, (nuint)count, out written));
                    next -= (byte)(count - (int)written);
                    for (int i = 0; i < (int)written; i++)
                        model.Enqueue(scratch[i]);
                }
                else
                {
                    nuint read;
                    fixed (byte* bytes = scratch)
                        Assert.Equal(Errno.None, buffer.Read(new UserSpan((ulong)bytes, (nuint)count), out read));
                    Assert.Equal(Math.Min(count, model.Count), (int)read);
                    for (int i = 0; i < (int)read; i++)
                        Assert.Equal(model.Dequeue(), scratch[i]);
                }
                Assert.Equal((uint)model.Count, buffer.Count);
            }
            buffer.Dispose();
        }).QuickCheckThrowOnFailure();
        Assert.InRange(_pagesBefore - PageAllocator.FreePages, (nuint)0, (nuint)4);
    }
}
