// The few ACPI tables a kernel without an AML interpreter can use. Source: ACPI specification 6.4, sections 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT),
// 5.2.9 (FADT), 5.2.12 (MADT), 7.4.2 (_Sx objects), 20.2 (AML encoding); PCI firmware specification 3.3, section 4.1.2 (MCFG).
using System;

namespace Ukl.Kernel.Boot;

/// <summary>Reads ACPI tables into <see cref="AcpiInformation"/>.</summary>
public static class Acpi
{
    private const int RsdpSize = 20;
    private const int ExtendedRsdpSize = 36;
    private const int HeaderSize = 36;
    private const uint MaximumTableSize = 1 << 20;
    private const int RsdpAlignment = 16;

    private const uint Fadt = 'F' | 'A' << 8 | 'C' << 16 | 'P' << 24;
    private const uint Madt = 'A' | 'P' << 8 | 'I' << 16 | 'C' << 24;
    private const uint Mcfg = 'M' | 'C' << 8 | 'F' << 16 | 'G' << 24;
    private const uint Dsdt = 'D' | 'S' << 8 | 'D' << 16 | 'T' << 24;
    private const uint Rsdt = 'R' | 'S' << 8 | 'D' << 16 | 'T' << 24;
    private const uint Xsdt = 'X' | 'S' << 8 | 'D' << 16 | 'T' << 24;

    private const uint FadtControlMethodPowerButton = 1 << 4;
    private const uint FadtResetSupported = 1 << 10;
    private const uint FadtHardwareReduced = 1 << 20;
    private const ushort BootNoCmosClock = 1 << 5;

    private static ReadOnlySpan<byte> RsdpSignature => "RSD PTR "u8;

    /// <summary>
    /// Fills <paramref name="information"/> from the root pointer at <paramref name="rsdpAddress"/>; with 0 the places where a PC's firmware leaves it are
    /// searched (section 5.2.5.1). Without sound tables the result is a machine without ACPI.
    /// </summary>
    public static void Read(PhysicalView memory, ulong rsdpAddress, ref AcpiInformation information)
    {
        information.Clear();
        if (rsdpAddress == 0)
            rsdpAddress = FindRsdp(memory);
        if (!IsRsdp(memory, rsdpAddress) || !memory.TryGet(rsdpAddress, RsdpSize, out ReadOnlySpan<byte> bytes))
            return;

        ulong rsdt = new TableReader(bytes).U32(16);
        ulong xsdt = 0;
        if (bytes[15] >= 2 && memory.TryGet(rsdpAddress, ExtendedRsdpSize, out bytes) && new TableReader(bytes).Checksum() == 0)
            xsdt = new TableReader(bytes).U64(24);

        if (xsdt != 0 && TryGetTable(memory, xsdt, out TableReader root) && root.U32(0) == Xsdt)
            ReadRoot(memory, root, sizeof(ulong), ref information);
        else if (TryGetTable(memory, rsdt, out root) && root.U32(0) == Rsdt)
            ReadRoot(memory, root, sizeof(uint), ref information);
    }

    private static ulong FindRsdp(PhysicalView memory)
    {
        const ulong ExtendedAreaPointer = 0x40e;
        const ulong FirmwareStart = 0xe0000;
        const ulong FirmwareSize = 0x20000;
        if (memory.TryGet(ExtendedAreaPointer, 2, out ReadOnlySpan<byte> pointer))
        {
            ulong found = Search(memory, (ulong)new TableReader(pointer).U16(0) << 4, 1024);
            if (found != 0)
                return found;
        }
        return Search(memory, FirmwareStart, FirmwareSize);
    }

    private static ulong Search(PhysicalView memory, ulong start, ulong size)
    {
        for (ulong address = start; address < start + size; address += RsdpAlignment)
        {
            if (IsRsdp(memory, address))
                return address;
        }
        return 0;
    }

    private static bool IsRsdp(PhysicalView memory, ulong address) =>
        memory.TryGet(address, RsdpSize, out ReadOnlySpan<byte> bytes)
        && CommandLine.StartsWith(bytes, RsdpSignature)
        && new TableReader(bytes).Checksum() == 0;

    private static bool TryGetTable(PhysicalView memory, ulong address, out TableReader table)
    {
        table = default;
        if (!memory.TryGet(address, HeaderSize, out ReadOnlySpan<byte> bytes))
            return false;
        uint length = new TableReader(bytes).U32(4);
        if (length < HeaderSize || length > MaximumTableSize || !memory.TryGet(address, length, out bytes))
            return false;
        table = new TableReader(bytes);
        return table.Checksum() == 0;
    }

    private static void ReadRoot(PhysicalView memory, TableReader root, int entrySize, ref AcpiInformation information)
    {
        information.IsPresent = true;
        for (int offset = HeaderSize; root.Has(offset, entrySize); offset += entrySize)
        {
            ulong address = entrySize == sizeof(ulong) ? root.U64(offset) : root.U32(offset);

            // Other tables are not even summed: they can be many and large.
            if (!memory.TryGet(address, HeaderSize, out ReadOnlySpan<byte> header))
                continue;
            uint signature = new TableReader(header).U32(0);
            if (signature is not (Fadt or Madt or Mcfg) || !TryGetTable(memory, address, out TableReader table))
                continue;
            if (signature == Fadt)
                ReadFadt(memory, table, ref information);
            else if (signature == Madt)
                ReadMadt(table, ref information);
            else
                ReadMcfg(table, ref information);
        }
    }

    private static void ReadFadt(PhysicalView memory, TableReader fadt, ref AcpiInformation information)
    {
        uint flags = fadt.U32(112);
        information.IsHardwareReduced = (flags & FadtHardwareReduced) != 0;
        information.CommandPort = (ushort)fadt.U32(48);
        information.EnableValue = fadt.U8(52);
        information.SystemControlInterrupt = fadt.U16(46);
        information.Pm1aEvent = ReadBlock(fadt, 56, 148);
        information.Pm1bEvent = ReadBlock(fadt, 60, 160);
        information.EventLength = fadt.U8(88);
        information.HasFixedPowerButton = (flags & (FadtControlMethodPowerButton | FadtHardwareReduced)) == 0;
        information.Pm1aControl = ReadBlock(fadt, 64, 172);
        information.Pm1bControl = ReadBlock(fadt, 68, 184);
        information.SleepControl = ReadRegister(fadt, 244);
        information.CenturyIndex = fadt.U8(108);
        information.HasNoCmosClock = (fadt.U16(109) & BootNoCmosClock) != 0;
        if ((flags & FadtResetSupported) != 0)
        {
            information.Reset = ReadRegister(fadt, 116);
            information.ResetValue = fadt.U8(128);
        }

        ulong dsdtAddress = fadt.U64(140);
        if (dsdtAddress == 0)
            dsdtAddress = fadt.U32(40);
        if (TryGetTable(memory, dsdtAddress, out TableReader dsdt) && dsdt.U32(0) == Dsdt)
        {
            FindSoftOff(dsdt, ref information);
            // Machines with the PC's fixed hardware have their devices on buses that can be enumerated.
            if (information.IsHardwareReduced)
                AcpiDevices.Find(dsdt, HeaderSize, ref information);
        }
    }

    /// <summary>A block of registers by its extended field or, when that is empty, by its old one.</summary>
    private static AcpiRegister ReadBlock(TableReader fadt, int oldOffset, int extendedOffset)
    {
        AcpiRegister register = ReadRegister(fadt, extendedOffset);
        if (register.Address == 0)
            register = new AcpiRegister { Space = AcpiRegister.PortSpace, Address = fadt.U32(oldOffset) };
        return register;
    }

    private static AcpiRegister ReadRegister(TableReader fadt, int offset) => new() { Space = fadt.U8(offset), Address = fadt.U64(offset + 4) };

    /// <summary>
    /// Looks for <c>Name (_S5_, Package () { SLP_TYPa, SLP_TYPb, … })</c> in the byte code: NameOp, perhaps a root prefix, the name, PackageOp, a package length of 1 to 4
    /// bytes, the element count, and constants.
    /// </summary>
    private static void FindSoftOff(TableReader dsdt, ref AcpiInformation information)
    {
        const uint Name = '_' | 'S' << 8 | '5' << 16 | '_' << 24;
        const byte NameOp = 0x08;
        const byte RootPrefix = (byte)'\\';
        const byte PackageOp = 0x12;
        for (int at = HeaderSize + 1; dsdt.Has(at, 4 + 3); at++)
        {
            if (dsdt.U8(at) != '_' || dsdt.U32(at) != Name)
                continue;
            bool isNamed = dsdt.U8(at - 1) == NameOp || (dsdt.U8(at - 1) == RootPrefix && dsdt.U8(at - 2) == NameOp);
            if (!isNamed || dsdt.U8(at + 4) != PackageOp)
                continue;
            int elements = at + 5 + 1 + (dsdt.U8(at + 5) >> 6) + 1;
            if (!TryReadConstant(dsdt, ref elements, out byte typeA))
                continue;
            if (!TryReadConstant(dsdt, ref elements, out byte typeB))
                typeB = typeA;
            information.HasSoftOff = true;
            information.SoftOffTypeA = typeA;
            information.SoftOffTypeB = typeB;
            return;
        }
    }

    private static bool TryReadConstant(TableReader code, ref int at, out byte value)
    {
        const byte ZeroOp = 0x00;
        const byte OneOp = 0x01;
        const byte BytePrefix = 0x0a;
        const byte WordPrefix = 0x0b;
        const byte DwordPrefix = 0x0c;
        value = 0;
        if (!code.Has(at, 1))
            return false;
        byte operation = code.U8(at);
        int size = operation switch { ZeroOp or OneOp => 0, BytePrefix => 1, WordPrefix => 2, DwordPrefix => 4, _ => -1 };
        if (size < 0 || !code.Has(at + 1, size))
            return false;
        value = size == 0 ? operation : code.U8(at + 1);
        at += 1 + size;
        return true;
    }

    private static void ReadMadt(TableReader madt, ref AcpiInformation information)
    {
        const byte LocalApic = 0;
        const byte IoApic = 1;
        const byte Override = 2;
        const byte LocalApicAddress = 5;
        const uint ProcessorEnabled = 1;
        information.LocalApicAddress = madt.U32(36);
        int at = 44;
        while (madt.Has(at, 2))
        {
            int size = madt.U8(at + 1);
            if (size < 2 || !madt.Has(at, size))
                return;
            switch (madt.U8(at))
            {
                case LocalApic when (madt.U32(at + 4) & ProcessorEnabled) != 0:
                    information.ProcessorCount++;
                    break;
                case IoApic:
                    information.Add(new IoApicPlace { Address = madt.U32(at + 4), FirstInterrupt = madt.U32(at + 8) });
                    break;
                case Override when madt.U8(at + 2) == 0 && madt.U8(at + 3) < AcpiInformation.IsaLineCount:
                    information.SetLine(madt.U8(at + 3), ReadOverride(madt, at));
                    break;
                case LocalApicAddress when size >= 12:
                    information.LocalApicAddress = madt.U64(at + 4);
                    break;
            }
            at += size;
        }
    }

    /// <summary>Takes the entry of segment 0; other segments' buses cannot be reached.</summary>
    private static void ReadMcfg(TableReader mcfg, ref AcpiInformation information)
    {
        const int EntrySize = 16;
        for (int at = HeaderSize + 8; mcfg.Has(at, EntrySize); at += EntrySize)
        {
            if (mcfg.U16(at + 8) != 0)
                continue;
            information.ConfigurationSpace = mcfg.U64(at);
            information.FirstBus = mcfg.U8(at + 10);
            information.LastBus = mcfg.U8(at + 11);
            return;
        }
    }

    private static IsaLine ReadOverride(TableReader madt, int at)
    {
        const int PolarityMask = 3;
        const int ActiveLow = 3;
        const int TriggerMask = 3 << 2;
        const int LevelTriggered = 3 << 2;
        int flags = madt.U16(at + 8);
        return new IsaLine
        {
            GlobalInterrupt = madt.U32(at + 4),
            IsActiveLow = (flags & PolarityMask) == ActiveLow,
            IsLevelTriggered = (flags & TriggerMask) == LevelTriggered,
            IsOverridden = true,
        };
    }
}
