// Which system calls a linked program can make, read off its machine code. A call is made where the gate is called or SYSCALL stands; its number is in rax.
// musl gives most sites a constant. The rest are functions that pass a number on (syscall, __syscall_cp), and then what their callers pass counts, and so on.
// Source of truth: the x86-64 psABI, musl's src/internal/syscall.h, Sdk/Musl/syscall_arch.h.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Iced.Intel;
using Ukl.Lint.Elf;

namespace Ukl.Lint.Linking;

/// <summary>The numbers of the calls that the code of an image can make.</summary>
/// <param name="Numbers">What was found.</param>
/// <param name="Unproven">Where a number is not a constant; when there is such a place, any call can be made.</param>
public sealed record CallNumbers(IReadOnlySet<int> Numbers, IReadOnlyList<string> Unproven)
{
    private const string Gate = "ukl_syscall_gate";

    // Functions whose number comes by memory, and the one that put it there: by its first argument.
    private static readonly Dictionary<string, string> s_throughMemory = new() { ["do_setxid"] = "__setxid" };

    private static readonly int s_number = RegisterState.Number(Register.RAX);
    private static readonly int s_firstArgument = RegisterState.Number(Register.RDI);

    /// <summary>Reads an image that has its symbols.</summary>
    public static CallNumbers Read(ElfFile image)
    {
        var search = new Search(new CodeImage(image));
        search.Run();
        return new(search.Numbers, [.. search.Unproven.Order(StringComparer.Ordinal)]);
    }

    private sealed class Search(CodeImage image)
    {
        private readonly Dictionary<CodeRegion, FunctionFlow> _flows = [];
        private readonly HashSet<(ulong Address, int Register)> _known = [];
        private readonly Queue<(ulong Address, int Register)> _pending = new();

        public SortedSet<int> Numbers { get; } = [];

        public HashSet<string> Unproven { get; } = [];

        public void Run()
        {
            foreach (CodeRegion region in image.WithSyscall)
                Look(region, instruction => instruction.Mnemonic == Mnemonic.Syscall, s_number);
            if (image.Find(Gate) is { } gate)
                Want(gate, s_number, Gate);
            while (_pending.TryDequeue(out (ulong Address, int Register) target))
            {
                foreach (CodeRegion caller in image.CallersOf(target.Address))
                {
                    if (caller.End == target.Address && image.RunningOn.Contains(caller))
                        Unproven.Add($"{caller.Name} may run on into what is behind it");
                    Look(caller, instruction => IsBranchTo(instruction, target.Address), target.Register);
                }
            }
        }

        private static bool IsBranchTo(in Instruction instruction, ulong address) =>
            instruction.IsDirectBranch() && instruction.NearBranchTarget == address;

        /// <summary>From now on the numbers count that a register holds where a function is called.</summary>
        private void Want(ulong function, int register, string name)
        {
            if (!_known.Add((function, register)))
                return;
            if (image.IsAddressTaken(function))
                Unproven.Add($"{name} is called through a pointer");
            _pending.Enqueue((function, register));
        }

        private void Look(CodeRegion region, Func<Instruction, bool> isSite, int register)
        {
            if (!_flows.TryGetValue(region, out FunctionFlow? flow))
                _flows.Add(region, flow = new(image, region));
            flow.Visit((instruction, state) =>
            {
                if (isSite(instruction))
                    Note(region, instruction.IP, state[register]);
            });
        }

        private void Note(CodeRegion region, ulong address, NumberValue value)
        {
            if (value.IsUnknown)
            {
                if (s_throughMemory.TryGetValue(region.Name, out string? source) && image.Find(source) is { } function)
                    Want(function, s_firstArgument, source);
                else
                    Unproven.Add(string.Create(CultureInfo.InvariantCulture, $"{region.Name}+0x{address - region.Start:x}"));
                return;
            }
            Numbers.UnionWith(value.Constants);
            foreach (int register in value.Entries)
                Want(region.Start, register, region.Name);
        }
    }
}
