/*
 * Which system calls the fuzzer must not make, and what it must not say in the others, because a correct kernel would rightly end,
 * stop or disfigure the program. Everything else is fair.
 * Source of truth: the man pages, section 2.
 */
#ifndef FORBIDDEN_H
#define FORBIDDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static const short forbidden_calls[] = {
    /* end or stop the program or the machine */
    SYS_exit, SYS_exit_group, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal,
    SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_ptrace, SYS_vhangup, SYS_mq_notify,
    335 /* uretprobe */, 336 /* uprobe: both answer a stranger with SIGILL */,
    /* start programs or threads at random addresses */
    SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve, SYS_execveat,
    /* wait with no way back, or take all the time there is */
    SYS_rt_sigsuspend, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
    /* change where the program's code goes on or what its memory means */
    SYS_rt_sigreturn, SYS_rt_sigaction, SYS_sigaltstack, SYS_arch_prctl, SYS_set_tid_address, SYS_set_robust_list, SYS_rseq,
    SYS_seccomp, SYS_personality, SYS_userfaultfd, SYS_mlockall, SYS_modify_ldt,
    /* let random bytes be taken for the program's own pointers */
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_get_robust_list, SYS_process_madvise,
    /* take away what the program needs to report */
    SYS_setrlimit, SYS_shmat, SYS_remap_file_pages, SYS_mbind, SYS_migrate_pages, SYS_move_pages,
};

/* Calls that, on descriptors the fuzzer opened itself and on its own memory, cannot hurt the machine it runs on. */
static const short harmless_calls[] = {
    SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_fstat, SYS_lseek, SYS_poll, SYS_access, SYS_dup,
    SYS_close, SYS_pipe2, SYS_eventfd2, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_uname, SYS_getcwd, SYS_clock_gettime,
    SYS_clock_getres, SYS_getrusage, SYS_sysinfo, SYS_times, SYS_sched_yield, SYS_getrandom, SYS_getitimer, SYS_getpid, SYS_getppid,
    SYS_gettid, SYS_getuid, SYS_futex, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_msync, SYS_mincore,
    SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_nanosleep, SYS_stat, SYS_readlink, SYS_getdents64, SYS_membarrier, SYS_sched_getaffinity,
    400, 470, 1000,
};

static inline bool is_forbidden(long number)
{
    for (size_t i = 0; i < sizeof forbidden_calls / sizeof *forbidden_calls; i++)
        if ((int)number == forbidden_calls[i])
            return true;
    return false;
}

/*
 * Keeps a range inside memory set aside for it, unless no kernel accepts it: one that starts beyond user memory or wraps around.
 * A huge length that does not wrap is not fair: mprotect and madvise rightly work on what is mapped before they fail.
 */
static inline void tame_range(long *address, long *length, unsigned long arena, unsigned long size)
{
    unsigned long start = (unsigned long)*address, bytes = (unsigned long)*length;
    if (start >= 1ul << 47)
        return;
    start = start % size & (start % 3 == 0 ? ~0ul : ~4095ul);
    *address = (long)(arena + start);
    *length = bytes >= 1ul << 47 ? -(long)(bytes % (1l << 31)) : (long)(bytes % (size - start + 1));
    if (*length > 0 && start + ((unsigned long)*length + 4095) / 4096 * 4096 > size)
        *length = 0;
}

/* Changes arguments that would rightly harm the program itself. The arena is memory that may be mapped and unmapped at will. */
static inline void tame(long number, long *arguments, unsigned long arena, unsigned long size)
{
    const long limit = 1 << 16;
    switch ((int)number) {
    case SYS_mmap:
        tame_range(&arguments[0], &arguments[1], arena, size);
        arguments[3] |= MAP_FIXED;
        break;
    case SYS_mremap:
        tame_range(&arguments[0], &arguments[1], arena, size);
        tame_range(&arguments[4], &arguments[2], arena, size);
        break;
    case SYS_munmap: case SYS_mprotect: case SYS_pkey_mprotect: case SYS_msync: case SYS_mlock: case SYS_munlock:
    case SYS_mlock2: case 462 /* mseal */:
        tame_range(&arguments[0], &arguments[1], arena, size);
        break;
    case SYS_madvise: /* no advice that breaks physical memory (MADV_HWPOISON, MADV_SOFT_OFFLINE) */
        tame_range(&arguments[0], &arguments[1], arena, size);
        if ((int)arguments[2] == 100 || (int)arguments[2] == 101)
            arguments[2] = MADV_DONTNEED;
        break;
    case SYS_brk:
        arguments[0] |= (long)0xffff800000000000;
        break;
    case SYS_prctl: /* names only */
        arguments[0] = arguments[0] & 1 ? 16 : 999999;
        break;
    case SYS_prlimit64: /* read only */
        arguments[2] = 0;
        break;
    case SYS_timer_create: /* the signal would be random */
        arguments[1] = 0;
        break;
    case SYS_fcntl: /* no signals by descriptor */
        if ((int)arguments[1] == 8 || (int)arguments[1] == 10 || (int)arguments[1] == 15)
            arguments[1] = 1;
        break;
    case SYS_close_range:
        arguments[0] &= 511;
        arguments[1] &= 511;
        break;
    case SYS_sendfile:
        arguments[3] %= limit;
        break;
    case SYS_splice: case SYS_copy_file_range:
        arguments[4] %= limit;
        break;
    case SYS_tee:
        arguments[2] %= limit;
        break;
    case SYS_fallocate:
        arguments[2] %= limit;
        arguments[3] %= limit;
        break;
    default:
        break;
    }
}

#endif
