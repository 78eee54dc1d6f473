/*
 * Sockets and epoll: level and edge, once, exclusive, what wakes and what does not.
 * Source of truth: epoll(7), epoll_ctl(2), poll(2), socket(7).
 */
#include "sockets.h"

static int pair[2];

static void watch(int epoll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

/* The events of the only descriptor that is ready now; 0: none is. */
static int found(int epoll, int timeout)
{
    struct epoll_event events[8];
    int count = epoll_wait(epoll, events, 8, timeout);
    CHECK(count >= 0 && count <= 1);
    return count == 0 ? 0 : (int)events[0].events;
}

/* A connected pair of AF_UNIX (0) or TCP (1). */
static void open_kind(int kind)
{
    if (kind == 0) {
        unix_pair(SOCK_STREAM, pair);
        return;
    }
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&name, sizeof name) | listen(listener, 1) | getsockname(listener, (struct sockaddr *)&name, &length), 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(pair[0], (struct sockaddr *)&name, sizeof name), 0);
    pair[1] = accept(listener, 0, 0);
    CHECK(pair[1] >= 0);
    CHECK_EQ(close(listener), 0);
}

/* Is level-triggered readiness told again and again, as long as it lasts? */
TEST(epoll_level)
{
    char text[8];
    for (int kind = 0; kind < 2; kind++) {
        int epoll = epoll_create1(0);
        open_kind(kind);
        watch(epoll, pair[1], EPOLLIN);
        CHECK_EQ(found(epoll, 0), 0);
        CHECK_EQ(write(pair[0], "ab", 2), 2);
        CHECK_EQ(found(epoll, 1000), EPOLLIN);
        CHECK_EQ(found(epoll, 0), EPOLLIN);
        CHECK_EQ(read(pair[1], text, 1), 1);
        CHECK_EQ(found(epoll, 0), EPOLLIN);
        CHECK_EQ(read(pair[1], text, 8), 1);
        CHECK_EQ(found(epoll, 0), 0);
        close_all(3, epoll, pair[0], pair[1]);
    }
}

/* Is edge-triggered readiness told once for each arrival? */
TEST(epoll_edge)
{
    char text[8];
    for (int kind = 0; kind < 2; kind++) {
        int epoll = epoll_create1(0);
        open_kind(kind);
        watch(epoll, pair[1], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        CHECK_EQ(found(epoll, 0), EPOLLOUT);
        CHECK_EQ(found(epoll, 0), 0);
        CHECK_EQ(write(pair[0], "ab", 2), 2);
        CHECK_EQ(found(epoll, 1000), EPOLLIN | EPOLLOUT);
        CHECK_EQ(found(epoll, 0), 0);
        CHECK_EQ(write(pair[0], "cd", 2), 2);
        CHECK_EQ(found(epoll, 1000), EPOLLIN | EPOLLOUT);
        CHECK_EQ(read(pair[1], text, 1), 1);
        CHECK_EQ(found(epoll, 0), 0);
        CHECK_EQ(shutdown(pair[0], SHUT_WR), 0);
        CHECK_EQ(found(epoll, 1000), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
        CHECK_EQ(found(epoll, 0), 0);
        close_all(3, epoll, pair[0], pair[1]);
    }
}

/* Is a one-shot registration quiet after it told once, until it is armed again? */
TEST(epoll_oneshot)
{
    char text[8];
    for (int kind = 0; kind < 2; kind++) {
        int epoll = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
        open_kind(kind);
        watch(epoll, pair[1], event.events);
        CHECK_EQ(write(pair[0], "ab", 2), 2);
        CHECK_EQ(found(epoll, 1000), EPOLLIN);
        CHECK_EQ(found(epoll, 0), 0);
        CHECK_EQ(write(pair[0], "ab", 2), 2);
        CHECK_EQ(found(epoll, 0), 0);
        CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[1], &event), 0);
        CHECK_EQ(found(epoll, 1000), EPOLLIN);
        CHECK_EQ(read(pair[1], text, 8), 4);
        CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[1], &event), 0);
        CHECK_EQ(found(epoll, 0), 0);
        close_all(3, epoll, pair[0], pair[1]);
    }
}

/* Are ends and errors told without being asked for? */
TEST(epoll_ends)
{
    for (int kind = 0; kind < 2; kind++) {
        int epoll = epoll_create1(0);
        open_kind(kind);
        watch(epoll, pair[1], 0);
        CHECK_EQ(shutdown(pair[0], SHUT_WR), 0);
        CHECK_EQ(found(epoll, 20), 0);
        CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
        CHECK_EQ(found(epoll, 1000), EPOLLHUP);
        close_all(3, epoll, pair[0], pair[1]);
        epoll = epoll_create1(0);
        open_kind(kind);
        watch(epoll, pair[1], EPOLLIN | EPOLLET);
        CHECK_EQ(write(pair[1], "unread", 6), 6);
        sleep_ms(10);
        CHECK_EQ(close(pair[0]), 0);
        int seen = 0;
        for (int i = 0; i < 100 && !(seen & EPOLLERR); i++)
            seen |= found(epoll, 10);
        CHECK_EQ(seen & (EPOLLERR | EPOLLHUP), EPOLLERR | EPOLLHUP);
        close_all(2, epoll, pair[1]);
    }
}

/* Is a full socket's room told by an edge? */
TEST(epoll_room)
{
    static char block[200000];
    for (int kind = 0; kind < 2; kind++) {
        int epoll = epoll_create1(0);
        long total = 0;
        ssize_t count;
        open_kind(kind);
        CHECK_EQ(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
        watch(epoll, pair[0], EPOLLOUT | EPOLLET);
        CHECK_EQ(found(epoll, 0), EPOLLOUT);
        for (int idle = 0; idle < 10;) {
            if ((count = write(pair[0], block, sizeof block)) > 0) {
                total += count;
                continue;
            }
            CHECK_EQ(errno, EAGAIN);
            sleep_ms(5);
            idle++;
        }
        while (found(epoll, 0) != 0) { }
        while (total > 0) {
            count = read(pair[1], block, sizeof block);
            CHECK(count > 0);
            total -= count;
        }
        CHECK_EQ(found(epoll, 1000), EPOLLOUT);
        close_all(3, epoll, pair[0], pair[1]);
    }
}

/* Does a listening socket tell each connection, and a connecting one its end? */
TEST(epoll_connections)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int epoll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&name, sizeof name) | listen(listener, 8) | getsockname(listener, (struct sockaddr *)&name, &length), 0);
    watch(epoll, listener, EPOLLIN | EPOLLET);
    CHECK_EQ(found(epoll, 0), 0);
    int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(connect(first, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(found(epoll, 1000), EPOLLIN);
    int accepted = accept(listener, 0, 0);
    CHECK(accepted >= 0);
    int other = epoll_create1(0);
    CHECK_ERROR(connect(second, (struct sockaddr *)&name, sizeof name), EINPROGRESS);
    watch(other, second, EPOLLOUT | EPOLLONESHOT);
    CHECK_EQ(found(other, 1000), EPOLLOUT);
    CHECK_EQ(get_option(second, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(found(epoll, 1000), EPOLLIN);
    close_all(6, epoll, other, listener, first, second, accepted);
}

static atomic_int woken;

static void *wait_once(void *epoll)
{
    struct epoll_event event;
    if (epoll_wait((int)(intptr_t)epoll, &event, 1, 300) == 1)
        atomic_fetch_add(&woken, 1);
    return 0;
}

/* Does an exclusive registration wake not everybody for one event? */
TEST(epoll_exclusive)
{
    pthread_t threads[4];
    int epolls[4];
    woken = 0;
    unix_pair(SOCK_DGRAM, pair);
    for (intptr_t i = 0; i < 4; i++) {
        epolls[i] = epoll_create1(0);
        watch(epolls[i], pair[1], EPOLLIN | EPOLLEXCLUSIVE);
        CHECK_EQ(pthread_create(&threads[i], 0, wait_once, (void *)(intptr_t)epolls[i]), 0);
    }
    sleep_ms(50);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], 0), 0);
    CHECK(woken >= 1);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(close(epolls[i]), 0);
    close_all(2, pair[0], pair[1]);
}

/* Does select agree with poll? */
TEST(select_sockets)
{
    fd_set reading, writing, other;
    struct timeval none = {0, 0};
    open_kind(1);
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_ZERO(&other);
    FD_SET(pair[1], &reading);
    FD_SET(pair[1], &writing);
    FD_SET(pair[1], &other);
    CHECK_EQ(select(pair[1] + 1, &reading, &writing, &other, &none), 1);
    CHECK(!FD_ISSET(pair[1], &reading) && FD_ISSET(pair[1], &writing));
    CHECK_EQ(send(pair[0], "ab", 2, MSG_OOB), 2);
    sleep_ms(20);
    FD_SET(pair[1], &reading);
    FD_SET(pair[1], &other);
    CHECK_EQ(select(pair[1] + 1, &reading, &writing, &other, &none), 3);
    close_all(2, pair[0], pair[1]);
}

/* Is a datagram socket ready for each datagram, edge by edge? */
TEST(epoll_datagrams)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    char byte;
    int epoll = epoll_create1(0), fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof name) | getsockname(fd, (struct sockaddr *)&name, &length), 0);
    watch(epoll, fd, EPOLLIN | EPOLLET);
    CHECK_EQ(found(epoll, 0), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof name), 1);
        CHECK_EQ(found(epoll, 1000), EPOLLIN);
        CHECK_EQ(found(epoll, 0), 0);
    }
    CHECK_EQ(recv(fd, &byte, 1, 0), 1);
    CHECK_EQ(found(epoll, 0), 0);
    close_all(2, epoll, fd);
}
