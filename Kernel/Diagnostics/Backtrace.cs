using System;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Diagnostics;

/// <summary>Prints who called whom, with names and lines as far as the image's tables know. Nothing here allocates or waits; for panics.</summary>
internal static unsafe class Backtrace
{
    private const int MaxFrames = 48;

    /// <summary>
    /// Prints a line per frame. <paramref name="isReturnAddress"/>: the first rip is behind a call and not at a faulting instruction.
    /// </summary>
    public static void Write(UnwindState state, bool isReturnAddress)
    {
        var symbols = new SymbolTable(Image.Symbols);
        UnwindTable table = default;
        if (Image.Contains(symbols.FrameHeaderAddress, symbols.FrameHeaderLength) && Image.Contains(symbols.FramesAddress, symbols.FramesLength))
        {
            table = new UnwindTable(
                new ReadOnlySpan<byte>((void*)symbols.FrameHeaderAddress, (int)symbols.FrameHeaderLength),
                symbols.FrameHeaderAddress,
                new ReadOnlySpan<byte>((void*)symbols.FramesAddress, (int)symbols.FramesLength),
                symbols.FramesAddress);
        }
        for (int i = 0; i < MaxFrames; i++)
        {
            WriteFrame(symbols, state.Rip, isReturnAddress);
            if (!table.TryStep(ref state, isReturnAddress, &ReadStack))
            {
                // The end, or the kernel's entry, which keeps the interrupted registers where its callee's frame began.
                if (!Image.IsEntryCode(state.Rip) || !TryLeaveEntry(ref state))
                    return;
                isReturnAddress = false;
                continue;
            }
            isReturnAddress = true;
        }
    }

    private static bool TryLeaveEntry(ref UnwindState state)
    {
        var frame = (TrapFrame*)state.Rsp;
        ulong rip, rsp, rbp;
        if (!ReadStack((ulong)&frame->Rip, &rip) || !ReadStack((ulong)&frame->Rsp, &rsp) || !ReadStack((ulong)&frame->Rbp, &rbp))
            return false;
        state.Rip = rip;
        state.Rsp = rsp;
        state.Rbp = rbp;
        Log.Write(Image.Contains(rip, 1) ? "  entered from\n"u8 : "  entered from a program at "u8);
        if (Image.Contains(rip, 1))
            return true;
        Log.WriteHex(rip);
        Log.Write("\n"u8);
        return false;
    }

    // A linked program's stack lies where programs' memory does; the copy recovers from a fault.
    private static bool ReadStack(ulong address, ulong* value) =>
        (address & 7) == 0 && (address < UserMemory.Top || Image.IsStack(address)) && UserAccess.CopyIn(value, address, sizeof(ulong)) == 0;

    private static void WriteFrame(SymbolTable symbols, ulong rip, bool isReturnAddress)
    {
        Log.Write("  at "u8);
        // A call may be a function's last instruction: what is behind it belongs to another.
        if (symbols.TryFind(isReturnAddress ? rip - 1 : rip, out Symbol symbol))
        {
            if (!symbol.Type.IsEmpty)
            {
                Log.Write(symbol.Type);
                Log.Write("."u8);
            }
            Log.Write(symbol.Method);
            if (!symbol.File.IsEmpty)
            {
                Log.Write(" in "u8);
                Log.Write(symbol.File);
                Log.Write(":"u8);
                Log.WriteDecimal(symbol.Line);
            }
            Log.Write(" ["u8);
            Log.WriteHex(rip);
            Log.WriteLine("]"u8);
            return;
        }
        Log.WriteHex(rip);
        Log.Write("\n"u8);
    }
}
