/*
 * Faults as signals: what the handler learns, how it goes on, and what it may change.
 * Source of truth: sigaction(2), Linux arch/x86 signal frame (uapi/asm/sigcontext.h), Intel SDM volume 3 chapter 6.
 */
#include "check.h"
#include "faults.h"
#include <cpuid.h>
#include <ucontext.h>

static siginfo_t seen;
static greg_t seen_registers[23];
static volatile sig_atomic_t seen_count;

/* Code whose faulting instruction has a name, and where to go on after it. */
__asm__(".text\n"
        "load_byte: movzbl (%rdi), %eax\n"
        "load_byte_end: ret\n"
        "divide: mov %edi, %eax\n cltd\n"
        "divide_at: idivl %esi\n"
        "divide_end: ret\n"
        "undefined: ud2\n"
        "undefined_end: ret\n"
        "breakpoint: int3\n"
        "breakpoint_end: ret\n"
        "halt: hlt\n"
        "halt_end: ret\n"
        "step: pushf\n orq $0x100, (%rsp)\n popf\n"
        "nop\n"
        "step_end: ret\n");
extern char load_byte_end[], divide_at[], divide_end[], undefined[], undefined_end[], breakpoint_end[], halt_end[], step_end[];
int load_byte(const void *address);
int divide(int dividend, int divisor);
void breakpoint(void);
void halt(void);
void step(void);

static char *resume_at;

static void resume(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    seen = *info;
    memcpy(seen_registers, registers, sizeof seen_registers);
    seen_count++;
    registers[REG_RAX] = 1234;
    if (resume_at)
        registers[REG_RIP] = (greg_t)resume_at;
    registers[REG_EFL] &= ~0x100l;
}

static void resume_on(int signal, char *address)
{
    struct sigaction action = {.sa_sigaction = resume, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(signal, &action, 0), 0);
    resume_at = address;
    seen_count = 0;
}

/* Does SIGSEGV tell address, kind, instruction and error code, and can the handler go on elsewhere with another result? */
TEST(segv_resumed)
{
    char *closed = map_pages(1, PROT_NONE);
    resume_on(SIGSEGV, load_byte_end);
    CHECK_EQ(load_byte(bad_null), 1234);
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_MAPERR);
    CHECK(seen.si_addr == bad_null);
    CHECK_EQ(seen_registers[REG_RIP], (uintptr_t)load_byte);
    CHECK_EQ(seen_registers[REG_RDI], (uintptr_t)bad_null);
    CHECK_EQ(seen_registers[REG_TRAPNO], 14);
    CHECK_EQ(seen_registers[REG_CR2], (uintptr_t)bad_null);
    CHECK_EQ(seen_registers[REG_ERR] & 3, 0);
    CHECK_EQ(load_byte(closed + 7), 1234);
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    CHECK(seen.si_addr == closed + 7);
    CHECK_EQ(seen_count, 2);
    CHECK_EQ(munmap(closed, PAGE), 0);
}

/* Is an access through a non-canonical pointer a SIGSEGV without an address? */
TEST(non_canonical_pointer)
{
    resume_on(SIGSEGV, load_byte_end);
    CHECK_EQ(load_byte(bad_hole), 1234);
    CHECK_EQ(seen.si_code, SI_KERNEL);
    CHECK(seen.si_addr == 0);
    CHECK_EQ(seen_registers[REG_TRAPNO], 13);
}

/* Is kernel memory out of reach for a program in user mode? */
TEST(kernel_memory)
{
    if (in_ring0())
        SKIP("the program shares the kernel's privilege level");
    resume_on(SIGSEGV, load_byte_end);
    for (uintptr_t address = 0xffff800000000000; address != 0; address += 1ul << 43) {
        CHECK_EQ(load_byte((void *)address), 1234);
        CHECK_EQ(seen.si_code, SEGV_MAPERR);
        CHECK(seen.si_addr == (void *)address);
    }
    CHECK_EQ(load_byte(bad_kernel), 1234);
    CHECK_EQ(load_byte((void *)0xffffffffffffffff), 1234);
}

/* Is a privileged instruction in user mode a SIGSEGV? */
TEST(privileged_instruction)
{
    if (in_ring0())
        SKIP("the program shares the kernel's privilege level");
    resume_on(SIGSEGV, halt_end);
    halt();
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(seen.si_code, SI_KERNEL);
    CHECK(seen.si_addr == 0);
}

static char *repaired;

static void repair(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    seen = *info;
    seen_count++;
    mprotect(repaired, PAGE, PROT_READ | PROT_WRITE);
}

/* Does the access succeed when the handler repairs the page and returns? */
TEST(segv_repaired)
{
    struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGSEGV, &action, 0), 0);
    repaired = map_pages(1, PROT_READ);
    seen_count = 0;
    for (int i = 0; i < 100; i++) {
        *(volatile int *)(repaired + 40) = i;
        CHECK_EQ(*(volatile int *)(repaired + 40), i);
        CHECK(seen.si_addr == repaired + 40);
        CHECK_EQ(mprotect(repaired, PAGE, PROT_READ), 0);
    }
    CHECK_EQ(seen_count, 100);
    CHECK_EQ(munmap(repaired, PAGE), 0);
}

/* Are integer division by zero and its overflow SIGFPE at the instruction? */
TEST(integer_division)
{
    resume_on(SIGFPE, divide_end);
    CHECK_EQ(divide(7, 2), 3);
    CHECK_EQ(divide(7, 0), 1234);
    CHECK_EQ(seen.si_code, FPE_INTDIV);
    CHECK(seen.si_addr == divide_at);
    CHECK_EQ(divide(INT_MIN, -1), 1234);
    CHECK_EQ(seen.si_code, FPE_INTDIV);
    CHECK_EQ(seen_count, 2);
}

static sigjmp_buf escape;

static void leave(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    seen = *info;
    siglongjmp(escape, 1);
}

static void leave_on(int signal)
{
    struct sigaction action = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQ(sigaction(signal, &action, 0), 0);
}

/* Is an unmasked floating-point exception of x87 a SIGFPE? */
TEST(x87_exception)
{
    const unsigned short unmasked = 0x37f & ~4;
    leave_on(SIGFPE);
    if (sigsetjmp(escape, 1) == 0) {
        __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(unmasked));
        CHECK(!"reached");
    }
    __asm__ volatile("fninit");
    CHECK_EQ(seen.si_code, FPE_FLTDIV);
}

/* QEMU's emulated processor never raises the exceptions of SSE. */
static bool is_emulated(void)
{
    unsigned a, signature[3];
    __cpuid(0x40000000, a, signature[0], signature[1], signature[2]);
    return memcmp(signature, "TCGTCGTCGTCG", sizeof signature) == 0;
}

/* Is an unmasked floating-point exception of SSE a SIGFPE? */
TEST(sse_exception)
{
    static volatile double one = 1, zero = 0;
    const unsigned unmasked = 0x1f80 & ~0x200u, masked = 0x1f80;
    if (is_emulated())
        return;
    leave_on(SIGFPE);
    if (sigsetjmp(escape, 1) == 0) {
        __asm__ volatile("ldmxcsr %0" : : "m"(unmasked));
        one = one / zero;
        CHECK(!"reached");
    }
    __asm__ volatile("ldmxcsr %0" : : "m"(masked));
    CHECK_EQ(seen.si_code, FPE_FLTDIV);
}

/* Are an undefined instruction, a breakpoint and a single step the signals they should be? */
TEST(instruction_traps)
{
    resume_on(SIGILL, undefined_end);
    ((void (*)(void))undefined)();
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(seen.si_code, ILL_ILLOPN);
    CHECK(seen.si_addr == undefined);
    resume_on(SIGTRAP, 0);
    breakpoint();
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(seen.si_code, SI_KERNEL);
    CHECK_EQ(seen_registers[REG_RIP], (uintptr_t)breakpoint_end);
    resume_on(SIGTRAP, 0);
    step();
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(seen.si_code, TRAP_TRACE);
    CHECK_EQ(seen_registers[REG_RIP], (uintptr_t)step_end);
}

/* Is a call into nothing a SIGSEGV at the target? */
TEST(wild_jump)
{
    CHECK_FAULT((char *)bad_null, FAULT_CALL, SIGSEGV, SEGV_MAPERR);
    char *page = map_pages(1, PROT_READ | PROT_WRITE);
    CHECK_FAULT(page + 100, FAULT_CALL, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(munmap(page, PAGE), 0);
}

/* Calls itself to the given depth; deeper than any stack when that is INT_MAX. */
static int recurse(int depth)
{
    volatile char frame[1000];
    frame[0] = (char)depth;
    frame[999] = frame[0];
    return depth == 0 ? frame[999] : recurse(depth - 1) + frame[999];
}

/* Overflows the stack three times and is still there. */
static void *overflow(void *survived)
{
    static char memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, off = {.ss_flags = SS_DISABLE};
    sigaltstack(&stack, 0);
    for (volatile int i = 0; i < 3; i++)
        if (sigsetjmp(escape, 1) == 0)
            recurse(INT_MAX);
        else
            ++*(atomic_int *)survived;
    sigaltstack(&off, 0);
    return 0;
}

/* Can the overflow of a stack be survived on the alternate stack: of a thread, and of the program itself? */
TEST(stack_overflow)
{
    pthread_t thread;
    static atomic_int survived;
    leave_on(SIGSEGV);
    CHECK_EQ(pthread_create(&thread, 0, overflow, &survived), 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(survived, 3);
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    overflow(&survived);
    CHECK_EQ(survived, 6);
    CHECK_EQ(seen.si_signo, SIGSEGV);
    char here;
    CHECK((uintptr_t)seen.si_addr < (uintptr_t)&here);
}

static void *fault_often(void *argument)
{
    char *own = argument;
    for (int i = 0; i < 1000; i++) {
        struct fault fault = fault_try(own + i, FAULT_WRITE);
        if (fault.signal != SIGSEGV || fault.code != SEGV_ACCERR || fault.address != own + i)
            return argument;
    }
    return 0;
}

/* When threads fault all the time, does each see its own faults? */
TEST(faulting_threads)
{
    pthread_t threads[8];
    char *memory = map_pages(8, PROT_READ);
    struct sigaction action = {.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO}; /* so that fault_try changes nothing */
    CHECK_EQ(sigaction(SIGSEGV, &action, 0), 0);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, fault_often, memory + i * PAGE), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result == 0);
    }
    CHECK_EQ(munmap(memory, 8 * PAGE), 0);
}

/* Can tens of thousands of handlers be left by siglongjmp? (That is how exceptions leave them.) */
TEST(many_faults)
{
    struct sigaction action = {.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGSEGV, &action, 0), 0);
    for (volatile int i = 0; i < 20000; i++)
        if (sigsetjmp(fault_escape, 1) == 0) {
            *(volatile char *)bad_null = 1;
            CHECK(!"reached");
        }
}
