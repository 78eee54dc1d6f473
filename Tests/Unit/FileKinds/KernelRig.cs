using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

/// <summary>A process with one thread and an empty table of descriptors, and memory that plays the program's.</summary>
internal sealed unsafe class KernelRig : IDisposable
{
    private static int s_lastId = 1000;
    private readonly List<nint> _memory = [];
    private readonly ulong _filesBefore = OpenFile.Count;

    public KernelRig()
    {
        Process = ThreadTable.CreateProcess();
        Process->Id = Process->GroupId = Process->SessionId = ++s_lastId;
        Process->Files = FileTable.Create();
        Thread = Alloc<Thread>();
        Thread->Id = Process->Id;
        Thread->Process = Process;
        Process->Threads = Thread;
        Process->ThreadCount = 1;
        Cpu.CurrentThread = Thread;
        HostedMachine.OnIdle = null;
    }

    public Process* Process { get; }

    public Thread* Thread { get; }

    public ulong OpenFiles => OpenFile.Count - _filesBefore;

    /// <summary>What the machine does each time the thread sleeps; a sleep beyond the last step fails the test.</summary>
    public void WhileAsleep(params Action[] steps)
    {
        var left = new Queue<Action>(steps);
        HostedMachine.OnIdle = () =>
        {
            Assert.True(left.Count != 0, "slept once more than expected");
            left.Dequeue()();
        };
    }

    /// <summary>Lets time pass and timers fire.</summary>
    public static void Advance(ulong nanoseconds)
    {
        Clock.MonotonicNanoseconds += nanoseconds;
        Timers.RunExpired(Clock.MonotonicNanoseconds);
    }

    public T* Alloc<T>(int count = 1)
        where T : unmanaged
    {
        void* memory = NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(T));
        _memory.Add((nint)memory);
        return (T*)memory;
    }

    public UserPtr<T> User<T>(T value = default)
        where T : unmanaged
    {
        T* memory = Alloc<T>();
        *memory = value;
        return new UserPtr<T>((ulong)memory);
    }

    public static int Ok(Result result)
    {
        Assert.Equal(Errno.None, result.Error);
        return (int)result.Value;
    }

    public OpenFile* File(int fd)
    {
        Assert.True(Process->Files->TryGet(new Fd(fd), out OpenFile* file));
        return file;
    }

    public Result Read(int fd, Span<byte> to)
    {
        OpenFile* file = File(fd);
        fixed (byte* bytes = to)
            return file->Operations->Read(file, new UserSpan((ulong)bytes, (nuint)to.Length), ref file->Position);
    }

    public Result Write(int fd, ReadOnlySpan<byte> from)
    {
        OpenFile* file = File(fd);
        fixed (byte* bytes = from)
            return file->Operations->Write(file, new UserSpan((ulong)bytes, (nuint)from.Length), ref file->Position);
    }

    public string ReadText(int fd, int count = 4096)
    {
        byte[] bytes = new byte[count];
        return Encoding.UTF8.GetString(bytes, 0, Ok(Read(fd, bytes)));
    }

    public PollEvents Poll(int fd) => File(fd)->Operations->Poll(File(fd));

    public Result Control(int fd, uint command, void* argument) => File(fd)->Operations->Control(File(fd), command, (ulong)argument);

    public Result Close(int fd) => Process->Files->Close(fd);

    public void SendSignal(int signal)
    {
        Process->Actions[signal - 1].Handler = 0x1234;
        Signals.Send(Process, signal);
    }

    public bool HasSignal(int signal) => Process->PendingSignals.Pending.Contains(signal) || Thread->PendingSignals.Pending.Contains(signal);

    public void Dispose()
    {
        HostedMachine.OnIdle = null;
        FileTable.Release(Process->Files);
        // Processes stay in the table; an ending one gets no signals.
        Process->IsEnding = true;
        Process->Threads = null;
        Cpu.CurrentThread = null;
        foreach (nint memory in _memory)
            NativeMemory.Free((void*)memory);
    }
}
