/*
 * Sockets of AF_UNIX that keep the boundaries of messages: SOCK_DGRAM and SOCK_SEQPACKET.
 * Source of truth: unix(7), send(2), recv(2), connect(2), poll(2).
 */
#include "sockets.h"

static int send_to(int fd, const char *text, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, name);
    return (int)sendto(fd, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&address, length);
}

/* Do messages keep their boundaries, and is the rest of one lost that does not fit? */
TEST(message_boundaries)
{
    char text[16];
    int pair[2];
    const int types[2] = {SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        unix_pair(types[i], pair);
        CHECK_EQ(write(pair[0], "one", 3) + write(pair[0], "", 0) + write(pair[0], "three", 5) + write(pair[0], "four", 4), 12);
        CHECK_EQ(recv(pair[1], text, 16, MSG_PEEK), 3);
        CHECK_EQ(recv(pair[1], text, 16, 0), 3);
        CHECK_EQ(recv(pair[1], text, 16, 0), 0);
        CHECK_EQ(recv(pair[1], text, 2, MSG_TRUNC | MSG_PEEK), 5);
        CHECK_EQ(recv(pair[1], text, 2, 0), 2);
        CHECK(memcmp(text, "th", 2) == 0);
        CHECK_EQ(recv(pair[1], text, 2, MSG_TRUNC), 4);
        CHECK_ERROR(recv(pair[1], text, 16, MSG_DONTWAIT), EAGAIN);
        close_all(2, pair[0], pair[1]);
    }
}

/* How much does FIONREAD tell: the next message, or all? */
TEST(message_bytes_waiting)
{
    int pair[2];
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(waiting_bytes(pair[1]), 0);
    CHECK_EQ(write(pair[0], "one", 3) + write(pair[0], "three", 5), 8);
    CHECK_EQ(waiting_bytes(pair[1]), 3);
    close_all(2, pair[0], pair[1]);
    unix_pair(SOCK_SEQPACKET, pair);
    CHECK_EQ(write(pair[0], "one", 3) + write(pair[0], "three", 5), 8);
    CHECK_EQ(waiting_bytes(pair[1]), 8);
    close_all(2, pair[0], pair[1]);
}

/* Do large messages come through whole, and are larger ones than the buffer refused? */
TEST(message_sizes)
{
    static unsigned char block[212992], back[212992];
    int pair[2];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(i % 253);
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(send(pair[0], block, 100000, 0), 100000);
    CHECK_EQ(recv(pair[1], back, sizeof back, 0), 100000);
    CHECK(memcmp(block, back, 100000) == 0);
    CHECK_EQ(send(pair[0], block, sizeof block - 32, 0), sizeof block - 32);
    CHECK_EQ(recv(pair[1], back, sizeof back, 0), sizeof back - 32);
    CHECK(memcmp(block, back, sizeof back - 32) == 0);
    CHECK_ERROR(send(pair[0], block, sizeof block - 31, 0), EMSGSIZE);
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 5000), 0);
    CHECK_ERROR(send(pair[0], block, 10000, 0), EMSGSIZE);
    CHECK_EQ(send(pair[0], block, 9968, 0), 9968);
    close_all(2, pair[0], pair[1]);
}

/* Are datagrams sent to names, and is the sender's name told? */
TEST(datagram_names)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    char text[16];
    int first = unix_bound(SOCK_DGRAM, "first"), second = unix_bound(SOCK_DGRAM, "@second"), third = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(send_to(second, "hello", "first"), 5);
    CHECK_EQ(recvfrom(first, text, 16, 0, (struct sockaddr *)&address, &length), 5);
    CHECK_EQ(length, 2 + 7);
    CHECK(memcmp(address.sun_path, "\0second", 7) == 0);
    CHECK_EQ(sendto(first, "back", 4, 0, (struct sockaddr *)&address, length), 4);
    length = 4;
    CHECK_EQ(recvfrom(second, text, 16, 0, (struct sockaddr *)&address, &length), 4);
    CHECK_EQ(length, 2 + 6);
    CHECK_EQ(send_to(third, "x", "first"), 1);
    length = sizeof address;
    CHECK_EQ(recvfrom(first, text, 16, 0, (struct sockaddr *)&address, &length), 1);
    CHECK_EQ(length, 0);
    CHECK_EQ(send_to(third, "x", "first"), 1);
    CHECK_ERROR(recvfrom(first, text, 16, 0, (struct sockaddr *)&address, bad_null), EFAULT);
    CHECK_ERROR(recv(first, text, 16, MSG_DONTWAIT), EAGAIN);
    close_all(3, first, second, third);
    CHECK_EQ(unlink("first"), 0);
}

/* To whom can a datagram not be sent? */
TEST(datagram_errors)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, "@receiver");
    char byte;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), receiver = unix_bound(SOCK_DGRAM, "@receiver");
    CHECK_ERROR(send(fd, "x", 1, 0), ENOTCONN);
    CHECK_ERROR(send_to(fd, "x", "nobody"), ENOENT);
    CHECK_ERROR(send_to(fd, "x", "@nobody"), ECONNREFUSED);
    CHECK_ERROR(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, 2), EINVAL);
    CHECK_ERROR(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, 1), EINVAL);
    address.sun_family = AF_INET;
    CHECK_ERROR(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, length), EINVAL);
    address.sun_family = AF_UNIX;
    CHECK_ERROR(sendto(fd, bad_null, 1, 0, (struct sockaddr *)&address, length), EFAULT);
    CHECK_ERROR(sendto(fd, "x", 1, MSG_OOB, (struct sockaddr *)&address, length), EOPNOTSUPP);
    CHECK_ERROR(recv(fd, &byte, 1, MSG_OOB), EOPNOTSUPP);
    int stream = unix_bound(SOCK_STREAM, "stream");
    CHECK_ERROR(send_to(fd, "x", "stream"), EPROTOTYPE);
    CHECK_EQ(unlink("stream"), 0);
    /* Abstract names are each type's own. */
    int another = unix_bound(SOCK_STREAM, "@receiver");
    CHECK_EQ(close(another), 0);
    CHECK_EQ(send_to(fd, "xyz", "@receiver"), 3);
    CHECK_ERROR(recv(receiver, bad_null, 3, 0), EFAULT);
    CHECK_ERROR(recv(receiver, &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(shutdown(receiver, SHUT_RD), 0);
    taken_broken_pipes();
    CHECK_ERROR(send_to(fd, "x", "@receiver"), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 0);
    CHECK_ERROR(recv(receiver, &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(recv(receiver, &byte, 1, 0), 0);
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
    CHECK_ERROR(send_to(fd, "x", "@receiver"), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 0);
    close_all(3, fd, receiver, stream);
}

/* Does connect choose whom datagrams go to and whom they are taken from, and AF_UNSPEC undo it? */
TEST(datagram_connect)
{
    struct sockaddr_un address;
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    char text[8];
    int first = unix_bound(SOCK_DGRAM, "@1"), second = unix_bound(SOCK_DGRAM, "@2"), third = unix_bound(SOCK_DGRAM, "@3");
    CHECK_ERROR(connect(first, (struct sockaddr *)&address, 1), EINVAL);
    CHECK_ERROR(unix_connect(first, "@4"), ECONNREFUSED);
    CHECK_EQ(unix_connect(first, "@2"), 0);
    CHECK_EQ(getpeername(first, (struct sockaddr *)&address, &length), 0);
    CHECK_EQ(length, 2 + 2);
    CHECK_EQ(send(first, "a", 1, 0), 1);
    CHECK_EQ(recv(second, text, 8, 0), 1);
    /* Only the peer may send to a connected socket. */
    CHECK_ERROR(send_to(third, "x", "@1"), EPERM);
    CHECK_ERROR(unix_connect(third, "@1"), EPERM);
    CHECK_EQ(send_to(second, "b", "@1"), 1);
    CHECK_EQ(recv(first, text, 8, 0), 1);
    CHECK_EQ(send_to(first, "c", "@3"), 1);
    CHECK_EQ(recv(third, text, 8, 0), 1);
    CHECK_EQ(connect(first, &none, sizeof none), 0);
    length = sizeof address;
    CHECK_ERROR(getpeername(first, (struct sockaddr *)&address, &length), ENOTCONN);
    CHECK_ERROR(send(first, "a", 1, 0), ENOTCONN);
    CHECK_EQ(send_to(third, "x", "@1"), 1);
    CHECK_EQ(unix_connect(first, "@1"), 0);
    CHECK_EQ(send(first, "me", 2, 0), 2);
    CHECK_EQ(recv(first, text, 8, 0), 1);
    CHECK_EQ(recv(first, text, 8, 0), 2);
    close_all(3, first, second, third);
}

/* What does a connected datagram socket see of its peer's end? */
TEST(datagram_peer_closes)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    char text[8];
    int pair[2];
    taken_broken_pipes();
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(ready_events(pair[0]), POLLOUT);
    CHECK_EQ(write(pair[1], "ab", 2), 2);
    CHECK_EQ(close(pair[1]), 0);
    CHECK_EQ(ready_events(pair[0]), POLLIN | POLLOUT);
    CHECK_EQ(getpeername(pair[0], (struct sockaddr *)&address, &length), 0);
    CHECK_EQ(recv(pair[0], text, 8, 0), 2);
    CHECK_ERROR(recv(pair[0], text, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_ERROR(write(pair[0], "x", 1), ECONNREFUSED);
    CHECK_ERROR(write(pair[0], "x", 1), ENOTCONN);
    CHECK_EQ(taken_broken_pipes(), 0);
    length = sizeof address;
    CHECK_ERROR(getpeername(pair[0], (struct sockaddr *)&address, &length), ENOTCONN);
    CHECK_EQ(close(pair[0]), 0);
}

static void receive_one(struct later *later)
{
    char byte;
    recv(later->fd, &byte, 1, 0);
}

/* Does a full queue stop senders, and does poll tell when there is room again? */
TEST(datagram_queue)
{
    char byte;
    struct later later;
    int receiver = unix_bound(SOCK_DGRAM, "@queue"), sender = socket(AF_UNIX, SOCK_DGRAM, 0), sent = 0;
    CHECK_EQ(unix_connect(sender, "@queue"), 0);
    CHECK_EQ(ready_events(sender), POLLOUT);
    while (send(sender, "x", 1, MSG_DONTWAIT) == 1)
        sent++;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(sent, 11);
    CHECK_EQ(ready_events(sender), 0);
    int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERROR(send_to(other, "x", "@queue"), EAGAIN);
    struct pollfd poller = {sender, POLLOUT, 0};
    start_later(&later, receive_one, receiver, 0);
    CHECK_EQ(poll(&poller, 1, 5000), 1);
    join_later(&later);
    CHECK_EQ(send(sender, "x", 1, MSG_DONTWAIT), 1);
    CHECK_EQ(set_timeout(sender, SO_SNDTIMEO, 30), 0);
    CHECK_ERROR(send(sender, "x", 1, 0), EAGAIN);
    CHECK_EQ(set_timeout(sender, SO_SNDTIMEO, 0), 0);
    start_later(&later, receive_one, receiver, 0);
    CHECK_EQ(send(sender, "x", 1, 0), 1);
    join_later(&later);
    for (int i = 0; i < 11; i++)
        CHECK_EQ(recv(receiver, &byte, 1, MSG_DONTWAIT), 1);
    CHECK_ERROR(recv(receiver, &byte, 1, MSG_DONTWAIT), EAGAIN);
    close_all(3, receiver, sender, other);
}

/* Are two datagram sockets that are connected to each other held back by memory only? */
TEST(datagram_pair_queue)
{
    int pair[2], sent = 0;
    unix_pair(SOCK_DGRAM | SOCK_NONBLOCK, pair);
    while (write(pair[0], "x", 1) == 1)
        sent++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(sent > 100);
    CHECK_EQ(ready_events(pair[0]), 0);
    char byte;
    while (read(pair[1], &byte, 1) == 1)
        sent--;
    CHECK_EQ(sent, 0);
    CHECK_EQ(ready_events(pair[0]), POLLOUT);
    close_all(2, pair[0], pair[1]);
}

/* Do seqpacket sockets connect as streams do, keep messages and end as streams do, but without SIGPIPE? */
TEST(seqpacket_connections)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, "@elsewhere");
    char text[8];
    taken_broken_pipes();
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), listener = unix_bound(SOCK_SEQPACKET, "@packets");
    CHECK_ERROR(send(fd, "x", 1, 0), ENOTCONN);
    CHECK_ERROR(recv(fd, text, 1, 0), ENOTCONN);
    CHECK_EQ(ready_events(fd), POLLOUT | POLLHUP);
    CHECK_ERROR(unix_connect(fd, "@packets"), ECONNREFUSED);
    CHECK_EQ(listen(listener, 2), 0);
    CHECK_EQ(unix_connect(fd, "@packets"), 0);
    int accepted = accept(listener, 0, 0);
    CHECK_EQ(sendto(fd, "ab", 2, 0, (struct sockaddr *)&address, length), 2);
    CHECK_EQ(send(fd, "cd", 2, 0), 2);
    CHECK_EQ(recv(accepted, text, 8, MSG_WAITALL), 2);
    CHECK_EQ(ready_events(accepted), POLLIN | POLLOUT);
    CHECK_EQ(send(accepted, "unread", 6, 0), 6);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(ready_events(accepted), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    CHECK_ERROR(recv(accepted, text, 8, 0), ECONNRESET);
    CHECK_EQ(recv(accepted, text, 8, 0), 2);
    CHECK_EQ(recv(accepted, text, 8, 0), 0);
    CHECK_EQ(recv(accepted, text, 8, MSG_DONTWAIT), 0);
    CHECK_ERROR(send(accepted, "x", 1, 0), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 0);
    close_all(2, accepted, listener);
}

static void send_later(struct later *later) { send(later->fd, "z", 1, 0); }

/* Does recv wait for a message, and SO_RCVTIMEO end it? */
TEST(message_waits)
{
    char byte;
    struct later later;
    int pair[2];
    unix_pair(SOCK_DGRAM, pair);
    start_later(&later, send_later, pair[1], 0);
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
    join_later(&later);
    CHECK_EQ(set_timeout(pair[0], SO_RCVTIMEO, 30), 0);
    CHECK_ERROR(recv(pair[0], &byte, 1, 0), EAGAIN);
    close_all(2, pair[0], pair[1]);
}

/* Does a datagram tell when it was sent (SO_TIMESTAMP, SO_TIMESTAMPNS)? */
TEST(message_timestamps)
{
    union { struct cmsghdr header; char bytes[64]; } control;
    char byte;
    struct iovec range = {&byte, 1};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct timespec now;
    int pair[2];
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
    CHECK_EQ(control.header.cmsg_type, SO_TIMESTAMP);
    CHECK_EQ(control.header.cmsg_len, CMSG_LEN(sizeof(struct timeval)));
    struct timeval *time = (struct timeval *)CMSG_DATA(&control.header);
    CHECK(labs(time->tv_sec - now.tv_sec) <= 1);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
    CHECK_EQ(get_option(pair[1], SOL_SOCKET, SO_TIMESTAMP), 0);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    message.msg_controllen = sizeof control;
    CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
    CHECK_EQ(control.header.cmsg_type, SO_TIMESTAMPNS);
    CHECK_EQ(message.msg_controllen, CMSG_SPACE(sizeof(struct timespec)));
    close_all(2, pair[0], pair[1]);
}
