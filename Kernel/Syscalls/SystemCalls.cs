// What system this is. Sources: uname(2), sysinfo(2), sethostname(2).
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;
using Ukl.Kernel.Time;

namespace Ukl.Kernel.Syscalls;

/// <summary>Calls about the system as a whole.</summary>
internal static unsafe class SystemCalls
{
    private const int NameLength = 65;

    private static SystemNames s_names;

    /// <summary>The Linux release whose ABI this kernel speaks, as uname and /proc tell it.</summary>
    public static ReadOnlySpan<byte> Release => "6.1.0-ukl"u8;

    /// <summary>The host's name.</summary>
    public static ReadOnlySpan<byte> HostName => Text(ref s_names.Node);

    /// <summary>Sets the names, at boot.</summary>
    internal static void Initialize()
    {
        Set(ref s_names.System, "Linux"u8);
        Set(ref s_names.Node, "ukl"u8);
        Set(ref s_names.Release, Release);
        Set(ref s_names.Version, "#1 UKL"u8);
        Set(ref s_names.Machine, "x86_64"u8);
        Set(ref s_names.Domain, "(none)"u8);
    }

    [Syscall(63, "uname")]
    internal static Result Name(UserPtr<SystemNames> names) => names.TryWrite(s_names) ? Result.Ok : Errno.EFAULT;

    [Syscall(170, "sethostname")]
    internal static Result SetHostName(UserSpan name) => SetName(ref s_names.Node, name);

    [Syscall(171, "setdomainname")]
    internal static Result SetDomainName(UserSpan name) => SetName(ref s_names.Domain, name);

    [Syscall(99, "sysinfo")]
    internal static Result Information(UserPtr<SystemInformation> information)
    {
        const ulong PageSize = 4096;
        SystemInformation result = new()
        {
            Uptime = (long)(Clock.MonotonicNanoseconds / 1_000_000_000),
            TotalMemory = PageAllocator.TotalPages * PageSize,
            FreeMemory = PageAllocator.FreePages * PageSize,
            Processes = (ushort)ThreadTable.Count,
            Unit = 1,
        };
        return information.TryWrite(result) ? Result.Ok : Errno.EFAULT;
    }

    private static Result SetName(ref NameText field, UserSpan name)
    {
        if (Process.Current->Credentials.EffectiveUserId != 0)
            return Errno.EPERM;
        if (name.Length >= NameLength)
            return Errno.EINVAL;
        NameText text = default;
        if (!name.CopyTo(Unsafe.AsPointer(ref text), name.Length))
            return Errno.EFAULT;
        field = text;
        return Result.Ok;
    }

    private static void Set(ref NameText field, ReadOnlySpan<byte> text)
    {
        Span<byte> bytes = field;
        text.CopyTo(bytes);
    }

    private static ReadOnlySpan<byte> Text(ref NameText field)
    {
        int length = 0;
        while (length < NameLength && field[length] != 0)
            length++;
        return MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<NameText, byte>(ref field), length);
    }

    [InlineArray(NameLength)]
    internal struct NameText
    {
        private byte _first;
    }

    /// <summary>struct utsname.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SystemNames
    {
        public NameText System;
        public NameText Node;
        public NameText Release;
        public NameText Version;
        public NameText Machine;
        public NameText Domain;
    }

    /// <summary>struct sysinfo.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SystemInformation
    {
        public long Uptime;
        public ulong Load1;
        public ulong Load5;
        public ulong Load15;
        public ulong TotalMemory;
        public ulong FreeMemory;
        public ulong SharedMemory;
        public ulong BufferMemory;
        public ulong TotalSwap;
        public ulong FreeSwap;
        public ushort Processes;
        public ushort Padding;
        public uint Padding2;
        public ulong TotalHigh;
        public ulong FreeHigh;
        public uint Unit;
        public uint Padding3;
    }
}
