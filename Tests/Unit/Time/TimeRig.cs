using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Tests.Unit.Time;

/// <summary>A process with one thread on a machine whose clock goes only when the thread sleeps or the test says so.</summary>
internal sealed unsafe class TimeRig : IDisposable
{
    internal const ulong Second = 1_000_000_000;
    internal const ulong Start = 100 * Second;
    internal const ulong Epoch = 1_700_000_000 * Second;

    private readonly List<nint> _memory = [];

    public TimeRig()
    {
        Clock.Start(0);
        Clock.MonotonicNanoseconds = Start;
        Clock.RealtimeOffset = Epoch - Start;
        Timers.RunExpired(0);
        Process = Allocate<Process>();
        Thread = Allocate<Thread>();
        Process->Id = Thread->Id = 77;
        Process->Threads = Thread;
        Process->ThreadCount = 1;
        Thread->Process = Process;
        Cpu.CurrentThread = Thread;
        HostedMachine.OnIdle = () => Advance(HostedDevices.TimerDeadline - Clock.MonotonicNanoseconds);
    }

    public Process* Process { get; }

    public Thread* Thread { get; }

    /// <summary>Lets time pass, running timers as they come due.</summary>
    public static void Advance(ulong nanoseconds)
    {
        ulong until = Clock.MonotonicNanoseconds + nanoseconds;
        while (Timers.NextDeadline <= until)
        {
            if (Timers.NextDeadline > Clock.MonotonicNanoseconds)
                Clock.MonotonicNanoseconds = Timers.NextDeadline;
            Timers.RunExpired(Clock.MonotonicNanoseconds);
        }
        Clock.MonotonicNanoseconds = until;
        Timers.RunExpired(until);
    }

    /// <summary>Memory of the program with a value in it.</summary>
    public UserPtr<T> User<T>(T value)
        where T : unmanaged
    {
        T* memory = Allocate<T>();
        *memory = value;
        return new UserPtr<T>((ulong)memory);
    }

    public static T Read<T>(UserPtr<T> pointer)
        where T : unmanaged => *(T*)pointer.Address;

    /// <summary>Gives the process a handler for a signal.</summary>
    public void Handle(int signal) => Process->Actions[signal - 1].Handler = 0x1234;

    /// <summary>How often a signal was sent since the last call, and takes it; 0 or 1 for those that do not queue.</summary>
    public bool Take(int signal, out SignalInfo info)
    {
        bool isPending = Process->PendingSignals.Pending.Contains(signal);
        info = isPending ? Process->PendingSignals.Take(signal) : default;
        return isPending;
    }

    public bool Take(int signal) => Take(signal, out _);

    public void Dispose()
    {
        ProcessTimers.Release(Process);
        Process->PendingSignals.Discard(~SignalSet.Empty);
        HostedMachine.OnIdle = null;
        Cpu.CurrentThread = null;
        Clock.Start(0);
        Clock.RealtimeOffset = 0;
        foreach (nint memory in _memory)
            NativeMemory.Free((void*)memory);
    }

    private T* Allocate<T>()
        where T : unmanaged
    {
        void* memory = NativeMemory.AllocZeroed(1, (nuint)sizeof(T));
        _memory.Add((nint)memory);
        return (T*)memory;
    }
}
