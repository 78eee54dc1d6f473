/*
 * signalfd: signals read from a file. Source of truth: signalfd(2).
 */
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

/* A descriptor of two blocked signals. */
static int open_blocked(int first, int second, int flags)
{
    sigset_t set = set_of(first, second);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, 0), 0);
    int fd = signalfd(-1, &set, flags);
    CHECK(fd >= 0);
    return fd;
}

static struct signalfd_siginfo read_one(int fd)
{
    struct signalfd_siginfo info;
    memset(&info, 0x77, sizeof info);
    CHECK_EQ(read(fd, &info, sizeof info), 128);
    return info;
}

/* Does a signal of kill come with its sender, and only once? */
TEST(signalfd_kill)
{
    int fd = open_blocked(SIGUSR1, SIGUSR2, SFD_NONBLOCK);
    struct signalfd_siginfo info;
    CHECK_ERROR(read(fd, &info, sizeof info), EAGAIN);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    info = read_one(fd);
    CHECK_EQ(info.ssi_signo, SIGUSR1);
    CHECK_EQ(info.ssi_code, SI_USER);
    CHECK_EQ(info.ssi_pid, getpid());
    CHECK_EQ(info.ssi_uid, getuid());
    CHECK_EQ(info.ssi_addr | info.ssi_ptr | info.ssi_overrun | info.ssi_tid, 0);
    CHECK_ERROR(read(fd, &info, sizeof info), EAGAIN);
    CHECK_EQ(close(fd), 0);
}

/* Do queued signals keep their order and values, several to a read? */
TEST(signalfd_queue)
{
    int fd = open_blocked(SIGRTMIN, SIGRTMIN + 1, SFD_NONBLOCK);
    for (int i = 1; i <= 3; i++)
        CHECK_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_ptr = (void *)(0x1000000000l * i + i)}), 0);
    CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = -5}), 0);
    struct signalfd_siginfo infos[8];
    CHECK_EQ(read(fd, infos, sizeof infos - 1), 4 * 128);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(infos[i].ssi_signo, SIGRTMIN);
        CHECK_EQ(infos[i].ssi_code, SI_QUEUE);
        CHECK_EQ(infos[i].ssi_int, i + 1);
        CHECK_EQ(infos[i].ssi_ptr, 0x1000000000ul * (i + 1) + i + 1);
    }
    CHECK_EQ(infos[3].ssi_int, -5);
    CHECK_EQ(infos[3].ssi_pid, getpid());
    CHECK_EQ(close(fd), 0);
}

/* Does a timer's signal tell its timer? */
TEST(signalfd_timer)
{
    int fd = open_blocked(SIGRTMIN + 2, 0, 0);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 42};
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    struct itimerspec soon = {.it_value.tv_nsec = 10000000};
    CHECK_EQ(timer_settime(timer, 0, &soon, 0), 0);
    struct signalfd_siginfo info = read_one(fd);
    CHECK_EQ(info.ssi_signo, SIGRTMIN + 2);
    CHECK_EQ(info.ssi_code, SI_TIMER);
    CHECK_EQ(info.ssi_int, 42);
    CHECK_EQ(timer_delete(timer), 0);
    CHECK_EQ(close(fd), 0);
}

static void *send_later(void *argument)
{
    sleep_ms(30);
    kill(getpid(), (int)(intptr_t)argument);
    return 0;
}

/* Does a reader sleep until the signal comes? */
TEST(signalfd_waits)
{
    int fd = open_blocked(SIGUSR1, SIGUSR2, 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, 0, send_later, (void *)SIGUSR2), 0);
    CHECK_EQ(read_one(fd).ssi_signo, SIGUSR2);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(close(fd), 0);
}

static void ignore_signal(int signal) { (void)signal; }

/* Does another signal end the wait with EINTR? */
TEST(signalfd_interrupted)
{
    int fd = open_blocked(SIGUSR1, 0, 0);
    struct sigaction action = {.sa_handler = ignore_signal};
    CHECK_EQ(sigaction(SIGALRM, &action, 0), 0);
    struct itimerval soon = {.it_value.tv_usec = 30000};
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, 0), 0);
    struct signalfd_siginfo info;
    CHECK_ERROR(read(fd, &info, sizeof info), EINTR);
    CHECK_EQ(close(fd), 0);
}

/* Do poll and epoll see what waits, and what comes while they sleep? */
TEST(signalfd_polled)
{
    int fd = open_blocked(SIGUSR1, 0, SFD_NONBLOCK), epoll = epoll_create1(0);
    struct pollfd polled = {.fd = fd, .events = POLLIN | POLLOUT};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};
    CHECK_EQ(poll(&polled, 1, 0), 0);
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, 0, send_later, (void *)SIGUSR1), 0);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
    CHECK_EQ(event.data.u32, 7);
    CHECK_EQ(poll(&polled, 1, 0), 1);
    CHECK_EQ(polled.revents, POLLIN);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(read_one(fd).ssi_signo, SIGUSR1);
    CHECK_EQ(poll(&polled, 1, 0), 0);
    CHECK_EQ(close(epoll) | close(fd), 0);
}

/* Is a signal of another thread's own out of reach, and the caller's own not? */
TEST(signalfd_of_the_reader)
{
    int fd = open_blocked(SIGUSR1, 0, SFD_NONBLOCK);
    CHECK_EQ(pthread_kill(pthread_self(), SIGUSR1), 0);
    struct signalfd_siginfo info = read_one(fd);
    CHECK_EQ(info.ssi_code, SI_TKILL);
    CHECK_EQ(info.ssi_pid, getpid());
    CHECK_EQ(close(fd), 0);
}

/* Can the set be changed, and are only its signals read? */
TEST(signalfd_change)
{
    int fd = open_blocked(SIGUSR1, SIGUSR2, SFD_NONBLOCK);
    sigset_t only = set_of(SIGUSR2, 0), all;
    CHECK_EQ(signalfd(fd, &only, 0), fd);
    CHECK_EQ(kill(getpid(), SIGUSR1) | kill(getpid(), SIGUSR2), 0);
    CHECK_EQ(read_one(fd).ssi_signo, SIGUSR2);
    struct signalfd_siginfo info;
    CHECK_ERROR(read(fd, &info, sizeof info), EAGAIN);
    sigfillset(&all);
    CHECK_EQ(signalfd(fd, &all, 0), fd);
    CHECK_EQ(read_one(fd).ssi_signo, SIGUSR1);
    CHECK_EQ(close(fd), 0);
}

/* Which arguments are refused? */
TEST(signalfd_errors)
{
    sigset_t set = set_of(SIGUSR1, 0);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    char small[127];
    CHECK_ERROR(read(fd, small, sizeof small), EINVAL);
    CHECK_ERROR(write(fd, small, 8), EINVAL);
    CHECK_ERROR(signalfd(-1, &set, 1), EINVAL);
    CHECK_ERROR(signalfd(0, &set, 0), EINVAL);
    CHECK_ERROR(signalfd(9999, &set, 0), EBADF);
    CHECK_ERROR(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_signalfd4, -1, bad_null, 8, 0), EFAULT);
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target);
    CHECK(length == 21 && memcmp(target, "anon_inode:[signalfd]", 21) == 0);
    CHECK_EQ(close(fd), 0);
}
