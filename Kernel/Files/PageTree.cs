// The pages of a file by their index: a radix tree, as tall as the highest page needs, so that sparse files cost little.
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>Maps page numbers to pages; it owns a reference on each. An empty tree and one that holds only page 0 need no node.</summary>
public unsafe struct PageTree
{
    private const int BitsPerLevel = 6;
    private const int SlotsPerNode = 1 << BitsPerLevel;

    private struct Node
    {
        public fixed ulong Slots[SlotsPerNode];
    }

    // At height 0 the root is page 0 itself, otherwise a Node*. A slot is 0, a Node*, or at the lowest level a physical address.
    private ulong _root;
    private int _height;

    /// <summary>Pages that the nodes of all trees take.</summary>
    public static ulong NodePages => Pool<Node>.PageCount;

    /// <summary>How many pages it holds.</summary>
    public ulong Count { get; private set; }

    /// <summary>The page of an index, or None.</summary>
    public readonly PhysicalAddress Find(ulong index)
    {
        if (_height == 0)
            return new PhysicalAddress(index == 0 ? _root : 0);
        return FindBelow(index);
    }

    /// <summary>
    /// Puts a page where none is; its reference becomes the tree's. False when out of memory.
    /// </summary>
    public bool Insert(ulong index, PhysicalAddress page)
    {
        while (!Covers(_height, index))
        {
            if (_root != 0)
            {
                Node* top = Pool<Node>.Allocate();
                if (top == null)
                    return false;
                top->Slots[0] = _root;
                _root = (ulong)top;
            }
            _height++;
        }
        ulong* slot = Slot(index);
        if (slot == null)
            return false;
        *slot = page.Value;
        Count++;
        return true;
    }

    /// <summary>Releases every page from <paramref name="first"/> on, up to <paramref name="last"/> included, and nodes that become empty.</summary>
    public void Remove(ulong first, ulong last)
    {
        if (_root == 0 || first > last)
            return;
        if (_height == 0)
        {
            if (first == 0)
                Drop(ref _root);
        }
        else if (RemoveBelow((Node*)_root, _height, 0, first, last))
        {
            Pool<Node>.Free((Node*)_root);
            _root = 0;
        }
        if (_root == 0)
            _height = 0;
    }

    /// <summary>The lowest index from <paramref name="first"/> on that has a page; <see cref="ulong.MaxValue"/> when there is none.</summary>
    public readonly ulong Next(ulong first)
    {
        if (_root == 0 || !Covers(_height, first))
            return ulong.MaxValue;
        return _height == 0 ? 0 : NextBelow((Node*)_root, _height, 0, first);
    }

    private static bool Covers(int height, ulong index) => height * BitsPerLevel >= 64 || index >> height * BitsPerLevel == 0;

    private readonly PhysicalAddress FindBelow(ulong index)
    {
        ulong at = _root;
        if (!Covers(_height, index))
            return PhysicalAddress.None;
        for (int level = _height; level > 0 && at != 0; level--)
            at = ((Node*)at)->Slots[SlotOf(index, level)];
        return new PhysicalAddress(at);
    }

    private static int SlotOf(ulong index, int level) => (int)(index >> (level - 1) * BitsPerLevel) & (SlotsPerNode - 1);

    private ulong* Slot(ulong index)
    {
        var slot = (ulong*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _root);
        for (int level = _height; level > 0; level--)
        {
            if (*slot == 0 && (*slot = (ulong)Pool<Node>.Allocate()) == 0)
                return null;
            slot = &((Node*)*slot)->Slots[SlotOf(index, level)];
        }
        return slot;
    }

    private void Drop(ref ulong slot)
    {
        PageFrame.Release(new PhysicalAddress(slot));
        slot = 0;
        Count--;
    }

    // Returns whether the node is empty now. The recursion is at most eleven deep: 64 bits of index by six.
    private bool RemoveBelow(Node* node, int level, ulong start, ulong first, ulong last)
    {
        ulong span = 1ul << (level - 1) * BitsPerLevel;
        bool isEmpty = true;
        for (int i = 0; i < SlotsPerNode; i++, start += span)
        {
            ref ulong slot = ref node->Slots[i];
            if (slot == 0)
                continue;
            bool isTouched = start <= last && start + (span - 1) >= first;
            if (isTouched && level == 1)
            {
                Drop(ref slot);
            }
            else if (isTouched && RemoveBelow((Node*)slot, level - 1, start, first, last))
            {
                Pool<Node>.Free((Node*)slot);
                slot = 0;
            }
            isEmpty &= slot == 0;
        }
        return isEmpty;
    }

    private static ulong NextBelow(Node* node, int level, ulong start, ulong first)
    {
        ulong span = 1ul << (level - 1) * BitsPerLevel;
        for (int i = 0; i < SlotsPerNode; i++, start += span)
        {
            ulong slot = node->Slots[i];
            if (slot == 0 || start + (span - 1) < first)
                continue;
            if (level == 1)
                return start;
            ulong found = NextBelow((Node*)slot, level - 1, start, first);
            if (found != ulong.MaxValue)
                return found;
        }
        return ulong.MaxValue;
    }
}
