// Waiting for several files at once: the common part of poll(2) and select(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files.Events;

/// <summary>Linux's <c>struct pollfd</c>.</summary>
public struct PollDescriptor
{
    public int Descriptor;
    public short Events;
    public short Returned;
}

/// <summary>Looks at files, and when none is ready queues a waiter with each and sleeps.</summary>
public static unsafe class PollTable
{
    // Up to this many files are waited for without memory from the heap.
    private const int LocalEntries = 6;

    private struct Entry
    {
        public Waiter Waiter;
        public OpenFile* File;
        public PollDescriptor* Descriptor;
    }

    /// <summary>
    /// Fills <see cref="PollDescriptor.Returned"/> and returns how many are not zero; waits until one is, until <paramref name="deadline"/> (0) or a signal (ERESTARTNOHAND). Negative
    /// descriptors are skipped, unknown ones return POLLNVAL. ENOMEM.
    /// </summary>
    public static Result Wait(PollDescriptor* descriptors, int count, ulong deadline)
    {
        int ready = Look(descriptors, count, out int pollable);
        if (ready != 0 || deadline == Timeouts.Never)
            return ready;
        byte* local = stackalloc byte[LocalEntries * sizeof(Entry)];
        var entries = (Entry*)local;
        if (pollable > LocalEntries)
        {
            entries = (Entry*)KernelHeap.Allocate((nuint)pollable * (nuint)sizeof(Entry));
            if (entries == null)
                return Errno.ENOMEM;
        }
        Queue(entries, descriptors, count);
        Result result = Sleep(entries, pollable, deadline);
        for (int i = 0; i < pollable; i++)
        {
            WaitQueue.Remove(&entries[i].Waiter);
            OpenFile.Release(entries[i].File);
        }
        if (entries != (Entry*)local)
            KernelHeap.Free(entries);
        return result;
    }

    private static Result Sleep(Entry* entries, int count, ulong deadline)
    {
        Errno interruption = Errno.None;
        while (true)
        {
            int ready = 0;
            for (int i = 0; i < count; i++)
            {
                PollEvents events = ReadyOf(entries[i].File, entries[i].Descriptor->Events);
                entries[i].Descriptor->Returned = (short)events;
                if (events != PollEvents.None)
                    ready++;
            }
            if (ready != 0 || interruption == Errno.ETIMEDOUT)
                return ready;
            if (interruption != Errno.None)
                return Errno.ERESTARTNOHAND;
            interruption = Scheduler.Block(deadline);
        }
    }

    private static int Look(PollDescriptor* descriptors, int count, out int pollable)
    {
        FileTable* files = FileTable.Current;
        int ready = 0;
        pollable = 0;
        for (int i = 0; i < count; i++)
        {
            PollDescriptor* descriptor = &descriptors[i];
            descriptor->Returned = 0;
            if (descriptor->Descriptor < 0)
                continue;
            if (files->TryGet(new Fd(descriptor->Descriptor), out OpenFile* file))
            {
                pollable++;
                descriptor->Returned = (short)ReadyOf(file, descriptor->Events);
            }
            else
            {
                descriptor->Returned = (short)PollEvents.Invalid;
            }
            if (descriptor->Returned != 0)
                ready++;
        }
        return ready;
    }

    private static void Queue(Entry* entries, PollDescriptor* descriptors, int count)
    {
        FileTable* files = FileTable.Current;
        int used = 0;
        for (int i = 0; i < count; i++)
        {
            if (descriptors[i].Descriptor < 0 || !files->TryGet(new Fd(descriptors[i].Descriptor), out OpenFile* file))
                continue;
            Entry* entry = &entries[used++];
            entry->Waiter = Waiter.ForCurrentThread((PollEvents)(ushort)descriptors[i].Events);
            entry->File = file;
            entry->Descriptor = &descriptors[i];
            file->AddReference();
            WaitQueue* queue = file->Operations->WaitersOf(file);
            if (queue != null)
                queue->Add(&entry->Waiter);
        }
    }

    private static PollEvents ReadyOf(OpenFile* file, short wanted) =>
        file->Operations->Poll(file) & ((PollEvents)(ushort)wanted | PollEvents.Error | PollEvents.HangUp);
}
