// What an open file can do. Each kind (tmpfs file, pipe, socket, terminal…) is a struct that implements this interface; members it leaves out answer
// as Linux does for a file that lacks the operation.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>Fixed properties of a kind.</summary>
[Flags]
public enum FileTraits : uint
{
    None = 0,

    /// <summary>It has positions: pread, pwrite and lseek work. Without it they give ESPIPE before the kind is asked.</summary>
    Seekable = 1,

    /// <summary>epoll_ctl refuses it with EPERM: it is always ready (regular files and directories).</summary>
    NoEpoll = 2,

    /// <summary>It is a socket: <see cref="OpenFile.Object"/> is a <see cref="Net.Sockets.Socket"/>.</summary>
    Socket = 4,
}

/// <summary>
/// The behaviour of one kind of open file. Callers have checked the descriptor and its access mode, hold a reference on the file and have clipped lengths
/// to <see cref="OpenFile.MaxTransfer"/>; a kind that sleeps does so through a <see cref="WaitQueue"/> and honours <see cref="OpenFile.IsNonBlocking"/>.
/// </summary>
public unsafe interface IFileKind
{
    /// <summary>The kind's fixed properties.</summary>
    static virtual FileTraits Traits => FileTraits.None;

    /// <summary>st_mode of a file without inode.</summary>
    static virtual uint AnonymousMode => 0x180;

    /// <summary>
    /// Called when a path to this kind is opened, after <see cref="OpenFile.Operations"/>, Inode and Object are set. An error makes the open fail;
    /// Release is not called then. May sleep (FIFO).
    /// </summary>
    static virtual Result Open(OpenFile* file) => Result.Ok;

    /// <summary>Reads at <paramref name="position"/> and moves it. Returns the bytes read; 0 is the end. May sleep.</summary>
    static virtual Result Read(OpenFile* file, UserSpan to, ref ulong position) => Errno.EINVAL;

    /// <summary>Writes at <paramref name="position"/> and moves it. Returns the bytes written. May sleep.</summary>
    static virtual Result Write(OpenFile* file, UserSpan from, ref ulong position) => Errno.EINVAL;

    /// <summary>Reads into several ranges as one operation (readv, recvmsg).</summary>
    static virtual Result ReadVector(OpenFile* file, UserVector* to, ref ulong position) => UserVector.ReadEach(file, to, ref position);

    /// <summary>Writes from several ranges as one operation (writev, sendmsg).</summary>
    static virtual Result WriteVector(OpenFile* file, UserVector* from, ref ulong position) => UserVector.WriteEach(file, from, ref position);

    /// <summary>Writes bytes of the kernel (sendfile, copy_file_range). EINVAL makes sendfile fail as it does for such files on Linux.</summary>
    static virtual Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => Errno.EINVAL;

    /// <summary>What is ready now; never sleeps.</summary>
    static virtual PollEvents Poll(OpenFile* file) => PollEvents.In | PollEvents.Out | PollEvents.ReadNormal | PollEvents.WriteNormal;

    /// <summary>The queue that is woken when readiness may have changed; null: it is always ready.</summary>
    static virtual WaitQueue* WaitersOf(OpenFile* file) => null;

    /// <summary>ioctl(2), but for the commands every file knows (FIONBIO, FIOCLEX, FIONCLEX, FIOASYNC).</summary>
    static virtual Result Control(OpenFile* file, uint command, ulong argument) => Errno.ENOTTY;

    /// <summary>lseek(2) of a kind that is <see cref="FileTraits.Seekable"/>. Returns the new position; see <see cref="FileSeek"/>.</summary>
    static virtual Result Seek(OpenFile* file, long offset, SeekOrigin origin) => FileSeek.Within(file, offset, origin, 0);

    /// <summary>ftruncate(2).</summary>
    static virtual Result Truncate(OpenFile* file, ulong length) => Errno.EINVAL;

    /// <summary>fallocate(2) with its mode bits.</summary>
    static virtual Result Allocate(OpenFile* file, int mode, ulong offset, ulong length) => Errno.ENODEV;

    /// <summary>fsync(2) and fdatasync(2).</summary>
    static virtual Result Sync(OpenFile* file, bool dataOnly) => Errno.EINVAL;

    /// <summary>
    /// What mmap(2) maps: fills <paramref name="mapping"/> with an object that gives pages, and takes a reference of it for the caller. ENODEV: cannot be mapped.
    /// </summary>
    static virtual Result GetMapping(OpenFile* file, MappedFile* mapping) => Errno.ENODEV;

    /// <summary>
    /// getdents(2): gives entries from <see cref="OpenFile.Position"/> on to the sink until it is full, moving the position behind each entry taken.
    /// </summary>
    static virtual Result Iterate(OpenFile* file, DirectorySink* sink) => Errno.ENOTDIR;

    /// <summary>Fills what fstat(2) shows. The default is right for files with an inode, and for anonymous ones with <see cref="AnonymousMode"/>.</summary>
    static virtual Result GetStatus(OpenFile* file, Stat* status) => file->FillStatus(status);

    /// <summary>F_GETPIPE_SZ.</summary>
    static virtual Result GetPipeSize(OpenFile* file) => Errno.EBADF;

    /// <summary>F_SETPIPE_SZ.</summary>
    static virtual Result SetPipeSize(OpenFile* file, uint size) => Errno.EBADF;

    /// <summary>
    /// What /proc/self/fd shows of a file without path, such as <c>pipe:[12]</c> (without NUL). Returns its length.
    /// </summary>
    static virtual int Describe(OpenFile* file, Span<byte> to)
    {
        ReadOnlySpan<byte> name = "anon_inode:[file]"u8;
        name.CopyTo(to);
        return name.Length;
    }

    /// <summary>A descriptor of the file was closed, though others may be open (close(2)'s flush). Its result is close's.</summary>
    static virtual Result Flush(OpenFile* file) => Result.Ok;

    /// <summary>The last reference is gone: free <see cref="OpenFile.Object"/>. Must not sleep.</summary>
    static virtual void Release(OpenFile* file)
    {
    }
}
