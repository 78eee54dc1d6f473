using Ukl.Kernel.Syscalls;

namespace Ukl.Kernel.Core;

/// <summary>
/// Parts of the kernel that start by themselves although only some calls use them. Each is a constant once an image is compiled, false when the program can make none of
/// those calls; what starts the part asks here, and all of it is linked away.
/// </summary>
public static class LinkedParts
{
    /// <summary>The network: protocols, their timers, interfaces.</summary>
    public static bool Network => LinkedCalls.Has_socket;
}
