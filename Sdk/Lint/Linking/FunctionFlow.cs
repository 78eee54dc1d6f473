using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;

namespace Ukl.Lint.Linking;

/// <summary>
/// Follows the values of registers through one function, over all its branches, and says what they may be where it calls or makes a system call. Code that is
/// reached in ways that cannot be seen (a jump from another function, the start of a catch) starts with nothing known.
/// </summary>
internal sealed class FunctionFlow
{
    private readonly CodeRegion _region;
    private readonly Instruction[] _instructions;
    private readonly Dictionary<ulong, int> _byAddress = [];
    private readonly Dictionary<int, RegisterState> _blocks = [];
    private readonly SortedSet<int> _leaders;
    private readonly InstructionInfoFactory _information = new();

    /// <summary>Analyses a function of an image.</summary>
    public FunctionFlow(CodeImage image, CodeRegion region)
    {
        _region = region;
        _instructions = [.. region.Instructions];
        for (int i = 0; i < _instructions.Length; i++)
            _byAddress[_instructions[i].IP] = i;
        Queue<int> pending = new();
        _leaders = FindLeaders(image, out HashSet<int> reachedUnseen);
        if (_byAddress.TryGetValue(region.Start, out int start))
            Enter(start, RegisterState.AtEntry(), pending);
        foreach (int leader in reachedUnseen)
            Enter(leader, RegisterState.Unknown(), pending);
        while (pending.TryDequeue(out int block))
        {
            foreach ((int next, RegisterState state) in Walk(block, visit: null))
                Enter(next, state, pending);
        }
    }

    /// <summary>Calls <paramref name="visit"/> with every instruction that may run and what is known before it.</summary>
    public void Visit(Action<Instruction, RegisterState> visit)
    {
        foreach (int block in _blocks.Keys)
            Walk(block, visit);
    }

    private int SkipPadding(int index)
    {
        while (index < _instructions.Length && _instructions[index].IsPadding())
            index++;
        return index;
    }

    private void Enter(int block, RegisterState state, Queue<int> pending)
    {
        if (block >= _instructions.Length)
            return;
        if (!_blocks.TryGetValue(block, out RegisterState? known))
            _blocks.Add(block, state.Copy());
        else if (!known.Join(state))
            return;
        pending.Enqueue(block);
    }

    private SortedSet<int> FindLeaders(CodeImage image, out HashSet<int> reachedUnseen)
    {
        SortedSet<int> leaders = [0];
        HashSet<int> branchedTo = [], jumpedOver = [], unseen = [];
        bool hasIndirectJump = false;
        List<ulong> tables = [];
        for (int i = 0; i < _instructions.Length; i++)
        {
            Instruction instruction = _instructions[i];
            if ((instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear) && _byAddress.TryGetValue(instruction.NearBranchTarget, out int target))
            {
                leaders.Add(target);
                branchedTo.Add(target);
            }
            if (instruction.EndsFlow() && SkipPadding(i + 1) is var after && after < _instructions.Length)
            {
                leaders.Add(after);
                jumpedOver.Add(after);
            }
            hasIndirectJump |= instruction.FlowControl == FlowControl.IndirectBranch;
            if (instruction.Mnemonic == Mnemonic.Lea && instruction.IsIPRelativeMemoryOperand)
                tables.Add(instruction.IPRelativeMemoryAddress);
            else if (instruction.FlowControl == FlowControl.IndirectBranch && instruction.MemoryBase == Register.None && instruction.MemoryIndex != Register.None)
                tables.Add(instruction.MemoryDisplacement64);
        }
        List<ulong> tableTargets = hasIndirectJump ? [.. tables.SelectMany(table => TableTargets(image, table))] : [];
        foreach (int leader in leaders)
        {
            // What follows a jump and nothing jumps to is reached by the unwinder; a jump whose table is not found may reach everything.
            bool isReachedUnseen = jumpedOver.Contains(leader) && !branchedTo.Contains(leader);
            if (leader > 0 && (isReachedUnseen && _region.IsFunction || hasIndirectJump && tableTargets.Count == 0))
                unseen.Add(leader);
        }
        foreach (ulong address in _region.EnteredAt.Concat(tableTargets))
        {
            if (!_byAddress.TryGetValue(address, out int entered))
                continue;
            leaders.Add(entered);
            unseen.Add(entered);
        }
        reachedUnseen = unseen;
        return leaders;
    }

    /// <summary>Places in the function that a table of jumps names, as 32-bit distances from the table or as addresses.</summary>
    private List<ulong> TableTargets(CodeImage image, ulong table)
    {
        List<ulong> targets = [];
        if (_region.Contains(table))
            return targets;
        ReadOnlySpan<byte> distances = image.At(table), addresses = distances;
        for (; distances.Length >= 4 && _region.Contains(table + (ulong)BinaryPrimitives.ReadInt32LittleEndian(distances)); distances = distances[4..])
            targets.Add(table + (ulong)BinaryPrimitives.ReadInt32LittleEndian(distances));
        for (; addresses.Length >= 8 && _region.Contains(BinaryPrimitives.ReadUInt64LittleEndian(addresses)); addresses = addresses[8..])
            targets.Add(BinaryPrimitives.ReadUInt64LittleEndian(addresses));
        return targets;
    }

    /// <summary>Runs a block from what is known at its start; the blocks that may follow, and what is known there.</summary>
    private List<(int Block, RegisterState State)> Walk(int block, Action<Instruction, RegisterState>? visit)
    {
        List<(int, RegisterState)> next = [];
        RegisterState state = _blocks[block].Copy();
        Instruction? before = null;
        for (int i = block; ;)
        {
            Instruction instruction = _instructions[i];
            visit?.Invoke(instruction, state);
            if (instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear)
            {
                bool isEquality = instruction.ConditionCode is ConditionCode.e or ConditionCode.ne;
                RegisterState taken = state.Copy();
                if (before is { } comparison && isEquality)
                    (instruction.ConditionCode == ConditionCode.e ? taken : state).AssumeEqual(comparison);
                if (_byAddress.TryGetValue(instruction.NearBranchTarget, out int target))
                    next.Add((target, taken));
            }
            if (instruction.EndsFlow() || !_byAddress.TryGetValue(instruction.NextIP, out int following))
                return next;
            state.Run(instruction, _information);
            if (_leaders.Contains(following))
            {
                next.Add((following, state));
                return next;
            }
            before = instruction;
            i = following;
        }
    }
}
