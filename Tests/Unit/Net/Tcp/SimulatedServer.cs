using System;
using System.Collections.Generic;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net.Tcp;

/// <summary>A server that answers every connection, and a host for its clients.</summary>
internal sealed unsafe class SimulatedServer : IDisposable
{
    public const int Answer = 100;

    public const byte ClientKey = 1, ServerKey = 2;

    private static SimulatedServer? s_server;

    private readonly List<SimulatedProgram> _all = [];
    private TcpConnection* _listener;

    public SimulatedServer(int seed, LinkSettings settings, uint packetLimit = 16384)
    {
        s_server = this;
        World = new SimulatedWorld(seed);
        Client = new SimulatedHost(World, 1, new CardSettings { PacketLimit = 16384 });
        Host = new SimulatedHost(World, 2, new CardSettings { PacketLimit = packetLimit });
        Client.Link = new SimulatedLink(World, Client, Host, settings);
        Host.Link = Client.Link;
        World.Run(3 * SimulatedWorld.Second);
        Host.Do(() =>
        {
            _listener = TcpCalls.Create(Host.Stack, false);
            Assert.Equal(Errno.None, TcpCalls.Bind(_listener, IpAddress.Any4, 80));
            Assert.Equal(Errno.None, TcpCalls.Listen(_listener, 512));
            _listener->Notify = &OnAccept;
        });
    }

    public SimulatedWorld World { get; }

    public SimulatedHost Client { get; }

    public SimulatedHost Host { get; }

    public List<SimulatedProgram> Programs { get; } = [];

    /// <summary>What the server does with the next connection it accepts.</summary>
    public ProgramPlan Plan { get; set; } = new() { Bytes = Answer, Key = ServerKey };

    public SimulatedProgram Connect(long bytes, ushort localPort = 0) => Connect(new ProgramPlan { Bytes = bytes, Key = ClientKey }, localPort);

    public SimulatedProgram Connect(ProgramPlan plan, ushort localPort = 0)
    {
        var program = new SimulatedProgram(World, Client, plan, ServerKey);
        _all.Add(program);
        Client.Do(() =>
        {
            TcpConnection* connection = TcpCalls.Create(Client.Stack, false);
            if (localPort != 0)
            {
                TcpCalls.SetPortFlag(connection, PortFlags.ReuseAddress, true);
                Assert.Equal(Errno.None, TcpCalls.Bind(connection, IpAddress.Any4, localPort));
            }
            Assert.Equal(Errno.EINPROGRESS, TcpCalls.Connect(connection, Host.Address4, 80));
            program.Take(connection);
        });
        return program;
    }

    public bool AreDone(List<SimulatedProgram> clients) => clients.TrueForAll(client => client.IsDone) && Programs.TrueForAll(program => program.IsDone);

    public void End()
    {
        Host.Do(() =>
        {
            TcpCalls.Close(_listener, false);
            TcpCalls.Release(_listener);
        });
        World.Run(400 * SimulatedWorld.Second);
        Client.CheckAtRest("client");
        Host.CheckAtRest("server");
    }

    public void Dispose()
    {
        foreach (SimulatedProgram program in _all)
            program.Free();
        Client.Dispose();
        Host.Dispose();
    }

    private static void OnAccept(TcpConnection* listener, PollEvents events)
    {
        SimulatedServer server = s_server!;
        server.World.After(500, () => server.Host.Do(() =>
        {
            for (TcpConnection* accepted = TcpCalls.Accept(listener, out _); accepted != null; accepted = TcpCalls.Accept(listener, out _))
            {
                var program = new SimulatedProgram(server.World, server.Host, server.Plan, ClientKey);
                server._all.Add(program);
                server.Programs.Add(program);
                program.Take(accepted);
            }
        }));
    }
}
