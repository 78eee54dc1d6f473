// The two attributes by which ilc matches a managed method with a linker symbol. CoreLib keeps them internal; ilc matches them by name,
// so declaring them here is enough. In a hosted build they have no effect.
namespace System.Runtime;

/// <summary>Gives a static method the linker symbol <c>name</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeExportAttribute(string name) : Attribute
{
    /// <summary>The linker symbol.</summary>
    public string Name { get; } = name;
}

/// <summary>Binds an <c>extern</c> method to the linker symbol <c>name</c>; a call is a plain <c>call name</c>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeImportAttribute(string library, string name) : Attribute
{
    /// <summary>Always "*": any object of the link.</summary>
    public string Library { get; } = library;

    /// <summary>The linker symbol.</summary>
    public string Name { get; } = name;
}
