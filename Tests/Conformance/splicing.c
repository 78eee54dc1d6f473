/*
 * Moving bytes through pipes without the program's memory: splice and tee between pipes, vmsplice, sendfile into what is no file.
 * Splice between pipes and sockets is tested in sockets_streams.c.
 * Source of truth: splice(2), tee(2), vmsplice(2), sendfile(2).
 */
#include "check.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

static void make_pipes(int *first, int *second)
{
    CHECK_EQ(pipe(first) | pipe(second), 0);
}

static void close_pipes(int *first, int *second)
{
    CHECK_EQ(close(first[0]) | close(first[1]) | close(second[0]) | close(second[1]), 0);
}

static char pattern(int at) { return (char)(at * 7 + at / 251); }

static void fill(int fd, int count)
{
    char bytes[1000];
    for (int done = 0; done < count;) {
        int part = count - done < (int)sizeof bytes ? count - done : (int)sizeof bytes;
        for (int i = 0; i < part; i++)
            bytes[i] = pattern(done + i);
        CHECK_EQ(write(fd, bytes, part), part);
        done += part;
    }
}

static void check_pattern(int fd, int count)
{
    char bytes[777];
    for (int done = 0; done < count;) {
        int part = count - done < (int)sizeof bytes ? count - done : (int)sizeof bytes;
        ssize_t length = read(fd, bytes, part);
        CHECK(length > 0);
        for (int i = 0; i < length; i++)
            CHECK_EQ(bytes[i], pattern(done + i));
        done += (int)length;
    }
}

static void check_text(int fd, const char *text)
{
    char bytes[100];
    CHECK_EQ(read(fd, bytes, sizeof bytes), strlen(text));
    CHECK_EQ(memcmp(bytes, text, strlen(text)), 0);
}

/* Does splice move bytes from pipe to pipe, as many as asked for? */
TEST(splice_pipes)
{
    int a[2], b[2];
    make_pipes(a, b);
    CHECK_EQ(write(a[1], "abcdef", 6), 6);
    CHECK_EQ(splice(a[0], 0, b[1], 0, 4, 0), 4);
    check_text(b[0], "abcd");
    CHECK_EQ(splice(a[0], 0, b[1], 0, 100, 0), 2);
    check_text(b[0], "ef");
    CHECK_ERROR(splice(a[0], 0, b[1], 0, 100, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(splice(a[0], 0, b[1], 0, 0, 0), 0);
    close_pipes(a, b);
}

/* Do many bytes arrive whole and in order, at odd places in both rings? */
TEST(splice_many)
{
    int a[2], b[2];
    make_pipes(a, b);
    char skipped[3000];
    for (int round = 0; round < 5; round++) {
        CHECK_EQ(write(b[1], skipped, 1000 + round * 333), 1000 + round * 333);
        CHECK_EQ(read(b[0], skipped, 1000 + round * 333), 1000 + round * 333);
        fill(a[1], 40000);
        for (int done = 0; done < 40000;) {
            ssize_t moved = splice(a[0], 0, b[1], 0, 17777, 0);
            CHECK(moved > 0);
            done += (int)moved;
        }
        check_pattern(b[0], 40000);
    }
    close_pipes(a, b);
}

static int delayed[2];

static void *write_later(void *argument)
{
    sleep_ms(30);
    if (argument)
        (void)!write(delayed[1], "late", 4);
    else
        close(delayed[1]);
    return 0;
}

/* Does splice wait for the first bytes, and end when nobody writes any more? */
TEST(splice_waits)
{
    int b[2];
    pthread_t thread;
    make_pipes(delayed, b);
    CHECK_EQ(pthread_create(&thread, 0, write_later, "x"), 0);
    CHECK_EQ(splice(delayed[0], 0, b[1], 0, 100, 0), 4);
    CHECK_EQ(pthread_join(thread, 0), 0);
    check_text(b[0], "late");
    CHECK_EQ(pthread_create(&thread, 0, write_later, 0), 0);
    CHECK_EQ(splice(delayed[0], 0, b[1], 0, 100, 0), 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(close(delayed[0]) | close(b[0]) | close(b[1]), 0);
}

/* Does tee leave the bytes where they are? */
TEST(tee_copies)
{
    int a[2], b[2];
    make_pipes(a, b);
    CHECK_EQ(write(a[1], "abcdef", 6), 6);
    CHECK_EQ(tee(a[0], b[1], 3, 0), 3);
    CHECK_EQ(tee(a[0], b[1], 100, 0), 6);
    check_text(b[0], "abcabcdef");
    check_text(a[0], "abcdef");
    CHECK_ERROR(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(tee(a[0], b[1], 0, 0), 0);
    fill(a[1], 30000);
    CHECK_EQ(tee(a[0], b[1], 30000, 0), 30000);
    check_pattern(b[0], 30000);
    check_pattern(a[0], 30000);
    CHECK_EQ(close(a[1]), 0);
    CHECK_EQ(tee(a[0], b[1], 10, 0), 0);
    CHECK_EQ(close(a[0]) | close(b[0]) | close(b[1]), 0);
}

/* Which arguments do splice and tee refuse? */
TEST(splice_errors)
{
    int a[2], b[2], file = open("spliced", O_RDWR | O_CREAT, 0600), appending = open("spliced", O_WRONLY | O_APPEND);
    off64_t offset = 0;
    make_pipes(a, b);
    CHECK_EQ(write(a[1], "abc", 3), 3);
    CHECK_ERROR(splice(a[0], 0, a[1], 0, 1, 0), EINVAL);
    CHECK_ERROR(tee(a[0], a[1], 1, 0), EINVAL);
    CHECK_ERROR(tee(a[0], file, 1, 0), EINVAL);
    CHECK_ERROR(tee(file, b[1], 1, 0), EINVAL);
    CHECK_ERROR(splice(a[0], &offset, b[1], 0, 1, 0), ESPIPE);
    CHECK_ERROR(splice(a[0], 0, b[1], &offset, 1, 0), ESPIPE);
    CHECK_ERROR(splice(file, 0, file, 0, 1, 0), EINVAL);
    CHECK_ERROR(splice(a[0], 0, appending, 0, 1, 0), EINVAL);
    CHECK_ERROR(splice(a[1], 0, b[1], 0, 1, 0), EBADF);
    CHECK_ERROR(splice(a[0], 0, b[0], 0, 1, 0), EBADF);
    CHECK_ERROR(splice(9999, 0, b[1], 0, 1, 0), EBADF);
    CHECK_ERROR(tee(a[0], 9999, 1, 0), EBADF);
    CHECK_ERROR(splice(a[0], 0, b[1], 0, 1, 64), EINVAL);
    CHECK_ERROR(tee(a[0], b[1], 1, 64), EINVAL);
    struct sigaction action = {.sa_handler = SIG_IGN};
    CHECK_EQ(sigaction(SIGPIPE, &action, 0), 0);
    CHECK_EQ(close(b[0]), 0);
    CHECK_ERROR(splice(a[0], 0, b[1], 0, 1, 0), EPIPE);
    CHECK_ERROR(tee(a[0], b[1], 1, 0), EPIPE);
    CHECK_EQ(close(a[0]) | close(a[1]) | close(b[1]) | close(file) | close(appending), 0);
}

/* Does splice write to a file at a place, and read from one? */
TEST(splice_file)
{
    int a[2], b[2], file = open("spliced-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    off64_t offset = 5;
    char content[20];
    make_pipes(a, b);
    CHECK_EQ(write(a[1], "abcdef", 6), 6);
    CHECK_EQ(splice(a[0], 0, file, &offset, 6, 0), 6);
    CHECK_EQ(offset, 11);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 0);
    CHECK_EQ(pread(file, content, sizeof content, 0), 11);
    CHECK_EQ(memcmp(content, "\0\0\0\0\0abcdef", 11), 0);
    CHECK_EQ(lseek(file, 7, SEEK_SET), 7);
    CHECK_EQ(splice(file, 0, b[1], 0, 100, 0), 4);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 11);
    check_text(b[0], "cdef");
    CHECK_EQ(splice(file, 0, b[1], 0, 100, 0), 0);
    CHECK_EQ(close(file), 0);
    close_pipes(a, b);
}

/* Does vmsplice bring memory into a pipe and out again? */
TEST(vmsplice_both_ways)
{
    int a[2];
    char first[] = "one", second[] = "-two", in[3], rest[10] = "";
    struct iovec out[2] = {{first, 3}, {second, 4}}, back[2] = {{in, 3}, {rest, 9}};
    CHECK_EQ(pipe(a), 0);
    CHECK_EQ(vmsplice(a[1], out, 2, 0), 7);
    memset(first, 'x', 3);
    CHECK_EQ(vmsplice(a[0], back, 2, 0), 7);
    CHECK_EQ(memcmp(rest, "-two", 4), 0);
    CHECK_ERROR(vmsplice(a[0], back, 2, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(vmsplice(a[1], out, 0, 0), 0);
    CHECK_ERROR(vmsplice(a[1], out, 2, 64), EINVAL);
    CHECK_ERROR(vmsplice(a[1], out, 2000, 0), EINVAL);
    CHECK_ERROR(vmsplice(a[1], bad_null, 1, 0), EFAULT);
    CHECK_ERROR(vmsplice(9999, out, 1, 0), EBADF);
    int file = open("no-pipe", O_RDWR | O_CREAT, 0600);
    CHECK_ERROR(vmsplice(file, out, 1, 0), EBADF);
    CHECK_EQ(close(file), 0);
    CHECK_EQ(close(a[1]), 0);
    CHECK_EQ(vmsplice(a[0], back, 2, 0), 0);
    CHECK_EQ(close(a[0]), 0);
}

/* Does vmsplice take what fits, and wait only when nothing does? */
TEST(vmsplice_what_fits)
{
    int a[2];
    static char bytes[100000];
    struct iovec out = {bytes, sizeof bytes};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern((int)i);
    CHECK_EQ(pipe(a), 0);
    ssize_t taken = vmsplice(a[1], &out, 1, 0);
    CHECK(taken > 0 && taken <= 65536 && taken >= 61440);
    CHECK_ERROR(vmsplice(a[1], &out, 1, SPLICE_F_NONBLOCK), EAGAIN);
    check_pattern(a[0], (int)taken);
    CHECK_EQ(close(a[0]) | close(a[1]), 0);
}

static void *drain(void *argument)
{
    int *result = argument;
    check_pattern(result[0], 200000);
    return 0;
}

/* Does sendfile write to a pipe, also more than it holds? */
TEST(sendfile_pipe)
{
    int a[2], file = open("sent", O_RDWR | O_CREAT | O_TRUNC, 0600);
    pthread_t thread;
    fill(file, 200000);
    CHECK_EQ(pipe(a), 0);
    CHECK_EQ(pthread_create(&thread, 0, drain, a), 0);
    off_t offset = 0;
    while (offset < 200000)
        CHECK(sendfile(a[1], file, &offset, 200000 - (size_t)offset) > 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(offset, 200000);
    CHECK_EQ(fcntl(a[1], F_SETFL, O_NONBLOCK), 0);
    offset = 0;
    while (sendfile(a[1], file, &offset, 200000) > 0)
        ;
    CHECK_EQ(errno, EAGAIN);
    CHECK(offset > 0 && offset <= 65536);
    check_pattern(a[0], (int)offset);
    CHECK_EQ(close(a[0]) | close(a[1]) | close(file), 0);
}

/* Does sendfile write to the standard output, whatever that is? */
TEST(sendfile_output)
{
    int file = open("line", O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t offset = 0;
    CHECK_EQ(write(file, "# by sendfile\n", 14), 14);
    fflush(stdout);
    ssize_t sent = sendfile(1, file, &offset, 14);
    CHECK(sent == 14 || (sent == -1 && errno == EINVAL)); /* Linux refuses files open for appending */
    CHECK_EQ(close(file), 0);
}
