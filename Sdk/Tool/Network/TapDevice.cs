using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ukl.Tool.Network;

/// <summary>
/// The wire side of a tap device: what this machine's Linux sends on it is read here, frame by frame, and what is written it receives. Source of truth: Linux
/// Documentation/networking/tuntap.rst.
/// </summary>
public sealed partial class TapDevice : IDisposable
{
    private const string Path = "/dev/net/tun";
    private const int OpenReadWrite = 2, OpenCloseOnExec = 0x80000;
    private const nuint SetInterface = 0x400454ca; // TUNSETIFF
    private const short IsTap = 2, HasNoPacketInformation = 0x1000;
    private const int RequestSize = 40, NameSize = 16;
    private const int EventCloseOnExec = 0x80000;
    private const short PollIn = 1;
    private const int Interrupted = 4; // EINTR

    private readonly SafeFileHandle handle;

    /// <summary>A counter that is readable from the moment at which nobody shall wait any more: eventfd(2).</summary>
    private readonly SafeFileHandle stop;

    /// <summary>Opens a device that exists in the calling thread's network namespace.</summary>
    public TapDevice(string name)
    {
        handle = Open(Path, OpenReadWrite | OpenCloseOnExec);
        Span<byte> request = stackalloc byte[RequestSize];
        request.Clear();
        Encoding.ASCII.GetBytes(name, request[..(NameSize - 1)]);
        MemoryMarshal.Write(request[NameSize..], (short)(IsTap | HasNoPacketInformation));
        if (handle.IsInvalid || Control(handle, SetInterface, ref MemoryMarshal.GetReference(request)) != 0)
            throw new ToolException($"The tap device {name} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        stop = CreateEvent(0, EventCloseOnExec);
        if (stop.IsInvalid)
            throw new ToolException($"The tap device {name} cannot be stopped: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>Waits for a frame.</summary>
    /// <returns>Its size; 0 or less when the device is gone or was stopped.</returns>
    public int Read(Span<byte> frame)
    {
        Span<Waited> both = [new Waited { Descriptor = Number(handle), Events = PollIn }, new Waited { Descriptor = Number(stop), Events = PollIn }];
        while (Wait(ref MemoryMarshal.GetReference(both), (nuint)both.Length, Timeout.Infinite) < 0)
            if (Marshal.GetLastPInvokeError() != Interrupted)
                return -1;
        return both[1].Happened != 0 ? 0 : (int)Read(handle, ref MemoryMarshal.GetReference(frame), (nuint)frame.Length);
    }

    /// <summary>Whoever waits for a frame, now or later, gets none. He must be done before the device is disposed of.</summary>
    public void Stop()
    {
        ulong one = 1;
        Write(stop, ref MemoryMarshal.AsBytes(new Span<ulong>(ref one))[0], sizeof(ulong));
    }

    /// <summary>Hands a frame to this machine. One that it does not take is lost, as on any wire.</summary>
    public void Write(ReadOnlySpan<byte> frame) => Write(handle, ref MemoryMarshal.GetReference(frame), (nuint)frame.Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        handle.Dispose();
        stop.Dispose();
    }

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle handle, nuint request, ref byte argument);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(SafeFileHandle handle, ref byte buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(SafeFileHandle handle, ref byte buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial SafeFileHandle CreateEvent(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Wait(ref Waited first, nuint count, int milliseconds);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Waited
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }
}
