// The switches that the kernel's assemblies declare with [FeatureSwitchDefinition]: one per system call (Sdk/Generators/LinkedCallsEmitter.cs) and one per driver
// (Drivers/LinkedDrivers.cs). ilc takes their values as --feature:NAME=VALUE.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Ukl.Generators;
using Ukl.Lint.Page;

namespace Ukl.Lint.Linking;

/// <summary>A driver that an image can be compiled without.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Serves">The system calls by which alone a program can use it; empty when it serves the kernel itself.</param>
public sealed record DriverSwitch(string Name, IReadOnlyList<string> Serves);

/// <summary>What an image can be compiled without.</summary>
/// <param name="Calls">Every system call that the kernel supports: Linux's name.</param>
/// <param name="Drivers">Every driver.</param>
public sealed record KernelSwitches(IReadOnlyList<string> Calls, IReadOnlyList<DriverSwitch> Drivers)
{
    private const string SwitchAttribute = "FeatureSwitchDefinitionAttribute";
    private const string ServesAttribute = "ServesCallAttribute";
    private const string CallPrefix = LinkedCallsEmitter.SwitchPrefix;
    private const string DriverPrefix = "Ukl.Driver.";
    private const string OptionPrefix = "--feature:Ukl.";

    /// <summary>Reads the switches of the kernel's assemblies.</summary>
    public static KernelSwitches Read(IEnumerable<string> assemblies)
    {
        var calls = new List<string>();
        var drivers = new List<DriverSwitch>();
        foreach (string assembly in assemblies)
        {
            using var reader = new PEReader(File.OpenRead(assembly));
            MetadataReader metadata = reader.GetMetadataReader();
            foreach (PropertyDefinitionHandle property in metadata.PropertyDefinitions)
            {
                ILookup<string, string> attributes = Attributes(metadata, metadata.GetPropertyDefinition(property).GetCustomAttributes());
                foreach (string name in attributes[SwitchAttribute])
                {
                    if (name.StartsWith(CallPrefix, StringComparison.Ordinal))
                        calls.Add(name[CallPrefix.Length..]);
                    else if (name.StartsWith(DriverPrefix, StringComparison.Ordinal))
                        drivers.Add(new(name[DriverPrefix.Length..], [.. attributes[ServesAttribute]]));
                }
            }
        }
        return new([.. calls.Order(StringComparer.Ordinal)], [.. drivers.OrderBy(driver => driver.Name, StringComparer.Ordinal)]);
    }

    /// <summary>The options for ilc that leave calls and drivers out.</summary>
    public static IReadOnlyList<string> Options(IEnumerable<string> callsLeftOut, IEnumerable<string> driversLeftOut) =>
        [.. callsLeftOut.Select(name => Option(CallPrefix + name)), .. driversLeftOut.Select(name => Option(DriverPrefix + name))];

    /// <summary>Whether a line of a response file for ilc is one of <see cref="Options"/>.</summary>
    public static bool IsOption(string line) => line.StartsWith(OptionPrefix, StringComparison.Ordinal);

    private static string Option(string name) => $"--feature:{name}=false";

    /// <summary>Of the two attributes that count here, the only argument, by the attribute's name.</summary>
    private static ILookup<string, string> Attributes(MetadataReader metadata, CustomAttributeHandleCollection handles)
    {
        var found = new List<(string Attribute, string Value)>();
        foreach (CustomAttributeHandle handle in handles)
        {
            CustomAttribute attribute = metadata.GetCustomAttribute(handle);
            string type = CompatibilityPage.NameOf(metadata, attribute);
            if (type is not (SwitchAttribute or ServesAttribute))
                continue;
            // ECMA-335, II.23.3: a prolog of two bytes, then the argument.
            BlobReader value = metadata.GetBlobReader(attribute.Value);
            value.ReadUInt16();
            if (value.ReadSerializedString() is { } text)
                found.Add((type, text));
        }
        return found.ToLookup(attribute => attribute.Attribute, attribute => attribute.Value);
    }
}
