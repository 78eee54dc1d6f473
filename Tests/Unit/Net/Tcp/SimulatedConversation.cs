using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>Two hosts, a link, a server that accepts one connection and a client that opens it.</summary>
internal sealed unsafe class SimulatedConversation : IDisposable
{
    public const ushort Port = 80;

    private TcpConnection* _listener;

    public SimulatedConversation(int seed, CardSettings clientCard, CardSettings serverCard, LinkSettings link)
    {
        World = new SimulatedWorld(seed);
        Client = new SimulatedHost(World, 1, clientCard);
        Server = new SimulatedHost(World, 2, serverCard);
        Link = new SimulatedLink(World, Client, Server, link);
        Client.Link = Link;
        Server.Link = Link;
        // Addresses of IPv6 are in use when nobody has objected for a second (RFC 4862 section 5.4).
        World.Run(3 * SimulatedWorld.Second);
    }

    /// <summary>Both on one host, over lo.</summary>
    public SimulatedConversation(int seed, CardSettings card)
    {
        World = new SimulatedWorld(seed);
        Client = new SimulatedHost(World, 1, card);
        Server = Client;
        World.Run(3 * SimulatedWorld.Second);
    }

    public SimulatedWorld World { get; }

    public SimulatedHost Client { get; }

    public SimulatedHost Server { get; }

    public SimulatedLink? Link { get; }

    public SimulatedProgram? ClientProgram { get; private set; }

    public SimulatedProgram? ServerProgram { get; private set; }

    /// <summary>The server listens; what it accepts goes to a program with this plan.</summary>
    public void Listen(ProgramPlan serverPlan, byte clientKey, bool isV6 = false, int backlog = 16)
    {
        ServerProgram = new SimulatedProgram(World, Server, serverPlan, clientKey);
        Server.Do(() =>
        {
            _listener = TcpCalls.Create(Server.Stack, isV6);
            TcpCalls.SetPortFlag(_listener, PortFlags.ReuseAddress, true);
            Assert.Equal(Errno.None, TcpCalls.Bind(_listener, isV6 ? IpAddress.Any6 : IpAddress.Any4, Port));
            Assert.Equal(Errno.None, TcpCalls.Listen(_listener, backlog));
        });
        s_accepting = this;
        _listener->Notify = &OnAccept;
    }

    /// <summary>A client connects.</summary>
    public void Connect(ProgramPlan clientPlan, byte serverKey, bool isV6 = false, ushort localPort = 0)
    {
        ClientProgram = new SimulatedProgram(World, Client, clientPlan, serverKey);
        Client.Do(() =>
        {
            TcpConnection* connection = TcpCalls.Create(Client.Stack, isV6);
            if (localPort != 0)
                Assert.Equal(Errno.None, TcpCalls.Bind(connection, IpAddress.Any4, localPort));
            Assert.Equal(Errno.EINPROGRESS, TcpCalls.Connect(connection, isV6 ? Server.Address6 : Server.Address4, Port));
            ClientProgram.Take(connection);
        });
    }

    /// <summary>Lets both talk until they are done, and the rest of TCP until nothing is left.</summary>
    public void RunToEnd(ulong limit = 3600 * SimulatedWorld.Second, string context = "")
    {
        try
        {
            World.RunUntil(() => ClientProgram!.IsDone && (ServerProgram!.IsDone || !IsServerUsed), limit, context);
            StopListening();
            World.RunUntil(() => IsAtRest(Client) && IsAtRest(Server), 1200 * SimulatedWorld.Second, context);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{context}\nclient: {ClientProgram}\nserver: {ServerProgram}\n{failure}");
        }
        World.Run(10 * SimulatedWorld.Second);
        Client.CheckAtRest(context + " client");
        Server.CheckAtRest(context + " server");
    }

    public void StopListening()
    {
        if (_listener == null)
            return;
        Server.Do(() =>
        {
            TcpCalls.Close(_listener, false);
            TcpCalls.Release(_listener);
        });
        _listener = null;
    }

    public void Dispose()
    {
        ClientProgram?.Free();
        ServerProgram?.Free();
        Client.Dispose();
        if (Server != Client)
            Server.Dispose();
    }

    private static SimulatedConversation? s_accepting;

    /// <summary>Whether a connection was accepted or may still be: a client that gave up leaves the server without one.</summary>
    private bool IsServerUsed => ServerProgram!.Connection != null || ServerProgram.IsDone;

    private static bool IsAtRest(SimulatedHost host)
    {
        ref TcpState tcp = ref host.Stack->Tcp;
        return tcp.ConnectionCount == 0 && tcp.TimeWaitCount == 0 && tcp.RequestCount == 0;
    }

    private static void OnAccept(TcpConnection* listener, PollEvents events)
    {
        SimulatedConversation conversation = s_accepting!;
        conversation.World.After(1000, () =>
        {
            if (conversation._listener == null)
                return;
            conversation.Server.Do(() =>
            {
                TcpConnection* accepted = TcpCalls.Accept(conversation._listener, out Errno error);
                if (accepted == null)
                    Assert.Equal(Errno.EAGAIN, error);
                else
                    conversation.ServerProgram!.Take(accepted);
            });
        });
    }
}
