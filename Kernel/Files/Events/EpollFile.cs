using System;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>The kind of epoll descriptors: neither read nor written, but they can be polled and nested. <see cref="OpenFile.Object"/> is the <see cref="Epoll"/>.</summary>
public unsafe struct EpollFile : IFileKind
{
    /// <summary>The epoll behind a file, or null when it is something else.</summary>
    public static Epoll* TryGet(OpenFile* file) =>
        file->Operations == FileOperations.Of<EpollFile>() ? (Epoll*)file->Object : null;

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file) =>
        ((Epoll*)file->Object)->HasReady() ? PollEvents.In | PollEvents.ReadNormal : PollEvents.None;

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => Epoll.WaitersOf((Epoll*)file->Object);

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.Write(to, "anon_inode:[eventpoll]"u8);

    /// <inheritdoc/>
    public static void Release(OpenFile* file) => Epoll.Free((Epoll*)file->Object);
}
