using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ukl.Tool.Network;

namespace Ukl.Tool.Testing;

/// <summary>A running server and what a test does with it.</summary>
/// <param name="rig">The network.</param>
/// <param name="guest">The guest.</param>
/// <param name="wire">The bad wire between them; null when there is none.</param>
public sealed class WireSession(NetworkRig rig, NetworkGuest guest, BadWire? wire)
{
    private const int BlockSize = 1 << 16;

    /// <summary>A client that waits longer than this for one answer has been forgotten.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The network.</summary>
    public NetworkRig Rig => rig;

    /// <summary>The guest.</summary>
    public NetworkGuest Guest => guest;

    /// <summary>The bad wire of a test that has one.</summary>
    public BadWire Wire => wire ?? throw new InvalidOperationException("The test has no bad wire.");

    /// <summary>A connection on which nothing may take longer than the client's patience.</summary>
    public Socket Connect(int port)
    {
        Socket socket = guest.Connect(port);
        socket.SendTimeout = socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        return socket;
    }

    /// <summary>Does something many times, some at once.</summary>
    /// <param name="count">How many times.</param>
    /// <param name="work">Does it, given its number.</param>
    public void Repeat(int count, Action<int> work)
    {
        const int Workers = 8;
        int next = -1;
        bool Work() => NetworkNamespace.Run(rig.Namespace, () =>
        {
            for (int number; (number = Interlocked.Increment(ref next)) < count;)
                work(number);
            return true;
        });
        Task[] workers = [.. Enumerable.Range(0, Workers).Select(_ => Task.Factory.StartNew(Work, TaskCreationOptions.LongRunning))];
        try
        {
            Task.WaitAll(workers);
        }
        catch (AggregateException failure)
        {
            throw new ToolException(failure.InnerException!.Message);
        }
    }

    /// <summary>Sends bytes to the guest, which must have received the same by its own SHA-256.</summary>
    public void Upload(long count, ulong seed)
    {
        using Socket socket = Connect(WirePort.Digest);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        WireStream stream = new(seed);
        byte[] block = new byte[BlockSize];
        for (long rest = count; rest > 0; rest -= block.Length)
        {
            Span<byte> part = block.AsSpan(0, (int)Math.Min(rest, block.Length));
            stream.Fill(part);
            hash.AppendData(part);
            SendAll(socket, part);
        }
        socket.Shutdown(SocketShutdown.Send);
        string expected = $"{count} {Convert.ToHexStringLower(hash.GetHashAndReset())}";
        string answer = ReadToEnd(socket);
        Require(answer == expected, $"the guest received '{answer}', sent was '{expected}'");
    }

    /// <summary>Receives bytes from the guest, which must be the right ones.</summary>
    public void Download(long count, ulong seed)
    {
        using Socket socket = Connect(WirePort.Source);
        Ask(socket, $"{count} {seed}\n");
        Verify(socket, count, seed);
    }

    /// <summary>Asks for something.</summary>
    public static void Ask(Socket socket, string line) => SendAll(socket, Encoding.ASCII.GetBytes(line));

    /// <summary>Reads an asked-for stream to its end and compares SHA-256 with what it should be.</summary>
    public static void Verify(Socket socket, long count, ulong seed)
    {
        using IncrementalHash received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256), expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockSize];
        long sum = 0;
        int size;
        while ((size = socket.Receive(block)) > 0)
        {
            received.AppendData(block, 0, size);
            sum += size;
        }
        Require(sum == count, string.Create(CultureInfo.InvariantCulture, $"{sum} bytes arrived of {count}"));
        WireStream stream = new(seed);
        for (long rest = count; rest > 0; rest -= block.Length)
        {
            Span<byte> part = block.AsSpan(0, (int)Math.Min(rest, block.Length));
            stream.Fill(part);
            expected.AppendData(part);
        }
        Require(received.GetHashAndReset().AsSpan().SequenceEqual(expected.GetHashAndReset()), $"the {count} bytes that arrived are not those that were sent");
    }

    /// <summary>Sends a text to the echo service on an open connection, and waits for it to come back.</summary>
    public static void Echo(Socket socket, string text)
    {
        byte[] sent = Encoding.ASCII.GetBytes(text), received = new byte[sent.Length];
        SendAll(socket, sent);
        for (int at = 0; at < received.Length;)
        {
            int size = socket.Receive(received.AsSpan(at));
            Require(size > 0, "the guest closed a connection in place of answering");
            at += size;
        }
        Require(sent.AsSpan().SequenceEqual(received), $"'{text}' came back as '{Encoding.ASCII.GetString(received)}'");
    }

    /// <summary>What comes until the guest closes the connection, without line ends.</summary>
    public static string ReadToEnd(Socket socket)
    {
        StringBuilder text = new();
        byte[] block = new byte[BlockSize];
        int size;
        while ((size = socket.Receive(block)) > 0)
            text.Append(Encoding.ASCII.GetString(block, 0, size));
        return text.ToString().Trim();
    }

    /// <summary>Fails the test unless a condition holds.</summary>
    public static void Require(bool condition, string failure)
    {
        if (!condition)
            throw new ToolException(failure);
    }

    private static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }
}
