// One client. Requests are carried out as they come, all that are there in one go, and their replies leave in one piece. Everything happens in the
// completion of a socket operation; nothing is allocated per request.

using System.Buffers;
using System.Net.Sockets;
using KeyValue.Commands;
using KeyValue.Protocol;

namespace KeyValue;

/// <summary>A client's connection. It waits for one operation at a time: either more input or its replies' departure.</summary>
internal sealed class Connection : SocketAsyncEventArgs
{
    private const int FirstInput = 4096;

    /// <summary>As far as the input buffer grows of itself, because requests keep filling it.</summary>
    private const int LargestBatch = 64 * 1024;

    /// <summary>Replies are sent when they have become this long, even if there are more requests.</summary>
    private const int SendThreshold = 64 * 1024;

    private readonly Database database;

    private readonly Socket socket;

    private readonly RequestReader reader;

    private readonly ReplyWriter reply = new();

    private readonly Action<Connection> closed;

    private byte[] input = ArrayPool<byte>.Shared.Rent(FirstInput);

    /// <summary>The input that has come and was not carried out yet.</summary>
    private int start, end;

    /// <summary>Whether the last batch ended for the length of its replies, not for want of requests.</summary>
    private bool hasMore;

    /// <summary>Takes over a socket.</summary>
    /// <param name="database">What requests work on.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="closed">Told when the connection has ended.</param>
    public Connection(Database database, Socket socket, Action<Connection> closed)
        : base(true) // No execution context flows: nobody here uses one.
    {
        this.database = database;
        this.socket = socket;
        this.closed = closed;
        reader = new RequestReader(database.Settings.MaxValue);
    }

    /// <summary>Serves the client from now on; returns when there is something to wait for.</summary>
    public void Start() => Continue(isReceived: false);

    /// <summary>Ends the connection from outside; the pending operation then fails.</summary>
    public void Abort() => socket.Dispose();

    /// <inheritdoc/>
    protected override void OnCompleted(SocketAsyncEventArgs arguments)
    {
        if (SocketError != SocketError.Success || (LastOperation == SocketAsyncOperation.Receive ? BytesTransferred == 0 : reply.IsLast))
        {
            Close();
            return;
        }
        if (LastOperation == SocketAsyncOperation.Receive)
            end += BytesTransferred;
        else
            reply.Clear();
        Continue(isReceived: true);
    }

    /// <summary>Carries out, sends and receives until something has to be waited for.</summary>
    /// <param name="isReceived">Whether there may be requests in the input already.</param>
    private void Continue(bool isReceived)
    {
        try
        {
            while (true)
            {
                if (isReceived)
                {
                    CarryOut();
                    if (reply.Length > 0)
                    {
                        SetBuffer(reply.Buffer, 0, reply.Length);
                        if (socket.SendAsync(this))
                            return;
                        if (SocketError != SocketError.Success || reply.IsLast)
                            break;
                        reply.Clear();
                        if (hasMore)
                            continue;
                    }
                }
                if (!MakeRoom())
                    break;
                SetBuffer(input, end, input.Length - end);
                if (socket.ReceiveAsync(this))
                    return;
                if (SocketError != SocketError.Success || BytesTransferred == 0)
                    break;
                end += BytesTransferred;
                isReceived = true;
            }
        }
        catch (ObjectDisposedException)
        {
            // Aborted: the server stops.
        }
        Close();
    }

    /// <summary>Carries out the requests of the input until it ends or the replies are long enough.</summary>
    private void CarryOut()
    {
        hasMore = false;
        lock (database.Gate)
        {
            database.Store.ForgetTime();
            while (start < end)
            {
                Span<byte> rest = input.AsSpan(start, end - start);
                RequestStatus status = reader.Read(rest, out ReadOnlySpan<byte> error);
                if (status == RequestStatus.Incomplete)
                    return;
                if (status == RequestStatus.Invalid)
                {
                    reply.Error([.. "ERR "u8, .. error]);
                    reply.Close();
                    return;
                }
                if (reader.Count > 0)
                {
                    database.Commands++;
                    CommandTable.Run(new Request(reader, rest, reply, database));
                }
                start += reader.Consumed;
                if (reply.IsLast)
                    return;
                if (reply.Length >= SendThreshold)
                {
                    hasMore = true;
                    return;
                }
            }
        }
        int filled = end;
        start = end = 0;
        if (filled == input.Length && filled < LargestBatch)
            Replace(filled * 2);
        else if (input.Length > FirstInput && filled <= input.Length / 4)
            Replace(input.Length / 2);
    }

    /// <summary>Makes sure that more input fits behind what there is.</summary>
    /// <returns>False when a client would take too much of the machine's memory.</returns>
    private bool MakeRoom()
    {
        if (input.Length - end >= input.Length / 4)
            return true;
        if (start > input.Length / 2)
        {
            input.AsSpan(start, end - start).CopyTo(input);
            (start, end) = (0, end - start);
            return true;
        }
        if (end < input.Length)
            return true;
        // An announced length is no reason to take memory for all of it at once: the buffer doubles with what comes.
        return Replace(input.Length * 2);
    }

    /// <summary>Moves the input into a buffer of another size.</summary>
    private bool Replace(int size)
    {
        long more;
        byte[] other = ArrayPool<byte>.Shared.Rent(Math.Max(size, end - start + 1));
        lock (database.Gate)
        {
            more = other.Length - input.Length;
            if (more > 0 && database.InputBytes + more > database.Settings.MaxMemory / 2)
            {
                ArrayPool<byte>.Shared.Return(other);
                return false;
            }
            database.InputBytes += more;
        }
        input.AsSpan(start, end - start).CopyTo(other);
        ArrayPool<byte>.Shared.Return(input);
        (input, start, end) = (other, 0, end - start);
        return true;
    }

    private void Close()
    {
        socket.Dispose();
        lock (database.Gate)
        {
            database.Clients--;
            database.InputBytes -= input.Length - FirstInput;
        }
        ArrayPool<byte>.Shared.Return(input);
        reply.Release();
        closed(this);
        Dispose();
    }
}
