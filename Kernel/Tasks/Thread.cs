namespace Ukl.Kernel.Tasks;

/// <summary>A thread: what the scheduler switches between.</summary>
public unsafe struct Thread
{
    /// <summary>The thread id.</summary>
    public int Id;

    /// <summary>The process it belongs to.</summary>
    public Process* Process;

    /// <summary>A wake-up came since the thread last blocked.</summary>
    public bool IsWakePending;
}
