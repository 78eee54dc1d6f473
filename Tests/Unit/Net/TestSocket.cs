using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Net;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.Net;

/// <summary>A datagram socket of a <see cref="TestHost"/>.</summary>
internal sealed unsafe class TestSocket : IDisposable
{
    private readonly TestHost _host;
    private readonly GCHandle _handle;

    public TestSocket(TestHost host, bool isV6 = false, DatagramKind kind = DatagramKind.Udp, byte protocol = 0)
    {
        _host = host;
        _handle = GCHandle.Alloc(this);
        Socket = DatagramSockets.Create(host.Stack, kind, protocol, isV6, (void*)GCHandle.ToIntPtr(_handle), &Notify);
        Assert.True(Socket != null);
    }

    public DatagramSocket* Socket { get; }

    /// <summary>What it was told since it was looked at last.</summary>
    public PollEvents Told { get; private set; }

    public DatagramInformation Information { get; private set; }

    public Errno Bind(string address, ushort port, PortFlags flags = PortFlags.None) => DatagramSockets.Bind(Socket, TestHost.Address(address), port, flags);

    public Errno Connect(string address, ushort port, uint by = 0)
    {
        Errno error = Errno.None;
        _host.Do(() => error = DatagramSockets.Connect(Socket, TestHost.Address(address), port, by));
        return error;
    }

    public Result Send(ReadOnlySpan<byte> bytes) => Send(bytes, default);

    public Result SendTo(ReadOnlySpan<byte> bytes, string address, ushort port, uint by = 0) =>
        Send(bytes, new DatagramTarget { HasAddress = true, Address = TestHost.Address(address), Port = port, Interface = by });

    public Result Send(ReadOnlySpan<byte> bytes, DatagramTarget target)
    {
        byte[] copy = bytes.ToArray();
        Result result = default;
        _host.Do(() =>
        {
            fixed (byte* start = copy)
            {
                var source = new KernelBytes(start);
                result = DatagramSockets.Send(Socket, ref source, (nuint)copy.Length, target);
            }
        });
        return result;
    }

    /// <summary>The next datagram; null when there is none.</summary>
    public byte[]? Receive(int room = 65536, bool isPeek = false)
    {
        byte[] buffer = new byte[room];
        fixed (byte* start = buffer)
        {
            var sink = new KernelBytes(start);
            DatagramInformation information;
            Result result = DatagramSockets.Receive(Socket, ref sink, (nuint)room, isPeek, &information);
            Told = PollEvents.None;
            if (result.IsError)
            {
                LastError = result.Error;
                return null;
            }
            Information = information;
            return buffer[..(int)result.Value];
        }
    }

    public Errno LastError { get; private set; }

    public void Dispose()
    {
        _host.Do(() => DatagramSockets.Close(Socket));
        _handle.Free();
    }

    private static void Notify(DatagramSocket* socket, PollEvents events) =>
        ((TestSocket)GCHandle.FromIntPtr((nint)socket->Owner).Target!).Told |= events;
}
