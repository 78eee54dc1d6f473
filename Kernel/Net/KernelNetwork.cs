// The kernel's own network stack: the one that programs' sockets use. It stands when it is first needed, or at boot when there is a card.
using System.Runtime.CompilerServices;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Net.Dhcp;
using Ukl.Kernel.Net.Proc;
using Ukl.Kernel.Net.Slaac;
using Ukl.Kernel.Net.Tcp;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Net;

/// <summary>Makes the kernel's stack, and sets it up as the command line says.</summary>
public static unsafe class KernelNetwork
{
    /// <summary>Of all memory, how much packets may take: an eighth.</summary>
    private const int ShareShift = 3;

    /// <summary>How long the first process waits for an address, in nanoseconds.</summary>
    private const ulong Patience = 3_000_000_000;

    private static NetworkStack* s_stack;
    private static NetworkConfiguration s_configuration;
    private static DhcpClient s_dhcp;
    private static Timer s_alarm;
    private static Timer s_patience;
    private static bool s_isWaitOver;

    /// <summary>The stack; null before it is needed.</summary>
    public static NetworkStack* Stack => s_stack;

    /// <summary>What the command line says.</summary>
    public static ref readonly NetworkConfiguration Configuration => ref s_configuration;

    /// <summary>What DHCP knows; its state says whether that holds.</summary>
    public static ref readonly DhcpClient Dhcp => ref s_dhcp;

    /// <summary>The stack, made if need be. Null when out of memory.</summary>
    public static NetworkStack* GetStack()
    {
        if (s_stack != null)
            return s_stack;
        var environment = new NetworkEnvironment { Now = &Now, SetAlarm = &SetAlarm, FillRandom = &FillRandom };
        s_stack = NetworkStack.Create(environment, (uint)(PageAllocator.TotalPages >> ShareShift) * (PageAllocator.PageSize / PacketBuffer.BlockSize));
        return s_stack;
    }

    /// <summary>
    /// Takes the cards that drivers found, and gives the first one its addresses; DHCP and routers are asked, and answer while the rest of the kernel boots. Once, after
    /// the drivers were started.
    /// </summary>
    public static void Start(in CommandLine commandLine)
    {
        s_configuration.Read(commandLine);
        if (NetworkDevices.Count == 0 || s_configuration.IsNone)
            return;
        NetworkStack* stack = GetStack();
        if (stack == null)
        {
            Log.WriteLine("ukl: no memory for the network"u8);
            return;
        }
        stack->Enter();
        NetworkInterface* first = null;
        for (int i = 0; i < NetworkDevices.Count; i++)
        {
            NetworkInterface* added = stack->Attach(NetworkDevices.Get(i));
            if (added == null)
                Log.WriteLine("ukl: a network card does not start"u8);
            else
                first = first == null ? added : first;
        }
        if (first != null)
        {
            NetworkConfiguration.Apply(commandLine, first);
            AutoConfiguration.Start(first);
            if (s_configuration.UsesDhcp)
                DhcpClient.Start((DhcpClient*)Unsafe.AsPointer(ref s_dhcp), first);
        }
        stack->Leave();
    }

    /// <summary>Shows the network in /proc/net, and adds the files of /etc that programs look for. Once, when the tree of files stands.</summary>
    public static void AddFiles()
    {
        ProcRoot.NetworkEntries = &NetEntries.Show;
        SysctlEntries.Network = &SysctlFiles.Show;
        SysfsEntries.Classes = &SysfsFiles.ShowClass;
        ResolverFiles.AddMissing();
    }

    /// <summary>
    /// Sleeps until DHCP has given an address, when it is asked, but not for ever; it goes on in the background. Before the first process, with nothing else to do.
    /// </summary>
    public static void AwaitAddress()
    {
        if (s_dhcp.State == DhcpState.Stopped)
            return;
        var patience = (Timer*)Unsafe.AsPointer(ref s_patience);
        patience->Callback = &OnPatienceEnd;
        Timers.Start(patience, Clock.MonotonicNanoseconds + Patience);
        while (!s_dhcp.IsBound && !System.Threading.Volatile.Read(ref s_isWaitOver))
            Cpu.WaitForInterrupt();
        Timers.Cancel(patience);
        if (!s_dhcp.IsBound)
            Log.WriteLine("ukl: no DHCP server has answered; the search goes on (ip=ADDRESS/LENGTH or ip=none on the command line ends it)"u8);
    }

    /// <summary>Forgets connections in TIME-WAIT. Returns how many pages the stack keeps for packets and does not use.</summary>
    public static nuint Trim()
    {
        if (s_stack == null)
            return 0;
        s_stack->Enter();
        TimeWait.RemoveAll(ref s_stack->Tcp);
        s_stack->Leave();
        return (s_stack->Packets.Count - s_stack->Packets.InUse) / (PageAllocator.PageSize / PacketBuffer.BlockSize);
    }

    private static void OnPatienceEnd(Timer* timer) => s_isWaitOver = true;

    private static ulong Now(void* context) => Clock.MonotonicNanoseconds;

    private static void FillRandom(void* context, byte* to, nuint count) => Random.Fill(to, count);

    private static void SetAlarm(void* context, ulong deadline)
    {
        var alarm = (Timer*)Unsafe.AsPointer(ref s_alarm);
        if (deadline == Timers.Never)
        {
            Timers.Cancel(alarm);
            return;
        }
        alarm->Callback = &OnAlarm;
        Timers.Start(alarm, deadline);
    }

    private static void OnAlarm(Timer* timer) => s_stack->RunTimers();
}
