// Makes a system call that no analysis of the program can see: by machine code that it writes into memory. An image that was linked without the call must answer
// ENOSYS, as for a call that does not exist; on Linux, and where all calls are kept, it gives a descriptor.
// Source of truth: the x86-64 psABI, appendix A.2 (calls); Sdk/Musl/syscall_arch.h (the gate of a linked program).

using System.Runtime.InteropServices;

namespace Ukl.Tests.RawCalls;

internal static unsafe partial class Program
{
    private const int PageSize = 4096;
    private const int ReadWriteExecute = 1 | 2 | 4, PrivateAnonymous = 0x22;
    private const int TimerfdCreate = 283;
    private const long ClockMonotonic = 1;

    private const ulong EntryPoint = 9;
    private const int MostCode = 1 << 20;

    // What comes before the distance to the gate in libc's getpid: mov eax, 39; call.
    private static ReadOnlySpan<byte> Getpid => [0xb8, 39, 0, 0, 0, 0xe8];

    [LibraryImport("libc", EntryPoint = "getauxval")]
    private static partial byte* GetAuxiliaryValue(ulong type);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Map(void* address, nuint length, int protection, int flags, int fd, long offset);

    private static int Main()
    {
        byte* code = Map(null, PageSize, ReadWriteExecute, PrivateAnonymous, -1, 0);
        byte[] instructions = [0xb8, .. BitConverter.GetBytes(TimerfdCreate), .. MakeCall(), 0xc3];
        Marshal.Copy(instructions, 0, (nint)code, instructions.Length);
        long result = ((delegate* unmanaged<long, long, long>)code)(ClockMonotonic, 0);
        Console.WriteLine(result >= 0 ? "timerfd_create: a descriptor" : $"timerfd_create: error {-result}");
        return 0;
    }

    // With the number in eax. A linked program has its code in the upper half of the address space and calls the gate there, which is found where libc calls it.
    private static byte[] MakeCall()
    {
        byte* entry = GetAuxiliaryValue(EntryPoint);
        if ((long)entry >= 0)
            return [0x0f, 0x05]; // syscall
        ReadOnlySpan<byte> program = new(entry, MostCode);
        int distance = program.IndexOf(Getpid) + Getpid.Length;
        byte* gate = entry + distance + sizeof(int) + BitConverter.ToInt32(program[distance..]);
        // mov r11, gate; sub rsp, 8; call r11; add rsp, 8
        return [0x49, 0xbb, .. BitConverter.GetBytes((ulong)gate), 0x48, 0x83, 0xec, 8, 0x41, 0xff, 0xd3, 0x48, 0x83, 0xc4, 8];
    }
}
