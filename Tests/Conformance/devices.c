/*
 * The memory devices and the sources of random bytes.
 * Source of truth: null(4), full(4), random(4), getrandom(2).
 */
#include "check.h"
#include <sys/random.h>

static int open_device(const char *path, int flags)
{
    int fd = open(path, flags);
    CHECK(fd >= 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(S_ISCHR(status.st_mode));
    return fd;
}

/* Does /dev/null swallow everything and give nothing? */
TEST(null_device)
{
    char byte = 7;
    int fd = open_device("/dev/null", O_RDWR);
    CHECK_EQ(write(fd, &byte, 1), 1);
    CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_EQ(byte, 7);
    CHECK_EQ(lseek(fd, 100, SEEK_SET), 0);
    CHECK_EQ(write(fd, bad_null, 0), 0);
    CHECK_ERROR(ftruncate(fd, 0), EINVAL);
    CHECK_EQ(isatty(fd), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(close(open_device("/dev/null", O_WRONLY | O_CREAT | O_TRUNC)), 0);
}

/* Does /dev/zero give as many zeroes as asked for? */
TEST(zero_device)
{
    static char block[100000];
    int fd = open_device("/dev/zero", O_RDWR);
    memset(block, 1, sizeof block);
    CHECK_EQ(read(fd, block, sizeof block), sizeof block);
    for (size_t i = 0; i < sizeof block; i++)
        CHECK_EQ(block[i], 0);
    CHECK_EQ(write(fd, block, 10), 10);
    CHECK_EQ(pread(fd, block, 10, 5), 10);
    CHECK_ERROR(read(fd, bad_null, 10), EFAULT);
    CHECK_EQ(close(fd), 0);
}

/* Is /dev/full always full? */
TEST(full_device)
{
    char byte = 1;
    int fd = open_device("/dev/full", O_RDWR);
    CHECK_ERROR(write(fd, &byte, 1), ENOSPC);
    CHECK_EQ(read(fd, &byte, 1), 1);
    CHECK_EQ(byte, 0);
    CHECK_EQ(close(fd), 0);
}

/* Bytes look random: about half the bits set, every value there, no two blocks alike. */
static void check_random(const unsigned char *bytes, size_t length)
{
    size_t bits = 0, counts[256] = {0};
    for (size_t i = 0; i < length; i++) {
        bits += (size_t)__builtin_popcount(bytes[i]);
        counts[bytes[i]]++;
    }
    CHECK(bits > length * 4 - length / 8 && bits < length * 4 + length / 8);
    for (int i = 0; i < 256; i++)
        CHECK(counts[i] > 0);
    CHECK(memcmp(bytes, bytes + length / 2, 32) != 0);
}

/* Do the random devices give random bytes, without end? */
TEST(random_devices)
{
    static unsigned char bytes[16384];
    static const char *const paths[] = {"/dev/urandom", "/dev/random"};
    for (int i = 0; i < 2; i++) {
        int fd = open_device(paths[i], O_RDONLY);
        memset(bytes, 0, sizeof bytes);
        CHECK_EQ(read(fd, bytes, sizeof bytes), sizeof bytes);
        check_random(bytes, sizeof bytes);
        CHECK_ERROR(read(fd, bad_kernel, 16), EFAULT);
        CHECK_EQ(close(fd), 0);
    }
}

/* Does getrandom fill what it is given, differently each time, and refuse unknown flags? */
TEST(getrandom_fills)
{
    static unsigned char bytes[16384], again[256];
    CHECK_EQ(getrandom(bytes, sizeof bytes, 0), sizeof bytes);
    check_random(bytes, sizeof bytes);
    CHECK_EQ(getrandom(bytes, 256, GRND_NONBLOCK), 256);
    CHECK_EQ(getrandom(again, 256, GRND_RANDOM), 256);
    CHECK(memcmp(bytes, again, 256) != 0);
    CHECK_EQ(getrandom(bytes, 0, 0), 0);
    CHECK_ERROR(getrandom(bytes, 1, 0x100), EINVAL);
    CHECK_ERROR(getrandom(bad_null, 100, 0), EFAULT);
    uint64_t seen[1000];
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(getrandom(&seen[i], 8, 0), 8);
        for (int j = 0; j < i; j++)
            CHECK(seen[i] != seen[j]);
    }
}
