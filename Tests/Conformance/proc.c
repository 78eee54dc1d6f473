/*
 * What /proc tells a program about itself and the machine, as far as runtimes read it.
 * Source of truth: proc(5).
 */
#include "check.h"
#include <dirent.h>
#include <sys/sysinfo.h>

/* The whole text of a file under /proc; read in small pieces, for such a file has no length. */
static const char *text_of(const char *path)
{
    static char text[1 << 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        check_fail("proc.c", __LINE__, "cannot open %s (errno %d)", path, errno);
    size_t length = 0;
    for (ssize_t part; (part = read(fd, text + length, 100)) != 0; length += (size_t)part)
        CHECK(part > 0 && length < sizeof text - 101);
    text[length] = 0;
    CHECK_EQ(close(fd), 0);
    return text;
}

static long number_after(const char *text, const char *label)
{
    const char *found = strstr(text, label);
    if (found == 0)
        check_fail("proc.c", __LINE__, "no %s", label);
    return strtol(found + strlen(label), 0, 10);
}

/* The protection letters of the mapping that holds an address, as /proc/self/maps has them, or null. */
static const char *mapping_of(const void *address)
{
    static char flags[5];
    const char *line = text_of("/proc/self/maps");
    while (*line) {
        unsigned long start, end, offset;
        unsigned major, minor;
        long inode;
        CHECK_EQ(sscanf(line, "%lx-%lx %4s %lx %x:%x %ld", &start, &end, flags, &offset, &major, &minor, &inode), 7);
        CHECK(start < end && start % PAGE == 0 && end % PAGE == 0);
        if ((uintptr_t)address >= start && (uintptr_t)address < end)
            return flags;
        line = strchr(line, '\n');
        CHECK(line != 0);
        line++;
    }
    return 0;
}

/* Does /proc/self/maps list code, data, stack and mappings with their protections, and follow changes? */
TEST(self_maps)
{
    char on_stack;
    static char data = 1;
    char *memory = map_pages(3, PROT_READ | PROT_WRITE);
    CHECK(strcmp(mapping_of((void *)(uintptr_t)mapping_of), "r-xp") == 0);
    CHECK(strcmp(mapping_of(&data), "rw-p") == 0);
    CHECK(strcmp(mapping_of(&on_stack), "rw-p") == 0);
    CHECK(strcmp(mapping_of(memory + PAGE), "rw-p") == 0);
    CHECK_EQ(mprotect(memory + PAGE, PAGE, PROT_NONE), 0);
    CHECK(strcmp(mapping_of(memory + PAGE), "---p") == 0);
    CHECK(strcmp(mapping_of(memory + 2 * PAGE), "rw-p") == 0);
    CHECK_EQ(munmap(memory, 3 * PAGE), 0);
    CHECK(mapping_of(memory + PAGE) == 0);
    CHECK(strstr(text_of("/proc/self/maps"), "[stack]") != 0);
}

/* Does /proc/self/maps name the file of a mapping? */
TEST(self_maps_file)
{
    write_file("mapped-file", "x");
    int fd = open("mapped-file", O_RDONLY);
    void *memory = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    CHECK(strcmp(mapping_of(memory), "r--s") == 0);
    CHECK(strstr(text_of("/proc/self/maps"), "/mapped-file\n") != 0);
    CHECK_EQ(munmap(memory, PAGE) | close(fd), 0);
}

/* Does /proc/self/stat hold its fifty-two fields, the right pid among them? */
TEST(self_stat)
{
    const char *text = text_of("/proc/self/stat");
    CHECK_EQ(strtol(text, 0, 10), getpid());
    CHECK(strchr(text, '(') != 0);
    const char *rest = strrchr(text, ')');
    CHECK(rest != 0 && rest[1] == ' ' && rest[2] == 'R');
    int fields = 2;
    for (const char *c = rest + 1; *c; c++)
        fields += *c == ' ';
    CHECK_EQ(fields, 52);
    int threads = 0;
    unsigned long start = 0, size = 0;
    CHECK_EQ(sscanf(rest + 3, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d %*s %lu %lu", &threads, &start, &size), 3);
    CHECK_EQ(threads, 1);
    CHECK(size > 0);
}

/* Does /proc/self/status name the program, its ids and its threads? */
TEST(self_status)
{
    const char *text = text_of("/proc/self/status");
    CHECK(strncmp(text, "Name:\tproc\n", 11) == 0);
    CHECK_EQ(number_after(text, "\nPid:"), getpid());
    CHECK_EQ(number_after(text, "\nTgid:"), getpid());
    CHECK_EQ(number_after(text, "\nUid:"), getuid());
    CHECK_EQ(number_after(text, "\nThreads:"), 1);
    CHECK(number_after(text, "\nVmRSS:") > 0);
}

/* Are statm's pages plausible, and do they follow a mapping? */
TEST(self_statm)
{
    long before = strtol(text_of("/proc/self/statm"), 0, 10);
    char *memory = map_pages(1000, PROT_READ | PROT_WRITE);
    CHECK_EQ(strtol(text_of("/proc/self/statm"), 0, 10), before + 1000);
    CHECK_EQ(munmap(memory, 1000 * PAGE), 0);
    CHECK_EQ(strtol(text_of("/proc/self/statm"), 0, 10), before);
}

/* Do cmdline, comm and the link exe tell which program runs? */
TEST(self_program)
{
    char path[PATH_MAX];
    const char *command = text_of("/proc/self/cmdline");
    const char *name = strrchr(command, '/');
    CHECK(strcmp(name ? name + 1 : command, "proc") == 0);
    CHECK(strcmp(text_of("/proc/self/comm"), "proc\n") == 0);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    CHECK(length > 0);
    path[length] = 0;
    CHECK(path[0] == '/');
    length = readlink("/proc/self/cwd", path, sizeof path - 1);
    CHECK(length > 0);
    path[length] = 0;
    char current[PATH_MAX];
    CHECK(getcwd(current, sizeof current) != 0 && strcmp(path, current) == 0);
}

/* Does /proc/self/fd list the open descriptors, each as a link to its file? */
TEST(self_descriptors)
{
    char path[64], target[PATH_MAX], current[PATH_MAX];
    bool found = false;
    write_file("open-file", "content");
    int fd = open("open-file", O_RDONLY);
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != 0);
    for (struct dirent *entry; (entry = readdir(folder)) != 0;)
        found |= atoi(entry->d_name) == fd && entry->d_name[0] != '.';
    CHECK_EQ(closedir(folder), 0);
    CHECK(found);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    CHECK(length > 0);
    target[length] = 0;
    CHECK(getcwd(current, sizeof current) != 0 && strncmp(target, current, strlen(current)) == 0);
    CHECK(strcmp(target + strlen(current), "/open-file") == 0);
    int again = open(path, O_RDONLY);
    char text[8];
    CHECK_EQ(read(again, text, sizeof text), 7);
    CHECK_EQ(close(fd) | close(again), 0);
    CHECK_ERROR(readlink(path, target, sizeof target), ENOENT);
}

/* Does meminfo agree with sysinfo on how much memory there is? */
TEST(memory_information)
{
    struct sysinfo information;
    const char *text = text_of("/proc/meminfo");
    long total = number_after(text, "MemTotal:"), available = number_after(text, "MemAvailable:");
    CHECK_EQ(sysinfo(&information), 0);
    CHECK_EQ(total, information.totalram * information.mem_unit / 1024);
    CHECK(available > 0 && available <= total && number_after(text, "MemFree:") <= total);
}

/* Does cpuinfo have an entry for each processor? */
TEST(processor_information)
{
    const char *text = text_of("/proc/cpuinfo");
    int processors = 0;
    for (const char *line = text; line != 0; line = strchr(line, '\n'), line += line != 0)
        processors += strncmp(line, "processor\t:", 11) == 0;
    CHECK_EQ(processors, sysconf(_SC_NPROCESSORS_CONF));
    CHECK(strstr(text, "flags\t\t:") != 0 && strstr(text, "sse2") != 0 && strstr(text, "model name\t:") != 0);
}

/* Are the small files that runtimes look for there? */
TEST(other_files)
{
    CHECK(strtol(text_of("/proc/uptime"), 0, 10) >= 0);
    CHECK(strstr(text_of("/proc/stat"), "cpu ") != 0);
    CHECK(strstr(text_of("/proc/self/mountinfo"), " / ") != 0);
    const char *group = text_of("/proc/self/cgroup"); /* empty where nobody mounted any */
    CHECK(group[0] == 0 || strchr(group, ':') != 0);
    CHECK(strstr(text_of("/proc/filesystems"), "tmpfs") != 0);
    CHECK(strncmp(text_of("/proc/version"), "Linux version ", 14) == 0);
    CHECK(strtol(text_of("/proc/sys/kernel/pid_max"), 0, 10) > 0);
}

/* Are writes and missing names refused? */
TEST(proc_errors)
{
    CHECK_ERROR(open("/proc/absent", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/proc/self/absent", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/proc/self/stat/deeper", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("/proc/new", O_WRONLY | O_CREAT, 0644), ENOENT);
    CHECK_ERROR(unlink("/proc/self/stat"), EPERM);
    int fd = open("/proc/self/stat", O_RDONLY);
    char byte;
    CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
    CHECK_EQ(read(fd, &byte, 1), 1);
    CHECK_ERROR(read(fd, bad_null, 1), EFAULT);
    CHECK_EQ(close(fd), 0);
}

static void *stay(void *argument)
{
    pthread_barrier_wait(argument);
    pthread_barrier_wait(argument);
    return 0;
}

/* Does /proc/self/task list the threads? */
TEST(self_tasks)
{
    pthread_barrier_t barrier;
    pthread_t thread;
    int count = 0;
    CHECK_EQ(pthread_barrier_init(&barrier, 0, 2) | pthread_create(&thread, 0, stay, &barrier), 0);
    pthread_barrier_wait(&barrier);
    DIR *folder = opendir("/proc/self/task");
    CHECK(folder != 0);
    for (struct dirent *entry; (entry = readdir(folder)) != 0;)
        count += entry->d_name[0] != '.';
    CHECK_EQ(closedir(folder), 0);
    pthread_barrier_wait(&barrier);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(count, 2);
}
