/*
 * File mappings: private and shared, their ends, their protections and their lives beyond close and unlink.
 * Source of truth: mmap(2), msync(2).
 */
#include "check.h"
#include "faults.h"

/* A file of the given length whose byte at offset i is 'a' + page number, opened read-write. */
static int make_file(const char *path, size_t length)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    char page[PAGE];
    for (size_t done = 0; done < length; done += PAGE) {
        memset(page, (int)('a' + done / PAGE), PAGE);
        size_t part = length - done < PAGE ? length - done : PAGE;
        CHECK_EQ(write(fd, page, part), part);
    }
    return fd;
}

static char *map_file(int fd, size_t length, int protection, int flags, off_t offset)
{
    char *memory = mmap(0, length, protection, flags, fd, offset);
    CHECK(memory != MAP_FAILED);
    return memory;
}

/* Does a private mapping show the file, keep its writes to itself, and outlive close and unlink? */
TEST(private_mapping)
{
    int fd = make_file("private", 2 * PAGE);
    char *memory = map_file(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(memory[0], 'a');
    CHECK_EQ(memory[2 * PAGE - 1], 'b');
    memory[0] = 'X';
    fd = open("private", O_RDONLY);
    char first;
    CHECK_EQ(read(fd, &first, 1), 1);
    CHECK_EQ(first, 'a');
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("private"), 0);
    CHECK_EQ(memory[0], 'X');
    CHECK_EQ(memory[PAGE], 'b');
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
}

/* Does a mapping start at its offset? */
TEST(offset_mapping)
{
    int fd = make_file("offset", 4 * PAGE);
    char *memory = map_file(fd, PAGE, PROT_READ, MAP_PRIVATE, 2 * PAGE);
    CHECK_EQ(memory[0], 'c');
    CHECK_FAULT(memory, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(munmap(memory, PAGE), 0);
    CHECK_ERROR(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
    CHECK_EQ(close(fd), 0);
}

/* Is the rest of the last page zero, and does a page beyond the end raise SIGBUS? */
TEST(end_of_file)
{
    int fd = make_file("end", PAGE + 10);
    char *memory = map_file(fd, 3 * PAGE, PROT_READ, MAP_PRIVATE, 0);
    CHECK_EQ(memory[PAGE + 9], 'b');
    for (int i = 10; i < PAGE; i++)
        CHECK_EQ(memory[PAGE + i], 0);
    CHECK_FAULT(memory + 2 * PAGE + 5, FAULT_READ, SIGBUS, BUS_ADRERR);
    CHECK_EQ(munmap(memory, 3 * PAGE), 0);
    CHECK_EQ(close(fd), 0);
}

/* Do writes to a shared mapping reach the file, and writes to the file the mapping? */
TEST(shared_mapping)
{
    int fd = make_file("shared", 2 * PAGE);
    char *memory = map_file(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    char *second = map_file(fd, 2 * PAGE, PROT_READ, MAP_SHARED, 0);
    memory[5] = 'Z';
    CHECK_EQ(second[5], 'Z');
    char byte;
    CHECK_EQ(pread(fd, &byte, 1, 5), 1);
    CHECK_EQ(byte, 'Z');
    CHECK_EQ(pwrite(fd, "Y", 1, PAGE), 1);
    CHECK_EQ(memory[PAGE], 'Y');
    CHECK_EQ(second[PAGE], 'Y');
    CHECK_EQ(msync(memory, 2 * PAGE, MS_SYNC), 0);
    CHECK_ERROR(msync(memory + 1, PAGE, MS_SYNC), EINVAL);
    CHECK_ERROR(msync(memory, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_EQ(munmap(second, 2 * PAGE), 0);
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
    CHECK_ERROR(msync(memory, PAGE, MS_SYNC), ENOMEM);
    CHECK_EQ(close(fd), 0);
}

/* Does a mapping follow the file as it shrinks and grows? */
TEST(truncate_under_mapping)
{
    int fd = make_file("truncate", 2 * PAGE);
    char *memory = map_file(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    CHECK_EQ(memory[PAGE], 'b');
    CHECK_EQ(ftruncate(fd, PAGE), 0);
    CHECK_FAULT(memory + PAGE, FAULT_READ, SIGBUS, BUS_ADRERR);
    CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
    CHECK_EQ(memory[PAGE], 0);
    CHECK_EQ(memory[0], 'a');
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
    CHECK_EQ(close(fd), 0);
}

/* Do the open mode of the file and the kind of mapping limit each other? */
TEST(mapping_permissions)
{
    CHECK_EQ(close(make_file("modes", PAGE)), 0);
    int reader = open("modes", O_RDONLY), writer = open("modes", O_WRONLY);
    CHECK_ERROR((long)mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), EACCES);
    CHECK_ERROR((long)mmap(0, PAGE, PROT_READ, MAP_PRIVATE, writer, 0), EACCES);
    CHECK_ERROR((long)mmap(0, PAGE, PROT_WRITE, MAP_SHARED, writer, 0), EACCES);
    char *memory = map_file(reader, PAGE, PROT_READ, MAP_SHARED, 0);
    CHECK_ERROR(mprotect(memory, PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK_EQ(munmap(memory, PAGE), 0);
    memory = map_file(reader, PAGE, PROT_READ, MAP_PRIVATE, 0);
    CHECK_EQ(mprotect(memory, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK(can_write(memory));
    CHECK_EQ(munmap(memory, PAGE), 0);
    CHECK_EQ(close(reader), 0);
    CHECK_EQ(close(writer), 0);
}

/* Which descriptors cannot be mapped? */
TEST(unmappable)
{
    int folder = open(".", O_RDONLY | O_DIRECTORY), pipes[2];
    CHECK_ERROR((long)mmap(0, PAGE, PROT_READ, MAP_PRIVATE, folder, 0), ENODEV);
    CHECK_EQ(pipe(pipes), 0);
    CHECK_ERROR((long)mmap(0, PAGE, PROT_READ, MAP_PRIVATE, pipes[0], 0), ENODEV);
    CHECK_EQ(close(folder) | close(pipes[0]) | close(pipes[1]), 0);
}

/* Does a private mapping of /dev/zero give fresh memory? */
TEST(map_dev_zero)
{
    int fd = open("/dev/zero", O_RDWR);
    CHECK(fd >= 0);
    char *memory = map_file(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(memory[PAGE], 0);
    memory[PAGE] = 1;
    CHECK_EQ(memory[PAGE], 1);
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
}

/* Can read and write use a file mapping as their buffer, even of the same file? */
TEST(mapping_as_buffer)
{
    int fd = make_file("buffer", 2 * PAGE);
    char *memory = map_file(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    CHECK_EQ(pwrite(fd, memory + PAGE, PAGE, 0), PAGE);
    CHECK_EQ(memory[0], 'b');
    CHECK_EQ(pread(fd, memory + PAGE, PAGE, 0), PAGE);
    CHECK_EQ(memory[PAGE], 'b');
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
    CHECK_EQ(close(fd), 0);
}

/* Does a mapping cut in two keep the right part of the file in each? */
TEST(split_mapping)
{
    int fd = make_file("split", 3 * PAGE);
    char *memory = map_file(fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    CHECK_EQ(munmap(memory + PAGE, PAGE), 0);
    CHECK_EQ(memory[0], 'a');
    CHECK_EQ(memory[2 * PAGE], 'c');
    memory[0] = 'X';
    CHECK_EQ(madvise(memory, PAGE, MADV_DONTNEED), 0);
    CHECK_EQ(memory[0], 'a');
    CHECK_EQ(munmap(memory, 3 * PAGE), 0);
    CHECK_EQ(close(fd), 0);
}
