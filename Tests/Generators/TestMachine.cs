// The machine below the few kernel files that these tests compile: a console that is kept, user memory that is the test's own, threads that are numbers.
using System;
using System.Text;

namespace Ukl.Kernel.Arch
{
    internal static class Machine
    {
        [ThreadStatic] private static StringBuilder? s_console;

        /// <summary>Everything written on this thread.</summary>
        public static string Console => s_console?.ToString() ?? "";

        public static void WriteConsole(ReadOnlySpan<byte> text) => (s_console ??= new()).Append(Encoding.UTF8.GetString(text));
    }

    /// <summary>The first 64 KiB always fault.</summary>
    internal static unsafe class UserAccess
    {
        private const ulong LowestValid = 65536;

        public static bool IsLinkedProgramRange(ulong start, ulong end) => false;

        public static nuint CopyIn(void* destination, ulong source, nuint count) => Copy(destination, (void*)source, count, source);

        public static nuint CopyOut(ulong destination, void* source, nuint count) => Copy((void*)destination, source, count, destination);

        public static nuint Clear(ulong destination, nuint count)
        {
            if (destination < LowestValid)
                return count;
            new Span<byte>((void*)destination, (int)count).Clear();
            return 0;
        }

        private static nuint Copy(void* destination, void* source, nuint count, ulong userAddress)
        {
            if (userAddress < LowestValid)
                return count;
            Buffer.MemoryCopy(source, destination, count, count);
            return 0;
        }
    }
}

namespace Ukl.Kernel.Tasks
{
    /// <summary>As much of a thread as the trace shows.</summary>
    public struct Thread
    {
        public int Id;
    }

    /// <summary>The tests choose who runs.</summary>
    public static unsafe class Scheduler
    {
        [ThreadStatic] private static Thread* s_current;

        public static Thread* Current
        {
            get => s_current;
            set => s_current = value;
        }
    }
}
