using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Ukl.Lint.Elf;
using Ukl.Lint.Linking;
using Xunit;

namespace Ukl.Tests.Lint;

/// <summary>What Sdk/Lint finds out about the system calls of small programs in assembly, linked here.</summary>
public class CallNumbersTests
{
    private const string Gate = "FUNCTION ukl_syscall_gate\n ret\n";

    /// <summary>Links functions, each of which starts with a line "FUNCTION name".</summary>
    /// <param name="code">The functions.</param>
    /// <param name="hasSizes">Whether the symbols say how long the functions are, as compilers do.</param>
    private static CallNumbers Read(string code, bool hasSizes = true)
    {
        using var tools = new Toolchain();
        var text = new StringBuilder(".text\n");
        foreach (string function in (Gate + code).Split("FUNCTION ", StringSplitOptions.RemoveEmptyEntries))
        {
            string name = function[..function.IndexOf('\n')];
            text.Append($".globl {name}\n.type {name}, @function\n{name}:\n{function[name.Length..]}\n");
            if (hasSizes)
                text.Append($".size {name}, .-{name}\n");
        }
        File.WriteAllText(tools.At("program.S"), text.Append(".section .note.GNU-stack\n").ToString());
        tools.Run("gcc", "-c", "-o", "program.o", "program.S");
        tools.Run("ld.lld", "-static", "-e", "start", "-o", "program", "program.o");
        return CallNumbers.Read(ElfFile.Read(tools.At("program")));
    }

    private static void Proven(string code, params IEnumerable<int> numbers) => Proven(Read(code), numbers);

    private static void Proven(CallNumbers calls, params IEnumerable<int> numbers)
    {
        Assert.Empty(calls.Unproven);
        Assert.Equal(numbers, calls.Numbers.Order());
    }

    private static void Unproven(string code, string place) => Assert.Contains(place, Assert.Single(Read(code).Unproven));

    [Fact]
    public void A_constant_before_the_gate() =>
        Proven("FUNCTION start\n mov $39, %eax\n call ukl_syscall_gate\n xor %eax, %eax\n call ukl_syscall_gate\n ret", 0, 39);

    [Fact]
    public void A_constant_before_a_jump_to_the_gate() => Proven("FUNCTION start\n mov $60, %eax\n jmp ukl_syscall_gate", 60);

    [Fact]
    public void A_constant_before_the_instruction() =>
        Proven("FUNCTION start\n xor %eax, %eax\n mov $56, %al\n syscall\n mov $15, %rax\n syscall\n hlt", 15, 56);

    [Fact]
    public void A_constant_that_is_kept_over_calls_and_loops() =>
        Proven("FUNCTION start\n push %rbx\n mov $202, %ebx\n1: mov %rbx, %rax\n call ukl_syscall_gate\n test %eax, %eax\n js 1b\n pop %rbx\n ret", 202);

    [Fact]
    public void Either_of_two_constants() =>
        Proven("FUNCTION start\n mov $1, %eax\n mov $20, %ecx\n test %edi, %edi\n cmove %ecx, %eax\n call ukl_syscall_gate\n test %esi, %esi\n mov $7, %eax\n jne 1f\n mov $8, %eax\n1: call ukl_syscall_gate\n ret", 1, 7, 8, 20);

    [Fact]
    public void What_a_comparison_proves() =>
        Proven("FUNCTION start\n mov (%rdi), %rax\n test %rax, %rax\n je 1f\n cmp $3, %eax\n jne 2f\n call ukl_syscall_gate\n2: ret\n1: call ukl_syscall_gate\n ret", 0, 3);

    [Fact]
    public void A_number_that_is_passed_on_counts_at_every_caller() =>
        Proven("""
            FUNCTION pass
             sub $8, %rsp
             mov %rdi, %rax
             call ukl_syscall_gate
             add $8, %rsp
             ret
            FUNCTION forward
             mov %rsi, %rdi
             jmp pass
            FUNCTION start
             mov $186, %edi
             call pass
             mov $324, %esi
             call forward
             ret
            FUNCTION unused
             mov %r9, %rsi
             call forward
             ret
            """, 186, 324);

    [Fact]
    public void A_number_out_of_memory_is_not_known() => Unproven("FUNCTION start\n nop\n mov (%rdi), %rax\n call ukl_syscall_gate\n ret", "start+0x4");

    [Fact]
    public void A_number_that_a_call_may_have_changed_is_not_known() =>
        Unproven("FUNCTION other\n ret\nFUNCTION start\n mov $39, %eax\n call other\n call ukl_syscall_gate\n ret", "start+0xa");

    [Fact]
    public void A_number_that_is_computed_from_an_argument_is_not_known() =>
        Unproven("FUNCTION start\n lea 1(%rdi), %eax\n call ukl_syscall_gate\n ret", "start+0x3");

    [Theory]
    [InlineData("lea pass(%rip), %rcx\n call *%rcx\n ret")]
    [InlineData("mov $pass, %ecx\n call *%rcx\n ret")]
    [InlineData("call *pointer\n ret\n.data\n.balign 8\npointer: .quad pass\n.text")]
    public void A_function_that_is_called_through_a_pointer_may_pass_any_number(string call) =>
        Unproven($"FUNCTION pass\n mov %rdi, %rax\n jmp ukl_syscall_gate\nFUNCTION start\n mov $39, %edi\n {call}", "pass is called through a pointer");

    [Theory]
    [InlineData(".long .Lsecond - table, .Lthird - table", "lea table(%rip), %rcx\n movslq (%rcx, %rdi, 4), %rdx\n add %rcx, %rdx\n jmp *%rdx")]
    [InlineData(".quad .Lsecond, .Lthird", "jmp *table(, %rdi, 8)")]
    public void A_table_of_jumps_leads_anywhere_that_it_names(string table, string jump) =>
        Unproven($"FUNCTION start\n mov (%rsi), %rax\n {jump}\n.Lsecond: mov $5, %eax\n.Lthird: call ukl_syscall_gate\n ret\n.section .rodata\n.balign 8\ntable: {table}\n.text", "start");

    [Fact]
    public void Code_that_another_function_jumps_into_starts_with_nothing_known() =>
        Unproven("FUNCTION start\n mov $5, %eax\n.Linside: call ukl_syscall_gate\n ret\nFUNCTION other\n mov (%rdi), %rax\n jmp .Linside", "start+0x5");

    [Fact]
    public void The_half_of_a_function_that_was_split_off_is_followed() =>
        Proven("FUNCTION start\n mov $5, %eax\n jmp start.cold\nFUNCTION start.cold\n call ukl_syscall_gate\n hlt", 5);

    [Fact]
    public void A_function_that_runs_on_into_one_that_passes_a_number_on_is_reported() =>
        Unproven("FUNCTION start\n mov $5, %edi\nFUNCTION pass\n mov %rdi, %rax\n jmp ukl_syscall_gate", "start may run on");

    [Fact]
    public void Data_among_assembly_code_is_not_taken_for_calls() =>
        Proven(Read("FUNCTION start\n mov table(%rip), %ecx\n mov $39, %eax\n call ukl_syscall_gate\n jmp .Lend\n.byte 0x0f\ntable: .byte 0x05, 0x0f, 0x05, 0xc3\n.Lend: ret", hasSizes: false), 39);

    [Fact]
    public void Assembly_code_behind_data_is_followed() =>
        Proven(Read("FUNCTION start\n jmp .Lend\n.byte 0xb8\n.Lend: call .Lown\n ret\n.byte 0xb8\n.Lown: mov $39, %eax\n call ukl_syscall_gate\n ret", hasSizes: false), 39);

    [Fact]
    public void Code_without_a_symbol_that_a_pointer_names_is_followed() =>
        Proven("FUNCTION start\n call *pointer\n ret\n.data\n.balign 8\npointer: .quad 1f\n.text\n.size start, .-start\n1: mov $60, %eax\n syscall\n ret\nFUNCTION last\n ret", 60);

    [Fact]
    public void A_program_without_calls_has_none() => Proven("FUNCTION start\n ret");
}
