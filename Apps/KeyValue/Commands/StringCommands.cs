// The commands on values. Source of truth: the command reference of Redis, by name.

using System.Buffers.Text;
using System.Runtime.CompilerServices;
using KeyValue.Storage;

namespace KeyValue.Commands;

internal static class StringCommands
{
    private const int LongestNumber = 20;

    public static void Get(in Request request)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        Answer(request, ref entry);
    }

    public static void MGet(in Request request)
    {
        request.Reply.Array(request.Count - 1);
        for (int index = 1; index < request.Count; index++)
            Answer(request, ref request.Store.Find(request[index]));
    }

    public static void GetDel(in Request request)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        Answer(request, ref entry);
        if (!Unsafe.IsNullRef(ref entry))
            request.Store.Remove(request[1]);
    }

    public static void StrLen(in Request request)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        request.Reply.Integer(Unsafe.IsNullRef(ref entry) ? 0 : entry.ValueLength);
    }

    public static void Set(in Request request)
    {
        if (request.Count == 3)
        {
            Store(request, expires: 0);
            return;
        }
        bool onlyNew = false, onlyOld = false, keepsExpiry = false, answersOld = false;
        long expires = 0;
        for (int index = 3; index < request.Count; index++)
        {
            if (request.Is(index, "NX"u8))
                onlyNew = true;
            else if (request.Is(index, "XX"u8))
                onlyOld = true;
            else if (request.Is(index, "KEEPTTL"u8))
                keepsExpiry = true;
            else if (request.Is(index, "GET"u8))
                answersOld = true;
            else if (expires == 0 && index + 1 < request.Count && Expiry.TryUnit(request[index], out Expiry.Unit unit))
            {
                if (!Expiry.TryRead(request, ++index, unit, "set"u8, out expires))
                    return;
            }
            else
            {
                request.SyntaxError();
                return;
            }
        }
        if ((onlyNew && onlyOld) || (keepsExpiry && expires != 0))
        {
            request.SyntaxError();
            return;
        }
        ref Store.Entry old = ref request.Store.Find(request[1]);
        bool exists = !Unsafe.IsNullRef(ref old);
        if (answersOld)
            Answer(request, ref old);
        if (exists ? onlyNew : onlyOld)
        {
            if (!answersOld)
                request.Reply.Null();
            return;
        }
        if (keepsExpiry && exists)
            expires = old.Expires;
        if (!answersOld)
            Store(request, expires);
        else
            request.Store.Set(request[1], request[2], expires);
    }

    public static void MSet(in Request request)
    {
        if (request.Count % 2 == 0)
        {
            CommandTable.WrongArity(request, "mset");
            return;
        }
        for (int index = 1; index < request.Count; index += 2)
        {
            if (!request.Store.Set(request[index], request[index + 1], expires: 0))
            {
                request.OutOfMemory();
                return;
            }
        }
        request.Reply.Ok();
    }

    public static void Append(in Request request)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        int length = (Unsafe.IsNullRef(ref entry) ? 0 : entry.ValueLength) + request[2].Length;
        if (length > request.Database.Settings.MaxValue)
            request.Reply.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)"u8);
        else if (Unsafe.IsNullRef(ref entry) ? request.Store.Set(request[1], request[2], expires: 0) : request.Store.Append(ref entry, request[2]))
            request.Reply.Integer(length);
        else
            request.OutOfMemory();
    }

    public static void Incr(in Request request) => Add(request, 1);

    public static void Decr(in Request request) => Add(request, -1);

    public static void IncrBy(in Request request)
    {
        if (Numbers.TryParse(request[2], out long change))
            Add(request, change);
        else
            request.NotAnInteger();
    }

    public static void DecrBy(in Request request)
    {
        if (!Numbers.TryParse(request[2], out long change))
            request.NotAnInteger();
        else if (change == long.MinValue)
            request.Reply.Error("ERR decrement would overflow"u8);
        else
            Add(request, -change);
    }

    private static void Add(in Request request, long change)
    {
        ref Store.Entry entry = ref request.Store.Find(request[1]);
        long value = 0, expires = 0;
        if (!Unsafe.IsNullRef(ref entry))
        {
            expires = entry.Expires;
            if (!Numbers.TryParse(entry.Value, out value))
            {
                request.NotAnInteger();
                return;
            }
        }
        long result = value + change;
        if (change < 0 ? result > value : result < value)
        {
            request.Reply.Error("ERR increment or decrement would overflow"u8);
            return;
        }
        Span<byte> text = stackalloc byte[LongestNumber];
        Utf8Formatter.TryFormat(result, text, out int length);
        if (request.Store.Set(request[1], text[..length], expires))
            request.Reply.Integer(result);
        else
            request.OutOfMemory();
    }

    private static void Store(in Request request, long expires)
    {
        if (request.Store.Set(request[1], request[2], expires))
            request.Reply.Ok();
        else
            request.OutOfMemory();
    }

    private static void Answer(in Request request, ref Store.Entry entry)
    {
        if (Unsafe.IsNullRef(ref entry))
        {
            request.Database.Misses++;
            request.Reply.Null();
            return;
        }
        request.Database.Hits++;
        request.Reply.Bulk(entry.Value);
    }
}
