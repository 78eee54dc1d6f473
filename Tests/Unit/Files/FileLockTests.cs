using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Xunit;

namespace Ukl.Tests.Unit.Files;

/// <summary>Advisory locks, on UKL and on the build machine's Linux.</summary>
public unsafe class FileLockTests
{
    private const int GetLock = 36, SetLock = 37, Shared = 1, Exclusive = 2, NonBlocking = 4, Unlock = 8;

    public static TheoryData<string> Systems => FileUser.Systems;

    [Theory, MemberData(nameof(Systems))]
    public void Flock_excludes_other_open_files_but_not_duplicates(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file");
        int one = user.OpenOk("file");
        int two = user.OpenOk("file");
        int copy = (int)user.Call(32, one);
        Assert.Equal(0, user.Call(73, one, Shared));
        Assert.Equal(0, user.Call(73, two, Shared | NonBlocking));
        FileUser.Fails(Errno.EAGAIN, user.Call(73, one, Exclusive | NonBlocking));
        Assert.Equal(0, user.Call(73, two, Unlock));
        Assert.Equal(0, user.Call(73, copy, Exclusive | NonBlocking));
        FileUser.Fails(Errno.EAGAIN, user.Call(73, two, Shared | NonBlocking));
        FileUser.Fails(Errno.EINVAL, user.Call(73, two, 3));
        user.Close(one);
        FileUser.Fails(Errno.EAGAIN, user.Call(73, two, Shared | NonBlocking));
        user.Close(copy);
        Assert.Equal(0, user.Call(73, two, Exclusive | NonBlocking));
        user.Close(two);
    }

    [Theory, MemberData(nameof(Systems))]
    public void Record_locks_of_an_open_file_split_and_exclude(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file", "0123456789");
        int one = user.OpenOk("file", OpenFlags.ReadWrite);
        int two = user.OpenOk("file", OpenFlags.ReadWrite);
        Assert.Equal(0, Lock(user, one, 1, 0, 100));
        Assert.Equal(0, Lock(user, one, 2, 40, 20));
        Assert.Equal(0, Lock(user, two, 1, 40, 20));
        FileUser.Fails(Errno.EAGAIN, Lock(user, two, 0, 39, 1));
        FileUser.Fails(Errno.EAGAIN, Lock(user, two, 0, 60, 1));
        Assert.Equal(0, Lock(user, two, 0, 100, 0));
        Assert.Equal((0, 40), Query(user, two, 0, 0));
        Assert.Equal((60, 40), Query(user, two, 50, 0));
        Assert.Equal((100, 0), Query(user, one, 100, 5));
        FileUser.Fails(Errno.EINVAL, Lock(user, one, 1, -5, 1));
        FileUser.Fails(Errno.EINVAL, Lock(user, one, 7, 0, 1));
        Assert.Equal(0, Lock(user, two, 0, 200, -50));
        user.Close(two);
        Assert.Equal(0, Lock(user, one, 1, 0, 0));
        int reader = user.OpenOk("file");
        FileUser.Fails(Errno.EBADF, Lock(user, reader, 1, 0, 1));
        user.Close(one);
        Assert.Equal(0, Lock(user, reader, 0, 0, 0));
        user.Close(reader);
    }

    [Theory, MemberData(nameof(Systems))]
    public void A_process_never_stands_in_its_own_way(string system)
    {
        using FileUser user = FileUser.On(system);
        user.Make("file");
        int one = user.OpenOk("file", OpenFlags.ReadWrite);
        int two = user.OpenOk("file", OpenFlags.ReadWrite);
        long record = Record(user, 1, 0, 0);
        Assert.Equal(0, user.Call(72, one, 6, record));
        Assert.Equal(0, user.Call(72, two, 6, record));
        Assert.Equal(0, user.Call(72, two, 5, record));
        Assert.Equal(2, ((RecordLock*)record)->Type);
        user.Close(one);
        user.Close(two);
    }

    [Fact]
    public void A_waiting_lock_is_granted_when_the_holder_lets_go()
    {
        using var user = new KernelFileUser();
        user.Make("file");
        int one = user.OpenOk("file");
        int two = user.OpenOk("file");
        Assert.Equal(0, user.Call(73, one, Exclusive));
        OpenFile* holder = user.File(one);
        Ukl.Kernel.Arch.HostedMachine.OnIdle = () => FileLocks.SetWhole(holder, LockKind.None, false);
        Assert.Equal(0, user.Call(73, two, Exclusive));
        FileUser.Fails(Errno.EAGAIN, user.Call(73, one, Shared | NonBlocking));
    }

    private static long Record(FileUser user, short type, long start, long length)
    {
        long record = user.Memory(32);
        *(RecordLock*)record = new RecordLock { Type = type, Start = start, Length = length };
        return record;
    }

    private static long Lock(FileUser user, int fd, short type, long start, long length) => user.Call(72, fd, SetLock, Record(user, type, start, length));

    private static (long Start, long Length) Query(FileUser user, int fd, long start, long length)
    {
        long record = Record(user, 1, start, length);
        FileUser.Ok(user.Call(72, fd, GetLock, record));
        Assert.NotEqual(2, ((RecordLock*)record)->Type);
        return (((RecordLock*)record)->Start, ((RecordLock*)record)->Length);
    }
}
