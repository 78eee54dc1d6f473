/*
 * Regular files and descriptors: open flags, offsets, vectored and positioned I/O, truncation, dup and fcntl.
 * Source of truth: the man pages of the calls named.
 */
#include "check.h"
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int open_or_fail(const char *path, int flags)
{
    int fd = open(path, flags, 0644);
    CHECK(fd >= 0);
    return fd;
}

/* The whole of a small file, as text. */
static const char *contents(const char *path)
{
    static char text[256];
    int fd = open_or_fail(path, O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    CHECK(length >= 0);
    text[length] = 0;
    close(fd);
    return text;
}

/* Do O_CREAT, O_EXCL, O_TRUNC, O_APPEND and O_DIRECTORY do what they say? */
TEST(open_flags)
{
    CHECK_ERROR(open("absent", O_RDONLY), ENOENT);
    CHECK_ERROR(open("absent/deeper", O_RDONLY | O_CREAT, 0644), ENOENT);
    write_file("file", "first");
    CHECK_ERROR(open("file", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_ERROR(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERROR(open("file/deeper", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open(".", O_WRONLY), EISDIR);
    CHECK_ERROR(open(".", O_RDWR | O_CREAT, 0644), EISDIR);
    CHECK_ERROR(open("", O_RDONLY), ENOENT);
    int fd = open_or_fail("file", O_WRONLY | O_APPEND);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(write(fd, "+more", 5), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
    close(fd);
    CHECK(strcmp(contents("file"), "first+more") == 0);
    close(open_or_fail("file", O_WRONLY | O_TRUNC));
    CHECK(strcmp(contents("file"), "") == 0);
}

/* Is the lowest free descriptor used, and is a closed one refused? */
TEST(descriptor_numbers)
{
    int a = open_or_fail("numbers", O_RDWR | O_CREAT), b = dup(a), c = dup(a);
    CHECK(a < b && b < c);
    CHECK_EQ(close(b), 0);
    CHECK_EQ(dup(a), b);
    CHECK_EQ(close(a) | close(b) | close(c), 0);
    char byte;
    CHECK_ERROR(close(a), EBADF);
    CHECK_ERROR(close(-1), EBADF);
    CHECK_ERROR(read(a, &byte, 1), EBADF);
    CHECK_ERROR(write(INT_MAX, "", 1), EBADF);
    CHECK_ERROR(lseek(a, 0, SEEK_SET), EBADF);
    CHECK_ERROR(dup(a), EBADF);
    CHECK_ERROR(dup2(a, c), EBADF);
}

/* Does the open mode limit reading and writing? */
TEST(open_modes)
{
    write_file("modes", "x");
    char byte;
    int reader = open_or_fail("modes", O_RDONLY), writer = open_or_fail("modes", O_WRONLY);
    CHECK_ERROR(write(reader, "y", 1), EBADF);
    CHECK_ERROR(read(writer, &byte, 1), EBADF);
    CHECK_EQ(fcntl(reader, F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQ(fcntl(writer, F_GETFL) & O_ACCMODE, O_WRONLY);
    CHECK_ERROR(ftruncate(reader, 0), EINVAL);
    CHECK_EQ(close(reader) | close(writer), 0);
    int folder = open_or_fail(".", O_RDONLY);
    CHECK_ERROR(read(folder, &byte, 1), EISDIR);
    CHECK_EQ(close(folder), 0);
}

/* Does lseek move from start, here and end, past the end too, and refuse what is negative? */
TEST(seeking)
{
    int fd = open_or_fail("seek", O_RDWR | O_CREAT | O_TRUNC);
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    CHECK_EQ(lseek(fd, 2, SEEK_CUR), 5);
    CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
    CHECK_ERROR(lseek(fd, -11, SEEK_END), EINVAL);
    CHECK_ERROR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERROR(lseek(fd, 0, 99), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 9);
    CHECK_EQ(lseek(fd, 10000, SEEK_SET), 10000);
    char byte = 7;
    CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_EQ(write(fd, "E", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 10001);
    CHECK_EQ(pread(fd, &byte, 1, 5000), 1);
    CHECK_EQ(byte, 0);
    CHECK_EQ(close(fd), 0);
    int pipes[2];
    CHECK_EQ(pipe(pipes), 0);
    CHECK_ERROR(lseek(pipes[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERROR(pread(pipes[0], &byte, 1, 0), ESPIPE);
    CHECK_EQ(close(pipes[0]) | close(pipes[1]), 0);
}

/* Do pread and pwrite leave the offset alone? */
TEST(positioned_io)
{
    int fd = open_or_fail("positioned", O_RDWR | O_CREAT | O_TRUNC);
    CHECK_EQ(pwrite(fd, "abcdef", 6, 0), 6);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    char text[8] = {0};
    CHECK_EQ(pread(fd, text, 3, 2), 3);
    CHECK(strcmp(text, "cde") == 0);
    CHECK_EQ(pread(fd, text, 8, 6), 0);
    CHECK_EQ(pwrite(fd, "Z", 1, 9), 1);
    CHECK_EQ(pread(fd, text, 8, 5), 5);
    CHECK(memcmp(text, "f\0\0\0Z", 5) == 0);
    CHECK_ERROR(pread(fd, text, 1, -1), EINVAL);
    CHECK_ERROR(pwrite(fd, text, 1, -1), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(close(fd), 0);
}

/* Do readv and writev gather and scatter in order, and stop at the end of the file? */
TEST(vectored_io)
{
    int fd = open_or_fail("vectors", O_RDWR | O_CREAT | O_TRUNC);
    struct iovec out[] = {{"ab", 2}, {0, 0}, {"cde", 3}, {"f", 1}};
    CHECK_EQ(writev(fd, out, 4), 6);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    char one[4] = "....", two[8] = ".......";
    struct iovec in[] = {{one, 4}, {two, 7}};
    CHECK_EQ(readv(fd, in, 2), 6);
    CHECK(memcmp(one, "abcd", 4) == 0 && memcmp(two, "ef.....", 7) == 0);
    CHECK_EQ(preadv(fd, in, 2, 2), 4);
    CHECK(memcmp(one, "cdef", 4) == 0);
    CHECK_EQ(pwritev(fd, out, 4, 1), 6);
    CHECK(strcmp(contents("vectors"), "aabcdef") == 0);
    CHECK_EQ(readv(fd, in, 0), 0);
    CHECK_ERROR(readv(fd, in, -1), EINVAL);
    CHECK_ERROR(readv(fd, in, 1025), EINVAL);
    struct iovec huge[] = {{one, 4}, {two, SIZE_MAX}};
    CHECK_ERROR(readv(fd, huge, 2), EINVAL);
    CHECK_EQ(close(fd), 0);
}

/* Do truncate and ftruncate cut, extend with zeroes and leave the offset? */
TEST(truncation)
{
    int fd = open_or_fail("cut", O_RDWR | O_CREAT | O_TRUNC);
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(ftruncate(fd, 4), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_EQ(ftruncate(fd, 8), 0);
    char text[9];
    CHECK_EQ(pread(fd, text, 9, 0), 8);
    CHECK(memcmp(text, "0123\0\0\0\0", 8) == 0);
    CHECK_EQ(write(fd, "X", 1), 1);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_size, 11);
    CHECK_EQ(truncate("cut", 0), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_size, 0);
    CHECK_ERROR(ftruncate(fd, -1), EINVAL);
    CHECK_ERROR(truncate("absent", 0), ENOENT);
    CHECK_ERROR(truncate(".", 0), EISDIR);
    CHECK_EQ(close(fd), 0);
}

/* Does a file that was removed live on while it is open? */
TEST(unlink_while_open)
{
    int fd = open_or_fail("gone", O_RDWR | O_CREAT | O_TRUNC);
    CHECK_EQ(write(fd, "alive", 5), 5);
    CHECK_EQ(unlink("gone"), 0);
    CHECK_ERROR(open("gone", O_RDONLY), ENOENT);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(status.st_size, 5);
    char text[5];
    CHECK_EQ(pread(fd, text, 5, 0), 5);
    CHECK(memcmp(text, "alive", 5) == 0);
    CHECK_EQ(write(fd, "!", 1), 1);
    CHECK_EQ(close(fd), 0);
}

/* Do duplicates share offset and flags, while two opens do not? */
TEST(duplicates)
{
    write_file("twice", "0123456789");
    int a = open_or_fail("twice", O_RDONLY), b = dup(a), c = open_or_fail("twice", O_RDONLY);
    CHECK_EQ(lseek(a, 4, SEEK_SET), 4);
    CHECK_EQ(lseek(b, 0, SEEK_CUR), 4);
    CHECK_EQ(lseek(c, 0, SEEK_CUR), 0);
    CHECK_EQ(fcntl(a, F_SETFL, O_NONBLOCK), 0);
    CHECK(fcntl(b, F_GETFL) & O_NONBLOCK);
    CHECK(!(fcntl(c, F_GETFL) & O_NONBLOCK));
    CHECK_EQ(dup2(a, c), c);
    CHECK_EQ(lseek(c, 0, SEEK_CUR), 4);
    CHECK_EQ(dup2(a, a), a);
    CHECK_ERROR(dup3(a, a, 0), EINVAL);
    CHECK_EQ(dup3(a, c, O_CLOEXEC), c);
    CHECK_EQ(fcntl(c, F_GETFD), FD_CLOEXEC);
    CHECK_ERROR(dup2(a, -1), EBADF);
    CHECK_EQ(close(a), 0);
    CHECK_EQ(lseek(b, 0, SEEK_CUR), 4);
    CHECK_EQ(close(b) | close(c), 0);
}

/* Do the descriptor and file flags of fcntl hold, and F_DUPFD start where it is told? */
TEST(fcntl_commands)
{
    int fd = open_or_fail("flags", O_RDWR | O_CREAT | O_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_SETFD, 0), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE), O_APPEND | O_RDWR);
    int high = fcntl(fd, F_DUPFD, 100);
    CHECK_EQ(high, 100);
    CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 100), 101);
    CHECK_EQ(fcntl(101, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(100, F_GETFD), 0);
    CHECK_ERROR(fcntl(fd, F_DUPFD, -1), EINVAL);
    CHECK_ERROR(fcntl(fd, F_DUPFD, INT_MAX), EINVAL);
    CHECK_ERROR(fcntl(fd, 9999, 0), EINVAL);
    CHECK_ERROR(fcntl(-1, F_GETFD), EBADF);
    CHECK_EQ(close(fd) | close(100) | close(101), 0);
}

/* Does an open beyond the limit of descriptors give EMFILE? */
TEST(descriptor_limit)
{
    int fds[64], count = 0, first = dup(1);
    CHECK(first > 0);
    struct { unsigned long current, maximum; } before, few;
    CHECK_EQ(syscall(SYS_prlimit64, 0, 7 /* RLIMIT_NOFILE */, 0, &before), 0);
    few = before;
    few.current = (unsigned long)first + 20;
    CHECK_EQ(syscall(SYS_prlimit64, 0, 7, &few, 0), 0);
    while (count < 64 && (fds[count] = dup(1)) >= 0)
        count++;
    int error = errno;
    CHECK_EQ(syscall(SYS_prlimit64, 0, 7, &before, 0), 0);
    CHECK_EQ(error, EMFILE);
    CHECK(count > 0 && count <= 19);
    for (int i = 0; i < count; i++) {
        CHECK(fds[i] < first + 20);
        CHECK_EQ(close(fds[i]), 0);
    }
    CHECK_EQ(close(first), 0);
}

/* Does a file of a megabyte come back as it was written, in odd pieces? */
TEST(large_file)
{
    enum { LENGTH = 1 << 20, PIECE = 4093 };
    static unsigned char data[LENGTH], back[LENGTH];
    for (size_t i = 0; i < LENGTH; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    int fd = open_or_fail("large", O_RDWR | O_CREAT | O_TRUNC);
    for (size_t done = 0; done < LENGTH;) {
        size_t part = LENGTH - done < PIECE ? LENGTH - done : PIECE;
        CHECK_EQ(write(fd, data + done, part), part);
        done += part;
    }
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, back, LENGTH), LENGTH);
    CHECK(memcmp(data, back, LENGTH) == 0);
    CHECK_EQ(read(fd, back, LENGTH), 0);
    CHECK_EQ(fsync(fd) | fdatasync(fd), 0);
    CHECK_EQ(close(fd), 0);
}

/* Does sendfile copy between files with and without an offset? */
TEST(sendfile_copies)
{
    write_file("source", "0123456789");
    int in = open_or_fail("source", O_RDONLY), out = open_or_fail("target", O_RDWR | O_CREAT | O_TRUNC);
    off_t offset = 4;
    CHECK_EQ(sendfile(out, in, &offset, 100), 6);
    CHECK_EQ(offset, 10);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
    CHECK_EQ(sendfile(out, in, 0, 3), 3);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 3);
    CHECK(strcmp(contents("target"), "456789012") == 0);
    CHECK_EQ(close(in) | close(out), 0);
}

/* Are advisory locks, allocation and other hints answered as on Linux? */
TEST(locks_and_hints)
{
    int fd = open_or_fail("locks", O_RDWR | O_CREAT | O_TRUNC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    lock.l_type = F_UNLCK;
    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    CHECK_EQ(syscall(SYS_flock, fd, 2 /* LOCK_EX */), 0);
    int other = open_or_fail("locks", O_RDWR);
    CHECK_ERROR(syscall(SYS_flock, other, 2 | 4 /* LOCK_EX | LOCK_NB */), EWOULDBLOCK);
    CHECK_EQ(syscall(SYS_flock, fd, 8 /* LOCK_UN */), 0);
    CHECK_EQ(syscall(SYS_flock, other, 2 | 4), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
    CHECK_EQ(posix_fallocate(fd, 0, 5000), 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_size, 5000);
    CHECK_EQ(close(fd) | close(other), 0);
}

/* How many bytes wait to be read, and which requests does a plain file not know? */
TEST(ioctl_on_file)
{
    write_file("ioctl", "12345");
    int fd = open_or_fail("ioctl", O_RDONLY), waiting = -1;
    char window[8];
    CHECK_EQ(ioctl(fd, FIONREAD, &waiting), 0);
    CHECK_EQ(waiting, 5);
    CHECK_ERROR(ioctl(fd, TIOCGWINSZ, window), ENOTTY);
    CHECK_ERROR(ioctl(-1, FIONREAD, &waiting), EBADF);
    CHECK_EQ(isatty(fd), 0);
    CHECK_EQ(close(fd), 0);
}
