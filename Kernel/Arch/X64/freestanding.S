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

# SpanHelpers.Memmove(ref byte destination, ref byte source, nuint count): the ranges may overlap. What is left over at an end is covered by a piece that
# overlaps the one beside it, and that was loaded before anything was stored.
        HELPER  ukl_move_bytes, S_P_CoreLib_System_SpanHelpers__Memmove
        cmp     $16, %rdx
        jb      5f
        mov     %rdi, %rax
        sub     %rsi, %rax
        cmp     %rdx, %rax                      # destination inside the source: copy backwards
        jb      8f
        movups  -16(%rsi,%rdx), %xmm4           # the last 16 bytes
        lea     -16(%rdi,%rdx), %rcx            # and where they go
        sub     $128, %rdx
        jb      2f
1:      movups  (%rsi), %xmm0
        movups  16(%rsi), %xmm1
        movups  32(%rsi), %xmm2
        movups  48(%rsi), %xmm3
        movups  64(%rsi), %xmm5
        movups  80(%rsi), %xmm6
        movups  96(%rsi), %xmm7
        movups  112(%rsi), %xmm8
        movups  %xmm0, (%rdi)
        movups  %xmm1, 16(%rdi)
        movups  %xmm2, 32(%rdi)
        movups  %xmm3, 48(%rdi)
        movups  %xmm5, 64(%rdi)
        movups  %xmm6, 80(%rdi)
        movups  %xmm7, 96(%rdi)
        movups  %xmm8, 112(%rdi)
        sub     $-128, %rsi
        sub     $-128, %rdi
        sub     $128, %rdx
        jae     1b
2:      add     $112, %rdx                      # the last 16 are stored at the end
        jle     4f
3:      movups  (%rsi), %xmm0
        movups  %xmm0, (%rdi)
        add     $16, %rsi
        add     $16, %rdi
        sub     $16, %rdx
        ja      3b
4:      movups  %xmm4, (%rcx)
        ret
5:      cmp     $8, %rdx
        jb      6f
        mov     (%rsi), %rax
        mov     -8(%rsi,%rdx), %rcx
        mov     %rax, (%rdi)
        mov     %rcx, -8(%rdi,%rdx)
        ret
6:      cmp     $4, %rdx
        jb      7f
        mov     (%rsi), %eax
        mov     -4(%rsi,%rdx), %ecx
        mov     %eax, (%rdi)
        mov     %ecx, -4(%rdi,%rdx)
        ret
7:      test    %rdx, %rdx
        jz      10f
        mov     %rdx, %r8
        shr     %r8
        movzbl  (%rsi), %eax
        movzbl  (%rsi,%r8), %ecx
        movzbl  -1(%rsi,%rdx), %r9d
        mov     %al, (%rdi)
        mov     %cl, (%rdi,%r8)
        mov     %r9b, -1(%rdi,%rdx)
        ret
8:      movups  (%rsi), %xmm4                   # the first 16 bytes, stored at the end
9:      movups  -16(%rsi,%rdx), %xmm0
        movups  %xmm0, -16(%rdi,%rdx)
        sub     $16, %rdx
        cmp     $16, %rdx
        ja      9b
        movups  %xmm4, (%rdi)
10:     ret

# SpanHelpers.ClearWithoutReferences(ref byte start, nuint count)
        HELPER  ukl_clear_bytes, S_P_CoreLib_System_SpanHelpers__ClearWithoutReferences
        xorps   %xmm0, %xmm0
        cmp     $16, %rsi
        jb      4f
        movups  %xmm0, -16(%rdi,%rsi)           # the last 16 bytes
        sub     $64, %rsi
        jb      2f
1:      movups  %xmm0, (%rdi)
        movups  %xmm0, 16(%rdi)
        movups  %xmm0, 32(%rdi)
        movups  %xmm0, 48(%rdi)
        add     $64, %rdi
        sub     $64, %rsi
        jae     1b
2:      add     $48, %rsi
        jle     6f
3:      movups  %xmm0, (%rdi)
        add     $16, %rdi
        sub     $16, %rsi
        ja      3b
        ret
4:      test    %rsi, %rsi
        jz      6f
5:      movb    $0, (%rdi)
        inc     %rdi
        dec     %rsi
        jnz     5b
6:      ret

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
