using System;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Xunit;
using Path = Ukl.Kernel.Files.Path;

namespace Ukl.Tests.Unit.Files;

/// <summary>A process on the hosted kernel whose root is a tmpfs of its own. Disposing checks that nothing of it is left in memory.</summary>
internal sealed unsafe class KernelFileUser : FileUser
{
    private static int s_lastId;
    private static bool s_isBooted;

    private readonly ulong _openFilesBefore;
    private readonly Process* _process;
    private readonly Thread* _thread;
    private readonly Mount* _mount;
    private readonly TrapFrame* _frame;

    public KernelFileUser()
    {
        Boot();
        _openFilesBefore = OpenFile.Count;
        int id = ++s_lastId;
        byte[] point = System.Text.Encoding.ASCII.GetBytes($"/mnt{id}");
        FileSystem = Ukl.Kernel.Files.Tmpfs.Create(0x1ed);
        Assert.Equal(0, Vfs.MountAt(point, FileSystem).Value);
        Assert.Equal(Errno.None, Vfs.Find(point, out Path root));
        _mount = root.Mount;
        _process = (Process*)NativeMemory.AllocZeroed((nuint)sizeof(Process));
        _thread = (Thread*)NativeMemory.AllocZeroed((nuint)sizeof(Thread));
        _frame = (TrapFrame*)NativeMemory.AllocZeroed((nuint)sizeof(TrapFrame));
        _thread->Process = _process;
        _process->Id = 70_000 + id;
        _process->Files = FileTable.Create();
        _process->FileSystem = FileSystemContext.Create();
        _process->FileSystem->Root.Release();
        _process->FileSystem->WorkingDirectory.Release();
        _process->FileSystem->Root = root;
        _process->FileSystem->WorkingDirectory = root.Share();
        Cpu.CurrentThread = _thread;
        HostedMachine.OnIdle = null;
        Base = (int)Ok(Call(257, -100, Text("/"), (uint)OpenFlags.Directory, 0));
    }

    /// <summary>The number of the newest one; its file system is mounted at /mnt and this number.</summary>
    public static int LastId => s_lastId;

    public FileSystem* FileSystem { get; }

    public Tmpfs* Tmpfs => Ukl.Kernel.Files.Tmpfs.Of(FileSystem);

    public Mount* Mount => _mount;

    public FileTable* Files => _process->Files;

    public FileSystemContext* Context => _process->FileSystem;

    /// <summary>Starts the file tree, once for all tests.</summary>
    public static void Boot()
    {
        if (s_isBooted)
            return;
        s_isBooted = true;
        SyscallDispatch.Initialize();
        if (!Vfs.Root.IsEmpty)
            return;
        Assert.Equal(0, Vfs.Initialize().Value);
        Assert.Equal(0, Vfs.MountRoot(Ukl.Kernel.Files.Tmpfs.Create(0x1ed)).Value);
    }

    public override long Call(int number, params ReadOnlySpan<long> arguments)
    {
        Span<long> six = stackalloc long[6];
        arguments.CopyTo(six);
        *_frame = default;
        _frame->Rdi = (ulong)six[0];
        _frame->Rsi = (ulong)six[1];
        _frame->Rdx = (ulong)six[2];
        _frame->R10 = (ulong)six[3];
        _frame->R8 = (ulong)six[4];
        _frame->R9 = (ulong)six[5];
        return SyscallDispatch.Table[number](_frame);
    }

    public OpenFile* File(long fd)
    {
        Assert.True(Files->TryGet(new Fd((int)fd), out OpenFile* file));
        return file;
    }

    public override void Dispose()
    {
        FileTable.Release(_process->Files);
        FileSystemContext.Release(_process->FileSystem);
        Assert.Equal(_openFilesBefore, OpenFile.Count);
        Assert.Equal(0, _mount->References);
        Tmpfs* tmpfs = Tmpfs;
        ulong pages = tmpfs->UsedPages;
        nuint before = PageAllocator.FreePages;
        Assert.Equal(0, Ukl.Kernel.Files.Mount.Detach(_mount).Value);
        Assert.True(PageAllocator.FreePages >= before + (nuint)pages, "pages of the file system are left");
        Cpu.CurrentThread = null;
        NativeMemory.Free(_process);
        NativeMemory.Free(_thread);
        NativeMemory.Free(_frame);
        base.Dispose();
    }
}
