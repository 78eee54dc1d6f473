using System;
using System.Linq;
using System.Text;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit.FileKinds;

public sealed unsafe class DeviceTests : IDisposable
{
    private readonly TreeRig _tree = new();

    private KernelRig Kernel => _tree.Kernel;

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Null_is_empty_and_takes_everything()
    {
        int fd = _tree.Open("/dev/null", OpenFlags.ReadWrite);
        Assert.Equal(0, KernelRig.Ok(Kernel.Read(fd, new byte[10])));
        Assert.Equal(10, KernelRig.Ok(Kernel.Write(fd, new byte[10])));
    }

    [Fact]
    public void Zero_gives_zeros_and_full_has_no_room()
    {
        byte[] bytes = Enumerable.Repeat((byte)7, 5000).ToArray();
        Assert.Equal(5000, KernelRig.Ok(Kernel.Read(_tree.Open("/dev/zero"), bytes)));
        Assert.All(bytes, value => Assert.Equal(0, value));
        int full = _tree.Open("/dev/full", OpenFlags.ReadWrite);
        Assert.Equal(Errno.ENOSPC, Kernel.Write(full, bytes).Error);
        Assert.Equal(10, KernelRig.Ok(Kernel.Read(full, new byte[10])));
        OpenFile* file = Kernel.File(full);
        Assert.Equal(Errno.EFAULT, file->Operations->Read(file, new UserSpan(8, 8), ref file->Position).Error);
    }

    [Fact]
    public void Random_devices_give_bytes_that_differ()
    {
        byte[] first = new byte[1000], second = new byte[1000];
        Assert.Equal(1000, KernelRig.Ok(Kernel.Read(_tree.Open("/dev/urandom"), first)));
        Assert.Equal(1000, KernelRig.Ok(Kernel.Read(_tree.Open("/dev/random"), second)));
        Assert.NotEqual(first, second);
        Assert.True(first.Distinct().Count() > 100);
    }

    [Theory]
    [InlineData("/dev/null", 1, 3)]
    [InlineData("/dev/zero", 1, 5)]
    [InlineData("/dev/urandom", 1, 9)]
    [InlineData("/dev/tty", 5, 0)]
    [InlineData("/dev/console", 5, 1)]
    public void Devices_have_linux_numbers(string path, uint major, uint minor)
    {
        Stat* status = Kernel.Alloc<Stat>();
        Assert.Equal(Errno.None, Vfs.Find(Encoding.ASCII.GetBytes(path), out Path place));
        KernelRig.Ok(place.Inode->Operations->GetAttributes(place.Inode, status));
        place.Release();
        Assert.Equal(ModeBits.CharacterDevice, status->Mode & ModeBits.TypeMask);
        Assert.Equal(DeviceNumber.Make(major, minor), status->SpecialDevice);
    }

    [Fact]
    public void Memory_devices_cannot_be_watched_by_epoll_as_on_linux()
    {
        int epoll = KernelRig.Ok(EventCalls.EpollCreate1(0));
        int fd = _tree.Open("/dev/null");
        Assert.Equal(Errno.EPERM, EventCalls.EpollCtl(new Fd(epoll), 1, new Fd(fd), Kernel.User<Ukl.Kernel.Files.Events.EpollEvent>()).Error);
    }

    [Fact]
    public void Standard_files_are_the_console_and_make_it_the_terminal_of_the_session()
    {
        Assert.Equal(Errno.None, DeviceFiles.OpenStandardFiles(Kernel.Process));
        Assert.Equal(5, KernelRig.Ok(Kernel.Write(1, "hello"u8)));
        Assert.Equal("hello", TreeRig.Screen);
        Assert.Equal("/dev/console", TreeRig.ReadLink("/proc/self/fd/0"));
        Assert.Equal(Kernel.Process->SessionId, Terminal.OnConsole->SessionId);
        Assert.Equal(3, _tree.Open("/dev/tty", OpenFlags.ReadWrite));
        Terminal.EndSession(Kernel.Process->SessionId);
        Assert.Equal(Errno.ENXIO, _tree.TryOpen("/dev/tty").Error);
    }

    [Fact]
    public void A_fifo_joins_its_two_sides()
    {
        string path = TreeRig.MakeDirectory() + "/fifo";
        KernelRig.Ok(Vfs.MakeNode(Encoding.ASCII.GetBytes(path), ModeBits.Fifo | 0x1b6, 0));
        Assert.Equal(Errno.ENXIO, _tree.TryOpen(path, OpenFlags.WriteOnly | OpenFlags.NonBlock).Error);
        int reader = _tree.Open(path, OpenFlags.ReadOnly | OpenFlags.NonBlock);
        // Nobody wrote yet: no hang-up, but reading ends.
        Assert.Equal(PollEvents.None, Kernel.Poll(reader));
        Assert.Equal(0, KernelRig.Ok(Kernel.Read(reader, new byte[1])));
        int writer = _tree.Open(path, OpenFlags.WriteOnly);
        Assert.Equal(Errno.EAGAIN, Kernel.Read(reader, new byte[1]).Error);
        Kernel.Write(writer, "through"u8);
        Assert.Equal("through", Kernel.ReadText(reader));
        Kernel.Close(writer);
        Assert.Equal(PollEvents.HangUp, Kernel.Poll(reader));
        Assert.Equal(0, KernelRig.Ok(Kernel.Read(reader, new byte[1])));
    }

    [Fact]
    public void Opening_a_fifo_waits_for_the_other_side()
    {
        string path = TreeRig.MakeDirectory() + "/fifo";
        KernelRig.Ok(Vfs.MakeNode(Encoding.ASCII.GetBytes(path), ModeBits.Fifo | 0x1b6, 0));
        int writer = -1;
        Kernel.WhileAsleep(() => writer = _tree.Open(path, OpenFlags.WriteOnly));
        int reader = _tree.Open(path);
        Kernel.Write(writer, "x"u8);
        Assert.Equal("x", Kernel.ReadText(reader));
        Kernel.Close(reader);
        Kernel.Close(writer);
        Kernel.WhileAsleep(() => Kernel.SendSignal(Signal.SIGUSR1));
        Assert.Equal(Errno.ERESTARTSYS, _tree.TryOpen(path).Error);
        Kernel.Process->PendingSignals.Discard(~SignalSet.Empty);
        int both = _tree.Open(path, OpenFlags.ReadWrite);
        Kernel.Write(both, "self"u8);
        Assert.Equal("self", Kernel.ReadText(both));
    }
}
