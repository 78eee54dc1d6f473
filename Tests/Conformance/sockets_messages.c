/*
 * The calls that move whole messages: sendmsg, recvmsg, sendmmsg, recvmmsg, and their arguments.
 * Source of truth: sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2).
 */
#include "sockets.h"

static int pair[2];

static long send_many(int fd, void *messages, unsigned count, int flags) { return checked(raw_syscall(SYS_sendmmsg, fd, (long)messages, count, flags, 0, 0)); }

static long receive_many(int fd, void *messages, unsigned count, int flags, void *limit)
{
    return checked(raw_syscall(SYS_recvmmsg, fd, (long)messages, count, flags, (long)limit, 0));
}

/* Are ranges gathered and scattered, and the header's fields told back? */
TEST(message_ranges)
{
    char a[3], b[8];
    struct sockaddr_un name;
    struct iovec from[2] = {{"hello ", 6}, {"world", 5}}, to[2] = {{a, 3}, {b, 8}};
    struct msghdr out = {.msg_iov = from, .msg_iovlen = 2}, in = {.msg_name = &name, .msg_namelen = sizeof name, .msg_iov = to, .msg_iovlen = 2, .msg_flags = -1};
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(send_raw(pair[0], &out, 0), 11);
    CHECK_EQ(receive_raw(pair[1], &in, 0), 11);
    CHECK(memcmp(a, "hel", 3) == 0 && memcmp(b, "lo world", 8) == 0);
    CHECK_EQ(in.msg_namelen, 0);
    CHECK_EQ(in.msg_flags, 0);
    CHECK_EQ(in.msg_controllen, 0);
    CHECK_EQ(send_raw(pair[0], &out, 0), 11);
    in.msg_iovlen = 1;
    CHECK_EQ(receive_raw(pair[1], &in, 0), 3);
    CHECK_EQ(in.msg_flags, MSG_TRUNC);
    out.msg_iovlen = 0;
    CHECK_EQ(send_raw(pair[0], &out, 0), 0);
    CHECK_EQ(receive_raw(pair[1], &in, MSG_TRUNC), 0);
    close_all(2, pair[0], pair[1]);
}

/* Is a sender's name told and cut, and one to send to taken? */
TEST(message_names)
{
    struct sockaddr_un name;
    char byte;
    struct iovec range = {&byte, 1};
    int receiver = unix_bound(SOCK_DGRAM, "@receiving"), sender = unix_bound(SOCK_DGRAM, "@sending");
    struct msghdr message = {.msg_name = &name, .msg_namelen = unix_address(&name, "@receiving"), .msg_iov = &range, .msg_iovlen = 1};
    CHECK_EQ(send_raw(sender, &message, 0), 1);
    CHECK_EQ(send_raw(sender, &message, 0), 1);
    message.msg_namelen = sizeof name;
    CHECK_EQ(receive_raw(receiver, &message, 0), 1);
    CHECK_EQ(message.msg_namelen, 2 + 8);
    CHECK(memcmp(name.sun_path, "\0sending", 8) == 0);
    message.msg_namelen = 1;
    CHECK_EQ(receive_raw(receiver, &message, 0), 1);
    CHECK_EQ(message.msg_namelen, 2 + 8);
    message.msg_namelen = 1;
    CHECK_ERROR(send_raw(sender, &message, 0), EINVAL);
    message.msg_namelen = (socklen_t)-1;
    CHECK_ERROR(send_raw(sender, &message, 0), EINVAL);
    message.msg_name = bad_null;
    message.msg_namelen = 10;
    CHECK_ERROR(send_raw(sender, &message, 0), EFAULT);
    message.msg_name = 0;
    CHECK_ERROR(send_raw(sender, &message, 0), ENOTCONN);
    close_all(2, receiver, sender);
}

/* Which headers are refused? */
TEST(message_errors)
{
    static struct iovec many[1025];
    char byte;
    struct iovec range = {&byte, 1};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1};
    unix_pair(SOCK_STREAM, pair);
    CHECK_ERROR(send_raw(pair[0], bad_null, 0), EFAULT);
    CHECK_ERROR(receive_raw(pair[0], bad_null, 0), EFAULT);
    CHECK_ERROR(send_raw(-1, bad_null, 0), EBADF);
    message.msg_iov = many;
    message.msg_iovlen = 1025;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EMSGSIZE);
    CHECK_ERROR(receive_raw(pair[0], &message, 0), EMSGSIZE);
    message.msg_iovlen = 1024;
    CHECK_EQ(send_raw(pair[0], &message, 0), 0);
    message.msg_iov = bad_null;
    message.msg_iovlen = 1;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EFAULT);
    range.iov_len = (size_t)-1;
    message.msg_iov = &range;
    CHECK_ERROR(send_raw(pair[0], &message, 0), EINVAL);
    CHECK_ERROR(receive_raw(pair[0], &message, 0), EINVAL);
    range.iov_len = 1;
    CHECK_ERROR(send_raw(pair[0], &message, (int)0x80000000), EINVAL);
    CHECK_ERROR(receive_raw(pair[0], &message, (int)0x80000000), EINVAL);
    CHECK_ERROR(receive_raw(pair[0], &message, MSG_DONTWAIT), EAGAIN);
    close_all(2, pair[0], pair[1]);
}

/* Are many messages sent and received by one call, each with its length? */
TEST(many_messages)
{
    char texts[4][8];
    struct iovec ranges[4] = {{"a", 1}, {"bb", 2}, {"ccc", 3}, {"dddd", 4}};
    struct mmsghdr messages[4] = {0};
    for (int i = 0; i < 4; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = ranges + i, .msg_iovlen = 1};
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(send_many(pair[0], messages, 4, 0), 4);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(messages[i].msg_len, i + 1);
        ranges[i] = (struct iovec){texts[i], 8};
    }
    CHECK_EQ(receive_many(pair[1], messages, 3, 0, 0), 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(messages[i].msg_len, i + 1);
    CHECK(memcmp(texts[2], "ccc", 3) == 0);
    CHECK_EQ(receive_many(pair[1], messages, 4, MSG_DONTWAIT, 0), 1);
    CHECK_EQ(messages[0].msg_len, 4);
    CHECK_ERROR(receive_many(pair[1], messages, 4, MSG_DONTWAIT, 0), EAGAIN);
    CHECK_EQ(receive_many(pair[1], messages, 0, 0, 0), 0);
    CHECK_EQ(send_many(pair[0], messages, 0, 0), 0);
    close_all(2, pair[0], pair[1]);
}

/* Does MSG_WAITFORONE wait for one only, and the time limit end a call after a message? */
TEST(many_messages_wait)
{
    char texts[4][8];
    struct iovec ranges[4];
    struct mmsghdr messages[4] = {0};
    for (int i = 0; i < 4; i++) {
        ranges[i] = (struct iovec){texts[i], 8};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = ranges + i, .msg_iovlen = 1};
    }
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(write(pair[0], "x", 1) + write(pair[0], "y", 1), 2);
    CHECK_EQ(receive_many(pair[1], messages, 4, MSG_WAITFORONE, 0), 2);
    struct timespec limit = {0, 0};
    CHECK_EQ(write(pair[0], "x", 1) + write(pair[0], "y", 1), 2);
    CHECK_EQ(receive_many(pair[1], messages, 4, 0, &limit), 1);
    limit = (struct timespec){5, 0};
    CHECK_EQ(receive_many(pair[1], messages, 1, 0, &limit), 1);
    CHECK(limit.tv_sec == 4 || (limit.tv_sec == 5 && limit.tv_nsec == 0));
    limit.tv_nsec = 1000000000;
    CHECK_ERROR(receive_many(pair[1], messages, 1, MSG_DONTWAIT, &limit), EINVAL);
    limit = (struct timespec){-1, 0};
    CHECK_ERROR(receive_many(pair[1], messages, 1, MSG_DONTWAIT, &limit), EINVAL);
    CHECK_ERROR(receive_many(pair[1], messages, 1, MSG_DONTWAIT, bad_null), EFAULT);
    CHECK_ERROR(receive_many(pair[1], bad_null, 1, MSG_DONTWAIT, 0), EFAULT);
    CHECK_ERROR(send_many(pair[1], bad_null, 1, MSG_DONTWAIT), EFAULT);
    CHECK_ERROR(send_many(-1, messages, 1, 0), EBADF);
    CHECK_ERROR(receive_many(0, messages, 1, 0, 0), ENOTSOCK);
    close_all(2, pair[0], pair[1]);
}

/* Is an error told after the messages that went before it? */
TEST(many_messages_error)
{
    struct iovec ranges[3] = {{"a", 1}, {bad_null, 2}, {"c", 1}};
    struct mmsghdr messages[3] = {0};
    for (int i = 0; i < 3; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = ranges + i, .msg_iovlen = 1};
    unix_pair(SOCK_DGRAM, pair);
    CHECK_EQ(send_many(pair[0], messages, 3, 0), 1);
    CHECK_ERROR(send_many(pair[0], messages + 1, 2, 0), EFAULT);
    char text[8];
    CHECK_EQ(recv(pair[1], text, 8, 0), 1);
    CHECK_ERROR(recv(pair[1], text, 8, MSG_DONTWAIT), EAGAIN);
    close_all(2, pair[0], pair[1]);
}
