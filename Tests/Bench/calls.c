/*
 * What a system call costs, in ticks of the time-stamp counter: prints one line `NAME TICKS` per operation. How is said in measure.h.
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror calls.c -o calls
 */
#include "measure.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum { PAGE = 4096, FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_PRIVATE_FLAG = 128 };

static char buffer[PAGE];
static int zero_fd, null_fd, file_fd, epoll_fd;

static void call_getppid(int count)
{
    while (count--)
        syscall(SYS_getppid);
}

static void read_zero(int count)
{
    while (count--)
        require(read(zero_fd, buffer, 1) == 1, "read /dev/zero");
}

static void write_null(int count)
{
    while (count--)
        require(write(null_fd, buffer, 1) == 1, "write /dev/null");
}

static void clock_libc(int count)
{
    struct timespec time;
    while (count--)
        clock_gettime(CLOCK_MONOTONIC, &time);
}

static void clock_call(int count)
{
    struct timespec time;
    while (count--)
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
}

static void open_close(int count)
{
    while (count--) {
        int fd = open("/tmp/bench", O_RDONLY);
        require(fd >= 0 && close(fd) == 0, "open /tmp/bench");
    }
}

static void stat_file(int count)
{
    struct stat status;
    while (count--)
        require(stat("/tmp/bench", &status) == 0, "stat /tmp/bench");
}

static void pread_page(int count)
{
    while (count--)
        require(pread(file_fd, buffer, PAGE, 0) == PAGE, "pread /tmp/bench");
}

static void epoll_ready(int count)
{
    struct epoll_event event;
    while (count--)
        require(epoll_wait(epoll_fd, &event, 1, -1) == 1, "epoll_wait");
}

static void yield(int count)
{
    while (count--)
        sched_yield();
}

static void map_unmap(int count)
{
    while (count--) {
        void *page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(page != MAP_FAILED && munmap(page, PAGE) == 0, "mmap");
    }
}

static void map_touch_unmap(int count)
{
    while (count--) {
        char *page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(page != MAP_FAILED, "mmap");
        *(volatile char *)page = 1;
        require(munmap(page, PAGE) == 0, "munmap");
    }
}

/* The mapping that touch_pages faults in: made and thrown away outside the measured time. */
static char *fresh_pages;

static void prepare_pages(int count)
{
    fresh_pages = mmap(0, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(fresh_pages != MAP_FAILED, "mmap");
    madvise(fresh_pages, (size_t)count * PAGE, MADV_NOHUGEPAGE);
    *(volatile char *)(fresh_pages + ((size_t)count - 1) * PAGE) = 1; /* the page-table pages */
}

static void touch_pages(int count)
{
    for (int i = 0; i < count - 1; i++)
        *(volatile char *)(fresh_pages + (size_t)i * PAGE) = 1;
}

static void release_pages(int count) { munmap(fresh_pages, (size_t)count * PAGE); }

static void *nothing(void *argument) { return argument; }

static void thread_create_join(int count)
{
    while (count--) {
        pthread_t thread;
        require(pthread_create(&thread, 0, nothing, 0) == 0 && pthread_join(thread, 0) == 0, "thread");
    }
}

/* The partner of a ping-pong, which answers `remaining` times. */
static pthread_t partner;
static int there[2], back[2];
static atomic_int ball;

static void *answer_pipe(void *argument)
{
    char byte;
    for (intptr_t i = (intptr_t)argument; i > 0; i--)
        require(read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1, "pipe");
    return 0;
}

static int futex_scope; /* FUTEX_PRIVATE_FLAG, or 0: then the kernel has to find out what the word is */

static void wait_for_ball(int side)
{
    while (ball != side)
        syscall(SYS_futex, &ball, FUTEX_WAIT | futex_scope, !side, 0);
}

static void pass_ball(int side)
{
    ball = side;
    syscall(SYS_futex, &ball, FUTEX_WAKE | futex_scope, 1);
}

static void *answer_futex(void *argument)
{
    for (intptr_t i = (intptr_t)argument; i > 0; i--) {
        wait_for_ball(1);
        pass_ball(0);
    }
    return 0;
}

static void prepare_pipe(int count)
{
    require(pthread_create(&partner, 0, answer_pipe, (void *)(intptr_t)count) == 0, "thread");
    sched_yield();
}

static void prepare_futex(int count, int scope)
{
    futex_scope = scope;
    ball = 0;
    require(pthread_create(&partner, 0, answer_futex, (void *)(intptr_t)count) == 0, "thread");
    sched_yield();
}

static void prepare_private_futex(int count) { prepare_futex(count, FUTEX_PRIVATE_FLAG); }

static void prepare_public_futex(int count) { prepare_futex(count, 0); }

static void join_partner(int count)
{
    (void)count;
    pthread_join(partner, 0);
}

static void pipe_ping_pong(int count)
{
    char byte = 0;
    while (count--)
        require(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
}

static void futex_ping_pong(int count)
{
    while (count--) {
        pass_ball(1);
        wait_for_ball(0);
    }
}

/* A ping-pong is a round trip: two wake-ups and two context switches. */
static const struct operation operations[] = {
    {"getppid", call_getppid, 2000, 0, 0},
    {"read-zero-1", read_zero, 2000, 0, 0},
    {"write-null-1", write_null, 2000, 0, 0},
    {"clock-gettime-libc", clock_libc, 2000, 0, 0},
    {"clock-gettime-call", clock_call, 2000, 0, 0},
    {"open-close", open_close, 1000, 0, 0},
    {"stat", stat_file, 1000, 0, 0},
    {"pread-4096", pread_page, 1000, 0, 0},
    {"epoll-wait-ready", epoll_ready, 1000, 0, 0},
    {"sched-yield", yield, 2000, 0, 0},
    {"pipe-ping-pong", pipe_ping_pong, 1000, prepare_pipe, join_partner},
    {"futex-ping-pong", futex_ping_pong, 1000, prepare_private_futex, join_partner},
    {"futex-public-ping-pong", futex_ping_pong, 1000, prepare_public_futex, join_partner},
    {"mmap-munmap", map_unmap, 1000, 0, 0},
    {"mmap-touch-munmap", map_touch_unmap, 1000, 0, 0},
    {"page-fault", touch_pages, 1024, prepare_pages, release_pages},
    {"thread-create-join", thread_create_join, 300, 0, 0},
};

static void open_files(void)
{
    zero_fd = open("/dev/zero", O_RDONLY);
    null_fd = open("/dev/null", O_WRONLY);
    file_fd = open("/tmp/bench", O_RDWR | O_CREAT | O_TRUNC, 0600);
    require(zero_fd >= 0 && null_fd >= 0 && file_fd >= 0, "open");
    require(write(file_fd, buffer, PAGE) == PAGE, "write /tmp/bench");
    require(pipe(there) == 0 && pipe(back) == 0, "pipe");
    epoll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, eventfd(1, 0), &event) == 0, "epoll_ctl");
}

int main(int argc, char **argv)
{
    guest_prepare();
    open_files();
    measure_all(operations, sizeof operations / sizeof *operations, argc, argv);
    unlink("/tmp/bench");
    guest_finish(argc, argv);
    return 0;
}
