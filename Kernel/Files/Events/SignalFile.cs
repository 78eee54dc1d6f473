// signalfd: signals as a file. Source: signalfd(2).
using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>Linux's <c>struct signalfd_siginfo</c>.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct SignalRecord
{
    public uint Number;
    public int Error;
    public int Code;
    public uint ProcessId;
    public uint UserId;
    public int Descriptor;
    public uint TimerId;
    public uint Band;
    public uint Overrun;
    public uint TrapNumber;
    public int Status;
    public int Value;
    public ulong Pointer;
    public ulong UserTime;
    public ulong SystemTime;
    public ulong Address;
}

/// <summary>
/// The kind of signalfd. <see cref="OpenFile.Object"/> is one of these: only the set of signals, since who reads gets his own, whoever made the file.
/// </summary>
public unsafe struct SignalFile : IFileKind
{
    private const PollEvents Readable = PollEvents.In | PollEvents.ReadNormal;

    private SignalSet _signals;

    /// <summary>Makes a signalfd with one reference; null when out of memory.</summary>
    internal static OpenFile* Create(SignalSet signals, OpenFlags flags)
    {
        SignalFile* self = Pool<SignalFile>.Allocate();
        if (self == null)
            return null;
        self->_signals = signals;
        OpenFile* file = OpenFile.Create<SignalFile>(self, OpenFlags.ReadWrite | flags);
        if (file == null)
            Pool<SignalFile>.Free(self);
        return file;
    }

    /// <summary>Gives a signalfd another set. False (EINVAL) when the file is something else.</summary>
    internal static bool TryChange(OpenFile* file, SignalSet signals)
    {
        if (file->Operations != FileOperations.Of<SignalFile>())
            return false;
        Of(file)->_signals = signals;
        Process.Current->SignalWaiters.Wake(Readable);
        return true;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position)
    {
        nuint size = (nuint)sizeof(SignalRecord);
        if (to.Length < size)
            return Errno.EINVAL;
        Thread* thread = Scheduler.Current;
        nuint done = 0;
        while (to.Length - done >= size)
        {
            SignalInfo info;
            while (!Signals.TryTake(thread, Of(file)->_signals, out info))
            {
                if (done != 0)
                    return (ulong)done;
                if (file->IsNonBlocking)
                    return Errno.EAGAIN;
                Errno interruption = thread->Process->SignalWaiters.Sleep(Readable);
                if (interruption != Errno.None)
                    return interruption;
            }
            Signals.Recalculate(thread);
            SignalRecord record = Describe(info);
            if (!to.Slice(done).CopyFrom(&record, size))
                return done != 0 ? (Result)(ulong)done : Errno.EFAULT;
            done += size;
        }
        return (ulong)done;
    }

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file)
    {
        Thread* thread = Scheduler.Current;
        SignalSet pending = thread->PendingSignals.Pending | thread->Process->PendingSignals.Pending;
        return (pending & Of(file)->_signals).IsEmpty ? PollEvents.None : Readable;
    }

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => &Process.Current->SignalWaiters;

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.Write(to, "anon_inode:[signalfd]"u8);

    /// <inheritdoc/>
    public static void Release(OpenFile* file) => Pool<SignalFile>.Free(Of(file));

    // Which fields mean something depends on where the signal comes from.
    private static SignalRecord Describe(in SignalInfo info)
    {
        var record = new SignalRecord { Number = (uint)info.Number, Error = info.Error, Code = info.Code };
        if (info.Code == SignalInfo.Timer)
        {
            record.TimerId = (uint)info.First;
            record.Overrun = (uint)(info.First >> 32);
            record.Value = (int)info.Second;
            record.Pointer = info.Second;
        }
        else if (info.Code > 0 && info.Code != SignalInfo.Kernel && SignalSet.Synchronous.Contains(info.Number))
        {
            record.Address = info.First;
        }
        else
        {
            record.ProcessId = (uint)info.First;
            record.UserId = (uint)(info.First >> 32);
            if (info.Code > 0 && info.Number == Signal.SIGCHLD)
            {
                record.Status = (int)info.Second;
                record.UserTime = info.Third;
                record.SystemTime = info.Fourth;
            }
            else if (info.Code is not (SignalInfo.User or SignalInfo.ThreadKill or SignalInfo.Kernel))
            {
                record.Value = (int)info.Second;
                record.Pointer = info.Second;
            }
        }
        return record;
    }

    private static SignalFile* Of(OpenFile* file) => (SignalFile*)file->Object;
}
