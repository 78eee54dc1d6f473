using System.Runtime.CompilerServices;
using Ukl.Kernel.Boot;

namespace Ukl.Kernel.Arch;

/// <summary>The interrupt controllers of the machine, which turn global system interrupts into vectors. Source: 82093AA datasheet section 3.</summary>
internal static unsafe class IoApic
{
    private const uint ActiveLow = 1 << 13;
    private const uint LevelTriggered = 1 << 15;
    private const uint Masked = 1 << 16;
    private const int DestinationShift = 24;
    private const int VersionRegister = 1;
    private const int RedirectionRegister = 0x10;
    private const int WindowOffset = 0x10;

    private static ControllerArray s_controllers;
    private static int s_count;

    private static Controller* Controllers => (Controller*)Unsafe.AsPointer(ref s_controllers);

    /// <summary>Masks every line of every controller that ACPI names; of one where it names none.</summary>
    internal static void Initialize(in AcpiInformation acpi)
    {
        foreach (ref readonly IoApicPlace place in acpi.IoApics)
        {
            byte* registers = Paging.MapDevice(place.Address, WindowOffset + sizeof(uint));
            if (registers == null)
                continue;
            Controller* controller = Controllers + s_count++;
            controller->Registers = registers;
            controller->FirstInterrupt = place.FirstInterrupt;
            controller->LineCount = ((Read(controller, VersionRegister) >> 16) & 0xff) + 1;
            for (uint line = 0; line < controller->LineCount; line++)
                Write(controller, RedirectionRegister + 2 * (int)line, Masked);
        }
    }

    /// <summary>Sends a global system interrupt to this processor as <paramref name="vector"/>. False when no controller has it.</summary>
    internal static bool Route(uint globalInterrupt, int vector, bool isLevelTriggered, bool isActiveLow)
    {
        for (int i = 0; i < s_count; i++)
        {
            Controller* controller = Controllers + i;
            uint line = globalInterrupt - controller->FirstInterrupt;
            if (line >= controller->LineCount)
                continue;
            int register = RedirectionRegister + 2 * (int)line;
            Write(controller, register + 1, LocalApic.Identifier << DestinationShift);
            Write(controller, register, (uint)vector | (isLevelTriggered ? LevelTriggered : 0) | (isActiveLow ? ActiveLow : 0));
            return true;
        }
        return false;
    }

    private static uint Read(Controller* controller, int register)
    {
        Mmio.Write32(controller->Registers, (uint)register);
        return Mmio.Read32(controller->Registers + WindowOffset);
    }

    private static void Write(Controller* controller, int register, uint value)
    {
        Mmio.Write32(controller->Registers, (uint)register);
        Mmio.Write32(controller->Registers + WindowOffset, value);
    }

    private struct Controller
    {
        internal byte* Registers;
        internal uint FirstInterrupt;
        internal uint LineCount;
    }

    [InlineArray(AcpiInformation.IoApicCapacity)]
    private struct ControllerArray
    {
        private Controller _first;
    }
}
