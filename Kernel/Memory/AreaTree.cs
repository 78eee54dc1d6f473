// The areas of an address space, ordered by address: a list for neighbours and an AVL tree for search. Each node knows the largest gap below an
// area of its subtree, so the highest hole that is large enough is found in logarithmic time.
// Source of truth: G. Adelson-Velsky, E. Landis (1962); the gap search follows the idea of Linux's vm_unmapped_area.
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Memory;

/// <summary>An ordered set of areas that do not overlap. Allocates nothing.</summary>
internal unsafe struct AreaTree
{
    private VirtualMemoryArea* _root;

    /// <summary>The lowest area, or null.</summary>
    internal VirtualMemoryArea* First { get; private set; }

    /// <summary>The highest area, or null.</summary>
    internal VirtualMemoryArea* Last { get; private set; }

    /// <summary>How many areas there are.</summary>
    internal int Count { get; private set; }

    /// <summary>The lowest area that ends above the address: the one that contains it, or else the next one upwards. Null when there is none.</summary>
    internal readonly VirtualMemoryArea* FindAtOrAbove(ulong address)
    {
        VirtualMemoryArea* found = null;
        VirtualMemoryArea* node = _root;
        while (node != null)
        {
            if (node->End > address)
            {
                found = node;
                if (node->Start <= address)
                    break;
                node = node->Left;
            }
            else
                node = node->Right;
        }
        return found;
    }

    /// <summary>Adds an area just below <paramref name="next"/> (null: at the upper end). It overlaps none.</summary>
    internal void Insert(VirtualMemoryArea* area, VirtualMemoryArea* next)
    {
        VirtualMemoryArea* previous = next == null ? Last : next->Previous;
        area->Previous = previous;
        area->Next = next;
        area->Left = null;
        area->Right = null;
        if (previous == null)
            First = area;
        else
            previous->Next = area;
        if (next == null)
            Last = area;
        else
            next->Previous = area;
        Count++;

        // Of two neighbours in order, either the lower one has no right child or the upper one no left child.
        if (previous != null && previous->Right == null)
        {
            previous->Right = area;
            area->Parent = previous;
        }
        else if (next != null)
        {
            next->Left = area;
            area->Parent = next;
        }
        else
        {
            _root = area;
            area->Parent = null;
        }
        area->Height = 0;
        area->Gap = GapBelow(area);
        Rebalance(area);
        if (next != null)
            UpdateGap(next);
    }

    /// <summary>Takes an area out.</summary>
    internal void Remove(VirtualMemoryArea* area)
    {
        VirtualMemoryArea* next = area->Next;
        if (area->Previous == null)
            First = next;
        else
            area->Previous->Next = next;
        if (next == null)
            Last = area->Previous;
        else
            next->Previous = area->Previous;
        Count--;

        VirtualMemoryArea* lowestChanged;
        if (area->Left != null && area->Right != null)
        {
            // The next area upwards is the lowest of the right subtree; it takes this one's place.
            lowestChanged = next->Parent == area ? next : next->Parent;
            if (next->Parent != area)
            {
                Replace(next, next->Right);
                next->Right = area->Right;
                next->Right->Parent = next;
            }
            next->Left = area->Left;
            next->Left->Parent = next;
            Replace(area, next);
            // Both, so that the nodes above learn of a change by comparison with what they know.
            next->Height = area->Height;
            next->LargestGap = area->LargestGap;
        }
        else
        {
            lowestChanged = area->Parent;
            Replace(area, area->Left != null ? area->Left : area->Right);
        }
        Rebalance(lowestChanged);
        if (next != null)
        {
            next->Gap = GapBelow(next);
            PropagateGap(next);
        }
    }

    /// <summary>To be called after an area's bounds changed: they decide the gaps below it and below the next one.</summary>
    internal static void BoundsChanged(VirtualMemoryArea* area)
    {
        UpdateGap(area);
        if (area->Next != null)
            UpdateGap(area->Next);
    }

    /// <summary>
    /// The highest address at which <paramref name="length"/> bytes are free within [<paramref name="low"/>, <paramref name="high"/>), or 0 when there is no
    /// such hole.
    /// </summary>
    internal readonly ulong FindGap(ulong length, ulong low, ulong high)
    {
        if (high < length || high - length < low)
            return 0;
        ulong above = Last == null ? 0 : Last->End;
        if (above <= high - length)
            return high - length;

        VirtualMemoryArea* node = _root;
        while (node->LargestGap >= length)
        {
            // Upwards first, as long as the gaps there begin low enough.
            if (node->Right != null && node->Right->LargestGap >= length && node->End <= high - length)
            {
                node = node->Right;
                continue;
            }
            while (true)
            {
                ulong end = node->GuardedStart;
                if (end < length || end - length < low)
                    return 0;
                ulong begin = node->Previous == null ? 0 : node->Previous->End;
                ulong top = end < high ? end : high;
                if (begin <= top - length)
                    return top - length;
                if (node->Left != null && node->Left->LargestGap >= length)
                {
                    node = node->Left;
                    break;
                }
                // Back to the first ancestor that lies below what was searched.
                VirtualMemoryArea* child;
                do
                {
                    child = node;
                    node = node->Parent;
                    if (node == null)
                        return 0;
                }
                while (node->Left == child);
            }
        }
        return 0;
    }

    private static ulong GapBelow(VirtualMemoryArea* area)
    {
        ulong begin = area->Previous == null ? 0 : area->Previous->End;
        ulong end = area->GuardedStart;
        return end > begin ? end - begin : 0;
    }

    private static int HeightOf(VirtualMemoryArea* node) => node == null ? 0 : node->Height;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LargestGapOf(VirtualMemoryArea* node)
    {
        ulong largest = node->Gap;
        VirtualMemoryArea* left = node->Left;
        VirtualMemoryArea* right = node->Right;
        if (left != null && left->LargestGap > largest)
            largest = left->LargestGap;
        if (right != null && right->LargestGap > largest)
            largest = right->LargestGap;
        return largest;
    }

    /// <summary>Finds out the gap below an area again and tells the nodes above it in the tree.</summary>
    private static void UpdateGap(VirtualMemoryArea* node)
    {
        ulong gap = GapBelow(node);
        if (node->Gap == gap)
            return;
        node->Gap = gap;
        PropagateGap(node);
    }

    private static void PropagateGap(VirtualMemoryArea* node)
    {
        for (; node != null; node = node->Parent)
        {
            ulong largest = LargestGapOf(node);
            if (node->LargestGap == largest)
                return;
            node->LargestGap = largest;
        }
    }

    private static void UpdateNode(VirtualMemoryArea* node)
    {
        int left = HeightOf(node->Left);
        int right = HeightOf(node->Right);
        node->Height = 1 + (left > right ? left : right);
        node->LargestGap = LargestGapOf(node);
    }

    /// <summary>Restores heights, balance and gaps from a node upwards, until one is as it was before.</summary>
    private void Rebalance(VirtualMemoryArea* node)
    {
        while (node != null)
        {
            int left = HeightOf(node->Left);
            int right = HeightOf(node->Right);
            if (left > right + 1)
            {
                if (HeightOf(node->Left->Left) < HeightOf(node->Left->Right))
                    RotateLeft(node->Left);
                node = RotateRight(node);
            }
            else if (right > left + 1)
            {
                if (HeightOf(node->Right->Right) < HeightOf(node->Right->Left))
                    RotateRight(node->Right);
                node = RotateLeft(node);
            }
            else
            {
                int height = 1 + (left > right ? left : right);
                ulong largest = LargestGapOf(node);
                if (node->Height == height && node->LargestGap == largest)
                    return;
                node->Height = height;
                node->LargestGap = largest;
            }
            node = node->Parent;
        }
    }

    private VirtualMemoryArea* RotateLeft(VirtualMemoryArea* node)
    {
        VirtualMemoryArea* pivot = node->Right;
        Replace(node, pivot);
        node->Right = pivot->Left;
        if (node->Right != null)
            node->Right->Parent = node;
        pivot->Left = node;
        node->Parent = pivot;
        UpdateNode(node);
        UpdateNode(pivot);
        return pivot;
    }

    private VirtualMemoryArea* RotateRight(VirtualMemoryArea* node)
    {
        VirtualMemoryArea* pivot = node->Left;
        Replace(node, pivot);
        node->Left = pivot->Right;
        if (node->Left != null)
            node->Left->Parent = node;
        pivot->Right = node;
        node->Parent = pivot;
        UpdateNode(node);
        UpdateNode(pivot);
        return pivot;
    }

    /// <summary>Puts <paramref name="with"/> (may be null) where <paramref name="node"/> hangs.</summary>
    private void Replace(VirtualMemoryArea* node, VirtualMemoryArea* with)
    {
        VirtualMemoryArea* parent = node->Parent;
        if (parent == null)
            _root = with;
        else if (parent->Left == node)
            parent->Left = with;
        else
            parent->Right = with;
        if (with != null)
            with->Parent = parent;
    }
}
