// A tour of the base class library: one page per area, each of which checks what it shows. Without arguments all pages are visited,
// else those named; `--list` prints their names. The exit code is 0 when every check held, else 1.

using Ukl.Tour.Pages;

namespace Ukl.Tour;

internal static class Program
{
    private static readonly Page[] s_pages =
    [
        new ArgumentsPage(),
        new CollectionsPage(),
        new LinqPage(),
        new JsonPage(),
        new RegexPage(),
        new TextPage(),
        new FormattingPage(),
        new NumbersPage(),
        new HashingPage(),
        new ExceptionsPage(),
        new ThreadsPage(),
        new ParallelPage(),
        new AsyncPage(),
        new TimersPage(),
        new ChannelsPage(),
        new FilesPage(),
        new StreamsPage(),
        new InputPage(),
        new EnvironmentPage(),
        new GarbagePage(),
        new VectorsPage(),
    ];

    private static int Main(string[] args)
    {
        if (args is ["--list"])
        {
            foreach (Page page in s_pages)
                Console.WriteLine(page.Name);
            return 0;
        }
        int failed = 0, visited = 0, held = 0;
        foreach (Page page in s_pages)
        {
            if (args.Length > 0 && !args.Contains(page.Name))
                continue;
            Guide guide = new();
            Console.WriteLine($"{page.Name}: {page.About}");
            try
            {
                page.Visit(guide);
            }
            catch (Exception exception)
            {
                Console.WriteLine($"  FAILED after {guide.Held} checks: {exception}");
                failed++;
            }
            held += guide.Held;
            visited++;
        }
        Console.WriteLine($"{visited} pages, {held} checks held, {failed} pages failed");
        return visited > 0 && failed == 0 ? 0 : 1;
    }
}
