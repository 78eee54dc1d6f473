// Where programs learn of name servers. Source: resolv.conf(5), hosts(5); Linux's Documentation/admin-guide/nfs/nfsroot for /proc/net/pnp, to which a machine
// without a program that writes resolv.conf links it: what is there is what is known now.
using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Files;
using Ukl.Kernel.Files.Proc;
using Ukl.Kernel.Net.Dhcp;
using Ukl.Kernel.Net.Slaac;
using Ukl.Kernel.Syscalls;

namespace Ukl.Kernel.Net.Proc;

/// <summary>pnp, and the files of /etc that an image need not have.</summary>
internal static unsafe class ResolverFiles
{
    private const uint DirectoryPermissions = 0x1ed, FilePermissions = 0x1a4;

    /// <summary>Adds /etc/resolv.conf and /etc/hosts where they are missing.</summary>
    internal static void AddMissing()
    {
        Vfs.EnsureDirectory("/etc"u8, DirectoryPermissions);
        Vfs.MakeSymbolicLink("/proc/net/pnp"u8, "/etc/resolv.conf"u8);
        if (Vfs.Open("/etc/hosts"u8, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, FilePermissions, out OpenFile* file) != Errno.None)
            return;
        ulong position = 0;
        Append(file, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t"u8, ref position);
        // A program that looks up its own name finds itself, as on Debian.
        Append(file, SystemCalls.HostName, ref position);
        Append(file, "\n"u8, ref position);
        OpenFile.Release(file);
    }

    private static void Append(OpenFile* file, ReadOnlySpan<byte> text, ref ulong position)
    {
        fixed (byte* first = text)
            file->Operations->WriteKernel(file, first, (nuint)text.Length, ref position);
    }

    /// <summary>In the order in which they were said: by whoever started the machine, by DHCP, by a router. A resolver reads the first three.</summary>
    internal static Errno WriteNameServers(ProcKey key, TextBuffer* text)
    {
        ref readonly NetworkConfiguration configuration = ref KernelNetwork.Configuration;
        for (int i = 0; i < configuration.NameServerCount; i++)
            WriteServer(text, configuration.NameServers[i], null);
        ref readonly DhcpClient dhcp = ref KernelNetwork.Dhcp;
        if (dhcp.IsBound)
        {
            if (dhcp.Lease.Domain[0] != 0)
            {
                text->Write("domain "u8);
                for (int i = 0; i < DomainName.Size && dhcp.Lease.Domain[i] != 0; i++)
                    text->WriteByte(dhcp.Lease.Domain[i]);
                text->WriteByte((byte)'\n');
            }
            WriteServer(text, dhcp.Lease.NameServer0, null);
            WriteServer(text, dhcp.Lease.NameServer1, null);
            WriteServer(text, dhcp.Lease.NameServer2, null);
        }
        NetworkStack* stack = KernelNetwork.Stack;
        for (NetworkInterface* each = stack == null ? null : stack->Loopback->Next; each != null; each = each->Next)
        {
            ref AutoConfigurationState state = ref each->AutoConfiguration;
            WriteServer(text, state.NameServer0, each);
            WriteServer(text, state.NameServer1, each);
            WriteServer(text, state.NameServer2, each);
        }
        return Errno.None;
    }

    private static void WriteServer(TextBuffer* text, in IpAddress server, NetworkInterface* by)
    {
        if (server == default)
            return;
        text->Write("nameserver "u8);
        IpAddressText.Write(text, server);
        if (server.IsLinkLocal6 && by != null)
        {
            text->WriteByte((byte)'%');
            text->Write(by->Name.Text);
        }
        text->WriteByte((byte)'\n');
    }
}
