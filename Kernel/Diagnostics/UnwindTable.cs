// How to get from a function to its caller, from .eh_frame. Sources: LSB 5.0 core, chapter 10.6 (.eh_frame, .eh_frame_hdr); DWARF 4, section 6.4 (call frame
// instructions). Covers what ilc, gcc and clang write for x86-64 code whose frame is found from rsp or rbp; anything else ends the walk.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ukl.Kernel.Diagnostics;

/// <summary>The registers that a walk up the stack needs; ukl_capture_frame (cpu.S) writes it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UnwindState
{
    public ulong Rip;
    public ulong Rsp;
    public ulong Rbp;
}

/// <summary>The unwind tables of an image, as it lies in memory.</summary>
internal readonly unsafe ref struct UnwindTable
{
    private const byte PcRelative4 = 0x1b, DataRelative4 = 0x3b, Unsigned4 = 0x03;
    private const int Rbp = 6, Rsp = 7, ReturnAddress = 16;
    private const int MaxSavedRows = 4;
    private const int TableStart = 12, PairSize = 8;

    private readonly ReadOnlySpan<byte> _header;
    private readonly ReadOnlySpan<byte> _frames;
    private readonly ulong _headerAddress;
    private readonly ulong _framesAddress;

    /// <summary>The two sections and where they lie.</summary>
    public UnwindTable(ReadOnlySpan<byte> header, ulong headerAddress, ReadOnlySpan<byte> frames, ulong framesAddress)
    {
        _header = header;
        _headerAddress = headerAddress;
        _frames = frames;
        _framesAddress = framesAddress;
    }

    /// <summary>Where a function's caller is to be found, at one of its instructions.</summary>
    private struct Row
    {
        public ulong FrameRegister;
        public long FrameOffset;
        public long RbpOffset;
        public bool IsRbpSaved;
        public long ReturnOffset;
    }

    [InlineArray(MaxSavedRows)]
    private struct SavedRows
    {
        private Row _first;
    }

    /// <summary>
    /// Goes from a function to its caller. <paramref name="isReturnAddress"/>: rip is behind a call and not at a faulting instruction. <paramref name="read"/> reads eight
    /// bytes of the stack and returns false when it cannot. Returns false at the end of what the tables know.
    /// </summary>
    public bool TryStep(ref UnwindState state, bool isReturnAddress, delegate*<ulong, ulong*, bool> read)
    {
        ulong address = isReturnAddress ? state.Rip - 1 : state.Rip;
        if (!TryFindEntry(address, out int entry) || !TryFindRow(entry, address, out Row row))
            return false;
        ulong frame = (row.FrameRegister == Rbp ? state.Rbp : state.Rsp) + (ulong)row.FrameOffset;
        ulong rip, rbp = state.Rbp;
        // A frame is never below its caller's: a walk that goes down is lost.
        if (frame <= state.Rsp || !read(frame + (ulong)row.ReturnOffset, &rip))
            return false;
        if (row.IsRbpSaved && !read(frame + (ulong)row.RbpOffset, &rbp))
            return false;
        state.Rip = rip;
        state.Rsp = frame;
        state.Rbp = rbp;
        return rip != 0;
    }

    /// <summary>The offset in .eh_frame of the entry (FDE) whose function starts last before an address.</summary>
    private bool TryFindEntry(ulong address, out int entry)
    {
        entry = 0;
        var header = new ByteReader(_header, 0);
        if (header.UInt8() != 1 || header.UInt8() != PcRelative4 || header.UInt8() != Unsigned4 || header.UInt8() != DataRelative4)
            return false;
        header.UInt32();
        uint count = header.UInt32();
        if (header.IsDamaged || count > (uint)(_header.Length - TableStart) / PairSize)
            return false;
        int low = 0, high = (int)count;
        while (low < high)
        {
            int middle = (int)((uint)(low + high) / 2);
            if (_headerAddress + (ulong)(long)(int)Pair(middle).UInt32() <= address)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == 0)
            return false;
        ByteReader pair = Pair(low - 1);
        pair.UInt32();
        ulong offset = _headerAddress + (ulong)(long)(int)pair.UInt32() - _framesAddress;
        entry = (int)offset;
        return offset < (ulong)_frames.Length;
    }

    private ByteReader Pair(int index) => new(_header, TableStart + (index * PairSize));

    private bool TryFindRow(int entry, ulong address, out Row row)
    {
        row = default;
        var description = new ByteReader(_frames, entry);
        uint length = description.UInt32();
        int end = description.Position + (int)length;
        int common = description.Position - (int)description.UInt32();
        if (description.IsDamaged || (uint)common >= (uint)_frames.Length || (uint)end > (uint)_frames.Length)
            return false;
        var shared = new ByteReader(_frames, common);
        if (!TryReadCommon(ref shared, out int commonEnd, out ulong codeAlignment, out long dataAlignment, out bool hasAugmentation))
            return false;
        ulong start = _framesAddress + (ulong)description.Position;
        start += (ulong)(long)(int)description.UInt32();
        uint size = description.UInt32();
        if (address < start || address - start >= size)
            return false;
        if (hasAugmentation)
            description.Skip(description.Unsigned());
        if (description.IsDamaged)
            return false;

        row.ReturnOffset = -8;
        if (!Run(ref shared, commonEnd, ulong.MaxValue, codeAlignment, dataAlignment, ref row, default))
            return false;
        Row initial = row;
        return Run(ref description, end, address - start, codeAlignment, dataAlignment, ref row, initial) && row.FrameRegister is Rbp or Rsp;
    }

    /// <summary>Reads a common entry (CIE) up to its instructions.</summary>
    private static bool TryReadCommon(ref ByteReader reader, out int end, out ulong codeAlignment, out long dataAlignment, out bool hasAugmentation)
    {
        uint length = reader.UInt32();
        end = reader.Position + (int)length;
        codeAlignment = 0;
        dataAlignment = 0;
        hasAugmentation = false;
        uint id = reader.UInt32();
        byte version = reader.UInt8();
        if (id != 0 || version is not (1 or 3))
            return false;
        ByteReader augmentation = reader;
        while (reader.UInt8() != 0 && !reader.IsDamaged)
        {
        }
        codeAlignment = reader.Unsigned();
        dataAlignment = reader.Signed();
        ulong returnColumn = version == 1 ? reader.UInt8() : reader.Unsigned();
        if (reader.IsDamaged || returnColumn != ReturnAddress)
            return false;
        if (augmentation.UInt8() != (byte)'z')
            return false;
        hasAugmentation = true;
        ulong dataLength = reader.Unsigned();
        ByteReader data = reader;
        reader.Skip(dataLength);
        for (byte letter = augmentation.UInt8(); letter != 0; letter = augmentation.UInt8())
        {
            switch (letter)
            {
                case (byte)'R':
                    if (data.UInt8() != PcRelative4)
                        return false;
                    break;
                case (byte)'L':
                    data.UInt8();
                    break;
                case (byte)'P':
                    // Low bits: the size of the pointer. 4 bytes, or 8 when it is absolute.
                    byte encoding = data.UInt8();
                    data.Skip((encoding & 0x0f) is 0x03 or 0x0b ? 4u : 8u);
                    break;
                case (byte)'S':
                    break;
                default:
                    return false;
            }
        }
        return !reader.IsDamaged && !data.IsDamaged;
    }

    /// <summary>Runs call frame instructions until the row of <paramref name="offset"/> is complete.</summary>
    private static bool Run(ref ByteReader code, int end, ulong offset, ulong codeAlignment, long dataAlignment, ref Row row, in Row initial)
    {
        ulong location = 0;
        SavedRows saved = default;
        int depth = 0;
        while (code.Position < end && !code.IsDamaged)
        {
            byte opcode = code.UInt8();
            ulong low = opcode & 0x3fu;
            ulong step = 0;
            switch (opcode >> 6)
            {
                case 1: // advance
                    step = low;
                    break;
                case 2: // saved at an offset
                    Save(low, (long)code.Unsigned() * dataAlignment, ref row);
                    break;
                case 3: // as at the start
                    Restore(low, ref row, initial);
                    break;
                default:
                    switch (opcode)
                    {
                        case 0x00: // nop
                            break;
                        case 0x02: // advance, 1 byte
                            step = code.UInt8();
                            break;
                        case 0x03: // advance, 2 bytes
                            step = code.UInt16();
                            break;
                        case 0x04: // advance, 4 bytes
                            step = code.UInt32();
                            break;
                        case 0x05: // saved at an offset, any register
                            ulong register = code.Unsigned();
                            Save(register, (long)code.Unsigned() * dataAlignment, ref row);
                            break;
                        case 0x06: // as at the start, any register
                            Restore(code.Unsigned(), ref row, initial);
                            break;
                        case 0x07: // undefined
                        case 0x08: // same value
                            if (code.Unsigned() == ReturnAddress)
                                return false;
                            break;
                        case 0x0a: // remember
                            if (depth == MaxSavedRows)
                                return false;
                            saved[depth++] = row;
                            break;
                        case 0x0b: // recall
                            if (depth == 0)
                                return false;
                            row = saved[--depth];
                            break;
                        case 0x0c: // frame: register and offset
                            row.FrameRegister = code.Unsigned();
                            row.FrameOffset = (long)code.Unsigned();
                            break;
                        case 0x0d: // frame: register
                            row.FrameRegister = code.Unsigned();
                            break;
                        case 0x0e: // frame: offset
                            row.FrameOffset = (long)code.Unsigned();
                            break;
                        case 0x2e: // size of arguments (GNU)
                            code.Unsigned();
                            break;
                        default:
                            return false;
                    }
                    break;
            }
            if (step == 0)
                continue;
            location += step * codeAlignment;
            if (location > offset)
                break;
        }
        return !code.IsDamaged;
    }

    private static void Save(ulong register, long offset, ref Row row)
    {
        if (register == Rbp)
        {
            row.IsRbpSaved = true;
            row.RbpOffset = offset;
        }
        else if (register == ReturnAddress)
        {
            row.ReturnOffset = offset;
        }
    }

    private static void Restore(ulong register, ref Row row, in Row initial)
    {
        if (register == Rbp)
        {
            row.IsRbpSaved = initial.IsRbpSaved;
            row.RbpOffset = initial.RbpOffset;
        }
        else if (register == ReturnAddress)
        {
            row.ReturnOffset = initial.ReturnOffset;
        }
    }
}
