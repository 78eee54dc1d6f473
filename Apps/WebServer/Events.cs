// Server-Sent Events: /events?count=N&interval=MS sends a numbered tick per interval, each as soon as it is there.

using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace WebServer;

internal static class Events
{
    public static void MapEvents(this WebApplication app) =>
        app.MapGet("/events", (CancellationToken aborted, IHostApplicationLifetime lifetime, int count = 10, int interval = 1000) =>
            TypedResults.ServerSentEvents(Ticks(count, TimeSpan.FromMilliseconds(Math.Max(interval, 1)), lifetime.ApplicationStopping, aborted)));

    /// <summary>Ends early when the client leaves or the server stops.</summary>
    private static async IAsyncEnumerable<SseItem<string>> Ticks(
        int count, TimeSpan interval, CancellationToken stopping, [EnumeratorCancellation] CancellationToken aborted)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
        using PeriodicTimer timer = new(interval);
        for (int number = 1; number <= count; number++)
        {
            yield return new SseItem<string>($"tick {number}") { EventId = $"{number}" };
            try
            {
                if (number == count || !await timer.WaitForNextTickAsync(ended.Token))
                    yield break;
            }
            catch (OperationCanceledException)
            {
                yield break;
            }
        }
    }
}
