using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>How a program ends its connection.</summary>
internal enum Ending
{
    /// <summary>Sends all, ends its half, reads to the end, closes.</summary>
    Orderly,

    /// <summary>Reads to the end first, then sends, then closes.</summary>
    ReadFirst,

    /// <summary>Closes as soon as all is sent, whatever comes.</summary>
    CloseAfterSend,

    /// <summary>Aborts somewhere in between (SO_LINGER with 0 s).</summary>
    Abort,
}

/// <summary>What a simulated program does.</summary>
internal sealed record ProgramPlan
{
    public long Bytes { get; init; }

    public int LargestWrite { get; init; } = 16384;

    public int LargestRead { get; init; } = 16384;

    /// <summary>How often it pauses, and for how long at most.</summary>
    public double Pauses { get; init; }

    public ulong LongestPause { get; init; } = 200 * SimulatedWorld.Millisecond;

    public Ending Ending { get; init; }

    /// <summary>Abort after so many bytes in either direction.</summary>
    public long AbortAt { get; init; }

    public bool NoDelay { get; init; }

    public double More { get; init; }

    public byte Key { get; init; }
}

/// <summary>
/// A program with one connection: writes bytes that follow from their place in the stream, and checks those it reads. What one program sends the other expects.
/// </summary>
internal sealed unsafe class SimulatedProgram
{
    private readonly SimulatedWorld _world;
    private readonly SimulatedHost _host;
    private readonly GCHandle _handle;
    private bool _isStepPlanned;
    private bool _isPaused;
    private bool _hasEndedSending;
    private TcpConnection* _connection;

    public SimulatedProgram(SimulatedWorld world, SimulatedHost host, ProgramPlan plan, byte peerKey)
    {
        _world = world;
        _host = host;
        Plan = plan;
        PeerKey = peerKey;
        _handle = GCHandle.Alloc(this);
    }

    public ProgramPlan Plan { get; }

    public byte PeerKey { get; }

    public long Sent { get; private set; }

    public long Received { get; private set; }

    /// <summary>The other end ended its half and all of it was read.</summary>
    public bool HasSeenEnd { get; private set; }

    public Errno Error { get; private set; }

    public bool HasAborted { get; private set; }

    public bool IsDone { get; private set; }

    public TcpConnection* Connection => _connection;

    /// <summary>Takes a connection over. Within the host's batch.</summary>
    public void Take(TcpConnection* connection)
    {
        _connection = connection;
        connection->Owner = (void*)GCHandle.ToIntPtr(_handle);
        connection->Notify = &OnNotify;
        // A program that only reads would never hear of a reset that got lost.
        TcpCalls.SetKeepAlive(connection, true);
        TcpCalls.SetKeepIdle(connection, 30);
        TcpCalls.SetKeepInterval(connection, 5);
        TcpCalls.SetKeepCount(connection, 10);
        if (Plan.NoDelay)
            TcpCalls.SetNoDelay(connection, true);
        PlanStep(0);
    }

    /// <summary>Ends the program, whatever it does. Outside of its host's batches.</summary>
    public void Abort() => _host.Do(() =>
    {
        if (!IsDone)
            Finish(true);
    });

    public void Free() => _handle.Free();

    public override string ToString() =>
        $"sent {Sent}/{Plan.Bytes} read {Received} end {HasSeenEnd} error {Error} done {IsDone} {Plan.Ending}" +
        (_connection == null ? "" : $" state {_connection->State} una {_connection->SndUna - _connection->Iss} nxt {_connection->SndNxt - _connection->Iss}" +
        $" end {_connection->SendQueue.End - _connection->Iss} wnd {_connection->SndWnd} cwnd {_connection->Cwnd} flags {_connection->Flags} loss {_connection->Loss.Phase}" +
        $" queue {_connection->ReceiveQueue.Bytes}");

    private static void OnNotify(TcpConnection* connection, PollEvents events)
    {
        Assert.NotEqual(PollEvents.None, events);
        ((SimulatedProgram)GCHandle.FromIntPtr((nint)connection->Owner).Target!).PlanStep(0);
    }

    private void PlanStep(ulong delay)
    {
        if (_isStepPlanned || _isPaused || IsDone)
            return;
        _isStepPlanned = true;
        _world.After(delay + (ulong)_world.Random.Next(20_000), () =>
        {
            _isStepPlanned = false;
            if (!IsDone)
                _host.Do(Step);
        });
    }

    private void Pause()
    {
        _isPaused = true;
        _world.After((ulong)_world.Random.NextInt64((long)Plan.LongestPause), () =>
        {
            _isPaused = false;
            PlanStep(0);
        });
    }

    private void Step()
    {
        PollEvents events = TcpCalls.Poll(_connection);
        if ((events & PollEvents.Error) != 0)
        {
            Fail(TcpCalls.TakeError(_connection));
            return;
        }
        if (_connection->State == ConnectionState.SynSent)
            return;
        if (Plan.Ending == Ending.Abort && Sent + Received >= Plan.AbortAt)
        {
            HasAborted = true;
            Finish(true);
            return;
        }
        if (_world.Chance(Plan.Pauses))
        {
            Pause();
            return;
        }
        bool isReadFirst = Plan.Ending == Ending.ReadFirst && !HasSeenEnd;
        if (!isReadFirst && !Write())
            return;
        if (!HasSeenEnd && !Read())
            return;
        if (Plan.Ending == Ending.CloseAfterSend && Sent == Plan.Bytes)
            Finish(false);
        else if (HasSeenEnd && _hasEndedSending)
            Finish(false);
        else if (HasSeenEnd && isReadFirst)
            PlanStep(0);
    }

    /// <summary>False when there is nothing to go on with in this step.</summary>
    private bool Write()
    {
        while (Sent < Plan.Bytes)
        {
            long left = Plan.Bytes - Sent;
            int count = (int)Math.Min(left, _world.Random.Next(1, Plan.LargestWrite + 1));
            var source = new PatternBytes(Plan.Key, Sent);
            TcpSendFlags flags = count < left && _world.Chance(Plan.More) ? TcpSendFlags.More : TcpSendFlags.None;
            Result result = TcpCalls.Send(_connection, ref source, (nuint)count, flags);
            if (result.Error == Errno.EAGAIN)
                break;
            if (result.IsError)
            {
                Fail(result.Error);
                return false;
            }
            Sent += result.Value;
            if (_world.Chance(Plan.Pauses))
            {
                Pause();
                return false;
            }
        }
        if (Sent == Plan.Bytes && !_hasEndedSending && Plan.Ending != Ending.CloseAfterSend)
        {
            _hasEndedSending = true;
            Assert.Equal(Errno.None, TcpCalls.Shutdown(_connection, ShutdownHow.Send));
        }
        return true;
    }

    private bool Read()
    {
        while (true)
        {
            var sink = new PatternBytes(PeerKey, Received);
            int count = _world.Random.Next(1, Plan.LargestRead + 1);
            Result result = TcpCalls.Receive(_connection, ref sink, (nuint)count, TcpReceiveFlags.None);
            if (result.Error == Errno.EAGAIN)
                return true;
            if (result.IsError)
            {
                Fail(result.Error);
                return false;
            }
            Assert.True(sink.IsRight, $"wrong bytes at {Received}");
            Received += result.Value;
            if (result.Value == 0)
            {
                HasSeenEnd = true;
                return true;
            }
            if (_world.Chance(Plan.Pauses))
            {
                Pause();
                return false;
            }
        }
    }

    private void Fail(Errno error)
    {
        Error = error;
        Finish(false);
    }

    private void Finish(bool isAbort)
    {
        TcpCalls.Close(_connection, isAbort);
        TcpCalls.Release(_connection);
        _connection = null;
        IsDone = true;
    }
}

/// <summary>A stream of bytes that follow from their place, as source and as a sink that checks.</summary>
internal unsafe struct PatternBytes(byte key, long position) : IByteSource, IByteSink
{
    private long _position = position;

    /// <summary>Whether all bytes were the expected ones.</summary>
    public bool IsRight { get; private set; } = true;

    public bool TryTake(byte* to, nuint count)
    {
        for (nuint i = 0; i < count; i++)
            to[i] = At(_position++);
        return true;
    }

    public bool TryGive(byte* from, nuint count)
    {
        for (nuint i = 0; i < count; i++)
            IsRight &= from[i] == At(_position++);
        return true;
    }

    private readonly byte At(long position) => (byte)(((position * 0x9e37_79b1) >> 13) + (position >> 8) + key);
}
