// SYN cookies (D. J. Bernstein, 1996): a listener whose queue is full keeps nothing of a request; what it must know again is in the sequence number of its answer and
// in the low bits of its timestamp, as Linux does it.

namespace Ukl.Kernel.Net.Tcp;

/// <summary>Makes and checks cookies.</summary>
internal static unsafe class SynCookies
{
    /// <summary>A count lasts 2^36 ns, about 69 s; the one before is accepted too.</summary>
    private const int CountShift = 36;
    private const uint CountsAccepted = 2;

    private const uint DataMask = 0xff_ffff;
    private const ulong FirstSalt = 1;
    private const ulong SecondSalt = 2;

    /// <summary>The timestamp's low bits: four for the shift count (15: no scaling), one for SACK.</summary>
    private const uint OptionBits = 5;
    private const uint OptionMask = (1 << (int)OptionBits) - 1;
    private const uint NoScale = 15;
    private const uint SackBit = 16;

    private static System.ReadOnlySpan<ushort> Sizes => [536, 1220, 1300, 1440, 1460, 4312, 8960, 65483];

    /// <summary>The sequence number to answer a SYN with; <paramref name="mss"/> becomes the size that will be remembered.</summary>
    public static uint Make(NetworkStack* stack, FlowEntry* flow, uint irs, ref ushort mss)
    {
        uint index = 0;
        while (index < 7 && Sizes[(int)index + 1] <= mss)
            index++;
        mss = Sizes[(int)index];
        uint count = (uint)(stack->Now >> CountShift);
        return First(stack, flow) + irs + (count << 24) + ((Second(stack, flow, count) + index) & DataMask);
    }

    /// <summary>Whether an acknowledgement answers a cookie of this stack, and the size that was remembered.</summary>
    public static bool Check(NetworkStack* stack, FlowEntry* flow, uint irs, uint cookie, out ushort mss)
    {
        uint value = cookie - First(stack, flow) - irs;
        uint now = (uint)(stack->Now >> CountShift);
        uint age = (now - (value >> 24)) & 0xff;
        mss = 0;
        if (age >= CountsAccepted)
            return false;
        uint index = (value - Second(stack, flow, now - age)) & DataMask;
        if (index >= (uint)Sizes.Length)
            return false;
        mss = Sizes[(int)index];
        return true;
    }

    /// <summary>A timestamp, not later than <paramref name="now"/>, that says what both ends can do.</summary>
    public static uint PackOptions(uint now, TcpOptionSet agreed, byte sndScale)
    {
        uint bits = (agreed & TcpOptionSet.WindowScale) != 0 ? sndScale : NoScale;
        if ((agreed & TcpOptionSet.SackPermitted) != 0)
            bits |= SackBit;
        uint packed = (now & ~OptionMask) | bits;
        return packed > now ? packed - (OptionMask + 1) : packed;
    }

    /// <summary>What <see cref="PackOptions"/> said.</summary>
    public static TcpOptionSet UnpackOptions(uint timestamp, out byte sndScale)
    {
        TcpOptionSet agreed = TcpOptionSet.Timestamps;
        uint scale = timestamp & NoScale;
        sndScale = 0;
        if (scale != NoScale)
        {
            agreed |= TcpOptionSet.WindowScale;
            sndScale = scale > TcpOptions.LargestWindowScale ? TcpOptions.LargestWindowScale : (byte)scale;
        }
        if ((timestamp & SackBit) != 0)
            agreed |= TcpOptionSet.SackPermitted;
        return agreed;
    }

    private static uint First(NetworkStack* stack, FlowEntry* flow) => (uint)stack->Tcp.Isn.HashOf(flow, FirstSalt);

    private static uint Second(NetworkStack* stack, FlowEntry* flow, uint count) =>
        (uint)stack->Tcp.Isn.HashOf(flow, SecondSalt | ((ulong)(count & 0xff_ffff) << 8));
}
