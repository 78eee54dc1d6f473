// What the class library does with sockets over the loopback: each check is one method, and prints one line as the programs of Tests/Conformance do. The same
// program runs on Linux and must print the same.

using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;

[assembly: SupportedOSPlatform("linux")]

namespace Ukl.Tests.Sockets;

internal static class Program
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private static readonly (string Name, Func<Task> Check)[] s_checks =
    [
        ("echo", EchoAsync),
        ("many_clients", ManyClientsAsync),
        ("dual_mode", DualModeAsync),
        ("refused", RefusedAsync),
        ("cancelled", CancelledAsync),
        ("half_closed", HalfClosedAsync),
        ("reset", ResetAsync),
        ("blocking_calls", BlockingCallsAsync),
        ("options", OptionsAsync),
        ("datagrams", DatagramsAsync),
        ("datagram_information", DatagramInformationAsync),
        ("unix_streams", UnixStreamsAsync),
        ("unix_datagrams", UnixDatagramsAsync),
        ("send_file", SendFileAsync),
        ("poll_and_select", PollAndSelectAsync),
        ("interfaces", InterfacesAsync),
        ("statistics", StatisticsAsync),
        ("address_changes", AddressChangesAsync),
    ];

    private static async Task<int> Main(string[] args)
    {
        int ok = 0, failed = 0;
        foreach ((string name, Func<Task> check) in s_checks)
        {
            if (args.Length != 0 && !args.Contains(name))
                continue;
            try
            {
                await check().WaitAsync(s_patience);
                Console.WriteLine($"ok {name}");
                ok++;
            }
            catch (Exception exception)
            {
                Console.WriteLine($"not ok {name}: {exception.GetType().Name} {exception.Message} {exception.StackTrace?.Split('\n')[0].Trim()}");
                failed++;
            }
        }
        Console.WriteLine($"{ok} ok, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static void Expect(bool condition, string what)
    {
        if (!condition)
            throw new InvalidOperationException(what);
    }

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    private static async Task<(Socket Client, Socket Server)> PairAsync()
    {
        using TcpListener listener = Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task<Socket> accepting = listener.AcceptSocketAsync();
        await client.ConnectAsync(listener.LocalEndpoint);
        return (client, await accepting);
    }

    private static async Task EchoBackAsync(Socket socket)
    {
        byte[] buffer = new byte[8192];
        for (int count; (count = await socket.ReceiveAsync(buffer)) != 0;)
            await SendAllAsync(socket, buffer.AsMemory(0, count));
        socket.Dispose();
    }

    private static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length != 0)
            bytes = bytes[await socket.SendAsync(bytes)..];
    }

    private static async Task ReceiveAllAsync(Socket socket, Memory<byte> bytes)
    {
        while (bytes.Length != 0)
        {
            int count = await socket.ReceiveAsync(bytes);
            Expect(count != 0, "the end came early");
            bytes = bytes[count..];
        }
    }

    // Bytes there and back, more than any buffer holds.
    private static async Task RoundTripAsync(Socket socket, int seed, int size)
    {
        byte[] sent = new byte[size];
        new Random(seed).NextBytes(sent);
        byte[] back = new byte[size];
        Task sending = SendAllAsync(socket, sent);
        await ReceiveAllAsync(socket, back);
        await sending;
        Expect(sent.AsSpan().SequenceEqual(back), "other bytes came back");
    }

    private static async Task EchoAsync()
    {
        (Socket client, Socket server) = await PairAsync();
        Task echo = EchoBackAsync(server);
        await RoundTripAsync(client, 1, 1_000_000);
        client.Shutdown(SocketShutdown.Send);
        Expect(await client.ReceiveAsync(new byte[1]) == 0, "no end");
        await echo;
        client.Dispose();
    }

    private static async Task ManyClientsAsync()
    {
        using TcpListener listener = Listen();
        Task serving = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
                _ = EchoBackAsync(await listener.AcceptSocketAsync());
        });
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.LocalEndpoint);
            await RoundTripAsync(client, i, 20_000);
        }));
        await serving;
    }

    private static async Task DualModeAsync()
    {
        using TcpListener listener = TcpListener.Create(0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        foreach (IPAddress address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            Task<Socket> accepting = listener.AcceptSocketAsync();
            using var client = new TcpClient(address.AddressFamily);
            await client.ConnectAsync(address, port);
            using Socket accepted = await accepting;
            var remote = (IPEndPoint)accepted.RemoteEndPoint!;
            Expect(remote.Address.Equals(address) || remote.Address.MapToIPv4().Equals(address), $"connected from {remote}");
            Expect(remote.Port == ((IPEndPoint)client.Client.LocalEndPoint!).Port, "another port");
        }
        using var byName = new TcpClient();
        Task<Socket> last = listener.AcceptSocketAsync();
        await byName.ConnectAsync("localhost", port);
        (await last).Dispose();
    }

    private static async Task RefusedAsync()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, 1);
            Expect(false, "somebody listens at port 1");
        }
        catch (SocketException exception)
        {
            Expect(exception.SocketErrorCode == SocketError.ConnectionRefused, $"{exception.SocketErrorCode}");
        }
    }

    private static async Task CancelledAsync()
    {
        (Socket client, Socket server) = await PairAsync();
        using var cancellation = new CancellationTokenSource(50);
        try
        {
            await client.ReceiveAsync(new byte[1], cancellation.Token);
            Expect(false, "something was received");
        }
        catch (OperationCanceledException)
        {
        }
        // The socket goes on.
        await server.SendAsync("x"u8.ToArray());
        Expect(await client.ReceiveAsync(new byte[1]) == 1, "nothing came");
        client.Dispose();
        server.Dispose();
    }

    private static async Task HalfClosedAsync()
    {
        (Socket client, Socket server) = await PairAsync();
        client.Shutdown(SocketShutdown.Send);
        Expect(await server.ReceiveAsync(new byte[1]) == 0, "no end");
        await server.SendAsync("still"u8.ToArray());
        byte[] text = new byte[5];
        await ReceiveAllAsync(client, text);
        Expect(Encoding.ASCII.GetString(text) == "still", "another text");
        client.Dispose();
        server.Dispose();
    }

    private static async Task ResetAsync()
    {
        (Socket client, Socket server) = await PairAsync();
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
        try
        {
            await server.ReceiveAsync(new byte[1]);
            Expect(false, "the end came in peace");
        }
        catch (SocketException exception)
        {
            Expect(exception.SocketErrorCode == SocketError.ConnectionReset, $"{exception.SocketErrorCode}");
        }
        server.Dispose();
    }

    private static Task BlockingCallsAsync() => Task.Run(() =>
    {
        using TcpListener listener = Listen();
        var serving = new Thread(() =>
        {
            using Socket accepted = listener.AcceptSocket();
            byte[] buffer = new byte[100];
            int count = accepted.Receive(buffer);
            accepted.Send(buffer, count, SocketFlags.None);
        });
        serving.Start();
        using var client = new TcpClient();
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        client.ReceiveTimeout = 5000;
        NetworkStream stream = client.GetStream();
        stream.Write("hello"u8);
        byte[] text = new byte[5];
        stream.ReadExactly(text);
        Expect(Encoding.ASCII.GetString(text) == "hello", "another text");
        Expect(stream.Read(text) == 0, "no end");
        serving.Join();
        using var idle = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        idle.Client.ReceiveTimeout = 50;
        IPEndPoint? from = null;
        try
        {
            idle.Receive(ref from);
            Expect(false, "something was received");
        }
        catch (SocketException exception)
        {
            Expect(exception.SocketErrorCode == SocketError.TimedOut, $"{exception.SocketErrorCode}");
        }
    });

    private static async Task OptionsAsync()
    {
        (Socket client, Socket server) = await PairAsync();
        client.NoDelay = true;
        client.SendBufferSize = 100_000;
        client.ReceiveBufferSize = 100_000;
        client.Ttl = 9;
        client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 11);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 12);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 13);
        Expect(client.NoDelay && client.Ttl == 9, "NoDelay, Ttl");
        Expect(client.SendBufferSize >= 100_000 && client.ReceiveBufferSize >= 100_000, "buffer sizes");
        Expect((int)client.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)! == 11, "keepalive time");
        Expect((int)client.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)! == 13, "keepalive retries");
        Expect((int)client.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! == 0, "an error");
        Expect((SocketType)(int)client.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Type)! == SocketType.Stream, "type");
        await server.SendAsync("abc"u8.ToArray());
        Expect(client.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead) && client.Available == 3, "Available");
        Expect(client.Receive(new byte[2], SocketFlags.Peek) == 2 && client.Available == 3, "Peek");
        client.Dispose();
        server.Dispose();
    }

    private static async Task DatagramsAsync()
    {
        using var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var client = new UdpClient(AddressFamily.InterNetwork);
        client.Connect((IPEndPoint)server.Client.LocalEndPoint!);
        for (int i = 1; i <= 1000; i *= 10)
        {
            await client.SendAsync(new byte[i * 10]);
            UdpReceiveResult received = await server.ReceiveAsync();
            Expect(received.Buffer.Length == i * 10, "another length");
            await server.SendAsync(received.Buffer, received.RemoteEndPoint);
            Expect((await client.ReceiveAsync()).Buffer.Length == i * 10, "another length back");
        }
    }

    private static async Task DatagramInformationAsync()
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Any, 0));
        server.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await client.SendToAsync("abc"u8.ToArray(), new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)server.LocalEndPoint!).Port));
        SocketReceiveMessageFromResult result = await server.ReceiveMessageFromAsync(new byte[2], new IPEndPoint(IPAddress.Any, 0));
        Expect(result.ReceivedBytes == 2 && (result.SocketFlags & SocketFlags.Truncated) != 0, "not cut");
        Expect(result.PacketInformation.Address.Equals(IPAddress.Loopback) && result.PacketInformation.Interface == 1, "packet information");
        Expect(result.RemoteEndPoint.Equals(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)client.LocalEndPoint!).Port)), "sender");
    }

    private static async Task UnixStreamsAsync()
    {
        string path = Path.Combine(Path.GetTempPath(), $"sockets.{Environment.ProcessId}");
        var name = new UnixDomainSocketEndPoint(path);
        using (var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            listener.Bind(name);
            listener.Listen();
            Task<Socket> accepting = listener.AcceptAsync();
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await client.ConnectAsync(name);
            Task echo = EchoBackAsync(await accepting);
            await RoundTripAsync(client, 5, 700_000);
            client.Shutdown(SocketShutdown.Send);
            await echo;
        }
        Expect(!File.Exists(path), "the name is still there");
    }

    private static async Task UnixDatagramsAsync()
    {
        using var server = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint($"\0sockets.{Environment.ProcessId}"));
        using var client = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        await client.ConnectAsync(server.LocalEndPoint!);
        await client.SendAsync("one"u8.ToArray());
        await client.SendAsync("three"u8.ToArray());
        Expect(await server.ReceiveAsync(new byte[10]) == 3 && await server.ReceiveAsync(new byte[10]) == 5, "other lengths");
    }

    private static async Task SendFileAsync()
    {
        string path = Path.GetTempFileName();
        byte[] content = new byte[500_000];
        new Random(7).NextBytes(content);
        await File.WriteAllBytesAsync(path, content);
        (Socket client, Socket server) = await PairAsync();
        byte[] received = new byte[content.Length];
        Task receiving = ReceiveAllAsync(server, received);
        await client.SendFileAsync(path);
        await receiving;
        File.Delete(path);
        Expect(content.AsSpan().SequenceEqual(received), "other bytes came");
        client.Dispose();
        server.Dispose();
    }

    private static async Task PollAndSelectAsync()
    {
        (Socket client, Socket server) = await PairAsync();
        var reading = new List<Socket> { client, server };
        var writing = new List<Socket> { client };
        await server.SendAsync("x"u8.ToArray());
        Expect(client.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead), "not readable");
        Socket.Select(reading, writing, null, 1_000_000);
        Expect(reading.Count == 1 && reading[0] == client && writing.Count == 1, "select");
        Expect(!server.Poll(0, SelectMode.SelectRead) && server.Poll(0, SelectMode.SelectWrite), "poll");
        client.Dispose();
        server.Dispose();
    }

    private static Task InterfacesAsync()
    {
        NetworkInterface loopback = NetworkInterface.GetAllNetworkInterfaces().Single(each => each.NetworkInterfaceType == NetworkInterfaceType.Loopback);
        Expect(loopback.Name == "lo" && loopback.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown, $"{loopback.Name} {loopback.OperationalStatus}");
        IPInterfaceProperties properties = loopback.GetIPProperties();
        Expect(properties.UnicastAddresses.Any(each => each.Address.Equals(IPAddress.Loopback) && each.PrefixLength == 8), "no 127.0.0.1/8");
        Expect(properties.UnicastAddresses.Any(each => each.Address.Equals(IPAddress.IPv6Loopback) && each.PrefixLength == 128), "no ::1/128");
        Expect(properties.GetIPv4Properties().Index == 1 && properties.GetIPv4Properties().Mtu == 65536, "index, MTU");
        Expect(loopback.GetIPStatistics().BytesReceived > 0, "nothing was counted");
        Expect(Dns.GetHostAddresses(Dns.GetHostName()).Length > 0, "this host does not know its own name");
        using TcpListener listener = Listen();
        IPEndPoint[] listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();
        Expect(listeners.Contains((IPEndPoint)listener.LocalEndpoint), "the listener is not in the table");
        return Task.CompletedTask;
    }

    private static async Task StatisticsAsync()
    {
        IPGlobalProperties properties = IPGlobalProperties.GetIPGlobalProperties();
        long segments = properties.GetTcpIPv4Statistics().SegmentsReceived;
        long sent = properties.GetUdpIPv4Statistics().DatagramsSent, received = properties.GetUdpIPv6Statistics().DatagramsReceived;
        long packets = properties.GetIPv4GlobalStatistics().ReceivedPackets, packets6 = properties.GetIPv6GlobalStatistics().ReceivedPackets;
        using (TcpListener listener = Listen())
        using (TcpClient client = new())
        {
            await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
            using TcpClient server = await listener.AcceptTcpClientAsync();
            TcpStatistics tcp = properties.GetTcpIPv4Statistics();
            Expect(tcp.SegmentsReceived > segments && tcp.SegmentsSent > 0 && tcp.CurrentConnections >= 2, $"{tcp.SegmentsReceived} segments, {tcp.CurrentConnections} connections");
        }
        using UdpClient to = new(new IPEndPoint(IPAddress.Loopback, 0)), to6 = new(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        using UdpClient from = new(), from6 = new(AddressFamily.InterNetworkV6);
        await from.SendAsync(new byte[1], 1, (IPEndPoint)to.Client.LocalEndPoint!);
        await from6.SendAsync(new byte[1], 1, (IPEndPoint)to6.Client.LocalEndPoint!);
        await to.ReceiveAsync();
        await to6.ReceiveAsync();
        Expect(properties.GetUdpIPv4Statistics().DatagramsSent > sent && properties.GetUdpIPv6Statistics().DatagramsReceived > received, "datagrams are not counted");
        Expect(properties.GetIPv4GlobalStatistics().ReceivedPackets > packets && properties.GetIPv6GlobalStatistics().ReceivedPackets > packets6, "packets are not counted");
        IcmpV4Statistics icmp = properties.GetIcmpV4Statistics();
        Expect(icmp.MessagesReceived >= icmp.ErrorsReceived, "messages are not counted");
    }

    private static async Task AddressChangesAsync()
    {
        NetworkChange.NetworkAddressChanged += Ignore;
        await Task.Delay(20);
        NetworkChange.NetworkAddressChanged -= Ignore;
        static void Ignore(object? sender, EventArgs e)
        {
        }
    }
}
