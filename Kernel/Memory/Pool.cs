namespace Ukl.Kernel.Memory;

/// <summary>
/// Allocates objects of one type: what the kernel uses in the place of <c>new</c>. Never blocks. A <typeparamref name="T"/> may have up to 4096 bytes.
/// </summary>
public static unsafe class Pool<T>
    where T : unmanaged
{
    private static Slab s_slab;

    private static uint ObjectSize => sizeof(T) < Slab.SmallestObject ? Slab.SmallestObject : ((uint)sizeof(T) + 7) & ~7u;

    /// <summary>Pages that the objects take, used or not.</summary>
    public static nuint PageCount => s_slab.PageCount;

    /// <summary>Takes a zeroed object, aligned to 8 bytes. Null when out of memory.</summary>
    public static T* Allocate() => (T*)s_slab.Allocate(ObjectSize, Slab.NoClass);

    /// <summary>Gives an object back; its contents are gone. Does nothing for null.</summary>
    public static void Free(T* item)
    {
        if (item != null)
            s_slab.Free(item, ObjectSize, Slab.NoClass);
    }
}
