namespace Ukl.Kernel.Memory;

/// <summary>
/// A file as a mapping sees it: an object that gives pages, with function pointers so that the Memory room names no kind of file.
/// </summary>
public unsafe struct MappedFile
{
    /// <summary>What gives the pages.</summary>
    public void* Object;

    /// <summary>One more mapping (fork, or a split) uses the object.</summary>
    public delegate*<void*, void> AddReference;

    /// <summary>One mapping less.</summary>
    public delegate*<void*, void> Release;

    /// <summary>
    /// Finds page <c>index</c> of the file, making it when it is a hole, with a reference on its frame for the caller. The last argument says whether the page will be
    /// written. <see cref="FaultOutcome.Resolved"/>, <see cref="FaultOutcome.BeyondFile"/> or <see cref="FaultOutcome.OutOfMemory"/>. May sleep.
    /// </summary>
    public delegate*<void*, ulong, bool, PhysicalAddress*, FaultOutcome> GetPage;
}
