// Device: virtio console device. Source: virtio 1.2, section 5.3. Without VIRTIO_CONSOLE_F_MULTIPORT it has one port, of a queue for what is typed (0) and one for what is
// shown (1).
// QEMU: -device virtio-serial-pci -device virtconsole,chardev=… ; on microvm -device virtio-serial-device in place of the first.
using System;
using System.Runtime.CompilerServices;
using Ukl.Drivers.Virtio.Queue;
using Ukl.Drivers.Virtio.Transport;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Kernel.Memory;

namespace Ukl.Drivers.Virtio;

/// <summary>
/// The console of a machine on which nobody can type otherwise, or of one whose command line says <c>console=virtio</c>. What is written
/// goes out by itself, and in a panic by polling. There is one at the most.
/// </summary>
internal unsafe struct VirtioConsole
{
    private const ushort ReceiveQueue = 0;
    private const ushort TransmitQueue = 1;
    private const ushort QueueSize = 8;

    private const int InputCount = 4;
    private const int InputSize = 128;

    /// <summary>A power of two. Output that comes while the device is busy is kept and sent together.</summary>
    private const uint OutputSize = 4096;

    /// <summary>How often a queue is looked at before a buffer counts as stuck, about a second: a reader outside may be slow to take the output.</summary>
    private const int PatientPolls = 3_000_000;

    /// <summary>Asking the device costs an exit to the hypervisor, in whose way it may be.</summary>
    private const int PollsPerCheck = 100_000;

    private static VirtioConsole* s_console;
    private static bool s_isAsked;

    private VirtioDevice _device;
    private SplitQueue _input;
    private SplitQueue _output;
    private delegate*<byte, void> _receive;

    /// <summary>What was the console before, and is again when this device breaks.</summary>
    private ConsoleDevice _fallback;

    /// <summary>Bytes that were put into the output ring, and that the device has sent, since the start; modulo 2³².</summary>
    private uint _written;
    private uint _sent;

    /// <summary>How many of the bytes behind <see cref="_sent"/> the device has; 0: none.</summary>
    private uint _sending;
    private int _polls;
    private InputBuffers _inputBuffers;
    private OutputRing _outputRing;

    private readonly uint Unsent => _written - _sent;

    /// <summary>Whether the next console that is found is to be driven.</summary>
    internal static bool IsWanted => s_isAsked || Devices.Console.StartInput == null;

    /// <summary>Reads what the command line says of the console.</summary>
    internal static void Configure(in CommandLine commandLine) => s_isAsked = commandLine.HasFlag("console=virtio"u8);

    /// <summary>Starts a device and makes it the kernel's console.</summary>
    internal static void Start(in TransportOperations transport)
    {
        var console = (VirtioConsole*)KernelHeap.Allocate((nuint)sizeof(VirtioConsole));
        if (console == null)
            return;
        console->_device = new VirtioDevice(transport, "virtio-console"u8);
        if (!console->_device.TryNegotiate(&Features.ChooseNone)
            || !console->_device.TryStartQueue(&console->_input, ReceiveQueue, QueueSize, 0, 0, &HandleInput, console)
            || !console->_device.TryStartQueue(&console->_output, TransmitQueue, QueueSize, 0, 0, &HandleOutput, console))
            return;
        console->_polls = PatientPolls;
        console->_device.Start();
        console->_fallback = Devices.Console;
        s_console = console;
        s_isAsked = false;
        Devices.Register(new ConsoleDevice { Write = &Write, Flush = &Flush, StartInput = &StartInput });
    }

    /// <summary>Puts bytes behind those that the device has not taken yet. When it takes none for so long, the rest is dropped and later calls hardly wait until it does again.</summary>
    private static void Write(byte* bytes, nuint count)
    {
        VirtioConsole* console = s_console;
        byte* ring = (byte*)Unsafe.AsPointer(ref console->_outputRing);
        while (count != 0 && console->TryWait(OutputSize - 1))
        {
            uint at = console->_written % OutputSize;
            uint batch = Math.Min(OutputSize - console->Unsent, OutputSize - at);
            if (batch > count)
                batch = (uint)count;
            Unsafe.CopyBlockUnaligned(ring + at, bytes, batch);
            console->_written += batch;
            console->Send();
            bytes += batch;
            count -= batch;
        }
        if (count == 0 || !console->_device.IsBroken)
            return;
        // So does the report of what broke it arrive somewhere.
        Devices.Register(console->_fallback);
        if (console->_fallback.Write != null)
            console->_fallback.Write(bytes, count);
    }

    private static void Flush() => _ = s_console->TryWait(0);

    /// <summary>Waits until no more than so many bytes are left for the device to take. False when it takes too long, or is broken.</summary>
    private bool TryWait(uint mostUnsent)
    {
        for (int i = 0; Unsent > mostUnsent && !_device.IsBroken; i++)
        {
            Send();
            if (Unsent <= mostUnsent)
                break;
            if (i >= _polls)
            {
                _polls = 1;
                return false;
            }
            if (i % PollsPerCheck == PollsPerCheck - 1)
                _ = _device.CheckStatus();
            Cpu.Relax();
        }
        return !_device.IsBroken;
    }

    /// <summary>Takes back what the device has sent, and gives it what came in the meantime.</summary>
    private void Send()
    {
        while (!_device.IsBroken)
        {
            if (_sending != 0 && _output.TryTake(out _, out _))
            {
                _sent += _sending;
                _sending = 0;
                _polls = PatientPolls;
            }
            _device.Break(_output.Fault);
            if (_sending != 0)
            {
                if (!_output.ResumeInterrupts())
                    return;
                continue;
            }
            if (Unsent == 0)
                return;
            uint at = _sent % OutputSize;
            _sending = Math.Min(Unsent, OutputSize - at);
            _ = _output.TryAdd(PhysicalAddress.Of((byte*)Unsafe.AsPointer(ref _outputRing) + at).Value, _sending, false, null);
            VirtioDevice.Kick((SplitQueue*)Unsafe.AsPointer(ref _output));
        }
    }

    private static void StartInput(delegate*<byte, void> receive)
    {
        VirtioConsole* console = s_console;
        console->_receive = receive;
        byte* buffers = (byte*)Unsafe.AsPointer(ref console->_inputBuffers);
        for (int i = 0; i < InputCount; i++)
            console->GiveInput(buffers + i * InputSize);
        HandleInput(console);
    }

    private void GiveInput(byte* buffer) => _ = _input.TryAdd(PhysicalAddress.Of(buffer).Value, InputSize, true, buffer);

    private static void HandleInput(void* context)
    {
        var console = (VirtioConsole*)context;
        do
        {
            while (!console->_device.IsBroken && console->_input.TryTake(out void* buffer, out uint length))
            {
                for (uint i = 0; i < length; i++)
                    console->_receive(((byte*)buffer)[i]);
                console->GiveInput((byte*)buffer);
            }
            console->_device.Break(console->_input.Fault);
            if (console->_device.IsBroken)
                return;
            VirtioDevice.Kick(&console->_input);
        }
        while (console->_input.ResumeInterrupts());
    }

    private static void HandleOutput(void* context) => ((VirtioConsole*)context)->Send();

    [InlineArray(InputCount * InputSize)]
    private struct InputBuffers
    {
        private byte _first;
    }

    [InlineArray((int)OutputSize)]
    private struct OutputRing
    {
        private byte _first;
    }
}
