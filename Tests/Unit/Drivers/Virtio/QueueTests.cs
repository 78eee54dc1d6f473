using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Ukl.Drivers.Virtio;
using Ukl.Drivers.Virtio.Queue;
using Xunit;

namespace Ukl.Tests.Unit.Drivers.Virtio;

/// <summary>Both kinds of queue against a device's side that was written from the specification.</summary>
public sealed unsafe class QueueTests
{
    private const ulong AllFeatures = Features.EventIndex | Features.IndirectDescriptors;

    [Theory]
    [InlineData(false, 0ul)]
    [InlineData(true, 0ul)]
    [InlineData(false, AllFeatures)]
    [InlineData(true, AllFeatures)]
    public void A_buffer_reaches_the_device_and_comes_back(bool isPacked, ulong features)
    {
        if (isPacked)
            QueueScenarios<PackedQueue>.ComesBack(features);
        else
            QueueScenarios<SplitQueue>.ComesBack(features);
    }

    [Theory]
    [InlineData(false, 0ul, 3)]
    [InlineData(true, 0ul, 3)]
    [InlineData(false, Features.IndirectDescriptors, 1)]
    [InlineData(true, Features.IndirectDescriptors, 1)]
    public void Segments_keep_their_order_and_direction(bool isPacked, ulong features, int taken)
    {
        if (isPacked)
            QueueScenarios<PackedQueue>.KeepsOrder(features, taken);
        else
            QueueScenarios<SplitQueue>.KeepsOrder(features, taken);
    }

    [Fact]
    public void A_full_queue_refuses_and_takes_again()
    {
        QueueScenarios<SplitQueue>.Fills();
        QueueScenarios<PackedQueue>.Fills();
    }

    /// <summary>
    /// Any order of adding, using and taking: every buffer comes back once, with its length, and with events no side that waits to be told is left waiting.
    /// </summary>
    [Theory]
    [InlineData(0ul)]
    [InlineData(Features.EventIndex)]
    [InlineData(AllFeatures)]
    public void Every_buffer_comes_back_once_and_nobody_waits_in_vain(ulong features)
    {
        Prop.ForAll(Seeds(), seed =>
        {
            QueueScenarios<SplitQueue>.FollowsModel(seed, features);
            QueueScenarios<PackedQueue>.FollowsModel(seed, features);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_device_that_writes_nonsense_gets_no_buffer_twice_and_cannot_hold_the_driver()
    {
        Prop.ForAll(Seeds(), seed =>
        {
            QueueScenarios<SplitQueue>.SurvivesNonsense(seed);
            QueueScenarios<PackedQueue>.SurvivesNonsense(seed);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void After_a_reset_every_buffer_is_given_back()
    {
        QueueScenarios<SplitQueue>.Drains();
        QueueScenarios<PackedQueue>.Drains();
    }

    [Fact]
    public void An_index_that_runs_away_is_a_fault()
    {
        SplitQueue queue = default;
        Assert.True(queue.TryInitialize(8, 0, 0, 0));
        var device = new FakeQueue(isPacked: false, hasEventIndex: false) { Layout = queue.Layout };
        Assert.True(queue.TryAdd(0x1000, 8, true, null));
        queue.Publish();
        *(ushort*)(device.Device + 2) = 2;
        Assert.False(queue.TryTake(out _, out _));
        Assert.Equal(QueueFault.EndlessRing, queue.Fault);
        queue.Free();
    }

    private static Arbitrary<int> Seeds() => Gen.Choose(0, int.MaxValue - 1).ToArbitrary();
}

/// <summary>What <see cref="QueueTests"/> checks of one kind of queue.</summary>
internal static unsafe class QueueScenarios<TQueue>
    where TQueue : unmanaged, IVirtQueue
{
    private const ulong AllFeatures = Features.EventIndex | Features.IndirectDescriptors;
    private const int TableCapacity = 6;

    private static bool IsPacked => typeof(TQueue) == typeof(PackedQueue);

    private static FakeQueue Attach(TQueue* queue, ushort size, ulong features)
    {
        Assert.True(queue->TryInitialize(size, features, 3, TableCapacity));
        return new FakeQueue(IsPacked, (features & Features.EventIndex) != 0) { Layout = queue->Layout };
    }

    internal static void ComesBack(ulong features)
    {
        TQueue queue = default;
        FakeQueue device = Attach(&queue, 8, features);
        Assert.Null(device.Pop());
        Assert.True(queue.TryAdd(0x1000, 64, true, (void*)7));
        Assert.True(queue.Publish());
        Assert.False(queue.Publish());
        FakeBuffer buffer = device.Pop()!;
        Assert.Equal([(0x1000ul, 64u, true)], buffer.Segments);
        Assert.False(queue.TryTake(out _, out _));
        device.Push(buffer, 10);
        Assert.True(queue.TryTake(out void* token, out uint length));
        Assert.Equal((7ul, 10u), ((ulong)token, length));
        Assert.Equal(8, queue.FreeCount);
        queue.Free();
    }

    internal static void KeepsOrder(ulong features, int taken)
    {
        TQueue queue = default;
        FakeQueue device = Attach(&queue, 8, features);
        BufferSegment* segments = stackalloc BufferSegment[3];
        for (int i = 0; i < 3; i++)
            segments[i] = new BufferSegment { Address = 0x1000 + (ulong)i, Length = (uint)i + 1 };
        Assert.True(queue.TryAdd(segments, 2, 1, null));
        Assert.Equal(8 - taken, queue.FreeCount);
        queue.Publish();
        Assert.Equal([(0x1000ul, 1u, false), (0x1001ul, 2u, false), (0x1002ul, 3u, true)], device.Pop()!.Segments);
        queue.Free();
    }

    internal static void Fills()
    {
        TQueue queue = default;
        FakeQueue device = Attach(&queue, 4, 0);
        for (int i = 0; i < 4; i++)
            Assert.True(queue.TryAdd(0x1000, 1, false, (void*)i));
        Assert.False(queue.TryAdd(0x1000, 1, false, null));
        queue.Publish();
        device.Push(device.Pop()!, 0);
        Assert.True(queue.TryTake(out _, out _));
        Assert.True(queue.TryAdd(0x1000, 1, false, null));
        queue.Free();
    }

    internal static void FollowsModel(int seed, ulong features)
    {
        var random = new System.Random(seed);
        TQueue queue = default;
        int size = 1 << random.Next(1, 6);
        FakeQueue device = Attach(&queue, (ushort)size, features);
        BufferSegment* segments = stackalloc BufferSegment[TableCapacity + 2];
        var expected = new Dictionary<ulong, (uint Length, uint Writable)>();
        var held = new List<FakeBuffer>();
        ulong nextToken = 1;
        bool isDeviceAwake = false, isDriverAwake = false;
        device.Pop();
        queue.ResumeInterrupts();
        for (int step = 0; step < 600; step++)
        {
            bool isEnding = step >= 400;
            switch (random.Next(isEnding ? 2 : 0, 5))
            {
                case 0 or 1:
                    int count = random.Next(1, Math.Min(size, TableCapacity + 2) + 1);
                    int readable = random.Next(0, count + 1);
                    uint writable = 0;
                    for (int i = 0; i < count; i++)
                    {
                        segments[i] = new BufferSegment { Address = nextToken << 32 | (uint)i, Length = (uint)random.Next(1, 5000) };
                        writable += i >= readable ? segments[i].Length : 0;
                    }
                    bool isAdded = count == 1
                        ? queue.TryAdd(segments[0].Address, segments[0].Length, readable == 0, (void*)nextToken)
                        : queue.TryAdd(segments, readable, count - readable, (void*)nextToken);
                    if (isAdded)
                        expected.Add(nextToken++, (uint.MaxValue, writable));
                    isDeviceAwake |= random.Next(2) == 0 && queue.Publish();
                    break;
                case 2:
                    isDeviceAwake |= queue.Publish();
                    if (!isDeviceAwake)
                        break;
                    FakeBuffer? popped;
                    while ((popped = device.Pop()) != null)
                        held.Add(popped);
                    isDeviceAwake = false;
                    break;
                case 3 when held.Count != 0:
                    int index = random.Next(held.Count);
                    FakeBuffer buffer = held[index];
                    held.RemoveAt(index);
                    ulong token = buffer.Segments[0].Address >> 32;
                    Assert.Equal(expected[token].Writable, buffer.Writable);
                    uint length = buffer.Writable == 0 ? 0 : (uint)random.Next((int)buffer.Writable + 1);
                    expected[token] = (length, buffer.Writable);
                    device.Push(buffer, length);
                    isDriverAwake |= device.IsInterruptPending;
                    device.IsInterruptPending = false;
                    break;
                case 4 when isDriverAwake:
                    isDriverAwake = false;
                    queue.SuspendInterrupts();
                    do
                    {
                        while (queue.TryTake(out void* taken, out uint got))
                        {
                            Assert.Equal(expected[(ulong)taken].Length, got);
                            expected.Remove((ulong)taken);
                        }
                    }
                    while (queue.ResumeInterrupts());
                    break;
            }
        }
        Assert.Equal(QueueFault.None, queue.Fault);
        Assert.Empty(held);
        Assert.Empty(expected);
        Assert.Equal(size, queue.FreeCount);
        queue.Free();
    }

    internal static void SurvivesNonsense(int seed)
    {
        var random = new System.Random(seed);
        TQueue queue = default;
        FakeQueue device = Attach(&queue, 16, AllFeatures);
        var given = new HashSet<ulong>();
        ulong nextToken = 1;
        for (int step = 0; step < 200; step++)
        {
            if (queue.TryAdd(0x1000, 100, true, (void*)nextToken))
                given.Add(nextToken++);
            queue.Publish();
            switch (random.Next(4))
            {
                case 0:
                    Push(device, random.Next(16), 1, (uint)random.Next(101));
                    break;
                case 1:
                    Push(device, random.Next(20), random.Next(1, 4), (uint)random.Next(200));
                    break;
                case 2:
                    device.Device[random.Next(IsPacked ? 4 : 4 + 8 * 16)] = (byte)random.Next(256);
                    break;
                case 3:
                    device.Descriptors[random.Next(16 * 16)] = (byte)random.Next(256);
                    break;
            }
            int takenAtOnce = 0;
            while (queue.TryTake(out void* token, out uint length))
            {
                Assert.True(given.Remove((ulong)token));
                Assert.InRange(length, 0u, 100u);
                Assert.InRange(++takenAtOnce, 1, 16);
            }
            queue.ResumeInterrupts();
        }
        queue.Free();
    }

    private static void Push(FakeQueue device, int id, int count, uint length)
    {
        if (IsPacked)
            device.PushPacked(id, count, length);
        else
            device.PushSplit((uint)id, length);
    }

    internal static void Drains()
    {
        TQueue queue = default;
        FakeQueue device = Attach(&queue, 8, AllFeatures);
        for (ulong i = 1; i <= 5; i++)
            Assert.True(queue.TryAdd(0x1000, 1, true, (void*)i));
        queue.Publish();
        device.Push(device.Pop()!, 1);
        Assert.True(queue.TryTake(out _, out _));
        var drained = new List<ulong>();
        while (queue.TryDrain(out void* token))
            drained.Add((ulong)token);
        Assert.Equal(4, drained.Distinct().Count());
        queue.Free();
    }
}
