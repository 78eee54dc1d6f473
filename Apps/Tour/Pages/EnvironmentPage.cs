// A page of the tour: the process, the machine, variables.

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Ukl.Tour.Pages;

internal sealed class EnvironmentPage : Page
{
    public override string Name => "environment";

    public override string About => "the process, the machine, variables";

    public override void Visit(Guide guide)
    {
        guide.Check(OperatingSystem.IsLinux() && RuntimeInformation.IsOSPlatform(OSPlatform.Linux), "the program sees a Linux");
        guide.Equal(Architecture.X64, RuntimeInformation.ProcessArchitecture, "on x64");
        guide.Check(Environment.Version.Major >= 10, "with .NET 10 or later");
        guide.Check(Environment.ProcessorCount is >= 1 and <= 1024, "the number of processors");
        guide.Check(Environment.ProcessId > 0 && Environment.MachineName.Length > 0, "a process id and a machine name");
        guide.Equal(4096, Environment.SystemPageSize, "the page size");
        guide.Check(Environment.Is64BitProcess && BitConverter.IsLittleEndian, "64 bits, little-endian");
        guide.Equal("\n", Environment.NewLine, "lines end with one character");

        Environment.SetEnvironmentVariable("TOUR", "value");
        guide.Equal("value", Environment.GetEnvironmentVariable("TOUR"), "a variable is set");
        guide.Equal("a value", Environment.ExpandEnvironmentVariables("a %TOUR%"), "and expanded");
        Environment.SetEnvironmentVariable("TOUR", null);
        guide.Check(!Environment.GetEnvironmentVariables().Contains("TOUR"), "and removed");

        using Process self = Process.GetCurrentProcess();
        guide.Equal(Environment.ProcessId, self.Id, "the process finds itself");
        guide.Check(self.WorkingSet64 > 100_000 && self.Threads.Count >= 1, "with memory and threads");
        guide.Check(Environment.WorkingSet > 100_000, "the working set");
        long end = Environment.TickCount64 + 60;
        while (Environment.TickCount64 < end)
            Thread.SpinWait(100);
        guide.Check(self.TotalProcessorTime > TimeSpan.Zero, "processor time is counted");
        guide.Check(File.Exists(Environment.ProcessPath), "the path of the program is that of a file");
        guide.Check(AppContext.BaseDirectory.EndsWith('/'), "so is its folder");
        guide.Check(Environment.StackTrace.Contains(nameof(EnvironmentPage)), "the current stack trace");
    }
}
