using Ukl.Tool.Build;

namespace Ukl.Tool.Qemu;

/// <summary>
/// Whether a machine's memory can hold an image at all. QEMU puts the initramfs at the end of memory, whatever lies there: on a machine too small the
/// kernel is overwritten before its first instruction and cannot say so itself. Source of truth: QEMU, hw/i386/x86.c (x86_load_linux).
/// </summary>
public static class MemoryNeed
{
    /// <summary>What QEMU leaves free above the initramfs, for the firmware's tables (acpi_data_size).</summary>
    private const ulong AboveInitramfs = 0x2_8000;

    private const ulong PageSize = 4096;
    private const ulong Mebibyte = 1 << 20;

    /// <summary>The least memory, in MiB, in which kernel and initramfs do not lie over each other. The program needs more than that.</summary>
    /// <param name="kernelEnd">First address above the loaded kernel.</param>
    /// <param name="initramfsSize">In bytes.</param>
    public static int LeastMemory(ulong kernelEnd, ulong initramfsSize)
    {
        static ulong Pages(ulong bytes) => (bytes + PageSize - 1) / PageSize * PageSize;
        return (int)((Pages(kernelEnd) + Pages(initramfsSize) + AboveInitramfs + Mebibyte - 1) / Mebibyte);
    }

    /// <summary>Refuses a machine whose memory cannot hold an image.</summary>
    /// <exception cref="ToolException">It cannot.</exception>
    public static void Require(BuiltImage image, MachineOptions machine)
    {
        // A boot loader looks for itself what fits.
        if (machine.IsIso || machine.IsUefi || ElfFile.Parse(File.ReadAllBytes(image.Kernel)) is not { } kernel)
            return;
        int least = LeastMemory(kernel.PhysicalEnd, (ulong)new FileInfo(image.Initramfs).Length);
        if (machine.Memory < least)
            throw new ToolException($"{machine.Memory} MiB of memory cannot hold {image.Name}: kernel and initramfs alone take {least} MiB at level {image.Level}.");
    }
}
