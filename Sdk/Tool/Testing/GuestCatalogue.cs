using System.Reflection;

namespace Ukl.Tool.Testing;

/// <summary>A subject of guest tests. Every class in Tests/Guest/Catalogue that derives from this is found by itself.</summary>
public abstract class GuestCatalogue
{
    /// <summary>The subject's tests.</summary>
    /// <param name="repository">The tree, for subjects that have a test per file.</param>
    public abstract IEnumerable<GuestTest> Tests(Repository repository);

    /// <summary>All tests of all subjects, by name.</summary>
    public static IReadOnlyList<GuestTest> All(Repository repository) =>
    [
        .. Assembly.GetExecutingAssembly().GetTypes()
            .Where(type => !type.IsAbstract && type.IsSubclassOf(typeof(GuestCatalogue)))
            .SelectMany(type => ((GuestCatalogue)Activator.CreateInstance(type)!).Tests(repository))
            .OrderBy(test => test.Name, StringComparer.Ordinal),
    ];
}
