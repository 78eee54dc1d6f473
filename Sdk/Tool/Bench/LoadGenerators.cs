using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ukl.Tool.Network;
using Ukl.Tool.Shell;
using Ukl.Tool.Testing;

namespace Ukl.Tool.Bench;

/// <summary>What a client saw of a server.</summary>
/// <param name="Requests">Answered requests, or transferred bytes.</param>
/// <param name="PerSecond">The same per second.</param>
/// <param name="Median">The time from request to answer that half of the requests kept to, in milliseconds; NaN when it is not measured.</param>
/// <param name="Percentile99">The time that 99 % of the requests kept to, in milliseconds.</param>
/// <param name="Errors">Requests that failed.</param>
public sealed record LoadResult(long Requests, double PerSecond, double Median, double Percentile99, long Errors);

/// <summary>Programs that put a server under load, and what they print.</summary>
public static partial class LoadGenerators
{
    /// <summary>Time for a client to begin and to end, beside the time of the load.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(60);

    /// <summary>Runs wrk. Source of truth: wrk(1) and its output.</summary>
    public static LoadResult Wrk(NetworkRig rig, string url, int connections, int seconds)
    {
        CommandResult result = rig.Run("wrk", ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "10s", "--latency", url], TimeSpan.FromSeconds(seconds) + Slack);
        return ParseWrk(result.Output) ?? throw CommandRunner.Failure("The load could not be put on the server", "wrk", result);
    }

    /// <summary>Runs redis-benchmark with the command GET for about a time. Source of truth: redis-benchmark --help and its output with --csv.</summary>
    /// <param name="rig">The network.</param>
    /// <param name="port">The server's.</param>
    /// <param name="clients">Connections.</param>
    /// <param name="pipeline">Requests that a client sends before it waits for answers.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="earlier">An earlier run, which tells how many requests that is; null for a first run, which also sets the key.</param>
    public static LoadResult Redis(NetworkRig rig, int port, int clients, int pipeline, int seconds, LoadResult? earlier)
    {
        const int FirstRequests = 3000, MostSlowdown = 20;
        LoadResult Run(string test, long requests)
        {
            CommandResult result = rig.Run(
                "redis-benchmark",
                ["-h", $"{NetworkRig.Guest}", "-p", $"{port}", "-c", $"{clients}", "-P", $"{pipeline}", "-t", test, "-n", $"{requests}", "--csv"],
                TimeSpan.FromSeconds(MostSlowdown * seconds) + Slack);
            return ParseRedis(result.Output, test, requests) ?? throw CommandRunner.Failure("The load could not be put on the server", "redis-benchmark", result);
        }
        if (earlier is not null)
            return Run("get", Math.Max(FirstRequests, (long)(earlier.PerSecond * seconds)));
        Run("set", FirstRequests);
        return Run("get", FirstRequests * pipeline);
    }

    /// <summary>Transfers zeros between this machine and Tests/Wire/server.c for about a time. Bytes take the place of requests.</summary>
    /// <param name="guest">The guest.</param>
    /// <param name="isToGuest">The direction.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="earlier">An earlier run, which tells how many bytes that is; null for a first run.</param>
    public static LoadResult Bulk(NetworkGuest guest, bool isToGuest, int seconds, LoadResult? earlier)
    {
        const long FirstBytes = 32 << 20;
        long count = earlier is null ? FirstBytes : Math.Max(FirstBytes, (long)(earlier.PerSecond * seconds));
        Stopwatch watch = Stopwatch.StartNew();
        using Socket socket = guest.Connect(isToGuest ? WirePort.Discard : WirePort.Zeros, Slack);
        socket.SendTimeout = socket.ReceiveTimeout = (int)Slack.TotalMilliseconds;
        byte[] block = new byte[1 << 18];
        if (isToGuest)
        {
            for (long rest = count; rest > 0;)
                rest -= socket.Send(block.AsSpan(0, (int)Math.Min(rest, block.Length)));
            socket.Shutdown(SocketShutdown.Send);
            string answer = WireSession.ReadToEnd(socket);
            WireSession.Require(answer == $"{count}", $"the guest received {answer} bytes of {count}");
        }
        else
        {
            WireSession.Ask(socket, $"{count}\n");
            long received = 0;
            int size;
            while ((size = socket.Receive(block)) > 0)
                received += size;
            WireSession.Require(received == count, $"{received} bytes arrived of {count}");
        }
        return new LoadResult(count, count / watch.Elapsed.TotalSeconds, double.NaN, double.NaN, 0);
    }

    /// <summary>Reads what wrk printed; null when it did not get to the end.</summary>
    internal static LoadResult? ParseWrk(string output)
    {
        if (WrkRequests().Match(output) is not { Success: true } requests || WrkRate().Match(output) is not { Success: true } rate)
            return null;
        long errors = 0;
        foreach (Match failed in WrkErrors().Matches(output))
            errors += failed.Groups.Values.Skip(1).Where(group => group.Success).Sum(group => long.Parse(group.Value, CultureInfo.InvariantCulture));
        return new LoadResult(
            long.Parse(requests.Groups[1].Value, CultureInfo.InvariantCulture), double.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture),
            Percentile(output, "50"), Percentile(output, "99"), errors);
    }

    /// <summary>Reads the line of a test that redis-benchmark printed; null when there is none.</summary>
    internal static LoadResult? ParseRedis(string output, string test, long requests)
    {
        string? line = output.Split('\n').LastOrDefault(line => line.StartsWith($"\"{test}\"", StringComparison.OrdinalIgnoreCase));
        double[] values = line is null ? [] : [.. line.Split(',').Skip(1).Select(field => double.Parse(field.Trim().Trim('"'), CultureInfo.InvariantCulture))];
        // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
        return values is [var rate, _, _, var median, _, var percentile, ..] ? new LoadResult(requests, rate, median, percentile, 0) : null;
    }

    private static double Percentile(string output, string percent)
    {
        Match match = Regex.Match(output, $@"^\s+{percent}%\s+([0-9.]+)(us|ms|s|m)\s*$", RegexOptions.Multiline);
        if (!match.Success)
            return double.NaN;
        double value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "us" => value / 1000,
            "ms" => value,
            "s" => value * 1000,
            _ => value * 60_000,
        };
    }

    [GeneratedRegex(@"^\s*(\d+) requests in ", RegexOptions.Multiline)]
    private static partial Regex WrkRequests();

    [GeneratedRegex(@"^Requests/sec:\s+([0-9.]+)", RegexOptions.Multiline)]
    private static partial Regex WrkRate();

    [GeneratedRegex(@"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)|Non-2xx or 3xx responses: (\d+)")]
    private static partial Regex WrkErrors();
}
