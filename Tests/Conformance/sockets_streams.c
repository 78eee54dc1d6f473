/*
 * Bytes over connected stream sockets of AF_UNIX: order, waiting, ends, flags of send and recv.
 * Source of truth: unix(7), send(2), recv(2), shutdown(2), socket(7), poll(2).
 */
#include "sockets.h"

static int pair[2];

static void open_pair(void) { unix_pair(SOCK_STREAM, pair); }
static void close_pair(void) { close_all(2, pair[0], pair[1]); }

/* Do bytes come out in order in whatever pieces, and how many wait? */
TEST(stream_bytes)
{
    char text[16];
    open_pair();
    CHECK_EQ(write(pair[0], "hello", 5) + send(pair[0], "wor", 3, 0) + sendto(pair[0], "ld", 2, 0, 0, 0), 10);
    CHECK_EQ(waiting_bytes(pair[1]), 10);
    CHECK_EQ(read(pair[1], text, 7), 7);
    CHECK_EQ(recv(pair[1], text + 7, 9, 0), 3);
    CHECK(memcmp(text, "helloworld", 10) == 0);
    CHECK_EQ(waiting_bytes(pair[1]), 0);
    CHECK_EQ(read(pair[1], text, 0), 0);
    CHECK_EQ(write(pair[0], text, 0), 0);
    CHECK_EQ(send(pair[0], text, 0, 0), 0);
    CHECK_EQ(write(pair[1], "back", 4), 4);
    CHECK_EQ(read(pair[0], text, 16), 4);
    CHECK_ERROR(recv(pair[1], text, 1, MSG_DONTWAIT), EAGAIN);
    close_pair();
}

/* Are vectors gathered and scattered? */
TEST(stream_vectors)
{
    char a[4], b[8] = "", c[4] = "";
    struct iovec from[3] = {{"one", 3}, {0, 0}, {"three", 5}}, to[3] = {{a, 2}, {b, 5}, {c, 4}};
    open_pair();
    CHECK_EQ(writev(pair[0], from, 3), 8);
    CHECK_EQ(readv(pair[1], to, 3), 8);
    CHECK(memcmp(a, "on", 2) == 0 && memcmp(b, "ethre", 5) == 0 && c[0] == 'e');
    CHECK_ERROR(writev(pair[0], from, -1), EINVAL);
    CHECK_ERROR(readv(pair[0], bad_null, 2), EFAULT);
    close_pair();
}

/* Does a look leave bytes where they are? */
TEST(stream_peek)
{
    char text[8];
    open_pair();
    CHECK_EQ(write(pair[0], "abc", 3) + write(pair[0], "def", 3), 6);
    CHECK_EQ(recv(pair[1], text, 2, MSG_PEEK), 2);
    CHECK_EQ(recv(pair[1], text, 8, MSG_PEEK), 6);
    CHECK(memcmp(text, "abcdef", 6) == 0);
    CHECK_EQ(recv(pair[1], text, 4, 0), 4);
    CHECK_EQ(recv(pair[1], text, 8, MSG_PEEK), 2);
    CHECK(memcmp(text, "ef", 2) == 0);
    CHECK_EQ(waiting_bytes(pair[1]), 2);
    close_pair();
}

static void write_value(struct later *later) { CHECK_EQ(write(later->fd, "efgh", (size_t)later->value), later->value); }
static void close_fd(struct later *later) { close(later->fd); }
static void shut_fd(struct later *later) { shutdown(later->fd, later->value); }

/* Does recv wait for the first byte, or with MSG_WAITALL or SO_RCVLOWAT for more, and end early at the end? */
TEST(stream_waits)
{
    char text[8];
    struct later later;
    open_pair();
    start_later(&later, write_value, pair[0], 1);
    CHECK_EQ(recv(pair[1], text, 8, 0), 1);
    join_later(&later);
    CHECK_EQ(write(pair[0], "abcd", 4), 4);
    start_later(&later, write_value, pair[0], 4);
    CHECK_EQ(recv(pair[1], text, 8, MSG_WAITALL), 8);
    CHECK(memcmp(text, "abcdefgh", 8) == 0);
    join_later(&later);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_RCVLOWAT, 6), 0);
    CHECK_EQ(write(pair[0], "abcd", 4), 4);
    start_later(&later, write_value, pair[0], 3);
    CHECK_EQ(recv(pair[1], text, 8, 0), 7);
    join_later(&later);
    CHECK_EQ(write(pair[0], "abcd", 4), 4);
    CHECK_EQ(recv(pair[1], text, 8, MSG_DONTWAIT), 4);
    CHECK_EQ(write(pair[0], "abcd", 4), 4);
    start_later(&later, close_fd, pair[0], 0);
    CHECK_EQ(recv(pair[1], text, 8, MSG_WAITALL), 4);
    join_later(&later);
    CHECK_EQ(recv(pair[1], text, 8, MSG_WAITALL), 0);
    CHECK_EQ(close(pair[1]), 0);
}

/* Do SO_RCVTIMEO and SO_SNDTIMEO end the waiting? */
TEST(stream_timeouts)
{
    static char block[70000];
    char byte;
    open_pair();
    CHECK_EQ(set_timeout(pair[0], SO_RCVTIMEO, 30) | set_timeout(pair[0], SO_SNDTIMEO, 30), 0);
    long long start = now_ns();
    CHECK_ERROR(read(pair[0], &byte, 1), EAGAIN);
    CHECK(now_ns() - start >= 29000000);
    ssize_t sent;
    long total = 0;
    while ((sent = write(pair[0], block, sizeof block)) > 0)
        total += sent;
    CHECK_EQ(sent, -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK(total > 100000);
    CHECK_EQ(waiting_bytes(pair[1]), total);
    CHECK_EQ(ready_events(pair[0]), 0);
    CHECK_ERROR(send(pair[0], "x", 1, MSG_DONTWAIT), EAGAIN);
    while (total > 0) {
        ssize_t got = read(pair[1], block, sizeof block);
        CHECK(got > 0);
        total -= got;
    }
    CHECK_EQ(total, 0);
    CHECK_EQ(ready_events(pair[0]), POLLOUT);
    close_pair();
}

static void *write_much(void *argument)
{
    static unsigned char block[1000000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(i % 251);
    ssize_t written = write(pair[0], block, sizeof block);
    close(pair[0]);
    return written == sizeof block ? 0 : argument;
}

/* Does a write larger than the buffer wait until all is read? */
TEST(stream_large_write)
{
    pthread_t thread;
    void *result;
    static unsigned char piece[10007];
    size_t total = 0;
    open_pair();
    CHECK_EQ(pthread_create(&thread, 0, write_much, pair), 0);
    for (ssize_t length; (length = read(pair[1], piece, sizeof piece)) != 0; total += (size_t)length) {
        CHECK(length > 0);
        for (ssize_t i = 0; i < length; i++)
            CHECK_EQ(piece[i], (total + (size_t)i) % 251);
    }
    CHECK_EQ(total, 1000000);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == 0);
    CHECK_EQ(close(pair[1]), 0);
}

/* Is the end seen after what is left, and told as EPIPE and SIGPIPE to who writes? */
TEST(stream_peer_closes)
{
    char text[4];
    taken_broken_pipes();
    open_pair();
    CHECK_EQ(write(pair[0], "ab", 2), 2);
    CHECK_EQ(close(pair[0]), 0);
    CHECK_EQ(ready_events(pair[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(waiting_bytes(pair[1]), 2);
    CHECK_EQ(read(pair[1], text, 4), 2);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_EQ(recv(pair[1], text, 4, MSG_DONTWAIT), 0);
    CHECK_EQ(taken_broken_pipes(), 0);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    CHECK_ERROR(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 0);
    CHECK_ERROR(send(pair[1], "x", 1, 0), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    CHECK_EQ(getpeername(pair[1], (struct sockaddr *)&address, &length), 0);
    CHECK_EQ(length, 2);
    CHECK_EQ(close(pair[1]), 0);
}

/* Does closing with unread bytes reset the other end? */
TEST(stream_reset)
{
    char text[4];
    taken_broken_pipes();
    open_pair();
    CHECK_EQ(write(pair[1], "unread", 6) + write(pair[0], "ab", 2), 8);
    CHECK_EQ(close(pair[0]), 0);
    CHECK_EQ(ready_events(pair[1]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(pair[1], text, 4), 2);
    CHECK_ERROR(read(pair[1], text, 4), ECONNRESET);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_EQ(ready_events(pair[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    CHECK_EQ(close(pair[1]), 0);
}

/* Does each half of a connection shut by itself? */
TEST(stream_shutdown)
{
    char text[4];
    taken_broken_pipes();
    open_pair();
    CHECK_ERROR(shutdown(pair[0], 3), EINVAL);
    CHECK_ERROR(shutdown(pair[0], -1), EINVAL);
    CHECK_EQ(write(pair[0], "ab", 2), 2);
    CHECK_EQ(shutdown(pair[0], SHUT_WR), 0);
    CHECK_EQ(ready_events(pair[0]), POLLOUT);
    CHECK_EQ(ready_events(pair[1]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(read(pair[1], text, 4), 2);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_ERROR(write(pair[0], "x", 1), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    CHECK_EQ(write(pair[1], "cd", 2), 2);
    CHECK_EQ(shutdown(pair[0], SHUT_RD), 0);
    CHECK_EQ(ready_events(pair[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(pair[0], text, 4), 2);
    CHECK_EQ(read(pair[0], text, 4), 0);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    close_pair();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(ready_events(fd), POLLOUT | POLLHUP);
    CHECK_EQ(shutdown(fd, SHUT_RDWR), 0);
    CHECK_EQ(ready_events(fd), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(close(fd), 0);
}

/* Is a reader that waits woken by the other's end, and a writer? */
TEST(stream_woken)
{
    static char block[400000];
    char byte;
    struct later later;
    taken_broken_pipes();
    open_pair();
    start_later(&later, shut_fd, pair[0], SHUT_WR);
    CHECK_EQ(read(pair[1], &byte, 1), 0);
    join_later(&later);
    start_later(&later, close_fd, pair[0], 0);
    ssize_t sent = write(pair[1], block, sizeof block);
    CHECK(sent > 0 && sent < (ssize_t)sizeof block);
    join_later(&later);
    CHECK_EQ(taken_broken_pipes(), 0);
    CHECK_EQ(close(pair[1]), 0);
    open_pair();
    start_later(&later, shut_fd, pair[1], SHUT_RD);
    CHECK_EQ(read(pair[1], &byte, 1), 0);
    join_later(&later);
    close_pair();
}

/* What do calls say that make no sense on a stream? */
TEST(stream_errors)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, "@none");
    char byte;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(read(fd, &byte, 1), EINVAL);
    CHECK_EQ(read(fd, &byte, 0), 0);
    CHECK_ERROR(write(fd, &byte, 1), ENOTCONN);
    CHECK_ERROR(sendto(fd, &byte, 1, 0, (struct sockaddr *)&address, length), EOPNOTSUPP);
    open_pair();
    CHECK_ERROR(sendto(pair[0], &byte, 1, 0, (struct sockaddr *)&address, length), EISCONN);
    CHECK_EQ(sendto(pair[0], "x", 1, 0, (struct sockaddr *)&address, 0), 1);
    CHECK_ERROR(sendto(pair[0], &byte, 1, 0, bad_null, length), EFAULT);
    CHECK_ERROR(sendto(pair[0], &byte, 1, 0, (struct sockaddr *)&address, 129), EINVAL);
    CHECK_ERROR(send(pair[0], bad_null, 1, 0), EFAULT);
    CHECK_ERROR(send(pair[0], bad_kernel, 1, 0), EFAULT);
    CHECK_ERROR(recv(pair[1], bad_null, 1, 0), EFAULT);
    CHECK_EQ(waiting_bytes(pair[1]), 1);
    CHECK_ERROR(recv(pair[1], bad_kernel, 1, 0), EFAULT);
    CHECK_EQ(recv(pair[1], &byte, 1, 0), 1);
    memset(&address, 0x55, sizeof address);
    CHECK_EQ(write(pair[0], "y", 1), 1);
    length = sizeof address;
    CHECK_EQ(recvfrom(pair[1], &byte, 1, 0, (struct sockaddr *)&address, &length), 1);
    CHECK_EQ(length, 0);
    CHECK_EQ(address.sun_family, 0x5555);
    CHECK_ERROR(listen(pair[0], 1), EINVAL);
    close_pair();
    CHECK_EQ(close(fd), 0);
}

static void interrupt(struct later *later) { (void)later, pthread_kill(check_main_thread, SIGUSR1); }
static void on_signal(int signal) { (void)signal; }

/* Does a signal end the waiting with EINTR, also when SA_RESTART asks for more but a time limit is set? */
TEST(stream_interrupted)
{
    char byte;
    struct later later;
    struct sigaction action = {.sa_handler = on_signal};
    open_pair();
    sigaction(SIGUSR1, &action, 0);
    start_later(&later, interrupt, 0, 0);
    CHECK_ERROR(read(pair[0], &byte, 1), EINTR);
    join_later(&later);
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, 0);
    CHECK_EQ(set_timeout(pair[0], SO_RCVTIMEO, 5000), 0);
    start_later(&later, interrupt, 0, 0);
    CHECK_ERROR(read(pair[0], &byte, 1), EINTR);
    join_later(&later);
    CHECK_EQ(set_timeout(pair[0], SO_RCVTIMEO, 0), 0);
    pthread_t other;
    start_later(&later, interrupt, 0, 0);
    other = later.thread;
    sleep_ms(0);
    struct later writer;
    start_later(&writer, write_value, pair[1], 1);
    CHECK_EQ(read(pair[0], &byte, 1), 1);
    CHECK_EQ(pthread_join(other, 0), 0);
    join_later(&writer);
    close_pair();
}

/* Does sendfile put a file's bytes into a socket, and splice move them between pipe and socket? */
TEST(stream_sendfile)
{
    static char text[70000], back[70000];
    int ends[2];
    off_t offset = 3;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    open_pair();
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(fd, text, sizeof text), sizeof text);
    CHECK_EQ(sendfile(pair[0], fd, &offset, 1000), 1000);
    CHECK_EQ(offset, 1003);
    CHECK_EQ(lseek(fd, 60000, SEEK_SET), 60000);
    CHECK_EQ(sendfile(pair[0], fd, 0, 20000), 10000);
    CHECK_EQ(sendfile(pair[0], fd, 0, 20000), 0);
    CHECK_EQ(recv(pair[1], back, 11000, MSG_WAITALL), 11000);
    CHECK(memcmp(back, text + 3, 1000) == 0 && memcmp(back + 1000, text + 60000, 10000) == 0);
    /* Holes are zeros. */
    CHECK_EQ(pwrite(fd, "end", 3, 99000), 3);
    offset = 69990;
    CHECK_EQ(sendfile(pair[0], fd, &offset, 100000), 29013);
    CHECK_EQ(recv(pair[1], back, 29013, MSG_WAITALL), 29013);
    CHECK(memcmp(back, text + 69990, 10) == 0 && memcmp(back + 29010, "end", 3) == 0);
    for (int i = 10; i < 29010; i++)
        CHECK_EQ(back[i], 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], text, 5000), 5000);
    CHECK_EQ(splice(ends[0], 0, pair[0], 0, 6000, 0), 5000);
    CHECK_EQ(splice(pair[1], 0, ends[1], 0, 6000, 0), 5000);
    CHECK_EQ(read(ends[0], back, 6000), 5000);
    CHECK(memcmp(back, text, 5000) == 0);
    CHECK_ERROR(splice(pair[1], 0, ends[1], 0, 6000, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERROR(splice(pair[1], 0, pair[0], 0, 6000, 0), EINVAL);
    close_all(3, fd, ends[0], ends[1]);
    CHECK_EQ(unlink("file"), 0);
    close_pair();
}
