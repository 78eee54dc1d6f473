# Privileged and special instructions as C functions, one instruction or a few each. Source: Intel SDM volume 2.
# Convention: System V; results in rax. Called from C# through RuntimeImport.

        .macro  FUNCTION name
        .globl  \name
        .type   \name, @function
        .balign 16
\name:
        .endm

        .section .text.ukl.cpu, "ax"

FUNCTION ukl_in8
        mov     %edi, %edx
        xor     %eax, %eax
        in      %dx, %al
        ret
FUNCTION ukl_in16
        mov     %edi, %edx
        xor     %eax, %eax
        in      %dx, %ax
        ret
FUNCTION ukl_in32
        mov     %edi, %edx
        in      %dx, %eax
        ret
FUNCTION ukl_out8
        mov     %edi, %edx
        mov     %esi, %eax
        out     %al, %dx
        ret
FUNCTION ukl_out16
        mov     %edi, %edx
        mov     %esi, %eax
        out     %ax, %dx
        ret
FUNCTION ukl_out32
        mov     %edi, %edx
        mov     %esi, %eax
        out     %eax, %dx
        ret

FUNCTION ukl_rdmsr
        mov     %edi, %ecx
        rdmsr
        shl     $32, %rdx
        or      %rdx, %rax
        ret
FUNCTION ukl_wrmsr
        mov     %edi, %ecx
        mov     %rsi, %rax
        mov     %rsi, %rdx
        shr     $32, %rdx
        wrmsr
        ret

FUNCTION ukl_read_cr2
        mov     %cr2, %rax
        ret
FUNCTION ukl_read_cr3
        mov     %cr3, %rax
        ret
FUNCTION ukl_write_cr3
        mov     %rdi, %cr3
        ret
FUNCTION ukl_read_cr4
        mov     %cr4, %rax
        ret
FUNCTION ukl_write_cr4
        mov     %rdi, %cr4
        ret
FUNCTION ukl_write_xcr0
        xor     %ecx, %ecx
        mov     %rdi, %rax
        mov     %rdi, %rdx
        shr     $32, %rdx
        xsetbv
        ret
FUNCTION ukl_invlpg
        invlpg  (%rdi)
        ret
FUNCTION ukl_lidt
        lidt    (%rdi)
        ret
FUNCTION ukl_ltr
        mov     %edi, %eax
        ltr     %ax
        ret
FUNCTION ukl_read_timestamp
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        ret
FUNCTION ukl_pause
        pause
        ret
FUNCTION ukl_halt
        cli
1:      hlt
        jmp     1b

# void ukl_cpuid(uint leaf, uint subleaf, uint* four)
FUNCTION ukl_cpuid
        push    %rbx
        mov     %rdx, %r8
        mov     %edi, %eax
        mov     %esi, %ecx
        cpuid
        mov     %eax, (%r8)
        mov     %ebx, 4(%r8)
        mov     %ecx, 8(%r8)
        mov     %edx, 12(%r8)
        pop     %rbx
        ret

# int ukl_rdrand(ulong* value), int ukl_rdseed(ulong* value): 1 when a value came
FUNCTION ukl_rdrand
        xor     %eax, %eax
        rdrand  %rdx
        setc    %al
        mov     %rdx, (%rdi)
        ret
FUNCTION ukl_rdseed
        xor     %eax, %eax
        rdseed  %rdx
        setc    %al
        mov     %rdx, (%rdi)
        ret

# CpuBlock* ukl_current_cpu(), Thread* ukl_current_thread()
FUNCTION ukl_current_cpu
        mov     %gs:0, %rax
        ret
FUNCTION ukl_current_thread
        mov     %gs:8, %rax
        ret

FUNCTION ukl_read_fs_base
        rdfsbase %rax
        ret
FUNCTION ukl_write_fs_base
        wrfsbase %rdi
        ret

# void ukl_fx_save(void*), …: the legacy area, for processors without XSAVE
FUNCTION ukl_fxsave
        fxsave64 (%rdi)
        ret
FUNCTION ukl_fxrstor
        fxrstor64 (%rdi)
        ret
FUNCTION ukl_xsave
        mov     $-1, %eax
        mov     $-1, %edx
        xsave64 (%rdi)
        ret
FUNCTION ukl_xsaveopt
        mov     $-1, %eax
        mov     $-1, %edx
        xsaveopt64 (%rdi)
        ret
FUNCTION ukl_xrstor
        mov     $-1, %eax
        mov     $-1, %edx
        xrstor64 (%rdi)
        ret

# What a C function may assume of the floating-point unit beside its control words: an empty x87 stack.
# void ukl_save_control_words(uint* mxcsrThenX87), void ukl_load_control_words(uint*), void ukl_reset_x87()
FUNCTION ukl_save_control_words
        stmxcsr (%rdi)
        fnstcw  4(%rdi)
        ret
FUNCTION ukl_load_control_words
        ldmxcsr (%rdi)
        fldcw   4(%rdi)
        ret
FUNCTION ukl_reset_x87
        fninit
        ret

# void ukl_clear_pages(void* page, ulong count): 4096-byte pages
FUNCTION ukl_clear_pages
        shl     $4, %rsi                        # 256 bytes a turn
        xorps   %xmm0, %xmm0
1:
        .irp    offset, 0,16,32,48,64,80,96,112,128,144,160,176,192,208,224,240
        movaps  %xmm0, \offset(%rdi)
        .endr
        add     $256, %rdi
        dec     %rsi
        jnz     1b
        ret

# void ukl_copy_page(void* destination, void* source)
FUNCTION ukl_copy_page
        mov     $64, %eax
1:      movaps  (%rsi), %xmm0
        movaps  16(%rsi), %xmm1
        movaps  32(%rsi), %xmm2
        movaps  48(%rsi), %xmm3
        movaps  %xmm0, (%rdi)
        movaps  %xmm1, 16(%rdi)
        movaps  %xmm2, 32(%rdi)
        movaps  %xmm3, 48(%rdi)
        add     $64, %rsi
        add     $64, %rdi
        dec     %eax
        jnz     1b
        ret

# void ukl_capture_frame(UnwindState* state): where the caller is after this call (rip, rsp, rbp)
FUNCTION ukl_capture_frame
        mov     (%rsp), %rax
        mov     %rax, 0(%rdi)
        lea     8(%rsp), %rax
        mov     %rax, 8(%rdi)
        mov     %rbp, 16(%rdi)
        ret

# ---- Copies to and from a program. A fault between ukl_user_copy_begin and ukl_user_copy_end that cannot be resolved goes on at ukl_user_copy_fault;
# rdx is the number of bytes still to do at every instruction that can fault. AC (SMAP) is set only meanwhile. ----

        .macro  ALLOW_USER
        cmpb    $0, ukl_has_smap(%rip)
        je      991f
        stac
991:
        .endm
        .macro  FORBID_USER
        cmpb    $0, ukl_has_smap(%rip)
        je      992f
        clac
992:
        .endm

# Copies 64 bytes at a distance from rsi to the same distance from rdi; with an index as ",%rdx" that is added to both.
        .macro  COPY_64 distance, index
        .irp    i, 0,1,2,3
        movups  \distance+16*\i(%rsi\index), %xmm\i
        .endr
        .irp    i, 0,1,2,3
        movups  %xmm\i, \distance+16*\i(%rdi\index)
        .endr
        .endm

# ulong ukl_user_copy(void* destination, void* source, ulong count): returns the bytes not copied
# The rest that is no whole block is copied by moves that end with its last byte and overlap what has been copied already.
FUNCTION ukl_user_copy
        ALLOW_USER
        .globl  ukl_user_copy_begin
ukl_user_copy_begin:
        cmp     $64, %rdx
        jb      5f
        cmp     $256, %rdx
        jb      2f
1:      COPY_64 0
        COPY_64 64
        COPY_64 128
        COPY_64 192
        add     $256, %rsi
        add     $256, %rdi
        sub     $256, %rdx
        cmp     $256, %rdx
        jae     1b
2:      cmp     $64, %rdx
        jb      4f
3:      COPY_64 0
        add     $64, %rsi
        add     $64, %rdi
        sub     $64, %rdx
        cmp     $64, %rdx
        jae     3b
4:      test    %rdx, %rdx
        jz      9f
        COPY_64 -64, ",%rdx"
        jmp     9f
5:      cmp     $16, %rdx
        jb      6f
        movups  (%rsi), %xmm0
        movups  -16(%rsi,%rdx), %xmm3
        cmp     $32, %rdx
        jbe     51f
        movups  16(%rsi), %xmm1
        movups  -32(%rsi,%rdx), %xmm2
        movups  %xmm1, 16(%rdi)
        movups  %xmm2, -32(%rdi,%rdx)
51:     movups  %xmm0, (%rdi)
        movups  %xmm3, -16(%rdi,%rdx)
        jmp     9f
6:      cmp     $8, %rdx
        jb      7f
        mov     (%rsi), %rax
        mov     -8(%rsi,%rdx), %rcx
        mov     %rax, (%rdi)
        mov     %rcx, -8(%rdi,%rdx)
        jmp     9f
7:      cmp     $4, %rdx
        jb      8f
        mov     (%rsi), %eax
        mov     -4(%rsi,%rdx), %ecx
        mov     %eax, (%rdi)
        mov     %ecx, -4(%rdi,%rdx)
        jmp     9f
8:      test    %rdx, %rdx
        jz      9f
        mov     (%rsi), %al
        mov     %al, (%rdi)
        inc     %rsi
        inc     %rdi
        dec     %rdx
        jmp     8b
9:      xor     %eax, %eax
        FORBID_USER
        ret

# ulong ukl_user_clear(void* destination, ulong count): returns the bytes not cleared
FUNCTION ukl_user_clear
        ALLOW_USER
        mov     %rsi, %rdx
        xorps   %xmm0, %xmm0
1:      cmp     $16, %rdx
        jb      2f
        movups  %xmm0, (%rdi)
        add     $16, %rdi
        sub     $16, %rdx
        jmp     1b
2:      test    %rdx, %rdx
        jz      4f
3:      movb    $0, (%rdi)
        inc     %rdi
        dec     %rdx
        jnz     3b
4:      xor     %eax, %eax
        FORBID_USER
        ret

# ulong ukl_user_compare_exchange(uint* address, uint expected, uint* seen (kernel), uint desired): 0, or 1 when it faulted; the old value in *seen.
FUNCTION ukl_user_compare_exchange
        mov     %rdx, %r8
        mov     $1, %edx
        mov     %esi, %eax
        ALLOW_USER
        lock cmpxchg %ecx, (%rdi)
        FORBID_USER
        mov     %eax, (%r8)
        xor     %eax, %eax
        ret
        .globl  ukl_user_copy_end
ukl_user_copy_end:

FUNCTION ukl_user_copy_fault
        mov     %rdx, %rax
        FORBID_USER
        ret

# ---- Addresses that the linker knows, for C# ----

        .macro  ADDRESS function, symbol
FUNCTION \function
        lea     \symbol(%rip), %rax
        ret
        .endm

        ADDRESS ukl_address_of_image_start, ukl_image_start
        ADDRESS ukl_address_of_constants_end, ukl_constants_end
        ADDRESS ukl_address_of_text_start, ukl_text_start
        ADDRESS ukl_address_of_text_end, ukl_text_end
        ADDRESS ukl_address_of_data_end, ukl_data_end
        ADDRESS ukl_address_of_symbols_start, ukl_symbols_start
        ADDRESS ukl_address_of_symbols_end, ukl_symbols_end
        ADDRESS ukl_address_of_image_end, ukl_image_end
        ADDRESS ukl_address_of_syscall_table, ukl_syscall_table
        ADDRESS ukl_address_of_entry_start, ukl_syscall_entry
        ADDRESS ukl_address_of_entry_end, ukl_entry_end
        ADDRESS ukl_address_of_boot_pml4, ukl_boot_pml4
        ADDRESS ukl_address_of_boot_stack, ukl_boot_stack
        ADDRESS ukl_address_of_gdt, ukl_gdt
        ADDRESS ukl_address_of_trap_stubs, ukl_trap_stubs
        ADDRESS ukl_address_of_syscall_entry, ukl_syscall_entry
        ADDRESS ukl_address_of_ring0_syscall_entry, ukl_ring0_syscall_entry
        ADDRESS ukl_address_of_thread_start, ukl_thread_start
        ADDRESS ukl_address_of_has_smap, ukl_has_smap
        ADDRESS ukl_address_of_user_copy_begin, ukl_user_copy_begin
        ADDRESS ukl_address_of_user_copy_end, ukl_user_copy_end
        ADDRESS ukl_address_of_user_copy_fault, ukl_user_copy_fault

# The entry of the linked program (crt1's _start); 0 in a kernel-only image.
        .weak   _start
FUNCTION ukl_address_of_linked_program
        mov     $_start, %rax
        ret

        .section .bss.ukl.cpu, "aw", @nobits
        .globl  ukl_has_smap
ukl_has_smap:
        .skip   8

        .section .note.GNU-stack, "", @progbits
