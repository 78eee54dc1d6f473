/*
 * What a program can ask of the network's state: NETLINK_ROUTE, getifaddrs and its relatives, ioctls of interfaces.
 * Only lo is the same on every machine. Source of truth: netlink(7), rtnetlink(7), netdevice(7), getifaddrs(3).
 */
#include "sockets.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>

/* The kernel's own headers are not there; these are the structures of netlink(7) and rtnetlink(7). */
struct header { uint32_t length; uint16_t type, flags; uint32_t sequence, port; };
struct nl_address { uint16_t family, padding; uint32_t port, groups; };
struct request { struct header header; unsigned char family, padding[3]; uint32_t index; uint32_t flags, change; };

enum { NETLINK_ROUTE_PROTOCOL = 0, NL_ERROR = 2, NL_DONE = 3, NEW_LINK = 16, GET_LINK = 18, NEW_ADDRESS = 20, GET_ADDRESS = 22, GET_ROUTE = 26 };
enum { FLAG_REQUEST = 1, FLAG_MULTI = 2, FLAG_ACK = 4, FLAG_DUMP = 0x300 };

static int netlink_socket(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE_PROTOCOL);
    CHECK(fd >= 0);
    CHECK_EQ(set_timeout(fd, SO_RCVTIMEO, 5000), 0);
    return fd;
}

/* Asks for all of something and counts the messages of a type until the end. */
static int count_dump(int fd, int ask, int expected, unsigned char family)
{
    static char buffer[32768];
    static uint32_t sequence = 100;
    struct request request = {.header = {sizeof request, (uint16_t)ask, FLAG_REQUEST | FLAG_DUMP, ++sequence, 0}, .family = family};
    CHECK_EQ(send(fd, &request, sizeof request, 0), sizeof request);
    int count = 0;
    for (;;) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);
        CHECK(length > 0);
        for (char *at = buffer; at < buffer + length;) {
            struct header *header = (struct header *)at;
            CHECK_EQ(header->sequence, sequence);
            if (header->type == NL_DONE)
                return count;
            CHECK_EQ(header->type, expected);
            CHECK(header->flags & FLAG_MULTI);
            count++;
            at += (header->length + 3) & ~3u;
        }
    }
}

/* Which sockets of AF_NETLINK are there, and which names can they have? */
TEST(netlink_sockets)
{
    struct nl_address name = {.family = AF_NETLINK}, told;
    socklen_t length = sizeof told;
    CHECK_ERROR(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    CHECK_ERROR(socket(AF_NETLINK, SOCK_RAW, 200), EPROTONOSUPPORT);
    int fd = netlink_socket(), other = netlink_socket();
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_DOMAIN), AF_NETLINK);
    CHECK_EQ(get_option(fd, SOL_SOCKET, SO_TYPE), SOCK_RAW);
    CHECK_EQ(ready_events(fd), POLLOUT);
    CHECK_ERROR(bind(fd, (struct sockaddr *)&name, 11), EINVAL);
    name.family = AF_INET;
    CHECK_ERROR(bind(fd, (struct sockaddr *)&name, sizeof name), EINVAL);
    name.family = AF_NETLINK;
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(length, sizeof told);
    CHECK(told.family == AF_NETLINK && told.port == (uint32_t)getpid() && told.groups == 0);
    name.groups = 1;
    CHECK_EQ(bind(other, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(getsockname(other, (struct sockaddr *)&told, &length), 0);
    CHECK(told.port != 0 && told.port != (uint32_t)getpid() && told.groups == 1);
    name.port = (uint32_t)getpid();
    CHECK_ERROR(bind(other, (struct sockaddr *)&name, sizeof name), EINVAL);
    CHECK_EQ(set_option(other, 270, 1 /* NETLINK_ADD_MEMBERSHIP */, 5), 0);
    CHECK_EQ(getsockname(other, (struct sockaddr *)&told, &length), 0);
    CHECK_EQ(told.groups, 0x11);
    CHECK_ERROR(listen(fd, 1), EOPNOTSUPP);
    CHECK_ERROR(accept(fd, 0, 0), EOPNOTSUPP);
    CHECK_ERROR(shutdown(fd, SHUT_RD), EOPNOTSUPP);
    CHECK_ERROR(recv(fd, &name, sizeof name, MSG_DONTWAIT), EAGAIN);
    close_all(2, fd, other);
}

/* Are links and addresses listed to the end, and requests nobody knows refused? */
TEST(netlink_dumps)
{
    char answer[256];
    struct nl_address from;
    socklen_t length = sizeof from;
    int fd = netlink_socket();
    CHECK(count_dump(fd, GET_LINK, NEW_LINK, 0) >= 1);
    CHECK(count_dump(fd, GET_ADDRESS, NEW_ADDRESS, 0) >= 2);
    CHECK(count_dump(fd, GET_ADDRESS, NEW_ADDRESS, AF_INET) >= 1);
    CHECK(count_dump(fd, GET_ADDRESS, NEW_ADDRESS, AF_INET6) >= 1);
    CHECK(count_dump(fd, GET_ROUTE, 24, AF_INET) >= 0);
    struct request one = {.header = {sizeof one, GET_LINK, FLAG_REQUEST, 7, 0}, .index = 1};
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK(recvfrom(fd, answer, sizeof answer, MSG_TRUNC, (struct sockaddr *)&from, &length) > (ssize_t)sizeof one);
    CHECK(from.family == AF_NETLINK && from.port == 0);
    CHECK_EQ(((struct header *)answer)->type, NEW_LINK);
    CHECK_EQ(((struct header *)answer)->sequence, 7);
    one.index = 9999;
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK(recv(fd, answer, sizeof answer, 0) >= 36);
    CHECK_EQ(((struct header *)answer)->type, NL_ERROR);
    CHECK_EQ(*(int *)(answer + 16), -ENODEV);
    struct header unknown = {16, 1000, FLAG_REQUEST | FLAG_ACK, 8, 0};
    CHECK_EQ(send(fd, &unknown, sizeof unknown, 0), sizeof unknown);
    CHECK(recv(fd, answer, sizeof answer, 0) >= 36);
    CHECK_EQ(((struct header *)answer)->type, NL_ERROR);
    CHECK_EQ(*(int *)(answer + 16), -EOPNOTSUPP);
    CHECK_EQ(((struct header *)(answer + 20))->sequence, 8);
    CHECK_EQ(close(fd), 0);
}

/* Does getifaddrs find lo with both its addresses, before all others? */
TEST(interfaces_by_getifaddrs)
{
    struct ifaddrs *list;
    int seen = 0;
    CHECK_EQ(getifaddrs(&list), 0);
    CHECK(strcmp(list->ifa_name, "lo") == 0);
    for (struct ifaddrs *each = list; each; each = each->ifa_next) {
        if (strcmp(each->ifa_name, "lo") != 0 || each->ifa_addr == 0)
            continue;
        CHECK_EQ(each->ifa_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_BROADCAST), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
        switch (each->ifa_addr->sa_family) {
        case AF_INET:
            CHECK_EQ(((struct sockaddr_in *)each->ifa_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
            CHECK_EQ(((struct sockaddr_in *)each->ifa_netmask)->sin_addr.s_addr, htonl(0xff000000));
            seen |= 1;
            break;
        case AF_INET6:
            CHECK(memcmp(&((struct sockaddr_in6 *)each->ifa_addr)->sin6_addr, &in6addr_loopback, 16) == 0);
            CHECK_EQ(((struct sockaddr_in6 *)each->ifa_netmask)->sin6_addr.s6_addr[15], 255);
            seen |= 2;
            break;
        case AF_PACKET:
            CHECK_EQ(((struct sockaddr_ll *)each->ifa_addr)->sll_hatype, 772);
            CHECK_EQ(((struct sockaddr_ll *)each->ifa_addr)->sll_ifindex, 1);
            seen |= 4;
            break;
        }
    }
    freeifaddrs(list);
    CHECK_EQ(seen, 7);
}

/* Are names and numbers of interfaces told? */
TEST(interfaces_by_name)
{
    char name[IF_NAMESIZE];
    struct if_nameindex *list = if_nameindex();
    CHECK(list != 0);
    CHECK_EQ(list[0].if_index, 1);
    CHECK(strcmp(list[0].if_name, "lo") == 0);
    if_freenameindex(list);
    CHECK_EQ(if_nametoindex("lo"), 1);
    CHECK_EQ(if_nametoindex("nosuch0"), 0);
    CHECK_EQ(errno, ENODEV);
    CHECK(if_indextoname(1, name) == name);
    CHECK(strcmp(name, "lo") == 0);
    CHECK(if_indextoname(9999, name) == 0);
    CHECK_EQ(errno, ENXIO);
}

/* What do the ioctls of interfaces say of lo, on any socket? */
TEST(interfaces_by_ioctl)
{
    struct ifreq request;
    struct ifreq many[32];
    struct ifconf list = {.ifc_len = sizeof many, .ifc_req = many};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "lo");
    CHECK_EQ(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    CHECK_EQ(request.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    CHECK_EQ(ioctl(local, SIOCGIFINDEX, &request), 0);
    CHECK_EQ(request.ifr_ifindex, 1);
    CHECK_EQ(ioctl(fd, SIOCGIFMTU, &request), 0);
    CHECK_EQ(request.ifr_mtu, 65536);
    CHECK_EQ(ioctl(fd, SIOCGIFADDR, &request), 0);
    CHECK_EQ(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(ioctl(fd, SIOCGIFNETMASK, &request), 0);
    CHECK_EQ(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr, htonl(0xff000000));
    CHECK_EQ(ioctl(fd, SIOCGIFHWADDR, &request), 0);
    CHECK_EQ(request.ifr_hwaddr.sa_family, 772);
    CHECK_EQ(ioctl(fd, SIOCGIFMETRIC, &request), 0);
    CHECK_EQ(request.ifr_metric, 0);
    request.ifr_ifindex = 1;
    CHECK_EQ(ioctl(fd, SIOCGIFNAME, &request), 0);
    CHECK(strcmp(request.ifr_name, "lo") == 0);
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &list), 0);
    CHECK(list.ifc_len >= (int)sizeof *many && list.ifc_len % (int)sizeof *many == 0);
    CHECK(strcmp(many[0].ifr_name, "lo") == 0);
    CHECK_EQ(((struct sockaddr_in *)&many[0].ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    strcpy(request.ifr_name, "nosuch0");
    CHECK_ERROR(ioctl(fd, SIOCGIFFLAGS, &request), ENODEV);
    CHECK_ERROR(ioctl(fd, SIOCGIFADDR, &request), ENODEV);
    CHECK_ERROR(ioctl(fd, SIOCGIFFLAGS, bad_null), EFAULT);
    close_all(2, fd, local);
}

/* Can a socket be tied to an interface by name? */
TEST(bind_to_device)
{
    char name[IF_NAMESIZE] = "";
    socklen_t length = sizeof name;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
    CHECK_EQ(length, 0);
    CHECK_ERROR(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nosuch0", 8), ENODEV);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
    length = sizeof name;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
    CHECK_EQ(length, 3);
    CHECK(strcmp(name, "lo") == 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
    CHECK_EQ(close(fd), 0);
}
