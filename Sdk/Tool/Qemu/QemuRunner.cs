using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ukl.Tool.Shell;

namespace Ukl.Tool.Qemu;

/// <summary>What a guest run for a test left behind.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Output">What it wrote to the serial line, with line feeds only.</param>
/// <param name="TimedOut">Whether QEMU had to be ended.</param>
/// <param name="Elapsed">From the start of QEMU to its end.</param>
public sealed record GuestRun(GuestStatus Status, string Output, bool TimedOut, TimeSpan Elapsed)
{
    /// <summary>Why what this machine did with the guest failed; null when it did not.</summary>
    public string? ClientFailure { get; init; }
}

/// <summary>Starts QEMU and learns how the guest ended.</summary>
public static class QemuRunner
{
    /// <summary>The byte that a terminal line takes as the end of input (Ctrl-D).</summary>
    private const byte EndOfInput = 4;

    /// <summary>How long the work with a guest may go on after the guest's end.</summary>
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(1);

    /// <summary>Runs a guest with the caller's terminal or pipes.</summary>
    /// <param name="arguments">QEMU's, given the status file.</param>
    /// <returns>How the guest ended.</returns>
    public static GuestStatus Run(Func<string, IReadOnlyList<string>> arguments)
    {
        using StatusFile status = new();
        ProcessStartInfo start = new(QemuCommand.Program, arguments(status.Path)) { RedirectStandardInput = Console.IsInputRedirected };
        string? terminal = Console.IsInputRedirected ? null : SaveTerminal();
        // Ctrl-C while QEMU runs is the guest's; when it reaches us all the same, QEMU got it too and ends, and with it this process.
        void Ignore(object? sender, ConsoleCancelEventArgs pressed) => pressed.Cancel = true;
        Console.CancelKeyPress += Ignore;
        try
        {
            using Process process = CommandRunner.Start(start);
            if (start.RedirectStandardInput)
                _ = Task.Run(() => Feed(Console.OpenStandardInput(), process));
            process.WaitForExit();
        }
        finally
        {
            Console.CancelKeyPress -= Ignore;
            if (terminal is not null)
                RestoreTerminal(terminal);
        }
        return GuestStatus.Parse(status.Read());
    }

    /// <summary>Runs a guest for a test, with a time limit, and captures its serial line.</summary>
    /// <param name="arguments">QEMU's, given the status file.</param>
    /// <param name="limit">When to end QEMU.</param>
    /// <param name="input">What is typed at the serial line; the end of input follows it.</param>
    /// <param name="inputAfter">The output that is awaited before anything is typed.</param>
    /// <param name="client">What this machine does with the guest between that output and the input.</param>
    public static GuestRun Capture(
        Func<string, IReadOnlyList<string>> arguments, TimeSpan limit, string input = "", string inputAfter = "", Func<Task>? client = null)
    {
        using StatusFile status = new();
        Stopwatch watch = Stopwatch.StartNew();
        using Process process = CommandRunner.Start(new ProcessStartInfo(QemuCommand.Program, arguments(status.Path))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        });
        TaskCompletionSource awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<string> output = Task.Run(() => Collect(process.StandardOutput, inputAfter, awaited));
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string?> work = UseGuest(awaited.Task, client);
        _ = work.ContinueWith(_ => Feed(new MemoryStream(Encoding.UTF8.GetBytes(input)), process), TaskScheduler.Default);
        bool timedOut = !process.WaitForExit(limit);
        if (timedOut)
            process.Kill();
        process.WaitForExit();
        string text = output.Result.ReplaceLineEndings("\n") + errors.Result;
        string? failure = client is null ? null
            : work.Wait(ClientPatience) ? work.Result
            : awaited.Task.IsCompleted ? "the guest ended while this machine was still at work with it"
            : $"'{inputAfter}' was not printed";
        return new GuestRun(GuestStatus.Parse(status.Read()), text, timedOut, watch.Elapsed) { ClientFailure = failure };
    }

    private static async Task<string?> UseGuest(Task isReady, Func<Task>? client)
    {
        await isReady;
        if (client is null)
            return null;
        try
        {
            // On a thread of its own: what it does may block.
            await Task.Run(client);
            return null;
        }
        catch (Exception failure)
        {
            return (failure.InnerException ?? failure).Message;
        }
    }

    /// <summary>Makes sure that a port of this machine can be listened on.</summary>
    /// <exception cref="ToolException">Another program has it.</exception>
    public static void RequireFreePort(int port)
    {
        try
        {
            using TcpListener listener = new(IPAddress.Loopback, port);
            listener.Start();
        }
        catch (SocketException)
        {
            throw new ToolException($"Port {port} is in use by another program; it is needed for gdb.");
        }
    }

    /// <summary>Reads to the end, and says when a text has appeared.</summary>
    private static string Collect(StreamReader reader, string text, TaskCompletionSource appeared)
    {
        StringBuilder all = new();
        char[] buffer = new char[4096];
        int count;
        bool isAwaited = true;
        do
        {
            if (isAwaited && all.ToString().Contains(text, StringComparison.Ordinal))
            {
                isAwaited = false;
                appeared.SetResult();
            }
            count = reader.Read(buffer);
            all.Append(buffer, 0, count);
        }
        while (count > 0);
        return all.ToString();
    }

    /// <summary>Copies input to the guest. A serial line has no end, so the end of input is sent as the character that means it.</summary>
    private static void Feed(Stream input, Process process)
    {
        try
        {
            Stream guest = process.StandardInput.BaseStream;
            byte[] buffer = new byte[4096];
            int count;
            while ((count = input.Read(buffer)) > 0)
            {
                guest.Write(buffer.AsSpan(0, count));
                guest.Flush();
            }
            guest.WriteByte(EndOfInput);
            guest.Flush();
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException)
        {
            // The guest ended before it read everything, as programs may.
        }
    }

    private static string? SaveTerminal()
    {
        using Process process = CommandRunner.Start(new ProcessStartInfo("stty", "-g") { RedirectStandardOutput = true });
        string settings = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? settings : null;
    }

    private static void RestoreTerminal(string settings)
    {
        using Process process = CommandRunner.Start(new ProcessStartInfo("stty", settings));
        process.WaitForExit();
    }

    /// <summary>The file behind the guest's status port.</summary>
    private sealed class StatusFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"ukl-{Environment.ProcessId}-{Guid.NewGuid():n}.status");

        public string[] Read() => File.Exists(Path) ? File.ReadAllLines(Path) : [];

        public void Dispose() => File.Delete(Path);
    }
}
