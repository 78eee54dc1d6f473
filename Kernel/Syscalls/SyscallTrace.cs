// Prints system calls the way strace(1) does, from the data that Sdk/Generators makes of the [Syscall] declarations (SyscallMetadata). Each of its three
// tables starts with a 16-bit little-endian offset per index (0: no entry). A call is: flags, name, and when supported the number of arguments and one kind each.
// An enum is: whether it is a set of flags, its size in bytes, 16-bit counts of fields and values, the 64-bit masks of the fields, and a 64-bit number and a name
// per value. An error is its name. A name is its length and that many bytes.
using System;
using System.Buffers.Binary;
using Ukl.Kernel.Arch;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>
/// The trace of system calls on the console. The caller tests its own flag first, so nothing here runs when tracing is off. A call that is
/// interrupted by another thread's is shown as strace shows it: "unfinished", later "resumed".
/// </summary>
internal static unsafe class SyscallTrace
{
    private const byte ReturnsPointer = 2, NeverReturns = 4, IsSupported = 8;
    private const int LongestText = 64;

    // What is unfinished on the console: a thread's id plus one; 0 when the cursor is at the start of a line.
    private static int s_openThread;
    private static int s_firstThread;
    private static bool s_hasThreads;
    private static UnknownCalls s_unknown;

    [System.Runtime.CompilerServices.InlineArray((SyscallTable.Count / 64) + 1)]
    private struct UnknownCalls
    {
        private ulong _bits;
    }

    /// <summary>Prints the call before it runs: name and arguments.</summary>
    public static void WriteCall(int number, TrapFrame* frame)
    {
        StartLine();
        int at = Find(SyscallMetadata.Calls, SyscallMetadata.CallsCount, number);
        if (at < 0)
        {
            Log.Write("syscall_"u8);
            Log.WriteDecimal(number);
            WriteRawArguments(frame);
            return;
        }
        ReadOnlySpan<byte> call = SyscallMetadata.Calls[at..];
        Log.Write(NameAt(call, 1));
        if ((call[0] & IsSupported) == 0)
        {
            WriteRawArguments(frame);
            return;
        }
        int kinds = 2 + call[1];
        Log.Write("("u8);
        for (int i = 0; i < call[kinds]; i++)
        {
            if (i > 0)
                Log.Write(", "u8);
            WriteArgument(call[kinds + 1 + i], Register(frame, i));
        }
        if ((call[0] & NeverReturns) != 0)
        {
            Log.Write(") = ?\n"u8);
            s_openThread = 0;
        }
    }

    /// <summary>Prints the result of the call that <see cref="WriteCall"/> printed last for this thread.</summary>
    public static void WriteResult(int number, long result)
    {
        int at = Find(SyscallMetadata.Calls, SyscallMetadata.CallsCount, number);
        ReadOnlySpan<byte> call = at < 0 ? default : SyscallMetadata.Calls[at..];
        if (s_openThread != ThreadMark())
        {
            StartLine();
            Log.Write("<... "u8);
            Log.Write(call.IsEmpty ? "syscall"u8 : NameAt(call, 1));
            Log.Write(" resumed>"u8);
        }
        Log.Write(") = "u8);
        if ((ulong)result >= unchecked((ulong)-4095L))
            WriteError((int)-result);
        else if (!call.IsEmpty && (call[0] & ReturnsPointer) != 0)
            Log.WriteHex((ulong)result);
        else
            Log.WriteDecimal(result);
        Log.Write("\n"u8);
        s_openThread = 0;
    }

    /// <summary>Remembers a call that this image has no handler for, for <see cref="WriteUnknown()"/>.</summary>
    public static void NoteUnknown(int number)
    {
        if ((uint)number < SyscallTable.Count)
            s_unknown[number >> 6] |= 1ul << (number & 63);
    }

    /// <summary>Lists each call that was made and has no handler, once: those that are not supported, then those that this image was linked without.</summary>
    public static void WriteUnknown()
    {
        WriteUnknown("calls not supported: "u8, isSupported: false);
        WriteUnknown("calls left out of this image, which <KernelCalls>all</KernelCalls> in the project keeps: "u8, isSupported: true);
    }

    private static void WriteUnknown(ReadOnlySpan<byte> title, bool isSupported)
    {
        bool isFirst = true;
        for (int number = 0; number < SyscallTable.Count; number++)
        {
            if ((s_unknown[number >> 6] >> (number & 63) & 1) == 0)
                continue;
            int at = Find(SyscallMetadata.Calls, SyscallMetadata.CallsCount, number);
            if (isSupported != (at >= 0 && (SyscallMetadata.Calls[at] & IsSupported) != 0))
                continue;
            Log.Write(isFirst ? title : ", "u8);
            isFirst = false;
            if (at >= 0)
            {
                Log.Write(NameAt(SyscallMetadata.Calls, at + 1));
                Log.Write(" "u8);
            }
            Log.Write("("u8);
            Log.WriteDecimal(number);
            Log.Write(")"u8);
        }
        if (!isFirst)
            Log.Write("\n"u8);
    }

    /// <summary>The error's name as in errno(3), empty when it has none.</summary>
    public static ReadOnlySpan<byte> ErrorName(int error)
    {
        int at = Find(SyscallMetadata.Errors, SyscallMetadata.ErrorsCount, error);
        return at < 0 ? default : NameAt(SyscallMetadata.Errors, at);
    }

    private static int ThreadMark() => ThreadId() + 1;

    private static int ThreadId()
    {
        Thread* thread = Scheduler.Current;
        return thread == null ? 0 : thread->Id;
    }

    /// <summary>Begins a line; one that another thread left open is ended as unfinished.</summary>
    private static void StartLine()
    {
        if (s_openThread != 0)
            Log.Write(" <unfinished ...>\n"u8);
        int id = ThreadId();
        if (s_firstThread == 0)
            s_firstThread = id;
        s_hasThreads |= id != s_firstThread;
        if (s_hasThreads)
        {
            Log.Write("["u8);
            Log.WriteDecimal(id);
            Log.Write("] "u8);
        }
        s_openThread = id + 1;
    }

    private static ulong Register(TrapFrame* frame, int index) => index switch
    {
        0 => frame->Rdi,
        1 => frame->Rsi,
        2 => frame->Rdx,
        3 => frame->R10,
        4 => frame->R8,
        _ => frame->R9,
    };

    private static void WriteRawArguments(TrapFrame* frame)
    {
        for (int i = 0; i < 6; i++)
        {
            Log.Write(i == 0 ? "("u8 : ", "u8);
            Log.WriteHex(Register(frame, i));
        }
    }

    // The cases are ArgumentKind of Sdk/Generators/SyscallModel.cs.
    private static void WriteArgument(byte kind, ulong value)
    {
        const int FirstEnum = 32;
        switch (kind)
        {
            case 1:
                Log.WriteDecimal((int)value);
                break;
            case 2:
                Log.WriteDecimal((long)value);
                break;
            case 3:
                Log.WriteUnsigned((uint)value);
                break;
            case 4:
                Log.WriteUnsigned(value);
                break;
            case 5:
                WritePointer(value);
                break;
            case 6:
                Log.WriteHex((uint)value);
                break;
            case 8:
                Log.Write("0"u8);
                Log.WriteUnsigned((uint)value, numberBase: 8);
                break;
            case 9:
                WriteDescriptor((int)value);
                break;
            case 10:
                WriteText(value);
                break;
            case >= FirstEnum:
                WriteEnum(kind - FirstEnum, value);
                break;
            default:
                Log.WriteHex(value);
                break;
        }
    }

    private static void WritePointer(ulong value)
    {
        if (value == 0)
            Log.Write("NULL"u8);
        else
            Log.WriteHex(value);
    }

    private static void WriteDescriptor(int value)
    {
        if (value == Abi.Fd.CurrentDirectory)
            Log.Write("AT_FDCWD"u8);
        else
            Log.WriteDecimal(value);
    }

    private static void WriteError(int error)
    {
        Log.Write("-1 "u8);
        ReadOnlySpan<byte> name = ErrorName(error);
        if (name.IsEmpty)
            Log.WriteDecimal(error);
        else
            Log.Write(name);
    }

    /// <summary>A string of the program in quotes, what is not printable escaped as in C; the address when it cannot be read.</summary>
    private static void WriteText(ulong address)
    {
        byte* text = stackalloc byte[LongestText + 1];
        nint length = address == 0 ? -1 : new UserString(address).CopyTo(text, LongestText + 1);
        if (length < 0)
        {
            WritePointer(address);
            return;
        }
        Log.Write("\""u8);
        int shown = length > LongestText ? LongestText : (int)length;
        for (int i = 0; i < shown; i++)
            WriteCharacter(text[i]);
        Log.Write(length > LongestText ? "\"..."u8 : "\""u8);
    }

    private static void WriteCharacter(byte character)
    {
        switch (character)
        {
            case (byte)'\n':
                Log.Write("\\n"u8);
                break;
            case (byte)'\t':
                Log.Write("\\t"u8);
                break;
            case (byte)'\r':
                Log.Write("\\r"u8);
                break;
            case (byte)'"':
                Log.Write("\\\""u8);
                break;
            case (byte)'\\':
                Log.Write("\\\\"u8);
                break;
            case >= 32 and < 127:
                Log.Write(new ReadOnlySpan<byte>(&character, 1));
                break;
            default:
                byte* escape = stackalloc byte[4];
                escape[0] = (byte)'\\';
                escape[1] = (byte)('0' + (character >> 6));
                escape[2] = (byte)('0' + (character >> 3 & 7));
                escape[3] = (byte)('0' + (character & 7));
                Log.Write(new ReadOnlySpan<byte>(escape, 4));
                break;
        }
    }

    private static void WriteEnum(int index, ulong value)
    {
        int at = Find(SyscallMetadata.Enums, SyscallMetadata.EnumsCount, index);
        if (at < 0)
        {
            Log.WriteHex(value);
            return;
        }
        ReadOnlySpan<byte> type = SyscallMetadata.Enums[at..];
        int size = type[1];
        if (size < 8)
            value &= (1ul << (size * 8)) - 1;
        int fields = BinaryPrimitives.ReadUInt16LittleEndian(type[2..]);
        int members = BinaryPrimitives.ReadUInt16LittleEndian(type[4..]);
        ReadOnlySpan<byte> values = type[(6 + (fields * 8))..];
        if (type[0] != 0)
            WriteFlags(type.Slice(6, fields * 8), values, members, value);
        else if (!TryWriteMember(values, members, value, isFirst: true))
            Log.WriteUnsigned(value);
    }

    private static void WriteFlags(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> values, int members, ulong value)
    {
        bool isFirst = true;
        ulong rest = value;
        for (; fields.Length >= 8; fields = fields[8..])
        {
            ulong mask = BinaryPrimitives.ReadUInt64LittleEndian(fields);
            if (TryWriteMember(values, members, value & mask, isFirst))
            {
                rest &= ~mask;
                isFirst = false;
            }
        }
        ReadOnlySpan<byte> next = values;
        for (int i = 0; i < members && rest != 0; i++)
        {
            ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(next);
            ReadOnlySpan<byte> name = NameAt(next, 8);
            next = next[(9 + name.Length)..];
            if (bits == 0 || (rest & bits) != bits)
                continue;
            WriteSeparated(name, isFirst);
            rest &= ~bits;
            isFirst = false;
        }
        if (rest != 0)
        {
            WriteSeparated(default, isFirst);
            Log.WriteHex(rest);
        }
        else if (isFirst && !TryWriteMember(values, members, 0, isFirst))
        {
            Log.Write("0"u8);
        }
    }

    private static void WriteSeparated(ReadOnlySpan<byte> name, bool isFirst)
    {
        if (!isFirst)
            Log.Write("|"u8);
        Log.Write(name);
    }

    private static bool TryWriteMember(ReadOnlySpan<byte> values, int members, ulong value, bool isFirst)
    {
        for (int i = 0; i < members; i++)
        {
            ReadOnlySpan<byte> name = NameAt(values, 8);
            if (BinaryPrimitives.ReadUInt64LittleEndian(values) == value)
            {
                WriteSeparated(name, isFirst);
                return true;
            }
            values = values[(9 + name.Length)..];
        }
        return false;
    }

    /// <summary>Where an entry starts in its table; -1 when there is none.</summary>
    private static int Find(ReadOnlySpan<byte> table, int count, int index)
    {
        if ((uint)index >= (uint)count)
            return -1;
        int offset = BinaryPrimitives.ReadUInt16LittleEndian(table[(index * 2)..]);
        return offset == 0 ? -1 : offset;
    }

    private static ReadOnlySpan<byte> NameAt(ReadOnlySpan<byte> data, int at) => data.Slice(at + 1, data[at]);
}
