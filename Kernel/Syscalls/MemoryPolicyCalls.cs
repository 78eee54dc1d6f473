// NUMA policies on a machine with one node: arguments are checked, and every policy comes to the same. Source of truth: get_mempolicy(2), set_mempolicy(2), mbind(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>get_mempolicy(2), set_mempolicy(2) and mbind(2).</summary>
internal static unsafe class MemoryPolicyCalls
{
    private const int ModeDefault = 0;
    private const int ModePreferred = 1;
    private const int ModeLocal = 4;
    private const int ModeLast = 6;

    /// <summary>MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES and MPOL_F_NUMA_BALANCING.</summary>
    private const int ModeFlags = 0xe000;

    private const ulong FlagNode = 1;
    private const ulong FlagAddress = 2;
    private const ulong FlagAllowed = 4;
    private const ulong BindFlags = 7;
    private const ulong OnlyNode = 1;
    private const ulong BitsPerWord = 64;

    /// <summary>More nodes than Linux lets a mask have.</summary>
    private const ulong MaximumMaskBits = PageAllocator.PageSize * 8;

    [Syscall(237, "mbind", Limits = "one node: checks its arguments only")]
    internal static Result Bind(ulong address, ulong length, int mode, UserPtr<ulong> mask, ulong maskBits, ulong flags)
    {
        if ((address & (PageAllocator.PageSize - 1)) != 0 || (flags & ~BindFlags) != 0)
            return Errno.EINVAL;
        ulong end = (address + length + PageAllocator.PageSize - 1) & ~(ulong)(PageAllocator.PageSize - 1);
        if (end < address)
            return Errno.EINVAL;
        Errno error = Check(mode, mask, maskBits);
        if (error != Errno.None)
            return error;
        for (ulong at = address; at < end;)
        {
            VirtualMemoryArea* area = Process.Current->Memory->FindArea(at);
            if (area == null)
                return Errno.EFAULT;
            at = area->End;
        }
        return Result.Ok;
    }

    [Syscall(238, "set_mempolicy", Limits = "one node: checks its arguments only")]
    internal static Result Set(int mode, UserPtr<ulong> mask, ulong maskBits) => Check(mode, mask, maskBits);

    [Syscall(239, "get_mempolicy", Limits = "one node: the policy is always MPOL_DEFAULT")]
    internal static Result Get(UserPtr<int> mode, UserPtr<ulong> mask, ulong maskBits, ulong address, ulong flags)
    {
        if ((flags & ~(FlagNode | FlagAddress | FlagAllowed)) != 0 || (!mask.IsNull && maskBits == 0))
            return Errno.EINVAL;
        ulong nodes = 0;
        if ((flags & FlagAllowed) != 0)
        {
            if ((flags & (FlagNode | FlagAddress)) != 0)
                return Errno.EINVAL;
            nodes = OnlyNode;
        }
        else if ((flags & FlagAddress) != 0)
        {
            if (Process.Current->Memory->FindArea(address) == null)
                return Errno.EFAULT;
        }
        else if (address != 0 || (flags & FlagNode) != 0)
            return Errno.EINVAL;

        // MPOL_DEFAULT and node 0 are the same number.
        if (!mode.IsNull && !mode.TryWrite(ModeDefault))
            return Errno.EFAULT;
        return !mask.IsNull && !mask.TryWrite(nodes) ? Errno.EFAULT : Result.Ok;
    }

    private static Errno Check(int mode, UserPtr<ulong> mask, ulong maskBits)
    {
        mode &= ~ModeFlags;
        if (mode is < ModeDefault or > ModeLast)
            return Errno.EINVAL;
        bool isEmpty = true;
        bool hasOnlyNode = true;
        if (!mask.IsNull && maskBits > 1)
        {
            // Linux counts one bit more than it reads.
            ulong bits = maskBits - 1;
            if (bits > MaximumMaskBits)
                return Errno.EINVAL;
            for (ulong i = 0; i * BitsPerWord < bits; i++)
            {
                if (!mask.At((nuint)i).TryRead(out ulong word))
                    return Errno.EFAULT;
                if (bits - (i * BitsPerWord) < BitsPerWord)
                    word &= (1ul << (int)(bits - (i * BitsPerWord))) - 1;
                isEmpty &= word == 0;
                hasOnlyNode &= word == (i == 0 ? OnlyNode : 0);
            }
        }
        bool wantsNodes = mode is not (ModeDefault or ModeLocal or ModePreferred);
        if (isEmpty)
            return wantsNodes ? Errno.EINVAL : Errno.None;
        return mode is ModeDefault or ModeLocal || !hasOnlyNode ? Errno.EINVAL : Errno.None;
    }
}
