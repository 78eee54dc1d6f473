/*
 * The harness of the conformance programs.
 *
 * Every program in this folder is one static C program about one area of the Linux system-call ABI. Build it with
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror AREA.c -o AREA
 *
 * and run it on Linux, which is the reference, and in the guest: both must print the same lines. A program is a list of TESTs,
 * each one named function introduced by the question it answers. It prints one line per test,
 *
 *     ok NAME
 *     not ok NAME: FILE:LINE WHAT
 *     skip NAME: WHY
 *
 * closes with `N ok, N failed`, and exits with 0 only when nothing failed. Arguments select tests by name; `--list` prints the names.
 * Nothing here forks: a program is one process, with threads at most.
 *
 * Source of truth: the Linux man-pages, sections 2 and 7, and what Linux itself does with the same binary.
 */
#ifndef CHECK_H
#define CHECK_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* Pointers that no program can use: unmapped low page, kernel half, non-canonical. The volatile hides them from the compiler. */
static void *volatile const bad_null = (void *)8;
static void *volatile const bad_kernel = (void *)0xffffffff80000000ul;
static void *volatile const bad_hole = (void *)0x8000dead00000000ul;

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *check_first;
static struct test **check_last = &check_first;
static jmp_buf check_escape;
static pthread_t check_main_thread;
static atomic_int check_failed;
static bool check_skipped;
static char check_reason[512];
static char check_scratch[128];

static inline void check_register(struct test *test)
{
    *check_last = test;
    check_last = &test->next;
}

/* Defines one test. Tests run in the order in which the file defines them. */
#define TEST(NAME)                                                                           \
    static void test_##NAME(void);                                                           \
    __attribute__((constructor)) static void register_##NAME(void)                           \
    {                                                                                        \
        static struct test test = {#NAME, test_##NAME, 0};                                   \
        check_register(&test);                                                               \
    }                                                                                        \
    static void test_##NAME(void)

/* Notes the first failure of the running test and leaves the test when called on its own thread. */
__attribute__((format(printf, 3, 4)))
static inline void check_fail(const char *file, int line, const char *format, ...)
{
    if (atomic_exchange(&check_failed, 1) == 0) {
        int length = snprintf(check_reason, sizeof check_reason, "%s:%d ", file, line);
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(check_reason + length, sizeof check_reason - (size_t)length, format, arguments);
        va_end(arguments);
    }
    if (pthread_equal(pthread_self(), check_main_thread))
        longjmp(check_escape, 1);
}

/* The condition holds. */
#define CHECK(CONDITION)                                                                     \
    do {                                                                                     \
        if (!(CONDITION))                                                                    \
            check_fail(__FILE_NAME__, __LINE__, "%s (errno %d)", #CONDITION, errno);         \
    } while (0)

/* The value is the expected one; both are shown when not. */
#define CHECK_EQ(VALUE, EXPECTED)                                                            \
    do {                                                                                     \
        long long check_value = (long long)(VALUE), check_expected = (long long)(EXPECTED);  \
        if (check_value != check_expected)                                                   \
            check_fail(__FILE_NAME__, __LINE__, "%s is %lld, not %lld (errno %d)", #VALUE,   \
                       check_value, check_expected, errno);                                  \
    } while (0)

/* The call returns -1 and sets errno to ERROR. */
#define CHECK_ERROR(CALL, ERROR)                                                             \
    do {                                                                                     \
        errno = 0;                                                                           \
        long check_value = (long)(CALL);                                                     \
        if (check_value != -1 || errno != (ERROR))                                           \
            check_fail(__FILE_NAME__, __LINE__, "%s gave %ld, errno %d, not " #ERROR, #CALL, \
                       check_value, errno);                                                  \
    } while (0)

/* Leaves the test as not applicable in this environment. */
#define SKIP(WHY)                                                                            \
    do {                                                                                     \
        check_skipped = true;                                                                \
        snprintf(check_reason, sizeof check_reason, "%s", WHY);                              \
        return;                                                                              \
    } while (0)

/* True when the program is linked with the kernel and runs at its privilege level. */
static inline bool in_ring0(void)
{
    unsigned long selector;
    __asm__("mov %%cs, %0" : "=r"(selector));
    return (selector & 3) == 0;
}

/* A system call by instruction, without libc between: returns the negative error number as the kernel does. */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline void sleep_ms(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) { }
}

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline long long now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* An anonymous private mapping of whole pages. */
static inline char *map_pages(size_t count, int protection)
{
    char *address = mmap(0, count * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(address != MAP_FAILED);
    return address;
}

static inline void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(close(fd), 0);
}

static inline int check_remove(const char *path, const struct stat *status, int kind, struct FTW *state)
{
    (void)status, (void)kind, (void)state;
    return remove(path);
}

/* Makes an empty folder the current one; it is removed when the program ends. */
static inline void check_enter_scratch(void)
{
    const char *base = getenv("TMPDIR");
    if (base == 0) {
        base = "/tmp";
        mkdir(base, 01777);
    }
    snprintf(check_scratch, sizeof check_scratch, "%s/conformance.%d", base, getpid());
    nftw(check_scratch, check_remove, 8, FTW_DEPTH | FTW_PHYS);
    if (mkdir(check_scratch, 0755) != 0 || chdir(check_scratch) != 0) {
        printf("cannot make %s: %s\n", check_scratch, strerror(errno));
        exit(2);
    }
}

static inline bool check_is_selected(const struct test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], test->name) == 0)
            return true;
    return argc == 1;
}

/* Runs one test and prints its line; true when it did not fail. */
static inline bool check_run(struct test *test)
{
    check_failed = 0;
    check_skipped = false;
    umask(022);
    if (setjmp(check_escape) == 0)
        test->run();
    if (check_failed)
        printf("not ok %s: %s\n", test->name, check_reason);
    else if (check_skipped)
        printf("skip %s: %s\n", test->name, check_reason);
    else
        printf("ok %s\n", test->name);
    fflush(stdout);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    return !check_failed;
}

int main(int argc, char **argv)
{
    check_main_thread = pthread_self();
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (struct test *test = check_first; test; test = test->next)
            puts(test->name);
        return 0;
    }
    check_enter_scratch();
    int ok = 0, failed = 0;
    for (struct test *test = check_first; test; test = test->next) {
        if (!check_is_selected(test, argc, argv))
            continue;
        bool good = check_run(test);
        ok += good && !check_skipped;
        failed += !good;
    }
    if (chdir("/") == 0)
        nftw(check_scratch, check_remove, 8, FTW_DEPTH | FTW_PHYS);
    printf("%d ok, %d failed\n", ok, failed);
    return failed != 0;
}

#endif
