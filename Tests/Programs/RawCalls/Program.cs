// Makes a system call that no analysis of the program can see: by machine code that it writes into memory. An image that was linked without the call must answer
// ENOSYS, as for a call that does not exist; on Linux, and where all calls are kept, it gives a descriptor. Then it says whether the machine knows the date.

using System.Runtime.InteropServices;

namespace Ukl.Tests.RawCalls;

internal static unsafe partial class Program
{
    private const int PageSize = 4096;
    private const int ReadWriteExecute = 1 | 2 | 4, PrivateAnonymous = 0x22;
    private const int TimerfdCreate = 283;
    private const long ClockMonotonic = 1;
    private const int FirstYearOfThisProgram = 2025;

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Map(void* address, nuint length, int protection, int flags, int fd, long offset);

    private static int Main()
    {
        byte* code = Map(null, PageSize, ReadWriteExecute, PrivateAnonymous, -1, 0);
        // mov eax, number; syscall; ret
        byte[] call = [0xb8, .. BitConverter.GetBytes(TimerfdCreate), 0x0f, 0x05, 0xc3];
        Marshal.Copy(call, 0, (nint)code, call.Length);
        long result = ((delegate* unmanaged<long, long, long>)code)(ClockMonotonic, 0);
        Console.WriteLine(result >= 0 ? "timerfd_create: a descriptor" : $"timerfd_create: error {-result}");
        Console.WriteLine($"date known: {DateTime.UtcNow.Year >= FirstYearOfThisProgram}");
        return 0;
    }
}
