using Ukl.Kernel.Arch;
namespace Ukl.Kernel.Time;
public unsafe struct Timer { public delegate*<Timer*, void> Callback; public void* Context; public ulong Deadline; internal Timer* Next; internal bool Active; }
public static unsafe class Timers
{
    static Timer* s_first;
    public static void Start(Timer* t, ulong deadline)
    {
        Cancel(t); t->Deadline = deadline; t->Active = true;
        Timer** l = &First()->Next; Timer* head = First();
        Timer* p = head; while (p->Next != null && p->Next->Deadline <= deadline) p = p->Next;
        t->Next = p->Next; p->Next = t; if (head->Next == t) Arm();
    }
    static Timer s_head;
    static Timer* First() => (Timer*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref s_head);
    public static void Cancel(Timer* t) { if (!t->Active) return; Timer* p = First(); while (p->Next != t) p = p->Next; p->Next = t->Next; t->Active = false; }
    public static void RunExpired(ulong now) { Timer* h = First(); while (h->Next != null && h->Next->Deadline <= now) { Timer* t = h->Next; h->Next = t->Next; t->Active = false; t->Callback(t); } Arm(); }
    static void Arm() { Timer* t = First()->Next; if (t == null) return; TimerHardware.SetDeadline(t->Deadline); }
}
