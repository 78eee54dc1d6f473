// Open files on their way from one process to another. Source: unix(7), SCM_RIGHTS.
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>
/// The files of one message, with a reference on each. A file that is itself a socket of AF_UNIX is counted in <see cref="UnixSocket.InFlight"/>, so that
/// <see cref="UnixCollector"/> finds sockets that only wait inside each other.
/// </summary>
internal unsafe struct UnixRights
{
    /// <summary>SCM_MAX_FD: most files of one message.</summary>
    internal const int MaximumCount = 253;

    private static UnixRights* s_dropped;
    private static bool s_isDropping;

    private UnixRights* _next;

    /// <summary>How many files there are.</summary>
    internal int Count;

    /// <summary>How many sockets of AF_UNIX are on their way.</summary>
    internal static int TotalInFlight { get; private set; }

    /// <summary>The files.</summary>
    internal static OpenFile** Files(UnixRights* rights) => (OpenFile**)(rights + 1);

    /// <summary>
    /// Takes the files that a control message names, adding to what an earlier message of the same call named. EINVAL: too many; EBADF; ENOMEM. On an error <paramref name="rights"/> stays
    /// the caller's.
    /// </summary>
    internal static Errno Add(int* descriptors, nuint count, ref UnixRights* rights)
    {
        if (count == 0)
            return Errno.None;
        if (rights == null)
        {
            if (count > MaximumCount)
                return Errno.EINVAL;
            rights = (UnixRights*)KernelHeap.Allocate((nuint)sizeof(UnixRights) + (MaximumCount * (nuint)sizeof(OpenFile*)));
            if (rights == null)
                return Errno.ENOMEM;
        }
        if ((nuint)rights->Count + count > MaximumCount)
            return Errno.EINVAL;
        FileTable* table = FileTable.Current;
        for (nuint i = 0; i < count; i++)
        {
            if (!table->TryGet(new Fd(descriptors[i]), out OpenFile* file))
                return Errno.EBADF;
            AddFile(rights, file);
        }
        return Errno.None;
    }

    /// <summary>The same files once more, for MSG_PEEK. Null when out of memory.</summary>
    internal static UnixRights* Clone(UnixRights* rights)
    {
        var copy = (UnixRights*)KernelHeap.Allocate((nuint)sizeof(UnixRights) + ((nuint)rights->Count * (nuint)sizeof(OpenFile*)));
        if (copy == null)
            return null;
        for (int i = 0; i < rights->Count; i++)
            AddFile(copy, Files(rights)[i]);
        return copy;
    }

    /// <summary>
    /// Gives the files descriptors in the current process and writes the control message. What does not fit is dropped and <paramref name="returned"/> says MSG_CTRUNC.
    /// </summary>
    internal static void Receive(UnixRights* rights, ref ControlWriter control, MessageFlags flags, ref MessageFlags returned)
    {
        FileTable* table = FileTable.Current;
        int given = 0;
        for (; given < rights->Count && control.Fits((nuint)(given + 1) * sizeof(int)); given++)
        {
            Result fd = table->Reserve();
            if (fd.IsError)
                break;
            if (!new UserPtr<int>(control.Address + (ulong)sizeof(ControlHeader)).At((nuint)given).TryWrite((int)fd.Value))
            {
                table->Unreserve((int)fd.Value);
                break;
            }
            OpenFile* file = Files(rights)[given];
            file->AddReference();
            table->Install((int)fd.Value, file, (flags & MessageFlags.ControlCloseOnExec) != 0);
        }
        if (given != 0)
        {
            nuint total = (nuint)sizeof(ControlHeader) + ((nuint)given * sizeof(int));
            if (control.PutHeader(OptionLevel.Socket, ControlType.Rights, total))
                control.Advance(total);
        }
        if (given < rights->Count)
            returned |= MessageFlags.ControlTruncated;
        Drop(rights);
    }

    /// <summary>
    /// Gives the references back. A socket among the files may hold further messages with files, to any depth: those are dropped one after the other, not inside each
    /// other.
    /// </summary>
    internal static void Drop(UnixRights* rights)
    {
        for (int i = 0; i < rights->Count; i++)
        {
            UnixSocket* socket = SocketOf(Files(rights)[i]);
            if (socket == null)
                continue;
            socket->InFlight--;
            TotalInFlight--;
        }
        rights->_next = s_dropped;
        s_dropped = rights;
        if (TryHold())
            EndHold();
    }

    /// <summary>Keeps what is dropped from now on until <see cref="EndHold"/>. False: somebody drops already, and comes to it later.</summary>
    internal static bool TryHold()
    {
        if (s_isDropping)
            return false;
        s_isDropping = true;
        return true;
    }

    /// <summary>Gives back what was dropped since <see cref="TryHold"/> said true.</summary>
    internal static void EndHold()
    {
        while (s_dropped != null)
        {
            UnixRights* dropped = s_dropped;
            s_dropped = dropped->_next;
            for (int i = 0; i < dropped->Count; i++)
                OpenFile.Release(Files(dropped)[i]);
            KernelHeap.Free(dropped);
        }
        s_isDropping = false;
    }

    /// <summary>The socket of AF_UNIX behind a file, or null.</summary>
    internal static UnixSocket* SocketOf(OpenFile* file)
    {
        Socket* socket = Socket.TryGet(file);
        return socket != null && socket->Family == AddressFamily.Unix ? (UnixSocket*)socket : null;
    }

    private static void AddFile(UnixRights* rights, OpenFile* file)
    {
        file->AddReference();
        Files(rights)[rights->Count++] = file;
        UnixSocket* socket = SocketOf(file);
        if (socket == null)
            return;
        socket->InFlight++;
        TotalInFlight++;
    }
}
