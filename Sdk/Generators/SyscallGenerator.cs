using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Ukl.Generators;

/// <summary>
/// Makes, from every [Syscall] method of the kernel: the wrappers and the function that fills the dispatch table (SyscallTable.g.cs), a switch per call with which an
/// image leaves it out (LinkedCalls.g.cs), and the data from which Kernel/Syscalls/SyscallTrace.cs prints calls (SyscallMetadata.g.cs). What is wrong with a declaration is a build error.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class SyscallGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValueProvider<ImmutableArray<SyscallModel>> calls = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                SyscallParser.AttributeName,
                static (_, _) => true,
                static (match, _) => SyscallParser.Parse((IMethodSymbol)match.TargetSymbol, match.Attributes[0]))
            .Collect();
        IncrementalValueProvider<EquatableList<EnumMember>> errors = context.CompilationProvider.Select(static (compilation, _) => ErrorNames(compilation));

        context.RegisterSourceOutput(calls.Combine(errors), static (output, input) =>
        {
            (ImmutableArray<SyscallModel> models, EquatableList<EnumMember> errorNames) = input;
            List<SyscallModel> usable = Check(models, output);
            output.AddSource("SyscallTable.g.cs", SyscallTableEmitter.Emit(usable));
            output.AddSource("LinkedCalls.g.cs", LinkedCallsEmitter.Emit(usable));
            output.AddSource("SyscallMetadata.g.cs", SyscallMetadataEmitter.Emit(usable, errorNames));
        });
    }

    private static List<SyscallModel> Check(ImmutableArray<SyscallModel> models, SourceProductionContext output)
    {
        var usable = new List<SyscallModel>();
        var byNumber = new Dictionary<int, SyscallModel>();
        var byName = new Dictionary<string, SyscallModel>();
        foreach (SyscallModel call in models.OrderBy(call => call.Number))
        {
            foreach (Finding finding in call.Findings)
                Report(output, Rules.ById(finding.RuleId), finding.Place, [.. finding.Arguments]);
            bool isFirst = true;
            if (byNumber.TryGetValue(call.Number, out SyscallModel? sameNumber))
            {
                Report(output, Rules.DuplicateNumber, call.Place, call.Number, sameNumber.Name, call.Name);
                isFirst = false;
            }
            else
            {
                byNumber.Add(call.Number, call);
            }
            if (byName.TryGetValue(call.Name, out SyscallModel? sameName))
            {
                // The same number and name again was said once already.
                if (sameName.Number != call.Number)
                    Report(output, Rules.DuplicateName, call.Place, call.Name, sameName.Number, call.Number);
                isFirst = false;
            }
            else
            {
                byName.Add(call.Name, call);
            }
            if (call.IsUsable && isFirst)
                usable.Add(call);
        }
        return usable;
    }

    private static void Report(SourceProductionContext output, DiagnosticDescriptor rule, SourcePlace? place, params object[] arguments) =>
        output.ReportDiagnostic(Diagnostic.Create(rule, place?.ToLocation(), arguments));

    private static EquatableList<EnumMember> ErrorNames(Compilation compilation)
    {
        INamedTypeSymbol? errno = compilation.GetTypeByMetadataName("Ukl.Kernel.Abi.Errno");
        return new(errno is null ? [] : errno.GetMembers().OfType<IFieldSymbol>()
            .Where(field => field.ConstantValue is int and > 0)
            .Select(field => new EnumMember(field.Name, (ulong)(int)field.ConstantValue!)));
    }
}
