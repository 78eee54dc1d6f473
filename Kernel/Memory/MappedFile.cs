namespace Ukl.Kernel.Memory;

/// <summary>
/// A file, or anything else made of pages, as a mapping sees it: an opaque object that gives pages, with function pointers so that the Memory room names no kind of
/// file.
/// </summary>
public unsafe struct MappedFile
{
    /// <summary>What gives the pages, handed back to each function. Null: private anonymous memory.</summary>
    public void* Object;

    /// <summary>What the pages are of: mappings of the same content, by whatever object, show the same pages. For truncation.</summary>
    public void* Content;

    /// <summary>Whether <see cref="Object"/> is an open file of the Files room, whose name /proc shows.</summary>
    public bool IsOpenFile;

    /// <summary>One more area (a new mapping, a split, fork) uses the object.</summary>
    public delegate*<void*, void> AddReference;

    /// <summary>One area less.</summary>
    public delegate*<void*, void> Release;

    /// <summary>
    /// Finds page <c>index</c> of the file, making it when it is a hole, with a reference on its frame for the caller. The third argument says whether the page will be
    /// written through the mapping. <see cref="FaultOutcome.Resolved"/>, <see cref="FaultOutcome.BeyondFile"/> or <see cref="FaultOutcome.OutOfMemory"/>. May sleep.
    /// </summary>
    public delegate*<void*, ulong, bool, PhysicalAddress*, FaultOutcome> GetPage;

    /// <summary>Whether a shared mapping may be written: set by mmap from how the file was opened.</summary>
    public bool IsWritable;

    /// <summary>Whether there is an object.</summary>
    public readonly bool IsPresent => Object != null;
}
