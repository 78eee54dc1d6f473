/*
 * The vDSO: a shared object in every program's memory whose functions tell time and processor without a system call. Is it one that a loader understands, and
 * does it say what the calls say?
 * Source of truth: vdso(7), elf(5).
 */
#include "faults.h"
#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/time.h>

typedef int clock_function(clockid_t clock, struct timespec *time);
typedef int day_function(struct timeval *time, struct timezone *zone);
typedef time_t time_function(time_t *time);
typedef int cpu_function(unsigned *cpu, unsigned *node, void *unused);

static const Elf64_Ehdr *vdso(void) { return (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR); }

static const Elf64_Phdr *segment(Elf64_Word type)
{
    const Elf64_Phdr *headers = (const Elf64_Phdr *)((const char *)vdso() + vdso()->e_phoff);
    for (int i = 0; i < vdso()->e_phnum; i++)
        if (headers[i].p_type == type)
            return &headers[i];
    return 0;
}

static const char *base(void) { return (const char *)vdso() + segment(PT_LOAD)->p_offset - segment(PT_LOAD)->p_vaddr; }

static const void *dynamic(Elf64_Sxword tag)
{
    const Elf64_Dyn *entry = (const Elf64_Dyn *)(base() + segment(PT_DYNAMIC)->p_vaddr);
    for (; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag)
            return base() + entry->d_un.d_ptr;
    return 0;
}

/* The name of a version by its index. */
static const char *version_name(Elf64_Half index)
{
    const Elf64_Verdef *definition = dynamic(DT_VERDEF);
    for (;; definition = (const Elf64_Verdef *)((const char *)definition + definition->vd_next)) {
        if ((definition->vd_ndx & 0x7fff) == (index & 0x7fff))
            return (const char *)dynamic(DT_STRTAB) + ((const Elf64_Verdaux *)((const char *)definition + definition->vd_aux))->vda_name;
        if (definition->vd_next == 0)
            return "";
    }
}

/* A function of the version LINUX_2.6, searched as a loader does: by its hash where there is a table. */
static const void *find(const char *name)
{
    const Elf64_Sym *symbols = dynamic(DT_SYMTAB);
    const char *names = dynamic(DT_STRTAB);
    const Elf64_Half *versions = dynamic(DT_VERSYM);
    const Elf64_Word *table = dynamic(DT_HASH);
    unsigned long hash = 0;
    if (!table)
        return 0;
    for (const char *letter = name; *letter; letter++) {
        hash = (hash << 4) + (unsigned char)*letter;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    for (Elf64_Word at = table[2 + hash % table[0]]; at != 0; at = table[2 + table[0] + at])
        if (strcmp(names + symbols[at].st_name, name) == 0 && ELF64_ST_TYPE(symbols[at].st_info) == STT_FUNC
            && strcmp(version_name(versions[at]), "LINUX_2.6") == 0)
            return base() + symbols[at].st_value;
    return 0;
}

static long long nanoseconds(struct timespec time) { return time.tv_sec * 1000000000ll + time.tv_nsec; }

static long long ask_kernel(clockid_t clock)
{
    struct timespec time;
    CHECK_EQ(syscall(SYS_clock_gettime, clock, &time), 0);
    return nanoseconds(time);
}

/* Is it an ELF object with code that nobody may write? */
TEST(vdso_is_a_shared_object)
{
    CHECK(vdso() != 0);
    CHECK_EQ(memcmp(vdso(), ELFMAG, SELFMAG), 0);
    CHECK_EQ(vdso()->e_type, ET_DYN);
    CHECK_EQ(vdso()->e_machine, EM_X86_64);
    CHECK(segment(PT_LOAD) != 0 && segment(PT_DYNAMIC) != 0);
    CHECK_EQ(segment(PT_LOAD)->p_flags, PF_R | PF_X);
    CHECK_EQ((unsigned long)vdso() % PAGE, 0);
}

/* Are its names there, with and without the prefix? */
TEST(vdso_names)
{
    CHECK(find("__vdso_clock_gettime") != 0 && find("__vdso_clock_gettime") == find("clock_gettime"));
    CHECK(find("__vdso_gettimeofday") != 0 && find("__vdso_gettimeofday") == find("gettimeofday"));
    CHECK(find("__vdso_time") != 0 && find("__vdso_time") == find("time"));
    CHECK(find("__vdso_getcpu") != 0 && find("__vdso_getcpu") == find("getcpu"));
    CHECK(find("__vdso_nothing") == 0);
}

/* Does /proc/self/maps name it? */
TEST(vdso_in_maps)
{
    char line[512];
    bool code = false, data = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != 0);
    while (fgets(line, sizeof line, maps)) {
        unsigned long start = strtoul(line, 0, 16);
        code |= strstr(line, "[vdso]") && strstr(line, " r-xp ") && start == (unsigned long)vdso();
        data |= strstr(line, "[vvar") && strstr(line, " r--p ");
    }
    fclose(maps);
    CHECK(code && data);
}

/* Is every clock between what the kernel says before and after? */
TEST(vdso_clocks_agree)
{
    static const clockid_t clocks[] = {0, 1, 4, 5, 6, 7, 11};
    clock_function *read = (clock_function *)find("__vdso_clock_gettime");
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
        for (int times = 0; times < 1000; times++) {
            struct timespec time = {-1, -1};
            long long before = ask_kernel(clocks[i]);
            CHECK_EQ(read(clocks[i], &time), 0);
            long long after = ask_kernel(clocks[i]);
            CHECK(before <= nanoseconds(time) && nanoseconds(time) <= after);
            CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
        }
}

/* Does time never go back, over more than a second? */
TEST(vdso_time_goes_on)
{
    clock_function *read = (clock_function *)find("__vdso_clock_gettime");
    struct timespec time;
    read(CLOCK_MONOTONIC, &time);
    const long long first = nanoseconds(time);
    long long last = first;
    while (last - first < 1100000000) {
        read(CLOCK_MONOTONIC, &time);
        CHECK(nanoseconds(time) >= last);
        last = nanoseconds(time);
    }
}

/* What becomes of clocks that it does not know? A linked program's libc is told to ask the kernel itself. */
TEST(vdso_other_clocks)
{
    clock_function *read = (clock_function *)find("__vdso_clock_gettime");
    struct timespec time;
    int result = read(CLOCK_THREAD_CPUTIME_ID, &time);
    CHECK(result == 0 || result == -ENOSYS);
    result = read(12345, &time);
    CHECK(result == -EINVAL || result == -ENOSYS);
    CHECK_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
    CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
    CHECK_ERROR(clock_gettime(12345, &time), EINVAL);
}

/* Do the older calls agree too, and leave out what was not asked for? */
TEST(vdso_time_of_day)
{
    day_function *day = (day_function *)find("__vdso_gettimeofday");
    time_function *seconds = (time_function *)find("__vdso_time");
    for (int times = 0; times < 1000; times++) {
        struct timeval time;
        struct timezone zone = {77, 77};
        time_t stored = 0;
        long long before = ask_kernel(CLOCK_REALTIME);
        CHECK_EQ(day(&time, times % 2 ? &zone : 0), 0);
        long long after = ask_kernel(CLOCK_REALTIME);
        CHECK(before / 1000 <= time.tv_sec * 1000000ll + time.tv_usec && time.tv_sec * 1000000ll + time.tv_usec <= after / 1000);
        CHECK(time.tv_usec >= 0 && time.tv_usec < 1000000);
        CHECK(times % 2 == 0 || (zone.tz_minuteswest != 77 && zone.tz_dsttime != 77));
        time_t now = seconds(times % 2 ? &stored : 0);
        /* Linux's seconds come from its last tick. */
        CHECK(now >= before / 1000000000 - 1 && now <= ask_kernel(CLOCK_REALTIME) / 1000000000);
        CHECK(times % 2 == 0 || stored == now);
    }
    CHECK_EQ(day(0, 0), 0);
}

/* Is the processor the one that the kernel names? */
TEST(vdso_processor)
{
    cpu_function *ask = (cpu_function *)find("__vdso_getcpu");
    unsigned cpu = 77, node = 77, real_cpu, real_node;
    cpu_set_t one;
    CPU_ZERO(&one);
    CHECK_EQ(syscall(SYS_getcpu, &real_cpu, &real_node, 0), 0);
    CPU_SET(real_cpu, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQ(ask(&cpu, &node, 0), 0);
    CHECK_EQ(cpu, real_cpu);
    CHECK_EQ(node, real_node);
    CHECK_EQ(ask(0, 0, 0), 0);
    CHECK_EQ(sched_getcpu(), (int)real_cpu);
}

/* Is it protected from the program? */
TEST(vdso_is_read_only)
{
    CHECK_FAULT((char *)vdso(), FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK_FAULT((char *)vdso() - PAGE, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
}
