// The switches that the kernel's assemblies declare with [FeatureSwitchDefinition]: one per system call (Sdk/Generators/LinkedCallsEmitter.cs) and one per driver
// (Drivers/LinkedDrivers.cs). ilc takes their values as --feature:NAME=VALUE.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Ukl.Generators;

namespace Ukl.Lint.Linking;

/// <summary>What an image can be compiled without.</summary>
/// <param name="Calls">Every system call that the kernel supports: Linux's name.</param>
/// <param name="Drivers">Every driver.</param>
public sealed record KernelSwitches(IReadOnlyList<string> Calls, IReadOnlyList<string> Drivers)
{
    private const string AttributeName = "FeatureSwitchDefinitionAttribute";
    private const string CallPrefix = LinkedCallsEmitter.SwitchPrefix;
    private const string DriverPrefix = "Ukl.Driver.";
    private const string OptionPrefix = "--feature:Ukl.";

    /// <summary>Reads the switches of the kernel's assemblies.</summary>
    public static KernelSwitches Read(IEnumerable<string> assemblies)
    {
        string[] names = [.. assemblies.SelectMany(ReadNames)];
        return new(Part(names, CallPrefix), Part(names, DriverPrefix));
    }

    /// <summary>The options for ilc that leave calls and drivers out.</summary>
    public static IReadOnlyList<string> Options(IEnumerable<string> callsLeftOut, IEnumerable<string> driversLeftOut) =>
        [.. callsLeftOut.Select(name => Option(CallPrefix + name)), .. driversLeftOut.Select(name => Option(DriverPrefix + name))];

    /// <summary>Whether a line of a response file for ilc is one of <see cref="Options"/>.</summary>
    public static bool IsOption(string line) => line.StartsWith(OptionPrefix, StringComparison.Ordinal);

    private static string Option(string name) => $"--feature:{name}=false";

    private static string[] Part(string[] names, string prefix) =>
        [.. names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]).Order(StringComparer.Ordinal)];

    private static List<string> ReadNames(string assembly)
    {
        using var reader = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = reader.GetMetadataReader();
        var names = new List<string>();
        foreach (CustomAttributeHandle handle in metadata.CustomAttributes)
        {
            CustomAttribute attribute = metadata.GetCustomAttribute(handle);
            if (attribute.Constructor.Kind != HandleKind.MemberReference || metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is not { Kind: HandleKind.TypeReference } type)
                continue;
            if (!metadata.StringComparer.Equals(metadata.GetTypeReference((TypeReferenceHandle)type).Name, AttributeName))
                continue;
            // ECMA-335, II.23.3: a prolog of two bytes, then the only argument, a string.
            BlobReader value = metadata.GetBlobReader(attribute.Value);
            value.ReadUInt16();
            if (value.ReadSerializedString() is { } name)
                names.Add(name);
        }
        return names;
    }
}
