/*
 * Stream sockets of AF_UNIX: names, connections, bytes, and how they end.
 * Source of truth: unix(7), socket(2), bind(2), connect(2), listen(2), accept(2), shutdown(2), poll(2).
 */
#include "sockets.h"

/* Which families, types and protocols are refused, and how? */
TEST(socket_arguments)
{
    CHECK_ERROR(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    CHECK_ERROR(socket(AF_UNIX, 0, 0), ESOCKTNOSUPPORT);
    CHECK_ERROR(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT);
    CHECK_ERROR(socket(AF_UNIX, 11, 0), EINVAL);
    CHECK_ERROR(socket(AF_UNIX, SOCK_STREAM, 6), EPROTONOSUPPORT);
    CHECK_ERROR(socket(46, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERROR(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERROR(socket(AF_UNSPEC, SOCK_STREAM, 0), EAFNOSUPPORT);
    int fd = socket(AF_UNIX, SOCK_RAW, AF_UNIX);
    CHECK(fd >= 0);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR);
    CHECK_EQ(close(fd), 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(close(fd), 0);
}

/* What do socket calls say of descriptors that are none, or no sockets? */
TEST(not_a_socket)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    struct msghdr message = {0};
    int file = open(".", O_RDONLY), place = open(".", O_PATH);
    CHECK_ERROR(bind(file, (struct sockaddr *)&address, length), ENOTSOCK);
    CHECK_ERROR(connect(file, (struct sockaddr *)&address, length), ENOTSOCK);
    CHECK_ERROR(listen(file, 1), ENOTSOCK);
    CHECK_ERROR(accept(file, 0, 0), ENOTSOCK);
    CHECK_ERROR(getsockname(file, (struct sockaddr *)&address, &length), ENOTSOCK);
    CHECK_ERROR(getpeername(file, (struct sockaddr *)&address, &length), ENOTSOCK);
    CHECK_ERROR(send(file, "", 1, 0), ENOTSOCK);
    CHECK_ERROR(recv(file, &address, 1, 0), ENOTSOCK);
    CHECK_ERROR(sendmsg(file, &message, 0), ENOTSOCK);
    CHECK_ERROR(recvmsg(file, &message, 0), ENOTSOCK);
    CHECK_ERROR(shutdown(file, SHUT_RD), ENOTSOCK);
    CHECK_ERROR(getsockopt(file, SOL_SOCKET, SO_TYPE, &message, &length), ENOTSOCK);
    CHECK_ERROR(setsockopt(file, SOL_SOCKET, SO_DEBUG, &length, 4), ENOTSOCK);
    CHECK_ERROR(setsockopt(file, SOL_SOCKET, SO_DEBUG, &length, (socklen_t)-1), ENOTSOCK);
    CHECK_ERROR(listen(place, 1), EBADF);
    CHECK_ERROR(listen(-1, 1), EBADF);
    CHECK_ERROR(accept(1000, 0, 0), EBADF);
    CHECK_ERROR(send(-1, "", 1, 0), EBADF);
    CHECK_ERROR(recv(-1, &address, 1, 0), EBADF);
    CHECK_ERROR(shutdown(-1, 7), EBADF);
    close_all(2, file, place);
}

/* What is a socket as a file? */
TEST(socket_as_file)
{
    int pair[2];
    struct stat status;
    char text[64], name[64];
    unix_pair(SOCK_STREAM, pair);
    CHECK_EQ(fstat(pair[0], &status), 0);
    CHECK_EQ(status.st_mode, S_IFSOCK | 0777);
    CHECK_EQ(status.st_size, 0);
    CHECK_EQ(status.st_nlink, 1);
    snprintf(name, sizeof name, "/proc/self/fd/%d", pair[0]);
    ssize_t length = readlink(name, text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = 0;
    snprintf(name, sizeof name, "socket:[%lu]", (unsigned long)status.st_ino);
    CHECK(strcmp(text, name) == 0);
    CHECK_ERROR(lseek(pair[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(pread(pair[0], text, 1, 0), ESPIPE);
    CHECK_ERROR(pwrite(pair[0], text, 1, 0), ESPIPE);
    CHECK_ERROR(ftruncate(pair[0], 0), EINVAL);
    CHECK_ERROR(fsync(pair[0]), EINVAL);
    CHECK_ERROR(ioctl(pair[0], 0x1234, 0), ENOTTY);
    CHECK_ERROR((long)mmap(0, PAGE, PROT_READ, MAP_SHARED, pair[0], 0), ENODEV);
    close_all(2, pair[0], pair[1]);
}

/* Does socketpair take back what it began, and which errors does it know? */
TEST(socketpair_errors)
{
    int pair[2];
    int before = dup(0);
    CHECK_EQ(close(before), 0);
    CHECK_ERROR(socketpair(AF_UNIX, SOCK_STREAM, 0, bad_null), EFAULT);
    CHECK_ERROR(socketpair(AF_UNIX, 4, 0, pair), ESOCKTNOSUPPORT);
    CHECK_ERROR(socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, pair), EINVAL);
    unix_pair(SOCK_STREAM | SOCK_CLOEXEC, pair);
    CHECK_EQ(pair[0], before);
    CHECK_EQ(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
    close_all(2, pair[0], pair[1]);
}

/* Which names can a socket have, and how does it tell them? */
TEST(bind_names)
{
    struct sockaddr_un address, told;
    socklen_t length = sizeof told;
    struct stat status;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(length, 2);
    CHECK_EQ(told.sun_family, AF_UNIX);
    unix_address(&address, "name");
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, 1), EINVAL);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, 111), EINVAL);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, 129), EINVAL);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, -1), EINVAL);
    CHECK_ERROR(bind(fd, bad_null, 5), EFAULT);
    address.sun_family = AF_INET;
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, 7), EINVAL);
    unix_address(&address, "no/such");
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, sizeof address), ENOENT);
    umask(027);
    unix_address(&address, "name");
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(stat("name", &status), 0);
    CHECK_EQ(status.st_mode, S_IFSOCK | 0750);
    length = sizeof told;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(length, 2 + 5);
    CHECK(strcmp(told.sun_path, "name") == 0);
    CHECK_ERROR(open("name", O_RDWR), ENXIO);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, sizeof address), EADDRINUSE);
    unix_address(&address, "other");
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, sizeof address), EINVAL);
    CHECK_ERROR(stat("other", &status), ENOENT);
    CHECK_EQ(close(fd), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    unix_address(&address, "name");
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, sizeof address), EADDRINUSE);
    CHECK_EQ(unlink("name"), 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("name"), 0);
}

/* Are addresses cut to the room there is, and their true length told? */
TEST(name_lengths)
{
    struct sockaddr_un told;
    memset(&told, 'x', sizeof told);
    int fd = unix_bound(SOCK_STREAM, "lengths");
    socklen_t length = 4;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(length, 2 + 8);
    CHECK(memcmp(told.sun_path, "lexx", 4) == 0);
    length = 0;
    CHECK_EQ(getsockname(fd, bad_null, &length), 0);
    CHECK_EQ(length, 2 + 8);
    length = 10;
    CHECK_ERROR(getsockname(fd, bad_null, &length), EFAULT);
    length = (socklen_t)-1;
    CHECK_ERROR(getsockname(fd, (struct sockaddr *)&told, &length), EINVAL);
    CHECK_ERROR(getsockname(fd, (struct sockaddr *)&told, bad_null), EFAULT);
    CHECK_ERROR(getpeername(fd, (struct sockaddr *)&told, &length), ENOTCONN);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("lengths"), 0);
    /* A path may fill sun_path without a NUL. */
    char path[110];
    memset(path, 'p', sizeof path);
    path[108] = 0;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(told.sun_path, path, 108);
    told.sun_family = AF_UNIX;
    CHECK_EQ(bind(fd, (struct sockaddr *)&told, sizeof told), 0);
    struct sockaddr_storage all;
    length = sizeof all;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&all, &length), 0);
    CHECK_EQ(length, 111);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink(path), 0);
}

/* Do abstract names need no file, count by length, and go with their socket? */
TEST(abstract_names)
{
    struct sockaddr_un address, told;
    socklen_t length = sizeof told;
    int fd = unix_bound(SOCK_STREAM, "@conformance"), other = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(length, 2 + 12);
    CHECK(memcmp(told.sun_path, "\0conformance", 12) == 0);
    socklen_t exact = unix_address(&address, "@conformance");
    CHECK_ERROR(bind(other, (struct sockaddr *)&address, exact), EADDRINUSE);
    CHECK_EQ(bind(other, (struct sockaddr *)&address, exact + 1), 0);
    CHECK_EQ(close(fd), 0);
    fd = unix_bound(SOCK_STREAM, "@conformance");
    CHECK_ERROR(bind(fd, (struct sockaddr *)&address, exact), EINVAL);
    close_all(2, fd, other);
}

/* Is a socket bound to nothing given a name of its own? */
TEST(automatic_names)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}, first, second;
    socklen_t length = sizeof first;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), other = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, 2) | bind(other, (struct sockaddr *)&address, 2), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&first, &length), 0);
    CHECK_EQ(length, 2 + 6);
    CHECK_EQ(getsockname(other, (struct sockaddr *)&second, &length), 0);
    CHECK_EQ(first.sun_path[0], 0);
    for (int i = 1; i < 6; i++)
        CHECK(strchr("0123456789abcdef", first.sun_path[i]) != 0);
    CHECK(memcmp(&first, &second, 8) != 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, 2), 0);
    close_all(2, fd, other);
}

/* Whom can one not connect to? */
TEST(connect_errors)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, "nobody");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&address, 2), EINVAL);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&address, 0), EINVAL);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&address, 200), EINVAL);
    CHECK_ERROR(connect(fd, bad_kernel, 9), EFAULT);
    CHECK_ERROR(connect(fd, (struct sockaddr *)&address, length), ENOENT);
    address.sun_family = AF_INET6;
    CHECK_ERROR(connect(fd, (struct sockaddr *)&address, length), EINVAL);
    CHECK_ERROR(unix_connect(fd, "@nobody"), ECONNREFUSED);
    write_file("plain", "");
    CHECK_ERROR(unix_connect(fd, "plain"), ECONNREFUSED);
    CHECK_ERROR(unix_connect(fd, "plain/x"), ENOTDIR);
    CHECK_EQ(unlink("plain"), 0);
    int bound = unix_bound(SOCK_STREAM, "bound");
    CHECK_ERROR(unix_connect(fd, "bound"), ECONNREFUSED);
    int message = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERROR(unix_connect(message, "bound"), EPROTOTYPE);
    CHECK_EQ(listen(bound, 1), 0);
    CHECK_ERROR(unix_connect(message, "bound"), EPROTOTYPE);
    CHECK_EQ(unix_connect(fd, "bound"), 0);
    CHECK_ERROR(unix_connect(fd, "bound"), EISCONN);
    CHECK_ERROR(unix_connect(bound, "bound"), EINVAL);
    CHECK_EQ(close(bound), 0);
    int late = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(unix_connect(late, "bound"), ECONNREFUSED);
    close_all(3, fd, message, late);
    CHECK_EQ(unlink("bound"), 0);
}

/* Who may listen and accept? */
TEST(listen_errors)
{
    int pair[2];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), message = unix_bound(SOCK_DGRAM, "@message");
    unix_pair(SOCK_STREAM, pair);
    CHECK_ERROR(listen(fd, 1), EINVAL);
    CHECK_ERROR(accept(fd, 0, 0), EINVAL);
    CHECK_ERROR(listen(message, 1), EOPNOTSUPP);
    CHECK_ERROR(accept(message, 0, 0), EOPNOTSUPP);
    CHECK_ERROR(listen(pair[0], 1), EINVAL);
    CHECK_ERROR(accept(pair[0], 0, 0), EINVAL);
    CHECK_ERROR(accept4(fd, 0, 0, 1), EINVAL);
    CHECK_ERROR(accept4(-1, 0, 0, 1), EBADF);
    int listener = unix_bound(SOCK_STREAM | SOCK_NONBLOCK, "@listener");
    CHECK_EQ(get_option(listener, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(listen(listener, -1) | listen(listener, 1) | listen(listener, 5), 0);
    CHECK_EQ(get_option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_ERROR(accept(listener, 0, 0), EAGAIN);
    CHECK_ERROR(recv(listener, &fd, 1, 0), EINVAL);
    CHECK_ERROR(send(listener, &fd, 1, 0), ENOTCONN);
    CHECK_ERROR(ioctl(listener, FIONREAD, pair + 1), EINVAL);
    CHECK_EQ(ready_events(listener), 0);
    CHECK_EQ(shutdown(listener, SHUT_RD), 0);
    CHECK_ERROR(accept(listener, 0, 0), EAGAIN);
    CHECK_EQ(fcntl(listener, F_SETFL, 0), 0);
    CHECK_ERROR(accept(listener, 0, 0), EINVAL);
    CHECK_ERROR(unix_connect(fd, "@listener"), ECONNREFUSED);
    close_all(5, fd, message, pair[0], pair[1], listener);
}

/* Does accept give connections in order, with names and flags of their own? */
TEST(accept_connections)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    char byte;
    int listener = unix_bound(SOCK_STREAM, "listening");
    CHECK_EQ(listen(listener, 8), 0);
    int named = unix_bound(SOCK_STREAM, "@named");
    CHECK_EQ(unix_connect(named, "listening"), 0);
    int first = unix_connected(SOCK_STREAM, "listening");
    CHECK_EQ(ready_events(listener), POLLIN);
    CHECK_EQ(write(named, "1", 1) + write(first, "2", 1), 2);
    int accepted = accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(accepted >= 0);
    CHECK_EQ(length, 2 + 6);
    CHECK(memcmp(address.sun_path, "\0named", 6) == 0);
    CHECK_EQ(fcntl(accepted, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(accepted, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(read(accepted, &byte, 1), 1);
    CHECK_EQ(byte, '1');
    CHECK_ERROR(read(accepted, &byte, 1), EAGAIN);
    length = sizeof address;
    CHECK_EQ(getsockname(accepted, (struct sockaddr *)&address, &length), 0);
    CHECK(strcmp(address.sun_path, "listening") == 0);
    length = sizeof address;
    CHECK_EQ(getpeername(first, (struct sockaddr *)&address, &length), 0);
    CHECK(strcmp(address.sun_path, "listening") == 0);
    length = sizeof address;
    int second = accept(listener, (struct sockaddr *)&address, &length);
    CHECK_EQ(length, 2);
    CHECK_EQ(fcntl(second, F_GETFL), O_RDWR);
    CHECK_EQ(read(second, &byte, 1), 1);
    CHECK_EQ(byte, '2');
    length = sizeof address;
    int third = unix_connected(SOCK_STREAM, "listening");
    CHECK_ERROR(accept(listener, bad_null, &length), EFAULT);
    CHECK_EQ(read(third, &byte, 1), 0);
    CHECK_EQ(unlink("listening"), 0);
    int fourth = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(unix_connect(fourth, "listening"), ENOENT);
    close_all(7, listener, named, first, accepted, second, third, fourth);
}

static void accept_one(struct later *later)
{
    int fd = accept(later->fd, 0, 0);
    later->value = fd;
}

static void connect_one(struct later *later) { later->value = unix_connected(SOCK_STREAM, "@backlog"); }

/* How many connections wait, and do accept and connect wait for each other? */
TEST(backlog)
{
    int clients[3];
    struct later later;
    int listener = unix_bound(SOCK_STREAM, "@backlog");
    CHECK_EQ(listen(listener, 1), 0);
    for (int i = 0; i < 2; i++)
        clients[i] = unix_connected(SOCK_STREAM, "@backlog");
    clients[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERROR(unix_connect(clients[2], "@backlog"), EAGAIN);
    CHECK_EQ(fcntl(clients[2], F_SETFL, 0), 0);
    CHECK_EQ(set_timeout(clients[2], SO_SNDTIMEO, 30), 0);
    CHECK_ERROR(unix_connect(clients[2], "@backlog"), EAGAIN);
    CHECK_EQ(set_timeout(clients[2], SO_SNDTIMEO, 0), 0);
    start_later(&later, accept_one, listener, 0);
    CHECK_EQ(unix_connect(clients[2], "@backlog"), 0);
    join_later(&later);
    CHECK_EQ(close(later.value), 0);
    CHECK_EQ(close(accept(listener, 0, 0)) | close(accept(listener, 0, 0)), 0);
    CHECK_EQ(set_timeout(listener, SO_RCVTIMEO, 30), 0);
    CHECK_ERROR(accept(listener, 0, 0), EAGAIN);
    CHECK_EQ(set_timeout(listener, SO_RCVTIMEO, 0), 0);
    start_later(&later, connect_one, 0, 0);
    int accepted = accept(listener, 0, 0);
    CHECK(accepted >= 0);
    join_later(&later);
    close_all(6, later.value, accepted, listener, clients[0], clients[1], clients[2]);
}

/* What becomes of connections that were never accepted? */
TEST(listener_closes)
{
    char byte;
    int listener = unix_bound(SOCK_STREAM, "@closing");
    CHECK_EQ(listen(listener, 4), 0);
    int fd = unix_connected(SOCK_STREAM, "@closing"), other = unix_connected(SOCK_STREAM, "@closing");
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(close(listener), 0);
    CHECK_EQ(ready_events(fd), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(get_option(other, SOL_SOCKET, SO_ERROR), ECONNRESET);
    CHECK_EQ(get_option(other, SOL_SOCKET, SO_ERROR), 0);
    CHECK_ERROR(read(fd, &byte, 1), ECONNRESET);
    CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_ERROR(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    close_all(2, fd, other);
}

/* Is it woken that a listener's room comes free, and told who listens and who connected (SO_PEERCRED)? */
TEST(peer_credentials)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    int pair[2];
    unix_pair(SOCK_STREAM, pair);
    CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
    CHECK_EQ(length, sizeof peer);
    CHECK(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid());
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
    CHECK(peer.pid == 0 && peer.uid == (uid_t)-1 && peer.gid == (gid_t)-1);
    int listener = unix_bound(SOCK_STREAM, "@credentials");
    CHECK_EQ(listen(listener, 1) | unix_connect(fd, "@credentials"), 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
    CHECK_EQ(peer.pid, getpid());
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, length), ENOPROTOOPT);
    close_all(4, pair[0], pair[1], fd, listener);
}

/* Does /proc/net/unix list sockets with type, state and name? */
TEST(table_of_sockets)
{
    char line[256];
    int seen = 0;
    struct stat status;
    int listener = unix_bound(SOCK_STREAM, "@listed"), other = unix_bound(SOCK_DGRAM, "listed");
    CHECK_EQ(listen(listener, 1), 0);
    FILE *table = fopen("/proc/net/unix", "r");
    CHECK(table != 0);
    CHECK(fgets(line, sizeof line, table) != 0);
    CHECK(strcmp(line, "Num       RefCount Protocol Flags    Type St Inode Path\n") == 0);
    while (fgets(line, sizeof line, table)) {
        unsigned flags, type, state;
        unsigned long number;
        char name[128] = "";
        CHECK(sscanf(line, "%*[^:]: %*x %*x %x %x %x %lu %127s", &flags, &type, &state, &number, name) >= 4);
        if (strcmp(name, "@listed") == 0) {
            CHECK_EQ(fstat(listener, &status), 0);
            CHECK(flags == 0x10000 && type == SOCK_STREAM && state == 1 && number == status.st_ino);
            seen |= 1;
        } else if (strcmp(name, "listed") == 0) {
            CHECK(flags == 0 && type == SOCK_DGRAM && state == 1);
            seen |= 2;
        }
    }
    CHECK_EQ(seen, 3);
    CHECK_EQ(fclose(table) | unlink("listed"), 0);
    close_all(2, listener, other);
}
