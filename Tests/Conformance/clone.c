/*
 * Threads by the raw calls: clone and clone3 with shared memory, thread ids, thread-local base, the word cleared at exit.
 * Source of truth: clone(2), set_tid_address(2), arch_prctl(2).
 */
#include "check.h"

enum {
    VM = 0x100, FS = 0x200, FILES = 0x400, SIGHAND = 0x800, THREAD = 0x10000, SYSVSEM = 0x40000, SETTLS = 0x80000,
    PARENT_SETTID = 0x100000, CHILD_CLEARTID = 0x200000, CHILD_SETTID = 0x1000000, LIKE_PTHREAD = VM | FS | FILES | SIGHAND | THREAD | SYSVSEM,
    SET_FS = 0x1002, GET_FS = 0x1003,
};

struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* What a raw thread, which has no libc state, leaves for the test. */
static volatile struct {
    long tid, fs, seen_tls, argument;
} left;
static atomic_int parent_tid, child_tid;
static _Alignas(64) char tls_block[64];

/*
 * start_clone(flags, stack top, parent tid, child tid, tls) and start_clone3(arguments, size): the child calls raw_thread on the
 * new stack and ends with exit; the parent gets the result.
 */
__asm__(".text\n"
        "start_clone: mov %rcx, %r10\n mov $56, %eax\n syscall\n test %eax, %eax\n jz 1f\n ret\n"
        "start_clone3: mov $435, %eax\n syscall\n test %eax, %eax\n jz 1f\n ret\n"
        "1: xor %ebp, %ebp\n and $-16, %rsp\n call raw_thread\n xor %edi, %edi\n mov $60, %eax\n syscall\n hlt\n");
long start_clone(unsigned long flags, void *stack, atomic_int *parent, atomic_int *child, void *tls);
long start_clone3(struct clone_arguments *arguments, size_t size);

__attribute__((used, optimize("no-stack-protector"))) void raw_thread(void)
{
    long fs = 0, tid;
    tid = raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
    raw_syscall(SYS_arch_prctl, GET_FS, (long)&fs, 0, 0, 0, 0);
    __asm__ volatile("mov %%fs:8, %0" : "=r"(left.seen_tls));
    left.fs = fs;
    left.argument = child_tid;
    left.tid = tid;
}

static void wait_until_cleared(atomic_int *word)
{
    for (int value; (value = *word) != 0;) {
        struct timespec timeout = {5, 0};
        long result = raw_syscall(SYS_futex, (long)word, 0 /* FUTEX_WAIT, not private: the kernel wakes */, value, (long)&timeout, 0, 0);
        CHECK(result == 0 || result == -EAGAIN || result == -EINTR);
    }
}

static void prepare(void)
{
    left.tid = 0;
    parent_tid = 0;
    child_tid = 1; /* until the thread, once it runs, finds its id here, and the kernel clears it */
    *(void **)tls_block = tls_block;
    *(long *)(tls_block + 8) = 0x7175;
}

/* Does clone start a thread with its stack, its thread-local base and its ids, and clear and wake at the end? */
TEST(clone_thread)
{
    char *stack = map_pages(4, PROT_READ | PROT_WRITE);
    prepare();
    long tid = start_clone(LIKE_PTHREAD | SETTLS | PARENT_SETTID | CHILD_SETTID | CHILD_CLEARTID, stack + 4 * PAGE, &parent_tid, &child_tid, tls_block);
    CHECK(tid > 0 && tid != getpid());
    wait_until_cleared(&child_tid);
    CHECK_EQ(parent_tid, tid);
    CHECK_EQ(left.tid, tid);
    CHECK_EQ(left.argument, tid);
    CHECK_EQ(left.fs, (uintptr_t)tls_block);
    CHECK_EQ(left.seen_tls, 0x7175);
    CHECK_EQ(munmap(stack, 4 * PAGE), 0);
}

/* Does clone3 do the same, and check its structure? */
TEST(clone3_thread)
{
    char *stack = map_pages(4, PROT_READ | PROT_WRITE);
    struct clone_arguments arguments = {
        .flags = LIKE_PTHREAD | SETTLS | PARENT_SETTID | CHILD_SETTID | CHILD_CLEARTID,
        .parent_tid = (uintptr_t)&parent_tid, .child_tid = (uintptr_t)&child_tid, .tls = (uintptr_t)tls_block,
        .stack = (uintptr_t)stack, .stack_size = 4 * PAGE,
    };
    for (int i = 0; i < 2; i++) {
        prepare();
        long tid = start_clone3(&arguments, i == 0 ? 64 : sizeof arguments);
        CHECK(tid > 0);
        wait_until_cleared(&child_tid);
        CHECK_EQ(left.tid, tid);
        CHECK_EQ(left.fs, (uintptr_t)tls_block);
    }
    CHECK_EQ(start_clone3(&arguments, 8), -EINVAL);
    CHECK_EQ(start_clone3(bad_null, sizeof arguments), -EFAULT);
    arguments.exit_signal = SIGCHLD;
    CHECK_EQ(start_clone3(&arguments, sizeof arguments), -EINVAL);
    arguments.exit_signal = 0;
    arguments.stack_size = 0;
    CHECK_EQ(start_clone3(&arguments, sizeof arguments), -EINVAL);
    CHECK_EQ(munmap(stack, 4 * PAGE), 0);
}

/* Which combinations of flags make no sense? */
TEST(clone_errors)
{
    CHECK_EQ(start_clone(THREAD | VM, 0, 0, 0, 0), -EINVAL);
    CHECK_EQ(start_clone(SIGHAND, 0, 0, 0, 0), -EINVAL);
    CHECK_EQ(start_clone(THREAD | SIGHAND, 0, 0, 0, 0), -EINVAL);
}

/* Do five hundred threads started one after the other get ids of their own? */
TEST(thread_ids)
{
    char *stack = map_pages(4, PROT_READ | PROT_WRITE);
    long before = 0;
    for (int i = 0; i < 500; i++) {
        prepare();
        long tid = start_clone(LIKE_PTHREAD | SETTLS | PARENT_SETTID | CHILD_SETTID | CHILD_CLEARTID, stack + 4 * PAGE, &parent_tid, &child_tid, tls_block);
        CHECK(tid > 0 && tid != before);
        wait_until_cleared(&child_tid);
        before = tid;
    }
    CHECK_EQ(munmap(stack, 4 * PAGE), 0);
}

/* Does set_tid_address answer with the thread's id, and arch_prctl with the base that was set? */
TEST(thread_area)
{
    static int word;
    unsigned long base = 0, again = 0;
    long tid = syscall(SYS_gettid);
    pthread_t self = pthread_self();
    CHECK_EQ(tid, getpid());
    CHECK_EQ(syscall(SYS_arch_prctl, GET_FS, &base), 0);
    CHECK_EQ(base, (uintptr_t)self);
    CHECK_EQ(syscall(SYS_arch_prctl, SET_FS, base), 0);
    CHECK_EQ(syscall(SYS_arch_prctl, GET_FS, &again), 0);
    CHECK_EQ(again, base);
    CHECK_ERROR(syscall(SYS_arch_prctl, GET_FS, bad_null), EFAULT);
    CHECK_ERROR(syscall(SYS_arch_prctl, SET_FS, bad_hole), EPERM);
    CHECK_ERROR(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
    CHECK_EQ(syscall(SYS_set_tid_address, &word), tid);
    size_t length = 0;
    void *head = 0;
    CHECK_EQ(syscall(SYS_get_robust_list, 0, &head, &length), 0);
    CHECK_EQ(length, 24);
    CHECK_ERROR(syscall(SYS_set_robust_list, head, 23), EINVAL);
}
