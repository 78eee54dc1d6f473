/*
 * Names in the file system: folders, hard and symbolic links, rename, listing, stat and statx, permissions, the *at calls.
 * Source of truth: path_resolution(7), and the man pages of the calls named.
 */
#include "check.h"
#include <dirent.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <utime.h>

struct linux_dirent64 {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static ino_t inode_of(const char *path)
{
    struct stat status;
    CHECK_EQ(lstat(path, &status), 0);
    return status.st_ino;
}

/* Are folders made, entered and removed as long as they are empty? */
TEST(folders)
{
    CHECK_EQ(mkdir("folder", 0755), 0);
    CHECK_ERROR(mkdir("folder", 0755), EEXIST);
    CHECK_ERROR(mkdir("absent/folder", 0755), ENOENT);
    CHECK_EQ(mkdir("folder/inner/", 0755), 0);
    CHECK_ERROR(rmdir("folder"), ENOTEMPTY);
    CHECK_ERROR(unlink("folder"), EISDIR);
    CHECK_EQ(rmdir("folder/inner"), 0);
    CHECK_ERROR(rmdir("folder/."), EINVAL);
    CHECK_EQ(rmdir("folder"), 0);
    CHECK_ERROR(rmdir("folder"), ENOENT);
    write_file("plain", "");
    CHECK_ERROR(rmdir("plain"), ENOTDIR);
    CHECK_ERROR(mkdir("plain/x", 0755), ENOTDIR);
    CHECK_ERROR(mkdir("/", 0755), EEXIST);
    CHECK_EQ(unlink("plain"), 0);
    CHECK_ERROR(unlink("plain"), ENOENT);
}

/* Does the current folder follow chdir and fchdir, and do dots and slashes resolve? */
TEST(current_folder)
{
    char before[PATH_MAX], after[PATH_MAX];
    CHECK(getcwd(before, sizeof before) != 0);
    CHECK_EQ(mkdir("here", 0755), 0);
    int back = open(".", O_RDONLY | O_DIRECTORY);
    CHECK_EQ(chdir("here//.//../here/"), 0);
    CHECK(getcwd(after, sizeof after) != 0);
    CHECK(strncmp(after, before, strlen(before)) == 0 && strcmp(after + strlen(before), "/here") == 0);
    write_file("file", "");
    CHECK(exists("../here/file") && exists("./././file"));
    CHECK_ERROR(chdir("file"), ENOTDIR);
    CHECK_ERROR(open("file/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(chdir("absent"), ENOENT);
    CHECK_EQ(fchdir(back), 0);
    CHECK(getcwd(after, sizeof after) != 0 && strcmp(before, after) == 0);
    CHECK_ERROR(syscall(SYS_getcwd, after, 1), ERANGE);
    CHECK(exists("/.."));
    CHECK_EQ(close(back), 0);
}

/* Are names limited to 255 bytes and paths to 4095? */
TEST(name_lengths)
{
    char path[PATH_MAX + 2];
    memset(path, 'n', 255);
    path[255] = 0;
    write_file(path, "");
    CHECK_EQ(unlink(path), 0);
    memset(path, 'n', 256);
    path[256] = 0;
    CHECK_ERROR(open(path, O_RDONLY), ENAMETOOLONG);
    CHECK_ERROR(open(path, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
    for (int i = 0; i < PATH_MAX; i += 2)
        memcpy(path + i, "./", 2);
    path[PATH_MAX - 1] = 0;
    CHECK_EQ(access(path, F_OK), 0);
    path[PATH_MAX - 1] = '/';
    path[PATH_MAX] = 0;
    CHECK_ERROR(access(path, F_OK), ENAMETOOLONG);
}

/* Do hard links share one file and count? */
TEST(hard_links)
{
    write_file("one", "same");
    CHECK_EQ(link("one", "two"), 0);
    struct stat a, b;
    CHECK_EQ(stat("one", &a) | stat("two", &b), 0);
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(a.st_nlink, 2);
    CHECK_ERROR(link("one", "two"), EEXIST);
    CHECK_ERROR(link("absent", "three"), ENOENT);
    CHECK_ERROR(link(".", "folder-link"), EPERM);
    CHECK_EQ(unlink("one"), 0);
    CHECK_EQ(stat("two", &b), 0);
    CHECK_EQ(b.st_nlink, 1);
    CHECK_EQ(b.st_size, 4);
    CHECK_EQ(unlink("two"), 0);
}

/* Do symbolic links resolve, dangle, loop and read back as written? */
TEST(symbolic_links)
{
    char text[16] = {0};
    write_file("target", "x");
    CHECK_EQ(mkdir("real", 0755), 0);
    write_file("real/inside", "y");
    CHECK_EQ(symlink("target", "link") | symlink("real", "to-folder") | symlink("nowhere", "dangling"), 0);
    CHECK_ERROR(symlink("target", "link"), EEXIST);
    CHECK_EQ(readlink("link", text, sizeof text), 6);
    CHECK(strcmp(text, "target") == 0);
    CHECK_EQ(readlink("link", text, 3), 3);
    CHECK_ERROR(readlink("target", text, sizeof text), EINVAL);
    CHECK_ERROR(syscall(SYS_readlink, "link", text, 0), EINVAL);
    CHECK_EQ(inode_of("real/inside"), inode_of("to-folder/inside"));
    struct stat status;
    CHECK_EQ(lstat("link", &status), 0);
    CHECK(S_ISLNK(status.st_mode));
    CHECK_EQ(status.st_size, 6);
    CHECK_EQ(stat("link", &status), 0);
    CHECK(S_ISREG(status.st_mode));
    CHECK_ERROR(stat("dangling", &status), ENOENT);
    CHECK_ERROR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERROR(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_EQ(close(open("dangling", O_WRONLY | O_CREAT, 0644)), 0);
    CHECK(exists("nowhere"));
    CHECK_EQ(symlink("loop-b", "loop-a") | symlink("loop-a", "loop-b"), 0);
    CHECK_ERROR(open("loop-a", O_RDONLY), ELOOP);
    CHECK_ERROR(chdir("loop-a/deeper"), ELOOP);
    CHECK_ERROR(open("link/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(symlink("", "empty"), ENOENT);
    CHECK_EQ(unlink("link"), 0);
    CHECK(exists("target"));
}

/* Are forty links in a row followed, and no more? */
TEST(symbolic_link_depth)
{
    char name[16], before[16] = "depth-file";
    write_file(before, "");
    for (int i = 0; i < 41; i++) {
        snprintf(name, sizeof name, "depth-%d", i);
        CHECK_EQ(symlink(before, name), 0);
        strcpy(before, name);
    }
    CHECK_EQ(access("depth-39", F_OK), 0);
    CHECK_ERROR(access("depth-40", F_OK), ELOOP);
}

/* Does rename replace, refuse and keep as the two sides demand? */
TEST(renaming)
{
    write_file("a", "A");
    write_file("b", "BB");
    ino_t inode = inode_of("a");
    CHECK_EQ(rename("a", "b"), 0);
    CHECK(!exists("a"));
    CHECK_EQ(inode_of("b"), inode);
    CHECK_EQ(rename("b", "b"), 0);
    CHECK_ERROR(rename("absent", "c"), ENOENT);
    CHECK_EQ(mkdir("from", 0755) | mkdir("full", 0755) | mkdir("full/x", 0755) | mkdir("empty", 0755), 0);
    CHECK_ERROR(rename("b", "empty"), EISDIR);
    CHECK_ERROR(rename("from", "b"), ENOTDIR);
    CHECK_ERROR(rename("from", "full"), ENOTEMPTY);
    CHECK_ERROR(rename("full", "full/x/deeper"), EINVAL);
    CHECK_EQ(rename("from", "empty"), 0);
    CHECK(!exists("from"));
    CHECK_EQ(rename("full/x", "moved"), 0);
    CHECK(exists("moved/.."));
    CHECK_EQ(inode_of("moved/.."), inode_of("."));
    CHECK_EQ(link("b", "b2"), 0);
    CHECK_EQ(rename("b", "b2"), 0);
    CHECK(exists("b") && exists("b2"));
    CHECK_EQ(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "b3", 1 /* RENAME_NOREPLACE */), 0);
    CHECK_ERROR(syscall(SYS_renameat2, AT_FDCWD, "b3", AT_FDCWD, "b2", 1), EEXIST);
    CHECK_EQ(unlink("b2") | unlink("b3") | rmdir("moved") | rmdir("empty") | rmdir("full"), 0);
}

/* Does getdents64 list each name once, with its kind, over small buffers, and start over after a seek? */
TEST(listing)
{
    CHECK_EQ(mkdir("list", 0755) | mkdir("list/folder", 0755) | symlink("x", "list/link"), 0);
    char name[32];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "list/file-%d", i);
        write_file(name, "");
    }
    int fd = open("list", O_RDONLY | O_DIRECTORY);
    for (int round = 0; round < 2; round++) {
        _Alignas(8) char buffer[512];
        int files = 0, others = 0;
        for (;;) {
            long length = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
            CHECK(length >= 0);
            if (length == 0)
                break;
            for (long at = 0; at < length;) {
                struct linux_dirent64 *entry = (void *)(buffer + at);
                CHECK(entry->length % 8 == 0 && entry->length > 0);
                if (strncmp(entry->name, "file-", 5) == 0) {
                    CHECK(entry->type == DT_REG || entry->type == DT_UNKNOWN);
                    snprintf(name, sizeof name, "list/%.20s", entry->name);
                    CHECK_EQ(entry->inode, inode_of(name));
                    files++;
                } else if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0 || strcmp(entry->name, "folder") == 0) {
                    CHECK(entry->type == DT_DIR);
                    others++;
                } else {
                    CHECK(strcmp(entry->name, "link") == 0 && entry->type == DT_LNK);
                    others++;
                }
                at += entry->length;
            }
        }
        CHECK_EQ(files, 100);
        CHECK_EQ(others, 4);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    }
    char tiny[8];
    CHECK_ERROR(syscall(SYS_getdents64, fd, tiny, sizeof tiny), EINVAL);
    CHECK_EQ(close(fd), 0);
    CHECK_ERROR(syscall(SYS_getdents64, fd, tiny, sizeof tiny), EBADF);
    write_file("plain", "");
    fd = open("plain", O_RDONLY);
    CHECK_ERROR(syscall(SYS_getdents64, fd, tiny, sizeof tiny), ENOTDIR);
    CHECK_EQ(close(fd), 0);
}

/* Can every file be removed while the folder is being read, as rm -r does? */
TEST(removing_while_listing)
{
    CHECK_EQ(mkdir("sweep", 0755), 0);
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "sweep/%d", i);
        write_file(name, "");
    }
    DIR *folder = opendir("sweep");
    CHECK(folder != 0);
    for (struct dirent *entry; (entry = readdir(folder)) != 0;)
        if (entry->d_name[0] != '.')
            CHECK_EQ(unlinkat(dirfd(folder), entry->d_name, 0), 0);
    CHECK_EQ(closedir(folder), 0);
    CHECK_EQ(rmdir("sweep"), 0);
}

/* Does stat tell kind, mode, size, links, owner and device numbers? */
TEST(stat_fields)
{
    write_file("status", "12345");
    struct stat file, folder, device;
    CHECK_EQ(chmod("status", 0640), 0);
    CHECK_EQ(stat("status", &file) | stat(".", &folder) | stat("/dev/null", &device), 0);
    CHECK_EQ(file.st_mode, S_IFREG | 0640);
    CHECK_EQ(file.st_size, 5);
    CHECK_EQ(file.st_nlink, 1);
    CHECK_EQ(file.st_uid, geteuid());
    CHECK_EQ(file.st_gid, getegid());
    CHECK_EQ(file.st_dev, folder.st_dev);
    CHECK(file.st_ino != folder.st_ino && file.st_ino != 0 && file.st_blksize > 0);
    CHECK_EQ(folder.st_mode, S_IFDIR | 0755);
    CHECK(S_ISCHR(device.st_mode));
    CHECK_EQ(major(device.st_rdev), 1);
    CHECK_EQ(minor(device.st_rdev), 3);
    CHECK_ERROR(stat("", &file), ENOENT);
    CHECK_ERROR(fstat(-1, &file), EBADF);
    umask(077);
    CHECK_EQ(close(open("masked", O_WRONLY | O_CREAT, 0666)), 0);
    CHECK_EQ(stat("masked", &file), 0);
    CHECK_EQ(file.st_mode & 07777, 0600);
    CHECK_EQ(umask(022), 077);
}

/* Do newfstatat and statx agree with stat, also on a descriptor? */
TEST(stat_variants)
{
    struct stat plain, at;
    struct { uint32_t mask, block; uint64_t attributes; uint32_t links, uid, gid; uint16_t mode, pad; uint64_t inode, size, rest[26]; } extended;
    write_file("variants", "123");
    int fd = open("variants", O_RDONLY);
    CHECK_EQ(stat("variants", &plain), 0);
    CHECK_EQ(fstatat(fd, "", &at, AT_EMPTY_PATH), 0);
    CHECK_EQ(at.st_ino, plain.st_ino);
    CHECK_ERROR(fstatat(fd, "", &at, 0), ENOENT);
    CHECK_ERROR(fstatat(fd, "x", &at, 0), ENOTDIR);
    CHECK_EQ(syscall(SYS_statx, AT_FDCWD, "variants", 0, 0x7ff, &extended), 0);
    CHECK_EQ(extended.mask & 0x7ff, 0x7ff);
    CHECK_EQ(extended.inode, plain.st_ino);
    CHECK_EQ(extended.size, 3);
    CHECK_EQ(extended.mode, plain.st_mode);
    CHECK_EQ(extended.links, 1);
    CHECK_EQ(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, &extended), 0);
    CHECK_EQ(extended.inode, plain.st_ino);
    CHECK_EQ(close(fd), 0);
}

/* Do times move with writes, and can they be set? */
TEST(file_times)
{
    write_file("times", "1");
    struct timespec times[2] = {{1000, 5000}, {2000, 6000}};
    struct stat status;
    CHECK_EQ(utimensat(AT_FDCWD, "times", times, 0), 0);
    CHECK_EQ(stat("times", &status), 0);
    CHECK_EQ(status.st_atim.tv_sec, 1000);
    CHECK_EQ(status.st_mtim.tv_sec, 2000);
    CHECK_EQ(status.st_mtim.tv_nsec, 6000);
    CHECK(status.st_ctim.tv_sec > 2000);
    write_file("times", "2");
    CHECK_EQ(stat("times", &status), 0);
    CHECK(status.st_mtim.tv_sec > 2000);
    times[0].tv_nsec = UTIME_OMIT, times[1].tv_nsec = UTIME_NOW;
    CHECK_EQ(utimensat(AT_FDCWD, "times", times, 0), 0);
    CHECK_ERROR(utimensat(AT_FDCWD, "absent", times, 0), ENOENT);
}

/* Do the calls that take a folder descriptor start there? */
TEST(at_calls)
{
    CHECK_EQ(mkdir("at", 0755), 0);
    int folder = open("at", O_RDONLY | O_DIRECTORY), path = open("at", O_PATH);
    CHECK(folder >= 0 && path >= 0);
    int fd = openat(folder, "file", O_RDWR | O_CREAT, 0644);
    CHECK(fd >= 0 && exists("at/file"));
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mkdirat(path, "sub", 0755), 0);
    CHECK_EQ(symlinkat("file", folder, "link"), 0);
    CHECK_EQ(linkat(folder, "file", AT_FDCWD, "hard", 0), 0);
    CHECK_EQ(inode_of("hard"), inode_of("at/file"));
    CHECK_EQ(renameat(folder, "file", folder, "sub/file"), 0);
    CHECK(exists("at/sub/file"));
    CHECK_EQ(faccessat(folder, "sub/file", R_OK, 0), 0);
    CHECK_EQ(fchmodat(folder, "sub/file", 0600, 0), 0);
    char text[8];
    CHECK_EQ(readlinkat(folder, "link", text, sizeof text), 4);
    CHECK_ERROR(unlinkat(folder, "sub", 0), EISDIR);
    CHECK_ERROR(unlinkat(folder, "link", AT_REMOVEDIR), ENOTDIR);
    CHECK_EQ(unlinkat(folder, "sub/file", 0), 0);
    CHECK_EQ(unlinkat(folder, "sub", AT_REMOVEDIR), 0);
    CHECK_ERROR(openat(-1, "file", O_RDONLY), EBADF);
    CHECK(faccessat(-1, "/", F_OK, 0) == 0);
    int null = open("/dev/null", O_RDONLY);
    CHECK_ERROR(openat(null, "file", O_RDONLY), ENOTDIR);
    CHECK_ERROR(read(path, text, 1), EBADF);
    CHECK_EQ(close(folder) | close(path) | close(null), 0);
}

/* Does access tell what is there? */
TEST(access_checks)
{
    write_file("plain", "");
    CHECK_EQ(chmod("plain", 0644), 0);
    CHECK_EQ(access("plain", F_OK) | access("plain", R_OK | W_OK), 0);
    CHECK_ERROR(access("plain", X_OK), EACCES);
    CHECK_ERROR(access("absent", F_OK), ENOENT);
    CHECK_ERROR(access("plain", 0x80), EINVAL);
    CHECK_EQ(chmod("plain", 0755), 0);
    CHECK_EQ(access("plain", X_OK), 0);
    CHECK_EQ(chown("plain", 0, 0), 0);
}

/* Does statfs describe a file system with room? */
TEST(file_system_facts)
{
    struct statfs facts;
    CHECK_EQ(statfs(".", &facts), 0);
    CHECK(facts.f_bsize > 0 && facts.f_blocks > 0 && facts.f_bfree <= facts.f_blocks && facts.f_namelen == 255);
    int fd = open(".", O_RDONLY);
    CHECK_EQ(fstatfs(fd, &facts), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERROR(statfs("absent", &facts), ENOENT);
}

/* Can a FIFO and a device file be made? */
TEST(special_files)
{
    struct stat status;
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    CHECK_EQ(stat("fifo", &status), 0);
    CHECK(S_ISFIFO(status.st_mode));
    CHECK_ERROR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK), writer = open("fifo", O_WRONLY | O_NONBLOCK);
    CHECK(reader >= 0 && writer >= 0);
    CHECK_EQ(write(writer, "through", 7), 7);
    char text[8];
    CHECK_EQ(read(reader, text, sizeof text), 7);
    CHECK_EQ(close(reader) | close(writer), 0);
}
