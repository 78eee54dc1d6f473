using System;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Syscalls;
using Ukl.Kernel.Tasks;
using Ukl.Tests.Unit.FileKinds;
using Xunit;

namespace Ukl.Tests.Unit.Tasks;

/// <summary>Calls about the process as a whole.</summary>
public sealed unsafe class ProcessCallsTests : IDisposable
{
    private readonly KernelRig _rig = new();

    public ProcessCallsTests()
    {
        _rig.Process->Limits.SetDefaults();
        _rig.Process->Memory = AddressSpace.Create(isUserMode: true);
    }

    public void Dispose()
    {
        AddressSpace.Release(_rig.Process->Memory);
        _rig.Process->Memory = null;
        _rig.Dispose();
    }

    [Fact]
    public void Limits_of_memory_are_obeyed_at_once()
    {
        AddressSpace* space = _rig.Process->Memory;
        SetLimit(ResourceLimits.Stack, 1 << 20);
        SetLimit(ResourceLimits.Data, 2 << 20);
        SetLimit(ResourceLimits.AddressSpace, 3 << 20);
        Assert.Equal((1ul << 20, 2ul << 20, 3ul << 20), (space->StackLimit, space->DataLimit, space->AddressLimit));
        const MapFlags flags = MapFlags.Private | MapFlags.Anonymous;
        Assert.Equal(Errno.ENOMEM, space->Map(0, 4 << 20, Protection.Read, flags).Error);
        Assert.False(space->Map(0, 2 << 20, Protection.Read, flags).IsError);
    }

    [Fact]
    public void Expedited_barriers_must_be_registered_for()
    {
        const int Expedited = 8;
        const int Register = 16;
        const int SyncCore = 32;
        Assert.Equal(Errno.EPERM, ThreadCalls.MemoryBarrier(Expedited, 0, 0).Error);
        Assert.Equal(Errno.EPERM, ThreadCalls.MemoryBarrier(SyncCore, 0, 0).Error);
        Assert.Equal(0, ThreadCalls.MemoryBarrier(Register, 0, 0).Value);
        Assert.Equal(0, ThreadCalls.MemoryBarrier(Expedited, 0, 0).Value);
        Assert.Equal(Errno.EPERM, ThreadCalls.MemoryBarrier(SyncCore, 0, 0).Error);
        long known = ThreadCalls.MemoryBarrier(0, 0, 0).Value;
        Assert.Equal(Expedited | Register, known & (Expedited | Register));
        Assert.Equal(Errno.EINVAL, ThreadCalls.MemoryBarrier(3, 0, 0).Error);
        Assert.Equal(Errno.EINVAL, ThreadCalls.MemoryBarrier(Expedited, 1, 0).Error);
    }

    [Fact]
    public void Usage_counts_ended_threads_for_the_process_alone()
    {
        _rig.Thread->Counts = new ResourceCounts { Faults = 3, VoluntarySwitches = 4, InvoluntarySwitches = 5 };
        _rig.Process->EndedCounts = new ResourceCounts { Faults = 10, VoluntarySwitches = 20, InvoluntarySwitches = 30 };
        Assert.Equal((13, 24, 35), Usage(0));
        Assert.Equal((3, 4, 5), Usage(1));
        Assert.Equal((0, 0, 0), Usage(-1));
    }

    private void SetLimit(int resource, ulong soft)
    {
        UserPtr<ResourceLimit> limit = _rig.User(new ResourceLimit { Soft = soft, Hard = ResourceLimits.Infinity });
        KernelRig.Ok(ProcessCalls.SetLimit(resource, limit));
    }

    private (long Faults, long Voluntary, long Involuntary) Usage(int who)
    {
        UserPtr<ProcessCalls.ResourceUsage> usage = _rig.User<ProcessCalls.ResourceUsage>();
        KernelRig.Ok(ProcessCalls.GetUsage(who, usage));
        Assert.True(usage.TryRead(out ProcessCalls.ResourceUsage read));
        return (read.MinorFaults, read.VoluntarySwitches, read.InvoluntarySwitches);
    }
}
