using Ukl.Kernel.Arch;
using Ukl.Tests.Unit;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// The kernel under test is one machine with one CPU and one memory: its statics are the process's, so tests take turns.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(BootedMachine))]

namespace Ukl.Tests.Unit;

/// <summary>Starts the hosted machine's memory before the first test.</summary>
public sealed class BootedMachine
{
    public BootedMachine() => HostedMemory.Start();
}
