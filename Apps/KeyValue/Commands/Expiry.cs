// Times at which keys end: EX, PX, EXAT and PXAT of SET, EXPIRE and its kin. Source of truth: the command reference of Redis, SET and EXPIRE.

namespace KeyValue.Commands;

/// <summary>Reads times of expiry.</summary>
internal static class Expiry
{
    private const long MillisecondsPerSecond = 1000;

    /// <summary>How a time is given.</summary>
    internal enum Unit
    {
        /// <summary>Seconds from now.</summary>
        Seconds,

        /// <summary>Milliseconds from now.</summary>
        Milliseconds,

        /// <summary>Seconds since 1970.</summary>
        SecondsAt,

        /// <summary>Milliseconds since 1970.</summary>
        MillisecondsAt,
    }

    /// <summary>The unit that a word of SET stands for.</summary>
    public static bool TryUnit(ReadOnlySpan<byte> word, out Unit unit)
    {
        unit = Unit.Seconds;
        if (System.Text.Ascii.EqualsIgnoreCase(word, "EX"u8))
            return true;
        unit = Unit.Milliseconds;
        if (System.Text.Ascii.EqualsIgnoreCase(word, "PX"u8))
            return true;
        unit = Unit.SecondsAt;
        if (System.Text.Ascii.EqualsIgnoreCase(word, "EXAT"u8))
            return true;
        unit = Unit.MillisecondsAt;
        return System.Text.Ascii.EqualsIgnoreCase(word, "PXAT"u8);
    }

    /// <summary>Reads a time that must be positive; answers the error when it is not one.</summary>
    public static bool TryRead(in Request request, int index, Unit unit, ReadOnlySpan<byte> command, out long expires)
    {
        expires = 0;
        if (!Numbers.TryParse(request[index], out long given))
        {
            request.NotAnInteger();
            return false;
        }
        if (given > 0 && TryAbsolute(request, given, unit, out expires))
            return true;
        Invalid(request, command);
        return false;
    }

    /// <summary>The time in milliseconds since 1970, unless that is too large a number.</summary>
    public static bool TryAbsolute(in Request request, long given, Unit unit, out long expires)
    {
        expires = given;
        if (unit is Unit.Seconds or Unit.SecondsAt)
        {
            if (given is > long.MaxValue / MillisecondsPerSecond or < long.MinValue / MillisecondsPerSecond)
                return false;
            expires = given * MillisecondsPerSecond;
        }
        if (unit is Unit.SecondsAt or Unit.MillisecondsAt)
            return true;
        if (expires > long.MaxValue - request.Store.Now)
            return false;
        expires += request.Store.Now;
        return true;
    }

    /// <summary>Answers that a time cannot be.</summary>
    public static void Invalid(in Request request, ReadOnlySpan<byte> command) =>
        request.Reply.Error([.. "ERR invalid expire time in '"u8, .. command, .. "' command"u8]);
}
