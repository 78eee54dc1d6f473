using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ukl.Tool.Network;

/// <summary>
/// A wire between a guest's card and the tap device of a <see cref="NetworkRig"/> that loses, reorders, duplicates, corrupts and delays frames by chance, decided by a
/// seed. It does what netem does, which kernels of small machines lack, and can be cut. The card is at the other end of a connection (QEMU's -netdev socket: every
/// frame after its length in four bytes), so it offers no offloads: checksums and segments are the guest's own work.
/// </summary>
public sealed class BadWire : IDisposable
{
    private const int LengthSize = 4;
    private const int LargestFrame = 1 << 16;

    private readonly TapDevice tap;

    private readonly Socket listener;

    private readonly WireDirection toGuest;

    private readonly WireDirection toHost;

    private readonly Thread tapReader;

    private readonly Thread cardReader;

    private readonly Lock gate = new();

    private Socket? card;

    private bool isEnding;

    /// <summary>Lays the wire; QEMU is started afterwards.</summary>
    public BadWire(NetworkRig rig, WireQuality quality)
    {
        (tap, listener) = NetworkNamespace.Run(rig.Namespace, () =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            socket.Listen(1);
            return (new TapDevice(rig.Device), socket);
        });
        toGuest = new WireDirection(quality, 1, SendToCard);
        toHost = new WireDirection(quality, 2, frame => tap.Write(frame));
        tapReader = Start(ReadTap);
        cardReader = Start(ReadCard);
    }

    /// <summary>The value of QEMU's -netdev, with the id "net".</summary>
    public string Backend => string.Create(CultureInfo.InvariantCulture, $"socket,id=net,connect=127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}");

    /// <summary>From now on nothing arrives, in either direction.</summary>
    public void Cut() => toGuest.IsCut = toHost.IsCut = true;

    /// <summary>Puts a frame on the wire that nobody sent, for the guest.</summary>
    public void Inject(byte[] frame) => toGuest.Take(frame);

    /// <summary>Ends all that works on the wire, and only then what it works with.</summary>
    public void Dispose()
    {
        tap.Stop();
        listener.Shutdown(SocketShutdown.Both);
        lock (gate)
        {
            isEnding = true;
            HangUp();
        }
        tapReader.Join();
        cardReader.Join();
        toGuest.Dispose();
        toHost.Dispose();
        card?.Dispose();
        listener.Dispose();
        tap.Dispose();
    }

    private static Thread Start(ThreadStart work)
    {
        Thread thread = new(work) { IsBackground = true, Name = "wire" };
        thread.Start();
        return thread;
    }

    private void HangUp()
    {
        try
        {
            card?.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.NotConnected)
        {
            // QEMU was first.
        }
    }

    /// <summary>The card's end of the wire; null when the wire ends before QEMU has begun.</summary>
    private Socket? Accept()
    {
        Socket socket = listener.Accept();
        socket.NoDelay = true;
        lock (gate)
        {
            card = socket;
            return isEnding ? null : socket;
        }
    }

    /// <summary>Ends when the device is stopped or goes away with its namespace.</summary>
    private void ReadTap()
    {
        byte[] buffer = new byte[LargestFrame];
        int size;
        while ((size = tap.Read(buffer)) > 0)
            toGuest.Take(buffer[..size]);
    }

    private void ReadCard()
    {
        try
        {
            if (Accept() is not { } socket)
                return;
            using NetworkStream stream = new(socket);
            using BufferedStream input = new(stream, LargestFrame);
            byte[] length = new byte[LengthSize];
            while (true)
            {
                input.ReadExactly(length);
                byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
                input.ReadExactly(frame);
                toHost.Take(frame);
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            // QEMU or the wire has ended.
        }
    }

    private void SendToCard(byte[] frame)
    {
        byte[] length = new byte[LengthSize];
        BinaryPrimitives.WriteInt32BigEndian(length, frame.Length);
        try
        {
            card?.Send([new ArraySegment<byte>(length), new ArraySegment<byte>(frame)]);
        }
        catch (SocketException)
        {
            // QEMU or the wire has ended.
        }
    }
}
