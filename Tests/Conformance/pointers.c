/*
 * Wild pointers handed to system calls: each call answers EFAULT and the program goes on. Raw calls, for libc may look itself.
 * Source of truth: the ERRORS sections of the man pages; Linux where they are silent.
 */
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/uio.h>

static int file, pipes[2], zero;
static char *edge; /* a page that is there, followed by one that may not be touched */
static char *read_only;

static void prepare(void)
{
    if (edge != 0)
        return;
    edge = map_pages(2, PROT_READ | PROT_WRITE);
    CHECK_EQ(mprotect(edge + PAGE, PAGE, PROT_NONE), 0);
    read_only = map_pages(1, PROT_READ);
    CHECK_EQ(pipe2(pipes, O_NONBLOCK), 0);
    zero = open("/dev/zero", O_RDONLY);
    file = open("file", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(write(file, "0123456789", 10), 10);
}

/* Every kind of pointer no program can use. */
static void *wild(int kind)
{
    switch (kind) {
    case 0: return bad_null;
    case 1: return bad_kernel;
    case 2: return bad_hole;
    case 3: return edge + PAGE;
    default: return (void *)-1l;
    }
}

enum { KINDS = 5 };

#define CHECK_EFAULT(...) CHECK_EQ(raw_syscall(__VA_ARGS__), -EFAULT)

/* Calls that write to the program: is a wild target refused? */
TEST(results_nowhere)
{
    prepare();
    for (int kind = 0; kind < KINDS; kind++) {
        long to = (long)wild(kind);
        CHECK_EFAULT(SYS_read, zero, to, 10, 0, 0, 0);
        CHECK_EFAULT(SYS_pread64, file, to, 10, 0, 0, 0);
        CHECK_EFAULT(SYS_fstat, file, to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_stat, (long)"file", to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_newfstatat, AT_FDCWD, (long)"file", to, 0, 0, 0);
        CHECK_EFAULT(SYS_statfs, (long)".", to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_pipe2, to, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_uname, to, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_sysinfo, to, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_getrusage, 0, to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_prlimit64, 0, 3, 0, to, 0, 0);
        CHECK_EFAULT(SYS_clock_gettime, 1, to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_clock_getres, 1, to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_gettimeofday, to, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_getcwd, to, 100, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_getrandom, to, 10, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_sched_getaffinity, 0, 128, to, 0, 0, 0);
        CHECK_EFAULT(SYS_rt_sigpending, to, 8, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_rt_sigprocmask, 0, 0, to, 8, 0, 0);
        CHECK_EFAULT(SYS_rt_sigaction, SIGUSR1, 0, to, 8, 0, 0);
        CHECK_EFAULT(SYS_sigaltstack, 0, to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_getitimer, 0, to, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_ioctl, pipes[0], 0x541b /* FIONREAD */, to, 0, 0, 0);
    }
}

/* Calls that read from the program: is a wild source refused? */
TEST(arguments_nowhere)
{
    prepare();
    for (int kind = 0; kind < KINDS; kind++) {
        long from = (long)wild(kind);
        CHECK_EFAULT(SYS_write, file, from, 10, 0, 0, 0);
        CHECK_EFAULT(SYS_write, pipes[1], from, 10, 0, 0, 0);
        CHECK_EFAULT(SYS_pwrite64, file, from, 10, 0, 0, 0);
        CHECK_EFAULT(SYS_writev, file, from, 2, 0, 0, 0);
        CHECK_EFAULT(SYS_readv, file, from, 2, 0, 0, 0);
        CHECK_EFAULT(SYS_rt_sigprocmask, 0, from, 0, 8, 0, 0);
        CHECK_EFAULT(SYS_rt_sigaction, SIGUSR1, from, 0, 8, 0, 0);
        CHECK_EFAULT(SYS_sigaltstack, from, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_nanosleep, from, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_clock_nanosleep, 1, 0, from, 0, 0, 0);
        CHECK_EFAULT(SYS_rt_sigtimedwait, from, 0, 0, 8, 0, 0);
        CHECK_EFAULT(SYS_prlimit64, 0, 7, from, 0, 0, 0);
        CHECK_EFAULT(SYS_sched_setaffinity, 0, 128, from, 0, 0, 0);
        CHECK_EFAULT(SYS_poll, from, 1, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_select, 3, from, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_futex, from & ~3l, 128, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_futex, from & ~3l, 0, 0, 0, 0, 0);
    }
}

/* Is a wild path refused by every call that takes one? */
TEST(paths_nowhere)
{
    static const long calls[] = {
        SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_chdir, SYS_rmdir, SYS_unlink, SYS_readlink, SYS_chmod, SYS_truncate,
        SYS_mkdir, SYS_statfs,
    };
    static char room[256];
    prepare();
    for (int kind = 0; kind < KINDS; kind++) {
        long path = (long)wild(kind);
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            if (calls[i] != SYS_open)
                CHECK_EFAULT(calls[i], path, calls[i] == SYS_mkdir || calls[i] == SYS_chmod || calls[i] == SYS_access || calls[i] == SYS_truncate ? 0 : (long)room, 10, 0, 0, 0);
        CHECK_EFAULT(SYS_open, path, 0, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_openat, AT_FDCWD, path, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_rename, path, (long)"x", 0, 0, 0, 0);
        CHECK_EFAULT(SYS_rename, (long)"file", path, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_link, (long)"file", path, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_symlink, path, (long)"x", 0, 0, 0, 0);
        CHECK_EFAULT(SYS_unlinkat, AT_FDCWD, path, 0, 0, 0, 0);
        CHECK_EFAULT(SYS_faccessat, AT_FDCWD, path, 0, 0, 0, 0);
    }
}

/* Is a path that runs into a hole without its end refused, and one that ends just before it taken? */
TEST(path_at_edge)
{
    prepare();
    char *last = edge + PAGE - 4;
    memcpy(last, "file", 4);
    CHECK_EFAULT(SYS_open, (long)last, 0, 0, 0, 0, 0);
    memcpy(edge + PAGE - 5, "file", 5);
    long fd = raw_syscall(SYS_open, (long)(edge + PAGE - 5), 0, 0, 0, 0, 0);
    CHECK(fd >= 0);
    CHECK_EQ(close((int)fd), 0);
}

/* Is as much transferred as fits before the hole, and EFAULT only when nothing does? */
TEST(transfer_at_edge)
{
    prepare();
    CHECK_EQ(raw_syscall(SYS_pread64, file, (long)(edge + PAGE - 10), 10, 0, 0, 0), 10);
    CHECK(memcmp(edge + PAGE - 10, "0123456789", 10) == 0);
    memset(edge, 0, PAGE);
    long length = raw_syscall(SYS_read, zero, (long)edge, 2 * PAGE, 0, 0, 0);
    CHECK(length == PAGE || length == -EFAULT);
    struct iovec parts[] = {{edge, 5}, {bad_null, 5}};
    length = raw_syscall(SYS_writev, pipes[1], (long)parts, 2, 0, 0, 0);
    CHECK(length == 5 || length == -EFAULT);
}

/* Are pages without write permission refused as targets, and left as they are? */
TEST(read_only_target)
{
    prepare();
    long to = (long)read_only;
    CHECK_EFAULT(SYS_read, zero, to, 10, 0, 0, 0);
    CHECK_EFAULT(SYS_pread64, file, to, 10, 0, 0, 0);
    CHECK_EFAULT(SYS_uname, to, 0, 0, 0, 0, 0);
    CHECK_EFAULT(SYS_pipe2, to, 0, 0, 0, 0, 0);
    CHECK_EFAULT(SYS_getrandom, to, 16, 0, 0, 0, 0);
    CHECK_EFAULT(SYS_clock_gettime, 1, to, 0, 0, 0, 0);
    for (int i = 0; i < PAGE; i++)
        CHECK_EQ(read_only[i], 0);
    CHECK_EFAULT(SYS_read, zero, (long)raw_syscall, 10, 0, 0, 0);
}

/* Are huge lengths cut or refused, without touching what is beyond? */
TEST(huge_lengths)
{
    prepare();
    CHECK_EQ(raw_syscall(SYS_pread64, file, (long)edge, 0x7ffff000, 0, 0, 0), 10);
    CHECK_EQ(raw_syscall(SYS_pread64, file, (long)edge, 1l << 62, 0, 0, 0), -EFAULT);
    CHECK_EFAULT(SYS_read, zero, (long)edge, -1, 0, 0, 0);
    CHECK_EFAULT(SYS_write, file, (long)edge, -1, 0, 0, 0);
}

/* Does a write from fresh memory, never touched, work as any other? */
TEST(untouched_source)
{
    char back[100];
    prepare();
    char *fresh = map_pages(2, PROT_READ | PROT_WRITE);
    CHECK_EQ(pwrite(file, fresh, 100, 0), 100);
    CHECK_EQ(pread(file, back, 100, 0), 100);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(back[i], 0);
    CHECK_EQ(read(zero, fresh + PAGE - 50, 100), 100);
    CHECK_EQ(munmap(fresh, 2 * PAGE), 0);
}
