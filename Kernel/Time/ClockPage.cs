using System.Threading;

namespace Ukl.Kernel.Time;

/// <summary>
/// What programs read the clocks by without entering the kernel: the page in front of the vDSO (Arch/X64/vdso.S, which knows the fields by their places). While the
/// sequence number is odd the rest is being changed.
/// </summary>
public struct ClockPage
{
    private uint _sequence;
    private uint _multiplier;
    private int _shift;
    private uint _hasProcessorId;
    private ulong _baseTicks;
    private ulong _baseNanoseconds;
    private ulong _realtimeOffset;

    /// <summary>Whether RDTSCP is there and tells the processor's number.</summary>
    internal bool HasProcessorId
    {
        readonly get => _hasProcessorId != 0;
        set => _hasProcessorId = value ? 1u : 0;
    }

    /// <summary>Writes how the clocks go from now on.</summary>
    internal void Publish(ClockScale scale, ulong baseTicks, ulong baseNanoseconds, ulong realtimeOffset)
    {
        Volatile.Write(ref _sequence, _sequence + 1);
        scale.Describe(out _multiplier, out _shift);
        _baseTicks = baseTicks;
        _baseNanoseconds = baseNanoseconds;
        _realtimeOffset = realtimeOffset;
        Volatile.Write(ref _sequence, _sequence + 1);
    }

    /// <summary>The monotonic clock as a program would read it at a time stamp; for tests.</summary>
    internal readonly ulong Monotonic(ulong ticks)
    {
        ulong passed = ticks - _baseTicks;
        return _baseNanoseconds + (((passed >> 32) * _multiplier) << (32 - _shift)) + (((ulong)(uint)passed * _multiplier) >> _shift);
    }

    /// <summary>Realtime minus monotonic, as a program would read it; for tests.</summary>
    internal readonly ulong RealtimeOffset => _realtimeOffset;
}
