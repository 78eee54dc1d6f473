namespace Ukl.Kernel.Core;
public static unsafe class Random { static ulong s; public static void Initialize() { s = Arch.Cpu.ReadTimestamp(); } public static ulong NextUInt64() { s = s * 6364136223846793005 + 1442695040888963407; return s ^ (s >> 29); } public static void Fill(byte* p, nuint n) { for (nuint i = 0; i < n; i++) p[i] = (byte)(NextUInt64() >> 33); } }
