namespace System.Runtime.CompilerServices;

/// <summary>What the C# compiler asks for to allow <c>init</c> accessors and records on netstandard2.0.</summary>
internal static class IsExternalInit;
