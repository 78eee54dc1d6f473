# Between a throw and the runtime, in images with a program: the linker sends every reference to RhpThrowEx here (--wrap=RhpThrowEx). A throw on a kernel stack
# is a failed bounds check of kernel code, which no handler of the program may see; anywhere else it is the program's.

        .set    CPU_STACK_TOP, 16
        .set    KERNEL_STACK_SIZE, 16384

        .section .text.ukl.throw, "ax"
        .globl  __wrap_RhpThrowEx
        .type   __wrap_RhpThrowEx, @function
        .balign 16
__wrap_RhpThrowEx:
        mov     %gs:CPU_STACK_TOP, %rax
        sub     %rsp, %rax
        cmp     $KERNEL_STACK_SIZE, %rax
        ja      __real_RhpThrowEx
        call    ukl_bounds_failure
        ud2

        .section .note.GNU-stack, "", @progbits
