using System.Net.Sockets;
using System.Text.Json;

namespace Ukl.Tool.Qemu;

/// <summary>The monitor of a running QEMU, on a Unix socket of this machine. Source of truth: QEMU's documentation, "QEMU Machine Protocol Specification".</summary>
public sealed class QemuMonitor : IDisposable
{
    private readonly string socket = Path.Combine(Path.GetTempPath(), $"ukl-{Environment.ProcessId}-{Guid.NewGuid():n}.qmp");

    /// <summary>QEMU's arguments that give it this monitor.</summary>
    public IReadOnlyList<string> Arguments => ["-qmp", $"unix:{QemuCommand.Escape(socket)},server=on,wait=off"];

    /// <summary>Gives QEMU a command without arguments, such as system_powerdown, and waits until it has been taken.</summary>
    /// <exception cref="ToolException">QEMU refuses it, or ends first.</exception>
    public async Task Execute(string command)
    {
        using Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket));
        using NetworkStream stream = new(connection);
        using StreamReader reader = new(stream);
        // QEMU greets, and takes commands only from those who have said which of its capabilities they want: none.
        await reader.ReadLineAsync();
        await Execute(stream, reader, "qmp_capabilities");
        await Execute(stream, reader, command);
    }

    /// <inheritdoc/>
    public void Dispose() => File.Delete(socket);

    private static async Task Execute(NetworkStream stream, StreamReader reader, string command)
    {
        await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["execute"] = command }));
        while (await reader.ReadLineAsync() is { } line)
        {
            using JsonDocument answer = JsonDocument.Parse(line);
            if (answer.RootElement.TryGetProperty("return", out _))
                return;
            // What is neither is an event.
            if (answer.RootElement.TryGetProperty("error", out JsonElement error))
                throw new ToolException($"QEMU's monitor refuses {command}: {error.GetProperty("desc").GetString()}");
        }
        throw new ToolException($"QEMU ended before its monitor took {command}.");
    }
}
