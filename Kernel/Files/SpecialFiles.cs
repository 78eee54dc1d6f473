// What stands behind device nodes and FIFOs: inodes only carry a number; drivers and the pipe register here.
using Ukl.Kernel.Memory;

namespace Ukl.Kernel.Files;

/// <summary>The kinds of special files, by device number. Registered at boot, never taken away.</summary>
public static unsafe class SpecialFiles
{
    /// <summary>Any minor number of a major (for example all of /dev/pts).</summary>
    public const uint AnyMinor = uint.MaxValue;

    private static Device* s_first;

    /// <summary>How a FIFO behaves; its pipe hangs on <see cref="Inode.Attachment"/>. Null: opening one gives ENXIO.</summary>
    public static FileOperations* Fifo { get; set; }

    /// <summary>
    /// Registers a character device. <paramref name="data"/> becomes <see cref="OpenFile.Object"/> before the kind's Open. False when out of memory.
    /// </summary>
    public static bool RegisterCharacter(uint major, uint minor, FileOperations* operations, void* data)
    {
        Device* device = Pool<Device>.Allocate();
        if (device == null)
            return false;
        *device = new Device { Next = s_first, Major = major, Minor = minor, Operations = operations, Data = data };
        s_first = device;
        return true;
    }

    /// <summary>Finds a character device. False: nothing is registered (open gives ENXIO).</summary>
    public static bool TryFindCharacter(ulong number, out FileOperations* operations, out void* data)
    {
        uint major = Abi.DeviceNumber.Major(number);
        uint minor = Abi.DeviceNumber.Minor(number);
        for (Device* device = s_first; device != null; device = device->Next)
        {
            if (device->Major == major && (device->Minor == minor || device->Minor == AnyMinor))
            {
                operations = device->Operations;
                data = device->Data;
                return true;
            }
        }
        operations = null;
        data = null;
        return false;
    }

    internal struct Device
    {
        public Device* Next;
        public uint Major;
        public uint Minor;
        public FileOperations* Operations;
        public void* Data;
    }
}
