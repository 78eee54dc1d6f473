// Early feedback on the kernel's discipline, in the editor and in every build. Sdk/Lint has the last word, on machine code.
using System;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Ukl.Generators;

/// <summary>
/// Reports what code without a runtime cannot have: allocation, exceptions, static initialisation, locks, strings. Files of Arch/Hosted, which is the machine for
/// host tests, are exempt.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DisciplineAnalyzer : DiagnosticAnalyzer
{
    private const string HostedFolder = "/Arch/Hosted/";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => Rules.Discipline;

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.RegisterOperationAction(
            AnalyzeOperation,
            OperationKind.Throw,
            OperationKind.Try,
            OperationKind.Using,
            OperationKind.UsingDeclaration,
            OperationKind.Lock,
            OperationKind.AnonymousFunction,
            OperationKind.DelegateCreation,
            OperationKind.ObjectCreation,
            OperationKind.AnonymousObjectCreation,
            OperationKind.ArrayCreation,
            OperationKind.CollectionExpression,
            OperationKind.Literal,
            OperationKind.InterpolatedString,
            OperationKind.YieldReturn,
            OperationKind.Await,
            OperationKind.Conversion,
            OperationKind.Binary,
            OperationKind.Invocation,
            OperationKind.FieldInitializer,
            OperationKind.PropertyInitializer,
            OperationKind.TypeOf);
        context.RegisterSymbolAction(AnalyzeMethod, SymbolKind.Method);
        context.RegisterSymbolAction(AnalyzeField, SymbolKind.Field);
    }

    private static void AnalyzeOperation(OperationAnalysisContext context)
    {
        IOperation operation = context.Operation;
        if (IsExempt(operation.Syntax.SyntaxTree) || IsCompileTime(operation))
            return;
        if (RuleFor(operation) is { } rule)
            context.ReportDiagnostic(Diagnostic.Create(rule, operation.Syntax.GetLocation()));
    }

    private static DiagnosticDescriptor? RuleFor(IOperation operation) => operation switch
    {
        IThrowOperation => Rules.Throw,
        ITryOperation or IUsingOperation or IUsingDeclarationOperation => Rules.Try,
        ILockOperation => Rules.Lock,
        IAnonymousFunctionOperation => Rules.Delegate,
        // A lambda is reported itself.
        IDelegateCreationOperation { Target: not IAnonymousFunctionOperation } => Rules.Delegate,
        IObjectCreationOperation { Type.IsReferenceType: true } => Rules.Allocation,
        IAnonymousObjectCreationOperation => Rules.Allocation,
        IArrayCreationOperation array when !IsConstantSpan(array) => Rules.Allocation,
        ICollectionExpressionOperation { Type.IsReferenceType: true } => Rules.Allocation,
        ILiteralOperation { Type.SpecialType: SpecialType.System_String } => Rules.Text,
        IInterpolatedStringOperation => Rules.Text,
        IReturnOperation { Kind: OperationKind.YieldReturn } or IAwaitOperation => Rules.Async,
        IConversionOperation conversion when IsBoxing(conversion) => Rules.Boxing,
        IConversionOperation { IsChecked: true, IsImplicit: false } or IBinaryOperation { IsChecked: true } => Rules.Arithmetic,
        IBinaryOperation binary when IsWide(binary.Type) => Rules.Arithmetic,
        IInvocationOperation { IsVirtual: true, Instance.Type.TypeKind: TypeKind.Interface } => Rules.InterfaceCall,
        IFieldInitializerOperation field when field.InitializedFields.Any(symbol => symbol.IsStatic && !symbol.IsConst) => Rules.StaticInitializer,
        IPropertyInitializerOperation property when property.InitializedProperties.Any(symbol => symbol.IsStatic) => Rules.StaticInitializer,
        ITypeOfOperation => Rules.TypeOf,
        _ => null,
    };

    /// <summary>Attributes, names and constants leave no code behind.</summary>
    private static bool IsCompileTime(IOperation operation)
    {
        for (IOperation? outer = operation; outer is not null; outer = outer.Parent)
        {
            switch (outer)
            {
                case IAttributeOperation or INameOfOperation or IParameterInitializerOperation:
                case IFieldInitializerOperation field when field.InitializedFields.All(symbol => symbol.IsConst):
                case IVariableDeclaratorOperation { Symbol.IsConst: true }:
                    return true;
            }
        }
        return false;
    }

    private static bool IsConstantSpan(IArrayCreationOperation array) =>
        array.Initializer is { } initializer
        && initializer.ElementValues.All(value => value.ConstantValue.HasValue)
        && array.Parent is IConversionOperation { Type: INamedTypeSymbol { Name: "ReadOnlySpan" } };

    private static bool IsBoxing(IConversionOperation conversion) =>
        conversion.Operand.Type is { IsValueType: true } && conversion.Type is { IsReferenceType: true };

    private static bool IsWide(ITypeSymbol? type) => type is { SpecialType: SpecialType.System_Decimal } or { Name: "UInt128" or "Int128" };

    private static void AnalyzeMethod(SymbolAnalysisContext context)
    {
        var method = (IMethodSymbol)context.Symbol;
        if (method.MethodKind == MethodKind.StaticConstructor && !method.IsImplicitlyDeclared)
            Report(context, Rules.StaticInitializer);
        if (method.IsAsync)
            Report(context, Rules.Async);
        if (HasAttribute(method, "UnmanagedCallersOnlyAttribute"))
            Report(context, Rules.Unmanaged);
    }

    private static void AnalyzeField(SymbolAnalysisContext context)
    {
        var field = (IFieldSymbol)context.Symbol;
        if (HasAttribute(field, "ThreadStaticAttribute"))
            Report(context, Rules.ThreadStatic);
        else if (field is { IsStatic: true, IsConst: false, Type.IsReferenceType: true })
            Report(context, Rules.StaticReference);
    }

    private static bool HasAttribute(ISymbol symbol, string name) => symbol.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == name);

    private static void Report(SymbolAnalysisContext context, DiagnosticDescriptor rule)
    {
        Location? location = context.Symbol.Locations.FirstOrDefault(place => place.IsInSource);
        if (location is not null && !IsExempt(location.SourceTree!))
            context.ReportDiagnostic(Diagnostic.Create(rule, location));
    }

    private static bool IsExempt(SyntaxTree tree) => tree.FilePath.Replace('\\', '/').IndexOf(HostedFolder, StringComparison.Ordinal) >= 0;
}
