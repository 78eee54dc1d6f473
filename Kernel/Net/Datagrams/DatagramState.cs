namespace Ukl.Kernel.Net.Datagrams;

/// <summary>The datagram sockets of one stack.</summary>
public unsafe struct DatagramState
{
    /// <summary>Of UDP.</summary>
    public PortTable Ports;

    /// <summary>Identifiers of echo requests.</summary>
    public PortTable Identifiers;

    /// <summary>The raw sockets.</summary>
    internal DatagramSocket* FirstRaw;

    /// <summary>Prepares the tables. False when out of memory.</summary>
    internal bool Initialize() => Ports.Initialize() && Identifiers.Initialize();

    /// <summary>Gives the tables back. There are no sockets any more.</summary>
    internal void Clear()
    {
        Ports.Clear();
        Identifiers.Clear();
    }
}
