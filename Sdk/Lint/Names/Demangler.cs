using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Ukl.Lint.Names;

/// <summary>A managed method's name in its two parts.</summary>
public sealed record MethodName(string Assembly, string Type, string Method)
{
    /// <summary>As a programmer writes it.</summary>
    public string Display => Type.Length == 0 ? Method : $"{Type}.{Method}";
}

/// <summary>Finds the managed method behind a symbol, with the metadata of the assemblies that were compiled.</summary>
public sealed class Demangler : IDisposable
{
    private const string CoreLibrary = "System.Private.CoreLib";

    private readonly Dictionary<string, TypeEntry> _types = [];
    private readonly List<PEReader> _readers = [];

    /// <summary>Reads the names in these assemblies; files that are not managed assemblies are skipped.</summary>
    public Demangler(IEnumerable<string> assemblies)
    {
        foreach (string path in assemblies)
        {
            var reader = new PEReader(File.OpenRead(path));
            _readers.Add(reader);
            if (reader.HasMetadata)
                AddTypes(reader.GetMetadataReader());
        }
    }

    /// <summary>The method behind a symbol, or null when it is none of the known assemblies'.</summary>
    public MethodName? Find(string symbol) => Lookup(symbol) is { } found ? new(found.Type.Assembly, found.Type.Name, found.Method) : null;

    /// <summary>Whether the symbol is a method of a custom attribute.</summary>
    public bool IsAttribute(string symbol) => Lookup(symbol)?.Type.IsAttribute ?? false;

    private (TypeEntry Type, string Method)? Lookup(string symbol)
    {
        string name = Mangling.WithoutArguments(symbol);
        // A nested or generated type's name may hold "__" itself: the longest type that has the method wins.
        for (int at = name.LastIndexOf("__", StringComparison.Ordinal); at > 0; at = name.LastIndexOf("__", at, StringComparison.Ordinal))
        {
            // Of three underscores, one may belong to the method (".ctor") or to the type.
            if (_types.TryGetValue(name[..at], out TypeEntry? type) && type.FindMethod(name[(at + 2)..]) is { } method)
                return (type, method);
        }
        return null;
    }

    /// <summary>The type behind a symbol's type part, such as what follows <c>_ZTV29</c>, or the part as it is.</summary>
    public string DisplayType(string mangled) =>
        _types.TryGetValue(Mangling.WithoutArguments(mangled), out TypeEntry? type) ? type.Name : mangled;

    /// <summary>The name to show for a symbol: the method's when it is known, else the symbol.</summary>
    public string Display(string symbol) => Find(symbol)?.Display ?? symbol;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PEReader reader in _readers)
            reader.Dispose();
    }

    private void AddTypes(MetadataReader metadata)
    {
        string assembly = metadata.GetString(metadata.GetAssemblyDefinition().Name);
        string prefix = Mangling.Assembly(assembly) + "_";
        foreach (TypeDefinitionHandle handle in metadata.TypeDefinitions)
        {
            (string mangled, string display) = NamesOf(metadata, handle);
            var entry = new TypeEntry(assembly, display, metadata, handle);
            _types.TryAdd(prefix + mangled, entry);
            // The types that the runtime itself knows by name have no prefix.
            if (assembly == CoreLibrary && mangled.StartsWith("System_", StringComparison.Ordinal))
                _types.TryAdd(mangled["System_".Length..], entry);
        }
    }

    private static (string Mangled, string Display) NamesOf(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        string name = metadata.GetString(type.Name);
        string shown = name.IndexOf('`') is > 0 and var arity ? name[..arity] : name;
        if (!type.GetDeclaringType().IsNil)
        {
            (string outer, string outerShown) = NamesOf(metadata, type.GetDeclaringType());
            return ($"{outer}_{Mangling.Sanitize(name)}", $"{outerShown}.{shown}");
        }
        string space = metadata.GetString(type.Namespace);
        return space.Length == 0 ? (Mangling.Sanitize(name), shown) : (Mangling.Sanitize($"{space}.{name}"), $"{space}.{shown}");
    }

    private sealed class TypeEntry(string assembly, string name, MetadataReader metadata, TypeDefinitionHandle handle)
    {
        private Dictionary<string, string>? _methods;

        public string Assembly => assembly;

        public string Name => name;

        public bool IsAttribute =>
            metadata.GetTypeDefinition(handle).BaseType is { IsNil: false, Kind: HandleKind.TypeReference } parent
            && metadata.StringComparer.Equals(metadata.GetTypeReference((TypeReferenceHandle)parent).Name, "Attribute");

        public string? FindMethod(string mangled)
        {
            if (_methods is null)
            {
                _methods = [];
                foreach (MethodDefinitionHandle method in metadata.GetTypeDefinition(handle).GetMethods())
                {
                    string methodName = metadata.GetString(metadata.GetMethodDefinition(method).Name);
                    _methods.TryAdd(Mangling.Sanitize(methodName), methodName);
                }
            }
            if (_methods.TryGetValue(mangled, out string? found))
                return found;
            // Overloads are told apart by a number.
            int last = mangled.LastIndexOf('_');
            bool isNumbered = last > 0 && last + 1 < mangled.Length && !mangled.AsSpan(last + 1).ContainsAnyExceptInRange('0', '9');
            return isNumbered && _methods.TryGetValue(mangled[..last], out found) ? found : null;
        }
    }
}
