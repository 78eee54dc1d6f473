// The network's words on the command line: ip=ADDRESS/LENGTH (IPv4 or IPv6, as often as wanted), ip=dhcp (what happens without a word), ip=none, gateway=ADDRESS,
// dns=ADDRESS.
using System;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Net.Ip;

namespace Ukl.Kernel.Net;

/// <summary>Name servers.</summary>
[InlineArray(Capacity)]
public struct NameServerArray
{
    /// <summary>As many as resolv.conf(5) knows.</summary>
    public const int Capacity = 3;

    private IpAddress _first;
}

/// <summary>What the command line says of the network.</summary>
public struct NetworkConfiguration
{
    /// <summary>The name servers.</summary>
    public NameServerArray NameServers;

    /// <summary>How many there are.</summary>
    public int NameServerCount;

    /// <summary>An address of IPv4 was given, or none is wanted: DHCP is not asked.</summary>
    public bool HasAddress4;

    /// <summary>ip=none: the card is left alone.</summary>
    public bool IsNone;

    /// <summary>ip=dhcp stands there although an address does too.</summary>
    public bool IsDhcpWanted;

    /// <summary>Whether DHCP is to be asked.</summary>
    public readonly bool UsesDhcp => !IsNone && (IsDhcpWanted || !HasAddress4);

    /// <summary>Reads the words that need no card.</summary>
    public void Read(in CommandLine commandLine)
    {
        CommandLineWords words = commandLine.Options;
        while (words.MoveNext())
        {
            if (Is(words, "dns"u8))
                AddNameServer(words.Value);
            else if (Is(words, "ip"u8) && IsWord(words.Value, "none"u8))
                IsNone = true;
            else if (Is(words, "ip"u8) && IsWord(words.Value, "dhcp"u8))
                IsDhcpWanted = true;
            else if (Is(words, "ip"u8) && IpAddressText.TryParse(words.Value, out IpAddress address, out _) && address.IsV4)
                HasAddress4 = true;
        }
    }

    /// <summary>Gives a card the addresses and routers of the command line. What cannot be used is reported.</summary>
    public static unsafe void Apply(in CommandLine commandLine, NetworkInterface* on)
    {
        CommandLineWords words = commandLine.Options;
        while (words.MoveNext())
        {
            bool isUsable = true;
            if (Is(words, "ip"u8) && !IsWord(words.Value, "none"u8) && !IsWord(words.Value, "dhcp"u8))
            {
                isUsable = IpAddressText.TryParse(words.Value, out IpAddress address, out byte length) &&
                    InterfaceAddresses.Add(on, address, length, AddressOrigin.Static) is Errno.None or Errno.EEXIST;
            }
            else if (Is(words, "gateway"u8))
            {
                isUsable = IpAddressText.TryParse(words.Value, out IpAddress router) && TryAddRouter(on, router);
            }
            if (isUsable)
                continue;
            Log.Write("ukl: the network cannot use "u8);
            Log.WriteLine(words.Current);
        }
    }

    private void AddNameServer(ReadOnlySpan<byte> text)
    {
        if (NameServerCount < NameServerArray.Capacity && IpAddressText.TryParse(text, out IpAddress server))
            NameServers[NameServerCount++] = server;
    }

    private static unsafe bool TryAddRouter(NetworkInterface* on, in IpAddress router)
    {
        if (router.IsAny || router.IsMulticast)
            return false;
        Errno error = on->Stack->AddRoute(new Route
        {
            Prefix = router.IsV4 ? IpAddress.Any4 : IpAddress.Any6,
            PrefixLength = router.IsV4 ? (byte)96 : (byte)0,
            Gateway = router,
            Interface = on,
            ValidUntil = ulong.MaxValue,
        });
        return error is Errno.None or Errno.EEXIST;
    }

    private static bool Is(in CommandLineWords words, ReadOnlySpan<byte> name) => words.HasValue && IsWord(words.Current[..words.NameLength], name);

    private static bool IsWord(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word)
    {
        if (text.Length != word.Length)
            return false;
        for (int i = 0; i < word.Length; i++)
        {
            if (text[i] != word[i])
                return false;
        }
        return true;
    }
}
