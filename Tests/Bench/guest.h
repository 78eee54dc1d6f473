/*
 * What a benchmark needs to run as the first process of a Linux guest, where nobody has mounted anything, and as an ordinary
 * program elsewhere. Source of truth: Linux Documentation/filesystems/ramfs-rootfs-initramfs, init(8), reboot(2).
 */
#ifndef GUEST_H
#define GUEST_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

/* Gives a first process its devices, its standard streams and an empty /tmp in memory. */
static inline void guest_prepare(void)
{
    if (access("/dev/null", F_OK) != 0) {
        mkdir("/dev", 0755);
        mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
    }
    if (fcntl(1, F_GETFD) < 0) {
        int console = open("/dev/console", O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            if (console >= 0 && console != fd)
                dup2(console, fd);
    }
    if (access("/tmp", F_OK) != 0 && mkdir("/tmp", 01777) == 0 && getpid() == 1)
        mount("tmpfs", "/tmp", "tmpfs", 0, 0);
}

/* Turns the machine off when the program is its first process and was asked to (`poweroff` on the kernel command line). */
static inline void guest_finish(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (getpid() == 1 && strcmp(argv[i], "poweroff") == 0) {
            fflush(stdout);
            reboot(RB_POWER_OFF);
        }
    }
}

#endif
