/*
 * The terminal on standard input, when there is one: modes, size, special characters. Without one every test is skipped; `sleep 5 |
 * script -qec ./terminal /dev/null` gives it one on Linux.
 * Source of truth: termios(3), ioctl_tty(2).
 */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#define NEED_TERMINAL()                            \
    do {                                           \
        if (!isatty(0))                            \
            SKIP("standard input is no terminal"); \
    } while (0)

/* Are there echo, lines, signals and translated newlines to begin with? */
TEST(usual_modes)
{
    NEED_TERMINAL();
    struct termios modes;
    CHECK_EQ(tcgetattr(0, &modes), 0);
    CHECK_EQ(modes.c_lflag & (ICANON | ECHO | ISIG), ICANON | ECHO | ISIG);
    CHECK_EQ(modes.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
    CHECK_EQ(modes.c_iflag & ICRNL, ICRNL);
    CHECK_EQ(modes.c_cc[VINTR], 3);
    CHECK_EQ(modes.c_cc[VEOF], 4);
    CHECK_EQ(modes.c_cc[VERASE], 127);
}

/* Do modes that were set read back, and does raw mode answer at once? */
TEST(raw_mode)
{
    NEED_TERMINAL();
    struct termios before, raw, back;
    char byte;
    CHECK_EQ(tcgetattr(0, &before), 0);
    raw = before;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    CHECK_EQ(tcsetattr(0, TCSAFLUSH, &raw), 0);
    CHECK_EQ(tcgetattr(0, &back), 0);
    bool same = back.c_lflag == raw.c_lflag && back.c_iflag == raw.c_iflag && back.c_oflag == raw.c_oflag && back.c_cc[VMIN] == 0;
    ssize_t length = read(0, &byte, 1);
    raw.c_cc[VTIME] = 1;
    tcsetattr(0, TCSANOW, &raw);
    long long start = now_ns();
    ssize_t timed = read(0, &byte, 1);
    long long waited = now_ns() - start;
    CHECK_EQ(tcsetattr(0, TCSADRAIN, &before), 0);
    CHECK(same);
    CHECK_EQ(length, 0);
    CHECK_EQ(timed, 0);
    CHECK(waited >= 90000000);
}

static volatile sig_atomic_t resized;
static void count_resize(int signal) { (void)signal, resized++; }

/* Is there a window size, can it be set, and is SIGWINCH sent when it changes? */
TEST(window_size)
{
    NEED_TERMINAL();
    struct winsize before, size = {.ws_row = 33, .ws_col = 77}, after;
    CHECK_EQ(ioctl(0, TIOCGWINSZ, &before), 0);
    CHECK(signal(SIGWINCH, count_resize) != SIG_ERR);
    CHECK_EQ(ioctl(0, TIOCSWINSZ, &size), 0);
    CHECK_EQ(ioctl(1, TIOCGWINSZ, &after), isatty(1) ? 0 : -1);
    CHECK_EQ(ioctl(0, TIOCGWINSZ, &after), 0);
    CHECK_EQ(after.ws_row, 33);
    CHECK_EQ(after.ws_col, 77);
    CHECK_EQ(resized, tcgetpgrp(0) == getpgrp()); /* none when it is not our controlling terminal */
    CHECK_EQ(ioctl(0, TIOCSWINSZ, &before), 0);
    CHECK(signal(SIGWINCH, SIG_DFL) != SIG_ERR);
}

/* Do poll, FIONREAD and non-blocking reads tell that nothing has been typed? */
TEST(nothing_typed)
{
    NEED_TERMINAL();
    struct pollfd item = {0, POLLIN | POLLOUT, 0};
    int waiting = -1;
    char byte;
    CHECK_EQ(poll(&item, 1, 0), 1);
    CHECK_EQ(item.revents, POLLOUT);
    CHECK_EQ(ioctl(0, FIONREAD, &waiting), 0);
    CHECK_EQ(waiting, 0);
    int flags = fcntl(0, F_GETFL);
    CHECK_EQ(fcntl(0, F_SETFL, flags | O_NONBLOCK), 0);
    ssize_t length = read(0, &byte, 1);
    int error = errno;
    CHECK_EQ(fcntl(0, F_SETFL, flags), 0);
    CHECK_EQ(length, -1);
    CHECK_EQ(error, EAGAIN);
}

/* Are /dev/tty and the standard streams terminals, with a foreground group? */
TEST(controlling_terminal)
{
    NEED_TERMINAL();
    int fd = open("/dev/tty", O_RDWR);
    if (fd < 0 && errno == ENXIO)
        SKIP("no controlling terminal");
    CHECK(fd >= 0);
    CHECK_EQ(isatty(fd), 1);
    CHECK_EQ(close(fd), 0);
    CHECK(tcgetpgrp(0) > 0);
    CHECK(tcgetsid(0) > 0);
    CHECK_ERROR(lseek(0, 0, SEEK_CUR), ESPIPE);
}
