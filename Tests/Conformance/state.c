/*
 * Processor state: what system calls, signals and other threads must leave as it was.
 * Source of truth: System V ABI x86-64 appendix A.2 (system calls), section 3.2.2 (red zone); Linux signal frame layout.
 */
#include "check.h"
#include <cpuid.h>
#include <sys/time.h>
#include <ucontext.h>

/* Registers by their number in instructions; the stack pointer's slot holds flags. */
enum { RAX, RCX, RDX, RBX, FLAGS, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
static const char *const register_names[] = {
    "rax", "rcx", "rdx", "rbx", "flags", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};
uint64_t want[16], got[16];
volatile int released;

/*
 * Loads all registers from `want`, lets something happen, stores them to `got`. The event for a system call is `syscall`, for a
 * fault `ud2`, for a signal from outside a loop until `released`.
 */
#define WITH_REGISTERS(NAME, EVENT)                                                                      \
    __asm__(".text\n" #NAME ": push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"   \
            "push want+32(%rip)\n popf\n"                                                                \
            "mov want(%rip), %rax\n mov want+8(%rip), %rcx\n mov want+16(%rip), %rdx\n"                  \
            "mov want+24(%rip), %rbx\n mov want+40(%rip), %rbp\n mov want+48(%rip), %rsi\n"              \
            "mov want+56(%rip), %rdi\n mov want+64(%rip), %r8\n mov want+72(%rip), %r9\n"                \
            "mov want+80(%rip), %r10\n mov want+88(%rip), %r11\n mov want+96(%rip), %r12\n"              \
            "mov want+104(%rip), %r13\n mov want+112(%rip), %r14\n mov want+120(%rip), %r15\n" EVENT "\n" \
            "mov %rax, got(%rip)\n mov %rcx, got+8(%rip)\n mov %rdx, got+16(%rip)\n"                     \
            "mov %rbx, got+24(%rip)\n mov %rbp, got+40(%rip)\n mov %rsi, got+48(%rip)\n"                 \
            "mov %rdi, got+56(%rip)\n mov %r8, got+64(%rip)\n mov %r9, got+72(%rip)\n"                   \
            "mov %r10, got+80(%rip)\n mov %r11, got+88(%rip)\n mov %r12, got+96(%rip)\n"                 \
            "mov %r13, got+104(%rip)\n mov %r14, got+112(%rip)\n mov %r15, got+120(%rip)\n"              \
            "pushf\n pop got+32(%rip)\n cld\n"                                                           \
            "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");                  \
    void NAME(void);

WITH_REGISTERS(across_syscall, "syscall")
WITH_REGISTERS(across_fault, "ud2")
WITH_REGISTERS(across_interrupts, "1: cmpl $0, released(%rip)\n je 1b")

/* Carry, parity, zero, sign, direction and overflow. */
enum { ARITHMETIC_FLAGS = 0x8c5, DIRECTION_FLAG = 0x400, FLAG_BASE = 0x202 };

static void fill_wanted(void)
{
    for (int i = 0; i < 16; i++)
        want[i] = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1);
}

static void compare_registers(unsigned except)
{
    for (int i = 0; i < 16; i++)
        if (!(except >> i & 1) && want[i] != got[i])
            check_fail("state.c", __LINE__, "%s is %llx, not %llx", register_names[i], (long long)got[i], (long long)want[i]);
}

/* Does a system call change rax, rcx and r11 only? */
TEST(registers_across_syscall)
{
    fill_wanted();
    want[FLAGS] = FLAG_BASE | ARITHMETIC_FLAGS;
    want[RAX] = SYS_getppid;
    for (int i = 0; i < 100; i++) {
        across_syscall();
        CHECK_EQ(got[RAX], getppid());
        CHECK_EQ(got[FLAGS] & ARITHMETIC_FLAGS, ARITHMETIC_FLAGS);
        compare_registers(1 << RAX | 1 << RCX | 1 << R11 | 1 << FLAGS);
    }
    want[RAX] = 99999;
    across_syscall();
    CHECK_EQ(got[RAX], -ENOSYS);
    compare_registers(1 << RAX | 1 << RCX | 1 << R11 | 1 << FLAGS);
}

static volatile int direction_in_handler, mxcsr_in_handler, control_in_handler;

__attribute__((noinline)) static void spoil_floating_point(void)
{
    unsigned mxcsr = 0x1f80 | 0x6000;
    unsigned short control = 0xc7f;
    __asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fldpi; fldpi" : : "m"(mxcsr), "m"(control));
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15"
                     : : : "xmm0", "xmm1", "xmm7", "xmm15");
}

static void skip_and_spoil(int signal, siginfo_t *info, void *context)
{
    (void)info;
    unsigned long flags;
    unsigned mxcsr;
    unsigned short control;
    __asm__ volatile("pushf; pop %0; stmxcsr %1; fnstcw %2" : "=r"(flags), "=m"(mxcsr), "=m"(control));
    direction_in_handler = (flags & DIRECTION_FLAG) != 0;
    mxcsr_in_handler = (int)mxcsr;
    control_in_handler = control;
    if (signal == SIGILL)
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
    spoil_floating_point();
}

static void spoil_on(int signal)
{
    struct sigaction action = {.sa_sigaction = skip_and_spoil, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(signal, &action, 0), 0);
}

/* Does a handler give every register and flag back, and start with the direction flag clear? */
TEST(registers_across_fault)
{
    spoil_on(SIGILL);
    fill_wanted();
    want[FLAGS] = FLAG_BASE | ARITHMETIC_FLAGS | DIRECTION_FLAG;
    for (int i = 0; i < 100; i++) {
        across_fault();
        compare_registers(1 << FLAGS);
        CHECK_EQ(got[FLAGS] & (ARITHMETIC_FLAGS | DIRECTION_FLAG), ARITHMETIC_FLAGS | DIRECTION_FLAG);
        CHECK_EQ(direction_in_handler, 0);
        got[FLAGS] = 0;
    }
}

static void *release_later(void *argument)
{
    sleep_ms(50);
    released = 1;
    return argument;
}

static void start_ticking(int which, long microseconds)
{
    struct itimerval interval = {{0, microseconds}, {0, microseconds}};
    CHECK_EQ(setitimer(which, &interval, 0), 0);
}

/* Do timer interrupts, signals and thread switches give every register back? */
TEST(registers_across_interrupts)
{
    pthread_t thread;
    sigset_t alarm_only;
    spoil_on(SIGALRM);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &alarm_only, 0), 0);
    released = 0;
    CHECK_EQ(pthread_create(&thread, 0, release_later, 0), 0);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &alarm_only, 0), 0);
    fill_wanted();
    want[FLAGS] = FLAG_BASE;
    start_ticking(ITIMER_REAL, 1000);
    across_interrupts();
    start_ticking(ITIMER_REAL, 0);
    compare_registers(1 << FLAGS);
    CHECK_EQ(pthread_join(thread, 0), 0);
}

/* The whole of the vector and floating-point state of one thread, made from a seed. */
struct vector_state {
    _Alignas(32) unsigned char vectors[16][32];
    double x87[6];
    unsigned mxcsr;
    unsigned short control;
};

static bool find_avx(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
        return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}

/* Asked once only: CPUID is slow under a hypervisor. */
static bool have_avx(void)
{
    static atomic_int known; /* 1 for no, 2 for yes */
    if (known == 0)
        known = 1 + find_avx();
    return known == 2;
}

static void make_state(struct vector_state *state, unsigned seed)
{
    memset(state, 0, sizeof *state);
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < (have_avx() ? 32 : 16); j++)
            state->vectors[i][j] = (unsigned char)(seed * 31 + (unsigned)(i * 32 + j) * 7 + 1);
    for (int i = 0; i < 6; i++)
        state->x87[i] = seed + i * 0.25;
    state->mxcsr = 0x1f80 | (seed % 4) << 13;
    state->control = (unsigned short)(0x37f | (seed % 4) << 10);
}

/* The state stays in registers across a raw system call and a loop, with no other code between. */
#define MOVE_ALL(OPERATION, FROM, TO)                                                                                      \
    OPERATION(FROM, TO, 0) OPERATION(FROM, TO, 1) OPERATION(FROM, TO, 2) OPERATION(FROM, TO, 3) OPERATION(FROM, TO, 4)     \
    OPERATION(FROM, TO, 5) OPERATION(FROM, TO, 6) OPERATION(FROM, TO, 7) OPERATION(FROM, TO, 8) OPERATION(FROM, TO, 9)     \
    OPERATION(FROM, TO, 10) OPERATION(FROM, TO, 11) OPERATION(FROM, TO, 12) OPERATION(FROM, TO, 13)                        \
    OPERATION(FROM, TO, 14) OPERATION(FROM, TO, 15)
#define LOAD_YMM(OP, BASE, N) OP " " #N "*32(" BASE "), %%ymm" #N "\n"
#define STORE_YMM(OP, BASE, N) OP " %%ymm" #N ", " #N "*32(" BASE ")\n"
#define LOAD_XMM(OP, BASE, N) OP " " #N "*32(" BASE "), %%xmm" #N "\n"
#define STORE_XMM(OP, BASE, N) OP " %%xmm" #N ", " #N "*32(" BASE ")\n"
#define LOAD_X87 "fninit\n fldcw %c[control](%[in])\n fldl %c[x87](%[in])\n fldl %c[x87]+8(%[in])\n fldl %c[x87]+16(%[in])\n"
#define STORE_X87 "fstpl %c[x87]+16(%[out])\n fstpl %c[x87]+8(%[out])\n fstpl %c[x87](%[out])\n fnstcw %c[control](%[out])\n"
#define WITH_VECTORS(LOAD, STORE, MOVE)                                                                                    \
    __asm__ volatile(MOVE_ALL(LOAD, MOVE, "%[in]") "ldmxcsr %c[mxcsr](%[in])\n" LOAD_X87                                   \
                     "mov %[number], %%eax\n mov %[argument], %%edi\n syscall\n"                                           \
                     "mov %[spins], %%ecx\n 1: dec %%ecx\n jnz 1b\n"                                                       \
                     MOVE_ALL(STORE, MOVE, "%[out]") "stmxcsr %c[mxcsr](%[out])\n" STORE_X87                               \
                     "fninit\n ldmxcsr %[clean]\n"                                                                         \
                     :                                                                                                     \
                     : [in] "r"(in), [out] "r"(out), [number] "r"(number), [argument] "r"(argument), [spins] "r"(spins),    \
                       [clean] "m"(clean), [mxcsr] "i"(offsetof(struct vector_state, mxcsr)),                              \
                       [control] "i"(offsetof(struct vector_state, control)), [x87] "i"(offsetof(struct vector_state, x87)) \
                     : "rax", "rcx", "r11", "rdi", "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",      \
                       "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",   \
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

/* Loads `in`, makes a system call, spins a while, stores to `out`; true when nothing changed. */
static bool keeps_state(unsigned seed, int number, int argument, int spins)
{
    static const unsigned clean = 0x1f80;
    struct vector_state before, after;
    const struct vector_state *in = &before;
    struct vector_state *out = &after;
    make_state(&before, seed);
    memset(&after, 0, sizeof after);
    memcpy(after.x87 + 3, before.x87 + 3, 3 * sizeof(double));
    if (have_avx())
        WITH_VECTORS(LOAD_YMM, STORE_YMM, "vmovdqu");
    else
        WITH_VECTORS(LOAD_XMM, STORE_XMM, "movdqu");
    return memcmp(before.vectors, after.vectors, sizeof before.vectors) == 0 && memcmp(before.x87, after.x87, sizeof before.x87) == 0
        && (before.mxcsr & ~0x3fu) == (after.mxcsr & ~0x3fu) && before.control == after.control;
}

/* Does a system call keep vectors, x87 stack and both control words? */
TEST(vectors_across_syscall)
{
    for (unsigned seed = 0; seed < 50; seed++) {
        CHECK(keeps_state(seed, SYS_getppid, 0, 1));
        CHECK(keeps_state(seed, SYS_sched_yield, 0, 1));
        CHECK(keeps_state(seed, SYS_close, -1, 1));
    }
}

/* Does a handler that changes all of them give them back, and start with the default control words? */
TEST(vectors_across_signal)
{
    spoil_on(SIGALRM);
    mxcsr_in_handler = 0;
    start_ticking(ITIMER_REAL, 500);
    long long end = now_ns() + 200000000;
    for (unsigned seed = 0; now_ns() < end; seed++)
        CHECK(keeps_state(seed, SYS_getppid, 0, 50000));
    start_ticking(ITIMER_REAL, 0);
    CHECK_EQ(mxcsr_in_handler, 0x1f80);
    CHECK_EQ(control_in_handler, 0x37f);
}

static void *keep_own_state(void *seed)
{
    for (int i = 0; i < 300; i++) {
        if (!keeps_state((unsigned)(uintptr_t)seed, SYS_sched_yield, 0, 1))
            return seed;
        if (!keeps_state((unsigned)(uintptr_t)seed, SYS_gettid, 0, 20000))
            return seed;
    }
    return 0;
}

/* Do threads keep their own, through yields and preemption? */
TEST(vectors_across_threads)
{
    pthread_t threads[8];
    for (uintptr_t i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, keep_own_state, (void *)(i + 1)), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result == 0);
    }
}

static void *read_mxcsr(void *argument)
{
    unsigned mxcsr;
    (void)argument;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return (void *)(uintptr_t)(mxcsr & ~0x3fu);
}

/* Does a new thread begin with the rounding mode of its creator? */
TEST(rounding_inherited)
{
    const unsigned upward = 0x1f80 | 2 << 13, usual = 0x1f80;
    pthread_t thread;
    void *result;
    __asm__ volatile("ldmxcsr %0" : : "m"(upward));
    int error = pthread_create(&thread, 0, read_mxcsr, 0);
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
    CHECK_EQ(error, 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((uintptr_t)result, upward);
}

static void change_xmm(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ucontext_t *frame = context;
    frame->uc_mcontext.fpregs->_xmm[3].element[0] = 0x11223344;
    frame->uc_mcontext.gregs[REG_RIP] += 2;
}

/* Does a change of the saved xmm registers in the frame take effect on return? */
TEST(vectors_in_frame)
{
    struct sigaction action = {.sa_sigaction = change_xmm, .sa_flags = SA_SIGINFO};
    unsigned value = 0;
    CHECK_EQ(sigaction(SIGILL, &action, 0), 0);
    __asm__ volatile("pxor %%xmm3, %%xmm3; ud2; movd %%xmm3, %0" : "=r"(value) : : "xmm3", "memory");
    CHECK_EQ(value, 0x11223344);
}

static struct {
    uint32_t magic;
    uint64_t features;
    uint64_t upper;
} extended_frame;

/* Offset of the upper halves of the ymm registers in an XSAVE area. */
static unsigned upper_offset(void)
{
    unsigned a, b, c, d;
    __cpuid_count(0xd, 2, a, b, c, d);
    return b;
}

static void change_ymm(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ucontext_t *frame = context;
    char *area = (char *)frame->uc_mcontext.fpregs;
    char *upper = area + upper_offset() + 3 * 16;
    memcpy(&extended_frame.magic, area + 464, 4);
    memcpy(&extended_frame.features, area + 472, 8);
    memcpy(&extended_frame.upper, upper, 8);
    memset(upper, 0x77, 8);
    frame->uc_mcontext.gregs[REG_RIP] += 2;
}

/* Does the frame hold an XSAVE area, marked as Linux marks it, with the upper halves of ymm, and do changes take effect? */
TEST(extended_state_in_frame)
{
    if (!have_avx())
        SKIP("no AVX");
    struct sigaction action = {.sa_sigaction = change_ymm, .sa_flags = SA_SIGINFO};
    uint64_t value[4] = {1, 2, 0x3333333333333333, 4};
    CHECK_EQ(sigaction(SIGILL, &action, 0), 0);
    __asm__ volatile("vmovdqu %0, %%ymm3; ud2; vmovdqu %%ymm3, %0; vzeroupper" : "+m"(value) : : "xmm3", "memory");
    CHECK_EQ(extended_frame.magic, 0x46505853);
    CHECK_EQ(extended_frame.features & 7, 7);
    CHECK_EQ(extended_frame.upper, 0x3333333333333333);
    CHECK_EQ(value[0], 1);
    CHECK_EQ(value[2], 0x7777777777777777);
    CHECK_EQ(value[3], 4);
}

/* Writes 128 bytes below the stack pointer, signals its own thread by a raw call, and compares them. */
__asm__(".text\n"
        "red_zone: mov $1, %ecx\n"
        "2: mov %rcx, -136(%rsp,%rcx,8)\n inc %rcx\n cmp $17, %rcx\n jne 2b\n"
        "mov $200, %eax\n syscall\n"
        "mov $1, %ecx\n"
        "3: cmp %rcx, -136(%rsp,%rcx,8)\n jne 4f\n inc %rcx\n cmp $17, %rcx\n jne 3b\n"
        "xor %eax, %eax\n ret\n"
        "4: mov $1, %eax\n ret\n");
int red_zone(long thread, long signal);

/* Are the 128 bytes below the stack pointer left alone by a handler? */
TEST(red_zone_kept)
{
    spoil_on(SIGUSR1);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(red_zone(syscall(SYS_gettid), SIGUSR1), 0);
}
