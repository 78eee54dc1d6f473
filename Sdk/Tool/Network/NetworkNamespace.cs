using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ukl.Tool.Network;

/// <summary>Lets code of this process work inside of another network namespace. Source of truth: setns(2), network_namespaces(7).</summary>
public static partial class NetworkNamespace
{
    private const int CloneNewNet = 0x4000_0000;

    /// <summary>The namespace that the thread has entered; null when it is in that of the process.</summary>
    [ThreadStatic]
    private static string? current;

    /// <summary>
    /// Runs something on a thread of its own in a named namespace. What it makes there — sockets, packet devices, processes — stays in that namespace, wherever it is
    /// used afterwards.
    /// </summary>
    /// <exception cref="ToolException">The namespace cannot be entered.</exception>
    public static T Run<T>(string name, Func<T> work)
    {
        if (current == name)
            return work();
        T? result = default;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter(name);
                current = name;
                result = work();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw new ToolException(failure.Message, (failure as ToolException)?.Details);
    }

    /// <summary>A socket that lives in a named namespace.</summary>
    public static Socket CreateSocket(string name, AddressFamily family, SocketType type, ProtocolType protocol) =>
        Run(name, () => new Socket(family, type, protocol));

    private static void Enter(string name)
    {
        using SafeFileHandle handle = File.OpenHandle($"/run/netns/{name}");
        if (SetNamespace(handle, CloneNewNet) != 0)
            throw new ToolException($"The network namespace {name} cannot be entered: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle handle, int kind);
}
