/*
 * UDP over the loopback and its control messages.
 * Source of truth: udp(7), ip(7), ipv6(7), send(2), recv(2).
 */
#include "sockets.h"

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

static int bound(void)
{
    struct sockaddr_in name = loopback(0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static int send_to(int fd, const char *text, int port)
{
    struct sockaddr_in name = loopback(port);
    return (int)sendto(fd, text, strlen(text), 0, (struct sockaddr *)&name, sizeof name);
}

/* Do datagrams keep their boundaries and tell their sender? */
TEST(udp_datagrams)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    char text[16];
    int first = bound(), second = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(get_option(second, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    CHECK_EQ(ready_events(second), POLLOUT);
    CHECK_EQ(send_to(second, "one", port_of(first)) + send_to(second, "", port_of(first)) + send_to(second, "three", port_of(first)), 8);
    CHECK_EQ(ready_events(first), POLLIN | POLLOUT);
    CHECK_EQ(waiting_bytes(first), 3);
    CHECK_EQ(recvfrom(first, text, 16, MSG_PEEK, (struct sockaddr *)&name, &length), 3);
    CHECK_EQ(length, sizeof name);
    CHECK_EQ(ntohs(name.sin_port), port_of(second));
    CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(recv(first, text, 16, 0), 3);
    CHECK_EQ(recv(first, text, 16, 0), 0);
    CHECK_EQ(recv(first, text, 2, MSG_PEEK | MSG_TRUNC), 5);
    struct iovec range = {text, 4};
    struct msghdr message = {.msg_iov = &range, .msg_iovlen = 1};
    CHECK_EQ(recvmsg(first, &message, 0), 4);
    CHECK_EQ(message.msg_flags, MSG_TRUNC);
    CHECK_ERROR(recv(first, text, 16, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(set_timeout(first, SO_RCVTIMEO, 30), 0);
    CHECK_ERROR(recv(first, text, 16, 0), EAGAIN);
    CHECK_EQ(sendto(first, "back", 4, 0, (struct sockaddr *)&name, sizeof name), 4);
    CHECK_EQ(recv(second, text, 16, 0), 4);
    close_all(2, first, second);
}

/* What is refused? */
TEST(udp_errors)
{
    struct sockaddr_in name = loopback(9);
    struct sockaddr_in6 name6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(9)};
    static char block[70000];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERROR(send(fd, "x", 1, 0), EDESTADDRREQ);
    CHECK_ERROR(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, 15), EINVAL);
    CHECK_ERROR(sendto(fd, "x", 1, 0, (struct sockaddr *)&name6, sizeof name6), EAFNOSUPPORT);
    CHECK_ERROR(sendto(fd, "x", 1, MSG_OOB, (struct sockaddr *)&name, sizeof name), EOPNOTSUPP);
    CHECK_ERROR(sendto(fd, block, 65508, 0, (struct sockaddr *)&name, sizeof name), EMSGSIZE);
    CHECK_ERROR(sendto(fd, block, sizeof block, 0, (struct sockaddr *)&name, sizeof name), EMSGSIZE);
    CHECK_ERROR(sendto(fd, bad_null, 5, 0, (struct sockaddr *)&name, sizeof name), EFAULT);
    name.sin_port = 0;
    CHECK_ERROR(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof name), EINVAL);
    CHECK_ERROR(listen(fd, 1), EOPNOTSUPP);
    CHECK_ERROR(accept(fd, 0, 0), EOPNOTSUPP);
    CHECK_ERROR(shutdown(fd, SHUT_RD), ENOTCONN);
    CHECK_EQ(close(fd), 0);
}

/* Does the largest datagram come through whole? */
TEST(udp_large)
{
    static unsigned char block[65507], back[65507];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(i % 249);
    struct sockaddr_in name;
    int first = bound(), second = socket(AF_INET, SOCK_DGRAM, 0);
    name = loopback(port_of(first));
    CHECK_EQ(sendto(second, block, sizeof block, 0, (struct sockaddr *)&name, sizeof name), sizeof block);
    CHECK_EQ(recv(first, back, sizeof back, 0), sizeof back);
    CHECK(memcmp(block, back, sizeof back) == 0);
    close_all(2, first, second);
}

/* Does connect choose whom to talk to, tell refusals, and AF_UNSPEC undo it? */
TEST(udp_connect)
{
    struct sockaddr_in name = loopback(0);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    socklen_t length = sizeof name;
    char text[8];
    int first = bound(), second = bound(), third = bound();
    name = loopback(port_of(second));
    CHECK_EQ(connect(first, (struct sockaddr *)&name, sizeof name), 0);
    length = sizeof name;
    CHECK_EQ(getpeername(first, (struct sockaddr *)&name, &length), 0);
    CHECK_EQ(ntohs(name.sin_port), port_of(second));
    CHECK_EQ(send(first, "a", 1, 0), 1);
    CHECK_EQ(recv(second, text, 8, 0), 1);
    CHECK_EQ(send_to(third, "no", port_of(first)), 2);
    CHECK_EQ(send_to(second, "yes", port_of(first)), 3);
    CHECK_EQ(recv(first, text, 8, 0), 3);
    CHECK_ERROR(recv(first, text, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send_to(first, "else", port_of(third)), 4);
    CHECK_EQ(recv(third, text, 8, 0), 4);
    CHECK_EQ(close(second), 0);
    CHECK_EQ(send(first, "gone", 4, 0), 4);
    CHECK_EQ(ready_events(first), POLLOUT | POLLERR);
    CHECK_ERROR(send(first, "gone", 4, 0), ECONNREFUSED);
    CHECK_EQ(send(first, "gone", 4, 0), 4);
    CHECK_ERROR(recv(first, text, 8, 0), ECONNREFUSED);
    CHECK_EQ(send(first, "gone", 4, 0), 4);
    CHECK_EQ(get_option(first, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    CHECK_EQ(connect(first, &none, sizeof none), 0);
    CHECK_ERROR(getpeername(first, (struct sockaddr *)&name, &length), ENOTCONN);
    CHECK_ERROR(send(first, "x", 1, 0), EDESTADDRREQ);
    CHECK_EQ(send_to(third, "now", port_of(first)), 3);
    CHECK_EQ(recv(first, text, 8, 0), 3);
    close_all(2, first, third);
    /* A socket that was never bound gets a name, and loses it. */
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    name = loopback(9);
    CHECK_EQ(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    length = sizeof name;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    CHECK(name.sin_port != 0);
    CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(connect(fd, &none, sizeof none), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    CHECK(name.sin_port == 0 && name.sin_addr.s_addr == 0);
    CHECK_EQ(close(fd), 0);
}

/* Who may have a port? */
TEST(udp_bind)
{
    struct sockaddr_in name = loopback(0);
    int first = bound(), second = socket(AF_INET, SOCK_DGRAM, 0);
    name.sin_port = htons((uint16_t)port_of(first));
    CHECK_ERROR(bind(second, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    CHECK_ERROR(bind(first, (struct sockaddr *)&name, sizeof name), EINVAL);
    name.sin_addr.s_addr = INADDR_ANY;
    CHECK_ERROR(bind(second, (struct sockaddr *)&name, sizeof name), EADDRINUSE);
    name.sin_addr.s_addr = htonl(0xc6336401);
    CHECK_ERROR(bind(second, (struct sockaddr *)&name, sizeof name), EADDRNOTAVAIL);
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1) | set_option(second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(second, (struct sockaddr *)&name, sizeof name), 0);
    close_all(2, first, second);
}

/* Does shutdown end receiving and sending of a connected socket? */
TEST(udp_shutdown)
{
    char text[8];
    struct sockaddr_in name;
    int first = bound(), second = bound();
    name = loopback(port_of(second));
    CHECK_EQ(connect(first, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(shutdown(first, SHUT_RD), 0);
    CHECK_EQ(ready_events(first), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(recv(first, text, 8, 0), 0);
    taken_broken_pipes();
    CHECK_EQ(shutdown(first, SHUT_WR), 0);
    CHECK_ERROR(send(first, "x", 1, 0), EPIPE);
    CHECK_EQ(taken_broken_pipes(), 0);
    CHECK_EQ(ready_events(first), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    close_all(2, first, second);
}

/* Does IPv6 work the same, and serve IPv4 by mapped addresses? */
TEST(udp_inet6)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof name;
    char text[INET6_ADDRSTRLEN];
    int first = socket(AF_INET6, SOCK_DGRAM, 0), second = socket(AF_INET6, SOCK_DGRAM, 0), four = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERROR(bind(first, (struct sockaddr *)&name, 23), EINVAL);
    name.sin6_addr = in6addr_any;
    CHECK_EQ(bind(first, (struct sockaddr *)&name, sizeof name), 0);
    name.sin6_port = htons((uint16_t)port_of(first));
    CHECK_EQ(sendto(second, "six", 3, 0, (struct sockaddr *)&name, sizeof name), 3);
    CHECK_EQ(recvfrom(first, text, 8, 0, (struct sockaddr *)&name, &length), 3);
    CHECK_EQ(length, sizeof name);
    CHECK(strcmp(inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof text), "::1") == 0);
    CHECK_EQ(send_to(four, "four", port_of(first)), 4);
    CHECK_EQ(recvfrom(first, text, 8, 0, (struct sockaddr *)&name, &length), 4);
    CHECK(strcmp(inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof text), "::ffff:127.0.0.1") == 0);
    CHECK_EQ(sendto(first, "back", 4, 0, (struct sockaddr *)&name, sizeof name), 4);
    CHECK_EQ(recv(four, text, 8, 0), 4);
    /* An address of AF_INET does as well. */
    CHECK_EQ(send_to(second, "plain", port_of(first)), 5);
    CHECK_EQ(recv(first, text, 8, 0), 5);
    CHECK_ERROR(set_option(second, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
    close_all(3, first, second, four);
}

/* Do control messages tell where a datagram came in, its hops and class, and set them when sending? */
TEST(udp_control)
{
    union { struct cmsghdr header; char bytes[256]; } control;
    char byte;
    struct iovec range = {&byte, 1};
    struct sockaddr_in name;
    int first = bound(), second = socket(AF_INET, SOCK_DGRAM, 0), seen = 0;
    CHECK_EQ(set_option(first, IPPROTO_IP, IP_PKTINFO, 1) | set_option(first, IPPROTO_IP, IP_RECVTTL, 1) | set_option(first, IPPROTO_IP, IP_RECVTOS, 1), 0);
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    name = loopback(port_of(first));
    struct msghdr out = {.msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(sizeof(int))};
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
    int hops = 7;
    memcpy(CMSG_DATA(&control.header), &hops, sizeof hops);
    CHECK_EQ(set_option(second, IPPROTO_IP, IP_TOS, 0x10), 0);
    CHECK_EQ(sendmsg(second, &out, 0), 1);
    struct msghdr in = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    CHECK_EQ(recvmsg(first, &in, 0), 1);
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&in); each; each = CMSG_NXTHDR(&in, each)) {
        if (each->cmsg_level == SOL_SOCKET) {
            CHECK_EQ(each->cmsg_type, SO_TIMESTAMP);
            seen |= 1;
        } else if (each->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo *information = (struct in_pktinfo *)CMSG_DATA(each);
            CHECK_EQ(each->cmsg_len, CMSG_LEN(sizeof *information));
            CHECK_EQ(information->ipi_ifindex, 1);
            CHECK_EQ(information->ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
            CHECK_EQ(information->ipi_spec_dst.s_addr, htonl(INADDR_LOOPBACK));
            seen |= 2;
        } else if (each->cmsg_type == IP_TTL) {
            CHECK_EQ(each->cmsg_len, CMSG_LEN(sizeof(int)));
            CHECK_EQ(*(int *)CMSG_DATA(each), 7);
            seen |= 4;
        } else if (each->cmsg_type == IP_TOS) {
            CHECK_EQ(each->cmsg_len, CMSG_LEN(1));
            CHECK_EQ(*CMSG_DATA(each), 0x10);
            seen |= 8;
        }
    }
    CHECK_EQ(seen, 15);
    CHECK_EQ(in.msg_flags, 0);
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
    hops = 300;
    memcpy(CMSG_DATA(&control.header), &hops, sizeof hops);
    CHECK_ERROR(sendmsg(second, &out, 0), EINVAL);
    control.header.cmsg_len = 17;
    CHECK_ERROR(sendmsg(second, &out, 0), EINVAL);
    control.header.cmsg_len = 100;
    CHECK_ERROR(sendmsg(second, &out, 0), EINVAL);
    close_all(2, first, second);
}

/* The same for IPv6? */
TEST(udp_control6)
{
    union { struct cmsghdr header; char bytes[256]; } control;
    char byte;
    struct iovec range = {&byte, 1};
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int first = socket(AF_INET6, SOCK_DGRAM, 0), second = socket(AF_INET6, SOCK_DGRAM, 0), seen = 0;
    CHECK_EQ(bind(first, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(set_option(first, IPPROTO_IPV6, 49 /* IPV6_RECVPKTINFO */, 1) | set_option(first, IPPROTO_IPV6, 51 /* IPV6_RECVHOPLIMIT */, 1), 0);
    CHECK_EQ(set_option(second, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9), 0);
    name.sin6_port = htons((uint16_t)port_of(first));
    CHECK_EQ(sendto(second, "x", 1, 0, (struct sockaddr *)&name, sizeof name), 1);
    struct msghdr in = {.msg_iov = &range, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    CHECK_EQ(recvmsg(first, &in, 0), 1);
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&in); each; each = CMSG_NXTHDR(&in, each)) {
        CHECK_EQ(each->cmsg_level, IPPROTO_IPV6);
        if (each->cmsg_type == 50 /* IPV6_PKTINFO */) {
            CHECK_EQ(each->cmsg_len, CMSG_LEN(20));
            CHECK(memcmp(CMSG_DATA(each), &in6addr_loopback, 16) == 0);
            seen |= 1;
        } else if (each->cmsg_type == 52 /* IPV6_HOPLIMIT */) {
            CHECK_EQ(*(int *)CMSG_DATA(each), 9);
            seen |= 2;
        }
    }
    CHECK_EQ(seen, 3);
    close_all(2, first, second);
}

static void send_later(struct later *later) { CHECK_EQ(send_to(later->fd, "z", later->value), 1); }

/* Does recv wait for a datagram? */
TEST(udp_waits)
{
    char byte;
    struct later later;
    int first = bound(), second = socket(AF_INET, SOCK_DGRAM, 0);
    start_later(&later, send_later, second, port_of(first));
    CHECK_EQ(recv(first, &byte, 1, 0), 1);
    join_later(&later);
    close_all(2, first, second);
}
