namespace Ukl.Kernel.Net;

/// <summary>
/// What a stack needs of the world, handed in: the kernel gives its own clock, timers and random numbers, a simulation gives a virtual clock and a seed.
/// </summary>
public unsafe struct NetworkEnvironment
{
    /// <summary>For the environment's owner.</summary>
    public void* Context;

    /// <summary>The time, in nanoseconds that never go back.</summary>
    public delegate*<void*, ulong> Now;

    /// <summary>Asks that <c>NetworkStack.RunTimers</c> be called at this time (nanoseconds of <see cref="Now"/>), instead of any earlier wish; ulong.MaxValue: not at all.</summary>
    public delegate*<void*, ulong, void> SetAlarm;

    /// <summary>Fills memory with random bytes.</summary>
    public delegate*<void*, byte*, nuint, void> FillRandom;
}
