namespace Ukl.Kernel.Arch;

/// <summary>Input and output ports, for drivers.</summary>
public static class Port
{
    /// <summary>Reads a byte.</summary>
    public static byte In8(ushort port) => Instructions.In8(port);

    /// <summary>Reads 16 bits.</summary>
    public static ushort In16(ushort port) => Instructions.In16(port);

    /// <summary>Reads 32 bits.</summary>
    public static uint In32(ushort port) => Instructions.In32(port);

    /// <summary>Writes a byte.</summary>
    public static void Out8(ushort port, byte value) => Instructions.Out8(port, value);

    /// <summary>Writes 16 bits.</summary>
    public static void Out16(ushort port, ushort value) => Instructions.Out16(port, value);

    /// <summary>Writes 32 bits.</summary>
    public static void Out32(ushort port, uint value) => Instructions.Out32(port, value);
}
