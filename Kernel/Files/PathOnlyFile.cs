using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>A file opened with O_PATH: a place in the tree, without access to what is there (open(2)).</summary>
internal struct PathOnlyFile : IFileKind
{
    public static FileTraits Traits => FileTraits.NoEpoll;

    public static unsafe Result Control(OpenFile* file, uint command, ulong argument) => Errno.EBADF;

    public static unsafe Result Truncate(OpenFile* file, ulong length) => Errno.EBADF;

    public static unsafe Result Allocate(OpenFile* file, int mode, ulong offset, ulong length) => Errno.EBADF;

    public static unsafe Result Sync(OpenFile* file, bool dataOnly) => Errno.EBADF;

    public static unsafe Result GetMapping(OpenFile* file, MappedFile* mapping) => Errno.EBADF;

    public static unsafe Result Iterate(OpenFile* file, DirectorySink* sink) => Errno.EBADF;
}
