// The commands on keys. Source of truth: the command reference of Redis, by name.

using System.Runtime.CompilerServices;
using KeyValue.Storage;

namespace KeyValue.Commands;

internal static class KeyCommands
{
    private const long NoKey = -2, NoExpiry = -1;

    public static void Del(in Request request)
    {
        int removed = 0;
        for (int index = 1; index < request.Count; index++)
            removed += request.Store.Remove(request[index]) ? 1 : 0;
        request.Reply.Integer(removed);
    }

    public static void Exists(in Request request)
    {
        int found = 0;
        for (int index = 1; index < request.Count; index++)
            found += Unsafe.IsNullRef(ref request.Store.Find(request[index])) ? 0 : 1;
        request.Reply.Integer(found);
    }

    public static void Type(in Request request) =>
        request.Reply.Status(Unsafe.IsNullRef(ref request.Store.Find(request[1])) ? "none"u8 : "string"u8);

    public static void Expire(in Request request) => SetExpiry(request, Expiry.Unit.Seconds, "expire"u8);

    public static void PExpire(in Request request) => SetExpiry(request, Expiry.Unit.Milliseconds, "pexpire"u8);

    public static void Ttl(in Request request)
    {
        long left = TimeLeft(request);
        request.Reply.Integer(left < 0 ? left : (left + 500) / 1000);
    }

    public static void PTtl(in Request request) => request.Reply.Integer(TimeLeft(request));

    public static void Persist(in Request request)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        bool ends = !Unsafe.IsNullRef(ref entry) && entry.Expires != 0;
        if (ends)
            request.Store.SetExpiry(ref entry, 0);
        request.Reply.Integer(ends ? 1 : 0);
    }

    public static void Keys(in Request request)
    {
        int count = 0, position = 0;
        for (ref Store.Entry entry = ref request.Store.Next(ref position); !Unsafe.IsNullRef(ref entry); entry = ref request.Store.Next(ref position))
            count += Pattern.Matches(request[1], entry.Key) ? 1 : 0;
        request.Reply.Array(count);
        position = 0;
        for (ref Store.Entry entry = ref request.Store.Next(ref position); !Unsafe.IsNullRef(ref entry); entry = ref request.Store.Next(ref position))
            if (Pattern.Matches(request[1], entry.Key))
                request.Reply.Bulk(entry.Key);
    }

    private static long TimeLeft(in Request request)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        if (Unsafe.IsNullRef(ref entry))
            return NoKey;
        return entry.Expires == 0 ? NoExpiry : entry.Expires - request.Store.Now;
    }

    private static void SetExpiry(in Request request, Expiry.Unit unit, ReadOnlySpan<byte> command)
    {
        if (!Numbers.TryParse(request[2], out long given))
        {
            request.NotAnInteger();
            return;
        }
        bool onlyNew = false, onlyOld = false, onlyLater = false, onlySooner = false;
        for (int index = 3; index < request.Count; index++)
        {
            if (request.Is(index, "NX"u8))
                onlyNew = true;
            else if (request.Is(index, "XX"u8))
                onlyOld = true;
            else if (request.Is(index, "GT"u8))
                onlyLater = true;
            else if (request.Is(index, "LT"u8))
                onlySooner = true;
            else
            {
                request.Reply.Error([.. "ERR Unsupported option "u8, .. request[index]]);
                return;
            }
        }
        if (onlyNew && (onlyOld || onlyLater || onlySooner))
        {
            request.Reply.Error("ERR NX and XX, GT or LT options at the same time are not compatible"u8);
            return;
        }
        if (onlyLater && onlySooner)
        {
            request.Reply.Error("ERR GT and LT options at the same time are not compatible"u8);
            return;
        }
        if (!Expiry.TryAbsolute(request, given, unit, out long expires))
        {
            Expiry.Invalid(request, command);
            return;
        }
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        if (Unsafe.IsNullRef(ref entry)
            || (onlyNew && entry.Expires != 0) || (onlyOld && entry.Expires == 0)
            || (onlyLater && (entry.Expires == 0 || expires <= entry.Expires)) || (onlySooner && entry.Expires != 0 && expires >= entry.Expires))
        {
            request.Reply.Integer(0);
            return;
        }
        if (expires <= request.Store.Now)
            request.Store.Remove(request[1]);
        else
            request.Store.SetExpiry(ref entry, expires);
        request.Reply.Integer(1);
    }
}
