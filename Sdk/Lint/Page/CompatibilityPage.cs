using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using Ukl.Generators;

namespace Ukl.Lint.Page;

/// <summary>A system call that the kernel declares.</summary>
public sealed record DeclaredCall(int Number, string Name, string? Limits);

/// <summary>Writes docs/compatibility.md: every Linux call, and what of it the kernel supports. Source: the [Syscall] attributes in the kernel's assembly.</summary>
public static class CompatibilityPage
{
    private const string AttributeName = "SyscallAttribute", LimitsName = "Limits";

    /// <summary>The calls that an assembly declares, by number.</summary>
    public static IReadOnlyList<DeclaredCall> ReadCalls(string assembly)
    {
        using var reader = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = reader.GetMetadataReader();
        var calls = new List<DeclaredCall>();
        foreach (MethodDefinitionHandle method in metadata.MethodDefinitions)
        {
            foreach (CustomAttributeHandle handle in metadata.GetMethodDefinition(method).GetCustomAttributes())
            {
                CustomAttribute attribute = metadata.GetCustomAttribute(handle);
                if (NameOf(metadata, attribute) != AttributeName)
                    continue;
                CustomAttributeValue<string> value = attribute.DecodeValue(new TypeNames());
                string? limits = value.NamedArguments.FirstOrDefault(argument => argument.Name == LimitsName).Value as string;
                calls.Add(new((int)value.FixedArguments[0].Value!, (string)value.FixedArguments[1].Value!, limits));
            }
        }
        return [.. calls.OrderBy(call => call.Number)];
    }

    /// <summary>The page's text.</summary>
    public static string Write(IReadOnlyList<DeclaredCall> calls)
    {
        Dictionary<int, DeclaredCall> declared = calls.ToDictionary(call => call.Number);
        var text = new StringBuilder();
        text.Append($"""
            # Linux system calls

            Made by `ukl-lint page` from the declarations in Kernel/Syscalls; not to be edited. {declared.Count} calls of Linux x86-64 are supported, {declared.Values.Count(call => call.Limits is not null)} of
            them with limits. Every other call returns ENOSYS; `ukl run --trace` lists those that a program made.

            | number | call | |
            |---:|---|---|

            """);
        for (int number = 0; number < LinuxSyscalls.Count; number++)
        {
            if (LinuxSyscalls.NameOf(number) is not { } name)
                continue;
            string state = !declared.TryGetValue(number, out DeclaredCall? call) ? "not supported"
                : call.Limits is null ? "**supported**"
                : $"**supported**, limits: {Escape(call.Limits)}";
            text.Append($"| {number} | {name} | {state} |\n");
        }
        return text.ToString();
    }

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    /// <summary>The name of an attribute's type, without its namespace.</summary>
    internal static string NameOf(MetadataReader metadata, CustomAttribute attribute)
    {
        switch (attribute.Constructor.Kind)
        {
            case HandleKind.MethodDefinition:
                TypeDefinitionHandle type = metadata.GetMethodDefinition((MethodDefinitionHandle)attribute.Constructor).GetDeclaringType();
                return metadata.GetString(metadata.GetTypeDefinition(type).Name);
            case HandleKind.MemberReference:
                EntityHandle parent = metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
                return parent.Kind == HandleKind.TypeReference ? metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name) : "";
            default:
                return "";
        }
    }

    /// <summary>The attribute's arguments are numbers and strings: names of types are all that decoding asks for.</summary>
    private sealed class TypeNames : ICustomAttributeTypeProvider<string>
    {
        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSystemType() => "System.Type";

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => reader.GetString(reader.GetTypeDefinition(handle).Name);

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => reader.GetString(reader.GetTypeReference(handle).Name);

        public string GetTypeFromSerializedName(string name) => name;

        public PrimitiveTypeCode GetUnderlyingEnumType(string type) => PrimitiveTypeCode.Int32;

        public bool IsSystemType(string type) => type == "System.Type";
    }
}
