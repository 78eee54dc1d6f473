// RyuJIT (10.0.12) loses the relocation of a static field's address when it folds a constant into it, as in Unsafe.Add(ref field, index - 1): what is left in the code is
// the number by which compiler and JIT talk of the field. Source: compiling it with ilc 10.0.12, checked by Tests/Lint; the numbers count up from 0x420000 in steps of 8.
using System.Collections.Generic;
using Iced.Intel;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Checks;

/// <summary>Finds memory operands that lost their relocation.</summary>
internal static class LostAddresses
{
    // The compiler's numbers of fields, and what a folded constant may add or subtract.
    private const ulong LowestNumber = 0x41_0000, HighestNumber = 0x4f_ffff;

    /// <summary>The offsets, in the function's section, of instructions that use such an address.</summary>
    public static IEnumerable<ulong> Find(CodeGraph graph, ElfSymbol function)
    {
        var relocated = new HashSet<ulong>();
        foreach (ElfRelocation relocation in graph.RelocationsIn(function))
            relocated.Add(relocation.Offset);
        var loaded = new HashSet<Register>();
        var information = new InstructionInfoFactory();
        Decoder decoder = graph.Decode(function);
        while (decoder.IP < function.Value + function.Size)
        {
            Instruction instruction = decoder.Decode();
            if (UsesMemory(instruction) && (loaded.Contains(instruction.MemoryBase) || IsBare(instruction) && !relocated.Contains(instruction.IP + (ulong)decoder.GetConstantOffsets(instruction).DisplacementOffset)))
                yield return instruction.IP;
            foreach (UsedRegister used in information.GetInfo(instruction).GetUsedRegisters())
            {
                if (used.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.None))
                    loaded.Remove(used.Register.GetFullRegister());
            }
            bool isNumber = instruction.Mnemonic == Mnemonic.Mov && instruction.Op0Kind == OpKind.Register && instruction.Op1Kind is OpKind.Immediate32 or OpKind.Immediate32to64 or OpKind.Immediate64
                && IsNumber(instruction.GetImmediate(1));
            if (isNumber && !relocated.Contains(instruction.IP + (ulong)decoder.GetConstantOffsets(instruction).ImmediateOffset))
                loaded.Add(instruction.Op0Register.GetFullRegister());
        }
    }

    private static bool UsesMemory(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Memory)
                return instruction.Mnemonic != Mnemonic.Nop && instruction.SegmentPrefix is not (Register.FS or Register.GS);
        }
        return false;
    }

    // LEA is also used for arithmetic.
    private static bool IsBare(in Instruction instruction) =>
        instruction.MemoryBase == Register.None && (instruction.Mnemonic != Mnemonic.Lea || IsNumber(instruction.MemoryDisplacement64));

    private static bool IsNumber(ulong value) => value is >= LowestNumber and <= HighestNumber;
}
