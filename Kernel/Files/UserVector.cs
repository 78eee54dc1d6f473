// Several ranges of program memory that one call reads into or writes from. Source: readv(2).
using Ukl.Kernel.Abi;
using Ukl.Kernel.Memory;
using Ukl.Kernel.Tasks;

namespace Ukl.Kernel.Files;

/// <summary>
/// The ranges of a vectored call, copied from the program and checked. A <see cref="UserSpan"/> has the layout of struct iovec.
/// </summary>
public unsafe struct UserVector
{
    /// <summary>UIO_MAXIOV.</summary>
    public const int MaxCount = 1024;

    /// <summary>The ranges, in kernel memory.</summary>
    public UserSpan* Ranges;

    /// <summary>How many there are.</summary>
    public int Count;

    /// <summary>The sum of their lengths, at most <see cref="OpenFile.MaxTransfer"/>.</summary>
    public nuint Total;

    /// <summary>
    /// Copies <paramref name="count"/> ranges from the program; <paramref name="local"/> holds up to <paramref name="localCount"/> of them, more come from the kernel heap. EINVAL: too many or a
    /// negative length; EFAULT; ENOMEM. The last ranges are cut so that the sum stays within <see cref="OpenFile.MaxTransfer"/>.
    /// </summary>
    public static Errno Load(ulong address, ulong count, UserSpan* local, int localCount, out UserVector vector)
    {
        vector = default;
        if (count > MaxCount)
            return Errno.EINVAL;
        vector.Count = (int)count;
        vector.Ranges = local;
        if ((int)count > localCount)
        {
            vector.Ranges = (UserSpan*)KernelHeap.Allocate((nuint)count * (nuint)sizeof(UserSpan));
            if (vector.Ranges == null)
                return Errno.ENOMEM;
        }
        Errno error = UserMemory.CopyIn(vector.Ranges, address, (nuint)count * (nuint)sizeof(UserSpan)) ? vector.Check() : Errno.EFAULT;
        if (error != Errno.None)
            vector.Free(local);
        return error;
    }

    /// <summary>Gives back what <see cref="Load"/> took from the heap.</summary>
    public readonly void Free(UserSpan* local)
    {
        if (Ranges != local)
            KernelHeap.Free(Ranges);
    }

    private Errno Check()
    {
        for (int i = 0; i < Count; i++)
        {
            nuint length = Ranges[i].Length;
            if ((nint)length < 0)
                return Errno.EINVAL;
            if (!UserMemory.IsValidRange(Ranges[i].Address, length))
                return Errno.EFAULT;
            if (length > OpenFile.MaxTransfer - Total)
            {
                length = OpenFile.MaxTransfer - Total;
                Ranges[i] = new UserSpan(Ranges[i].Address, length);
            }
            Total += length;
        }
        return Errno.None;
    }

    /// <summary>Copies <paramref name="count"/> bytes of kernel memory into the ranges, beginning <paramref name="skip"/> bytes into them. False is EFAULT.</summary>
    public readonly bool Scatter(nuint skip, byte* from, nuint count)
    {
        for (int i = 0; i < Count && count != 0; i++)
        {
            if (skip >= Ranges[i].Length)
            {
                skip -= Ranges[i].Length;
                continue;
            }
            nuint part = Ranges[i].Length - skip;
            if (part > count)
                part = count;
            if (!Ranges[i].Slice(skip).CopyFrom(from, part))
                return false;
            from += part;
            count -= part;
            skip = 0;
        }
        return true;
    }

    /// <summary>Copies <paramref name="count"/> bytes out of the ranges into kernel memory, beginning <paramref name="skip"/> bytes into them. False is EFAULT.</summary>
    public readonly bool Gather(nuint skip, byte* to, nuint count)
    {
        for (int i = 0; i < Count && count != 0; i++)
        {
            if (skip >= Ranges[i].Length)
            {
                skip -= Ranges[i].Length;
                continue;
            }
            nuint part = Ranges[i].Length - skip;
            if (part > count)
                part = count;
            if (!Ranges[i].Slice(skip).CopyTo(to, part))
                return false;
            to += part;
            count -= part;
            skip = 0;
        }
        return true;
    }

    /// <summary>
    /// Reads range by range, ending at the first short transfer. Once something was read it goes on only while more is ready, so that a stream does not
    /// sleep with data in hand.
    /// </summary>
    public static Result ReadEach(OpenFile* file, UserVector* to, ref ulong position)
    {
        long done = 0;
        for (int i = 0; i < to->Count; i++)
        {
            UserSpan range = to->Ranges[i];
            if (range.Length == 0)
                continue;
            if (done != 0 && (file->Operations->Poll(file) & PollEvents.In) == 0)
                break;
            Result result = file->Operations->Read(file, range, ref position);
            if (result.IsError)
                return done != 0 ? done : result;
            done += result.Value;
            if ((nuint)result.Value < range.Length)
                break;
        }
        return done;
    }

    /// <summary>Writes range by range, ending at the first short transfer.</summary>
    public static Result WriteEach(OpenFile* file, UserVector* from, ref ulong position)
    {
        long done = 0;
        for (int i = 0; i < from->Count; i++)
        {
            UserSpan range = from->Ranges[i];
            if (range.Length == 0)
                continue;
            Result result = file->Operations->Write(file, range, ref position);
            if (result.IsError)
                return done != 0 ? done : result;
            done += result.Value;
            if ((nuint)result.Value < range.Length)
                break;
        }
        return done;
    }
}
