using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ukl.Tool.Qemu;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Network;

/// <summary>A guest that runs in a <see cref="NetworkRig"/> until it is stopped: a server whose client is this machine.</summary>
public sealed class NetworkGuest : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>A connection that is not answered is tried anew after this time.</summary>
    private static readonly TimeSpan Attempt = TimeSpan.FromMilliseconds(500);

    private readonly NetworkRig rig;

    private readonly Process process;

    private readonly StringBuilder output = new();

    private readonly string statusFile = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"ukl-{Environment.ProcessId}-{Guid.NewGuid():n}.status"));

    /// <summary>Starts QEMU.</summary>
    /// <param name="rig">The network.</param>
    /// <param name="arguments">QEMU's, given the status file.</param>
    public NetworkGuest(NetworkRig rig, Func<string, IReadOnlyList<string>> arguments)
    {
        this.rig = rig;
        Started = Stopwatch.StartNew();
        process = CommandRunner.Start(new ProcessStartInfo("ip", rig.Inside(QemuCommand.Program, arguments(statusFile)))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        });
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Runs since QEMU was started.</summary>
    public Stopwatch Started { get; }

    /// <summary>QEMU's process.</summary>
    public int ProcessId => process.Id;

    /// <summary>Whether QEMU has ended.</summary>
    public bool HasEnded => process.HasExited;

    /// <summary>What the guest said about its end; unknown while it runs.</summary>
    public GuestStatus Status => GuestStatus.Parse(File.Exists(statusFile) ? File.ReadAllLines(statusFile) : []);

    /// <summary>What the guest has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    /// <summary>Waits until the guest accepts a connection.</summary>
    /// <exception cref="ToolException">The guest ended before, or the limit passed.</exception>
    public void WaitForPort(int port, TimeSpan limit) => ConnectWhenOpen(port, limit).Dispose();

    /// <summary>Waits until the guest accepts a connection, and reads it to its end.</summary>
    /// <exception cref="ToolException">The guest ended before, or the limit passed.</exception>
    public string ReadText(int port, TimeSpan limit)
    {
        using NetworkStream stream = new(ConnectWhenOpen(port, limit), ownsSocket: true);
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Waits until the guest has printed a text.</summary>
    /// <exception cref="ToolException">The guest ended before, or the limit passed.</exception>
    public void WaitForOutput(string text, TimeSpan limit)
    {
        while (!Output.Contains(text, StringComparison.Ordinal))
            Check($"'{text}' was not printed", limit);
    }

    /// <summary>Waits until the guest has ended by itself.</summary>
    /// <exception cref="ToolException">The limit passed.</exception>
    public void WaitForEnd(TimeSpan limit)
    {
        if (!process.WaitForExit(limit))
            throw Failure($"it did not end within {limit.TotalSeconds:0} s");
    }

    /// <summary>A connection to the guest; Linux waits for it about two minutes.</summary>
    /// <exception cref="SocketException">It was refused or not answered.</exception>
    public Socket Connect(int port)
    {
        Socket socket = Connectable(AddressFamily.InterNetwork);
        try
        {
            socket.Connect(new IPEndPoint(NetworkRig.Guest, port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A connection to the guest within a time.</summary>
    /// <exception cref="SocketException">It was refused or not answered.</exception>
    public Socket Connect(int port, TimeSpan limit)
    {
        Socket socket = Connectable(AddressFamily.InterNetwork);
        try
        {
            using CancellationTokenSource patience = new(limit);
            socket.ConnectAsync(new IPEndPoint(NetworkRig.Guest, port), patience.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An exception that says what went wrong and shows the guest's last lines.</summary>
    public ToolException Failure(string what)
    {
        const int LastLines = 12;
        string[] lines = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string reason = Status.End == GuestEnd.Panicked ? $"the kernel stopped: {Status.Reason}" : what.TrimEnd('.');
        return new ToolException($"The guest failed: {reason}.", [.. lines.TakeLast(LastLines)]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
        File.Delete(statusFile);
    }

    private Socket ConnectWhenOpen(int port, TimeSpan limit)
    {
        while (true)
        {
            try
            {
                return Connect(port, Attempt);
            }
            catch (SocketException)
            {
                Check($"port {port} was not opened", limit);
            }
        }
    }

    private Socket Connectable(AddressFamily family)
    {
        Socket socket = NetworkNamespace.CreateSocket(rig.Namespace, family, SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        return socket;
    }

    private void Append(string? line)
    {
        if (line is null)
            return;
        lock (output)
            output.Append(line).Append('\n');
    }

    private void Check(string what, TimeSpan limit)
    {
        if (HasEnded || Status.End != GuestEnd.Unknown)
            throw Failure($"it ended and {what}");
        if (Started.Elapsed > limit)
            throw Failure($"{what} within {limit.TotalSeconds:0} s");
        Thread.Sleep(Poll);
    }
}
