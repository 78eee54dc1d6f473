namespace Ukl.Kernel.Abi;

/// <summary>A file descriptor as the program passes it; may be anything, also negative.</summary>
public readonly struct Fd(int value)
{
    /// <summary>The number.</summary>
    public readonly int Value = value;

    /// <summary>AT_FDCWD: paths relative to the current directory (openat(2)).</summary>
    public const int CurrentDirectory = -100;
}

/// <summary>A process, thread or group id (Linux's pid_t).</summary>
public readonly struct Pid(int value)
{
    /// <summary>The number.</summary>
    public readonly int Value = value;
}
