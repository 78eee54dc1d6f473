// Sockets can be sent through sockets, so a socket may come to wait inside itself, or two inside each other, when no descriptor refers to them any more. Counting
// references never frees those; this finds them. Source: unix(7), SCM_RIGHTS; the method is that of mark and sweep over the sockets on their way.
namespace Ukl.Kernel.Net.Sockets.Unix;

/// <summary>Finds and ends sockets that are reachable only from each other's queues. Runs when a socket closes while others are on their way.</summary>
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

    /// <summary>Ends what nobody can reach.</summary>
    internal static void Collect()
    {
        if (s_isRunning)
            return;
        s_isRunning = true;
        // Only a socket whose every reference is on its way somewhere can be garbage.
        for (UnixSocket* socket = UnixSocket.First; socket != null; socket = socket->NextInList)
        {
            socket->IsSuspect = socket->InFlight != 0 && socket->Base.File != null && socket->Base.File->References == socket->InFlight;
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
