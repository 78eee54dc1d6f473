// Asks for an address and keeps it. Source: RFC 2131 sections 3.1 and 4.4, figure 5 for the states. What is asked is repeated after 1, 2, 4 … 64 s, a fraction of a
// second off, so that a machine that boots alone is served at once and many do not flood a server.
using Ukl.Kernel.Net.Ethernet;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net.Dhcp;

/// <summary>The states of figure 5.</summary>
public enum DhcpState : byte
{
    /// <summary>Not running.</summary>
    Stopped,

    /// <summary>Looks for servers.</summary>
    Selecting,

    /// <summary>Has asked for what was offered.</summary>
    Requesting,

    /// <summary>Has an address.</summary>
    Bound,

    /// <summary>Asks its server for more time.</summary>
    Renewing,

    /// <summary>Asks any server for more time.</summary>
    Rebinding,
}

/// <summary>The client of one interface.</summary>
public unsafe struct DhcpClient
{
    private const ulong Second = 1_000_000_000;
    private const int LongestInterval = 64;

    /// <summary>After a refusal the search begins as if it had failed so often: after 4 s.</summary>
    private const int TriesAfterRefusal = 3;

    /// <summary>How often an offer is asked for before the search begins again.</summary>
    private const int MaximumRequests = 4;

    /// <summary>The least time between two tries to extend a lease, in nanoseconds (section 4.4.5).</summary>
    private const ulong LeastExtensionInterval = 60 * Second;

    /// <summary>Like Linux's metric of routes that DHCP made.</summary>
    private const uint RouteMetric = 100;

    /// <summary>The interface.</summary>
    public NetworkInterface* Interface;

    /// <summary>Told when there is a lease, a different one, or none any more.</summary>
    public delegate*<DhcpClient*, void> Changed;

    /// <summary>For <see cref="Changed"/>.</summary>
    public void* Context;

    /// <summary>What it does.</summary>
    public DhcpState State;

    /// <summary>What it has, from <see cref="DhcpState.Bound"/> on; what was offered before.</summary>
    public DhcpLease Lease;

    private NetworkTimer _timer;
    private uint _transaction;
    private int _tries;

    /// <summary>When the present question was asked first: a lease counts from there.</summary>
    private ulong _asked;
    private ulong _renewAt;
    private ulong _rebindAt;
    private ulong _expiresAt;

    /// <summary>Whether there is an address.</summary>
    public readonly bool IsBound => State >= DhcpState.Bound;

    /// <summary>Begins to look for a server. The client stays where it is until <see cref="Stop"/>.</summary>
    public static void Start(DhcpClient* client, NetworkInterface* on)
    {
        client->Interface = on;
        client->_timer.Callback = &TimeOut;
        client->_timer.Context = client;
        on->Dhcp = client;
        Search(client);
    }

    /// <summary>Ends it; the address is given up, without a word to the server.</summary>
    public static void Stop(DhcpClient* client)
    {
        if (client->State == DhcpState.Stopped)
            return;
        Unbind(client);
        client->State = DhcpState.Stopped;
        client->Interface->Stack->Timers.Cancel(&client->_timer);
        client->Interface->Dhcp = null;
    }

    /// <summary>The cable was plugged in: the network may be another one. What is known is asked for again, from anybody.</summary>
    internal static void LinkReturned(DhcpClient* client)
    {
        if (client->IsBound)
            Extend(client, DhcpState.Rebinding);
        else
            Search(client);
    }

    /// <summary>Takes what came to the client's port; the bytes are those of the datagram.</summary>
    internal static void Receive(DhcpClient* client, in DhcpMessage message)
    {
        if (!message.IsReply || message.Transaction != client->_transaction || message.HardwareAddress != client->Interface->Mac)
            return;
        switch (message.Type)
        {
            case DhcpMessageType.Offer when client->State == DhcpState.Selecting:
                if (!DhcpLease.TryRead(message, out DhcpLease offered))
                    return;
                client->Lease = offered;
                client->State = DhcpState.Requesting;
                client->_tries = 0;
                Ask(client);
                break;
            case DhcpMessageType.Acknowledge when client->State is DhcpState.Requesting or >= DhcpState.Renewing:
                if (DhcpLease.TryRead(message, out DhcpLease lease) && IsFromServer(client, lease.Server))
                    Bind(client, lease);
                break;
            case DhcpMessageType.Refuse when client->State is DhcpState.Requesting or >= DhcpState.Renewing:
                if (!IsFromServer(client, message.GetAddress(DhcpOption.ServerIdentifier, 0)))
                    return;
                Unbind(client);
                // Not at once: a server that refuses everything would be asked without end.
                client->State = DhcpState.Selecting;
                client->_transaction = (uint)client->Interface->Stack->NextRandom();
                client->_tries = TriesAfterRefusal;
                WaitForAnswer(client);
                break;
        }
    }

    /// <summary>Only while rebinding anybody may answer.</summary>
    private static bool IsFromServer(DhcpClient* client, in IpAddress server) => client->State == DhcpState.Rebinding || server == client->Lease.Server;

    private static void Search(DhcpClient* client)
    {
        NetworkStack* stack = client->Interface->Stack;
        client->State = DhcpState.Selecting;
        client->_tries = 0;
        client->_transaction = (uint)stack->NextRandom();
        client->_asked = stack->Now;
        Ask(client);
    }

    private static void Extend(DhcpClient* client, DhcpState state)
    {
        NetworkStack* stack = client->Interface->Stack;
        client->State = state;
        client->_transaction = (uint)stack->NextRandom();
        client->_asked = stack->Now;
        Ask(client);
    }

    /// <summary>Sends what the state asks, and sets the timer for what comes when there is no answer.</summary>
    private static void Ask(DhcpClient* client)
    {
        bool isRequest = client->State != DhcpState.Selecting;
        DhcpOutput.Send(client->Interface, client->State, isRequest ? DhcpMessageType.Request : DhcpMessageType.Discover, client->_transaction, client->Lease);
        client->_tries++;
        WaitForAnswer(client);
    }

    private static void WaitForAnswer(DhcpClient* client)
    {
        NetworkStack* stack = client->Interface->Stack;
        ulong deadline;
        switch (client->State)
        {
            case DhcpState.Renewing or DhcpState.Rebinding:
                // Half of what is left, but not more often than every minute.
                ulong end = client->State == DhcpState.Renewing ? client->_rebindAt : client->_expiresAt;
                ulong half = end > stack->Now ? (end - stack->Now) / 2 : 0;
                deadline = stack->Now + (half > LeastExtensionInterval ? half : LeastExtensionInterval);
                deadline = deadline < end ? deadline : end;
                break;
            default:
                int seconds = client->_tries < 7 ? 1 << (client->_tries - 1) : LongestInterval;
                ulong fraction = stack->NextRandom() % (Second / 2);
                deadline = stack->Now + ((ulong)seconds * Second) + fraction - (Second / 4);
                break;
        }
        stack->Timers.Start(&client->_timer, deadline);
    }

    private static void Bind(DhcpClient* client, in DhcpLease lease)
    {
        NetworkInterface* on = client->Interface;
        NetworkStack* stack = on->Stack;
        bool wasBound = client->IsBound;
        bool isSame = wasBound && client->Lease.Address == lease.Address && client->Lease.PrefixLength == lease.PrefixLength && client->Lease.Router == lease.Router;
        if (wasBound && !isSame)
            RemoveConfiguration(client);
        client->Lease = lease;
        client->State = DhcpState.Bound;
        client->_tries = 0;
        client->_renewAt = TimeAfter(client->_asked, lease.RenewalTime);
        client->_rebindAt = TimeAfter(client->_asked, lease.RebindingTime);
        client->_expiresAt = TimeAfter(client->_asked, lease.Time);
        if (!isSame)
            AddConfiguration(client);
        if (client->_renewAt == NetworkTimers.Never)
            stack->Timers.Cancel(&client->_timer);
        else
            stack->Timers.Start(&client->_timer, client->_renewAt);
        if (client->Changed != null)
            client->Changed(client);
    }

    private static void AddConfiguration(DhcpClient* client)
    {
        NetworkInterface* on = client->Interface;
        NetworkStack* stack = on->Stack;
        ref DhcpLease lease = ref client->Lease;
        if (lease.Mtu != 0)
            on->Mtu = lease.Mtu < on->Device->Mtu ? lease.Mtu : on->Device->Mtu;
        InterfaceAddresses.Add(on, lease.Address, lease.PrefixLength, AddressOrigin.Dhcp);
        if (lease.Router != default)
        {
            // A router outside of the prefix is on the link all the same.
            if (!lease.Router.IsIn(lease.Address, lease.PrefixLength + 96))
                stack->AddRoute(RouterRoute(client));
            stack->AddRoute(DefaultRoute(client));
        }
        Arp.Announce(on, lease.Address);
    }

    private static void RemoveConfiguration(DhcpClient* client)
    {
        NetworkStack* stack = client->Interface->Stack;
        if (client->Lease.Router != default)
        {
            stack->RemoveRoute(DefaultRoute(client));
            stack->RemoveRoute(RouterRoute(client));
        }
        InterfaceAddresses.Remove(client->Interface, client->Lease.Address);
    }

    private static Route DefaultRoute(DhcpClient* client) => new()
    {
        Prefix = IpAddress.Any4,
        PrefixLength = 96,
        Gateway = client->Lease.Router,
        Interface = client->Interface,
        Origin = RouteOrigin.Dhcp,
        Metric = RouteMetric,
        ValidUntil = ulong.MaxValue,
    };

    private static Route RouterRoute(DhcpClient* client) => new()
    {
        Prefix = client->Lease.Router,
        PrefixLength = 128,
        Interface = client->Interface,
        Origin = RouteOrigin.Dhcp,
        Metric = RouteMetric,
        ValidUntil = ulong.MaxValue,
    };

    /// <summary>Gives up what it has.</summary>
    private static void Unbind(DhcpClient* client)
    {
        if (!client->IsBound)
            return;
        RemoveConfiguration(client);
        client->State = DhcpState.Selecting;
        if (client->Changed != null)
            client->Changed(client);
    }

    private static void TimeOut(NetworkTimer* timer)
    {
        var client = (DhcpClient*)timer->Context;
        ulong now = client->Interface->Stack->Now;
        switch (client->State)
        {
            case DhcpState.Requesting when client->_tries >= MaximumRequests:
                Search(client);
                break;
            case DhcpState.Bound:
                Extend(client, DhcpState.Renewing);
                break;
            case DhcpState.Renewing when now >= client->_rebindAt:
                Extend(client, DhcpState.Rebinding);
                break;
            case DhcpState.Rebinding when now >= client->_expiresAt:
                Unbind(client);
                Search(client);
                break;
            case DhcpState.Selecting:
                client->_asked = now;
                Ask(client);
                break;
            case DhcpState.Requesting or DhcpState.Renewing or DhcpState.Rebinding:
                Ask(client);
                break;
        }
    }

    private static ulong TimeAfter(ulong from, uint seconds) => seconds == DhcpLease.Infinite ? NetworkTimers.Never : from + (seconds * Second);
}
