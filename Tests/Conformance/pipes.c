/*
 * Pipes and eventfd: contents, limits, blocking, ends that close.
 * Source of truth: pipe(7), pipe2(2), eventfd(2).
 */
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

static int ends[2];

static void make_pipe(int flags) { CHECK_EQ(pipe2(ends, flags), 0); }
static void close_pipe(void) { CHECK_EQ(close(ends[0]) | close(ends[1]), 0); }

/* Do bytes come out in order, in whatever pieces, and how many wait? */
TEST(pipe_bytes)
{
    char text[16];
    int waiting;
    make_pipe(0);
    CHECK_EQ(write(ends[1], "hello", 5) + write(ends[1], "world", 5), 10);
    CHECK_EQ(ioctl(ends[0], FIONREAD, &waiting), 0);
    CHECK_EQ(waiting, 10);
    CHECK_EQ(read(ends[0], text, 7), 7);
    CHECK_EQ(read(ends[0], text + 7, 9), 3);
    CHECK(memcmp(text, "helloworld", 10) == 0);
    CHECK_EQ(read(ends[0], text, 0), 0);
    CHECK_EQ(write(ends[1], text, 0), 0);
    CHECK_ERROR(read(ends[1], text, 1), EBADF);
    CHECK_ERROR(write(ends[0], text, 1), EBADF);
    close_pipe();
}

/* Is the end of file seen when the last writer has gone, after what is left? */
TEST(pipe_end_of_file)
{
    char text[4];
    make_pipe(0);
    int second = dup(ends[1]);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(read(ends[0], text, 4), 1);
    CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    CHECK_ERROR(read(ends[0], text, 4), EAGAIN);
    CHECK_EQ(close(second), 0);
    CHECK_EQ(read(ends[0], text, 4), 0);
    CHECK_EQ(close(ends[0]), 0);
}

/* Does a pipe hold 64 KB, refuse more without blocking, and take small writes whole or not at all? */
TEST(pipe_capacity)
{
    static char block[70000];
    make_pipe(O_NONBLOCK | O_CLOEXEC);
    CHECK_EQ(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
    CHECK_EQ(fcntl(ends[1], F_GETPIPE_SZ), 65536);
    CHECK_ERROR(read(ends[0], block, 1), EAGAIN);
    CHECK_EQ(write(ends[1], block, sizeof block), 65536);
    CHECK_ERROR(write(ends[1], block, 1), EAGAIN);
    CHECK_EQ(read(ends[0], block, 4096), 4096);
    CHECK_EQ(write(ends[1], block, 4096), 4096);
    CHECK_EQ(read(ends[0], block, sizeof block), 65536);
    CHECK_EQ(write(ends[1], block, 65536 - 100), 65536 - 100);
    CHECK_ERROR(pipe2(ends, 0x40000000), EINVAL);
    close_pipe();
}

static void *write_much(void *argument)
{
    static unsigned char block[300000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(i % 251);
    ssize_t written = write(ends[1], block, sizeof block);
    close(ends[1]);
    return written == sizeof block ? 0 : argument;
}

/* Does a write larger than the pipe block until all is read? */
TEST(pipe_blocking_write)
{
    pthread_t thread;
    void *result;
    unsigned char piece[1000];
    size_t total = 0;
    make_pipe(0);
    CHECK_EQ(pthread_create(&thread, 0, write_much, ends), 0);
    for (ssize_t length; (length = read(ends[0], piece, sizeof piece)) != 0; total += (size_t)length) {
        CHECK(length > 0);
        for (ssize_t i = 0; i < length; i++)
            CHECK_EQ(piece[i], (total + (size_t)i) % 251);
    }
    CHECK_EQ(total, 300000);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == 0);
    CHECK_EQ(close(ends[0]), 0);
}

static void *write_records(void *argument)
{
    char record[512];
    memset(record, (int)(intptr_t)argument, sizeof record);
    for (int i = 0; i < 400; i++)
        if (write(ends[1], record, sizeof record) != sizeof record)
            return argument;
    return 0;
}

/* Are writes up to PIPE_BUF whole when several threads write? */
TEST(pipe_atomic_writes)
{
    pthread_t threads[4];
    char record[512];
    make_pipe(0);
    for (intptr_t i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, write_records, (void *)('a' + i)), 0);
    for (int i = 0; i < 1600; i++) {
        for (size_t got = 0; got < sizeof record;) {
            ssize_t length = read(ends[0], record + got, sizeof record - got);
            CHECK(length > 0);
            got += (size_t)length;
        }
        for (int j = 1; j < 512; j++)
            CHECK_EQ(record[j], record[0]);
    }
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result == 0);
    }
    close_pipe();
}

static void *close_later(void *fd)
{
    sleep_ms(20);
    close((int)(intptr_t)fd);
    return 0;
}

/* Is a reader that waits woken by the end of the last writer? */
TEST(pipe_reader_woken_by_close)
{
    pthread_t thread;
    char byte;
    make_pipe(0);
    CHECK_EQ(pthread_create(&thread, 0, close_later, (void *)(intptr_t)ends[1]), 0);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(close(ends[0]), 0);
}

/* Does an eventfd add what is written and give the sum, or ones as a semaphore? */
TEST(eventfd_counts)
{
    int fd = eventfd(3, EFD_NONBLOCK);
    uint64_t value = 4;
    CHECK_EQ(write(fd, &value, 8), 8);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 7);
    CHECK_ERROR(read(fd, &value, 8), EAGAIN);
    CHECK_ERROR(read(fd, &value, 7), EINVAL);
    CHECK_ERROR(write(fd, &value, 4), EINVAL);
    value = UINT64_MAX;
    CHECK_ERROR(write(fd, &value, 8), EINVAL);
    value = UINT64_MAX - 1;
    CHECK_EQ(write(fd, &value, 8), 8);
    value = 1;
    CHECK_ERROR(write(fd, &value, 8), EAGAIN);
    CHECK_EQ(close(fd), 0);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(read(fd, &value, 8), 8);
        CHECK_EQ(value, 1);
    }
    CHECK_ERROR(read(fd, &value, 8), EAGAIN);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(close(fd), 0);
    CHECK_ERROR(eventfd(0, 0x10), EINVAL);
}

static void *add_one(void *fd)
{
    uint64_t one = 1;
    sleep_ms(20);
    return (void *)(intptr_t)(write((int)(intptr_t)fd, &one, 8) != 8);
}

/* Does a read of an empty eventfd wait for a write? */
TEST(eventfd_blocks)
{
    pthread_t thread;
    uint64_t value = 0;
    int fd = eventfd(0, 0);
    CHECK_EQ(pthread_create(&thread, 0, add_one, (void *)(intptr_t)fd), 0);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 1);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(close(fd), 0);
}
