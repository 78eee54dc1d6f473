using System.Diagnostics;

namespace Ukl.Tool.Network;

/// <summary>One direction of a bad wire: takes frames, and delivers what is left of them when it is due.</summary>
internal sealed class WireDirection : IDisposable
{
    private const int EthernetHeader = 14, TypeOffset = 12;
    private const int Salts = 4;

    /// <summary>A frame that is overtaken is held back by up to this time.</summary>
    private static readonly TimeSpan HoldBack = TimeSpan.FromMilliseconds(5);

    private readonly WireQuality quality;

    private readonly Action<byte[]> deliver;

    private readonly Random random;

    private readonly PriorityQueue<byte[], (long Due, long Number)> queue = new();

    private readonly Thread thread;

    private long number;

    private bool isClosed;

    private bool isDelivering;

    /// <summary>Starts the direction.</summary>
    /// <param name="quality">How bad it is.</param>
    /// <param name="salt">Tells the two directions' chances apart; less than 4.</param>
    /// <param name="deliver">Takes a frame at the far end; called on a thread of the direction's own.</param>
    public WireDirection(WireQuality quality, int salt, Action<byte[]> deliver)
    {
        this.quality = quality;
        this.deliver = deliver;
        random = new Random((quality.Seed * Salts) + salt);
        thread = new Thread(Run) { IsBackground = true, Name = "wire" };
        thread.Start();
    }

    /// <summary>Whether nothing arrives any more.</summary>
    public bool IsCut { get; set; }

    /// <summary>Frames that did not arrive.</summary>
    public long Lost { get; private set; }

    /// <summary>Frames that were taken.</summary>
    public long Taken { get; private set; }

    /// <summary>Whether every frame that was not lost has been delivered.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (queue)
                return queue.Count == 0 && !isDelivering;
        }
    }

    /// <summary>Takes a frame, from any thread; the array is the wire's from now on.</summary>
    public void Take(byte[] frame)
    {
        lock (queue)
        {
            Taken++;
            if (IsCut || random.NextDouble() < quality.Loss)
            {
                Lost++;
                return;
            }
            if (random.NextDouble() < quality.Corrupt && IsInternet(frame))
                frame[random.Next(EthernetHeader, frame.Length)] ^= (byte)(1 << random.Next(8));
            Enqueue(frame);
            if (random.NextDouble() < quality.Duplicate)
                Enqueue(frame);
            Monitor.Pulse(queue);
        }
    }

    /// <summary>Waits until nothing is delivered any more; what is on its way is lost.</summary>
    public void Dispose()
    {
        lock (queue)
        {
            isClosed = true;
            Monitor.Pulse(queue);
        }
        thread.Join();
    }

    /// <summary>Address resolution has no checksum: a wrong bit there would be believed.</summary>
    private static bool IsInternet(byte[] frame) => frame.Length > EthernetHeader && (frame[TypeOffset], frame[TypeOffset + 1]) is (0x08, 0x00) or (0x86, 0xdd);

    private void Enqueue(byte[] frame)
    {
        TimeSpan wait = quality.Delay + (random.NextDouble() < quality.Reorder ? HoldBack * random.NextDouble() : TimeSpan.Zero);
        queue.Enqueue(frame, (Stopwatch.GetTimestamp() + (long)(wait.TotalSeconds * Stopwatch.Frequency), number++));
    }

    private void Run()
    {
        while (Next() is { } frame)
            deliver(frame);
    }

    private byte[]? Next()
    {
        lock (queue)
            while (true)
            {
                isDelivering = false;
                if (isClosed)
                    return null;
                if (!queue.TryPeek(out _, out (long Due, long Number) next))
                    Monitor.Wait(queue);
                else if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), next.Due) is var left && left <= TimeSpan.Zero)
                {
                    isDelivering = true;
                    return queue.Dequeue();
                }
                else
                    Monitor.Wait(queue, left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left);
            }
    }
}
