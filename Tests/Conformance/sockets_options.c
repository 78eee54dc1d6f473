/*
 * Options of sockets: what they are at first, what can be set, what is refused.
 * Source of truth: socket(7), getsockopt(2), tcp(7), ip(7), ipv6(7), udp(7).
 */
#include "sockets.h"

static const int kinds[5][2] = {{AF_UNIX, SOCK_STREAM}, {AF_UNIX, SOCK_DGRAM}, {AF_INET, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_STREAM}};

/* What do options that are on or off say, before and after they are set? */
TEST(option_switches)
{
    const int names[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_DONTROUTE, SO_OOBINLINE, SO_TIMESTAMP, SO_TIMESTAMPNS};
    for (int k = 0; k < 5; k++) {
        int fd = socket(kinds[k][0], kinds[k][1], 0);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            CHECK_EQ(get_option(fd, SOL_SOCKET, names[i]), 0);
            CHECK_EQ(set_option(fd, SOL_SOCKET, names[i], 7), 0);
            CHECK_EQ(get_option(fd, SOL_SOCKET, names[i]), 1);
            CHECK_EQ(set_option(fd, SOL_SOCKET, names[i], 0), 0);
            CHECK_EQ(get_option(fd, SOL_SOCKET, names[i]), 0);
        }
        CHECK_EQ(close(fd), 0);
    }
}

/* What can only be read? */
TEST(option_facts)
{
    for (int k = 0; k < 5; k++) {
        int fd = socket(kinds[k][0], kinds[k][1], 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_DOMAIN), kinds[k][0]);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_TYPE), kinds[k][1]);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_PROTOCOL), kinds[k][0] == AF_UNIX ? 0 : kinds[k][1] == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_ERROR), 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_SNDLOWAT), 1);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_PRIORITY), 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_MARK), 0);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, SO_DOMAIN, 1), ENOPROTOOPT);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, SO_PROTOCOL, 1), ENOPROTOOPT);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, SO_ACCEPTCONN, 1), ENOPROTOOPT);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, SO_SNDLOWAT, 1), ENOPROTOOPT);
        CHECK_ERROR(set_option(fd, SOL_SOCKET, 999, 1), ENOPROTOOPT);
        CHECK_EQ(close(fd), 0);
    }
}

/* Which lengths and pointers are refused, and how is a value cut? */
TEST(option_arguments)
{
    int value = 0x01020304;
    socklen_t length = 2;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_DEBUG, &value, 3), EINVAL);
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_DEBUG, &value, (socklen_t)-1), EINVAL);
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, bad_null, 4), EFAULT);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), 0);
    CHECK_EQ(length, 2);
    CHECK_EQ(value, 0x01020001);
    length = 100;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), 0);
    CHECK_EQ(length, 4);
    length = 0;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, bad_null, &length), 0);
    length = (socklen_t)-1;
    CHECK_ERROR(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), EINVAL);
    length = 4;
    CHECK_ERROR(getsockopt(fd, SOL_SOCKET, SO_TYPE, bad_null, &length), EFAULT);
    CHECK_ERROR(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, bad_null), EFAULT);
    CHECK_ERROR(getsockopt(fd, SOL_SOCKET, 999, &value, &length), ENOPROTOOPT);
    CHECK_ERROR(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length), EOPNOTSUPP);
    CHECK_ERROR(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 4), EOPNOTSUPP);
    CHECK_EQ(close(fd), 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERROR(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length), EOPNOTSUPP);
    CHECK_ERROR(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, 4), ENOPROTOOPT);
    CHECK_EQ(close(fd), 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(getsockopt(fd, IPPROTO_UDP, 1, &value, &length), EOPNOTSUPP);
    CHECK_ERROR(getsockopt(fd, IPPROTO_TCP, 999, &value, &length), ENOPROTOOPT);
    CHECK_ERROR(setsockopt(fd, IPPROTO_TCP, 999, &value, 4), ENOPROTOOPT);
    CHECK_ERROR(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 3), EINVAL);
    CHECK_EQ(close(fd), 0);
}

/* Are buffer sizes doubled, and kept within limits? */
TEST(option_buffers)
{
    for (int k = 0; k < 5; k++) {
        int fd = socket(kinds[k][0], kinds[k][1], 0);
        CHECK_EQ(set_option(fd, SOL_SOCKET, SO_SNDBUF, 30000) | set_option(fd, SOL_SOCKET, SO_RCVBUF, 20000), 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_SNDBUF), 60000);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_RCVBUF), 40000);
        CHECK_EQ(set_option(fd, SOL_SOCKET, SO_SNDBUF, 0) | set_option(fd, SOL_SOCKET, SO_RCVBUF, 0), 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_SNDBUF), 4608);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_RCVBUF), 2304);
        int most = get_option(fd, SOL_SOCKET, SO_SNDBUF);
        CHECK_EQ(set_option(fd, SOL_SOCKET, SO_SNDBUF, INT_MAX), 0);
        CHECK(get_option(fd, SOL_SOCKET, SO_SNDBUF) > most);
        CHECK_EQ(set_option(fd, SOL_SOCKET, SO_RCVBUF, -1), 0);
        CHECK(get_option(fd, SOL_SOCKET, SO_RCVBUF) > 40000);
        CHECK_EQ(set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 0), 0);
        CHECK_EQ(get_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
        CHECK_EQ(close(fd), 0);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_SNDBUF), 212992);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_RCVBUF), 212992);
    CHECK_EQ(close(fd), 0);
}

/* Are time limits kept, and bad ones refused? */
TEST(option_timeouts)
{
    struct timeval time = {0, 0};
    socklen_t length = sizeof time;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &length), 0);
    CHECK(length == sizeof time && time.tv_sec == 0 && time.tv_usec == 0);
    time = (struct timeval){3, 500000};
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, 67 /* SO_SNDTIMEO_NEW */, &time, sizeof time), 0);
    time = (struct timeval){0, 0};
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, 66 /* SO_RCVTIMEO_NEW */, &time, &length), 0);
    CHECK(time.tv_sec == 3 && time.tv_usec == 500000);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, &length), 0);
    CHECK(time.tv_sec == 3 && time.tv_usec == 500000);
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, 15), EINVAL);
    time.tv_usec = 1000000;
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), EDOM);
    time.tv_usec = -1;
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), EDOM);
    CHECK_EQ(close(fd), 0);
}

/* SO_LINGER, SO_REUSEPORT, SO_PRIORITY, SO_PEERCRED, SO_PEERNAME, SO_COOKIE. */
TEST(option_others)
{
    struct linger linger = {5, 7};
    struct sockaddr_un name;
    unsigned long cookie = 0, other = 0;
    socklen_t length = sizeof linger;
    int pair[2], fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, 4), EINVAL);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length), 0);
    CHECK(linger.l_onoff == 1 && linger.l_linger == 7);
    linger.l_onoff = 0;
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length), 0);
    CHECK(linger.l_onoff == 0 && linger.l_linger == 7);
    CHECK_EQ(set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
    CHECK_EQ(set_option(fd, SOL_SOCKET, SO_PRIORITY, 6), 0);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_PRIORITY), 6);
    length = sizeof name;
    CHECK_ERROR(getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &name, &length), ENOTCONN);
    length = sizeof cookie;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, 57 /* SO_COOKIE */, &cookie, &length), 0);
    CHECK_EQ(length, 8);
    length = 4;
    CHECK_ERROR(getsockopt(fd, SOL_SOCKET, 57, &cookie, &length), EINVAL);
    unix_pair(SOCK_STREAM, pair);
    length = sizeof other;
    CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, 57, &other, &length), 0);
    CHECK(cookie != other);
    length = 2;
    CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_PEERNAME, &name, &length), 0);
    close_all(3, fd, pair[0], pair[1]);
}

/* The options of TCP. */
TEST(option_tcp)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_EQ(set_option(fd, IPPROTO_TCP, TCP_NODELAY, 5), 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_CORK), 0);
    CHECK_EQ(set_option(fd, IPPROTO_TCP, TCP_CORK, 1), 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_CORK), 1);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 75);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 9);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_SYNCNT), 6);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_LINGER2), 60);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_QUICKACK), 1);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_MAXSEG), 536);
    CHECK_EQ(set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10) | set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 3) | set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4), 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 10);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 3);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 32768), EINVAL);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 0), EINVAL);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_SYNCNT, 0), EINVAL);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
    CHECK_ERROR(set_option(fd, IPPROTO_TCP, TCP_MAXSEG, 40), EINVAL);
    CHECK_EQ(set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1234), 0);
    CHECK_EQ(get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
    char name[16] = "nosuchthing";
    socklen_t length = sizeof name;
    CHECK_ERROR(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, 11), ENOENT);
    CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5), 0);
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
    CHECK_EQ(length, 16);
    CHECK(strcmp(name, "cubic") == 0);
    unsigned char information[64];
    length = sizeof information;
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, information, &length), 0);
    CHECK_EQ(length, 64);
    CHECK_EQ(information[0], 7);
    CHECK_EQ(close(fd), 0);
}

/* The options of IPv4 and IPv6. */
TEST(option_ip)
{
    unsigned char byte = 0;
    socklen_t length = 1;
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        int fd = socket(AF_INET, type, 0), fd6 = socket(AF_INET6, type, 0);
        CHECK_EQ(get_option(fd, IPPROTO_IP, IP_TTL), 64);
        CHECK_EQ(set_option(fd, IPPROTO_IP, IP_TTL, 12), 0);
        CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_TTL, &byte, &length), 0);
        CHECK_EQ(length, 1);
        CHECK_EQ(byte, 12);
        CHECK_ERROR(set_option(fd, IPPROTO_IP, IP_TTL, 0), EINVAL);
        CHECK_ERROR(set_option(fd, IPPROTO_IP, IP_TTL, 256), EINVAL);
        CHECK_EQ(set_option(fd, IPPROTO_IP, IP_TTL, -1), 0);
        CHECK_EQ(get_option(fd, IPPROTO_IP, IP_TTL), 64);
        CHECK_EQ(get_option(fd, IPPROTO_IP, IP_TOS), 0);
        CHECK_EQ(set_option(fd, IPPROTO_IP, IP_TOS, 0x13), 0);
        CHECK_EQ(get_option(fd, IPPROTO_IP, IP_TOS), type == SOCK_STREAM ? 0x10 : 0x13);
        byte = 8;
        CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_TOS, &byte, 1), 0);
        CHECK_EQ(get_option(fd, IPPROTO_IP, IP_TOS), 8);
        CHECK_EQ(get_option(fd, IPPROTO_IP, 10 /* IP_MTU_DISCOVER */), 1);
        CHECK_EQ(set_option(fd, IPPROTO_IP, 10, 2), 0);
        CHECK_EQ(get_option(fd, IPPROTO_IP, 10), 2);
        CHECK_ERROR(set_option(fd, IPPROTO_IP, 10, 6), EINVAL);
        CHECK_ERROR(getsockopt(fd, IPPROTO_IP, 14 /* IP_MTU */, &byte, &length), ENOTCONN);
        CHECK_EQ(set_option(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
        CHECK_EQ(get_option(fd, IPPROTO_IP, IP_RECVERR), 1);
        CHECK_ERROR(set_option(fd, IPPROTO_IP, 999, 1), ENOPROTOOPT);
        CHECK_EQ(get_option(fd6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
        CHECK_EQ(set_option(fd6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9), 0);
        CHECK_EQ(get_option(fd6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 9);
        CHECK_ERROR(set_option(fd6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
        CHECK_EQ(get_option(fd6, IPPROTO_IPV6, IPV6_V6ONLY), 0);
        CHECK_EQ(set_option(fd6, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
        CHECK_EQ(get_option(fd6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
        CHECK_EQ(set_option(fd6, IPPROTO_IPV6, 67 /* IPV6_TCLASS */, 0x20), 0);
        CHECK_EQ(get_option(fd6, IPPROTO_IPV6, 67), 0x20);
        CHECK_ERROR(set_option(fd6, IPPROTO_IPV6, 67, 256), EINVAL);
        CHECK_ERROR(setsockopt(fd6, IPPROTO_IPV6, IPV6_V6ONLY, &byte, 1), EINVAL);
        close_all(2, fd, fd6);
    }
}

/* Groups. */
TEST(option_groups)
{
    struct ip_mreqn request = {.imr_multiaddr.s_addr = htonl(0xe1010203), .imr_ifindex = 1};
    struct ipv6_mreq request6 = {.ipv6mr_interface = 1};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(get_option(fd, IPPROTO_IP, IP_MULTICAST_TTL), 1);
    CHECK_EQ(get_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    CHECK_EQ(set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 5) | set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0), 0);
    CHECK_EQ(get_option(fd, IPPROTO_IP, IP_MULTICAST_TTL), 5);
    CHECK_EQ(get_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    CHECK_ERROR(set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 256), EINVAL);
    CHECK_ERROR(set_option(stream, IPPROTO_IP, IP_MULTICAST_TTL, 1), EINVAL);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), 0);
    CHECK_ERROR(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), EADDRINUSE);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &request, sizeof request), 0);
    CHECK_ERROR(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &request, sizeof request), EADDRNOTAVAIL);
    CHECK_ERROR(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, 7), EINVAL);
    request.imr_ifindex = 999;
    CHECK_ERROR(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), ENODEV);
    request = (struct ip_mreqn){.imr_multiaddr.s_addr = htonl(0x7f000001), .imr_ifindex = 1};
    CHECK_ERROR(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), EINVAL);
    inet_pton(AF_INET6, "ff02::1234", &request6.ipv6mr_multiaddr);
    CHECK_EQ(setsockopt(fd6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request6, sizeof request6), 0);
    CHECK_ERROR(setsockopt(fd6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request6, sizeof request6), EADDRINUSE);
    CHECK_EQ(setsockopt(fd6, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request6, sizeof request6), 0);
    CHECK_EQ(set_option(fd6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 3), 0);
    CHECK_EQ(get_option(fd6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 3);
    CHECK_EQ(set_option(fd6, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1), 0);
    CHECK_EQ(get_option(fd6, IPPROTO_IPV6, IPV6_MULTICAST_IF), 1);
    CHECK_ERROR(set_option(fd6, IPPROTO_IPV6, IPV6_MULTICAST_IF, 999), ENODEV);
    close_all(3, fd, fd6, stream);
}

/* Do accepted sockets have their listener's options? */
TEST(option_inheritance)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_option(listener, SOL_SOCKET, SO_KEEPALIVE, 1) | set_option(listener, IPPROTO_TCP, TCP_NODELAY, 1) | set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(set_option(listener, IPPROTO_TCP, TCP_KEEPIDLE, 77) | set_timeout(listener, SO_RCVTIMEO, 5000), 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&name, sizeof name) | listen(listener, 1) | getsockname(listener, (struct sockaddr *)&name, &length), 0);
    CHECK_EQ(get_option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    int accepted = accept(listener, 0, 0);
    CHECK_EQ(get_option(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(get_option(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(get_option(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    CHECK_EQ(get_option(accepted, SOL_SOCKET, SO_ACCEPTCONN), 0);
    struct timeval time;
    length = sizeof time;
    CHECK_EQ(getsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &time, &length), 0);
    CHECK_EQ(time.tv_sec, 5);
    close_all(3, listener, fd, accepted);
}
