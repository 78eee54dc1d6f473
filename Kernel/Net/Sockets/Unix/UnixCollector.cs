// Sockets can be sent through sockets, so a socket may come to wait inside itself, or two inside each other, when no descriptor refers to them any more. Counting
// references never frees those; this finds them. Source: unix(7), SCM_RIGHTS; the method is that of mark and sweep over the sockets on their way.
namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>Finds and ends sockets that are reachable only from each other's queues.</summary>
internal static unsafe class UnixCollector
{
    private enum Step
    {
        /// <summary>Forget references that come from the queues of suspects.</summary>
        Discount,

        /// <summary>What a live socket's queue holds is alive.</summary>
        Revive,

        /// <summary>Take the files out of the queues, which ends the sockets.</summary>
        Drop,
    }

    private static bool s_isRunning;
    private static uint s_closed;

    /// <summary>
    /// A descriptor of a socket is being closed. When nothing but messages refers to the socket afterwards, and it holds messages with files itself, it may have become
    /// garbage together with what it holds.
    /// </summary>
    internal static void DescriptorClosed(UnixSocket* socket)
    {
        if (socket->InFlight != 0 && socket->Base.File->References - 1 == socket->InFlight && HoldsFiles(socket))
            Collect(socket);
    }

    /// <summary>
    /// A socket ended. What only a running call kept reachable is found here: now and then, so that the cost of each end stays the same however many sockets there are.
    /// </summary>
    internal static void SocketClosed()
    {
        if (UnixRights.TotalInFlight == 0 || ++s_closed < UnixSocket.Count)
            return;
        s_closed = 0;
        Collect(null);
    }

    // Ends what nobody can reach when one reference to a socket is about to go.
    private static void Collect(UnixSocket* leaving)
    {
        if (s_isRunning)
            return;
        s_isRunning = true;
        // Only a socket whose every reference is on its way somewhere can be garbage.
        for (UnixSocket* socket = UnixSocket.First; socket != null; socket = socket->NextInList)
        {
            int going = socket == leaving ? 1 : 0;
            socket->IsSuspect = socket->InFlight != 0 && socket->Base.File != null && socket->Base.File->References - going == socket->InFlight;
            socket->Outside = socket->InFlight;
        }
        for (UnixSocket* socket = UnixSocket.First; socket != null; socket = socket->NextInList)
        {
            if (socket->IsSuspect)
                Visit(socket, Step.Discount);
        }
        while (ReviveOne())
        {
        }
        DropGarbage();
        s_isRunning = false;
    }

    private static bool HoldsFiles(UnixSocket* socket)
    {
        for (UnixBuffer* buffer = socket->Received.First; buffer != null; buffer = buffer->Next)
        {
            if (buffer->Rights != null)
                return true;
        }
        return socket->FirstPending != null;
    }

    private static bool ReviveOne()
    {
        bool isChanged = false;
        for (UnixSocket* socket = UnixSocket.First; socket != null; socket = socket->NextInList)
        {
            if (!socket->IsSuspect || socket->Outside == 0)
                continue;
            socket->IsSuspect = false;
            Visit(socket, Step.Revive);
            isChanged = true;
        }
        return isChanged;
    }

    private static void DropGarbage()
    {
        // Nothing may be freed while the list is walked.
        bool isOuter = UnixRights.TryHold();
        for (UnixSocket* socket = UnixSocket.First; socket != null; socket = socket->NextInList)
        {
            if (socket->IsSuspect)
                Visit(socket, Step.Drop);
        }
        if (isOuter)
            UnixRights.EndHold();
    }

    // What waits at a socket waits in its queue, or in those of connections that it has not accepted.
    private static void Visit(UnixSocket* socket, Step step)
    {
        VisitQueue(socket, step);
        for (UnixSocket* pending = socket->FirstPending; pending != null; pending = pending->NextPending)
            VisitQueue(pending, step);
    }

    private static void VisitQueue(UnixSocket* socket, Step step)
    {
        for (UnixBuffer* buffer = socket->Received.First; buffer != null; buffer = buffer->Next)
        {
            UnixRights* rights = buffer->Rights;
            if (rights == null)
                continue;
            for (int i = 0; i < rights->Count; i++)
            {
                UnixSocket* held = UnixRights.SocketOf(UnixRights.Files(rights)[i]);
                if (held != null && held->IsSuspect)
                    held->Outside += step == Step.Discount ? -1 : 1;
            }
            if (step != Step.Drop)
                continue;
            buffer->Rights = null;
            UnixRights.Drop(rights);
        }
    }
}
