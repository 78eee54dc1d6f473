using System;
using System.Collections.Generic;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Events;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

public sealed unsafe class EpollTests : IDisposable
{
    private const int Add = 1, Delete = 2, Modify = 3;
    private const uint In = 1, Out = 4, Exclusive = 1u << 28, OneShot = 1u << 30, Edge = 1u << 31;

    private readonly KernelRig _rig = new();
    private readonly int _epoll = KernelRig.Ok(EventCalls.EpollCreate1(0));
    private readonly EpollEvent* _events;

    public EpollTests() => _events = _rig.Alloc<EpollEvent>(64);

    public void Dispose() => _rig.Dispose();

    private static int EventFd(uint initial = 0) => KernelRig.Ok(EventCalls.EventFd2(initial, (uint)OpenFlags.NonBlock));

    private Errno Control(int operation, int fd, uint events = 0, ulong data = 0, int? epoll = null) =>
        EventCalls.EpollCtl(new Fd(epoll ?? _epoll), operation, new Fd(fd), _rig.User(new EpollEvent { Events = events, Data = data })).Error;

    private Result WaitRaw(int timeout = 0, int capacity = 64, int? epoll = null) =>
        EventCalls.EpollWait(new Fd(epoll ?? _epoll), new UserPtr<EpollEvent>((ulong)_events), capacity, timeout);

    private (uint Events, ulong Data)[] Wait(int timeout = 0, int capacity = 64)
    {
        var got = new (uint, ulong)[KernelRig.Ok(WaitRaw(timeout, capacity))];
        for (int i = 0; i < got.Length; i++)
            got[i] = (_events[i].Events, _events[i].Data);
        return got;
    }

    private void Signal(int fd) => KernelRig.Ok(_rig.Write(fd, [1, 0, 0, 0, 0, 0, 0, 0]));

    private void Clear(int fd) => KernelRig.Ok(_rig.Read(fd, new byte[8]));

    [Fact]
    public void The_event_structure_has_the_layout_of_x86_64()
    {
        Assert.Equal(12, sizeof(EpollEvent));
    }

    [Fact]
    public void A_level_triggered_file_is_reported_as_long_as_it_is_ready()
    {
        int fd = EventFd(1);
        Assert.Equal(Errno.None, Control(Add, fd, In, 42));
        Assert.Equal([(In, 42ul)], Wait());
        Assert.Equal([(In, 42ul)], Wait());
        Clear(fd);
        Assert.Empty(Wait());
        Signal(fd);
        Assert.Equal([(In, 42ul)], Wait());
    }

    [Fact]
    public void An_edge_triggered_file_is_reported_once_for_each_change()
    {
        int fd = EventFd(1);
        Control(Add, fd, In | Edge, 7);
        Assert.Equal([(In, 7ul)], Wait());
        Assert.Empty(Wait());
        Signal(fd);
        Assert.Equal([(In, 7ul)], Wait());
        Assert.Empty(Wait());
    }

    [Fact]
    public void A_one_shot_file_waits_to_be_armed_again()
    {
        int fd = EventFd(1);
        Control(Add, fd, In | OneShot, 7);
        Assert.Equal([(In, 7ul)], Wait());
        Signal(fd);
        Assert.Empty(Wait());
        Assert.Equal(Errno.None, Control(Modify, fd, In | OneShot, 8));
        Assert.Equal([(In, 8ul)], Wait());
        Assert.Empty(Wait());
    }

    [Fact]
    public void Only_what_is_asked_for_is_reported_and_modify_changes_it()
    {
        int fd = EventFd(1);
        Control(Add, fd, Out, 1);
        Assert.Equal([(Out, 1ul)], Wait());
        Control(Modify, fd, In | Out, 2);
        Assert.Equal([(In | Out, 2ul)], Wait());
        Control(Modify, fd, 0, 3);
        Assert.Empty(Wait());
    }

    [Fact]
    public void Hang_up_and_error_are_reported_without_being_asked_for()
    {
        PipeDescriptors* pipe = _rig.Alloc<PipeDescriptors>();
        PipeCalls.Pipe(new UserPtr<PipeDescriptors>((ulong)pipe));
        Control(Add, pipe->Reader, 0, 1);
        Control(Add, pipe->Writer, Edge, 2);
        Assert.Empty(Wait());
        _rig.Close(pipe->Writer);
        Assert.Equal([((uint)PollEvents.HangUp, 1ul)], Wait());
    }

    [Fact]
    public void Errors_are_linux_errors()
    {
        int fd = EventFd();
        Assert.Equal(Errno.ENOENT, Control(Delete, fd));
        Assert.Equal(Errno.ENOENT, Control(Modify, fd));
        Assert.Equal(Errno.None, Control(Add, fd, In));
        Assert.Equal(Errno.EEXIST, Control(Add, fd, In));
        Assert.Equal(Errno.EBADF, Control(Add, 99));
        Assert.Equal(Errno.EBADF, Control(Add, fd, epoll: 99));
        Assert.Equal(Errno.EINVAL, Control(Add, fd, epoll: fd));
        Assert.Equal(Errno.EINVAL, Control(Add, _epoll));
        Assert.Equal(Errno.EINVAL, Control(9, fd));
        Assert.Equal(Errno.EFAULT, EventCalls.EpollCtl(new Fd(_epoll), Add, new Fd(fd), new UserPtr<EpollEvent>(8)).Error);
        Assert.Equal(Errno.None, EventCalls.EpollCtl(new Fd(_epoll), Delete, new Fd(fd), default).Error);
        Assert.Equal(Errno.EINVAL, WaitRaw(capacity: 0).Error);
        Assert.Equal(Errno.EINVAL, WaitRaw(epoll: fd).Error);
        Assert.Equal(Errno.EBADF, WaitRaw(epoll: 99).Error);
        Assert.Equal(Errno.EINVAL, EventCalls.EpollCreate(0).Error);
        Assert.Equal(Errno.EINVAL, EventCalls.EpollCreate1(OpenFlags.NonBlock).Error);
        Assert.Equal(Errno.EINVAL, _rig.Read(_epoll, new byte[8]).Error);
    }

    [Fact]
    public void A_bad_buffer_gives_EFAULT_and_keeps_the_event()
    {
        int fd = EventFd(1);
        Control(Add, fd, In | Edge, 1);
        Assert.Equal(Errno.EFAULT, EventCalls.EpollWait(new Fd(_epoll), new UserPtr<EpollEvent>(8), 1, 0).Error);
        Assert.Equal([(In, 1ul)], Wait());
    }

    [Fact]
    public void Closing_a_file_removes_it_but_not_while_a_duplicate_is_open()
    {
        int fd = EventFd(1);
        Control(Add, fd, In, 1);
        OpenFile* file = _rig.File(fd);
        int duplicate = KernelRig.Ok(_rig.Process->Files->Reserve());
        file->AddReference();
        _rig.Process->Files->Install(duplicate, file, false);
        Assert.Equal(Errno.None, Control(Add, duplicate, In, 2));
        _rig.Close(fd);
        Assert.Equal(2, Wait().Length);
        _rig.Close(duplicate);
        Assert.Empty(Wait());
        Assert.Equal(1ul, _rig.OpenFiles);
    }

    [Fact]
    public void Closing_the_epoll_first_leaves_the_files_usable()
    {
        int fd = EventFd();
        Control(Add, fd, In, 1);
        _rig.Close(_epoll);
        Signal(fd);
        Clear(fd);
        _rig.Close(fd);
        Assert.Equal(0ul, _rig.OpenFiles);
    }

    [Fact]
    public void A_waiting_thread_wakes_when_a_file_becomes_ready()
    {
        int fd = EventFd();
        Control(Add, fd, In, 5);
        _rig.WhileAsleep(() => Signal(fd));
        Assert.Equal([(In, 5ul)], Wait(-1));
    }

    [Fact]
    public void A_timeout_ends_the_wait_and_a_signal_gives_EINTR()
    {
        _rig.WhileAsleep(() => KernelRig.Advance(5_000_000));
        Assert.Empty(Wait(5));
        _rig.WhileAsleep(() => _rig.SendSignal(Ukl.Kernel.Tasks.Signal.SIGUSR1));
        Assert.Equal(Errno.EINTR, WaitRaw(-1).Error);
    }

    [Fact]
    public void Pwait_sets_the_signal_mask_for_the_call()
    {
        UserPtr<ulong> mask = _rig.User(0x8000ul);
        Assert.Equal(Errno.EINVAL, EventCalls.EpollPWait(new Fd(_epoll), new UserPtr<EpollEvent>((ulong)_events), 1, 0, mask, 4).Error);
        Assert.Equal(0, KernelRig.Ok(EventCalls.EpollPWait(new Fd(_epoll), new UserPtr<EpollEvent>((ulong)_events), 1, 0, mask, 8)));
        Assert.True(_rig.Thread->HasSavedSignalMask);
        Assert.Equal(0x8000ul, _rig.Thread->SignalMask.Bits);
    }

    [Fact]
    public void Pwait2_takes_nanoseconds()
    {
        UserPtr<TimeSpec> timeout = _rig.User(new TimeSpec { Nanoseconds = 1000 });
        _rig.WhileAsleep(() => KernelRig.Advance(1000));
        Assert.Equal(0, KernelRig.Ok(EventCalls.EpollPWait2(new Fd(_epoll), new UserPtr<EpollEvent>((ulong)_events), 1, timeout, default, 0)));
        timeout = _rig.User(new TimeSpec { Nanoseconds = 1_000_000_000 });
        Assert.Equal(Errno.EINVAL, EventCalls.EpollPWait2(new Fd(_epoll), new UserPtr<EpollEvent>((ulong)_events), 1, timeout, default, 0).Error);
    }

    [Fact]
    public void Ready_files_take_turns_when_there_is_room_for_few()
    {
        for (ulong i = 0; i < 5; i++)
            Control(Add, EventFd(1), In, i);
        var seen = new HashSet<ulong>();
        for (int i = 0; i < 5; i++)
            seen.Add(Assert.Single(Wait(capacity: 1)).Data);
        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public void Many_files_are_found_again()
    {
        _rig.Process->Files->Limit = 4096;
        var fds = new List<int>();
        for (ulong i = 0; i < 1000; i++)
        {
            fds.Add(EventFd());
            Assert.Equal(Errno.None, Control(Add, fds[^1], In, i));
        }
        Signal(fds[700]);
        Assert.Equal([(In, 700ul)], Wait());
        foreach (int fd in fds)
            Assert.Equal(Errno.None, Control(Delete, fd));
        Assert.Empty(Wait());
    }

    [Fact]
    public void Exclusive_is_allowed_only_with_add_and_few_flags()
    {
        int fd = EventFd();
        Assert.Equal(Errno.EINVAL, Control(Add, fd, In | Exclusive | OneShot));
        Assert.Equal(Errno.EINVAL, Control(Add, fd, In | Exclusive | (uint)PollEvents.Priority));
        Assert.Equal(Errno.None, Control(Add, fd, In | Exclusive, 1));
        Assert.Equal(Errno.EINVAL, Control(Modify, fd, In));
        int other = KernelRig.Ok(EventCalls.EpollCreate1(0));
        Assert.Equal(Errno.EINVAL, Control(Add, other, In | Exclusive));
        Assert.Equal(Errno.EINVAL, Control(Modify, fd, In | Exclusive));
        for (int i = 0; i < 3; i++)
        {
            Signal(fd);
            Assert.Equal([(In, 1ul)], Wait());
            Clear(fd);
            Assert.Empty(Wait());
        }
    }

    [Fact]
    public void Of_exclusive_watchers_one_is_woken_and_then_the_next()
    {
        int fd = EventFd();
        int other = KernelRig.Ok(EventCalls.EpollCreate1(0));
        Control(Add, fd, In | Edge | Exclusive, 1);
        Control(Add, fd, In | Edge | Exclusive, 2, other);
        Signal(fd);
        Assert.Single(Wait());
        Assert.Equal(0, KernelRig.Ok(WaitRaw(epoll: other)));
    }

    [Fact]
    public void A_nested_epoll_is_ready_while_one_of_its_files_is()
    {
        int inner = KernelRig.Ok(EventCalls.EpollCreate1(0));
        int fd = EventFd();
        Control(Add, fd, In, 1, inner);
        Control(Add, inner, In, 2);
        Assert.Empty(Wait());
        _rig.WhileAsleep(() => Signal(fd));
        Assert.Equal([(In, 2ul)], Wait(-1));
        Clear(fd);
        Assert.Empty(Wait());
        Signal(fd);
        Assert.Equal([(In, 2ul)], Wait());
        _rig.Close(inner);
        Assert.Empty(Wait());
    }

    [Fact]
    public void Circles_and_deep_nesting_give_ELOOP()
    {
        int second = KernelRig.Ok(EventCalls.EpollCreate1(0));
        Assert.Equal(Errno.None, Control(Add, second, In));
        Assert.Equal(Errno.ELOOP, Control(Add, _epoll, In, epoll: second));
        // A chain of five instances is the longest, whichever end it grows at.
        int last = second;
        for (int i = 3; i <= 5; i++)
        {
            int next = KernelRig.Ok(EventCalls.EpollCreate1(0));
            Assert.Equal(Errno.None, Control(Add, next, In, epoll: last));
            last = next;
        }
        int sixth = KernelRig.Ok(EventCalls.EpollCreate1(0));
        Assert.Equal(Errno.ELOOP, Control(Add, sixth, In, epoll: last));
        Assert.Equal(Errno.ELOOP, Control(Add, _epoll, In, epoll: sixth));
        Assert.Equal(Errno.None, Control(Delete, second));
        Assert.Equal(Errno.None, Control(Add, sixth, In, epoll: last));
    }
}
