// A pairing heap. Source: Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap: a new form of self-adjusting heap", Algorithmica 1 (1986).
namespace Ukl.Kernel.Time;

/// <summary>
/// Timers ordered by deadline. The links are in the timers themselves. Adding takes constant time, removing logarithmic time on average; most timers are
/// time limits that are cancelled long before they are due, and those hardly cost anything here.
/// </summary>
public unsafe struct TimerHeap
{
    private Timer* _root;

    /// <summary>The timer that is due first, or null.</summary>
    public readonly Timer* First => _root;

    /// <summary>Adds a timer that does not run, with its deadline set.</summary>
    public void Add(Timer* timer)
    {
        timer->Child = null;
        timer->Next = null;
        SetRoot(_root == null ? timer : Meld(_root, timer));
    }

    /// <summary>Removes a running timer.</summary>
    public void Remove(Timer* timer)
    {
        Timer* rest = Combine(timer->Child);
        if (timer == _root)
        {
            SetRoot(rest);
        }
        else
        {
            if (timer->Previous->Child == timer)
                timer->Previous->Child = timer->Next;
            else
                timer->Previous->Next = timer->Next;
            if (timer->Next != null)
                timer->Next->Previous = timer->Previous;
            if (rest != null)
                SetRoot(Meld(_root, rest));
        }
        timer->Child = null;
        timer->Next = null;
        timer->Previous = null;
    }

    private void SetRoot(Timer* root)
    {
        _root = root;
        if (root != null)
        {
            root->Previous = root;
            root->Next = null;
        }
    }

    /// <summary>Makes the later of two roots the first child of the earlier. Of equals the first given stays on top.</summary>
    private static Timer* Meld(Timer* left, Timer* right)
    {
        if (right->Deadline < left->Deadline)
        {
            Timer* earlier = right;
            right = left;
            left = earlier;
        }
        right->Next = left->Child;
        if (right->Next != null)
            right->Next->Previous = right;
        right->Previous = left;
        left->Child = right;
        return left;
    }

    /// <summary>Makes one heap of a list of siblings: in pairs from the left, then the pairs from the right. Null for an empty list.</summary>
    private static Timer* Combine(Timer* siblings)
    {
        Timer* pairs = null;
        while (siblings != null)
        {
            Timer* left = siblings;
            Timer* right = left->Next;
            siblings = right == null ? null : right->Next;
            Timer* pair = right == null ? left : Meld(left, right);
            pair->Next = pairs;
            pairs = pair;
        }

        Timer* root = pairs;
        if (root == null)
            return null;
        pairs = root->Next;
        while (pairs != null)
        {
            Timer* next = pairs->Next;
            root = Meld(root, pairs);
            pairs = next;
        }
        root->Next = null;
        return root;
    }
}
