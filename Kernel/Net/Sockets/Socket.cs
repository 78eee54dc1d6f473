// What every socket has, whatever its family. Source: socket(7).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Net.Sockets;

/// <summary>
/// The common first part of every kind's socket, so that a pointer to one is a pointer to the other. It lives while its file is open; a kind may keep it longer.
/// </summary>
public unsafe struct Socket
{
    /// <summary>Events that mean "there may be something to receive" and "there may be room to send".</summary>
    public const PollEvents ReadableEvents = PollEvents.In | PollEvents.ReadNormal, WritableEvents = PollEvents.Out | PollEvents.WriteNormal | PollEvents.WriteBand;

    /// <summary>What its kind does.</summary>
    public SocketOperations* Operations;

    /// <summary>Who waits for a change of its readiness.</summary>
    public WaitQueue Waiters;

    /// <summary>AF_*.</summary>
    public AddressFamily Family;

    /// <summary>An error that waits to be told (SO_ERROR), of kinds that keep it here.</summary>
    public Errno PendingError;

    /// <summary>SOCK_*.</summary>
    public SocketType Type;

    /// <summary>The protocol, as SO_PROTOCOL shows it.</summary>
    public int Protocol;

    /// <summary>Its file, without reference: the file owns the socket. Null before accept(2) gives a connection one, and after the file's end.</summary>
    public OpenFile* File;

    /// <summary>st_ino of its file, shown in /proc/net.</summary>
    public ulong Number;

    /// <summary>Options of the level SOL_SOCKET.</summary>
    public SocketSettings Settings;

    /// <summary>The socket behind a file, or null (ENOTSOCK).</summary>
    public static Socket* TryGet(OpenFile* file) =>
        (file->Operations->Traits & FileTraits.Socket) != 0 ? (Socket*)file->Object : null;

    /// <summary>Takes the pending error.</summary>
    public Errno TakeError()
    {
        Errno error = PendingError;
        PendingError = Errno.None;
        return error;
    }

    /// <summary>Wakes who waits for any of the events.</summary>
    public readonly void Wake(PollEvents events)
    {
        if (!Waiters.IsEmpty)
            Waiters.Wake(events);
    }

    /// <summary>
    /// Sleeps until woken, for use in a loop that tests its condition. <paramref name="deadline"/> is 0 before the first sleep and is set from
    /// <paramref name="timeout"/> (nanoseconds, SO_RCVTIMEO or SO_SNDTIMEO). EAGAIN at the deadline; ERESTARTSYS at a signal, or EINTR when there is a deadline.
    /// </summary>
    public Errno Sleep(PollEvents interest, ulong timeout, ref ulong deadline) => SleepIn(ref Waiters, interest, timeout, ref deadline);

    /// <summary>
    /// As <see cref="Sleep"/>, unless the socket has become ready since it was looked at: leaving the network stack delivers what its loopback carries, which
    /// may be what this call waits for.
    /// </summary>
    public static Errno SleepUnlessReady<TKind>(Socket* socket, PollEvents interest, ulong timeout, ref ulong deadline)
        where TKind : unmanaged, ISocketKind
    {
        if ((TKind.Poll(socket) & (interest | PollEvents.Error | PollEvents.HangUp)) != 0)
            return Errno.None;
        return socket->Sleep(interest, timeout, ref deadline);
    }

    /// <summary>As <see cref="Sleep"/>, in another queue.</summary>
    public static Errno SleepIn(ref WaitQueue queue, PollEvents interest, ulong timeout, ref ulong deadline)
    {
        if (deadline == 0)
            deadline = DeadlineAfter(timeout);
        Errno reason = queue.Sleep(interest, deadline);
        return reason switch
        {
            Errno.None => Errno.None,
            Errno.ETIMEDOUT => Errno.EAGAIN,
            _ => timeout == SocketSettings.NoTimeout ? reason : Errno.EINTR,
        };
    }

    /// <summary>Sends SIGPIPE to the current thread unless the caller asked for none, and returns EPIPE.</summary>
    public static Errno BrokenPipe(MessageFlags flags)
    {
        if ((flags & MessageFlags.NoSignal) == 0)
            Signals.Send(Scheduler.Current, SignalInfo.FromKernel(Signal.SIGPIPE));
        return Errno.EPIPE;
    }

    private static ulong DeadlineAfter(ulong timeout)
    {
        if (timeout == SocketSettings.NoTimeout)
            return Scheduler.Forever;
        ulong deadline = Clock.MonotonicNanoseconds + timeout;
        return deadline < timeout ? Scheduler.Forever : deadline;
    }
}
