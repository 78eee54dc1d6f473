/*
 * The futex call itself: waiting, waking, moving waiters, bit sets, wake-op, priority inheritance, timeouts and errors.
 * Source of truth: futex(2).
 */
#include "check.h"

enum {
    WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAKE_OP = 5, LOCK_PI = 6, UNLOCK_PI = 7, TRYLOCK_PI = 8,
    WAIT_BITSET = 9, WAKE_BITSET = 10, PRIVATE = 128, REALTIME = 256,
};

static long futex(void *word, int operation, unsigned value, const void *timeout, void *second, unsigned third)
{
    return syscall(SYS_futex, word, operation, value, timeout, second, third);
}

/* Threads that wait on a word and count themselves when woken. */
struct waiter {
    pthread_t thread;
    atomic_int *word;
    int operation;
    unsigned bits;
    atomic_int started, woken;
    long result;
    int error;
};

static void *wait_on_word(void *argument)
{
    struct waiter *waiter = argument;
    waiter->started = 1;
    waiter->result = futex(waiter->word, waiter->operation, 0, 0, 0, waiter->bits);
    waiter->error = errno;
    waiter->woken = 1;
    return 0;
}

static void start_waiters(struct waiter *waiters, int count, atomic_int *word, int operation)
{
    for (int i = 0; i < count; i++) {
        waiters[i].word = word;
        waiters[i].operation = operation;
        if (waiters[i].bits == 0)
            waiters[i].bits = ~0u;
        CHECK_EQ(pthread_create(&waiters[i].thread, 0, wait_on_word, &waiters[i]), 0);
        while (!waiters[i].started)
            sched_yield();
        sleep_ms(20); /* from started to asleep, and in the order of creation */
    }
}

/* Waits until as many waiters as expected have woken, and a little for more. */
static void check_woken(struct waiter *waiters, int count, int expected)
{
    int woken = 0;
    for (int tries = 0; tries < 500 && (tries < 2 || woken < expected); tries++) {
        sleep_ms(10);
        woken = 0;
        for (int i = 0; i < count; i++)
            woken += waiters[i].woken;
    }
    CHECK_EQ(woken, expected);
}

static void join_waiters(struct waiter *waiters, int count)
{
    for (int i = 0; i < count; i++) {
        CHECK_EQ(pthread_join(waiters[i].thread, 0), 0);
        CHECK_EQ(waiters[i].result, 0);
    }
}

/* Does a wait on a word that has changed return at once with EAGAIN? */
TEST(wait_value_differs)
{
    atomic_int word = 1;
    CHECK_ERROR(futex(&word, WAIT, 0, 0, 0, 0), EAGAIN);
    CHECK_ERROR(futex(&word, WAIT | PRIVATE, 2, 0, 0, 0), EAGAIN);
    CHECK_ERROR(futex(&word, WAIT_BITSET | PRIVATE, 2, 0, 0, ~0u), EAGAIN);
    CHECK_EQ(futex(&word, WAKE, 10, 0, 0, 0), 0);
}

/* Are as many woken as asked for, private or shared, and the count returned? */
TEST(wake_counts)
{
    const int flags[] = {0, PRIVATE};
    for (int f = 0; f < 2; f++) {
        static atomic_int word;
        struct waiter waiters[5] = {0};
        start_waiters(waiters, 5, &word, WAIT | flags[f]);
        check_woken(waiters, 5, 0);
        CHECK_EQ(futex(&word, WAKE | flags[f], 2, 0, 0, 0), 2);
        check_woken(waiters, 5, 2);
        CHECK(waiters[0].woken && waiters[1].woken);
        CHECK_EQ(futex(&word, WAKE | flags[f], INT_MAX, 0, 0, 0), 3);
        join_waiters(waiters, 5);
    }
}

/* Does a relative timeout end a wait with ETIMEDOUT, not early and not absurdly late? */
TEST(wait_timeout)
{
    atomic_int word = 0;
    struct timespec timeout = {0, 30000000}, zero = {0, 0}, wrong = {0, 1000000000}, negative = {-1, 0};
    long long start = now_ns();
    CHECK_ERROR(futex(&word, WAIT | PRIVATE, 0, &timeout, 0, 0), ETIMEDOUT);
    CHECK(now_ns() - start >= 30000000);
    CHECK(now_ns() - start < 2000000000);
    CHECK_ERROR(futex(&word, WAIT, 0, &zero, 0, 0), ETIMEDOUT);
    CHECK_ERROR(futex(&word, WAIT, 0, &wrong, 0, 0), EINVAL);
    CHECK_ERROR(futex(&word, WAIT, 0, &negative, 0, 0), EINVAL);
    CHECK_EQ(futex(&word, WAKE, 1, 0, 0, 0), 0);
}

/* Are the deadlines of WAIT_BITSET absolute, on the monotonic clock or the real-time one? */
TEST(absolute_timeout)
{
    atomic_int word = 0;
    struct timespec deadline;
    for (int i = 0; i < 2; i++) {
        long long start = now_ns();
        clock_gettime(i ? CLOCK_REALTIME : CLOCK_MONOTONIC, &deadline);
        deadline.tv_nsec += 30000000;
        deadline.tv_sec += deadline.tv_nsec / 1000000000;
        deadline.tv_nsec %= 1000000000;
        CHECK_ERROR(futex(&word, WAIT_BITSET | PRIVATE | (i ? REALTIME : 0), 0, &deadline, 0, ~0u), ETIMEDOUT);
        CHECK(now_ns() - start >= 29000000);
        CHECK_ERROR(futex(&word, WAIT_BITSET | PRIVATE | (i ? REALTIME : 0), 0, &deadline, 0, ~0u), ETIMEDOUT);
    }
}

static void ignore_signal(int signal) { (void)signal; }

/* Does a signal handler end a wait with EINTR, unless SA_RESTART was asked for? */
TEST(wait_interrupted)
{
    for (int restart = 0; restart < 2; restart++) {
        static atomic_int word;
        struct waiter waiter = {0};
        struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = restart ? SA_RESTART : 0};
        CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
        start_waiters(&waiter, 1, &word, WAIT | PRIVATE);
        CHECK_EQ(pthread_kill(waiter.thread, SIGUSR1), 0);
        check_woken(&waiter, 1, !restart);
        CHECK_EQ(futex(&word, WAKE | PRIVATE, 1, 0, 0, 0), restart);
        CHECK_EQ(pthread_join(waiter.thread, 0), 0);
        CHECK_EQ(waiter.result, restart ? 0 : -1);
        CHECK(restart || waiter.error == EINTR);
    }
}

/* Are only the waiters with a common bit woken? */
TEST(bit_sets)
{
    static atomic_int word;
    struct waiter waiters[3] = {{.bits = 1}, {.bits = 2}, {.bits = 6}};
    start_waiters(waiters, 3, &word, WAIT_BITSET | PRIVATE);
    CHECK_EQ(futex(&word, WAKE_BITSET | PRIVATE, 10, 0, 0, 8), 0);
    CHECK_EQ(futex(&word, WAKE_BITSET | PRIVATE, 10, 0, 0, 2), 2);
    check_woken(waiters, 3, 2);
    CHECK(!waiters[0].woken);
    CHECK_EQ(futex(&word, WAKE | PRIVATE, 10, 0, 0, 0), 1);
    join_waiters(waiters, 3);
    CHECK_ERROR(futex(&word, WAKE_BITSET | PRIVATE, 1, 0, 0, 0), EINVAL);
    CHECK_ERROR(futex(&word, WAIT_BITSET | PRIVATE, 0, 0, 0, 0), EINVAL);
}

/* Does REQUEUE wake some and move the rest, and CMP_REQUEUE only when the value fits? */
TEST(requeue)
{
    static atomic_int first, second;
    struct waiter waiters[6] = {0};
    start_waiters(waiters, 6, &first, WAIT | PRIVATE);
    CHECK_ERROR(futex(&first, CMP_REQUEUE | PRIVATE, 1, (void *)1, &second, 7), EAGAIN);
    CHECK_EQ(futex(&first, CMP_REQUEUE | PRIVATE, 1, (void *)2, &second, 0), 3);
    check_woken(waiters, 6, 1);
    CHECK_EQ(futex(&second, WAKE | PRIVATE, 1, 0, 0, 0), 1);
    check_woken(waiters, 6, 2);
    CHECK_EQ(futex(&first, REQUEUE | PRIVATE, 0, (void *)(long)INT_MAX, &second, 0), 3);
    check_woken(waiters, 6, 2);
    CHECK_EQ(futex(&first, WAKE | PRIVATE, INT_MAX, 0, 0, 0), 0);
    CHECK_EQ(futex(&second, WAKE | PRIVATE, INT_MAX, 0, 0, 0), 4);
    join_waiters(waiters, 6);
}

/* Can a moved waiter still be interrupted, and is it gone from the second word then? */
TEST(requeued_interrupted)
{
    static atomic_int first, second;
    struct waiter waiter = {0};
    start_waiters(&waiter, 1, &first, WAIT | PRIVATE);
    CHECK_EQ(futex(&first, CMP_REQUEUE | PRIVATE, 0, (void *)1, &second, 0), 1);
    struct sigaction action = {.sa_handler = ignore_signal};
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    CHECK_EQ(pthread_kill(waiter.thread, SIGUSR1), 0);
    CHECK_EQ(pthread_join(waiter.thread, 0), 0);
    CHECK_EQ(waiter.result, -1);
    CHECK_EQ(waiter.error, EINTR);
    CHECK_EQ(futex(&second, WAKE | PRIVATE, INT_MAX, 0, 0, 0), 0);
}

static unsigned wake_op(unsigned operation, unsigned argument, unsigned comparison, unsigned compared)
{
    return operation << 28 | comparison << 24 | argument << 12 | compared;
}

/* Does WAKE_OP change the second word and wake there when the comparison holds? */
TEST(wake_operation)
{
    static atomic_int first, second;
    enum { SET, ADD, OR, ANDN, XOR };
    enum { EQ, NE, LT, LE, GT, GE };
    struct waiter a = {0}, b = {0};
    start_waiters(&a, 1, &first, WAIT | PRIVATE);
    start_waiters(&b, 1, &second, WAIT | PRIVATE);
    CHECK_EQ(futex(&first, WAKE_OP | PRIVATE, 1, (void *)1, &second, wake_op(ADD, 5, GT, 0)), 1);
    CHECK_EQ(second, 5);
    check_woken(&a, 1, 1);
    check_woken(&b, 1, 0);
    CHECK_EQ(futex(&first, WAKE_OP | PRIVATE, 1, (void *)1, &second, wake_op(OR, 8, EQ, 5)), 1);
    CHECK_EQ(second, 13);
    join_waiters(&a, 1);
    join_waiters(&b, 1);
    CHECK_EQ(futex(&first, WAKE_OP | PRIVATE, 1, (void *)1, &second, wake_op(ANDN, 4, NE, 0)), 0);
    CHECK_EQ(second, 9);
    CHECK_EQ(futex(&first, WAKE_OP | PRIVATE, 1, (void *)1, &second, wake_op(XOR, 3, LT, 0)), 0);
    CHECK_EQ(second, 10);
    CHECK_EQ(futex(&first, WAKE_OP | PRIVATE, 1, (void *)1, &second, wake_op(SET, 77, GE, 0)), 0);
    CHECK_EQ(second, 77);
    CHECK_EQ(futex(&first, WAKE_OP | PRIVATE, 1, (void *)1, &second, wake_op(SET | 8, 4, LE, 0)), 0);
    CHECK_EQ(second, 16);
}

/* Which arguments are refused? */
TEST(futex_errors)
{
    static _Alignas(8) int words[2];
    CHECK_ERROR(futex((char *)words + 1, WAIT, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(futex((char *)words + 2, WAKE, 1, 0, 0, 0), EINVAL);
    CHECK_ERROR(futex(bad_null, WAIT, 0, 0, 0, 0), EFAULT);
    CHECK_ERROR(futex(bad_kernel, WAIT | PRIVATE, 0, 0, 0, 0), EFAULT);
    CHECK_ERROR(futex(words, WAIT, 0, bad_null, 0, 0), EFAULT);
    CHECK_ERROR(futex(words, WAKE_OP | PRIVATE, 1, (void *)1, bad_null, 0), EFAULT);
    CHECK_ERROR(futex(words, 99, 0, 0, 0, 0), ENOSYS);
    CHECK_ERROR(futex(words, WAKE | REALTIME, 1, 0, 0, 0), ENOSYS);
    char *page = map_pages(1, PROT_NONE);
    CHECK_ERROR(futex(page, WAIT | PRIVATE, 0, 0, 0, 0), EFAULT);
    CHECK_ERROR(futex(page, WAIT, 0, 0, 0, 0), EFAULT);
    CHECK_ERROR(futex(page, WAKE, 1, 0, 0, 0), EFAULT);
    CHECK_EQ(futex(page, WAKE | PRIVATE, 1, 0, 0, 0), 0);
    CHECK_EQ(mprotect(page, PAGE, PROT_READ), 0);
    CHECK_ERROR(futex(page, WAKE, 1, 0, 0, 0), EFAULT);
    CHECK_ERROR(futex(page, WAIT, 1, 0, 0, 0), EFAULT);
    CHECK_ERROR(futex(page, WAIT | PRIVATE, 1, 0, 0, 0), EAGAIN);
    CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(futex(page, WAKE, 1, 0, 0, 0), 0);
    CHECK_ERROR(futex(page, WAIT, 1, 0, 0, 0), EAGAIN);
    CHECK_EQ(mprotect(page, PAGE, PROT_NONE), 0);
    CHECK_ERROR(futex(page, WAKE, 1, 0, 0, 0), EFAULT);
    CHECK_EQ(munmap(page, PAGE), 0);
}

/* Do shared mappings of one file meet at one futex, and private words at the same address not at another? */
TEST(shared_mapping_futex)
{
    int fd = open("futex", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(ftruncate(fd, PAGE), 0);
    char *one = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *two = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(one != MAP_FAILED && two != MAP_FAILED && one != two);
    struct waiter waiter = {0};
    start_waiters(&waiter, 1, (atomic_int *)(one + 64), WAIT);
    CHECK_EQ(futex(two + 68, WAKE, 1, 0, 0, 0), 0);
    CHECK_EQ(futex(two + 64, WAKE, 1, 0, 0, 0), 1);
    join_waiters(&waiter, 1);
    CHECK_EQ(munmap(one, PAGE) | munmap(two, PAGE) | close(fd), 0);
}

/* Is a word looked at anew after something else was mapped at its address? */
TEST(futex_of_replaced_mapping)
{
    int fd = open("replaced", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(ftruncate(fd, PAGE), 0);
    char *one = map_pages(1, PROT_READ | PROT_WRITE);
    char *two = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *one = 0;
    struct waiter private = {0}, shared = {0};
    start_waiters(&private, 1, (atomic_int *)one, WAIT);
    CHECK_EQ(futex(two, WAKE, 1, 0, 0, 0), 0);
    CHECK_EQ(futex(one, WAKE, 1, 0, 0, 0), 1);
    join_waiters(&private, 1);
    CHECK(mmap(one, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == one);
    start_waiters(&shared, 1, (atomic_int *)one, WAIT);
    CHECK_EQ(futex(two, WAKE, 1, 0, 0, 0), 1);
    join_waiters(&shared, 1);
    CHECK_EQ(munmap(one, PAGE) | munmap(two, PAGE) | close(fd), 0);
}

static atomic_uint pi_word;
static atomic_int pi_result;

static void *lock_pi(void *argument)
{
    pi_result = (int)futex(&pi_word, LOCK_PI | PRIVATE, 0, 0, 0, 0);
    if (pi_result == 0)
        futex(&pi_word, UNLOCK_PI | PRIVATE, 0, 0, 0, 0);
    return argument;
}

/* Do the priority-inheriting operations hand the lock over to a waiter? */
TEST(priority_inheritance)
{
    pthread_t thread;
    pi_word = 0;
    CHECK_EQ(futex(&pi_word, LOCK_PI | PRIVATE, 0, 0, 0, 0), 0);
    CHECK_EQ(pi_word, syscall(SYS_gettid));
    CHECK_ERROR(futex(&pi_word, LOCK_PI | PRIVATE, 0, 0, 0, 0), EDEADLK);
    pi_result = 99;
    CHECK_EQ(pthread_create(&thread, 0, lock_pi, 0), 0);
    sleep_ms(20);
    CHECK_EQ(pi_result, 99);
    CHECK(pi_word & 0x80000000u);
    CHECK_EQ(futex(&pi_word, UNLOCK_PI | PRIVATE, 0, 0, 0, 0), 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(pi_result, 0);
    CHECK_EQ(futex(&pi_word, TRYLOCK_PI | PRIVATE, 0, 0, 0, 0), 0);
    CHECK_EQ(futex(&pi_word, UNLOCK_PI | PRIVATE, 0, 0, 0, 0), 0);
    CHECK_ERROR(futex(&pi_word, UNLOCK_PI | PRIVATE, 0, 0, 0, 0), EPERM);
}
