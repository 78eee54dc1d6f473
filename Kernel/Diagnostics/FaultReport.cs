using System;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Diagnostics;

/// <summary>The line on the console for a program that dies of its own fault, like the one Linux writes to its log.</summary>
internal static unsafe class FaultReport
{
    /// <summary>Writes name, id, signal, faulting address, instruction and stack pointer.</summary>
    internal static void Write(Thread* thread, TrapFrame* frame, in SignalInfo info)
    {
        ReadOnlySpan<byte> name = thread->Name;
        int length = 0;
        while (length < name.Length && name[length] != 0)
            length++;
        Log.Write("ukl: "u8);
        Log.Write(name[..length]);
        Log.Write("["u8);
        Log.WriteDecimal(thread->Id);
        Log.Write("]: signal "u8);
        Log.WriteDecimal(info.Number);
        Log.Write(" at "u8);
        Log.WriteHex(thread->Fault.Address);
        Log.Write(" ip "u8);
        Log.WriteHex(frame->Rip);
        Log.Write(" sp "u8);
        Log.WriteHex(frame->Rsp);
        Log.Write(" error "u8);
        Log.WriteDecimal((long)thread->Fault.ErrorCode);
        Log.Write("\n"u8);
    }
}
