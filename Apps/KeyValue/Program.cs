// A server of keys and values that speaks the Redis protocol, for redis-cli and every other client of it.

using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeyValue;

// Requests are short: their completion runs on the thread that learned of it, which saves a way through the thread pool. One such thread is enough.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "1");

if (args is ["--help" or "-h"])
{
    Console.WriteLine(Settings.Usage);
    return 0;
}
try
{
    Settings settings = Settings.Parse(args);
    using Server server = new(settings);
    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        server.Dispose();
    }
    using PosixSignalRegistration interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    Console.WriteLine($"KeyValue listens on {server.LocalEndPoint}");
    await server.Run();
    return 0;
}
catch (Exception failure) when (failure is FormatException or SocketException)
{
    Console.Error.WriteLine($"KeyValue: {failure.Message}");
    return 1;
}
