using Ukl.Tool;
using Ukl.Tool.Build;
using Ukl.Tool.Qemu;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class MemoryNeedTests
{
    private const ulong Mebibyte = 1 << 20;

    [Theory]
    [InlineData(3 * Mebibyte, 0, 4)]
    [InlineData(3 * Mebibyte - 0x2_8000, 0, 3)]
    [InlineData(3 * Mebibyte - 0x2_8000 + 1, 0, 4)]
    [InlineData(3 * Mebibyte, Mebibyte - 0x2_8000, 4)]
    [InlineData(3 * Mebibyte, Mebibyte - 0x2_8000 + 1, 5)]
    public void Kernel_and_initramfs_must_not_meet(ulong kernelEnd, ulong initramfs, int least) => Assert.Equal(least, MemoryNeed.LeastMemory(kernelEnd, initramfs));

    [Fact]
    public void Too_small_a_machine_is_refused_in_one_sentence()
    {
        string folder = Directory.CreateTempSubdirectory("ukl-").FullName;
        try
        {
            var image = new BuiltImage("Name", new Level("general", 0, IsLinked: false, IsBuilt: true), folder);
            File.WriteAllBytes(image.Kernel, ElfFileTests.MakeLoaded(address: 0x20_0000, size: 0x10_0000));
            File.WriteAllBytes(image.Initramfs, new byte[Mebibyte]);
            MemoryNeed.Require(image, new MachineOptions { Memory = 5 });
            ToolException refusal = Assert.Throws<ToolException>(() => MemoryNeed.Require(image, new MachineOptions { Memory = 4 }));
            Assert.Equal("4 MiB of memory cannot hold Name: kernel and initramfs alone take 5 MiB at level general (0).", refusal.Message);
            MemoryNeed.Require(image, new MachineOptions { Memory = 4, IsIso = true });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
