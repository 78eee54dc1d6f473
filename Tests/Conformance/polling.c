/*
 * Waiting for descriptors: poll, select, epoll, and inotify and timerfd as things to wait for.
 * Source of truth: poll(2), select(2), epoll(7), inotify(7), timerfd_create(2).
 */
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/timerfd.h>

static int ends[2];

static void make_pipe(void) { CHECK_EQ(pipe2(ends, O_NONBLOCK), 0); }

static short poll_one(int fd, short events)
{
    struct pollfd item = {fd, events, 0};
    int ready = poll(&item, 1, 0);
    CHECK_EQ(ready, item.revents != 0);
    return item.revents;
}

/* Does poll tell what each end of a pipe is ready for, through its life? */
TEST(poll_pipe)
{
    static char block[65536];
    make_pipe();
    CHECK_EQ(poll_one(ends[0], POLLIN), 0);
    CHECK_EQ(poll_one(ends[1], POLLOUT), POLLOUT);
    CHECK_EQ(write(ends[1], block, sizeof block), sizeof block);
    CHECK_EQ(poll_one(ends[0], POLLIN), POLLIN);
    CHECK_EQ(poll_one(ends[1], POLLOUT), 0);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(poll_one(ends[0], POLLIN), POLLIN | POLLHUP);
    CHECK_EQ(read(ends[0], block, sizeof block), sizeof block);
    CHECK_EQ(poll_one(ends[0], POLLIN), POLLHUP);
    CHECK_EQ(poll_one(ends[0], 0), POLLHUP);
    CHECK_EQ(close(ends[0]), 0);
    make_pipe();
    CHECK_EQ(close(ends[0]), 0);
    CHECK_EQ(poll_one(ends[1], POLLOUT), POLLOUT | POLLERR);
    CHECK_EQ(close(ends[1]), 0);
}

/* Are plain files always ready, closed descriptors POLLNVAL, and negative ones passed over? */
TEST(poll_others)
{
    int file = open("file", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(poll_one(file, POLLIN | POLLOUT), POLLIN | POLLOUT);
    CHECK_EQ(close(file), 0);
    CHECK_EQ(poll_one(file, POLLIN), POLLNVAL);
    CHECK_EQ(poll_one(-1, POLLIN), 0);
    CHECK_EQ(poll(0, 0, 0), 0);
    CHECK_ERROR(poll((struct pollfd *)bad_null, 1, 0), EFAULT);
    int null = open("/dev/null", O_RDWR);
    CHECK_EQ(poll_one(null, POLLIN | POLLOUT), POLLIN | POLLOUT);
    CHECK_EQ(close(null), 0);
}

static void *write_later(void *fd)
{
    sleep_ms(20);
    return (void *)(intptr_t)(write((int)(intptr_t)fd, "x", 1) != 1);
}

static void nothing(int signal) { (void)signal; }

/* Does poll wait for an event, for its time, and for a signal? */
TEST(poll_waits)
{
    pthread_t thread;
    char byte;
    make_pipe();
    struct pollfd item = {ends[0], POLLIN, 0};
    long long start = now_ns();
    CHECK_EQ(poll(&item, 1, 30), 0);
    CHECK(now_ns() - start >= 29000000);
    CHECK_EQ(pthread_create(&thread, 0, write_later, (void *)(intptr_t)ends[1]), 0);
    CHECK_EQ(poll(&item, 1, -1), 1);
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(pthread_join(thread, 0), 0);
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGALRM, &action, 0), 0);
    ualarm(20000, 0);
    CHECK_ERROR(poll(&item, 1, -1), EINTR);
    sigset_t alarm_set;
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &alarm_set, 0), 0);
    CHECK_EQ(raise(SIGALRM), 0);
    struct timespec time = {5, 0};
    sigset_t none;
    sigemptyset(&none);
    CHECK_ERROR(ppoll(&item, 1, &time, &none), EINTR);
    CHECK_EQ(close(ends[0]) | close(ends[1]), 0);
}

/* Does select answer in its three sets, and tell closed descriptors and bad counts? */
TEST(select_sets)
{
    fd_set readable, writable;
    struct timeval zero = {0, 0}, soon = {0, 20000};
    make_pipe();
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(ends[0], &readable);
    FD_SET(ends[1], &writable);
    int count = (ends[0] > ends[1] ? ends[0] : ends[1]) + 1;
    CHECK_EQ(select(count, &readable, &writable, 0, &zero), 1);
    CHECK(!FD_ISSET(ends[0], &readable) && FD_ISSET(ends[1], &writable));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    FD_SET(ends[0], &readable);
    CHECK_EQ(select(count, &readable, &writable, 0, 0), 2);
    CHECK(FD_ISSET(ends[0], &readable) && FD_ISSET(ends[1], &writable));
    CHECK_EQ(select(0, 0, 0, 0, &soon), 0);
    CHECK_ERROR(select(-1, 0, 0, 0, &zero), EINVAL);
    CHECK_EQ(close(ends[0]) | close(ends[1]), 0);
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    CHECK_ERROR(select(count, &readable, 0, 0, &zero), EBADF);
}

static int epoll, event_data;

static int wait_event(int timeout)
{
    struct epoll_event event = {0};
    int count = epoll_wait(epoll, &event, 1, timeout);
    CHECK(count >= 0);
    event_data = (int)event.data.u32;
    return count == 0 ? 0 : (int)event.events;
}

static void add(int fd, unsigned events)
{
    struct epoll_event event = {events, {.u32 = (unsigned)fd}};
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void change(int operation, int fd, unsigned events)
{
    struct epoll_event event = {events, {.u32 = (unsigned)fd}};
    CHECK_EQ(epoll_ctl(epoll, operation, fd, &event), 0);
}

/* Does a level-triggered item report as long as it is ready, and its data with it? */
TEST(epoll_level)
{
    char byte;
    make_pipe();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK_EQ(fcntl(epoll, F_GETFD), FD_CLOEXEC);
    add(ends[0], EPOLLIN);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(write(ends[1], "xy", 2), 2);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(wait_event(-1), EPOLLIN);
        CHECK_EQ(event_data, ends[0]);
    }
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(wait_event(0), EPOLLIN);
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(wait_event(0), EPOLLHUP);
    CHECK_EQ(close(ends[0]), 0);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(close(epoll), 0);
}

/* Does an edge-triggered item report once per arrival, and a one-shot item once until it is armed again? */
TEST(epoll_edge_and_oneshot)
{
    make_pipe();
    epoll = epoll_create1(0);
    add(ends[0], EPOLLIN | EPOLLET);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(wait_event(0), EPOLLIN);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(wait_event(0), EPOLLIN);
    CHECK_EQ(wait_event(0), 0);
    change(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET);
    CHECK_EQ(wait_event(0), EPOLLIN);
    change(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT);
    CHECK_EQ(wait_event(0), EPOLLIN);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(wait_event(0), 0);
    change(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT);
    CHECK_EQ(wait_event(0), EPOLLIN);
    change(EPOLL_CTL_DEL, ends[0], 0);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(close(ends[0]) | close(ends[1]) | close(epoll), 0);
}

/* Is an epoll ready when one of its items is, seen from another epoll and from poll? */
TEST(epoll_nested)
{
    make_pipe();
    int inner = epoll_create1(0), outer = epoll_create1(0);
    epoll = inner;
    add(ends[0], EPOLLIN);
    epoll = outer;
    add(inner, EPOLLIN);
    CHECK_EQ(wait_event(0), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(poll_one(outer, POLLIN), POLLIN);
    CHECK_EQ(wait_event(0), EPOLLIN);
    CHECK_EQ(event_data, inner);
    struct epoll_event event = {EPOLLIN, {0}};
    CHECK_ERROR(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event), ELOOP);
    CHECK_EQ(close(inner) | close(outer) | close(ends[0]) | close(ends[1]), 0);
}

/* Are many ready items all reported, a few at a time, in turn? */
TEST(epoll_many)
{
    enum { COUNT = 100 };
    int fds[COUNT], seen[COUNT] = {0};
    struct epoll_event events[7];
    epoll = epoll_create1(0);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = eventfd(1, 0);
        struct epoll_event event = {EPOLLIN, {.u64 = (uint64_t)i | 0xabcdef0000000000}};
        CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event), 0);
    }
    for (int round = 0; round < 30; round++) {
        int count = epoll_wait(epoll, events, 7, 0);
        CHECK_EQ(count, 7);
        for (int i = 0; i < count; i++) {
            CHECK_EQ(events[i].data.u64 >> 32, 0xabcdef00);
            seen[(uint32_t)events[i].data.u64]++;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(seen[i] > 0);
        CHECK_EQ(close(fds[i]), 0);
    }
    CHECK_EQ(close(epoll), 0);
}

/* Which arguments are refused? */
TEST(epoll_errors)
{
    struct epoll_event event = {EPOLLIN, {0}};
    make_pipe();
    epoll = epoll_create1(0);
    add(ends[0], EPOLLIN);
    int file = open("file", O_RDWR | O_CREAT, 0644);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &event), ENOENT);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], 0), ENOENT);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event), EINVAL);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, 9999, &event), EBADF);
    CHECK_ERROR(epoll_ctl(epoll, 99, ends[1], &event), EINVAL);
    CHECK_ERROR(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event), EINVAL);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], bad_null), EFAULT);
    CHECK_ERROR(epoll_wait(epoll, &event, 0, 0), EINVAL);
    CHECK_ERROR(epoll_wait(file, &event, 1, 0), EINVAL);
    CHECK_ERROR(epoll_create1(1), EINVAL);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_ERROR(syscall(SYS_epoll_wait, epoll, bad_kernel, 1, 0), EFAULT);
    CHECK_EQ(close(file) | close(epoll) | close(ends[0]) | close(ends[1]), 0);
}

static void *add_one(void *fd)
{
    uint64_t one = 1;
    sleep_ms(20);
    return (void *)(intptr_t)(write((int)(intptr_t)fd, &one, 8) != 8);
}

/* Does epoll_wait wait for an arrival, its time, and an item added meanwhile? */
TEST(epoll_waits)
{
    pthread_t thread;
    uint64_t value;
    int fd = eventfd(0, 0);
    epoll = epoll_create1(0);
    long long start = now_ns();
    CHECK_EQ(wait_event(30), 0);
    CHECK(now_ns() - start >= 29000000);
    add(fd, EPOLLIN | EPOLLET);
    CHECK_EQ(pthread_create(&thread, 0, add_one, (void *)(intptr_t)fd), 0);
    CHECK_EQ(wait_event(-1), EPOLLIN);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(close(fd) | close(epoll), 0);
}

/* Does a timerfd expire once, again and again, tell how often, and report its setting? */
TEST(timerfd_expirations)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    uint64_t count = 0;
    struct itimerspec once = {{0, 0}, {0, 20000000}}, often = {{0, 5000000}, {0, 5000000}}, off = {{0, 0}, {0, 0}}, now;
    CHECK_ERROR(read(fd, &count, 8), EAGAIN);
    CHECK_EQ(timerfd_settime(fd, 0, &once, 0), 0);
    CHECK_EQ(timerfd_gettime(fd, &now), 0);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
    struct pollfd item = {fd, POLLIN, 0};
    long long start = now_ns();
    CHECK_EQ(poll(&item, 1, 5000), 1);
    CHECK(now_ns() - start >= 15000000);
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
    CHECK_EQ(timerfd_gettime(fd, &now), 0);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    CHECK_EQ(timerfd_settime(fd, 0, &often, 0), 0);
    sleep_ms(52);
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK(count >= 10);
    CHECK_EQ(timerfd_settime(fd, 0, &off, &now), 0);
    CHECK_EQ(now.it_interval.tv_nsec, 5000000);
    CHECK_ERROR(read(fd, &count, 4), EINVAL);
    CHECK_EQ(close(fd), 0);
    CHECK_ERROR(timerfd_create(99, 0), EINVAL);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    clock_gettime(CLOCK_REALTIME, &once.it_value);
    once.it_value.tv_sec -= 1;
    CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &once, 0), 0);
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
    CHECK_EQ(close(fd), 0);
}

/* Does inotify accept watches, count them up and refuse nonsense? */
TEST(inotify_watches)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char buffer[512];
    CHECK(fd >= 0);
    write_file("watched", "");
    int first = inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE), second = inotify_add_watch(fd, "watched", IN_MODIFY);
    CHECK(first > 0 && second > first);
    CHECK_EQ(inotify_add_watch(fd, ".", IN_CREATE), first);
    CHECK_ERROR(inotify_add_watch(fd, "absent", IN_CREATE), ENOENT);
    CHECK_ERROR(inotify_add_watch(fd, ".", 0), EINVAL);
    CHECK_ERROR(read(fd, buffer, sizeof buffer), EAGAIN);
    CHECK_EQ(poll_one(fd, POLLIN), 0);
    CHECK_EQ(inotify_rm_watch(fd, second), 0);
    CHECK_ERROR(inotify_rm_watch(fd, 999), EINVAL);
    CHECK_EQ(close(fd), 0);
    CHECK_ERROR(inotify_init1(1), EINVAL);
}
