# The ways into the kernel and out of it: exceptions and interrupts, SYSCALL, and the call gate of linked programs; and the switch between threads.
# Sources: Intel SDM volume 3 chapter 6 (interrupts, IST), volume 2 (SYSCALL, SYSRET); System V ABI for x86-64 (red zone, registers).
#
# Every way in builds the same TrapFrame (Kernel/Arch/X64/TrapFrame.cs) at the top of the thread's kernel stack and calls C# with its address.
# The kernel runs with interrupts off. gs is the CpuBlock (CpuBlock.cs) whenever the kernel or a linked program runs.
#
# A linked program runs in ring 0 on its own stack and uses the red zone below it, so every vector switches to an IST stack, which the entry leaves at
# once for the thread's kernel stack.

        .set    FRAME_SIZE, 432
        .set    F_XMM, 0
        .set    F_R15, 272
        .set    F_R14, 280
        .set    F_R13, 288
        .set    F_R12, 296
        .set    F_R11, 256
        .set    F_R10, 304
        .set    F_R9, 312
        .set    F_R8, 320
        .set    F_RBP, 328
        .set    F_RDI, 336
        .set    F_RSI, 344
        .set    F_RDX, 352
        .set    F_RCX, 264
        .set    F_RBX, 360
        .set    F_RAX, 368
        .set    F_ORIGIN, 376
        .set    F_ERROR, 384
        .set    F_RIP, 392
        .set    F_CS, 400
        .set    F_RFLAGS, 408
        .set    F_RSP, 416
        .set    F_SS, 424

        .set    ORIGIN_SYSCALL, 256
        .set    ORIGIN_GATE, 257
        .set    ORIGIN_RING0_SYSCALL, 258

        .set    T_WORK, 0                       # Thread (Kernel/Tasks/Thread.cs) and its work flags
        .set    T_USER_TICKS, 8
        .set    T_SYSTEM_TICKS, 16
        .set    WORK_TRACE, 4
        .set    WORK_ON_EXIT, 3
        .set    SYSCALL_TABLE_SIZE, 512         # SyscallDispatch.TableSize

        .set    CPU_CURRENT, 8
        .set    CPU_STACK_TOP, 16
        .set    CPU_SCRATCH, 24
        .set    KERNEL_STACK_SIZE, 16384

        .set    KERNEL_CODE, 0x08
        .set    KERNEL_DATA, 0x10
        .set    USER_DATA, 0x23
        .set    USER_CODE, 0x2b

        .macro  FUNCTION name
        .globl  \name
        .type   \name, @function
        .balign 16
\name:
        .endm

        .macro  PUSH_REGISTERS
        .irp    r, rax,rbx,rdx,rsi,rdi,rbp,r8,r9,r10,r12,r13,r14,r15
        push    %\r
        .endr
        .endm

        .macro  SAVE_VECTORS
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movaps  %xmm\n, F_XMM + 16*\n(%rsp)
        .endr
        .endm

        .macro  RESTORE_VECTORS
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movaps  F_XMM + 16*\n(%rsp), %xmm\n
        .endr
        .endm

# A change between program (from) and kernel (to), or back. A counter holds the sum of the time stamps at which its side was left less those at which it was
# entered, so that each change is one addition and one subtraction. rsi: the thread. Changes rax and rdx.
        .macro  ACCOUNT from, to
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        add     %rax, \from(%rsi)
        sub     %rax, \to(%rsi)
        .endm

# A system call whose frame is at rsp: entry work, handler, exit work. This is what levels 0 and 1 do for every call (Kernel/Levels); it is here and not in C#
# because it is most of what a cheap call costs. EntryWork.cs is the same for exceptions and interrupts.
        .macro  HANDLE_CALL
        mov     %gs:CPU_CURRENT, %rsi
        ACCOUNT T_USER_TICKS, T_SYSTEM_TICKS
        mov     %rsp, %rdi
        mov     F_RAX(%rsp), %rax
        testb   $WORK_TRACE, T_WORK(%rsi)
        jne     91f
        cmp     $SYSCALL_TABLE_SIZE, %rax
        jae     91f
        lea     ukl_syscall_table(%rip), %rcx
        call    *(%rcx,%rax,8)
        mov     %rax, F_RAX(%rsp)
92:     mov     %gs:CPU_CURRENT, %rsi
        testb   $WORK_ON_EXIT, T_WORK(%rsi)
        jne     93f
94:     ACCOUNT T_SYSTEM_TICKS, T_USER_TICKS
        .subsection 1
91:     call    ukl_uncommon_call
        jmp     92b
93:     mov     %rsi, %rdi
        mov     %rsp, %rsi
        call    ukl_exit_work
        mov     %gs:CPU_CURRENT, %rsi
        jmp     94b
        .previous
        .endm

        .section .text.ukl.entry, "ax"

# ---- SYSCALL: rcx = return address, r11 = flags; every other register but rax is the caller's to keep (Linux ABI). The instruction does not say from which ring it
# came, and code of either kind may lie at any address: which entry is in force goes with the running process (DescriptorTables.SetSyscallEntry). ----
FUNCTION ukl_syscall_entry
        swapgs
        mov     %rsp, %gs:CPU_SCRATCH
        mov     %gs:CPU_STACK_TOP, %rsp
        pushq   $USER_DATA
        pushq   %gs:CPU_SCRATCH
        push    %r11
        pushq   $USER_CODE
        push    %rcx
        push    %rax                            # the call's number, kept for a restart
        pushq   $ORIGIN_SYSCALL
        PUSH_REGISTERS
        push    %rcx
        push    %r11
        sub     $256, %rsp
        SAVE_VECTORS
        xor     %ebp, %ebp
        HANDLE_CALL
        cmpq    $ORIGIN_SYSCALL, F_ORIGIN(%rsp)
        jne     ukl_return
        RESTORE_VECTORS
        mov     F_RBP(%rsp), %rbp
        mov     F_R10(%rsp), %r10
        mov     F_R9(%rsp), %r9
        mov     F_R8(%rsp), %r8
        mov     F_RDI(%rsp), %rdi
        mov     F_RSI(%rsp), %rsi
        mov     F_RDX(%rsp), %rdx
        mov     F_RAX(%rsp), %rax
        mov     F_RIP(%rsp), %rcx
        mov     F_RFLAGS(%rsp), %r11
        mov     F_RSP(%rsp), %rsp
        swapgs
        sysretq

# A SYSCALL instruction in a linked program (the few assembly sites of libc, code made at run time): same convention, no privilege change.
FUNCTION ukl_ring0_syscall_entry
        mov     %rsp, %gs:CPU_SCRATCH
        mov     %gs:CPU_STACK_TOP, %rsp
        pushq   $KERNEL_DATA
        pushq   %gs:CPU_SCRATCH
        push    %r11
        pushq   $KERNEL_CODE
        push    %rcx
        push    %rax
        pushq   $ORIGIN_RING0_SYSCALL
        PUSH_REGISTERS
        push    %rcx
        push    %r11
        sub     $256, %rsp
        SAVE_VECTORS
        xor     %ebp, %ebp
        HANDLE_CALL
        jmp     ukl_return

# ---- The call gate: what replaces SYSCALL in the libc of linked programs. A call: number in rax, arguments as for SYSCALL. It may change all that a C function may,
# which its callers (Sdk/Musl/syscall_arch.h) declare. ----
FUNCTION ukl_syscall_gate
        cli
        pop     %rcx
        mov     %rsp, %r11
        mov     %gs:CPU_STACK_TOP, %rsp
        pushq   $KERNEL_DATA
        push    %r11
        pushq   $0x202                          # interrupts on, all else clear: what a C function may assume
        pushq   $KERNEL_CODE
        push    %rcx
        push    %rax
        pushq   $ORIGIN_GATE
        PUSH_REGISTERS
        sub     $272, %rsp                      # xmm, and rcx and r11, which do not count
        HANDLE_CALL
        cmpq    $ORIGIN_GATE, F_ORIGIN(%rsp)
        jne     ukl_return
        mov     F_RAX(%rsp), %rax
        mov     F_RIP(%rsp), %rcx
        mov     F_RSP(%rsp), %rsp
        sti                                     # takes effect after the next instruction
        jmp     *%rcx

# ---- Exceptions and interrupts. On the IST stack: origin (vector), error, rip, cs, rflags, rsp, ss. ----
trap_entry:
        push    %rax
        push    %rcx
        testb   $3, 40(%rsp)
        jz      1f
        swapgs
        mov     %gs:CPU_STACK_TOP, %rax
        jmp     3f
1:      mov     56(%rsp), %rax                  # the interrupted stack pointer: on this thread's kernel stack?
        mov     %gs:CPU_STACK_TOP, %rcx
        sub     %rax, %rcx
        cmp     $KERNEL_STACK_SIZE, %rcx
        jbe     2f
        mov     %gs:CPU_STACK_TOP, %rax         # no: a linked program was interrupted
        jmp     3f
2:      and     $-16, %rax                      # yes: nest below it
3:      sub     $FRAME_SIZE, %rax
        mov     0(%rsp), %rcx
        mov     %rcx, F_RCX(%rax)
        mov     8(%rsp), %rcx
        mov     %rcx, F_RAX(%rax)
        mov     16(%rsp), %rcx
        mov     %rcx, F_ORIGIN(%rax)
        mov     24(%rsp), %rcx
        mov     %rcx, F_ERROR(%rax)
        mov     32(%rsp), %rcx
        mov     %rcx, F_RIP(%rax)
        mov     40(%rsp), %rcx
        mov     %rcx, F_CS(%rax)
        mov     48(%rsp), %rcx
        mov     %rcx, F_RFLAGS(%rax)
        mov     56(%rsp), %rcx
        mov     %rcx, F_RSP(%rax)
        mov     64(%rsp), %rcx
        mov     %rcx, F_SS(%rax)
        mov     %rax, %rsp
        call    save_and_clear_flags
        SAVE_VECTORS
        mov     %rsp, %rdi
        mov     %gs:CPU_CURRENT, %rsi
        xor     %ebp, %ebp
        call    ukl_trap
        # falls through

# ---- The full way out: every register from the frame at rsp. ----
FUNCTION ukl_return
        testb   $3, F_CS(%rsp)
        jz      1f
        swapgs
1:      RESTORE_VECTORS
        mov     F_R15(%rsp), %r15
        mov     F_R14(%rsp), %r14
        mov     F_R13(%rsp), %r13
        mov     F_R12(%rsp), %r12
        mov     F_R11(%rsp), %r11
        mov     F_R10(%rsp), %r10
        mov     F_R9(%rsp), %r9
        mov     F_R8(%rsp), %r8
        mov     F_RBP(%rsp), %rbp
        mov     F_RDI(%rsp), %rdi
        mov     F_RSI(%rsp), %rsi
        mov     F_RDX(%rsp), %rdx
        mov     F_RCX(%rsp), %rcx
        mov     F_RBX(%rsp), %rbx
        mov     F_RAX(%rsp), %rax
        add     $F_RIP, %rsp
        iretq

# Saves what trap_entry has not saved yet, and gives the kernel clean flags: the interrupted code may have set DF, AC or NT.
save_and_clear_flags:
        mov     %rbx, 8 + F_RBX(%rsp)
        mov     %rdx, 8 + F_RDX(%rsp)
        mov     %rsi, 8 + F_RSI(%rsp)
        mov     %rdi, 8 + F_RDI(%rsp)
        mov     %rbp, 8 + F_RBP(%rsp)
        mov     %r8, 8 + F_R8(%rsp)
        mov     %r9, 8 + F_R9(%rsp)
        mov     %r10, 8 + F_R10(%rsp)
        mov     %r11, 8 + F_R11(%rsp)
        mov     %r12, 8 + F_R12(%rsp)
        mov     %r13, 8 + F_R13(%rsp)
        mov     %r14, 8 + F_R14(%rsp)
        mov     %r15, 8 + F_R15(%rsp)
        pushq   $2
        popfq
        ret

# NMI, double fault and machine check stay on stacks of their own: they may come anywhere, and they end in a panic.
fatal_entry:
        sub     $F_ORIGIN, %rsp
        mov     %rax, F_RAX(%rsp)
        mov     %rcx, F_RCX(%rsp)
        testb   $3, F_CS(%rsp)
        jz      1f
        swapgs
1:      call    save_and_clear_flags
        mov     %rsp, %rdi
        xor     %ebp, %ebp
        call    ukl_fatal
        ud2

        .altmacro
        .macro  STUB n
        .balign 16
stub\n:
        .if     (\n == 8) || ((\n >= 10) && (\n <= 14)) || (\n == 17) || (\n == 21) || (\n == 29) || (\n == 30)
        .else
        pushq   $0
        .endif
        pushq   $\n
        .if     (\n == 2) || (\n == 8) || (\n == 18)
        jmp     fatal_entry
        .else
        jmp     trap_entry
        .endif
        .endm

        .balign 16
        .globl  ukl_trap_stubs                  # 256 stubs, 16 bytes apart
ukl_trap_stubs:
        .set    i, 0
        .rept   256
        STUB    %i
        .set    i, i + 1
        .endr

# ---- Threads ----

# void ukl_switch(ulong* saveStackPointer, ulong loadStackPointer)
FUNCTION ukl_switch
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, (%rdi)
        mov     %rsi, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

# Where a new thread's first switch returns to: rsp is at its TrapFrame.
FUNCTION ukl_thread_start
        mov     %gs:CPU_CURRENT, %rsi
        ACCOUNT T_SYSTEM_TICKS, T_USER_TICKS
        jmp     ukl_return

# void ukl_wait_for_interrupt(): sleeps with interrupts on, returns with interrupts off.
FUNCTION ukl_wait_for_interrupt
        sti
        hlt
        cli
        ret

        .section .text.ukl.entry_end, "ax"
        .globl  ukl_entry_end
ukl_entry_end:

        .section .bss.ukl.entry, "aw", @nobits
        .balign 64
        .globl  ukl_syscall_table
ukl_syscall_table:
        .skip   SYSCALL_TABLE_SIZE * 8

        .section .note.GNU-stack, "", @progbits
