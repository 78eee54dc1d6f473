// The only ways to a program's memory. Each copy recovers from a fault, so a wild pointer from a program is EFAULT and never a kernel fault.
using System.Runtime.CompilerServices;

namespace Ukl.Kernel.Memory;

/// <summary>A pointer to one <typeparamref name="T"/> in the current process; may be anything.</summary>
public readonly unsafe struct UserPtr<T>(ulong address)
    where T : unmanaged
{
    /// <summary>The address as the program passed it.</summary>
    public readonly ulong Address = address;

    /// <summary>Whether the program passed NULL.</summary>
    public bool IsNull => Address == 0;

    /// <summary>Reads the value. Returns false (EFAULT) when the memory cannot be read.</summary>
    public bool TryRead(out T value)
    {
        Unsafe.SkipInit(out value);
        return UserMemory.CopyIn(Unsafe.AsPointer(ref value), Address, (nuint)sizeof(T));
    }

    /// <summary>Writes the value. Returns false (EFAULT) when the memory cannot be written.</summary>
    public bool TryWrite(in T value) =>
        UserMemory.CopyOut(Address, Unsafe.AsPointer(ref Unsafe.AsRef(in value)), (nuint)sizeof(T));

    /// <summary>The element <paramref name="index"/> places further.</summary>
    public UserPtr<T> At(nuint index) => new(Address + (ulong)index * (ulong)sizeof(T));
}

/// <summary>A range of bytes in the current process; may be anything.</summary>
public readonly unsafe struct UserSpan(ulong address, nuint length)
{
    /// <summary>The first byte.</summary>
    public readonly ulong Address = address;

    /// <summary>The length in bytes, as the program passed it.</summary>
    public readonly nuint Length = length;

    /// <summary>Copies the first <paramref name="count"/> bytes into kernel memory. False is EFAULT.</summary>
    public bool CopyTo(void* destination, nuint count) => UserMemory.CopyIn(destination, Address, count);

    /// <summary>Fills the first <paramref name="count"/> bytes from kernel memory. False is EFAULT.</summary>
    public bool CopyFrom(void* source, nuint count) => UserMemory.CopyOut(Address, source, count);

    /// <summary>Zeroes the first <paramref name="count"/> bytes. False is EFAULT.</summary>
    public bool Clear(nuint count) => UserMemory.Clear(Address, count);

    /// <summary>What is left after <paramref name="offset"/> bytes.</summary>
    public UserSpan Slice(nuint offset) => new(Address + offset, Length - offset);

    /// <summary><paramref name="length"/> bytes from <paramref name="offset"/>.</summary>
    public UserSpan Slice(nuint offset, nuint length) => new(Address + offset, length);
}

/// <summary>A NUL-terminated string in the current process, such as a path; may be anything.</summary>
public readonly unsafe struct UserString(ulong address)
{
    /// <summary>The first byte.</summary>
    public readonly ulong Address = address;

    /// <summary>
    /// Copies the string without its NUL. Returns its length, or -1 when the memory cannot be read (EFAULT), or <paramref name="capacity"/> when no
    /// NUL came within <paramref name="capacity"/> bytes (ENAMETOOLONG for paths).
    /// </summary>
    public nint CopyTo(byte* destination, nuint capacity) => UserMemory.CopyStringIn(destination, Address, capacity);
}
