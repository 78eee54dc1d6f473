using Ukl.Kernel.Tasks;
using Xunit;

namespace Ukl.Tests.Unit;

public unsafe class WaitQueueTests
{
    [Fact]
    public void Wake_reaches_shared_waiters_and_one_exclusive()
    {
        Thread threads0 = default, threads1 = default, threads2 = default;
        var queue = new WaitQueue();
        var shared = new Waiter { Thread = &threads0, Interest = PollEvents.All };
        var exclusive1 = new Waiter { Thread = &threads1, Interest = PollEvents.All, IsExclusive = true };
        var exclusive2 = new Waiter { Thread = &threads2, Interest = PollEvents.All, IsExclusive = true };
        queue.Add(&shared);
        queue.Add(&exclusive1);
        queue.Add(&exclusive2);

        Assert.Equal(2, queue.Wake());

        Assert.True(threads0.IsWakePending);
        Assert.True(threads1.IsWakePending);
        Assert.False(threads2.IsWakePending);
        WaitQueue.Remove(&exclusive1);
        WaitQueue.Remove(&shared);
        WaitQueue.Remove(&exclusive2);
        Assert.True(queue.IsEmpty);
    }
}
