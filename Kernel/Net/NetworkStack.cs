// One network stack: interfaces, addresses, routes, connections. It reaches the world only through its environment and its devices, so several run side by
// side in one process. Kernel context: interrupts are off; nothing here sleeps.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Datagrams;
using Ukl.Kernel.Net.Dhcp;
using Ukl.Kernel.Net.Ethernet;
using Ukl.Kernel.Net.Icmp;
using Ukl.Kernel.Net.Ip;
using Ukl.Kernel.Net.Tcp;

namespace Ukl.Kernel.Net;

/// <summary>A network stack. Every way into it is bracketed by <see cref="Enter"/> and <see cref="Leave"/>.</summary>
public unsafe struct NetworkStack
{
    /// <summary>Packets of lo that one batch hands on; the rest waits for the next, so that two ends talking to each other cannot hold the kernel.</summary>
    private const int LoopbackBudget = 4096;

    private const int RandomNumbers = 32;

    /// <summary>Clock, alarm and random numbers.</summary>
    public NetworkEnvironment Environment;

    /// <summary>The time of this batch, in nanoseconds.</summary>
    public ulong Now;

    /// <summary>Changes whenever a route, an address or a neighbour that a <see cref="FlowRoute"/> may hold has gone or a better one come.</summary>
    public uint RouteGeneration;

    /// <summary>Between <see cref="Enter"/> and <see cref="Leave"/>.</summary>
    public bool IsEntered;

    /// <summary>A device took packets since it was told the last time.</summary>
    internal bool IsFlushDue;

    /// <summary>What is due when.</summary>
    public NetworkTimers Timers;

    /// <summary>The memory of packets.</summary>
    public PacketPool Packets;

    /// <summary>lo, the first in the list of interfaces.</summary>
    public NetworkInterface* Loopback;

    /// <summary>What the protocols have counted.</summary>
    public ProtocolStatistics Statistics;

    /// <summary>The ways out.</summary>
    public RouteTable Routes;

    /// <summary>Who is on the links.</summary>
    public NeighborTable Neighbors;

    /// <summary>Paths narrower than their first link.</summary>
    public PathMtuTable PathMtus;

    /// <summary>TCP.</summary>
    public TcpState Tcp;

    /// <summary>UDP, ping and raw sockets.</summary>
    public DatagramState Datagrams;

    internal IcmpState Icmp;
    internal Reassembly Reassembly;
    internal FragmentNumbers Identifications;
    internal LoopbackDevice LoopbackDevice;

    private ulong _alarm;
    private RandomArray _random;
    private int _randomLeft;

    /// <summary>Makes a stack with lo and at most <paramref name="packetLimit"/> packet buffers. Null when out of memory.</summary>
    public static NetworkStack* Create(in NetworkEnvironment environment, uint packetLimit)
    {
        var stack = (NetworkStack*)KernelHeap.Allocate((nuint)sizeof(NetworkStack));
        if (stack == null)
            return null;
        stack->Environment = environment;
        stack->Packets.Limit = packetLimit;
        stack->RouteGeneration = 1;
        stack->Now = environment.Now(environment.Context);
        stack->_alarm = NetworkTimers.Never;
        stack->LoopbackDevice.Initialize(stack);
        if (!stack->Timers.Initialize(stack->Now) || !stack->Datagrams.Initialize() || !stack->Tcp.Initialize(stack) || AddInterface(stack, &stack->LoopbackDevice.Device) == null)
        {
            Destroy(stack);
            return null;
        }
        stack->Identifications.Initialize(stack);
        InterfaceAddresses.Add(stack->Loopback, IpAddress.Loopback4, 8, AddressOrigin.Automatic);
        InterfaceAddresses.Add(stack->Loopback, IpAddress.Loopback6, 128, AddressOrigin.Automatic);
        return stack;
    }

    /// <summary>Stops the devices and gives all memory back. Connections and sockets are closed before.</summary>
    public static void Destroy(NetworkStack* stack)
    {
        stack->Environment.SetAlarm(stack->Environment.Context, NetworkTimers.Never);
        stack->Reassembly.Clear();
        for (NetworkInterface* each = stack->Loopback, next; each != null; each = next)
        {
            next = each->Next;
            if (each->Dhcp != null)
                DhcpClient.Stop(each->Dhcp);
            stack->Neighbors.Clear(each);
            stack->Timers.Cancel(&each->AutoConfiguration.Timer);
            stack->Timers.Cancel(&each->GroupTimer);
            each->ClearBacklog();
            if (each->Device->Stop != null)
                each->Device->Stop(each->Device);
            each->Device->Interface = null;
            Pool<NetworkInterface>.Free(each);
        }
        stack->LoopbackDevice.Clear();
        stack->Datagrams.Clear();
        stack->Tcp.Clear();
        stack->Packets.Clear();
        stack->Timers.Clear();
        KernelHeap.Free(stack);
    }

    /// <summary>Takes a device and starts it. Null: no memory, or the device failed.</summary>
    public NetworkInterface* Attach(NetworkDevice* device)
    {
        NetworkInterface* added = AddInterface(Self, device);
        if (added == null)
            return null;
        device->Received = &Received;
        device->BatchEnded = &BatchEnded;
        device->TransmitReady = &TransmitReady;
        device->LinkChanged = &LinkChanged;
        if (device->Start(device, &Self->Packets))
            return added;
        Remove(added);
        return null;
    }

    /// <summary>Begins a batch: a system call, an interrupt, timers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        Now = Environment.Now(Environment.Context);
        IsEntered = true;
    }

    /// <summary>Ends a batch: hands on what lo carries, sends what was put off to the end, tells the devices.</summary>
    public void Leave()
    {
        int budget = LoopbackBudget;
        do
        {
            for (; !LoopbackDevice.IsEmpty && budget != 0; budget--)
            {
                PacketBuffer* packet = LoopbackDevice.Take();
                Loopback->Statistics.ReceivedPackets++;
                Loopback->Statistics.ReceivedBytes += packet->TotalLength;
                IpInput.Receive(Loopback, packet);
            }
            Tcp.RunPending();
        }
        while (!LoopbackDevice.IsEmpty && budget != 0);
        if (IsFlushDue)
            Flush();
        // What the budget left comes with the next batch, at once. An alarm that is too early does no harm.
        ulong next = LoopbackDevice.IsEmpty ? Timers.NextDeadline : Now;
        if (next < _alarm)
        {
            _alarm = next;
            Environment.SetAlarm(Environment.Context, next);
        }
        IsEntered = false;
    }

    /// <summary>The alarm: runs what is due.</summary>
    public void RunTimers()
    {
        Enter();
        _alarm = NetworkTimers.Never;
        Timers.Run(Now);
        Leave();
    }

    /// <summary>A random number that nobody outside can foresee.</summary>
    public ulong NextRandom()
    {
        if (_randomLeft == 0)
        {
            fixed (ulong* first = &_random[0])
                Environment.FillRandom(Environment.Context, (byte*)first, RandomNumbers * sizeof(ulong));
            _randomLeft = RandomNumbers;
        }
        ulong number = _random[--_randomLeft];
        _random[_randomLeft] = 0;
        return number;
    }

    /// <summary>The interface with an index, or null.</summary>
    public readonly NetworkInterface* FindInterface(uint index)
    {
        NetworkInterface* each = Loopback;
        while (each != null && each->Index != index)
            each = each->Next;
        return each;
    }

    /// <summary>The interface that has an address in use; null when it is not this host's.</summary>
    public readonly NetworkInterface* FindLocal(in IpAddress address)
    {
        for (NetworkInterface* each = Loopback; each != null; each = each->Next)
        {
            int number = each->Find(address);
            if (number >= 0 && each->Addresses[number].IsUsable)
                return each;
        }
        return address.IsV4 && address.IsLoopback ? Loopback : null;
    }

    /// <summary>Whether an address is this host's, 127.0.0.0/8 included.</summary>
    public readonly bool IsLocal(in IpAddress address) => FindLocal(address) != null;

    /// <summary>Whether an IPv4 address means everybody on a link of this host.</summary>
    public readonly bool IsBroadcast(in IpAddress address)
    {
        if (!address.IsV4)
            return false;
        if (address.V4 == 0xffff_ffff)
            return true;
        for (NetworkInterface* each = Loopback; each != null; each = each->Next)
        {
            for (int i = 0; i < each->AddressEnd; i++)
            {
                ref InterfaceAddress entry = ref each->Addresses[i];
                if (entry.IsUsable && entry.Broadcast != 0 && entry.Broadcast == address.V4)
                    return true;
            }
        }
        return false;
    }

    /// <summary>Adds a route. EEXIST, ENOBUFS.</summary>
    public Errno AddRoute(in Route route)
    {
        RouteGeneration++;
        return Routes.Add(route);
    }

    /// <summary>Removes a route. ESRCH when it is not there.</summary>
    public Errno RemoveRoute(in Route route)
    {
        int number = Routes.Find(route);
        if (number < 0)
            return Errno.ESRCH;
        Routes.RemoveAt(number);
        RouteGeneration++;
        return Errno.None;
    }

    private NetworkStack* Self => (NetworkStack*)Unsafe.AsPointer(ref this);

    private static NetworkInterface* AddInterface(NetworkStack* stack, NetworkDevice* device)
    {
        NetworkInterface* added = Pool<NetworkInterface>.Allocate();
        if (added == null)
            return null;
        added->Stack = stack;
        added->Device = device;
        added->Mtu = device->Mtu;
        added->Mac = device->Address;
        device->Interface = added;
        NetworkInterface** link = &stack->Loopback;
        uint index = 1;
        for (; *link != null; link = &(*link)->Next)
            index = (*link)->Index + 1;
        added->Index = index;
        if (index == 1)
            added->Name.Set("lo"u8, -1);
        else
            added->Name.Set("eth"u8, (int)index - 2);
        *link = added;
        return added;
    }

    private static void Remove(NetworkInterface* gone)
    {
        NetworkInterface** link = &gone->Stack->Loopback;
        while (*link != gone)
            link = &(*link)->Next;
        *link = gone->Next;
        gone->Device->Interface = null;
        Pool<NetworkInterface>.Free(gone);
    }

    private void Flush()
    {
        IsFlushDue = false;
        for (NetworkInterface* each = Loopback->Next; each != null; each = each->Next)
            each->Device->Flush(each->Device);
    }

    private static void Received(NetworkDevice* device, PacketBuffer* packet)
    {
        var on = (NetworkInterface*)device->Interface;
        if (!on->Stack->IsEntered)
            on->Stack->Enter();
        EthernetInput.Receive(on, packet);
    }

    private static void BatchEnded(NetworkDevice* device)
    {
        var on = (NetworkInterface*)device->Interface;
        on->Coalescer.Flush(on);
        if (on->Stack->IsEntered)
            on->Stack->Leave();
    }

    private static void TransmitReady(NetworkDevice* device)
    {
        var on = (NetworkInterface*)device->Interface;
        on->DrainBacklog();
        if (on->Stack->IsFlushDue && !on->Stack->IsEntered)
            on->Stack->Flush();
    }

    private static void LinkChanged(NetworkDevice* device)
    {
        var on = (NetworkInterface*)device->Interface;
        bool isOwnBatch = !on->Stack->IsEntered;
        if (isOwnBatch)
            on->Stack->Enter();
        if (!device->IsLinkUp)
        {
            on->ClearBacklog();
            on->Stack->Neighbors.Clear(on);
        }
        else if (on->Dhcp != null)
        {
            DhcpClient.LinkReturned(on->Dhcp);
        }
        on->Stack->RouteGeneration++;
        if (isOwnBatch)
            on->Stack->Leave();
    }

    [InlineArray(RandomNumbers)]
    private struct RandomArray
    {
        private ulong _first;
    }
}
