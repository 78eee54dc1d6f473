/*
 * Open files and credentials that travel through AF_UNIX sockets: SCM_RIGHTS, SCM_CREDENTIALS, SO_PASSCRED.
 * Source of truth: unix(7), cmsg(3), sendmsg(2), recvmsg(2).
 */
#include "sockets.h"
#include <sys/eventfd.h>

enum { MOST_FILES = 253 };

static int pair[2];

/* Sends bytes with descriptors beside them. */
static ssize_t send_files(int socket, const char *text, const int *files, int count)
{
    static union { struct cmsghdr header; char bytes[CMSG_SPACE(sizeof(int) * 300)]; } control;
    struct iovec range = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1};
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(&control.header), files, sizeof(int) * (size_t)count);
    return send_raw(socket, &message, MSG_NOSIGNAL);
}

/* Receives bytes and descriptors; returns how many of these came, all flags in *flags. */
static int receive_files(int socket, char *text, size_t size, int *files, int room, int ask, int *flags)
{
    static union { struct cmsghdr header; char bytes[CMSG_SPACE(sizeof(int) * 300)]; } control;
    struct iovec range = {text, size};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = room < 0 ? 0 : CMSG_LEN(sizeof(int) * (size_t)room);
    ssize_t length = recvmsg(socket, &message, ask);
    CHECK(length >= 0);
    *flags = message.msg_flags;
    if (message.msg_controllen < sizeof(struct cmsghdr))
        return 0;
    CHECK_EQ(control.header.cmsg_level, SOL_SOCKET);
    CHECK_EQ(control.header.cmsg_type, SCM_RIGHTS);
    int count = (int)((control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(files, CMSG_DATA(&control.header), sizeof(int) * (size_t)count);
    return count;
}

static int lowest_free(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

/* Does a descriptor arrive as another one of the same open file? */
TEST(rights_same_file)
{
    char text[8];
    int flags, got[4];
    unix_pair(SOCK_STREAM, pair);
    int file = open("passed", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(file, "abcdef", 6), 6);
    CHECK_EQ(send_files(pair[0], "x", &file, 1), 1);
    CHECK_EQ(close(file), 0);
    int free_before = lowest_free();
    CHECK_EQ(receive_files(pair[1], text, 8, got, 4, 0, &flags), 1);
    CHECK_EQ(got[0], free_before);
    CHECK_EQ(flags, 0);
    CHECK_EQ(fcntl(got[0], F_GETFD), 0);
    CHECK_EQ(lseek(got[0], 0, SEEK_CUR), 6);
    CHECK_EQ(pread(got[0], text, 3, 1), 3);
    CHECK(memcmp(text, "bcd", 3) == 0);
    CHECK_EQ(send_files(pair[0], "y", got, 1), 1);
    int again;
    CHECK_EQ(receive_files(pair[1], text, 8, &again, 1, MSG_CMSG_CLOEXEC, &flags), 1);
    CHECK_EQ(flags, MSG_CMSG_CLOEXEC);
    CHECK_EQ(fcntl(again, F_GETFD), FD_CLOEXEC);
    close_all(4, got[0], again, pair[0], pair[1]);
    CHECK_EQ(unlink("passed"), 0);
}

/* Do several descriptors arrive together, and what does not fit is closed with MSG_CTRUNC? */
TEST(rights_truncated)
{
    char text[8];
    int flags, got[4], ends[2];
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(pipe(ends), 0);
    int files[3] = {ends[1], ends[1], ends[1]};
    CHECK_EQ(send_files(pair[0], "x", files, 3), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got, 3, 0, &flags), 3);
    CHECK_EQ(flags, 0);
    close_all(3, got[0], got[1], got[2]);
    CHECK_EQ(send_files(pair[0], "x", files, 3), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got, 2, 0, &flags), 2);
    CHECK_EQ(flags, MSG_CTRUNC);
    close_all(2, got[0], got[1]);
    CHECK_EQ(send_files(pair[0], "x", files, 3), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got, -1, 0, &flags), 0);
    CHECK_EQ(flags, MSG_CTRUNC);
    CHECK_EQ(send_files(pair[0], "x", files, 3), 1);
    CHECK_EQ(recv(pair[1], text, 8, 0), 1);
    /* None of those that were dropped keeps the pipe open. */
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(read(ends[0], text, 1), 0);
    close_all(3, ends[0], pair[0], pair[1]);
}

/* Does recv on a stream stop where files came, and give them with the first byte? */
TEST(rights_in_a_stream)
{
    char text[16];
    int flags, got[4], event = eventfd(0, 0);
    unix_pair(SOCK_STREAM, pair);
    CHECK_EQ(write(pair[0], "before", 6), 6);
    CHECK_EQ(send_files(pair[0], "with", &event, 1), 4);
    CHECK_EQ(write(pair[0], "after", 5), 5);
    CHECK_EQ(send_files(pair[0], "more", &event, 1), 4);
    CHECK_EQ(receive_files(pair[1], text, 3, got, 4, 0, &flags), 0);
    CHECK_EQ(receive_files(pair[1], text, 5, got, 4, 0, &flags), 1);
    CHECK(memcmp(text, "orewi", 5) == 0);
    CHECK_EQ(close(got[0]), 0);
    CHECK_EQ(receive_files(pair[1], text, 16, got, 4, 0, &flags), 1);
    CHECK(memcmp(text, "thaftermore", 11) == 0);
    CHECK_EQ(close(got[0]), 0);
    close_all(3, event, pair[0], pair[1]);
}

/* Does a look at a message give files of its own? */
TEST(rights_peek)
{
    char text[8];
    int flags, got[2], event = eventfd(7, EFD_NONBLOCK);
    uint64_t value;
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(send_files(pair[0], "x", &event, 1), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got, 1, MSG_PEEK, &flags), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got + 1, 1, 0, &flags), 1);
    CHECK(got[0] != got[1]);
    CHECK_EQ(read(got[0], &value, 8), 8);
    CHECK_EQ(value, 7);
    CHECK_ERROR(read(got[1], &value, 8), EAGAIN);
    close_all(5, got[0], got[1], event, pair[0], pair[1]);
}

/* Which control messages are refused? */
TEST(rights_errors)
{
    union { struct cmsghdr header; char bytes[64]; } control = {0};
    char text[8];
    int flags, got[MOST_FILES], many[MOST_FILES + 1];
    unix_pair(SOCK_STREAM, pair);
    for (int i = 0; i <= MOST_FILES; i++)
        many[i] = pair[0];
    CHECK_ERROR(send_files(pair[0], "x", many, MOST_FILES + 1), EINVAL);
    CHECK_EQ(send_files(pair[0], "x", many, MOST_FILES), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got, MOST_FILES, 0, &flags), MOST_FILES);
    for (int i = 0; i < MOST_FILES; i++)
        CHECK_EQ(close(got[i]), 0);
    int bad[2] = {pair[0], -1};
    CHECK_ERROR(send_files(pair[0], "x", bad, 2), EBADF);
    CHECK_EQ(send_files(pair[0], "x", bad, 0), 1);
    struct iovec range = {text, 1};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = 24};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = 25;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EINVAL);
    control.header.cmsg_len = 15;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EINVAL);
    control.header.cmsg_len = 20;
    control.header.cmsg_type = 77;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EINVAL);
    control.header.cmsg_level = 77;
    CHECK_EQ(send_raw(pair[0], &message, 0), 1);
    message.msg_control = bad_null;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EFAULT);
    message.msg_controllen = 8;
    message.msg_control = &control;
    CHECK_EQ(send_raw(pair[0], &message, 0), 1);
    close_all(2, pair[0], pair[1]);
}

/* Is a file at its limit of descriptors kept out, and a place (O_PATH) let through? */
TEST(rights_limits)
{
    char text[8];
    int flags, got[4], place = open(".", O_PATH);
    unix_pair(SOCK_STREAM, pair);
    CHECK_EQ(send_files(pair[0], "x", &place, 1), 1);
    CHECK_EQ(receive_files(pair[1], text, 8, got, 1, 0, &flags), 1);
    CHECK(fcntl(got[0], F_GETFL) & O_PATH);
    CHECK_EQ(close(got[0]), 0);
    close_all(3, place, pair[0], pair[1]);
}

/* Are files that nobody received closed when their socket ends? */
TEST(rights_end_with_their_socket)
{
    char byte;
    int ends[2];
    unix_pair(SOCK_STREAM, pair);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(send_files(pair[0], "x", ends + 1, 1), 1);
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(close(pair[0]), 0);
    struct pollfd poller = {ends[0], POLLIN, 0};
    CHECK_EQ(poll(&poller, 1, 0), 0);
    CHECK_EQ(close(pair[1]), 0);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_EQ(close(ends[0]), 0);
}

/* Do sockets end that wait inside each other, or inside themselves, and what they hold with them? */
TEST(rights_in_circles)
{
    char byte;
    int ends[2], other[2];
    for (int round = 0; round < 20; round++) {
        CHECK_EQ(pipe(ends), 0);
        unix_pair(SOCK_STREAM, pair);
        unix_pair(SOCK_STREAM, other);
        CHECK_EQ(send_files(pair[0], "x", ends + 1, 1), 1);
        CHECK_EQ(send_files(pair[0], "x", other + 1, 1), 1);
        CHECK_EQ(send_files(other[0], "x", pair + 1, 1), 1);
        CHECK_EQ(send_files(pair[0], "x", pair + 1, 1), 1);
        close_all(5, ends[1], pair[0], pair[1], other[0], other[1]);
        /* Another socket's end lets Linux look for such circles. */
        unix_pair(SOCK_STREAM, pair);
        close_all(2, pair[0], pair[1]);
        struct pollfd poller = {ends[0], POLLIN, 0};
        CHECK_EQ(poll(&poller, 1, 5000), 1);
        CHECK_EQ(read(ends[0], &byte, 1), 0);
        CHECK_EQ(close(ends[0]), 0);
    }
}

/* Does a long chain of sockets inside each other end at once? */
TEST(rights_in_chains)
{
    char byte;
    int ends[2], held, next[2];
    CHECK_EQ(pipe(ends), 0);
    held = ends[1];
    for (int i = 0; i < 300; i++) {
        unix_pair(SOCK_STREAM, next);
        CHECK_EQ(send_files(next[0], "x", &held, 1), 1);
        close_all(2, held, next[0]);
        held = next[1];
    }
    CHECK_EQ(close(held), 0);
    struct pollfd poller = {ends[0], POLLIN, 0};
    CHECK_EQ(poll(&poller, 1, 5000), 1);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_EQ(close(ends[0]), 0);
}

static ssize_t send_credentials(int socket, struct ucred claim, size_t length)
{
    union { struct cmsghdr header; char bytes[CMSG_SPACE(sizeof(struct ucred))]; } control = {0};
    struct iovec range = {"c", 1};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_CREDENTIALS;
    control.header.cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(&control.header), &claim, sizeof claim);
    return sendmsg(socket, &message, 0);
}

/* Are credentials told to who asks for them, and a socket named that asks? */
TEST(credentials)
{
    const int types[2] = {SOCK_STREAM, SOCK_DGRAM};
    struct ucred own = {getpid(), getuid(), getgid()}, wrong = {1 << 21, getuid(), getgid()};
    for (int i = 0; i < 2; i++) {
        union { struct cmsghdr header; char bytes[64]; } control;
        char text[8];
        struct iovec range = {text, 8};
        struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        unix_pair(types[i], pair);
        CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_PASSCRED, 1), 0);
        CHECK_EQ(get_option(pair[1], SOL_SOCKET, SO_PASSCRED), 1);
        CHECK_EQ(write(pair[0], "x", 1), 1);
        CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
        CHECK_EQ(control.header.cmsg_type, SCM_CREDENTIALS);
        CHECK_EQ(control.header.cmsg_len, CMSG_LEN(sizeof(struct ucred)));
        CHECK_EQ(message.msg_controllen, CMSG_SPACE(sizeof(struct ucred)));
        CHECK(memcmp(CMSG_DATA(&control.header), &own, sizeof own) == 0);
        CHECK_EQ(send_credentials(pair[0], own, sizeof own), 1);
        message.msg_controllen = CMSG_LEN(4);
        CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
        CHECK_EQ(message.msg_flags, MSG_CTRUNC);
        CHECK_EQ(control.header.cmsg_len, CMSG_LEN(4));
        CHECK_ERROR(send_credentials(pair[0], own, 8), EINVAL);
        CHECK_ERROR(send_credentials(pair[0], wrong, sizeof wrong), ESRCH);
        CHECK_EQ(write(pair[0], "y", 1), 1);
        message.msg_control = 0;
        CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
        CHECK_EQ(message.msg_flags, MSG_CTRUNC);
        CHECK_EQ(message.msg_controllen, 0);
        close_all(2, pair[0], pair[1]);
    }
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int listener = unix_bound(SOCK_STREAM, "@passing"), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(listen(listener, 1) | set_option(fd, SOL_SOCKET, SO_PASSCRED, 1), 0);
    CHECK_EQ(unix_connect(fd, "@passing"), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    CHECK_EQ(length, 2 + 6);
    close_all(2, listener, fd);
}
