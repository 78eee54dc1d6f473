using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Ukl.Kernel.Boot;
using Ukl.Kernel.Core;
using Ukl.Kernel.Diagnostics;
using Ukl.Kernel.Files;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Programs;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Arch;

/// <summary>From the first C# instruction to the first process.</summary>
internal static unsafe class KernelMain
{
    /// <summary>What boot.S maps: physical memory that can be looked at before the final page tables stand.</summary>
    private const ulong EarlyLimit = 4ul << 30;

    private static BootInformation s_boot;
    private static MemoryMap s_usable;

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_register_drivers")]
    private static extern void RegisterDrivers();

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ukl_start_drivers")]
    private static extern void StartDrivers(CommandLine* commandLine);

    [RuntimeExport("ukl_main")]
    private static void Main(ulong information, int protocol)
    {
        DescriptorTables.Initialize();
        Cpu.Initialize();
        UserAccess.Initialize();
        DeviceBarrier.Initialize();

        var view = new PhysicalView((byte*)DirectMap.Base, EarlyLimit);
        ReadOnlySpan<byte> problem = protocol == 0
            ? PvhStartInfo.Read(view, information, ref s_boot)
            : Multiboot2.Read(view, information, ref s_boot);
        Acpi.Read(view, s_boot.RsdpAddress, ref Devices.Acpi);
        RegisterDrivers();
        if (problem.IsEmpty)
            problem = Cpu.FindMissing();
        if (problem.IsEmpty)
            problem = s_boot.FindConflict(Image.PhysicalOf(Image.Start).Value, Image.PhysicalOf(Image.End).Value);
        if (!problem.IsEmpty)
            Fail(problem);

        // The clocks are measured while memory is set up.
        LegacyPic.Disable();
        LocalApic.Initialize();
        var sources = new CalibrationSources
        {
            ReadTimestamp = &Cpu.ReadTimestamp,
            Identify = &Cpu.Identify,
            StartTimer = &LocalApic.StartTimer,
            ReadTimerCount = &LocalApic.ReadTimerCount,
            Reference = Devices.ReferenceCounter,
        };
        ClockCalibration.Begin(sources);
        StartMemory();
        IoApic.Initialize(Devices.Acpi);
        StartClocks(sources);
        SyscallDispatch.Initialize();
        SyscallDispatch.IsTracing = s_boot.CommandLine.HasFlag("trace"u8);
        SystemCalls.Initialize();
        StartDrivers((CommandLine*)Unsafe.AsPointer(ref s_boot.CommandLine));
        if (LinkedParts.Network)
            Net.KernelNetwork.Start(s_boot.CommandLine);
        StartFiles();
        if (LinkedParts.Network)
            Net.KernelNetwork.AddFiles();
        if (s_boot.CommandLine.TryGetValue("panic"u8, out ReadOnlySpan<byte> test))
            PanicTest.Start(test);
        if (LinkedParts.Network)
            Net.KernelNetwork.AwaitAddress();
        Fail(FirstProcess.Run(ref s_boot.CommandLine));
    }

    private static void StartMemory()
    {
        s_boot.GetUsableRanges(ref s_usable, Image.PhysicalOf(Image.Start).Value, Image.PhysicalOf(Image.End).Value);
        foreach (MemoryRange range in s_usable.Ranges)
            PageAllocator.AddRange(new PhysicalAddress(range.Start), range.Length);
        if (!PageAllocator.Start(EarlyLimit))
            Fail("too little memory: no room for the page frames"u8);
        Paging.Initialize(s_boot.EndOfUse(PageAllocator.End));
        PageAllocator.UseAll();
        if (!KernelStack.Initialize())
            Fail("too little memory: no room for kernel stacks"u8);
    }

    private static void StartClocks(in CalibrationSources sources)
    {
        ClockRates rates = ClockCalibration.Finish(sources);
        if (rates.TimestampRate == 0 || rates.TimerRate == 0)
            Fail("no clock: the local APIC's timer does not run"u8);
        if (rates.Source == RateSource.Assumed)
            Log.WriteLine("ukl: neither the processor nor a timer tells how fast the time stamp counter runs: time may pass at a wrong rate"u8);
        Clock.Start(rates.TimestampRate);
        TimerHardware.Initialize(rates.TimerRate);
        Clock.StartRealtime();
    }

    private static void StartFiles()
    {
        if (!FileSystems.Start())
            Fail("too little memory: no room for the file tree"u8);
        FileSystems.StartTerminal(s_boot.CommandLine);
        Files.Proc.SystemFiles.CommandLine = (CommandLine*)Unsafe.AsPointer(ref s_boot.CommandLine);
        MemoryRange initramfs = s_boot.Initramfs;
        if (initramfs.Length == 0)
            return;
        ReadOnlySpan<byte> problem = FileSystems.Populate(new ReadOnlySpan<byte>(new PhysicalAddress(initramfs.Start).Pointer, (int)initramfs.Length));
        if (!problem.IsEmpty)
            Fail(problem);
    }

    private static void Fail(ReadOnlySpan<byte> problem)
    {
        Log.Write("ukl: cannot start: "u8);
        Log.WriteLine(problem);
        Devices.ReportPanic(problem);
        PowerControl.TurnOff(BootFailureStatus);
    }

    /// <summary>What the machine hands on when the kernel could not start.</summary>
    private const int BootFailureStatus = 254;
}
