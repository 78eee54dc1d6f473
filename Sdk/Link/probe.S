# The test image of Sdk/Tool/Qemu/KvmProbe.cs: computes and touches memory for a moment in ring 0, then ends QEMU with a known code.
# Sources: Xen "x86/HVM direct boot ABI" (the note and the state at entry), QEMU hw/misc/debugexit.c (the port).

        .set    ROUNDS, 20000000
        .set    EXIT_PORT, 0xf4
        .set    SUCCESS, 0x10

        .section .note.pvh, "a", @note
        .balign 4
        .long   4, 4, 18                        # name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   probe_start

        .text
        .code32
        .globl  probe_start
probe_start:
        mov     $ROUNDS, %ecx
        mov     $0x200000, %ebx
1:      imul    $1103515245, %eax, %eax
        add     $12345, %eax
        mov     %eax, %edx
        and     $0xffffc, %edx
        add     %eax, (%ebx, %edx)
        dec     %ecx
        jnz     1b
        mov     $SUCCESS, %eax
        mov     $EXIT_PORT, %dx
        out     %eax, %dx
2:      hlt
        jmp     2b

        .section .note.GNU-stack, "", @progbits
