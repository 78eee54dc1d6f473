/* What the programs about sockets share: addresses, pairs, and a thread that does something a little later. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/* By the names of socket(7), which are in the kernel's own headers only. */
#define SIOCINQ FIONREAD
#define SIOCOUTQ TIOCOUTQ

/* The address of a path, or of an abstract name when it begins with '@'; its length comes back. */
static inline socklen_t unix_address(struct sockaddr_un *address, const char *name)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t length = strlen(name);
    memcpy(address->sun_path, name, length);
    if (name[0] != '@')
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static inline int unix_bound(int type, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, name);
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

static inline int unix_connect(int fd, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, name);
    return connect(fd, (struct sockaddr *)&address, length);
}

/* A new socket connected to a name. */
static inline int unix_connected(int type, const char *name)
{
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0);
    CHECK_EQ(unix_connect(fd, name), 0);
    return fd;
}

static inline void unix_pair(int type, int pair[2]) { CHECK_EQ(socketpair(AF_UNIX, type, 0, pair), 0); }

/* What poll says of a descriptor now, of all there is to say. */
static inline int ready_events(int fd)
{
    struct pollfd poller = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    CHECK(poll(&poller, 1, 0) >= 0);
    return poller.revents;
}

static inline int get_option(int fd, int level, int name)
{
    int value = -12345;
    socklen_t length = sizeof value;
    CHECK_EQ(getsockopt(fd, level, name, &value, &length), 0);
    CHECK_EQ(length, sizeof value);
    return value;
}

static inline int set_option(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value); }

static inline int set_timeout(int fd, int name, long milliseconds)
{
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    return setsockopt(fd, SOL_SOCKET, name, &time, sizeof time);
}

static inline int waiting_bytes(int fd)
{
    int count = -1;
    CHECK_EQ(ioctl(fd, FIONREAD, &count), 0);
    return count;
}

static inline void close_all(int count, ...)
{
    va_list list;
    va_start(list, count);
    while (count-- > 0)
        CHECK_EQ(close(va_arg(list, int)), 0);
    va_end(list);
}

/* The calls themselves: libc's wrappers look into the structures on their own. */
static inline long checked(long result)
{
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : result;
}

static inline long send_raw(int fd, const void *message, int flags) { return checked(raw_syscall(SYS_sendmsg, fd, (long)message, flags, 0, 0, 0)); }
static inline long receive_raw(int fd, void *message, int flags) { return checked(raw_syscall(SYS_recvmsg, fd, (long)message, flags, 0, 0, 0)); }

/* Something for another thread to do after 20 ms. */
struct later {
    pthread_t thread;
    void (*run)(struct later *);
    int fd, value;
};

static inline void *run_later(void *argument)
{
    struct later *later = argument;
    sleep_ms(20);
    later->run(later);
    return 0;
}

static inline void start_later(struct later *later, void (*run)(struct later *), int fd, int value)
{
    later->run = run;
    later->fd = fd;
    later->value = value;
    CHECK_EQ(pthread_create(&later->thread, 0, run_later, later), 0);
}

static inline void join_later(struct later *later) { CHECK_EQ(pthread_join(later->thread, 0), 0); }

/* How many SIGPIPE came since the last call; the first call installs the handler. */
static volatile sig_atomic_t broken_pipes;
static inline void count_broken_pipe(int signal) { (void)signal, broken_pipes++; }

static inline int taken_broken_pipes(void)
{
    struct sigaction action = {.sa_handler = count_broken_pipe};
    sigaction(SIGPIPE, &action, 0);
    int count = broken_pipes;
    broken_pipes = 0;
    return count;
}

#endif
