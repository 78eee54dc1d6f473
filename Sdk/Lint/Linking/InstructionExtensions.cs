using Iced.Intel;

namespace Ukl.Lint.Linking;

/// <summary>Questions about instructions.</summary>
internal static class InstructionExtensions
{
    /// <summary>Whether what stands behind it is not what runs next.</summary>
    public static bool EndsFlow(this in Instruction instruction) =>
        instruction.FlowControl is FlowControl.UnconditionalBranch or FlowControl.IndirectBranch or FlowControl.Return or FlowControl.Exception || instruction.Mnemonic is Mnemonic.Int3 or Mnemonic.Hlt;

    /// <summary>Whether it is a call of or a jump to an address that it names.</summary>
    public static bool IsDirectBranch(this in Instruction instruction) =>
        instruction.IsCallNear || instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear;

    /// <summary>Whether it fills space between functions.</summary>
    public static bool IsPadding(this in Instruction instruction) => instruction.Mnemonic is Mnemonic.Nop or Mnemonic.Int3;
}
