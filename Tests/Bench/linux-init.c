/*
 * The first process of the Linux guest that a network program of ours is measured beside: loads the card's driver, gives the card its addresses, runs the
 * program and turns the machine off when it ends. It understands the same words of the kernel's command line as our kernel: ip=ADDRESS/LENGTH (IPv4 or
 * IPv6, repeatable), gateway=ADDRESS; Linux passes them on as environment variables, and what follows "--" as arguments: the program and its own.
 * "symbols=PORT" serves /proc/kallsyms on that port first, to one connection.
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror linux-init.c -o init
 *
 * Source of truth: Linux Documentation/admin-guide/kernel-parameters.rst, init_module(2), netdevice(7), rtnetlink's ioctl forms in route(8).
 */
#include "guest.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { CARD_PATIENCE_MS = 5000 };

/* What SIOCSIFADDR takes on an AF_INET6 socket (linux/ipv6.h, which clashes with libc's headers). */
struct in6_ifreq {
    struct in6_addr address;
    uint32_t prefix_length;
    int interface;
};

static void fail(const char *what)
{
    printf("init: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    reboot(RB_POWER_OFF);
}

static void load_modules(void)
{
    FILE *list = fopen("/modules/list", "re");
    char path[256];
    while (list && fgets(path, sizeof path, list)) {
        path[strcspn(path, "\n")] = 0;
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST))
            fail(path);
        close(file);
    }
    if (list)
        fclose(list);
}

static void raise_interface(int control, const char *name)
{
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(control, SIOCGIFFLAGS, &request) != 0)
        fail(name);
    request.ifr_flags |= IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request) != 0)
        fail(name);
}

/* A PCI card is probed after its driver has been loaded. */
static bool wait_for_card(int control, const char *name)
{
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    for (int waited = 0; waited < CARD_PATIENCE_MS; waited++) {
        if (ioctl(control, SIOCGIFINDEX, &request) == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

static void add_address(int control, const char *card, char *text)
{
    char *slash = strchr(text, '/');
    int length = slash ? atoi(slash + 1) : 32;
    if (slash)
        *slash = 0;
    struct ifreq request = {0};
    strncpy(request.ifr_name, card, IFNAMSIZ - 1);
    if (strchr(text, ':')) {
        struct in6_ifreq address = {.prefix_length = (uint32_t)length};
        int socket6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (socket6 < 0 || inet_pton(AF_INET6, text, &address.address) != 1 || ioctl(control, SIOCGIFINDEX, &request) != 0)
            fail(text);
        address.interface = request.ifr_ifindex;
        if (ioctl(socket6, SIOCSIFADDR, &address) != 0)
            fail(text);
        close(socket6);
        return;
    }
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
    address->sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &address->sin_addr) != 1 || ioctl(control, SIOCSIFADDR, &request) != 0)
        fail(text);
    address->sin_addr.s_addr = htonl(length ? ~0u << (32 - length) : 0);
    if (ioctl(control, SIOCSIFNETMASK, &request) != 0)
        fail("netmask");
}

static void add_gateway(int control, const char *text)
{
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
    route.rt_dst.sa_family = route.rt_genmask.sa_family = AF_INET;
    struct sockaddr_in *gateway = (struct sockaddr_in *)&route.rt_gateway;
    gateway->sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &gateway->sin_addr) != 1 || ioctl(control, SIOCADDRT, &route) != 0)
        fail(text);
}

/* Linux hands on only the last of several words with one name, so all are read from the command line itself. */
static void configure(int control, const char *card)
{
    char line[4096] = "";
    int file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t count = read(file, line, sizeof line - 1);
    close(file);
    if (count <= 0)
        fail("/proc/cmdline");
    bool raised = false;
    for (char *rest = line, *word; (word = strsep(&rest, " \n")) && strcmp(word, "--") != 0;) {
        bool is_address = strncmp(word, "ip=", 3) == 0, is_gateway = strncmp(word, "gateway=", 8) == 0;
        if (!raised && (is_address || is_gateway)) {
            if (!wait_for_card(control, card))
                fail(card);
            raise_interface(control, card);
            raised = true;
        }
        if (is_address)
            add_address(control, card, word + 3);
        else if (is_gateway)
            add_gateway(control, word + 8);
    }
}

static void serve_symbols(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)
        fail("symbols");
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int file = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
    static char block[1 << 16];
    ssize_t count;
    while ((count = read(file, block, sizeof block)) > 0)
        for (ssize_t sent = 0, now; sent < count; sent += now)
            if ((now = write(client, block + sent, (size_t)(count - sent))) <= 0)
                fail("symbols");
    close(file);
    close(client);
    close(listener);
}

int main(int argc, char **argv)
{
    guest_prepare();
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, 0);
    mount("sysfs", "/sys", "sysfs", 0, 0);
    load_modules();
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    raise_interface(control, "lo");
    configure(control, "eth0");
    close(control);
    const char *symbols = getenv("symbols");
    if (symbols)
        serve_symbols(atoi(symbols));
    /* Linux puts words that it does not know before the arguments. */
    char **command = argv + 1;
    while (command < argv + argc && **command != '/')
        command++;
    if (command == argv + argc)
        fail("no program");

    pid_t program = fork();
    if (program == 0) {
        setsid();
        execv(*command, command);
        fail(*command);
    }
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(-1, &status, 0)) != program && ended >= 0)
        ;
    if (WIFEXITED(status))
        printf("\ninit: exit %d\n", WEXITSTATUS(status));
    else
        printf("\ninit: signal %d\n", WTERMSIG(status));
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
