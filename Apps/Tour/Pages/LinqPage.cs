// A page of the tour: queries over sequences.

namespace Ukl.Tour.Pages;

internal sealed class LinqPage : Page
{
    private static readonly (string Name, string Land, int People)[] s_cities =
    [
        ("Wien", "AT", 2006), ("Graz", "AT", 303), ("Bern", "CH", 137), ("Basel", "CH", 178), ("Köln", "DE", 1087), ("Bonn", "DE", 340),
    ];

    public override string Name => "linq";

    public override string About => "queries over sequences";

    public override void Visit(Guide guide)
    {
        guide.Sequence(["Wien", "Köln"], s_cities.Where(city => city.People > 1000).Select(city => city.Name), "filter and project");
        var groups =
            from city in s_cities
            group city by city.Land into land
            orderby land.Sum(city => city.People) descending
            select $"{land.Key}={land.Sum(city => city.People)}";
        guide.Sequence(["AT=2309", "DE=1427", "CH=315"], groups, "group, sum and order");
        var pairs =
            from city in s_cities
            join land in new[] { ("AT", "Austria"), ("CH", "Switzerland") } on city.Land equals land.Item1
            select $"{city.Name} in {land.Item2}";
        guide.Equal(4, pairs.Count(), "join");
        guide.Equal(5050, Enumerable.Range(1, 100).Aggregate((sum, i) => sum + i), "aggregate");
        guide.Sequence([1, 2, 3, 4], new[] { 4, 2, 3, 1, 2 }.Distinct().Order(), "distinct and order");
        guide.Equal(10, Enumerable.Range(0, 95).Chunk(10).Count(), "chunks");
        guide.Sequence(["1a", "2b"], new[] { 1, 2, 3 }.Zip("ab", (number, letter) => $"{number}{letter}"), "zip");
        guide.Equal("Wien", s_cities.MaxBy(city => city.People).Name, "the greatest by a key");
        int evaluated = 0;
        IEnumerable<int> lazy = Enumerable.Range(0, 1000).Select(i => { evaluated++; return i; });
        guide.Equal(3, lazy.First(i => i == 3), "a query finds");
        guide.Equal(4, evaluated, "and looks no further");
        guide.Equal(333_833_500L, Enumerable.Range(1, 1000).AsParallel().Select(i => (long)i * i).Sum(), "a parallel query");
    }
}
