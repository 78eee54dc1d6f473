using System.Net;
using System.Net.Sockets;
using KeyValue.Commands;

namespace KeyValue;

/// <summary>Listens, and starts a <see cref="Connection"/> per client.</summary>
internal sealed class Server : IDisposable
{
    private const int Backlog = 511;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Database database;

    private readonly Socket listener;

    private readonly HashSet<Connection> connections = [];

    private readonly Timer sweeper;

    private bool isStopping;

    /// <summary>Begins to listen.</summary>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public Server(Settings settings)
    {
        database = new Database(settings);
        listener = settings.Address is { } address
            ? new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp); // IPv6 and IPv4 where both exist.
        IPAddress any = listener.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        listener.Bind(new IPEndPoint(settings.Address ?? any, settings.Port));
        listener.Listen(Backlog);
        sweeper = new Timer(_ => Sweep(), null, SweepInterval, SweepInterval);
    }

    /// <summary>Where it listens.</summary>
    public EndPoint LocalEndPoint => listener.LocalEndPoint!;

    /// <summary>Accepts clients until the server is disposed.</summary>
    public async Task Run()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync();
            }
            catch (Exception failure) when (failure is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(Pause); // The client is gone again, or there are no more descriptors for now.
                continue;
            }
            Serve(socket);
        }
    }

    /// <summary>Stops listening and ends all connections.</summary>
    public void Dispose()
    {
        listener.Dispose();
        sweeper.Dispose();
        Connection[] open;
        lock (connections)
        {
            isStopping = true;
            open = [.. connections];
        }
        foreach (Connection connection in open)
            connection.Abort();
    }

    private void Serve(Socket socket)
    {
        bool isWelcome;
        lock (database.Gate)
        {
            database.Connections++;
            isWelcome = database.Clients < database.Settings.MaxClients;
            database.Clients += isWelcome ? 1 : 0;
        }
        if (!isWelcome)
        {
            socket.Blocking = false;
            socket.Send("-ERR max number of clients reached\r\n"u8, SocketFlags.None, out _);
            socket.Dispose();
            return;
        }
        socket.NoDelay = true;
        Connection connection = new(database, socket, Forget);
        lock (connections)
        {
            connections.Add(connection);
            if (isStopping)
                connection.Abort();
        }
        connection.Start();
    }

    private void Forget(Connection connection)
    {
        lock (connections)
            connections.Remove(connection);
    }

    private void Sweep()
    {
        lock (database.Gate)
        {
            database.Store.ForgetTime();
            database.Store.Sweep();
        }
    }
}
