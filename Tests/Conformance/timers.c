/*
 * Clocks, sleeping, and timers that end in signals.
 * Source of truth: clock_gettime(2), clock_nanosleep(2), setitimer(2), timer_create(2).
 */
#include "check.h"
#include <sys/time.h>
#include <sys/times.h>

static volatile sig_atomic_t hits;
static siginfo_t last_info;

static void count_hit(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    last_info = *info;
    hits++;
}

static void handle(int signal)
{
    struct sigaction action = {.sa_sigaction = count_hit, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(signal, &action, 0), 0);
    hits = 0;
}

static long long clock_ns(clockid_t clock)
{
    struct timespec time;
    CHECK_EQ(syscall(SYS_clock_gettime, clock, &time), 0);
    CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* Do the clocks that count run, and never back, by libc and by the raw call? */
TEST(clocks_monotone)
{
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        long long first = clock_ns(clocks[i]), before = first;
        for (int j = 0; j < 2000; j++) {
            struct timespec time;
            CHECK_EQ(j % 2 ? clock_gettime(clocks[i], &time) : syscall(SYS_clock_gettime, clocks[i], &time), 0);
            long long now = time.tv_sec * 1000000000ll + time.tv_nsec;
            CHECK(now >= before);
            before = now;
        }
        sleep_ms(20);
        CHECK(clock_ns(clocks[i]) >= first + 15000000);
    }
}

/* Is the real time a plausible date, the same in all calls that tell it? */
TEST(real_time)
{
    struct timeval day;
    time_t seconds = time(0);
    CHECK(seconds > 1735689600);
    CHECK_EQ(gettimeofday(&day, 0), 0);
    CHECK(day.tv_sec >= seconds && day.tv_sec <= seconds + 2 && day.tv_usec >= 0 && day.tv_usec < 1000000);
    long long difference = clock_ns(CLOCK_REALTIME) - (day.tv_sec * 1000000000ll + day.tv_usec * 1000);
    CHECK(difference >= 0 && difference < 2000000000);
    CHECK(syscall(SYS_time, 0) >= seconds - 1); /* it reads a clock that moves by ticks */
}

/* Does processor time grow with work and not with sleep, for thread and process? */
TEST(processor_time)
{
    long long process = clock_ns(CLOCK_PROCESS_CPUTIME_ID), thread = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    long long end = now_ns() + 50000000;
    while (now_ns() < end) { }
    long long worked = clock_ns(CLOCK_THREAD_CPUTIME_ID) - thread;
    CHECK(worked > 5000000);
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= worked);
    thread = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    sleep_ms(100);
    CHECK(clock_ns(CLOCK_THREAD_CPUTIME_ID) - thread < 50000000);
    struct tms times_now;
    CHECK(times(&times_now) != -1);
}

/* Which clocks are there, with which resolution? */
TEST(clock_resolution)
{
    struct timespec time;
    CHECK_EQ(clock_getres(CLOCK_MONOTONIC, &time), 0);
    CHECK_EQ(time.tv_sec, 0);
    CHECK_EQ(time.tv_nsec, 1);
    CHECK_EQ(clock_getres(CLOCK_REALTIME, 0), 0);
    CHECK_ERROR(clock_getres(99, &time), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_gettime, 99, &time), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad_null), EFAULT);
}

/* Does a sleep last at least as long as asked, and not absurdly longer? */
TEST(sleeping)
{
    static const long durations[] = {0, 1, 100000, 1000000, 10000000, 30000000};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        struct timespec time = {0, durations[i]};
        long long start = now_ns();
        CHECK_EQ(nanosleep(&time, 0), 0);
        CHECK(now_ns() - start >= durations[i]);
        CHECK(now_ns() - start < durations[i] + 1000000000);
    }
    struct timespec wrong = {0, 1000000000}, negative = {-1, 0};
    CHECK_ERROR(nanosleep(&wrong, 0), EINVAL);
    CHECK_ERROR(nanosleep(&negative, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_nanosleep, bad_null, 0), EFAULT);
}

/* Does an absolute sleep end at its time, at once when that has passed? */
TEST(absolute_sleep)
{
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
    for (int i = 0; i < 2; i++) {
        long long end = clock_ns(clocks[i]) + 20000000;
        struct timespec time = {end / 1000000000, end % 1000000000};
        CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &time, 0), 0);
        CHECK(clock_ns(clocks[i]) >= end);
        CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &time, 0), 0);
    }
    struct timespec time = {0, 0};
    CHECK_EQ(clock_nanosleep(99, 0, &time, 0), EINVAL);
}

static void *sleep_and_tell(void *milliseconds)
{
    long long start = now_ns(), asked = (intptr_t)milliseconds * 1000000ll;
    sleep_ms((intptr_t)milliseconds);
    long long slept = now_ns() - start;
    return (void *)(intptr_t)(slept >= asked && slept < asked + 1000000000);
}

/* Do forty sleepers of different lengths all wake at their own time? */
TEST(many_sleepers)
{
    pthread_t threads[40];
    long long start = now_ns();
    for (intptr_t i = 0; i < 40; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, sleep_and_tell, (void *)(i * 7 % 40 * 3)), 0);
    for (int i = 0; i < 40; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result != 0);
    }
    CHECK(now_ns() - start < 2000000000);
}

/* Does alarm send SIGALRM, and tell the seconds that were left? */
TEST(alarm_clock)
{
    handle(SIGALRM);
    CHECK_EQ(alarm(100), 0);
    CHECK_EQ(alarm(0), 100);
    CHECK_EQ(alarm(1), 0);
    long long start = now_ns();
    CHECK_ERROR(pause(), EINTR);
    CHECK(now_ns() - start > 900000000 && now_ns() - start < 3000000000);
    CHECK_EQ(hits, 1);
    CHECK_EQ(last_info.si_code, SI_KERNEL);
    CHECK_EQ(alarm(0), 0);
}

/* Does an interval timer ring again and again until it is stopped? */
TEST(interval_timer)
{
    handle(SIGALRM);
    struct itimerval often = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}}, old;
    CHECK_EQ(setitimer(ITIMER_REAL, &often, 0), 0);
    long long end = now_ns() + 100000000;
    while (now_ns() < end)
        sleep_ms(1);
    CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
    CHECK_EQ(old.it_interval.tv_usec, 5000);
    CHECK_EQ(setitimer(ITIMER_REAL, &off, &old), 0);
    CHECK_EQ(old.it_interval.tv_usec, 5000);
    int rung = hits;
    CHECK(rung >= 5 && rung <= 21);
    sleep_ms(20);
    CHECK_EQ(hits, rung);
    struct itimerval wrong = {{0, 0}, {0, 1000000}};
    CHECK_ERROR(setitimer(ITIMER_REAL, &wrong, 0), EINVAL);
    CHECK_ERROR(setitimer(99, &often, 0), EINVAL);
}

/* Do POSIX timers send their signal and value, once or repeatedly, and count what was overrun? */
TEST(posix_timers)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 4711};
    struct itimerspec once = {{0, 0}, {0, 10000000}}, often = {{0, 2000000}, {0, 2000000}}, left;
    handle(SIGRTMIN + 3);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &once, 0), 0);
    CHECK_EQ(timer_gettime(timer, &left), 0);
    CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 10000000);
    for (int i = 0; i < 1000 && hits == 0; i++)
        sleep_ms(1);
    CHECK_EQ(hits, 1);
    CHECK_EQ(last_info.si_code, SI_TIMER);
    CHECK_EQ(last_info.si_value.sival_int, 4711);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 3);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, 0), 0);
    CHECK_EQ(timer_settime(timer, 0, &often, 0), 0);
    sleep_ms(30);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 3);
    CHECK(info.si_overrun >= 5);
    CHECK_EQ(timer_delete(timer), 0);
    CHECK_ERROR(syscall(SYS_timer_create, 99, &event, &timer), EINVAL);
}

static atomic_int notified;
static void notify(union sigval value) { notified += value.sival_int; }

/* Does a POSIX timer call a function in a thread of its own? */
TEST(timer_thread)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 5};
    struct itimerspec once = {{0, 0}, {0, 5000000}};
    CHECK_EQ(timer_create(CLOCK_REALTIME, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &once, 0), 0);
    for (int i = 0; i < 1000 && notified == 0; i++)
        sleep_ms(1);
    CHECK_EQ(notified, 5);
    CHECK_EQ(timer_delete(timer), 0);
}
