# Entry of the image from QEMU (PVH) and from GRUB (Multiboot2), both in 32-bit protected mode without paging, up to the first C# method.
# Sources: Xen "x86/HVM direct boot ABI" (PVH), Multiboot2 specification 2.0 sections 3.1 and 3.3, Intel SDM volume 3 chapters 4 and 9.
#
# The image is linked at KERNEL_BASE + 2 MiB and loaded at 2 MiB, so a symbol's physical address is its address less KERNEL_BASE.

        .set    KERNEL_BASE, 0xffffffff80000000
        .set    MULTIBOOT2_MAGIC, 0xe85250d6
        .set    CODE_SELECTOR, 0x08
        .set    DATA_SELECTOR, 0x10
        .set    EFER, 0xc0000080

        .section .note.pvh, "a", @note
        .balign 4
        .globl  ukl_pvh_note
ukl_pvh_note:
        .long   4, 4, 18                        # name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   ukl_pvh_start - KERNEL_BASE

        .section .multiboot, "a", @progbits
        .balign 8
        .globl  ukl_multiboot_header
ukl_multiboot_header:
        .long   MULTIBOOT2_MAGIC, 0, multiboot_end - ukl_multiboot_header
        .long   -(MULTIBOOT2_MAGIC + 0 + (multiboot_end - ukl_multiboot_header))
        .short  3, 0                            # entry address for the i386 machine state
        .long   12
        .long   ukl_multiboot_start - KERNEL_BASE
        .balign 8
        .short  6, 0
        .long   8
        .balign 8
        .short  0, 0
        .long   8
multiboot_end:

        .section .text.ukl.boot, "ax"
        .code32
        .globl  ukl_multiboot_start
ukl_multiboot_start:
        cli
        mov     $1, %esi                        # boot protocol: Multiboot2
        jmp     1f
        .globl  ukl_pvh_start
ukl_pvh_start:
        cli
        xor     %esi, %esi                      # boot protocol: PVH
1:      mov     %ebx, %edi
        mov     $(boot_stack_top - KERNEL_BASE), %esp

        # Four page directories of 2 MiB pages map the first 4 GiB.
        mov     $(boot_pd - KERNEL_BASE), %ebx
        mov     $0x83, %eax                     # present, writable, large
        mov     $2048, %ecx
2:      mov     %eax, (%ebx)
        movl    $0, 4(%ebx)
        add     $0x200000, %eax
        add     $8, %ebx
        dec     %ecx
        jnz     2b
        mov     $(boot_pd - KERNEL_BASE + 3), %eax
        mov     $(boot_pdpt_low - KERNEL_BASE), %ebx
        mov     $4, %ecx
3:      mov     %eax, (%ebx)
        add     $0x1000, %eax
        add     $8, %ebx
        dec     %ecx
        jnz     3b
        movl    $(boot_pd - KERNEL_BASE + 3), boot_pdpt_high - KERNEL_BASE + 510 * 8
        movl    $(boot_pdpt_low - KERNEL_BASE + 3), ukl_boot_pml4 - KERNEL_BASE
        movl    $(boot_pdpt_low - KERNEL_BASE + 3), ukl_boot_pml4 - KERNEL_BASE + 273 * 8   # direct map
        movl    $(boot_pdpt_high - KERNEL_BASE + 3), ukl_boot_pml4 - KERNEL_BASE + 511 * 8  # image

        mov     $(ukl_boot_pml4 - KERNEL_BASE), %eax
        mov     %eax, %cr3
        mov     %cr4, %eax
        or      $0x620, %eax                    # PAE, OSFXSR, OSXMMEXCPT
        mov     %eax, %cr4
        mov     $EFER, %ecx
        rdmsr
        or      $0x901, %eax                    # SCE, LME, NXE
        wrmsr
        mov     %cr0, %eax
        and     $~0x4, %eax                     # EM
        or      $0x80010023, %eax               # PG, WP, NE, MP, PE
        mov     %eax, %cr0
        lgdt    boot_gdtr - KERNEL_BASE
        ljmp    $CODE_SELECTOR, $(4f - KERNEL_BASE)

        .code64
4:      mov     $5f, %rax
        jmp     *%rax
5:      mov     $DATA_SELECTOR, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        lea     boot_stack_top(%rip), %rsp
        lea     ukl_gdtr(%rip), %rax
        lgdt    (%rax)
        xor     %ebp, %ebp
        mov     %edi, %edi                      # boot information, physical
        mov     %esi, %esi                      # protocol
        call    ukl_main
        ud2

        .section .data.ukl, "aw"
        .balign 8
boot_gdtr:
        .short  ukl_gdt_end - ukl_gdt - 1
        .long   ukl_gdt - KERNEL_BASE
        .balign 8
        .globl  ukl_gdtr
ukl_gdtr:
        .short  ukl_gdt_end - ukl_gdt - 1
        .quad   ukl_gdt
        .balign 16
        .globl  ukl_gdt
ukl_gdt:
        .quad   0
        .quad   0x00af9a000000ffff              # 0x08 kernel code
        .quad   0x00cf92000000ffff              # 0x10 kernel data
        .quad   0x00cffa000000ffff              # 0x18 user code 32 (unused; SYSRET's base)
        .quad   0x00cff2000000ffff              # 0x20 user data
        .quad   0x00affa000000ffff              # 0x28 user code 64
        .quad   0, 0                            # 0x30 task state segment, filled by C#
ukl_gdt_end:

        .section .bss.ukl, "aw", @nobits
        .balign 4096
        .globl  ukl_boot_pml4
ukl_boot_pml4:
        .skip   4096
boot_pdpt_low:
        .skip   4096
boot_pdpt_high:
        .skip   4096
boot_pd:
        .skip   4 * 4096
        .globl  ukl_boot_stack
ukl_boot_stack:
        .skip   16384
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
