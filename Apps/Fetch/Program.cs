// Downloads by HTTP and HTTPS, and says what came: status, bytes, hash, time.

using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Fetch;

const int NoSuccess = 1, NoAnswer = 2, WrongUsage = 64, Interrupted = 128 + 2;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(Settings.Usage);
    return 0;
}
using CancellationTokenSource interrupted = new();
using PosixSignalRegistration registration = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
{
    signal.Cancel = true;
    interrupted.Cancel();
});
int exitCode = 0;
try
{
    Settings settings = Settings.Parse(args);
    using Downloader downloader = new(settings);
    for (int round = 0; round < settings.Repeat; round++)
        foreach (Uri url in settings.Urls)
            exitCode = Math.Max(exitCode, await FetchOne(downloader, url));
    return exitCode;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Fetch: interrupted");
    return Interrupted;
}
catch (FormatException failure)
{
    Console.Error.WriteLine($"Fetch: {failure.Message}\n{Settings.Usage}");
    return WrongUsage;
}
catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
{
    Console.Error.WriteLine($"Fetch: {failure.Message}");
    return NoAnswer;
}

async Task<int> FetchOne(Downloader downloader, Uri url)
{
    try
    {
        return await downloader.Fetch(url, interrupted.Token) ? 0 : NoSuccess;
    }
    catch (OperationCanceledException) when (!interrupted.IsCancellationRequested)
    {
        Console.Error.WriteLine($"{url}: took too long");
    }
    catch (HttpRequestException failure)
    {
        Console.Error.WriteLine($"{url}: {failure.InnerException?.Message ?? failure.Message}");
    }
    return NoAnswer;
}
