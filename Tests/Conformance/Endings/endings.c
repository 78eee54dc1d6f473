/*
 * The ways a program can end: `endings MODE` ends in the way named, `endings --list` prints each mode with the status a shell shows
 * for it on Linux (the exit code, or 128 and the signal's number), and `hang` where only a signal such as Ctrl-C (130) ends it.
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror endings.c -o endings
 *
 * Source of truth: exit(3), _exit(2), signal(7), and Linux with the same binary.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *volatile wild = (void *)0x12345678;

static int exit_0(void) { return 0; }
static int exit_3(void) { return 3; }
static int exit_255(void) { return 255; }
static int exit_256(void) { exit(256); }
static void at_exit(void) { puts("at exit"); }

static int exit_handlers(void)
{
    atexit(at_exit);
    printf("no newline at the end, ");
    return 4;
}

static int exit_at_once(void)
{
    atexit(at_exit);
    printf("never seen");
    _exit(5);
}

static int aborted(void) { abort(); }

static int segv(void)
{
    *(volatile int *)wild = 1;
    return 0;
}

static int blocked_segv(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, 0);
    return segv();
}

static int ignored_segv(void)
{
    signal(SIGSEGV, SIG_IGN);
    return segv();
}

static void fault_again(int signal)
{
    (void)signal;
    segv();
}

static int segv_in_handler(void)
{
    signal(SIGSEGV, fault_again);
    return segv();
}

static int recurse(int depth)
{
    volatile char frame[1000];
    frame[0] = (char)depth;
    return depth == 0 ? frame[0] : recurse(depth - 1) + frame[0];
}

static int stack_overflow(void) { return recurse(INT32_MAX); }

static int handled_without_stack(void)
{
    signal(SIGSEGV, fault_again); /* the handler has no stack to run on either */
    return recurse(INT32_MAX);
}

static int undefined_instruction(void) { __asm__ volatile("ud2"); return 0; }
static int breakpoint(void) { __asm__ volatile("int3"); return 0; }

static int divide_by_zero(void)
{
    int zero = 0;
    __asm__ volatile("mov $1, %%eax; cltd; idivl %0" : "+r"(zero) : : "eax", "edx", "cc");
    return 0;
}

static int terminated(void) { kill(getpid(), SIGTERM); return 0; }
static int killed(void) { kill(getpid(), SIGKILL); return 0; }
static int interrupted(void) { raise(SIGINT); return 0; }
static int alarmed(void) { alarm(1); pause(); return 0; }

static int broken_pipe(void)
{
    int ends[2];
    if (pipe(ends) != 0 || close(ends[0]) != 0)
        return 1;
    return write(ends[1], "x", 1) == 1 ? 0 : 2;
}

static void *sleep_long(void *argument)
{
    sleep(1000);
    return argument;
}

static void *exit_from_thread(void *argument)
{
    usleep(20000);
    exit((int)(intptr_t)argument);
}

static void *fault_in_thread(void *argument)
{
    usleep(20000);
    *(volatile int *)wild = 1;
    return argument;
}

static void start(void *(*body)(void *), intptr_t argument)
{
    pthread_t thread;
    if (pthread_create(&thread, 0, body, (void *)argument) != 0)
        exit(99);
}

static int exit_with_threads(void)
{
    for (int i = 0; i < 20; i++)
        start(sleep_long, 0);
    return 6;
}

static int thread_exits(void)
{
    start(exit_from_thread, 7);
    sleep(1000);
    return 0;
}

static int thread_faults(void)
{
    start(fault_in_thread, 0);
    sleep(1000);
    return 0;
}

static int main_thread_leaves(void)
{
    start(exit_from_thread, 8);
    pthread_exit(0);
}

static int last_thread_leaves(void) { pthread_exit(0); }

static int much_output(void)
{
    for (int i = 0; i < 20000; i++)
        printf("line %05d of the output that must not be lost at the end\n", i);
    return 9;
}

static int all_wait(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    start(sleep_long, 0);
    puts("waiting");
    fflush(stdout);
    pthread_mutex_lock(&lock);
    return 0;
}

static int spin(void)
{
    puts("spinning");
    fflush(stdout);
    for (volatile int forever = 1; forever;) { }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
    int status; /* what a shell shows, or -1 when only a signal from outside ends it */
} modes[] = {
    {"exit-0", exit_0, 0},
    {"exit-3", exit_3, 3},
    {"exit-255", exit_255, 255},
    {"exit-256", exit_256, 0},
    {"exit-handlers", exit_handlers, 4},
    {"exit-at-once", exit_at_once, 5},
    {"exit-with-threads", exit_with_threads, 6},
    {"thread-exits", thread_exits, 7},
    {"main-thread-leaves", main_thread_leaves, 8},
    {"last-thread-leaves", last_thread_leaves, 0},
    {"much-output", much_output, 9},
    {"abort", aborted, 128 + SIGABRT},
    {"segv", segv, 128 + SIGSEGV},
    {"blocked-segv", blocked_segv, 128 + SIGSEGV},
    {"ignored-segv", ignored_segv, 128 + SIGSEGV},
    {"segv-in-handler", segv_in_handler, 128 + SIGSEGV},
    {"thread-faults", thread_faults, 128 + SIGSEGV},
    {"stack-overflow", stack_overflow, 128 + SIGSEGV},
    {"handler-without-stack", handled_without_stack, 128 + SIGSEGV},
    {"undefined-instruction", undefined_instruction, 128 + SIGILL},
    {"breakpoint", breakpoint, 128 + SIGTRAP},
    {"divide-by-zero", divide_by_zero, 128 + SIGFPE},
    {"terminated", terminated, 128 + SIGTERM},
    {"killed", killed, 128 + SIGKILL},
    {"interrupted", interrupted, 128 + SIGINT},
    {"alarmed", alarmed, 128 + SIGALRM},
    {"broken-pipe", broken_pipe, 128 + SIGPIPE},
    {"all-wait", all_wait, -1},
    {"spin", spin, -1},
};

int main(int argc, char **argv)
{
    const size_t count = sizeof modes / sizeof *modes;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++)
            modes[i].status < 0 ? printf("%s hang\n", modes[i].name) : printf("%s %d\n", modes[i].name, modes[i].status);
        return 0;
    }
    for (size_t i = 0; argc == 2 && i < count; i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].run();
    fprintf(stderr, "usage: endings MODE | --list\n");
    return 2;
}
