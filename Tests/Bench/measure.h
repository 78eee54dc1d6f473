/*
 * How the benchmarks of single operations measure: the ticks of the time-stamp counter that one operation takes, as one line `NAME TICKS` each.
 *
 * Under QEMU with `-icount shift=0,sleep=off` and one CPU the counter runs at 1 GHz of executed instructions, so a tick is an
 * instruction and the same binary can be compared between guests. Every figure is the least of several rounds after a warm-up;
 * the cost of the empty loop is not taken off. Arguments select operations by name. As /init of a Linux guest, `poweroff` on the
 * kernel command line ends the machine when all is printed.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include "guest.h"
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

enum { ROUNDS = 7 };

static inline void require(bool condition, const char *what)
{
    if (!condition) {
        perror(what);
        exit(1);
    }
}

static inline uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

struct operation {
    const char *name;
    void (*run)(int count);
    int count;
    void (*before)(int count);
    void (*after)(int count);
};

static inline uint64_t measure(const struct operation *operation)
{
    uint64_t least = UINT64_MAX;
    for (int round = 0; round <= ROUNDS; round++) {
        if (operation->before)
            operation->before(operation->count);
        uint64_t start = ticks();
        operation->run(operation->count);
        uint64_t taken = ticks() - start;
        if (operation->after)
            operation->after(operation->count);
        if (round > 0 && taken < least) /* the first one warms up */
            least = taken;
    }
    return least / (uint64_t)operation->count;
}

static inline bool is_selected(const struct operation *operations, size_t count, const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
        for (size_t j = 0; j < count; j++)
            any |= strcmp(argv[i], operations[j].name) == 0;
    }
    return !any;
}

/* Measures what the arguments select, on one CPU. */
static inline void measure_all(const struct operation *operations, size_t count, int argc, char **argv)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    for (size_t i = 0; i < count; i++) {
        if (!is_selected(operations, count, operations[i].name, argc, argv))
            continue;
        printf("%s %llu\n", operations[i].name, (unsigned long long)measure(&operations[i]));
        fflush(stdout);
    }
}

#endif
