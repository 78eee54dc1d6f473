using Ukl.Kernel.Arch;

namespace Ukl.Kernel.Memory;

/// <summary>
/// Collects the translations that a change of many entries makes stale: a few are flushed one by one, many all at once at the end. One CPU needs no more; with
/// several, <see cref="Finish"/> is where the others are told, and frames must then be released after it.
/// </summary>
internal struct TlbFlush(bool isActive)
{
    /// <summary>From here on, flushing everything is cheaper.</summary>
    private const int SingleLimit = 32;

    private readonly bool _isActive = isActive;
    private int _count;

    /// <summary>The entry of this address had this value and changed.</summary>
    internal void Add(ulong address, ulong oldEntry)
    {
        if (!_isActive || (oldEntry & PageEntry.Present) == 0)
            return;
        if (_count++ < SingleLimit)
            Tlb.FlushPage(address);
    }

    /// <summary>After the last change.</summary>
    internal readonly void Finish()
    {
        if (_count > SingleLimit)
            Tlb.FlushAll();
    }
}
