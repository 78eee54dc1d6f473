namespace Ukl.Kernel.Files.Terminals;

/// <summary>What a line discipline reaches of the world: where bytes go and whom signals go to. Both may be called by interrupt handlers.</summary>
public unsafe struct TerminalPort
{
    /// <summary>Sends bytes to the other side.</summary>
    public delegate*<void*, byte*, nuint, void> Write;

    /// <summary>Sends a signal to the foreground process group.</summary>
    public delegate*<void*, int, void> Signal;

    /// <summary>First argument of both.</summary>
    public void* Context;
}
