// A page of the tour: handing work from one side to the other.

using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Ukl.Tour.Pages;

internal sealed class ChannelsPage : Page
{
    public override string Name => "channels";

    public override string About => "handing work from one side to the other";

    public override void Visit(Guide guide)
    {
        guide.Equal(4_999_950_000L * 2, PassAlong().GetAwaiter().GetResult(), "two producers and three consumers over a bounded channel");

        Channel<int> latest = Channel.CreateBounded<int>(new BoundedChannelOptions(2) { FullMode = BoundedChannelFullMode.DropOldest });
        for (int i = 0; i < 5; i++)
            latest.Writer.TryWrite(i);
        guide.Check(latest.Reader.TryRead(out int oldest) && oldest == 3, "a full channel drops the oldest");

        using BlockingCollection<string> queue = new(4);
        Task<string> reader = Task.Run(() => string.Concat(queue.GetConsumingEnumerable()));
        foreach (char letter in "blocking collection")
            queue.Add(letter.ToString());
        queue.CompleteAdding();
        guide.Equal("blocking collection", reader.Result, "a blocking collection hands over in order");
    }

    private static async Task<long> PassAlong()
    {
        Channel<int> channel = Channel.CreateBounded<int>(50);
        Task[] producers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 100_000; i++)
                await channel.Writer.WriteAsync(i);
        }))];
        Task<long>[] consumers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            long sum = 0;
            await foreach (int item in channel.Reader.ReadAllAsync())
                sum += item;
            return sum;
        }))];
        await Task.WhenAll(producers);
        channel.Writer.Complete();
        return (await Task.WhenAll(consumers)).Sum();
    }
}
