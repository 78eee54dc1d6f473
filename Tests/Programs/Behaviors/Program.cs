// Behaves in the way its first argument names, mostly badly. `--list` prints each mode with the exit status a shell shows for it on
// Linux (the exit code, or 128 and the signal's number), or `hang` when only a signal from outside ends it (Ctrl-C: 130, the power button: SIGTERM).
// What standard output and standard error then hold is written at each mode, as the same program printed it on Linux.

using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ukl.Tests.Behaviors;

/// <summary>One way to behave: its name, what it does, and the status it ends with (null when it does not end by itself).</summary>
internal sealed record Mode(string Name, int? Status, Func<int> Run);

internal static unsafe class Program
{
    private const int AbortStatus = 128 + 6;
    private const int SegvStatus = 128 + 11;
    private const int OutputLength = 1 << 20;

    private static readonly Mode[] s_modes =
    [
        new("exit0", 0, () => 0),
        new("exit3", 3, () => 3),
        new("exit255", 255, () => 255),
        // out: "leaving"; finally blocks do not run, exit handlers do: "exit handler"
        new("exit-call", 7, ExitByCall),
        // err: "Unhandled exception. System.InvalidOperationException: thrown by the test", then the stack trace
        new("throw", AbortStatus, () => throw new InvalidOperationException("thrown by the test")),
        // err: as above, from a thread that is not the first
        new("throw-thread", AbortStatus, ThrowInThread),
        // err: "Process terminated. failed by the test", then the stack trace
        new("failfast", AbortStatus, () => { Environment.FailFast("failed by the test"); return 0; }),
        // out: "caught NullReferenceException"
        new("nullderef", 0, DereferenceNull),
        // err: "Unhandled exception. System.NullReferenceException: ..."
        new("nullderef-unhandled", AbortStatus, () => Read(null!)),
        // err: "Process terminated. Access Violation: Attempted to read or write protected memory. ...", then the stack trace
        new("wildwrite", AbortStatus, WriteWildly),
        // err: "Process is terminating due to StackOverflowException.", then the stack trace
        // nothing printed: the runtime leaves the overflow to the kernel
        new("stackoverflow", SegvStatus, () => Recurse(0)),
        new("stackoverflow-thread", SegvStatus, RecurseInThread),
        // out: "caught OutOfMemoryException", "went on"; run it with little memory, or DOTNET_GCHeapHardLimit=4000000 (hexadecimal)
        new("outofmemory", 0, ExhaustMemory),
        // out: "deadlocked"
        new("deadlock", null, Deadlock),
        // out: "spinning"
        new("hang", null, Spin),
        // out: 1 MB of numbered lines, none lost
        new("stdout-flush", 5, WriteMuch),
        // out: what standard input held, line by line, then "N lines"
        new("stdin-echo", 0, EchoInput),
        // out: "main ended" and the end; the background thread does not keep the program alive
        new("background-thread", 4, LeaveBackgroundThread),
        // out: "main ended", then "foreground thread ended"
        new("foreground-thread", 6, LeaveForegroundThread),
        // out: "interrupted, going on" for the first Ctrl-C, then ends by itself
        new("cancel-key", 9, HandleCancelKey),
        // out: "waiting"; SIGTERM kills it (143), for the runtime leaves that signal alone since .NET 10
        new("terminate", null, WaitForEnd),
        // out: "waiting"; "asked to end, going on" for the first SIGTERM; for the second "asked to end" and "exit handler", then status 12
        new("terminate-handled", null, HandleTermination),
    ];

    private static int Main(string[] args)
    {
        if (args is ["--list"])
        {
            foreach (Mode mode in s_modes)
                Console.WriteLine($"{mode.Name} {mode.Status?.ToString() ?? "hang"}");
            return 0;
        }
        Mode? chosen = args.Length == 0 ? null : s_modes.FirstOrDefault(mode => mode.Name == args[0]);
        if (chosen is null)
        {
            Console.Error.WriteLine("usage: Behaviors MODE | --list");
            return 2;
        }
        return chosen.Run();
    }

    private static int ExitByCall()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine("exit handler");
        try
        {
            Console.WriteLine("leaving");
            Environment.Exit(7);
        }
        finally
        {
            Console.WriteLine("never printed");
        }
        return 0;
    }

    private static int ThrowInThread()
    {
        Thread thread = new(() => throw new InvalidOperationException("thrown by the test"));
        thread.Start();
        thread.Join();
        return 0;
    }

    private static int DereferenceNull()
    {
        try
        {
            return Read(null!);
        }
        catch (NullReferenceException exception)
        {
            Console.WriteLine($"caught {exception.GetType().Name}");
            return 0;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Read(int[] array) => array[1];

    private static int WriteWildly()
    {
        int* wild = (int*)0x1234_5678_9000;
        *wild = 42;
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Recurse(int depth) => Recurse(depth + 1) + depth;

    private static int RecurseInThread()
    {
        Thread thread = new(() => Recurse(0), maxStackSize: 256 * 1024);
        thread.Start();
        thread.Join();
        return 0;
    }

    private static int ExhaustMemory()
    {
        List<byte[]>? blocks = [];
        try
        {
            for (; ; )
            {
                byte[] block = new byte[1 << 20];
                for (int i = 0; i < block.Length; i += Environment.SystemPageSize)
                    block[i] = 1;
                blocks.Add(block);
            }
        }
        catch (OutOfMemoryException)
        {
            blocks = null;
        }
        // Printing allocates: whether a few kilobytes are left before a collection is chance.
        GC.Collect();
        Console.WriteLine($"caught {nameof(OutOfMemoryException)}");
        long sum = 0;
        for (int i = 0; i < 100; i++)
            sum += new byte[100_000].Length;
        Console.WriteLine(sum == 10_000_000 && blocks is null ? "went on" : "went wrong");
        return 0;
    }

    private static int Deadlock()
    {
        object first = new(), second = new();
        using Barrier both = new(2);
        Thread thread = new(() => LockBoth(second, first, both));
        thread.Start();
        Console.WriteLine("deadlocked");
        LockBoth(first, second, both);
        return 0;
    }

    private static void LockBoth(object one, object other, Barrier both)
    {
        lock (one)
        {
            both.SignalAndWait();
            lock (other)
            {
                Console.WriteLine("never printed");
            }
        }
    }

    private static int Spin()
    {
        Console.WriteLine("spinning");
        for (; ; )
            Thread.SpinWait(1000);
    }

    private static int WriteMuch()
    {
        for (int written = 0, number = 0; written < OutputLength; number++)
        {
            string line = $"line {number:D6} of the output that must not be lost";
            Console.Out.WriteLine(line);
            written += line.Length + 1;
        }
        return 5;
    }

    private static int EchoInput()
    {
        int lines = 0;
        while (Console.In.ReadLine() is { } line)
        {
            Console.WriteLine(line);
            lines++;
        }
        Console.WriteLine($"{lines} lines");
        return 0;
    }

    private static int LeaveBackgroundThread()
    {
        new Thread(() => Thread.Sleep(Timeout.Infinite)) { IsBackground = true }.Start();
        Console.WriteLine("main ended");
        return 4;
    }

    private static int LeaveForegroundThread()
    {
        new Thread(() =>
        {
            Thread.Sleep(100);
            Console.WriteLine("foreground thread ended");
        }).Start();
        Console.WriteLine("main ended");
        return 6;
    }

    private static int HandleCancelKey()
    {
        using ManualResetEventSlim pressed = new();
        Console.CancelKeyPress += (_, key) =>
        {
            key.Cancel = true;
            Console.WriteLine("interrupted, going on");
            pressed.Set();
        };
        SendInterrupt(Environment.ProcessId);
        return pressed.Wait(10_000) ? 9 : 1;
    }

    private static int WaitForEnd()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine("never printed");
        Console.WriteLine("waiting");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static int HandleTermination()
    {
        bool wasAsked = false;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine("exit handler");
        using PosixSignalRegistration handler = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            Console.WriteLine(wasAsked ? "asked to end" : "asked to end, going on");
            if (wasAsked)
                Environment.Exit(12);
            wasAsked = true;
        });
        Console.WriteLine("waiting");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    /// <summary>Sends the program what Ctrl-C sends it.</summary>
    private static void SendInterrupt(int process)
    {
        const int Interrupt = 2;
        if (Kill(process, Interrupt) != 0)
            throw new UnreachableException();
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
