// A page of the tour: numbers and dates as text, the same everywhere.

using System.Globalization;

namespace Ukl.Tour.Pages;

internal sealed class FormattingPage : Page
{
    public override string Name => "formatting";

    public override string About => "numbers and dates as text, the same everywhere";

    public override void Visit(Guide guide)
    {
        guide.Equal("", CultureInfo.CurrentCulture.Name, "the culture is the invariant one");
        guide.Throws<CultureNotFoundException>(() => _ = new CultureInfo("de-AT"), "and the only one");
        guide.Equal("1,234,567.89", 1234567.891.ToString("N2"), "groups and decimals");
        guide.Equal("   42|2a  |00042|101010", $"{42,5}|{42,-4:x}|{42:D5}|{42:B}", "widths, hexadecimal, leading zeroes, binary");
        guide.Equal("1.5E+300 -0 NaN", $"{1.5e300} {-0.0} {double.NaN}", "floating point at its ends");
        guide.Equal(0.1 + 0.2, double.Parse((0.1 + 0.2).ToString()), "text of a double is read back exactly");
        guide.Equal("0.30000000000000004", (0.1 + 0.2).ToString(), "with as many digits as it takes");
        guide.Equal("12.50 %", 0.125.ToString("P2"), "percent");
        guide.Equal(1234.5m, decimal.Parse("1,234.50"), "decimals are read");
        guide.Check(!int.TryParse("2147483648", out _) && int.TryParse("-2147483648", out int least) && least == int.MinValue, "overflow is noticed");

        DateTime date = new(2024, 2, 29, 23, 59, 58, 123, DateTimeKind.Utc);
        guide.Equal("2024-02-29T23:59:58.1230000Z", date.ToString("O"), "a date in ISO form");
        guide.Equal("Thursday, 29 February 2024", date.ToString("D"), "in words");
        guide.Equal(date, DateTime.Parse(date.ToString("O"), null, DateTimeStyles.RoundtripKind), "and back");
        guide.Equal(new DateTime(2025, 2, 28), date.Date.AddYears(1), "a year after a leap day");
        guide.Equal("1.02:03:04.5000000", new TimeSpan(1, 2, 3, 4, 500).ToString(), "a span of time");
        guide.Equal("2024-02-29 05:00:00 +05:00", new DateTimeOffset(2024, 2, 29, 0, 0, 0, TimeSpan.Zero).ToOffset(TimeSpan.FromHours(5)).ToString("yyyy-MM-dd HH:mm:ss zzz"), "an offset");
        guide.Equal(DayOfWeek.Saturday, new DateOnly(2000, 1, 1).DayOfWeek, "the day of the week");
        guide.Equal(36, Guid.NewGuid().ToString().Length, "a new identifier");
        guide.Check(Guid.NewGuid() != Guid.NewGuid(), "is not the last one");
    }
}
