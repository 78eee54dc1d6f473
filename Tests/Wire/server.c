/*
 * The guest's half of the tests on the wire (Tests/Guest/Wire): one thread, one epoll, a service per port. What a client must
 * see is said beside each service; numbers are those of the classic services where there is one (RFC 862, 863, 864).
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror server.c -o server
 *
 * Runs until it receives a line "end" on the port END.
 */
#include "sha256.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum port {
    ECHO = 7,       /* TCP and UDP: every byte comes back */
    DISCARD = 9,    /* after the end of input: "COUNT\n" */
    DIGEST = 10,    /* after the end of input: "COUNT SHA-256\n" */
    FAREWELL = 13,  /* says "bye\n" and closes first */
    SOURCE = 19,    /* takes "COUNT SEED\n", gives COUNT bytes of the generator that begins with SEED, and closes */
    ZEROS = 20,     /* takes "COUNT\n", gives COUNT zeros, and closes */
    KEEPALIVE = 21, /* waits; a client that vanishes is noticed within about eight seconds and named on the console */
    END = 99,       /* takes "end\n": the program ends with code 0 */
};

enum { ROOM = 65536, EVENTS = 64, LINE = 64, BACKLOG = 4096, IDLE_SECONDS = 5, PROBE_SECONDS = 1, PROBES = 3 };

struct connection {
    int socket;
    enum port port;
    bool is_listener;
    bool is_datagram;
    uint32_t watched;     /* what epoll was told */
    bool is_answering;
    bool has_ended;       /* the client sent its last byte */
    uint64_t received;
    uint64_t rest;        /* of what SOURCE and ZEROS still have to send */
    uint64_t state;       /* of the generator */
    char *pending;        /* what the client did not take at once */
    size_t pending_size;
    char line[LINE];      /* what was asked */
    size_t line_size;
    struct sha256 digest;
};

static const enum port services[] = {ECHO, DISCARD, DIGEST, FAREWELL, SOURCE, ZEROS, KEEPALIVE, END};
static int epoll;
static char room[ROOM];
static const char zeros[ROOM];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct connection *connection, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (operation == EPOLL_CTL_MOD && connection->watched == events)
        return;
    connection->watched = events;
    if (epoll_ctl(epoll, operation, connection->socket, &event) != 0)
        fail("epoll_ctl");
}

static void open_service(enum port port, int type)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct connection *service = calloc(1, sizeof *service);
    int on = 1, off = 0;
    if (!service)
        fail("calloc");
    service->socket = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    service->port = port;
    service->is_listener = true;
    service->is_datagram = type == SOCK_DGRAM;
    setsockopt(service->socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(service->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (service->socket < 0 || bind(service->socket, (struct sockaddr *)&any, sizeof any) != 0)
        fail("bind");
    if (type == SOCK_STREAM && listen(service->socket, BACKLOG) != 0)
        fail("listen");
    watch(service, EPOLL_CTL_ADD, EPOLLIN);
}

static void drop(struct connection *connection)
{
    close(connection->socket);
    free(connection->pending);
    free(connection);
}

static void accept_all(struct connection *service)
{
    int client;
    while ((client = accept4(service->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        int on = 1;
        if (!connection)
            fail("calloc");
        connection->socket = client;
        connection->port = service->port;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (service->port == FAREWELL) {
            if (send(client, "bye\n", 4, MSG_NOSIGNAL) != 4)
                perror("farewell");
            drop(connection);
            continue;
        }
        if (service->port == KEEPALIVE) {
            int idle = IDLE_SECONDS, interval = PROBE_SECONDS, count = PROBES;
            setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
            setsockopt(client, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
            setsockopt(client, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
            setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        }
        sha256_begin(&connection->digest);
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EMFILE && errno != ENFILE)
        fail("accept");
}

static void echo_datagrams(struct connection *service)
{
    struct sockaddr_in6 from;
    socklen_t length = sizeof from;
    ssize_t count;
    while ((count = recvfrom(service->socket, room, sizeof room, 0, (struct sockaddr *)&from, &length)) >= 0) {
        if (sendto(service->socket, room, (size_t)count, 0, (struct sockaddr *)&from, length) != count)
            perror("sendto");
        length = sizeof from;
    }
}

/* The generator: xorshift64* of Marsaglia and Vigna, eight bytes a step, little endian. The same is in WireStream.cs. */
static void generate(struct connection *connection, char *to, size_t size)
{
    uint64_t x = connection->state;
    for (size_t at = 0; at < size; at += 8) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        uint64_t value = x * 0x2545f4914f6cdd1du;
        memcpy(to + at, &value, 8);
    }
    connection->state = x;
}

/* Sends what was kept from before. Whether nothing is left. */
static bool flush_pending(struct connection *connection)
{
    while (connection->pending_size > 0) {
        ssize_t count = send(connection->socket, connection->pending, connection->pending_size, MSG_NOSIGNAL);
        if (count < 0)
            return false;
        connection->pending_size -= (size_t)count;
        memmove(connection->pending, connection->pending + count, connection->pending_size);
    }
    return true;
}

/* Sends a block; what does not fit is kept. Whether all of it went. */
static bool give(struct connection *connection, const char *block, size_t size)
{
    ssize_t count = send(connection->socket, block, size, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN)
        return false;
    size_t sent = count < 0 ? 0 : (size_t)count;
    if (sent == size)
        return true;
    connection->pending = realloc(connection->pending, ROOM);
    if (!connection->pending)
        fail("realloc");
    connection->pending_size = size - sent;
    memcpy(connection->pending, block + sent, size - sent);
    return false;
}

/* Sends as much as the client takes. Whether the connection is done. */
static bool answer(struct connection *connection)
{
    errno = EAGAIN;
    if (!flush_pending(connection))
        return errno != EAGAIN;
    while (connection->rest > 0) {
        size_t size = connection->rest < ROOM ? (size_t)connection->rest : ROOM;
        if (connection->port == SOURCE)
            generate(connection, room, size);
        connection->rest -= size;
        errno = EAGAIN;
        if (!give(connection, connection->port == SOURCE ? room : zeros, size))
            return errno != EAGAIN;
    }
    return connection->is_answering;
}

static bool begin_answer(struct connection *connection)
{
    unsigned long long count = 0, seed = 1;
    connection->line[connection->line_size] = 0;
    if (connection->port == END && strcmp(connection->line, "end\n") == 0) {
        puts("served");
        exit(0);
    }
    if (sscanf(connection->line, "%llu %llu", &count, &seed) < 1)
        return true;
    connection->rest = count;
    connection->state = seed;
    connection->is_answering = true;
    return answer(connection);
}

static bool report(struct connection *connection)
{
    char text[LINE + 2 * SHA256_SIZE];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)connection->received);
    if (connection->port == DIGEST) {
        uint8_t digest[SHA256_SIZE];
        sha256_end(&connection->digest, digest);
        text[size++] = ' ';
        for (int i = 0; i < SHA256_SIZE; i++)
            size += sprintf(text + size, "%02x", digest[i]);
    }
    text[size++] = '\n';
    connection->is_answering = true;
    give(connection, text, (size_t)size);
    return connection->pending_size == 0;
}

/* Takes what came. Whether the connection is done. */
static bool take(struct connection *connection, const char *bytes, size_t size)
{
    connection->received += size;
    switch (connection->port) {
    case ECHO:
        errno = EAGAIN;
        return !give(connection, bytes, size) && errno != EAGAIN;
    case DIGEST:
        sha256_add(&connection->digest, bytes, size);
        return false;
    case SOURCE:
    case ZEROS:
    case END:
        if (connection->is_answering || connection->line_size + size >= LINE)
            return true;
        memcpy(connection->line + connection->line_size, bytes, size);
        connection->line_size += size;
        return memchr(bytes, '\n', size) != NULL && begin_answer(connection);
    default:
        return false;
    }
}

static bool finish_input(struct connection *connection)
{
    connection->has_ended = true;
    if (connection->port == DISCARD || connection->port == DIGEST)
        return report(connection);
    return connection->pending_size == 0 && !connection->is_answering;
}

/* Whether the connection is done. */
static bool receive(struct connection *connection)
{
    /* One block at a time, so that every client gets its turn; an echo waits until the last block went back. */
    if (connection->port == ECHO && connection->pending_size > 0)
        return false;
    ssize_t count = recv(connection->socket, room, sizeof room, 0);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count < 0 && connection->port == KEEPALIVE)
        printf("vanished: %s\n", strerror(errno));
    if (count < 0)
        return true;
    return count == 0 ? finish_input(connection) : take(connection, room, (size_t)count);
}

static void serve(struct connection *connection, uint32_t events)
{
    bool is_done = false;
    if (events & EPOLLOUT)
        is_done = answer(connection) || (connection->has_ended && connection->pending_size == 0 && connection->rest == 0);
    if (!is_done && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        is_done = receive(connection);
    if (is_done) {
        drop(connection);
        return;
    }
    bool waits = connection->pending_size > 0 || connection->rest > 0;
    bool listens = !connection->has_ended && !(connection->port == ECHO && waits);
    watch(connection, EPOLL_CTL_MOD, (waits ? (uint32_t)EPOLLOUT : 0) | (listens ? (uint32_t)EPOLLIN : 0));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        open_service(services[i], SOCK_STREAM);
    open_service(ECHO, SOCK_DGRAM);
    puts("serving");
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection->is_listener)
                serve(connection, events[i].events);
            else if (connection->is_datagram)
                echo_datagrams(connection);
            else
                accept_all(connection);
        }
    }
}
