// Signals as data. Sources: signal(7), sigaction(2), include/uapi/asm-generic/siginfo.h.
using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Tasks;

/// <summary>Signal numbers of x86-64 Linux.</summary>
public static class Signal
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGILL = 4;
    public const int SIGTRAP = 5;
    public const int SIGABRT = 6;
    public const int SIGBUS = 7;
    public const int SIGFPE = 8;
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGSEGV = 11;
    public const int SIGUSR2 = 12;
    public const int SIGPIPE = 13;
    public const int SIGALRM = 14;
    public const int SIGTERM = 15;
    public const int SIGSTKFLT = 16;
    public const int SIGCHLD = 17;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;
    public const int SIGTSTP = 20;
    public const int SIGTTIN = 21;
    public const int SIGTTOU = 22;
    public const int SIGURG = 23;
    public const int SIGXCPU = 24;
    public const int SIGXFSZ = 25;
    public const int SIGVTALRM = 26;
    public const int SIGPROF = 27;
    public const int SIGWINCH = 28;
    public const int SIGIO = 29;
    public const int SIGPWR = 30;
    public const int SIGSYS = 31;

    /// <summary>The first signal that queues.</summary>
    public const int FirstRealTime = 32;

    /// <summary>The highest signal.</summary>
    public const int Highest = 64;

    /// <summary>Whether a number names a signal.</summary>
    public static bool IsValid(int signal) => signal is >= 1 and <= Highest;
}

/// <summary>A set of signals: bit n - 1 is signal n.</summary>
public readonly struct SignalSet(ulong bits) : IEquatable<SignalSet>
{
    /// <summary>The bits.</summary>
    public readonly ulong Bits = bits;

    /// <summary>No signal.</summary>
    public static SignalSet Empty => default;

    /// <summary>The signals that cannot be blocked, caught or ignored.</summary>
    public static SignalSet Unblockable => Of(Signal.SIGKILL) | Of(Signal.SIGSTOP);

    /// <summary>The signals that a thread's own instruction raises.</summary>
    public static SignalSet Synchronous =>
        Of(Signal.SIGSEGV) | Of(Signal.SIGBUS) | Of(Signal.SIGILL) | Of(Signal.SIGTRAP) | Of(Signal.SIGFPE) | Of(Signal.SIGSYS);

    /// <summary>Whether it has no member.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>The lowest member, or 0.</summary>
    public int First => Bits == 0 ? 0 : BitOperations.TrailingZeroCount(Bits) + 1;

    /// <summary>The set of one signal.</summary>
    public static SignalSet Of(int signal) => new(1ul << (signal - 1));

    /// <summary>Whether a signal is a member.</summary>
    public bool Contains(int signal) => (Bits & (1ul << (signal - 1))) != 0;

    public static SignalSet operator |(SignalSet left, SignalSet right) => new(left.Bits | right.Bits);

    public static SignalSet operator &(SignalSet left, SignalSet right) => new(left.Bits & right.Bits);

    public static SignalSet operator ~(SignalSet set) => new(~set.Bits);

    public static bool operator ==(SignalSet left, SignalSet right) => left.Bits == right.Bits;

    public static bool operator !=(SignalSet left, SignalSet right) => left.Bits != right.Bits;

    public bool Equals(SignalSet other) => Bits == other.Bits;

    public override bool Equals(object other) => false;

    public override int GetHashCode() => (int)Bits;
}

/// <summary>The part of siginfo_t that carries something; the rest of its 128 bytes is zero.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SignalInfo
{
    public int Number;
    public int Error;
    public int Code;
    public int Padding;

    /// <summary>Faults: the address. kill: pid and uid. Timers: id and overrun.</summary>
    public ulong First;

    /// <summary>kill, timers: the value. Children: status.</summary>
    public ulong Second;
    public ulong Third;
    public ulong Fourth;

    /// <summary>Size of the program's siginfo_t.</summary>
    public const int ProgramSize = 128;

    public const int User = 0;
    public const int Kernel = 0x80;
    public const int Queue = -1;
    public const int Timer = -2;
    public const int ThreadKill = -6;

    public const int SegvMapError = 1;
    public const int SegvAccessError = 2;
    public const int BusAddressAlignment = 1;
    public const int BusAddressError = 2;
    public const int FpeIntegerDivide = 1;
    public const int FpeDivide = 3;
    public const int FpeOverflow = 4;
    public const int FpeUnderflow = 5;
    public const int FpeInexact = 6;
    public const int FpeInvalid = 7;
    public const int IllIllegalOperand = 2;
    public const int TrapTrace = 2;

    /// <summary>A fault of the thread itself.</summary>
    public static SignalInfo ForFault(int signal, int code, ulong address) => new() { Number = signal, Code = code, First = address };

    /// <summary>Sent by a process.</summary>
    public static SignalInfo FromProcess(int signal, int code, int processId, uint userId) =>
        new() { Number = signal, Code = code, First = (uint)processId | ((ulong)userId << 32) };

    /// <summary>Sent by the kernel, such as by the terminal.</summary>
    public static SignalInfo FromKernel(int signal) => new() { Number = signal, Code = Kernel };
}

/// <summary>What to do with a signal (struct sigaction as the kernel takes it).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SignalAction
{
    /// <summary>Address of the handler, or 0 (default), or 1 (ignore).</summary>
    public ulong Handler;

    /// <summary>SA_ flags.</summary>
    public ulong Flags;

    /// <summary>Where a handler returns to.</summary>
    public ulong Restorer;

    /// <summary>Blocked while the handler runs.</summary>
    public SignalSet Mask;

    public const ulong Default = 0;
    public const ulong Ignore = 1;

    public const ulong NoChildStop = 0x1;
    public const ulong NoChildWait = 0x2;
    public const ulong WithInfo = 0x4;
    public const ulong HasRestorer = 0x0400_0000;
    public const ulong OnStack = 0x0800_0000;
    public const ulong Restart = 0x1000_0000;
    public const ulong NoDefer = 0x4000_0000;
    public const ulong ResetHandler = 0x8000_0000;
}

/// <summary>The actions of a process, by signal less one.</summary>
[InlineArray(Signal.Highest)]
public struct SignalActions
{
    private SignalAction _first;
}

/// <summary>Alternate signal stack (stack_t, sigaltstack(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SignalStack
{
    public ulong Address;
    public int Flags;
    public int Padding;
    public ulong Size;

    /// <summary>SS_ONSTACK: the thread runs on it.</summary>
    public const int OnStack = 1;

    /// <summary>SS_DISABLE: there is none.</summary>
    public const int Disabled = 2;

    /// <summary>SS_AUTODISARM: given up while a handler runs.</summary>
    public const int AutoDisarm = unchecked((int)0x8000_0000);

    /// <summary>MINSIGSTKSZ.</summary>
    public const ulong MinimumSize = 2048;

    /// <summary>Whether there is a stack.</summary>
    public readonly bool IsEnabled => Size != 0;

    /// <summary>Whether an address lies on it.</summary>
    public readonly bool Contains(ulong stackPointer) => stackPointer > Address && stackPointer - Address <= Size;
}
