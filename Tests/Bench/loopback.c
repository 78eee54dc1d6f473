/*
 * What sockets inside one machine cost, in ticks of the time-stamp counter: prints one line `NAME TICKS` per operation. How is said in measure.h.
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror loopback.c -o loopback
 *
 * A round trip is one byte to another thread and one back, both blocking: two sends, two receives, two context switches.
 */
#include "measure.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { BLOCK = 65536 };

/* The two ends of what is measured: ours, and that of the thread which answers. */
static int near_end, far_end;
static int listener;
static struct sockaddr_in listener_address;
static pthread_t partner;
static char block[BLOCK];

/* A first process of Linux finds the loopback interface down. */
static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    if (control >= 0 && ioctl(control, SIOCGIFFLAGS, &request) == 0 && !(request.ifr_flags & IFF_UP)) {
        request.ifr_flags |= IFF_UP;
        ioctl(control, SIOCSIFFLAGS, &request);
    }
    close(control);
}

static void *answer(void *argument)
{
    char byte;
    for (intptr_t i = (intptr_t)argument; i > 0; i--)
        require(recv(far_end, &byte, 1, 0) == 1 && send(far_end, &byte, 1, 0) == 1, "answer");
    return NULL;
}

static void *swallow(void *argument)
{
    static char room[BLOCK];
    for (size_t rest = (size_t)(intptr_t)argument * BLOCK; rest > 0;) {
        ssize_t count = recv(far_end, room, sizeof room, 0);
        require(count > 0, "recv");
        rest -= (size_t)count;
    }
    return NULL;
}

static void start(void *(*work)(void *), int count)
{
    require(pthread_create(&partner, NULL, work, (void *)(intptr_t)count) == 0, "thread");
    sched_yield();
}

static void finish(int count)
{
    (void)count;
    pthread_join(partner, NULL);
    close(near_end);
    close(far_end);
}

static void connect_tcp(void)
{
    int on = 1;
    near_end = socket(AF_INET, SOCK_STREAM, 0);
    require(connect(near_end, (struct sockaddr *)&listener_address, sizeof listener_address) == 0, "connect");
    far_end = accept(listener, NULL, NULL);
    require(far_end >= 0, "accept");
    setsockopt(near_end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(far_end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void prepare_tcp(int count)
{
    connect_tcp();
    start(answer, count);
}

static void prepare_tcp_stream(int count)
{
    connect_tcp();
    start(swallow, count);
}

static int bound_udp(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int end = socket(AF_INET, SOCK_DGRAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    require(end >= 0 && bind(end, (struct sockaddr *)address, sizeof *address) == 0, "bind");
    require(getsockname(end, (struct sockaddr *)address, &length) == 0, "getsockname");
    return end;
}

static void prepare_udp(int count)
{
    struct sockaddr_in near_address, far_address;
    near_end = bound_udp(&near_address);
    far_end = bound_udp(&far_address);
    require(connect(near_end, (struct sockaddr *)&far_address, sizeof far_address) == 0, "connect");
    require(connect(far_end, (struct sockaddr *)&near_address, sizeof near_address) == 0, "connect");
    start(answer, count);
}

static void prepare_pair(int type, int count)
{
    int ends[2];
    require(socketpair(AF_UNIX, type, 0, ends) == 0, "socketpair");
    near_end = ends[0];
    far_end = ends[1];
    start(answer, count);
}

static void prepare_unix_stream(int count) { prepare_pair(SOCK_STREAM, count); }

static void prepare_unix_datagram(int count) { prepare_pair(SOCK_DGRAM, count); }

static void round_trip(int count)
{
    char byte = 0;
    while (count--)
        require(send(near_end, &byte, 1, 0) == 1 && recv(near_end, &byte, 1, 0) == 1, "round trip");
}

static void send_blocks(int count)
{
    while (count--)
        for (size_t sent = 0; sent < BLOCK;) {
            ssize_t now = send(near_end, block + sent, BLOCK - sent, 0);
            require(now > 0, "send");
            sent += (size_t)now;
        }
    pthread_join(partner, NULL);
}

static void close_both(int count)
{
    (void)count;
    close(near_end);
    close(far_end);
}

/* Socket, connect, accept and both closes: the end that called is closed first and goes through TIME_WAIT. */
static void connect_accept_close(int count)
{
    while (count--) {
        int caller = socket(AF_INET, SOCK_STREAM, 0);
        require(connect(caller, (struct sockaddr *)&listener_address, sizeof listener_address) == 0, "connect");
        int callee = accept(listener, NULL, NULL);
        require(callee >= 0 && close(caller) == 0 && close(callee) == 0, "accept");
    }
}

static void open_listener(void)
{
    socklen_t length = sizeof listener_address;
    listener_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    require(listener >= 0, "socket");
    require(bind(listener, (struct sockaddr *)&listener_address, sizeof listener_address) == 0 && listen(listener, 16) == 0, "listen");
    require(getsockname(listener, (struct sockaddr *)&listener_address, &length) == 0, "getsockname");
}

static const struct operation operations[] = {
    {"tcp-round-trip", round_trip, 500, prepare_tcp, finish},
    {"tcp-connect-accept-close", connect_accept_close, 200, NULL, NULL},
    {"tcp-64k", send_blocks, 100, prepare_tcp_stream, close_both},
    {"udp-round-trip", round_trip, 500, prepare_udp, finish},
    {"unix-stream-round-trip", round_trip, 500, prepare_unix_stream, finish},
    {"unix-datagram-round-trip", round_trip, 500, prepare_unix_datagram, finish},
};

int main(int argc, char **argv)
{
    guest_prepare();
    raise_loopback();
    open_listener();
    measure_all(operations, sizeof operations / sizeof *operations, argc, argv);
    guest_finish(argc, argv);
    return 0;
}
