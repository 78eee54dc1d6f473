namespace Ukl.Lint.Checks;

/// <summary>A C# construct that the kernel must not use. In <see cref="Text"/>, {0} stands for a type's or member's name.</summary>
public sealed record Construct(string Id, string Text)
{
    public static readonly Construct Object = new("UKL1001", "allocates an object of {0}");
    public static readonly Construct Array = new("UKL1001", "allocates an array");
    public static readonly Construct Boxing = new("UKL1002", "boxes a {0}");
    public static readonly Construct StringUse = new("UKL1003", "uses a string");
    public static readonly Construct Delegate = new("UKL1004", "creates a delegate");
    public static readonly Construct Throw = new("UKL1005", "throws an exception");
    public static readonly Construct Try = new("UKL1005", "has a try block");
    public static readonly Construct StaticConstructor = new("UKL1006", "runs a static constructor or initialiser");
    public static readonly Construct StaticReference = new("UKL1006", "has a static field of a reference type");
    public static readonly Construct ThreadStatic = new("UKL1007", "uses a [ThreadStatic] field");
    public static readonly Construct Lock = new("UKL1008", "takes a lock");
    public static readonly Construct InterfaceCall = new("UKL1009", "calls through an interface");
    public static readonly Construct GenericVirtual = new("UKL1009", "calls a generic virtual method");
    public static readonly Construct SharedGeneric = new("UKL1009", "uses a generic over a reference type");
    public static readonly Construct Cast = new("UKL1010", "tests or casts the type of an object");
    public static readonly Construct ReferenceStore = new("UKL1010", "stores a reference to an object");
    public static readonly Construct TypeOf = new("UKL1010", "uses a run-time type");
    public static readonly Construct ArrayElement = new("UKL1010", "uses an element of an array of references");
    public static readonly Construct Unmanaged = new("UKL1011", "is marked [UnmanagedCallersOnly]");
    public static readonly Construct PlatformInvoke = new("UKL1011", "calls native code by P/Invoke");
    public static readonly Construct Async = new("UKL1012", "is an async method");
    public static readonly Construct Checked = new("UKL1013", "uses checked arithmetic");
    public static readonly Construct Decimal = new("UKL1013", "uses decimal");
    public static readonly Construct Wide = new("UKL1013", "uses 128-bit multiplication or division");
    public static readonly Construct FloatingPoint = new("UKL1013", "uses a floating-point library function");
    public static readonly Construct Feature = new("UKL1016", "depends on the processor's features, which the runtime finds out");
    public static readonly Construct Outside = new("UKL1014", "calls {0}, which is not part of the kernel");
    public static readonly Construct Undefined = new("UKL1015", "needs {0}, which nothing defines");
    public static readonly Construct LostAddress = new("UKL1019", "uses a static field's address that the compiler made wrong by folding a constant index into it: give the field's accessor [MethodImpl(MethodImplOptions.NoInlining)]");
}
