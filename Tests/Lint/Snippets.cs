using System.Collections.Generic;

namespace Ukl.Tests.Lint;

/// <summary>A static class of a test kernel.</summary>
/// <param name="Name">The class.</param>
/// <param name="Members">Its members.</param>
/// <param name="Finding">The rule that a check must report for it, and words of the message; null when it is allowed.</param>
/// <param name="Joint">The same for the joint object, when the compiler can do more there.</param>
internal sealed record Snippet(string Name, string Members, string? Finding, string? Joint = null);

/// <summary>Every construct that the kernel may not use, and a few that it may.</summary>
internal static class Snippets
{
    public const string Types = """
        class Plain { public int Number; public object Other; }
        interface IShape { int Area(); }
        class Circle : IShape { public int Area() => 3; public virtual T Same<T>(T value) => value; }
        class Box : IShape { public int Area() => 5; public int Size; }
        class Bag : IShape { public int Area() => Size; public int Size; }
        struct Square : IShape { public int Area() => 4; public long Side; }
        unsafe interface IKind { static abstract int Get(int* x); }
        unsafe struct Kind : IKind { public static int Get(int* x) => *x; }
        [InlineArray(8)] struct Eight { private int _first; }
        """;

    public static readonly IReadOnlyList<Snippet> All =
    [
        new("NewObject", "static object M() => new Plain();", "UKL1001 allocates an object of Ukl.Kernel.Test.Plain"),
        new("NewArray", "static int[] M(int n) => new int[n];", "UKL1001 allocates an array"),
        new("NewArrayOfReferences", "static string[] M(int n) => new string[n];", "UKL1001 allocates an array"),
        new("NewMatrix", "static int[,] M(int n) => new int[n, n];", "UKL1001 allocates an array"),
        new("ParamsArray", "static int M() => N(1, 2); [MethodImpl(MethodImplOptions.NoInlining)] static int N(params int[] x) => x.Length;", "UKL1001 allocates an array"),
        new("Boxing", "static object M(int x) => x;", "UKL1002 boxes a System.Int32"),
        new("BoxingOfStruct", "static int M(Square x) => x.GetHashCode();", "UKL1002 boxes a Ukl.Kernel.Test.Square"),
        new("Anonymous", "static object M() => new { A = 1 };", "UKL1001 allocates an object"),
        new("Literal", "static string M() => \"hello\";", "UKL1003 uses a string"),
        new("Concatenation", "static string M(string a, string b) => a + b;", "UKL1003 uses a string"),
        new("Interpolation", "static string M(int x) => $\"x{x}\";", "UKL1003 uses a string"),
        new("Formatting", "static string M(int x) => x.ToString();", "UKL1003 uses a string"),
        new("StringComparison", "static bool M(string a, string b) => a == b;", "UKL1003 uses a string"),
        new("MethodGroup", "static Func<int> M() => N; static int N() => 1;", "UKL1004 creates a delegate"),
        new("Lambda", "static Func<int> M() => () => 3;", "UKL1004 creates a delegate"),
        new("Closure", "static Func<int> M(int x) => () => x;", "UKL1004 creates a delegate"),
        new("Throw", "static void M() => throw new Exception();", "UKL1005 throws an exception"),
        new("Rethrow", "static void M() { try { N(); } catch { throw; } } [MethodImpl(MethodImplOptions.NoInlining)] static void N() { }", "UKL1005 throws an exception"),
        new("TryCatch", "static int M(int* x) { try { return *x; } catch (NullReferenceException) { return 1; } }", "UKL1005 has a try block"),
        new("TryFinally", "static int M(int* x) { try { return N(x); } finally { *x = 1; } } [MethodImpl(MethodImplOptions.NoInlining)] static int N(int* x) => *x;", "UKL1005 has a try block"),
        new("StaticConstructor", "static long s_x; static StaticConstructor() { s_x = Environment.TickCount64; } static long M() => s_x;", "UKL1006 runs a static constructor"),
        new("StaticInitializer", "static long s_x = Environment.TickCount64; static long M() => s_x;", "UKL1006 runs a static constructor"),
        new("StaticArray", "static readonly int[] s_x = [1, 2, 3]; static int M(int i) => s_x[i];", "UKL1006 has a static field of a reference type"),
        new("StaticObject", "static object s_x; static object M() => s_x;", "UKL1006 has a static field of a reference type"),
        new("ThreadStatic", "[ThreadStatic] static int s_x; static int M() => s_x;", "UKL1007 uses a [ThreadStatic] field"),
        new("ThreadStaticObject", "[ThreadStatic] static object s_x; static object M() => s_x;", "UKL1007 uses a [ThreadStatic] field"),
        new("LockObject", "static void M(object x) { lock (x) { N(); } } [MethodImpl(MethodImplOptions.NoInlining)] static void N() { }", "UKL1008 takes a lock"),
        new("LockLock", "static void M(Lock x) { lock (x) { N(); } } [MethodImpl(MethodImplOptions.NoInlining)] static void N() { }", "UKL1008 takes a lock"),
        new("InterfaceCall", "static int M(IShape x) => x.Area();", "UKL1009 calls through an interface", "UKL10"),
        new("InterfaceLoop", "static int M(IEnumerable<int> x) { int sum = 0; foreach (int i in x) sum += i; return sum; }", "UKL1009 calls through an interface"),
        new("GenericVirtual", "static string M(Circle x, string y) => x.Same(y);", "UKL1009 calls a generic virtual method"),
        new("SharedGeneric", "static T N<T>() where T : new() => new T(); static object M() => N<Plain>();", "UKL1009 uses a generic over a reference type"),
        new("Cast", "static Circle M(object x) => (Circle)x;", "UKL1010 tests or casts"),
        new("CastToInterface", "static IShape M(object x) => (IShape)x;", "UKL1010 tests or casts"),
        new("Is", "static bool M(object x) => x is Circle;", "UKL1010 tests or casts"),
        new("Unboxing", "static int M(object x) => (int)x;", "UKL1010 tests or casts"),
        new("ReferenceStore", "static void M(Plain x, object y) => x.Other = y;", "UKL1010 stores a reference"),
        new("ArrayElementStore", "static void M(object[] x, object y) => x[0] = y;", "UKL1010 uses an element of an array of references"),
        new("ArrayElementAddress", "static ref object M(object[] x, int i) => ref x[i];", "UKL1010 uses an element of an array of references"),
        new("ClearReferences", "static void M(Span<string> x) => x.Clear();", "UKL1010 stores a reference"),
        new("TypeOf", "static Type M() => typeof(Plain);", "UKL1010 uses a run-time type"),
        new("Unmanaged", "[UnmanagedCallersOnly] static int M(int x) => x;", "UKL1011 is marked [UnmanagedCallersOnly]"),
        new("PlatformInvoke", "[DllImport(\"*\")] static extern int puts(int x); static int M() => puts(3);", "UKL1011 calls native code by P/Invoke"),
        new("Iterator", "static IEnumerable<int> M() { yield return 1; }", "UKL1001 allocates an object"),
        new("CheckedAddition", "static int M(int x, int y) => checked(x + y);", "UKL1013 uses checked arithmetic"),
        new("CheckedCast", "static int M(long x) => checked((int)x);", "UKL1013 uses checked arithmetic"),
        new("Decimal", "static decimal M(decimal x, decimal y) => x + y;", "UKL1013 uses decimal"),
        new("WideProduct", "static UInt128 M(UInt128 x, UInt128 y) => x * y;", "UKL1013 uses 128-bit"),
        new("WideQuotient", "static UInt128 M(UInt128 x, UInt128 y) => x / y;", "UKL1013 uses 128-bit"),
        new("BigMultiplication", "static ulong M(ulong x, ulong y) => Math.BigMul(x, y, out ulong low) + low;", "UKL1013 uses 128-bit"),
        new("FloatingRemainder", "static double M(double x, double y) => x % y;", "UKL1013 uses a floating-point library function"),
        new("CpuFeature", "static int M(ulong x) => BitOperations.PopCount(x);", "UKL1016 depends on the processor's features"),
        new("EnumName", "static string M(DayOfWeek x) => x.ToString();", "UKL1003 uses a string"),
        new("LibraryCall", "static bool M(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y) => x.SequenceEqual(y);",
            "UKL1015 needs System.SpanHelpers.SequenceEqual", "UKL1014 calls System.SpanHelpers.SequenceEqual"),
        new("ThroughLibrary", "static byte[] M(ReadOnlySpan<byte> x) => x.ToArray();", "UKL1001 allocates an array"),

        new("LostElement", "static Eight s_x; static ref int At(int i) => ref Unsafe.Add(ref Unsafe.As<Eight, int>(ref s_x), i); static int M(int n) { int sum = 0; for (int i = n; i > 0; i--) sum += At(i - 1); return sum; }",
            "UKL1019 uses a static field's address that the compiler made wrong"),
        new("LostConstant", "static Eight s_x; static ref int At(int i) => ref Unsafe.Add(ref Unsafe.As<Eight, int>(ref s_x), i); static int M() => At(-1);", "UKL1019 uses a static field's address"),

        new("AllowedElement", "static Eight s_x; [MethodImpl(MethodImplOptions.NoInlining)] static ref int At(int i) => ref Unsafe.Add(ref Unsafe.As<Eight, int>(ref s_x), i); static int M(int n) { int sum = 0; for (int i = n; i > 0; i--) sum += At(i - 1); return sum; }", null),
        new("AllowedArithmetic", "static int M(int x, long* y) => x * 8 + 0x42_0010 + (int)y[0x42_0010 & x];", null),
        new("AllowedPointers", "static int M<T>(int* x) where T : IKind => T.Get(x) + x[3]; static int N(int* x) => M<Kind>(x);", null),
        new("AllowedFunctionPointers", "static int A(int x) => x; static delegate*<int, int> M(bool x) => x ? &A : null; static int N(int x) => M(true)(x);", null),
        new("AllowedExport", "[RuntimeExport(\"an_export\")] static int A(int x) => x; [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport(\"*\", \"an_export\")] static extern int B(int x); static int M(int x) => B(x);", null),
        new("AllowedSpans", "static byte M(ReadOnlySpan<byte> x, Span<byte> y, int i) { x.Slice(1, 2).CopyTo(y); y.Clear(); return \"text\"u8[i]; }", null),
        new("AllowedTables", "static ReadOnlySpan<byte> X => [1, 2, 3]; static ReadOnlySpan<int> Y => [1, 2, 3]; static int M(int i) => X[i] + Y[i];", null),
        new("AllowedInlineArray", "static Eight s_x; static int M(int i) { Eight y = s_x; return y[i] + s_x[i]; }", null),
        new("AllowedStack", "static int M(int i) { int* x = stackalloc int[10]; Span<byte> y = stackalloc byte[100]; N(x, y); return x[i] / i; } [MethodImpl(MethodImplOptions.NoInlining)] static void N(int* x, Span<byte> y) { }", null),
        new("AllowedAtomics", "static int s_x; static int M() => Interlocked.CompareExchange(ref s_x, 1, 0) + Volatile.Read(ref s_x);", null),
        new("AllowedStructs", "struct Big { public long A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S; } static void M(Big* x, Big* y) => *x = *y;", null),
        new("AllowedNumbers", "static int M(ulong x, uint y, double z) => BitOperations.TrailingZeroCount(x) + BitOperations.Log2(x) + (int)(x % y) + (int)z + BinaryPrimitives.ReverseEndianness((int)x);", null),
        new("AllowedSwitch", "static int M(int x) => x switch { 0 => 5, 1 => 7, 2 => 11, 3 => 13, 4 => 17, 5 => 19, 6 => 23, _ => 29 };", null),
    ];

    /// <summary>The async method stands apart because it cannot be unsafe.</summary>
    public static readonly Snippet Async = new("Async", "static async Task<int> M() { await Task.Yield(); return 1; }", "UKL1012 is an async method");
}
