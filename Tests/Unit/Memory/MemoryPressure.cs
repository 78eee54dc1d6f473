using System;
using System.Collections.Generic;
using Ukl.Kernel.Memory;

namespace Ukl.Tests.Unit.Memory;

/// <summary>Takes all physical memory but a few pages, so that the code under test really runs out; gives it back on disposal.</summary>
public sealed class MemoryPressure : IDisposable
{
    private readonly List<(PhysicalAddress Block, int Order)> _taken = [];

    public MemoryPressure(int pagesLeft)
    {
        for (int order = PageAllocator.MaximumOrder; order >= 0; order--)
        {
            while (true)
            {
                PhysicalAddress block = PageAllocator.Allocate(order);
                if (block.IsNone)
                    break;
                _taken.Add((block, order));
            }
        }
        // The last block that is large enough is given back page by page: its order-0 pages are the ones left.
        while (pagesLeft > 0)
        {
            int last = _taken.FindLastIndex(block => 1 << block.Order <= pagesLeft);
            if (last < 0)
            {
                last = _taken.Count - 1;
                (PhysicalAddress big, int order) = _taken[last];
                _taken.RemoveAt(last);
                PageAllocator.Free(big, order);
                PhysicalAddress half = PageAllocator.Allocate(order - 1);
                PhysicalAddress other = PageAllocator.Allocate(order - 1);
                _taken.Add((half, order - 1));
                _taken.Add((other, order - 1));
                continue;
            }
            pagesLeft -= 1 << _taken[last].Order;
            PageAllocator.Free(_taken[last].Block, _taken[last].Order);
            _taken.RemoveAt(last);
        }
    }

    public void Dispose()
    {
        foreach ((PhysicalAddress block, int order) in _taken)
            PageAllocator.Free(block, order);
    }
}
