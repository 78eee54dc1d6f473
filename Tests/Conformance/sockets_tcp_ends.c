/*
 * How connections of TCP end, urgent bytes, and addresses of both families on one socket.
 * Source of truth: tcp(7), ipv6(7), shutdown(2), socket(7), send(2), recv(2).
 */
#include "sockets.h"

static int pair[2];

static int port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

static int connect_to(int fd, int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return connect(fd, (struct sockaddr *)&name, sizeof name);
}

static int connect_to6(int fd, int port)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return connect(fd, (struct sockaddr *)&name, sizeof name);
}

static void open_pair(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(listener, 1), 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect_to(pair[0], port_of(listener)), 0);
    pair[1] = accept(listener, 0, 0);
    CHECK(pair[1] >= 0);
    CHECK_EQ(close(listener), 0);
}

static void close_pair(void) { close_all(2, pair[0], pair[1]); }

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

/* Is the end seen after the last byte, while the other direction goes on? */
TEST(tcp_shutdown)
{
    char text[4];
    taken_broken_pipes();
    open_pair();
    CHECK_ERROR(shutdown(pair[0], 3), EINVAL);
    CHECK_EQ(write(pair[0], "ab", 2), 2);
    CHECK_EQ(shutdown(pair[0], SHUT_WR), 0);
    CHECK_EQ(wait_events(pair[1], POLLRDHUP), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(recv(pair[1], text, 4, MSG_WAITALL), 2);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_ERROR(write(pair[0], "x", 1), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    CHECK_ERROR(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 0);
    CHECK_EQ(write(pair[1], "cd", 2), 2);
    CHECK_EQ(read(pair[0], text, 4), 2);
    CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
    CHECK_EQ(wait_events(pair[0], POLLHUP), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(pair[0], text, 4), 0);
    close_pair();
}

/* Does shutting the receiving half end reading here? */
TEST(tcp_shutdown_read)
{
    char text[4];
    open_pair();
    CHECK_EQ(shutdown(pair[1], SHUT_RD), 0);
    CHECK_EQ(ready_events(pair[1]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_EQ(write(pair[1], "ab", 2), 2);
    CHECK_EQ(read(pair[0], text, 4), 2);
    close_pair();
}

/* Does closing with unread bytes reset the other end? */
TEST(tcp_reset)
{
    char text[4];
    taken_broken_pipes();
    open_pair();
    CHECK_EQ(write(pair[1], "unread", 6), 6);
    CHECK_EQ(wait_events(pair[0], POLLIN), POLLIN | POLLOUT);
    CHECK_EQ(close(pair[0]), 0);
    CHECK_EQ(wait_events(pair[1], POLLERR), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_ERROR(read(pair[1], text, 4), ECONNRESET);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 1);
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    CHECK_ERROR(getpeername(pair[1], (struct sockaddr *)&name, &length), ENOTCONN);
    CHECK_EQ(close(pair[1]), 0);
}

/* Does SO_LINGER with no time reset the connection, and with time wait for the other end? */
TEST(tcp_linger)
{
    char text[4];
    struct linger linger = {1, 0};
    socklen_t length = sizeof linger;
    open_pair();
    CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    linger = (struct linger){9, 9};
    CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, &length), 0);
    CHECK(linger.l_onoff == 1 && linger.l_linger == 0);
    CHECK_EQ(close(pair[0]), 0);
    CHECK_EQ(wait_events(pair[1], POLLERR), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(get_option(pair[1], SOL_SOCKET, SO_ERROR), ECONNRESET);
    CHECK_EQ(close(pair[1]), 0);
    open_pair();
    linger = (struct linger){1, 5};
    CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    CHECK_EQ(write(pair[0], "ab", 2), 2);
    CHECK_EQ(close(pair[0]), 0);
    CHECK_EQ(read(pair[1], text, 4), 2);
    CHECK_EQ(read(pair[1], text, 4), 0);
    CHECK_EQ(close(pair[1]), 0);
}

/* What becomes of connections nobody accepted when their listener closes, and of those that come after? */
TEST(tcp_listener_closes)
{
    char byte;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(listener, 4), 0);
    int port = port_of(listener);
    CHECK_EQ(connect_to(fd, port), 0);
    CHECK_EQ(close(listener), 0);
    CHECK_EQ(wait_events(fd, POLLERR), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_ERROR(read(fd, &byte, 1), ECONNRESET);
    CHECK_EQ(close(fd), 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(connect_to(fd, port), ECONNREFUSED);
    CHECK_EQ(close(fd), 0);
}

static void shut_fd(struct later *later) { shutdown(later->fd, later->value); }
static void connect_later(struct later *later) { CHECK_EQ(connect_to(later->fd, later->value), 0); }

/* Are accept and recv woken that wait, also by a shutdown of their own socket? */
TEST(tcp_woken)
{
    char byte;
    struct later later;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(listener, 4), 0);
    start_later(&later, connect_later, fd, port_of(listener));
    int accepted = accept(listener, 0, 0);
    CHECK(accepted >= 0);
    join_later(&later);
    start_later(&later, shut_fd, accepted, SHUT_RD);
    CHECK_EQ(read(accepted, &byte, 1), 0);
    join_later(&later);
    start_later(&later, shut_fd, listener, SHUT_RD);
    CHECK_ERROR(accept(listener, 0, 0), EINVAL);
    join_later(&later);
    close_all(3, listener, fd, accepted);
}

/* Does an urgent byte travel beside the others, once, and is its place told? */
TEST(tcp_urgent)
{
    char text[8];
    int mark = -1;
    open_pair();
    CHECK_ERROR(recv(pair[1], text, 1, MSG_OOB), EINVAL);
    CHECK_EQ(write(pair[0], "ab", 2), 2);
    CHECK_EQ(send(pair[0], "cd!", 3, MSG_OOB), 3);
    CHECK_EQ(write(pair[0], "ef", 2), 2);
    CHECK_EQ(wait_events(pair[1], POLLPRI), POLLIN | POLLPRI | POLLOUT);
    CHECK_EQ(recv(pair[1], text, 8, MSG_OOB | MSG_PEEK), 1);
    CHECK_EQ(text[0], '!');
    CHECK_EQ(recv(pair[1], text, 8, MSG_OOB), 1);
    CHECK_ERROR(recv(pair[1], text, 8, MSG_OOB), EINVAL);
    CHECK_EQ(ioctl(pair[1], SIOCATMARK, &mark), 0);
    CHECK_EQ(mark, 0);
    CHECK_EQ(recv(pair[1], text, 8, 0), 4);
    CHECK(memcmp(text, "abcd", 4) == 0);
    CHECK_EQ(ioctl(pair[1], SIOCATMARK, &mark), 0);
    CHECK_EQ(mark, 1);
    CHECK_EQ(recv(pair[1], text, 8, 0), 2);
    CHECK(memcmp(text, "ef", 2) == 0);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_OOBINLINE, 1), 0);
    CHECK_EQ(send(pair[0], "g!", 2, MSG_OOB), 2);
    CHECK_EQ(wait_events(pair[1], POLLPRI), POLLIN | POLLPRI | POLLOUT);
    CHECK_ERROR(recv(pair[1], text, 8, MSG_OOB), EINVAL);
    CHECK_EQ(recv(pair[1], text, 8, 0), 1);
    CHECK_EQ(recv(pair[1], text, 8, 0), 1);
    CHECK_EQ(text[0], '!');
    close_pair();
}

/* Does AF_UNSPEC end a connection so that the socket can make another? */
TEST(tcp_disconnect)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(listener, 4), 0);
    int port = port_of(listener);
    CHECK_EQ(connect_to(fd, port), 0);
    CHECK_EQ(connect(fd, &none, sizeof none), 0);
    CHECK_ERROR(send(fd, "x", 1, MSG_NOSIGNAL), ECONNRESET);
    CHECK_ERROR(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(connect_to(fd, port), 0);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    close_all(2, fd, listener);
}

/* Does a socket of IPv6 serve both families, unless told otherwise? */
TEST(tcp_dual_stack)
{
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    char text[INET6_ADDRSTRLEN];
    int listener = socket(AF_INET6, SOCK_STREAM, 0), four = socket(AF_INET, SOCK_STREAM, 0), six = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(get_option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    CHECK_EQ(listen(listener, 4), 0);
    int port = port_of(listener);
    CHECK_EQ(connect_to(four, port), 0);
    int accepted = accept(listener, (struct sockaddr *)&name, &length);
    CHECK_EQ(length, sizeof name);
    CHECK_EQ(name.sin6_family, AF_INET6);
    CHECK(strcmp(inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof text), "::ffff:127.0.0.1") == 0);
    CHECK_EQ(close(accepted), 0);
    CHECK_EQ(connect_to6(six, port), 0);
    length = sizeof name;
    accepted = accept(listener, (struct sockaddr *)&name, &length);
    CHECK(strcmp(inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof text), "::1") == 0);
    CHECK_EQ(name.sin6_scope_id, 0);
    CHECK_EQ(write(six, "six", 3), 3);
    CHECK_EQ(read(accepted, text, 8), 3);
    close_all(4, accepted, listener, four, six);
    listener = socket(AF_INET6, SOCK_STREAM, 0), four = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_option(listener, IPPROTO_IPV6, IPV6_V6ONLY, 1) | listen(listener, 1), 0);
    CHECK_ERROR(set_option(listener, IPPROTO_IPV6, IPV6_V6ONLY, 0), EINVAL);
    CHECK_ERROR(connect_to(four, port_of(listener)), ECONNREFUSED);
    struct sockaddr_in mine = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_of(listener))};
    int other = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(other, (struct sockaddr *)&mine, sizeof mine), 0);
    close_all(3, listener, four, other);
    six = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_ERROR(connect_to(six, 1), EINVAL);
    CHECK_ERROR(connect_to6(six, 1), ECONNREFUSED);
    name = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(1)};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &name.sin6_addr);
    CHECK_ERROR(connect(six, (struct sockaddr *)&name, sizeof name), ECONNREFUSED);
    inet_pton(AF_INET6, "fe80::1", &name.sin6_addr);
    CHECK_ERROR(connect(six, (struct sockaddr *)&name, sizeof name), EINVAL);
    CHECK_EQ(close(six), 0);
}

/* Does sendfile put a file's bytes into a connection? */
TEST(tcp_sendfile)
{
    static char text[300000], back[300000];
    off_t offset = 5;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    open_pair();
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(fd, text, sizeof text), sizeof text);
    size_t sent = 0;
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 1000000) | set_option(pair[1], SOL_SOCKET, SO_RCVBUF, 1000000), 0);
    CHECK_EQ(sendfile(pair[0], fd, &offset, 1000), 1000);
    CHECK_EQ(offset, 1005);
    CHECK_EQ(recv(pair[1], back, 1000, MSG_WAITALL), 1000);
    CHECK(memcmp(back, text + 5, 1000) == 0);
    while (sent < sizeof text) {
        ssize_t count = sendfile(pair[0], fd, (offset = (off_t)sent, &offset), 50000);
        CHECK(count > 0);
        CHECK_EQ(recv(pair[1], back + sent, (size_t)count, MSG_WAITALL), count);
        sent += (size_t)count;
    }
    CHECK(memcmp(back, text, sizeof text) == 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("file"), 0);
    close_pair();
}

/* Does MSG_MORE hold back what is not full, until more comes? */
TEST(tcp_more)
{
    char text[8];
    open_pair();
    CHECK_EQ(send(pair[0], "ab", 2, MSG_MORE), 2);
    CHECK_EQ(send(pair[0], "cd", 2, 0), 2);
    CHECK_EQ(recv(pair[1], text, 8, 0), 4);
    CHECK_EQ(set_option(pair[0], IPPROTO_TCP, TCP_CORK, 1), 0);
    CHECK_EQ(write(pair[0], "ef", 2), 2);
    sleep_ms(20);
    CHECK_EQ(waiting_bytes(pair[1]), 0);
    CHECK_EQ(write(pair[0], "gh", 2), 2);
    CHECK_EQ(set_option(pair[0], IPPROTO_TCP, TCP_CORK, 0), 0);
    CHECK_EQ(recv(pair[1], text, 8, 0), 4);
    close_pair();
}
