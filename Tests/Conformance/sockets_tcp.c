/*
 * TCP over the loopback: names, connections, bytes, and how they end, for IPv4 and IPv6.
 * Source of truth: tcp(7), ip(7), ipv6(7), connect(2), accept(2), shutdown(2), socket(7).
 */
#include "sockets.h"

static int pair[2];

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct sockaddr_in6 loopback6(int port)
{
    return (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
}

static int port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

/* A socket that listens on 127.0.0.1 at a port of the kernel's choice. */
static int listening(int backlog)
{
    struct sockaddr_in name = loopback(0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(listen(fd, backlog), 0);
    return fd;
}

static int connect_to(int fd, int port)
{
    struct sockaddr_in name = loopback(port);
    return connect(fd, (struct sockaddr *)&name, sizeof name);
}

/* pair[0] connected, pair[1] accepted. */
static void open_pair(void)
{
    int listener = listening(1);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect_to(pair[0], port_of(listener)), 0);
    pair[1] = accept(listener, 0, 0);
    CHECK(pair[1] >= 0);
    CHECK_EQ(close(listener), 0);
}

static void close_pair(void) { close_all(2, pair[0], pair[1]); }

/* Waits until poll tells all of the events, for at most five seconds; returns what there is. */
static int wait_events(int fd, int events)
{
    struct pollfd poller = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    for (int i = 0; i < 500; i++) {
        CHECK(poll(&poller, 1, 0) >= 0);
        if ((poller.revents & events) == events)
            break;
        sleep_ms(10);
    }
    return poller.revents;
}

/* Which types and protocols are refused? */
TEST(tcp_socket_arguments)
{
    int two[2];
    CHECK_ERROR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERROR(socket(AF_INET6, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERROR(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    CHECK_ERROR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERROR(socket(AF_INET, SOCK_STREAM, -1), EINVAL);
    CHECK_ERROR(socketpair(AF_INET, SOCK_STREAM, 0, two), EOPNOTSUPP);
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(ready_events(fd), POLLOUT | POLLHUP);
    CHECK_EQ(close(fd), 0);
}

/* Which addresses can a socket take, and what are the errors? */
TEST(tcp_bind)
{
    struct sockaddr_in name = loopback(0), told;
    struct sockaddr_in6 name6 = loopback6(0);
    socklen_t length = sizeof told;
    int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0), fd6 = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(length, sizeof told);
    CHECK(told.sin_family == AF_INET && told.sin_port == 0 && told.sin_addr.s_addr == 0);
    CHECK_ERROR(getpeername(fd, (struct sockaddr *)&told, &length), ENOTCONN);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&name, 15), EINVAL);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&name6, sizeof name6), EAFNOSUPPORT);
    CHECK_ERROR(bind(fd6, (struct sockaddr *)&name, sizeof name), EINVAL);
    name6.sin6_family = AF_INET;
    CHECK_ERROR(bind(fd6, (struct sockaddr *)&name6, sizeof name6), EAFNOSUPPORT);
    name.sin_addr.s_addr = htonl(0xc6336401);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&name, sizeof name), EADDRNOTAVAIL);
    name.sin_addr.s_addr = htonl(0x7f010203);
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&name, sizeof name), EINVAL);
    length = sizeof told;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK(told.sin_port != 0);
    CHECK_EQ(told.sin_addr.s_addr, name.sin_addr.s_addr);
    name.sin_port = told.sin_port;
    CHECK_ERROR(bind(other, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    name.sin_addr.s_addr = INADDR_ANY;
    CHECK_ERROR(bind(other, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(other, (struct sockaddr *)&name, sizeof name), 0);
    close_all(3, fd, other, fd6);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    name = (struct sockaddr_in){.sin_family = AF_UNSPEC};
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(close(fd), 0);
}

/* Do SO_REUSEADDR and SO_REUSEPORT decide who shares a port? */
TEST(tcp_reuse)
{
    struct sockaddr_in name = loopback(0);
    int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1) | set_option(second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(bind(first, (struct sockaddr *)&name, sizeof name), 0);
    name.sin_port = htons((uint16_t)port_of(first));
    CHECK_EQ(bind(second, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(listen(first, 1), 0);
    CHECK_ERROR(listen(second, 1), EADDRINUSE);
    int third = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_option(third, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_ERROR(bind(third, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    close_all(3, first, second, third);
    first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_REUSEPORT, 1) | set_option(second, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    name.sin_port = 0;
    CHECK_EQ(bind(first, (struct sockaddr *)&name, sizeof name), 0);
    name.sin_port = htons((uint16_t)port_of(first));
    CHECK_EQ(bind(second, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(listen(first, 1) | listen(second, 1), 0);
    third = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(bind(third, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    close_all(3, first, second, third);
}

/* Is a connection made, with names for both ends? */
TEST(tcp_connect)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    int listener = listening(4), port = port_of(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect_to(fd, port), 0);
    CHECK_ERROR(connect_to(fd, port), EISCONN);
    CHECK_EQ(ready_events(listener), POLLIN);
    int accepted = accept4(listener, (struct sockaddr *)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(accepted >= 0);
    CHECK_EQ(length, sizeof name);
    CHECK_EQ(ntohs(name.sin_port), port_of(fd));
    CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(fcntl(accepted, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(port_of(accepted), port);
    length = sizeof name;
    CHECK_EQ(getpeername(fd, (struct sockaddr *)&name, &length), 0);
    CHECK_EQ(ntohs(name.sin_port), port);
    CHECK_EQ(ready_events(fd), POLLOUT);
    CHECK_EQ(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    CHECK_ERROR(accept(listener, 0, 0), EAGAIN);
    /* Connecting to 0.0.0.0 means this host. */
    int any = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in none = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    CHECK_EQ(connect(any, (struct sockaddr *)&none, sizeof none), 0);
    close_all(4, fd, accepted, any, listener);
}

/* Who cannot be connected to? */
TEST(tcp_connect_errors)
{
    struct sockaddr_in name = loopback(1);
    struct sockaddr_in6 name6 = loopback6(1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name, 1), EINVAL);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name, 15), EINVAL);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name6, sizeof name6), EAFNOSUPPORT);
    CHECK_ERROR(connect(fd, bad_null, sizeof name), EFAULT);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name, sizeof name), ECONNREFUSED);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_ERROR(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERROR(recv(fd, &name, 1, 0), ENOTCONN);
    CHECK_ERROR(shutdown(fd, SHUT_WR), ENOTCONN);
    name.sin_addr.s_addr = htonl(0xe0000001);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name, sizeof name), ENETUNREACH);
    CHECK_EQ(close(fd), 0);
    /* A socket can try again. */
    int listener = listening(1);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    name = loopback(1);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name, sizeof name), ECONNREFUSED);
    CHECK_EQ(connect_to(fd, port_of(listener)), 0);
    CHECK_ERROR(listen(fd, 1), EINVAL);
    CHECK_ERROR(connect_to(listener, port_of(listener)), EISCONN);
    CHECK_ERROR(accept(fd, 0, 0), EINVAL);
    CHECK_ERROR(send(listener, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERROR(recv(listener, &name, 1, 0), ENOTCONN);
    close_all(2, fd, listener);
}

/* Does a connect that does not wait begin, and poll and SO_ERROR tell how it ended? */
TEST(tcp_connect_nonblocking)
{
    struct sockaddr_in name = loopback(1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&name, sizeof name), EINPROGRESS);
    CHECK_EQ(wait_events(fd, POLLOUT), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(close(fd), 0);
    int listener = listening(1);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERROR(connect_to(fd, port_of(listener)), EINPROGRESS);
    CHECK_EQ(wait_events(fd, POLLOUT), POLLOUT);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(connect_to(fd, port_of(listener)), 0);
    CHECK_ERROR(connect_to(fd, port_of(listener)), EISCONN);
    char byte;
    CHECK_ERROR(recv(fd, &byte, 1, 0), EAGAIN);
    close_all(2, fd, listener);
}

/* Do bytes come out in order, in whatever pieces, by all the calls there are? */
TEST(tcp_bytes)
{
    char text[16];
    struct iovec from[2] = {{"scat", 4}, {"ter", 3}}, to[2] = {{text, 3}, {text + 3, 13}};
    struct msghdr message = {.msg_iov = to, .msg_iovlen = 2};
    open_pair();
    CHECK_EQ(write(pair[0], "hello", 5) + send(pair[0], "wor", 3, 0) + sendto(pair[0], "ld", 2, 0, 0, 0), 10);
    CHECK_EQ(recv(pair[1], text, 10, MSG_WAITALL | MSG_PEEK), 10);
    CHECK_EQ(waiting_bytes(pair[1]), 10);
    CHECK_EQ(read(pair[1], text, 7), 7);
    CHECK_EQ(recv(pair[1], text + 7, 9, 0), 3);
    CHECK(memcmp(text, "helloworld", 10) == 0);
    CHECK_EQ(writev(pair[1], from, 2), 7);
    CHECK_EQ(recvmsg(pair[0], &message, 0), 7);
    CHECK_EQ(message.msg_flags, 0);
    CHECK(memcmp(text, "scatter", 7) == 0);
    CHECK_EQ(read(pair[0], text, 0), 0);
    CHECK_EQ(send(pair[0], text, 0, 0), 0);
    CHECK_ERROR(recv(pair[0], text, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_ERROR(send(pair[0], bad_null, 1, 0), EFAULT);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    CHECK_EQ(wait_events(pair[1], POLLIN), POLLIN | POLLOUT);
    CHECK_ERROR(recv(pair[1], bad_null, 1, 0), EFAULT);
    CHECK_EQ(recv(pair[1], text, 8, MSG_TRUNC), 1);
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    CHECK_EQ(write(pair[0], "y", 1), 1);
    CHECK_EQ(recvfrom(pair[1], text, 1, 0, (struct sockaddr *)&name, &length), 1);
    CHECK_EQ(length, 0);
    close_pair();
}

static void *write_much(void *argument)
{
    static unsigned char block[3000000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(i % 251);
    ssize_t written = write(pair[0], block, sizeof block);
    shutdown(pair[0], SHUT_WR);
    return written == sizeof block ? 0 : argument;
}

/* Does a write larger than all buffers wait until all is read? */
TEST(tcp_large_write)
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
    CHECK_EQ(total, 3000000);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == 0);
    close_pair();
}

/* Is a socket full at some time, not writable then, and writable again when the other end has read? */
TEST(tcp_full)
{
    static char block[100000];
    long total = 0;
    ssize_t count;
    open_pair();
    CHECK_EQ(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    for (int idle = 0; idle < 20;) {
        count = write(pair[0], block, sizeof block);
        if (count > 0) {
            total += count;
            continue;
        }
        CHECK_EQ(errno, EAGAIN);
        sleep_ms(5);
        idle++;
    }
    CHECK_EQ(ready_events(pair[0]), 0);
    int unsent = 0;
    CHECK_EQ(ioctl(pair[0], SIOCOUTQ, &unsent), 0);
    CHECK(unsent > 0);
    CHECK_EQ(fcntl(pair[0], F_SETFL, 0), 0);
    CHECK_EQ(set_timeout(pair[0], SO_SNDTIMEO, 30), 0);
    CHECK_ERROR(write(pair[0], block, 1), EAGAIN);
    while (total > 0) {
        count = read(pair[1], block, sizeof block);
        CHECK(count > 0);
        total -= count;
    }
    CHECK_EQ(wait_events(pair[0], POLLOUT), POLLOUT);
    close_pair();
}

static void write_value(struct later *later) { CHECK_EQ(write(later->fd, "efgh", (size_t)later->value), later->value); }
static void close_fd(struct later *later) { close(later->fd); }

/* Does recv wait for the first byte, with MSG_WAITALL for more, and for no longer than SO_RCVTIMEO? */
TEST(tcp_waits)
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
    sleep_ms(20);
    CHECK_EQ(ready_events(pair[1]), POLLOUT);
    CHECK_EQ(write(pair[0], "abc", 3), 3);
    CHECK_EQ(wait_events(pair[1], POLLIN), POLLIN | POLLOUT);
    CHECK_EQ(recv(pair[1], text, 8, 0), 7);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_RCVLOWAT, 1), 0);
    CHECK_EQ(set_timeout(pair[1], SO_RCVTIMEO, 30), 0);
    CHECK_ERROR(recv(pair[1], text, 8, 0), EAGAIN);
    CHECK_EQ(set_timeout(pair[1], SO_RCVTIMEO, 0), 0);
    CHECK_EQ(write(pair[0], "abcd", 4), 4);
    start_later(&later, close_fd, pair[0], 0);
    CHECK_EQ(recv(pair[1], text, 8, MSG_WAITALL), 4);
    join_later(&later);
    CHECK_EQ(recv(pair[1], text, 8, 0), 0);
    CHECK_EQ(close(pair[1]), 0);
}
