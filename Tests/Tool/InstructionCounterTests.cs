using System.Buffers.Binary;
using Ukl.Tool;
using Ukl.Tool.Bench;
using Xunit;

namespace Ukl.Tests.Tool;

public sealed class InstructionCounterTests
{
    private static readonly byte[] Magic = [.. "UKLCOUNT"u8];

    [Fact]
    public void Blocks_that_were_executed_are_read()
    {
        InstructionSample sample = Parse((0, 0), (0x1000, 30), (0x2000, 0), (0xffff_ffff_8000_0000, 12));
        Assert.Equal(2, sample.Blocks.Count);
        Assert.Equal(42, sample.Total);
    }

    [Fact]
    public void The_difference_of_two_samples_is_what_was_executed_between_them()
    {
        InstructionSample difference = Parse((0x1000, 50), (0x2000, 7), (0x3000, 1)).Since(Parse((0x1000, 30), (0x2000, 7)));
        Assert.Equal([KeyValuePair.Create(0x1000ul, 20L), KeyValuePair.Create(0x3000ul, 1L)], difference.Blocks.OrderBy(block => block.Key));
    }

    [Fact]
    public void A_damaged_file_is_told() =>
        Assert.Throws<ToolException>(() => InstructionCounter.Parse(new byte[16], new MemoryStream()));

    [Fact]
    public void Symbols_of_a_kernel_name_its_code_and_only_that()
    {
        const string Symbols = """
            ffffffff81000000 T startup_64
            ffffffff81000100 t tcp_ack
            ffffffff81000180 d not_code
            ffffffff81000200 T tcp_sendmsg	[module]
            """;
        CodeMap map = new CodeMap().AddKernelSymbols(Symbols);
        InstructionSample sample = Parse((0xffffffff81000104, 5), (0xffffffff810001f0, 6), (0xffffffff81000200, 3), (0x401000, 4), (0x7fff_f7ff_d000, 2));
        Assert.Equal(
            [new FunctionCount("tcp_ack", CodeOwner.Kernel, 11), new FunctionCount("(program)", CodeOwner.Program, 6), new FunctionCount("tcp_sendmsg", CodeOwner.Kernel, 3)],
            map.ByFunction(sample));
        Assert.Equal(6, map.ProgramInstructions(sample));
    }

    private static InstructionSample Parse(params (ulong Address, long Executed)[] entries)
    {
        byte[] header = [.. Magic, .. new byte[8]];
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), (ulong)entries.Length);
        byte[] bytes = new byte[entries.Length * 16];
        for (int i = 0; i < entries.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 16), entries[i].Address);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan((i * 16) + 8), entries[i].Executed);
        }
        return InstructionCounter.Parse(header, new MemoryStream(bytes));
    }
}
