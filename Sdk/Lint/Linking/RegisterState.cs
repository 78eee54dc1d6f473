using System;
using Iced.Intel;

namespace Ukl.Lint.Linking;

/// <summary>What the general registers may hold before an instruction, and what an instruction makes of it. Source of truth: Intel SDM volume 2, the x86-64 psABI.</summary>
internal sealed class RegisterState
{
    private const int Count = 16;

    // What a function may change, by the psABI: rax, rcx, rdx, rsi, rdi, r8 to r11. SYSCALL changes rax, rcx and r11.
    private const int ChangedByCall = 0b0000_1111_1100_0111;
    private const int ChangedBySyscall = 0b0000_1000_0000_0011;

    private readonly NumberValue[] _values;

    private RegisterState(NumberValue[] values) => _values = values;

    /// <summary>A function's entry: every register holds what it held.</summary>
    public static RegisterState AtEntry()
    {
        var values = new NumberValue[Count];
        for (int register = 0; register < Count; register++)
            values[register] = NumberValue.Entry(register);
        return new(values);
    }

    /// <summary>A place that is reached in ways that are not known.</summary>
    public static RegisterState Unknown()
    {
        var values = new NumberValue[Count];
        Array.Fill(values, NumberValue.Unknown);
        return new(values);
    }

    /// <summary>What a register, by number, may hold.</summary>
    public NumberValue this[int register] => _values[register];

    /// <summary>A copy that can change.</summary>
    public RegisterState Copy() => new([.. _values]);

    /// <summary>Adds the ways to get here that <paramref name="other"/> stands for; whether that changed anything.</summary>
    public bool Join(RegisterState other)
    {
        bool hasChanged = false;
        for (int register = 0; register < Count; register++)
        {
            NumberValue joined = _values[register].Or(other._values[register]);
            hasChanged |= !joined.Equals(_values[register]);
            _values[register] = joined;
        }
        return hasChanged;
    }

    /// <summary>Becomes the state after an instruction.</summary>
    public void Run(in Instruction instruction, InstructionInfoFactory information)
    {
        if (instruction.Mnemonic == Mnemonic.Syscall || instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall)
        {
            Forget(instruction.Mnemonic == Mnemonic.Syscall ? ChangedBySyscall : ChangedByCall);
            return;
        }
        bool isRegister = instruction.OpCount > 0 && instruction.Op0Kind == OpKind.Register && instruction.Op0Register.IsGPR();
        NumberValue? result = isRegister ? Result(instruction) : null;
        int target = isRegister ? Number(instruction.Op0Register) : 0;
        foreach (UsedRegister used in information.GetInfo(instruction).GetUsedRegisters())
        {
            bool isWritten = used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite;
            if (isWritten && used.Register.IsGPR())
                _values[Number(used.Register)] = NumberValue.Unknown;
        }
        if (result is { } value)
            _values[target] = value;
    }

    /// <summary>Learns from a branch: when the comparison before it found equality, the register is what it was compared with. Compilers use that as a constant.</summary>
    public void AssumeEqual(in Instruction comparison)
    {
        if (comparison.OpCount != 2 || comparison.Op0Kind != OpKind.Register || !comparison.Op0Register.IsGPR() || comparison.Op0Register.GetSize() < 4)
            return;
        if (comparison.Mnemonic == Mnemonic.Test && comparison.Op1Kind == OpKind.Register && comparison.Op1Register == comparison.Op0Register)
            _values[Number(comparison.Op0Register)] = NumberValue.Constant(0);
        else if (comparison.Mnemonic == Mnemonic.Cmp && IsImmediate(comparison.Op1Kind))
            _values[Number(comparison.Op0Register)] = NumberValue.Constant((int)comparison.GetImmediate(1));
    }

    /// <summary>The number of the 64-bit register that a register is part of.</summary>
    public static int Number(Register register) => register.GetFullRegister().GetNumber();

    private void Forget(int registers)
    {
        for (int register = 0; register < Count; register++)
        {
            if ((registers >> register & 1) != 0)
                _values[register] = NumberValue.Unknown;
        }
    }

    /// <summary>What the first operand, a register, holds afterwards; null when this does not know the instruction.</summary>
    private NumberValue? Result(in Instruction instruction)
    {
        int size = instruction.Op0Register.GetSize();
        NumberValue old = _values[Number(instruction.Op0Register)];
        if (size < 4)
        {
            byte low = instruction.Immediate8;
            return instruction.Code == Code.Mov_r8_imm8 && instruction.Op0Register is not (Register.AH or Register.CH or Register.DH or Register.BH)
                ? old.Apply(value => (value & ~0xff) | low)
                : null;
        }
        bool isSource = instruction.OpCount > 1 && instruction.Op1Kind == OpKind.Register && instruction.Op1Register.IsGPR() && instruction.Op1Register.GetSize() >= 4;
        bool isConstant = instruction.OpCount == 2 && IsImmediate(instruction.Op1Kind);
        int constant = isConstant ? (int)instruction.GetImmediate(1) : 0;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Mov when isConstant:
                return NumberValue.Constant(constant);
            case Mnemonic.Mov or Mnemonic.Movsxd when isSource:
                return _values[Number(instruction.Op1Register)];
            case Mnemonic.Xor or Mnemonic.Sub when isSource && instruction.Op0Register == instruction.Op1Register:
                return NumberValue.Constant(0);
            case Mnemonic.Add when isConstant:
                return old.Apply(value => value + constant);
            case Mnemonic.Sub when isConstant:
                return old.Apply(value => value - constant);
            case Mnemonic.And when isConstant:
                return old.Apply(value => value & constant);
            case Mnemonic.Or when isConstant:
                return constant == -1 ? NumberValue.Constant(-1) : old.Apply(value => value | constant);
            case Mnemonic.Lea when instruction.MemoryIndex == Register.None && instruction.MemoryBase.IsGPR():
                int displacement = (int)instruction.MemoryDisplacement64;
                return displacement == 0 ? _values[Number(instruction.MemoryBase)] : _values[Number(instruction.MemoryBase)].Apply(value => value + displacement);
            default:
                return isSource && IsConditionalMove(instruction.Mnemonic)
                    ? old.Or(_values[Number(instruction.Op1Register)])
                    : null;
        }
    }

    private static bool IsImmediate(OpKind kind) =>
        kind is OpKind.Immediate8 or OpKind.Immediate32 or OpKind.Immediate64 or OpKind.Immediate8to32 or OpKind.Immediate8to64 or OpKind.Immediate32to64;

    private static bool IsConditionalMove(Mnemonic mnemonic) => mnemonic is >= Mnemonic.Cmova and <= Mnemonic.Cmovs;
}
