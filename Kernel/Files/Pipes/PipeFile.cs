// The ends of a pipe as open files; an end opened for both (a FIFO with O_RDWR) is both. Source: pipe(2), fifo(7), poll(2).
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Pipes;

/// <summary>The kind of pipe ends and open FIFOs. <see cref="OpenFile.Object"/> is the <see cref="Pipe"/>.</summary>
public unsafe struct PipeFile : IFileKind
{
    private const uint BytesReadable = 0x541b;

    /// <inheritdoc/>
    public static uint AnonymousMode => ModeBits.Fifo | 0x180;

    /// <summary>
    /// Makes a pipe and its two ends, each with one reference. <paramref name="flags"/>: O_NONBLOCK or nothing. ENFILE when out of memory.
    /// </summary>
    public static Errno CreatePair(OpenFlags flags, out OpenFile* reader, out OpenFile* writer)
    {
        reader = null;
        writer = null;
        Pipe* pipe = Pipe.Create();
        if (pipe == null)
            return Errno.ENFILE;
        reader = OpenFile.Create<PipeFile>(pipe, OpenFlags.ReadOnly | flags);
        if (reader == null)
        {
            Pipe.Free(pipe);
            return Errno.ENFILE;
        }
        Enter(pipe, reader);
        writer = OpenFile.Create<PipeFile>(pipe, OpenFlags.WriteOnly | flags);
        if (writer == null)
        {
            OpenFile.Release(reader);
            reader = null;
            return Errno.ENFILE;
        }
        Enter(pipe, writer);
        // Both ends show the same number in /proc/self/fd and fstat.
        writer->AnonymousNumber = reader->AnonymousNumber;
        return Errno.None;
    }

    /// <summary>The pipe behind a file, or null when it is something else.</summary>
    public static Pipe* TryGet(OpenFile* file) => file->Operations == FileOperations.Of<PipeFile>() ? (Pipe*)file->Object : null;

    /// <summary>
    /// Opens a FIFO: waits for the other side unless O_NONBLOCK or O_RDWR. ENXIO: O_NONBLOCK for writing and nobody reads.
    /// </summary>
    public static Result Open(OpenFile* file)
    {
        Inode* inode = file->Inode;
        var pipe = (Pipe*)inode->Attachment;
        if (pipe == null)
        {
            pipe = Pipe.Create();
            if (pipe == null)
                return Errno.ENOMEM;
            inode->Attachment = pipe;
        }
        file->Object = pipe;
        bool reads = file->CanRead, writes = file->CanWrite;
        if (writes && !reads && file->IsNonBlocking && pipe->Readers == 0)
        {
            Leave(pipe, inode);
            return Errno.ENXIO;
        }
        Enter(pipe, file);
        Errno error = Errno.None;
        if (reads && !writes && pipe->Writers == 0)
        {
            // Nobody wrote yet, which is not the end of file that writers leave behind.
            if (file->IsNonBlocking)
                file->Position = pipe->WriterGeneration;
            else
                error = WaitForChange(pipe, &pipe->WriterGeneration);
        }
        else if (writes && !reads && pipe->Readers == 0)
        {
            error = WaitForChange(pipe, &pipe->ReaderGeneration);
        }
        if (error != Errno.None)
            Release(file);
        return error;
    }

    /// <inheritdoc/>
    public static Result Read(OpenFile* file, UserSpan to, ref ulong position) => Of(file)->Read(to, file->IsNonBlocking);

    /// <inheritdoc/>
    public static Result Write(OpenFile* file, UserSpan from, ref ulong position) => Of(file)->Write(&from, 1, from.Length, file->IsNonBlocking);

    /// <inheritdoc/>
    public static Result WriteVector(OpenFile* file, UserVector* from, ref ulong position) =>
        Of(file)->Write(from->Ranges, from->Count, from->Total, file->IsNonBlocking);

    /// <inheritdoc/>
    public static Result WriteKernel(OpenFile* file, byte* from, nuint count, ref ulong position) => Of(file)->WriteKernel(from, count, file->IsNonBlocking);

    /// <inheritdoc/>
    public static PollEvents Poll(OpenFile* file)
    {
        Pipe* pipe = Of(file);
        PollEvents ready = PollEvents.None;
        if (file->CanRead)
        {
            if (pipe->Count != 0)
                ready |= Pipe.ReadableEvents;
            if (pipe->Writers == 0 && file->Position != pipe->WriterGeneration)
                ready |= PollEvents.HangUp;
        }
        if (file->CanWrite)
        {
            if (pipe->IsWritable)
                ready |= Pipe.WritableEvents;
            if (pipe->Readers == 0)
                ready |= PollEvents.Error;
        }
        return ready;
    }

    /// <inheritdoc/>
    public static WaitQueue* WaitersOf(OpenFile* file) => &Of(file)->Waiters;

    /// <inheritdoc/>
    public static Result Control(OpenFile* file, uint command, ulong argument)
    {
        if (command != BytesReadable)
            return Errno.ENOTTY;
        return new UserPtr<int>(argument).TryWrite((int)Of(file)->Count) ? Result.Ok : Errno.EFAULT;
    }

    /// <inheritdoc/>
    public static Result GetPipeSize(OpenFile* file) => (ulong)Of(file)->Capacity;

    /// <inheritdoc/>
    public static Result SetPipeSize(OpenFile* file, uint size) => Of(file)->Resize(size);

    /// <inheritdoc/>
    public static int Describe(OpenFile* file, Span<byte> to) => AnonymousNames.WriteNumbered(to, "pipe:["u8, file->AnonymousNumber);

    /// <inheritdoc/>
    public static void Release(OpenFile* file)
    {
        Pipe* pipe = Of(file);
        if (file->CanRead)
            pipe->Readers--;
        if (file->CanWrite)
            pipe->Writers--;
        // The other side must learn that it is alone: end of file, or EPIPE.
        if (pipe->Readers == 0 != (pipe->Writers == 0))
            pipe->Waiters.WakeAll();
        Leave(pipe, file->Inode);
    }

    private static Pipe* Of(OpenFile* file) => (Pipe*)file->Object;

    private static void Enter(Pipe* pipe, OpenFile* file)
    {
        if (file->CanRead)
        {
            pipe->Readers++;
            pipe->ReaderGeneration++;
        }
        if (file->CanWrite)
        {
            pipe->Writers++;
            pipe->WriterGeneration++;
        }
        pipe->Waiters.WakeAll();
    }

    private static void Leave(Pipe* pipe, Inode* inode)
    {
        if (pipe->Readers != 0 || pipe->Writers != 0)
            return;
        if (inode != null)
            inode->Attachment = null;
        Pipe.Free(pipe);
    }

    private static Errno WaitForChange(Pipe* pipe, uint* generation)
    {
        uint before = *generation;
        while (*generation == before)
        {
            Errno interruption = pipe->Waiters.Sleep();
            if (interruption != Errno.None)
                return interruption;
        }
        return Errno.None;
    }
}
