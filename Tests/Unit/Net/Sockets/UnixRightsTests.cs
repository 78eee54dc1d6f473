using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Sockets;
using Ukl.Kernel.Net.Sockets.Unix;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Net.Sockets;

/// <summary>What is counted of files on their way, and that nothing of it is left.</summary>
public sealed unsafe class UnixRightsTests : IDisposable
{
    private readonly KernelRig _rig = new();

    public void Dispose()
    {
        _rig.Dispose();
        Assert.Equal(0, UnixRights.TotalInFlight);
    }

    private (int First, int Second) Pair(SocketType type = SocketType.Stream)
    {
        SocketPairDescriptors* descriptors = _rig.Alloc<SocketPairDescriptors>();
        KernelRig.Ok(SocketCalls.CreatePair(AddressFamily.Unix, type, 0, new UserPtr<SocketPairDescriptors>((ulong)descriptors)));
        return (descriptors->First, descriptors->Second);
    }

    private Result Send(int socket, params int[] files)
    {
        int size = sizeof(ControlHeader) + ((files.Length + 1) / 2 * 2 * sizeof(int));
        byte* control = _rig.Alloc<byte>(size);
        *(ControlHeader*)control = new ControlHeader { Length = (ulong)(sizeof(ControlHeader) + (files.Length * sizeof(int))), Level = OptionLevel.Socket, Type = ControlType.Rights };
        files.CopyTo(MemoryMarshal.Cast<byte, int>(new Span<byte>(control + sizeof(ControlHeader), size - sizeof(ControlHeader))));
        UserSpan* range = _rig.Alloc<UserSpan>();
        *range = new UserSpan((ulong)_rig.Alloc<byte>(), 1);
        MessageHeader* header = _rig.Alloc<MessageHeader>();
        *header = new MessageHeader { Ranges = (ulong)range, RangeCount = 1, Control = (ulong)control, ControlLength = (ulong)size };
        return SocketMessageCalls.Send(new Fd(socket), new UserPtr<MessageHeader>((ulong)header), MessageFlags.DoNotWait);
    }

    private UnixSocket* SocketOf(int fd) => (UnixSocket*)_rig.File(fd)->Object;

    [Fact]
    public void A_socket_on_its_way_is_counted_until_it_is_received_or_lost()
    {
        (int first, int second) = Pair();
        (int other, int end) = Pair();
        Assert.Equal(1, KernelRig.Ok(Send(first, other, other)));
        Assert.Equal(2, SocketOf(other)->InFlight);
        Assert.Equal(2, UnixRights.TotalInFlight);
        Assert.Equal(3, _rig.File(other)->References);
        // A plain read loses them.
        Assert.Equal(1, KernelRig.Ok(_rig.Read(second, new byte[4])));
        Assert.Equal(0, SocketOf(other)->InFlight);
        Assert.Equal(1, _rig.File(other)->References);
        foreach (int fd in new[] { first, second, other, end })
            KernelRig.Ok(_rig.Close(fd));
        Assert.Equal(0ul, _rig.OpenFiles);
    }

    [Fact]
    public void A_message_that_fails_gives_its_files_back()
    {
        (int first, int second) = Pair();
        Assert.Equal(Errno.EBADF, Send(first, second, 99).Error);
        Assert.Equal(0, UnixRights.TotalInFlight);
        Assert.Equal(1, _rig.File(second)->References);
        KernelRig.Ok(SocketCalls.Shutdown(new Fd(first), 1));
        Assert.Equal(Errno.EPIPE, Send(first, second).Error);
        Assert.Equal(0, UnixRights.TotalInFlight);
        Assert.True(_rig.HasSignal(Signal.SIGPIPE));
    }

    [Fact]
    public void Sockets_that_hold_each_other_end_with_their_last_descriptor()
    {
        (int first, int second) = Pair();
        (int third, int fourth) = Pair();
        KernelRig.Ok(Send(first, fourth));
        KernelRig.Ok(Send(third, second));
        KernelRig.Ok(Send(third, third, second));
        foreach (int fd in new[] { first, second, third, fourth })
            KernelRig.Ok(_rig.Close(fd));
        Assert.Equal(0ul, _rig.OpenFiles);
        Assert.Equal(0, UnixRights.TotalInFlight);
    }

    [Fact]
    public void What_can_still_be_received_is_kept()
    {
        (int first, int second) = Pair();
        (int third, int fourth) = Pair();
        // fourth waits inside itself, and is also on its way to second, which a descriptor still has.
        KernelRig.Ok(Send(third, fourth));
        KernelRig.Ok(Send(first, fourth));
        KernelRig.Ok(_rig.Close(third));
        KernelRig.Ok(_rig.Close(fourth));
        Assert.Equal(3ul, _rig.OpenFiles);
        Assert.Equal(2, UnixRights.TotalInFlight);
        KernelRig.Ok(_rig.Close(first));
        Assert.Equal(2ul, _rig.OpenFiles);
        // With second its message goes; what waits inside itself then is found when sockets end later.
        KernelRig.Ok(_rig.Close(second));
        for (int i = 0; i < 3; i++)
        {
            (int one, int two) = Pair();
            KernelRig.Ok(_rig.Close(one));
            KernelRig.Ok(_rig.Close(two));
        }
        Assert.Equal(0ul, _rig.OpenFiles);
    }

    [Fact]
    public void A_long_chain_ends_without_recursion()
    {
        (int held, int peer) = Pair();
        KernelRig.Ok(_rig.Close(peer));
        for (int i = 0; i < 1000; i++)
        {
            (int sender, int holder) = Pair();
            KernelRig.Ok(Send(sender, held));
            KernelRig.Ok(_rig.Close(held));
            KernelRig.Ok(_rig.Close(sender));
            held = holder;
            if (i % 100 == 0)
                Assert.Equal(i + 1, UnixRights.TotalInFlight);
        }
        KernelRig.Ok(_rig.Close(held));
        Assert.Equal(0ul, _rig.OpenFiles);
    }

    [Fact]
    public void Memory_on_its_way_is_the_senders_until_it_is_read()
    {
        (int first, int second) = Pair(SocketType.Datagram);
        byte[] message = new byte[100_000];
        Assert.Equal(message.Length, KernelRig.Ok(_rig.Write(first, message)));
        Assert.True(SocketOf(first)->Charged >= message.Length);
        KernelRig.Ok(_rig.Read(second, message));
        Assert.Equal(0u, SocketOf(first)->Charged);
        KernelRig.Ok(_rig.Write(first, message));
        // The receiver goes first: what it never read is given back.
        KernelRig.Ok(_rig.Close(second));
        Assert.Equal(0u, SocketOf(first)->Charged);
        KernelRig.Ok(_rig.Close(first));
    }
}
