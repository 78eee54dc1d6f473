/*
 * Throws random system calls with random arguments at a kernel from several threads and looks whether it still stands and whether
 * memory that no call was given is untouched. With `canaries` on its command line UKL looks after its own memory in the same way.
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror syscalls.c -o syscalls
 *     syscalls SECONDS SEED guest      every call but those below; only in a guest that may be lost
 *     syscalls SECONDS SEED harmless   a list of calls that cannot hurt the machine it runs on
 *     syscalls SECONDS SEED guest trace     one thread, each call printed before it is made
 *
 * Prints `calls N`, `errnos N` (different error numbers seen), `kicks N` (waits that a signal had to end), and `ok`, or what was
 * found damaged; the exit status is 0 only after `ok`. The same seed gives each thread the same calls; their interleaving differs.
 * Left out or tamed are calls that would rightly end, stop or disfigure the program itself: see forbidden.h.
 */
#include "../Bench/guest.h"
#include "forbidden.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    PAGE = 4096, SCRATCH_PAGES = 16, CANARY_PAGES = 16, THREADS = 4, REPORT_FD = 900, ERRORS = 4096,
    TICK_MILLISECONDS = 5, PATIENCE_TICKS = 2, TICKS_PER_CHECK = 40,
};

/* The memory of one thread: what it hands to calls lies between pages nobody may touch, and canaries lie beyond those. */
struct worker {
    uint64_t random;
    int index;
    unsigned char *low_canary, *scratch, *high_canary, *read_only, *arena;
    atomic_ulong calls;
    atomic_int thread_id, finished;
    unsigned char errors[ERRORS];
};

static struct worker workers[THREADS];
static int worker_count = THREADS;
static bool harmless, traced;
static atomic_int stop;
static int stop_after; /* seconds */

static uint64_t next(struct worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random;
}

static uint64_t below(struct worker *worker, uint64_t limit) { return next(worker) % limit; }

static long raw_syscall(long number, const long *arguments)
{
    register long r10 __asm__("r10") = arguments[3];
    register long r8 __asm__("r8") = arguments[4];
    register long r9 __asm__("r9") = arguments[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* A canary byte depends on its place, so that a copy of canary over canary is seen too. */
static unsigned char pattern(const unsigned char *address)
{
    uint64_t place = (uintptr_t)address * 0x9e3779b97f4a7c15u;
    return (unsigned char)(place >> 56);
}

static void fill_pattern(unsigned char *memory, size_t length)
{
    for (size_t i = 0; i < length; i++)
        memory[i] = pattern(memory + i);
}

static const unsigned char *find_damage(const unsigned char *memory, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (memory[i] != pattern(memory + i))
            return memory + i;
    return 0;
}

static void prepare_memory(struct worker *worker)
{
    const size_t canary = CANARY_PAGES * PAGE, scratch = SCRATCH_PAGES * PAGE;
    unsigned char *memory = mmap(0, 4 * canary + 2 * scratch + 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        exit(2);
    worker->low_canary = memory;
    worker->scratch = worker->low_canary + canary + PAGE;
    worker->high_canary = worker->scratch + scratch + PAGE;
    worker->read_only = worker->high_canary + canary + PAGE;
    worker->arena = worker->read_only + canary + PAGE;
    fill_pattern(worker->low_canary, canary);
    fill_pattern(worker->high_canary, canary);
    fill_pattern(worker->read_only, canary);
    mprotect(worker->read_only, canary, PROT_READ);
    for (unsigned char *guard = worker->scratch - PAGE; guard <= worker->arena + scratch; guard += PAGE)
        if (guard == worker->scratch - PAGE || guard == worker->high_canary - PAGE || guard == worker->read_only - PAGE
            || guard == worker->arena - PAGE || guard == worker->arena + scratch)
            mprotect(guard, PAGE, PROT_NONE);
}

/* Puts something into scratch memory that calls may take for a path, a structure or an array. */
static long make_buffer(struct worker *worker)
{
    static const char *const paths[] = {
        "a", "b", "d", "d/e", "a/b", ".", "..", "/", "", "/dev/zero", "/dev/null", "/dev/full", "/dev/urandom", "/proc/self/maps",
        "/proc/self/stat", "/proc/self/fd", "/proc/meminfo", "/proc/self/fd/5", "/tmp", "absent/file", "link", "fifo",
    };
    size_t offset = below(worker, SCRATCH_PAGES * PAGE - 256) & ~(below(worker, 4) ? 7ul : 0ul);
    if (below(worker, 8) == 0)
        offset = SCRATCH_PAGES * PAGE - below(worker, 64) - 1; /* close to the page nobody may touch */
    unsigned char *buffer = worker->scratch + offset;
    size_t room = SCRATCH_PAGES * PAGE - offset;
    switch (below(worker, 4)) {
    case 0: {
        const char *path = paths[below(worker, sizeof paths / sizeof *paths)];
        size_t length = strlen(path) + 1;
        memcpy(buffer, path, length < room ? length : room);
        break;
    }
    case 1: /* pointers and lengths, as in a vector */
        for (size_t i = 0; i + 16 <= room && i < 128; i += 16) {
            uint64_t pair[2] = {(uintptr_t)worker->scratch + below(worker, SCRATCH_PAGES * PAGE), below(worker, 300)};
            memcpy(buffer + i, pair, 16);
        }
        break;
    case 2: /* small numbers, as in times and flags */
        for (size_t i = 0; i + 8 <= room && i < 128; i += 8) {
            uint64_t number = below(worker, 4) ? below(worker, 64) : next(worker);
            memcpy(buffer + i, &number, 8);
        }
        break;
    default:
        for (size_t i = 0; i < room && i < 128; i++)
            buffer[i] = (unsigned char)next(worker);
    }
    return (long)buffer;
}

/*
 * Memory of the kernel: where it sees physical memory, where its threads' stacks are, or its image, unless the program is linked into that. On Linux these
 * are addresses like any others that no program may use.
 */
static long kernel_address(struct worker *worker)
{
    const unsigned long physical = 0xffff888000000000, stacks = 0xfffffe8000000000, image = 0xffffffff80200000;
    bool is_linked = (unsigned long)&workers >= image;
    switch (below(worker, is_linked ? 2 : 3)) {
    case 0: return (long)(physical + below(worker, 256 << 20));
    case 1: return (long)(stacks + below(worker, 128 * 32768));
    default: return (long)(image + below(worker, 1 << 20));
    }
}

static long make_argument(struct worker *worker)
{
    static const long odd[] = {
        0, 1, -1, 8, 0x7f, 0x80, 0xff, 0xfff, 0x1000, 0xffff, INT_MAX, INT_MIN, 0xffffffffl, LONG_MAX, LONG_MIN, 0x7fffffffffff,
        0x800000000000, (long)0xffff800000000000, (long)0xffffffff80000000, (long)0xfffffffffffff000, 0x8000dead0000, -100,
    };
    switch (below(worker, 11)) {
    case 0: case 1: case 2: return make_buffer(worker);
    case 10: return kernel_address(worker);
    case 3: return (long)worker->read_only + (long)below(worker, CANARY_PAGES * PAGE);
    case 4: return (long)(worker->scratch + SCRATCH_PAGES * PAGE); /* the page nobody may touch */
    case 5: return odd[below(worker, sizeof odd / sizeof *odd)];
    case 6: return (long)below(worker, 40);
    case 7: return (long)below(worker, 5000);
    case 8: return 1l << below(worker, 63);
    default: return (long)next(worker);
    }
}

static long make_number(struct worker *worker)
{
    if (harmless)
        return harmless_calls[below(worker, sizeof harmless_calls / sizeof *harmless_calls)];
    switch (below(worker, 50)) {
    case 0: return (long)next(worker);
    case 1: return (long)below(worker, 2000);
    default: return (long)below(worker, 470);
    }
}

static void trace_call(long number, const long *arguments)
{
    char line[256];
    int length = snprintf(line, sizeof line, "%ld(%lx, %lx, %lx, %lx, %lx, %lx)\n", number, arguments[0], arguments[1], arguments[2],
                          arguments[3], arguments[4], arguments[5]);
    if (write(REPORT_FD, line, (size_t)length) < 0)
        stop = 1;
}

static void open_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, 0);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    worker->thread_id = (int)syscall(SYS_gettid);
    while (!stop) {
        long number = make_number(worker), arguments[6];
        for (int i = 0; i < 6; i++)
            arguments[i] = make_argument(worker);
        if (is_forbidden(number))
            continue;
        tame(number, arguments, (unsigned long)worker->arena, SCRATCH_PAGES * PAGE);
        if (traced)
            trace_call(number, arguments);
        long result = raw_syscall(number, arguments);
        if (result < 0 && result > -ERRORS)
            worker->errors[-result] = 1;
        if (number == SYS_rt_sigprocmask)
            open_signals();
        atomic_fetch_add_explicit(&worker->calls, 1, memory_order_relaxed);
    }
    worker->finished = 1;
    for (;;)
        pause();
    return 0;
}

/* Reports through a descriptor out of reach of small random numbers. */
__attribute__((format(printf, 1, 2))) static void report(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (write(REPORT_FD, line, (size_t)length) != length)
        _exit(3);
}

static void kick(int signal) { (void)signal; }

/* Signals do nothing but end a wait; faults still end the program. */
static void prepare_signals(void)
{
    for (int signal = 1; signal < 65; signal++)
        if (signal != SIGSEGV && signal != SIGBUS && signal != SIGILL && signal != SIGFPE && signal != SIGTRAP)
            sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, 0);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = kick}, 0);
}

/* Moves the report away, leaves nothing of the outside open, and opens a few descriptors to play with. */
static void prepare_files(void)
{
    char folder[] = "/tmp/fuzz.XXXXXX";
    int ends[2];
    if (fcntl(1, F_DUPFD, REPORT_FD) != REPORT_FD || mkdtemp(folder) == 0 || chdir(folder) != 0)
        exit(2);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < REPORT_FD; fd++)
        if (fd != null)
            close(fd);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    open("/dev/zero", O_RDWR);
    open("/dev/urandom", O_RDONLY);
    if (pipe2(ends, O_NONBLOCK) != 0)
        exit(2);
    eventfd(5, EFD_NONBLOCK);
    if (!harmless) {
        open("a", O_RDWR | O_CREAT, 0644);
        mkdir("d", 0755);
        symlink("a", "link");
        mkfifo("fifo", 0644);
    }
    rmdir(folder); /* an empty one, which the harmless mode leaves, goes away */
}

static const char *find_any_damage(void)
{
    for (int i = 0; i < worker_count; i++) {
        const size_t length = CANARY_PAGES * PAGE;
        if (find_damage(workers[i].low_canary, length))
            return "memory below a buffer";
        if (find_damage(workers[i].high_canary, length))
            return "memory above a buffer";
        if (find_damage(workers[i].read_only, length))
            return "read-only memory";
    }
    return 0;
}

static long long milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000ll + time.tv_nsec / 1000000;
}

/* Watches until the time is over: memory, and threads that wait for something that never comes. Returns the kicks it gave. */
static unsigned long watch(const char **damage)
{
    unsigned long before[THREADS] = {0}, kicks = 0;
    int still[THREADS] = {0};
    const long long end = milliseconds() + stop_after * 1000ll;
    bool all_finished = false;
    for (int ticks = 1; !all_finished && milliseconds() < end + 2000; ticks++) {
        struct timespec tick = {0, TICK_MILLISECONDS * 1000000};
        nanosleep(&tick, 0);
        stop = stop || milliseconds() >= end;
        if (ticks % TICKS_PER_CHECK == 0 && (*damage = find_any_damage()) != 0)
            return kicks;
        all_finished = true;
        for (int i = 0; i < worker_count; i++) {
            unsigned long calls = workers[i].calls;
            still[i] = calls == before[i] ? still[i] + 1 : 0;
            before[i] = calls;
            all_finished &= workers[i].finished;
            if (still[i] >= PATIENCE_TICKS && !workers[i].finished) {
                syscall(SYS_tgkill, getpid(), workers[i].thread_id, SIGUSR1);
                still[i] = 0;
                kicks++;
            }
        }
    }
    *damage = find_any_damage();
    return kicks;
}

int main(int argc, char **argv)
{
    guest_prepare();
    if (argc < 4 || (strcmp(argv[3], "guest") != 0 && strcmp(argv[3], "harmless") != 0)) {
        fprintf(stderr, "usage: syscalls SECONDS SEED guest|harmless [trace]\n"
                        "`guest` makes every call there is: only where the machine may be lost.\n");
        return 2;
    }
    stop_after = atoi(argv[1]);
    harmless = strcmp(argv[3], "harmless") == 0;
    traced = argc > 4 && strcmp(argv[4], "trace") == 0;
    worker_count = traced ? 1 : THREADS;
    prepare_files();
    prepare_signals();
    for (int i = 0; i < worker_count; i++) {
        pthread_t thread;
        workers[i].random = strtoull(argv[2], 0, 10) * 0x9e3779b97f4a7c15u + (uint64_t)i + 1;
        prepare_memory(&workers[i]);
        if (pthread_create(&thread, 0, run_worker, &workers[i]) != 0)
            return 2;
    }
    const char *damage = 0;
    unsigned long calls = 0, kicks = watch(&damage), errors = 0;
    for (int i = 0; i < worker_count; i++)
        calls += workers[i].calls;
    for (int error = 1; error < ERRORS; error++) {
        bool seen = false;
        for (int i = 0; i < worker_count; i++)
            seen |= workers[i].errors[error];
        errors += seen;
    }
    report("calls %lu\nerrnos %lu\nkicks %lu\n", calls, errors, kicks);
    report(damage ? "damaged: %s\n" : "%s\n", damage ? damage : "ok");
    guest_finish(argc, argv);
    _exit(damage != 0);
}
