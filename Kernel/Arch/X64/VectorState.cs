using System;

namespace Ukl.Kernel.Arch;

/// <summary>Exceptions as status and control words of x87 and SSE number them. Source: Intel SDM volume 1 sections 8.1.3 and 10.2.3.</summary>
[Flags]
public enum FloatingExceptions : uint
{
    Invalid = 1,
    Denormal = 2,
    DivideByZero = 4,
    Overflow = 8,
    Underflow = 16,
    Inexact = 32,
    All = 63,
}

/// <summary>
/// Floating-point and vector registers beyond the xmm registers of the TrapFrame: x87, MXCSR, the upper halves, AVX-512, kept per thread in an XSAVE area.
/// Source: Intel SDM volume 1 chapter 13. Kernel code uses SSE only, with legacy encodings that leave the upper halves alone.
/// </summary>
public static unsafe class VectorState
{
    /// <summary>Size of the legacy region (FXSAVE image).</summary>
    public const int LegacySize = 512;

    /// <summary>Size of the header of the XSAVE area, which follows the legacy region.</summary>
    private const int HeaderSize = 64;

    /// <summary>Where xmm0 stands in the legacy region.</summary>
    public const int XmmOffset = 160;

    /// <summary>Where MXCSR stands.</summary>
    public const int MxcsrOffset = 24;

    private const uint InitialControlWord = 0x37f;
    private const uint InitialMxcsr = 0x1f80;
    private const ulong X87 = 1;
    private const ulong Sse = 2;
    private const ulong Avx = 4;
    private const ulong Avx512 = 0xe0;

    private static bool s_hasXSave;
    private static bool s_hasXSaveOptimized;
    private static uint s_mxcsrMask;

    /// <summary>Bytes of a thread's area, a multiple of 64.</summary>
    public static int Size { get; private set; }

    /// <summary>The enabled features (XCR0); 0 without XSAVE.</summary>
    public static ulong Features { get; private set; }

    /// <summary>Chooses the features and the size; once per processor at boot.</summary>
    internal static void Initialize(bool hasXSave)
    {
        s_hasXSave = hasXSave;
        Size = LegacySize;
        uint* leaf = stackalloc uint[4];
        if (hasXSave)
        {
            Cpu.Identify(0xd, 0, leaf);
            ulong supported = leaf[0] | ((ulong)leaf[3] << 32);
            Features = X87 | Sse | (supported & Avx);
            if ((supported & (Avx | Avx512)) == (Avx | Avx512))
                Features |= Avx512;
            Instructions.WriteXcr0(Features);
            Cpu.Identify(0xd, 0, leaf);
            Size = (int)((leaf[1] + 63) & ~63u);
            Cpu.Identify(0xd, 1, leaf);
            s_hasXSaveOptimized = (leaf[0] & 1) != 0;
        }
        // The writable bits of MXCSR; 0 in the image means the default mask.
        byte* area = stackalloc byte[LegacySize + 16];
        area = (byte*)(((ulong)area + 15) & ~15ul);
        Instructions.FxSave(area);
        s_mxcsrMask = *(uint*)(area + 28);
        if (s_mxcsrMask == 0)
            s_mxcsrMask = 0xffbf;
    }

    /// <summary>Makes an area the state of a new program. The area is zeroed and 64-byte aligned.</summary>
    public static void InitializeArea(byte* area)
    {
        *(ushort*)area = (ushort)InitialControlWord;
        *(uint*)(area + MxcsrOffset) = InitialMxcsr;
    }

    /// <summary>Saves this processor's state.</summary>
    public static void Save(byte* area)
    {
        if (s_hasXSaveOptimized)
            Instructions.XSaveOptimized(area);
        else if (s_hasXSave)
            Instructions.XSave(area);
        else
            Instructions.FxSave(area);
    }

    /// <summary>Saves all of this processor's state, also what is unchanged or in its initial state as the area says already.</summary>
    public static void SaveForProgram(byte* area)
    {
        if (s_hasXSave)
            Instructions.XSave(area);
        else
            Instructions.FxSave(area);
    }

    /// <summary>Loads this processor's state.</summary>
    public static void Restore(byte* area)
    {
        if (s_hasXSave)
            Instructions.XRestore(area);
        else
            Instructions.FxRestore(area);
    }

    /// <summary>Loads the state of a new program, by way of an area whose content is lost.</summary>
    public static void LoadInitial(byte* area)
    {
        if (s_hasXSave)
        {
            // Nothing in the area counts but MXCSR, which is loaded in any case.
            new Span<byte>(area + LegacySize, HeaderSize).Clear();
            *(uint*)(area + MxcsrOffset) = InitialMxcsr;
        }
        else
        {
            new Span<byte>(area, LegacySize).Clear();
            InitializeArea(area);
        }
        Restore(area);
    }

    /// <summary>Makes an area that came from a program safe to restore: what the processor would refuse is cleared.</summary>
    public static void Sanitize(byte* area, bool hasExtendedState)
    {
        *(uint*)(area + MxcsrOffset) &= s_mxcsrMask;
        if (!s_hasXSave)
            return;
        ulong* header = (ulong*)(area + LegacySize);
        if (hasExtendedState)
            header[0] &= Features;
        else
            header[0] = X87 | Sse;
        for (int i = 1; i < 8; i++)
            header[i] = 0;
    }

    /// <summary>The exceptions that a saved state has raised and not masked: SSE's, or the x87's.</summary>
    public static FloatingExceptions UnmaskedExceptions(byte* area, bool isSse)
    {
        const int StatusWordOffset = 2;
        const int MxcsrMaskShift = 7;
        uint mxcsr = *(uint*)(area + MxcsrOffset);
        uint raised = isSse ? mxcsr : *(ushort*)(area + StatusWordOffset);
        uint masked = isSse ? mxcsr >> MxcsrMaskShift : *(ushort*)area;
        return (FloatingExceptions)(raised & ~masked) & FloatingExceptions.All;
    }

    /// <summary>Says in an area's header that x87 and SSE state in the legacy region count.</summary>
    public static void MarkLegacyPresent(byte* area)
    {
        if (s_hasXSave)
            *(ulong*)(area + LegacySize) |= X87 | Sse;
    }
}
