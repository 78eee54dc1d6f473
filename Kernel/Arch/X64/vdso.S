# The vDSO: a page of code in every program's memory that tells time and processor without entering the kernel. It is a shared object as the ELF loader of libc
# would see one, written out by hand; the kernel copies it to a page of its own and maps it behind the page of ClockPage (Kernel/Time/ClockPage.cs).
# Sources: vdso(7); System V gABI chapter 5 (dynamic section, hash table); LSB core, symbol versioning; Intel SDM volume 2 (RDTSC, RDTSCP).
#
# The same code runs in ring 3 and, for a linked program, in ring 0. What it cannot answer itself it asks the kernel by SYSCALL in ring 3; in ring 0, where that is
# not the way into the kernel, it answers ENOSYS and libc calls by its gate.

        .set    ENOSYS, 38
        .set    SYSCALL_GETTIMEOFDAY, 96
        .set    SYSCALL_TIME, 201
        .set    SYSCALL_CLOCK_GETTIME, 228
        .set    SYSCALL_GETCPU, 309

        .set    PAGE, 4096
        .set    DATA, vdso - PAGE               # ClockPage
        .set    D_SEQUENCE, DATA + 0
        .set    D_MULTIPLIER, DATA + 4
        .set    D_SHIFT, DATA + 8
        .set    D_HAS_RDTSCP, DATA + 12
        .set    D_BASE_TICKS, DATA + 16
        .set    D_BASE_NANOSECONDS, DATA + 24
        .set    D_REALTIME_OFFSET, DATA + 32

        # ClockId: realtime 0, monotonic 1, raw 4, both coarse ones 5 and 6, boot time 7, TAI 11; and which of them follow the time of day.
        .set    KNOWN_CLOCKS, 0x8f3
        .set    REALTIME_CLOCKS, 0x821
        .set    HIGHEST_CLOCK, 11

        .set    PROGRAM_LOAD, 1
        .set    PROGRAM_DYNAMIC, 2
        .set    READ_EXECUTE, 5
        .set    READ, 4
        .set    GLOBAL_FUNCTION, 0x12
        .set    WEAK_FUNCTION, 0x22
        .set    VERSION_OWN, 1                  # indices of the version definitions
        .set    VERSION_LINUX, 2

        .section .rodata.ukl.vdso, "a"
        .balign 16
        .globl  ukl_vdso_start
ukl_vdso_start:
vdso:   .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0
        .quad   0
        .short  3, 62                           # shared object, x86-64
        .long   1
        .quad   0
        .quad   program_headers - vdso
        .quad   0
        .long   0
        .short  64, 56, 2, 64, 0, 0

program_headers:
        .long   PROGRAM_LOAD, READ_EXECUTE
        .quad   0, 0, 0, vdso_end - vdso, vdso_end - vdso, PAGE
        .long   PROGRAM_DYNAMIC, READ
        .quad   dynamic - vdso, dynamic - vdso, dynamic - vdso, dynamic_end - dynamic, dynamic_end - dynamic, 8

dynamic:
        .quad   14, name_own - names            # SONAME
        .quad   4, hash - vdso                  # HASH
        .quad   5, names - vdso                 # STRTAB
        .quad   6, symbols - vdso               # SYMTAB
        .quad   10, names_end - names           # STRSZ
        .quad   11, 24                          # SYMENT
        .quad   0x6ffffffc, definitions - vdso  # VERDEF
        .quad   0x6ffffffd, 2                   # VERDEFNUM
        .quad   0x6ffffff0, versions - vdso     # VERSYM
        .quad   0, 0
dynamic_end:

        .macro  SYMBOL name, kind, function
        .long   \name - names
        .byte   \kind, 0
        .short  1                               # defined: in some section
        .quad   \function - vdso, \function\()_end - \function
        .endm
symbols:
        .quad   0, 0, 0
        SYMBOL  name_vdso_clock_gettime, GLOBAL_FUNCTION, clock_gettime
        SYMBOL  name_clock_gettime, WEAK_FUNCTION, clock_gettime
        SYMBOL  name_vdso_gettimeofday, GLOBAL_FUNCTION, gettimeofday
        SYMBOL  name_gettimeofday, WEAK_FUNCTION, gettimeofday
        SYMBOL  name_vdso_time, GLOBAL_FUNCTION, time
        SYMBOL  name_time, WEAK_FUNCTION, time
        SYMBOL  name_vdso_getcpu, GLOBAL_FUNCTION, getcpu
        SYMBOL  name_getcpu, WEAK_FUNCTION, getcpu
symbols_end:
        .set    SYMBOL_COUNT, (symbols_end - symbols) / 24

        # One bucket, and a chain through all symbols: there are few.
hash:   .long   1, SYMBOL_COUNT, 1
        .long   0
        .set    i, 2
        .rept   SYMBOL_COUNT - 2
        .long   i
        .set    i, i + 1
        .endr
        .long   0

versions:
        .short  0
        .rept   SYMBOL_COUNT - 1
        .short  VERSION_LINUX
        .endr

        .balign 4
definitions:                                    # version, flags (1: the object's own), index, count of names, hash, offsets of name and next
        .short  1, 1, VERSION_OWN, 1
        .long   0x0deebfa1, 20, 28              # ELF hash of linux-vdso.so.1
        .long   name_own - names, 0
        .short  1, 0, VERSION_LINUX, 1
        .long   0x03ae75f6, 20, 0               # ELF hash of LINUX_2.6
        .long   name_version - names, 0

names:  .byte   0
name_own:
        .asciz  "linux-vdso.so.1"
name_version:
        .asciz  "LINUX_2.6"
name_vdso_clock_gettime:
        .ascii  "__vdso_"
name_clock_gettime:
        .asciz  "clock_gettime"
name_vdso_gettimeofday:
        .ascii  "__vdso_"
name_gettimeofday:
        .asciz  "gettimeofday"
name_vdso_time:
        .ascii  "__vdso_"
name_time:
        .asciz  "time"
name_vdso_getcpu:
        .ascii  "__vdso_"
name_getcpu:
        .asciz  "getcpu"
names_end:

# Reads the clock into rax, in nanoseconds: the real-time clock when the carry flag is set after \test, otherwise the monotonic one. As Clock.MonotonicNanoseconds and
# ClockScale.Convert do it. An odd or changed sequence number says that the kernel was writing meanwhile. Changes rcx, rdx, r8, r9, r10.
        .macro  READ_CLOCK test:vararg
81:     mov     D_SEQUENCE(%rip), %r8d
        test    $1, %r8b
        jnz     82f
        lfence
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        sub     D_BASE_TICKS(%rip), %rax
        mov     D_MULTIPLIER(%rip), %r9d
        mov     D_SHIFT(%rip), %ecx
        mov     %rax, %rdx
        mov     %eax, %eax
        shr     $32, %rdx
        imul    %r9, %rax
        imul    %r9, %rdx
        shr     %cl, %rax
        neg     %ecx
        add     $32, %ecx
        shl     %cl, %rdx
        add     %rdx, %rax
        add     D_BASE_NANOSECONDS(%rip), %rax
        mov     D_REALTIME_OFFSET(%rip), %r10
        \test
        jnc     83f
        add     %r10, %rax
83:     cmp     D_SEQUENCE(%rip), %r8d
        je      84f
82:     pause
        jmp     81b
84:
        .endm

# Divides rax by 10^9: seconds to rdx, nanoseconds to rcx. By a multiplication with 2^75 / 10^9 of what is left after its factor 2^9.
        .macro  SPLIT_SECONDS
        mov     %rax, %rcx
        shr     $9, %rax
        movabs  $0x44b82fa09b5a53, %rdx
        mul     %rdx
        shr     $11, %rdx
        imul    $1000000000, %rdx, %rax
        sub     %rax, %rcx
        .endm

# Hands the call over to the kernel.
        .macro  ASK_KERNEL number
        mov     %cs, %eax
        test    $3, %al
        jz      91f
        mov     $\number, %eax
        syscall
        ret
91:     mov     $-ENOSYS, %rax
        ret
        .endm

        .balign 16
# int clock_gettime(clockid_t clock, struct timespec *time)
clock_gettime:
        cmp     $HIGHEST_CLOCK, %edi
        ja      1f
        mov     $KNOWN_CLOCKS, %eax
        bt      %edi, %eax
        jnc     1f
        mov     $REALTIME_CLOCKS, %r11d
        READ_CLOCK bt %edi, %r11d
        SPLIT_SECONDS
        mov     %rdx, (%rsi)
        mov     %rcx, 8(%rsi)
        xor     %eax, %eax
        ret
1:      ASK_KERNEL SYSCALL_CLOCK_GETTIME
clock_gettime_end:

        .balign 16
# int gettimeofday(struct timeval *time, struct timezone *zone)
gettimeofday:
        test    %rdi, %rdi
        jz      1f
        READ_CLOCK stc
        SPLIT_SECONDS
        mov     %rdx, (%rdi)
        imul    $274877907, %rcx, %rcx          # by 1000: 2^38 / 1000, exact below 2^32
        shr     $38, %rcx
        mov     %rcx, 8(%rdi)
1:      test    %rsi, %rsi
        jz      2f
        movq    $0, (%rsi)                      # Greenwich, no summer time
2:      xor     %eax, %eax
        ret
gettimeofday_end:

        .balign 16
# time_t time(time_t *time)
time:
        READ_CLOCK stc
        SPLIT_SECONDS
        mov     %rdx, %rax
        test    %rdi, %rdi
        jz      1f
        mov     %rax, (%rdi)
1:      ret
time_end:

        .balign 16
# int getcpu(unsigned *processor, unsigned *node, void *unused)
getcpu:
        cmpl    $0, D_HAS_RDTSCP(%rip)
        je      3f
        rdtscp                                  # ecx: IA32_TSC_AUX, the processor in the low 12 bits, the node above
        mov     %ecx, %eax
        and     $0xfff, %eax
        shr     $12, %ecx
        test    %rdi, %rdi
        jz      1f
        mov     %eax, (%rdi)
1:      test    %rsi, %rsi
        jz      2f
        mov     %ecx, (%rsi)
2:      xor     %eax, %eax
        ret
3:      ASK_KERNEL SYSCALL_GETCPU
getcpu_end:
vdso_end:
        .globl  ukl_vdso_end
ukl_vdso_end:

        .section .text.ukl.vdso, "ax"
        .globl  ukl_address_of_vdso_start
        .type   ukl_address_of_vdso_start, @function
ukl_address_of_vdso_start:
        lea     ukl_vdso_start(%rip), %rax
        ret
        .globl  ukl_address_of_vdso_end
        .type   ukl_address_of_vdso_end, @function
ukl_address_of_vdso_end:
        lea     ukl_vdso_end(%rip), %rax
        ret

        .section .note.GNU-stack, "", @progbits
