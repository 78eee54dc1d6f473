using System.Threading;

namespace Ukl.Kernel.Arch;

/// <summary>The processor's own interrupt controller and its timer. Source: Intel SDM volume 3 chapter 11.</summary>
public static unsafe class LocalApic
{
    /// <summary>The vector of the timer.</summary>
    internal const int TimerVector = 0xf0;

    /// <summary>The vector of spurious interrupts, which need no end-of-interrupt.</summary>
    internal const int SpuriousVector = 0xff;

    private const ulong PhysicalBase = 0xfee0_0000;
    private const uint BaseMsr = 0x1b;
    private const ulong BaseEnable = 1 << 11;
    private const int IdentifierRegister = 0x20;
    private const int IdentifierShift = 24;
    private const int EndOfInterruptRegister = 0xb0;
    private const int SpuriousRegister = 0xf0;
    private const int TimerRegister = 0x320;
    private const int Lint0Register = 0x350;
    private const int Lint1Register = 0x360;
    private const int ErrorRegister = 0x370;
    private const int InitialCountRegister = 0x380;
    private const int CurrentCountRegister = 0x390;
    private const int DivideRegister = 0x3e0;
    private const uint Masked = 1 << 16;
    private const uint SoftwareEnable = 1 << 8;
    private const uint DivideBy1 = 0xb;

    /// <summary>The largest count the timer can be started with.</summary>
    public const uint MaximumCount = uint.MaxValue;

    /// <summary>What other controllers call this processor.</summary>
    internal static uint Identifier => Mmio.Read32((byte*)Register(IdentifierRegister)) >> IdentifierShift;

    /// <summary>Enables the controller with everything but the timer masked.</summary>
    internal static void Initialize()
    {
        Instructions.WriteMsr(BaseMsr, Instructions.ReadMsr(BaseMsr) | BaseEnable);
        Write(SpuriousRegister, SoftwareEnable | SpuriousVector);
        Write(Lint0Register, Masked);
        Write(Lint1Register, Masked);
        Write(ErrorRegister, Masked);
        Write(DivideRegister, DivideBy1);
        Write(TimerRegister, TimerVector);
    }

    /// <summary>Ends the interrupt being handled.</summary>
    internal static void EndOfInterrupt() => Write(EndOfInterruptRegister, 0);

    /// <summary>Starts the one-shot timer; 0 stops it.</summary>
    public static void StartTimer(uint count) => Write(InitialCountRegister, count);

    /// <summary>What is left of the running count.</summary>
    public static uint ReadTimerCount() => Volatile.Read(ref *Register(CurrentCountRegister));

    private static uint* Register(int offset) => (uint*)(DirectMap.Base + PhysicalBase + (ulong)offset);

    private static void Write(int offset, uint value) => Volatile.Write(ref *Register(offset), value);
}
