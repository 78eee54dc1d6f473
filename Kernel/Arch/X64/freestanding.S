# What RyuJIT expects of the runtime and the kernel may use: copying and zeroing blocks, the stack cookie, and the ends of failed bounds checks, which
# are kernel bugs. Under the runtime's names all of it is weak: in an image with a program the program has the real ones, and the tool's KernelReferences
# gives the kernel's methods these under their own names.

        .macro  HELPER own, runtime
        .globl  \own
        .type   \own, @function
        .weak   \runtime
        .type   \runtime, @function
        .balign 16
\own:
\runtime:
        .endm

        .macro  FAILURE runtime, handler
        .weak   \runtime
        .type   \runtime, @function
\runtime:
        .cfi_startproc
        push    %rbp                            # aligns the stack
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        call    \handler
        ud2
        .cfi_endproc
        .size   \runtime, . - \runtime
        .endm

        .section .text.ukl.freestanding, "ax"

# SpanHelpers.Memmove(ref byte destination, ref byte source, nuint count): the ranges may overlap
        HELPER  ukl_move_bytes, S_P_CoreLib_System_SpanHelpers__Memmove
        mov     %rdi, %rax
        sub     %rsi, %rax
        cmp     %rdx, %rax                      # destination inside the source: copy backwards
        jb      4f
1:      cmp     $16, %rdx
        jb      2f
        movups  (%rsi), %xmm0
        movups  %xmm0, (%rdi)
        add     $16, %rsi
        add     $16, %rdi
        sub     $16, %rdx
        jmp     1b
2:      test    %rdx, %rdx
        jz      3f
        mov     (%rsi), %al
        mov     %al, (%rdi)
        inc     %rsi
        inc     %rdi
        dec     %rdx
        jmp     2b
3:      ret
4:      cmp     $16, %rdx
        jb      5f
        movups  -16(%rsi,%rdx), %xmm0
        movups  %xmm0, -16(%rdi,%rdx)
        sub     $16, %rdx
        jmp     4b
5:      test    %rdx, %rdx
        jz      6f
        mov     -1(%rsi,%rdx), %al
        mov     %al, -1(%rdi,%rdx)
        dec     %rdx
        jmp     5b
6:      ret

# SpanHelpers.ClearWithoutReferences(ref byte start, nuint count)
        HELPER  ukl_clear_bytes, S_P_CoreLib_System_SpanHelpers__ClearWithoutReferences
        xorps   %xmm0, %xmm0
1:      cmp     $16, %rsi
        jb      2f
        movups  %xmm0, (%rdi)
        add     $16, %rdi
        sub     $16, %rsi
        jmp     1b
2:      test    %rsi, %rsi
        jz      3f
        movb    $0, (%rdi)
        inc     %rdi
        dec     %rsi
        jmp     2b
3:      ret

        FAILURE S_P_CoreLib_Internal_Runtime_CompilerHelpers_ThrowHelpers__ThrowIndexOutOfRangeException, ukl_bounds_failure
        FAILURE S_P_CoreLib_System_ThrowHelper__ThrowArgumentOutOfRangeException, ukl_bounds_failure
        FAILURE S_P_CoreLib_System_ThrowHelper__ThrowArgumentOutOfRangeException_0, ukl_bounds_failure
        FAILURE S_P_CoreLib_System_ThrowHelper__ThrowArgumentException_DestinationTooShort, ukl_bounds_failure

# The stack cookie of a frame with a buffer was overwritten.
        FAILURE RhpFallbackFailFast, ukl_stack_failure

        .section .data.ukl.freestanding, "aw"
        .balign 8
        .weak   __security_cookie
__security_cookie:
        .quad   0x2b992ddfa232c4b7

        .section .note.GNU-stack, "", @progbits
