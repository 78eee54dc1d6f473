// Device: MC146818-compatible real-time clock ("CMOS clock"). Source: Motorola MC146818A datasheet (registers A, B, D; update cycle); the century byte is where the
// ACPI FADT says. QEMU: always there in q35 and pc; -M microvm,rtc=on (the default with -M microvm) or off.
using Ukl.Kernel.Arch;
using Ukl.Kernel.Core;

namespace Ukl.Drivers;

/// <summary>The clock that runs while the machine is off. Taken to hold UTC, as QEMU's does.</summary>
public static unsafe class Rtc
{
    private const ushort Index = 0x70;
    private const ushort Data = 0x71;

    private const byte Seconds = 0x00;
    private const byte Minutes = 0x02;
    private const byte Hours = 0x04;
    private const byte Day = 0x07;
    private const byte Month = 0x08;
    private const byte Year = 0x09;
    private const byte RegisterA = 0x0a;
    private const byte RegisterB = 0x0b;
    private const byte RegisterD = 0x0d;

    private const byte UpdateInProgress = 0x80;
    private const byte Hours24 = 0x02;
    private const byte Binary = 0x04;
    private const byte ReservedD = 0x7f;
    private const byte Afternoon = 0x80;

    /// <summary>An update takes at most 2.3 ms, a read about a microsecond.</summary>
    private const int UpdatePolls = 10_000;
    private const int ReadAttempts = 5;

    /// <summary>Whether the device is there: the reserved bits of register D read as 0, those of an empty bus as 1.</summary>
    public static bool IsPresent => (Read(RegisterD) & ReservedD) == 0 && Read(RegisterA) != 0xff;

    /// <summary>The device as the kernel's real-time clock.</summary>
    public static RealTimeClock Clock => new() { TryRead = &TryRead };

    private struct Fields
    {
        internal int Second;
        internal int Minute;
        internal int Hour;
        internal int Day;
        internal int Month;
        internal int Year;
        internal int Century;
    }

    private static bool TryRead(long* seconds)
    {
        if (Devices.Acpi.HasNoCmosClock)
            return false;
        for (int attempt = 0; attempt < ReadAttempts; attempt++)
        {
            Fields first = ReadFields();
            Fields second = ReadFields();
            // Two readings in a row that agree were not cut by an update.
            if (first.Second == second.Second && first.Minute == second.Minute && first.Hour == second.Hour
                && first.Day == second.Day && first.Month == second.Month && first.Year == second.Year && first.Century == second.Century)
                return TryConvert(first, Read(RegisterB), seconds);
        }
        return false;
    }

    private static Fields ReadFields()
    {
        for (int i = 0; i < UpdatePolls && (Read(RegisterA) & UpdateInProgress) != 0; i++)
            Cpu.Relax();
        byte century = Devices.Acpi.CenturyIndex;
        return new Fields
        {
            Second = Read(Seconds),
            Minute = Read(Minutes),
            Hour = Read(Hours),
            Day = Read(Day),
            Month = Read(Month),
            Year = Read(Year),
            Century = century == 0 ? 0 : Read(century),
        };
    }

    private static bool TryConvert(in Fields raw, byte registerB, long* seconds)
    {
        bool isBinary = (registerB & Binary) != 0;
        bool isAfternoon = (registerB & Hours24) == 0 && (raw.Hour & Afternoon) != 0;
        int second = Decode(raw.Second, isBinary);
        int minute = Decode(raw.Minute, isBinary);
        int hour = Decode((registerB & Hours24) == 0 ? raw.Hour & ~Afternoon : raw.Hour, isBinary);
        int day = Decode(raw.Day, isBinary);
        int month = Decode(raw.Month, isBinary);
        int year = Decode(raw.Year, isBinary);
        int century = Decode(raw.Century, isBinary);
        if ((registerB & Hours24) == 0)
            hour = hour % 12 + (isAfternoon ? 12 : 0);

        // Without a plausible century the years are 1970 to 2069.
        year += century is >= 19 and <= 29 ? century * 100 : year >= 70 ? 1900 : 2000;
        if (second > 59 || minute > 59 || hour > 23 || day is < 1 or > 31 || month is < 1 or > 12)
            return false;
        *seconds = ((DaysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        return true;
    }

    /// <summary>A value of a register; a byte that is not binary-coded decimal when it should be gives a number out of every range.</summary>
    private static int Decode(int raw, bool isBinary)
    {
        const int Impossible = 255;
        if (isBinary)
            return raw;
        return (raw & 0x0f) > 9 || (raw >> 4) > 9 ? Impossible : (raw >> 4) * 10 + (raw & 0x0f);
    }

    /// <summary>Days of the Gregorian calendar, counting years from March so that the leap day comes last.</summary>
    private static long DaysSince1970(int year, int month, int day)
    {
        const int DaysFromYear0 = 719_468;
        if (month <= 2)
            year--;
        int monthFromMarch = (month + 9) % 12;
        int dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1;
        return 365L * year + year / 4 - year / 100 + year / 400 + dayOfYear - DaysFromYear0;
    }

    private static byte Read(byte register)
    {
        Port.Out8(Index, register);
        return Port.In8(Data);
    }
}
