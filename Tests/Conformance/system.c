/*
 * The process and the machine: ids, credentials, limits, names, scheduling, usage, and calls that do not exist.
 * Source of truth: the man pages of the calls named.
 */
#include "check.h"
#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* Do process, thread, group and session ids fit together? */
TEST(process_ids)
{
    CHECK(getpid() > 0);
    CHECK_EQ(syscall(SYS_getpid), getpid());
    CHECK_EQ(syscall(SYS_gettid), getpid());
    CHECK(getppid() >= 0);
    CHECK_EQ(getpgid(0), getpgrp());
    CHECK_EQ(getpgid(getpid()), getpgrp());
    CHECK_EQ(getsid(0), getsid(getpid()));
    CHECK_ERROR(getpgid(0x3fffffff), ESRCH);
    CHECK_ERROR(getsid(0x3fffffff), ESRCH);
}

/* Do real, effective and saved ids agree in all calls that tell or set them? */
TEST(credentials)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group, groups[64];
    CHECK_EQ(getresuid(&real, &effective, &saved) | getresgid(&real_group, &effective_group, &saved_group), 0);
    CHECK_EQ(real, getuid());
    CHECK_EQ(effective, geteuid());
    CHECK_EQ(real_group, getgid());
    CHECK_EQ(effective_group, getegid());
    CHECK_EQ(setuid(real) | setgid(real_group), 0);
    CHECK_EQ(setresuid(-1, -1, -1) | setresgid(-1, -1, -1), 0);
    int count = getgroups(0, 0);
    CHECK(count >= 0 && count <= 64);
    CHECK_EQ(getgroups(64, groups), count);
    CHECK_ERROR(getgroups(-1, groups), EINVAL);
    CHECK_ERROR(syscall(SYS_getresuid, bad_null, &real, &real), EFAULT);
}

/* Does uname name a Linux on x86-64? */
TEST(system_name)
{
    struct utsname name;
    int major = 0;
    CHECK_EQ(uname(&name), 0);
    CHECK(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
    CHECK(sscanf(name.release, "%d.", &major) == 1 && major >= 5);
    CHECK(name.nodename[0] != 0 && name.version[0] != 0);
    char host[65];
    CHECK_EQ(gethostname(host, sizeof host), 0);
    CHECK(strcmp(host, name.nodename) == 0);
    CHECK_ERROR(syscall(SYS_uname, bad_null), EFAULT);
}

/* Are memory, uptime and the count of processes plausible? */
TEST(system_information)
{
    struct sysinfo information;
    CHECK_EQ(sysinfo(&information), 0);
    CHECK(information.mem_unit > 0 && information.totalram > 0 && information.freeram <= information.totalram);
    CHECK(information.procs >= 1 && information.uptime < 1u << 31);
    CHECK(sysconf(_SC_PHYS_PAGES) > 0 && sysconf(_SC_NPROCESSORS_ONLN) > 0);
    CHECK_ERROR(syscall(SYS_sysinfo, bad_null), EFAULT);
}

/* Do limits read, set and inherit the rule that the soft one is not above the hard one? */
TEST(resource_limits)
{
    struct rlimit stack, files, wrong;
    CHECK_EQ(getrlimit(RLIMIT_STACK, &stack), 0);
    CHECK(stack.rlim_cur >= 1 << 20 && stack.rlim_cur <= stack.rlim_max);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    CHECK(files.rlim_cur >= 256 && files.rlim_cur <= files.rlim_max);
    struct rlimit fewer = {files.rlim_cur - 1, files.rlim_max}, again;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &fewer), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &again), 0);
    CHECK_EQ(again.rlim_cur, fewer.rlim_cur);
    CHECK_EQ(prlimit(0, RLIMIT_NOFILE, &files, &again), 0);
    CHECK_EQ(again.rlim_cur, fewer.rlim_cur);
    wrong = (struct rlimit){11, 10};
    CHECK_ERROR(setrlimit(RLIMIT_NOFILE, &wrong), EINVAL);
    CHECK_ERROR(getrlimit(99, &stack), EINVAL);
    CHECK_ERROR(syscall(SYS_prlimit64, 0, RLIMIT_STACK, 0, bad_kernel), EFAULT);
}

/* Does getrusage count time and faults? */
TEST(resource_usage)
{
    struct rusage before, after;
    CHECK_EQ(getrusage(RUSAGE_SELF, &before), 0);
    long long end = now_ns() + 30000000;
    while (now_ns() < end) { }
    char *memory = map_pages(64, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 64; i++)
        memory[i * PAGE] = 1;
    CHECK_EQ(munmap(memory, 64 * PAGE), 0);
    CHECK_EQ(getrusage(RUSAGE_SELF, &after), 0);
    CHECK(after.ru_utime.tv_sec >= before.ru_utime.tv_sec && after.ru_utime.tv_usec < 1000000);
    CHECK(after.ru_minflt > before.ru_minflt);
    CHECK(after.ru_maxrss > 0);
    CHECK_EQ(getrusage(RUSAGE_THREAD, &after), 0);
    CHECK_EQ(getrusage(RUSAGE_CHILDREN, &after), 0);
    CHECK_ERROR(getrusage(99, &after), EINVAL);
    CHECK_ERROR(getrusage(RUSAGE_SELF, bad_kernel), EFAULT);
}

/* Does prctl keep the thread's name and the flags of the process? */
TEST(process_controls)
{
    char name[16], before[16];
    CHECK_EQ(prctl(PR_GET_NAME, before), 0);
    CHECK_EQ(prctl(PR_SET_NAME, "a name longer than fifteen"), 0);
    CHECK_EQ(prctl(PR_GET_NAME, name), 0);
    CHECK(strcmp(name, "a name longer t") == 0);
    CHECK_EQ(prctl(PR_SET_NAME, before), 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_PDEATHSIG, 0), 0);
    CHECK_ERROR(prctl(9999, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(prctl(PR_SET_NAME, bad_null), EFAULT);
}

/* Do the scheduling calls tell the usual policy, a CPU that exists, and refuse nonsense? */
TEST(scheduling)
{
    cpu_set_t set, all;
    struct sched_param parameters;
    unsigned cpu = 9999, node = 9999;
    CPU_ZERO(&all);
    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CHECK(CPU_COUNT(&all) >= 1);
    CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, 0), 0);
    CHECK(CPU_ISSET(cpu, &all));
    CHECK_EQ(node, 0);
    CHECK(sched_getcpu() >= 0);
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
    CPU_ZERO(&set);
    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    CHECK_EQ(CPU_COUNT(&set), 1);
    CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&set);
    CHECK_ERROR(sched_setaffinity(0, sizeof set, &set), EINVAL);
    CHECK_ERROR(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
    CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
    CHECK_EQ(syscall(SYS_sched_getparam, 0, &parameters), 0);
    CHECK_EQ(parameters.sched_priority, 0);
    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_ERROR(sched_get_priority_max(99), EINVAL);
    CHECK_EQ(sched_yield(), 0);
    errno = 0;
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
    CHECK_EQ(errno, 0);
}

/* Does membarrier tell what it can do, and do it once registered? */
TEST(memory_barriers)
{
    enum { QUERY = 0, PRIVATE_EXPEDITED = 8, REGISTER_PRIVATE_EXPEDITED = 16 };
    long commands = syscall(SYS_membarrier, QUERY, 0);
    CHECK_EQ(commands & (PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED), PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED);
    CHECK_ERROR(syscall(SYS_membarrier, PRIVATE_EXPEDITED, 0), EPERM);
    CHECK_EQ(syscall(SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0), 0);
    CHECK_EQ(syscall(SYS_membarrier, PRIVATE_EXPEDITED, 0), 0);
    CHECK_ERROR(syscall(SYS_membarrier, 0x40000000, 0), EINVAL);
}

/* Does a program find what it needs to start: auxiliary vector, environment, arguments? */
TEST(auxiliary_vector)
{
    CHECK_EQ(getauxval(AT_PAGESZ), PAGE);
    CHECK(getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) > 0);
    CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK(getauxval(AT_ENTRY) != 0);
    CHECK(getauxval(AT_RANDOM) != 0);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_EGID), getegid());
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK_EQ(getauxval(AT_CLKTCK), 100);
    CHECK_EQ(sysconf(_SC_CLK_TCK), 100);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    int different = 0;
    for (int i = 1; i < 16; i++)
        different += random[i] != random[0];
    CHECK(different > 0);
}

/* Is a call that does not exist ENOSYS, whatever its arguments? */
TEST(unknown_calls)
{
    static const long numbers[] = {400, 423, 700, 999, 4096, 0x7fffffff, -1, -4096};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CHECK_EQ(raw_syscall(numbers[i], 0, 0, 0, 0, 0, 0), -ENOSYS);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CHECK_EQ(raw_syscall(numbers[i], -1, -1, -1, -1, -1, -1), -ENOSYS);
}

/* Is there no child to wait for? */
TEST(no_children)
{
    int status;
    CHECK_ERROR(syscall(SYS_wait4, -1, &status, 0, 0), ECHILD);
    CHECK_ERROR(syscall(SYS_wait4, -1, &status, 0x40000000 | 0x80 | 0x100, 0), EINVAL);
}
