/*
 * The least program: prints one line and ends. How long a machine takes to this line is its boot time.
 *
 *     musl-gcc -static -std=gnu11 -O2 -Wall -Wextra -Werror boot.c -o boot
 *
 * As /init of a Linux guest, `poweroff` on the kernel command line ends the machine.
 */
#include "guest.h"

int main(int argc, char **argv)
{
    guest_prepare();
    puts("booted");
    fflush(stdout);
    guest_finish(argc, argv);
    return 0;
}
