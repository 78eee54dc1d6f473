/*
 * How often threads that never wait make way for each other: some compute side by side for a while, and then the switches that none of them asked for are
 * counted. Prints `preemptions N in T us`. Source of truth: getrusage(2), ru_nivcsw.
 *
 *     preemption [THREADS [MILLISECONDS]]     64 threads and 200 ms unless told otherwise
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_THREADS = 1000 };

static long long start, duration;
static atomic_long preemptions;

static long long nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void *compute(void *argument)
{
    volatile unsigned turns = 0;
    while (nanoseconds() - start < duration)
        for (int i = 0; i < 1000; i++)
            turns++;
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    preemptions += usage.ru_nivcsw;
    return argument;
}

int main(int argc, char **argv)
{
    static pthread_t threads[MOST_THREADS];
    int count = argc > 1 ? atoi(argv[1]) : 64;
    duration = (argc > 2 ? atoi(argv[2]) : 200) * 1000000ll;
    if (count < 1 || count > MOST_THREADS)
        return 2;
    start = nanoseconds();
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], 0, compute, 0) != 0)
            return 2;
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], 0);
    printf("preemptions %ld in %lld us\n", preemptions, (nanoseconds() - start) / 1000);
    return 0;
}
