// Source: getrandom(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Core;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Syscalls;

/// <summary>The call for random bytes.</summary>
internal static unsafe class RandomCalls
{
    private const uint NonBlocking = 1;
    private const uint RandomPool = 2;
    private const uint Insecure = 4;

    /// <summary>Bytes made between two looks at signals and other threads; shorter requests are never cut (getrandom(2): up to 256 bytes must not be).</summary>
    private const nuint PieceBetweenLooks = 64 * 1024;

    [Syscall(318, "getrandom")]
    internal static Result GetRandom(UserSpan buffer, uint flags)
    {
        const int ChunkSize = 256;
        if ((flags & ~(NonBlocking | RandomPool | Insecure)) != 0 || (flags & (RandomPool | Insecure)) == (RandomPool | Insecure))
            return Errno.EINVAL;
        nuint length = buffer.Length > int.MaxValue ? int.MaxValue : buffer.Length;
        byte* chunk = stackalloc byte[ChunkSize];
        nuint done = 0;
        while (done < length)
        {
            nuint count = length - done < ChunkSize ? length - done : ChunkSize;
            Random.Fill(chunk, count);
            if (!buffer.Slice(done).CopyFrom(chunk, count))
                return done == 0 ? Errno.EFAULT : done;
            done += count;
            if (done % PieceBetweenLooks == 0 && (Scheduler.Current->Work & ThreadWork.OnExit) != 0)
            {
                Scheduler.Yield();
                if ((Scheduler.Current->Work & ThreadWork.Signal) != 0)
                    return done;
            }
        }
        // What was handed out must not stay on the kernel stack.
        for (int i = 0; i < ChunkSize; i++)
            chunk[i] = 0;
        return done;
    }
}
