using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;

namespace Ukl.Kernel.Net.Ip;

/// <summary>
/// The routes of a stack, the best first: longest prefix, then lowest metric, then oldest. A host has a handful, and a connection asks once, so a list serves. Whoever
/// changes it raises <see cref="NetworkStack.RouteGeneration"/>.
/// </summary>
public unsafe struct RouteTable
{
    /// <summary>How many there may be.</summary>
    public const int Capacity = 64;

    private RouteArray _routes;

    /// <summary>How many there are.</summary>
    public int Count { readonly get; private set; }

    /// <summary>The route with a number below <see cref="Count"/>; valid until the next change.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref Route this[int number] => ref _routes[number];

    /// <summary>Adds a route. EEXIST when it is there, ENOBUFS when the table is full.</summary>
    public Errno Add(in Route route)
    {
        if (Find(route) >= 0)
            return Errno.EEXIST;
        if (Count == Capacity)
            return Errno.ENOBUFS;
        int at = Count;
        for (; at > 0 && IsBetter(route, _routes[at - 1]); at--)
            _routes[at] = _routes[at - 1];
        _routes[at] = route;
        Count++;
        return Errno.None;
    }

    /// <summary>The number of a route (<see cref="Route.IsSame"/>); -1 when it is not there.</summary>
    public readonly int Find(in Route route)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_routes[i].IsSame(route))
                return i;
        }
        return -1;
    }

    /// <summary>Removes the route with a number.</summary>
    public void RemoveAt(int number)
    {
        for (int i = number + 1; i < Count; i++)
            _routes[i - 1] = _routes[i];
        Count--;
    }

    /// <summary>The number of the best route to an address, by one interface when given; -1 when there is none.</summary>
    public readonly int Lookup(in IpAddress destination, NetworkInterface* by)
    {
        for (int i = 0; i < Count; i++)
        {
            ref readonly Route route = ref _routes[i];
            if (route.Matches(destination) && (by == null || route.Interface == by) && route.Interface->Device->IsLinkUp)
                return i;
        }
        return -1;
    }

    private static bool IsBetter(in Route route, in Route other) =>
        route.PrefixLength > other.PrefixLength || (route.PrefixLength == other.PrefixLength && route.Metric < other.Metric);

    [InlineArray(Capacity)]
    private struct RouteArray
    {
        private Route _first;
    }
}
