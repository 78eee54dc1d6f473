/*
 * Anonymous memory: mmap, munmap, mprotect, madvise, mremap, brk.
 * Source of truth: the man pages of the same names, and Linux.
 */
#include "check.h"
#include "faults.h"
#include <sys/time.h>

static bool is_filled(const char *memory, size_t length, char value)
{
    for (size_t i = 0; i < length; i++)
        if (memory[i] != value)
            return false;
    return true;
}

static long raw_mmap(void *address, size_t length, int protection, int flags, int fd, long offset)
{
    return syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

/* Do fresh pages read as zero and keep what is written? */
TEST(fresh_pages_are_zero)
{
    char *memory = map_pages(64, PROT_READ | PROT_WRITE);
    CHECK_EQ((uintptr_t)memory % PAGE, 0);
    CHECK(is_filled(memory, 64 * PAGE, 0));
    for (int i = 0; i < 64; i++)
        memset(memory + i * PAGE, i + 1, PAGE);
    for (int i = 0; i < 64; i++)
        CHECK(is_filled(memory + i * PAGE, PAGE, (char)(i + 1)));
    CHECK_EQ(munmap(memory, 64 * PAGE), 0);
}

/* Do pages that were dirtied and given back come out zeroed again? */
TEST(recycled_pages_are_zero)
{
    for (int round = 0; round < 8; round++) {
        char *memory = map_pages(256, PROT_READ | PROT_WRITE);
        CHECK(is_filled(memory, 256 * PAGE, 0));
        memset(memory, 0xa5, 256 * PAGE);
        CHECK_EQ(munmap(memory, 256 * PAGE), 0);
    }
}

/* Is a length rounded up to whole pages? */
TEST(length_rounds_up)
{
    char *memory = mmap(0, PAGE + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK(can_write(memory + 2 * PAGE - 1));
    CHECK_EQ(munmap(memory, PAGE + 1), 0);
    CHECK(!can_read(memory));
    CHECK(!can_read(memory + PAGE));
}

/* Which arguments does mmap refuse, and how? */
TEST(mmap_errors)
{
    const int rw = PROT_READ | PROT_WRITE, anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    CHECK_ERROR(raw_mmap(0, 0, rw, anonymous, -1, 0), EINVAL);
    CHECK_ERROR(raw_mmap(0, PAGE, rw, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERROR(raw_mmap(0, PAGE, rw, anonymous, -1, 1), EINVAL);
    CHECK_ERROR(raw_mmap((void *)0x100001, PAGE, rw, anonymous | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERROR(raw_mmap(0, PAGE, rw, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_ERROR(raw_mmap(0, PAGE, rw, MAP_PRIVATE, 9999, 0), EBADF);
}

/* Is a length no address space can hold refused with ENOMEM? */
TEST(huge_lengths)
{
    const int rw = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    CHECK_ERROR(raw_mmap(0, 1ul << 47, rw, flags, -1, 0), ENOMEM);
    CHECK_ERROR(raw_mmap(0, 1ul << 62, rw, flags, -1, 0), ENOMEM);
    CHECK_ERROR(raw_mmap(0, SIZE_MAX - PAGE + 1, rw, flags, -1, 0), ENOMEM);
    CHECK_ERROR(raw_mmap(0, SIZE_MAX, rw, flags, -1, 0), ENOMEM);
    CHECK_ERROR(raw_mmap((void *)0xfffffffffff000, 2 * PAGE, rw, flags | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERROR(raw_mmap((void *)0xffff800000000000, PAGE, rw, flags | MAP_FIXED, -1, 0), ENOMEM);
}

/* Can far more be reserved than there is memory, and a page of it used? */
TEST(reserve_and_commit)
{
    const size_t length = 256ul << 30;
    char *memory = mmap(0, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    char *page = memory + length / 2;
    CHECK(!can_read(page));
    CHECK_EQ(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK(can_write(page));
    CHECK(!can_read(page - 1));
    CHECK(!can_read(page + PAGE));
    CHECK_EQ(munmap(memory, length), 0);
    CHECK(!can_read(page));
}

/* Does MAP_FIXED take the place of what was there, and only there? */
TEST(map_fixed_replaces)
{
    char *memory = map_pages(3, PROT_READ | PROT_WRITE);
    memset(memory, 7, 3 * PAGE);
    char *middle = mmap(memory + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(middle == memory + PAGE);
    CHECK(is_filled(memory, PAGE, 7));
    CHECK(is_filled(middle, PAGE, 0));
    CHECK(is_filled(memory + 2 * PAGE, PAGE, 7));
    CHECK_EQ(munmap(memory, 3 * PAGE), 0);
}

/* Does MAP_FIXED_NOREPLACE refuse an occupied place and take a free one? */
TEST(map_fixed_noreplace)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    char *memory = map_pages(3, PROT_READ | PROT_WRITE);
    CHECK_ERROR(raw_mmap(memory + PAGE, PAGE, PROT_READ, flags, -1, 0), EEXIST);
    CHECK_EQ(munmap(memory + PAGE, PAGE), 0);
    CHECK(mmap(memory + PAGE, PAGE, PROT_READ, flags, -1, 0) == memory + PAGE);
    CHECK_ERROR(raw_mmap(memory, 3 * PAGE, PROT_READ, flags, -1, 0), EEXIST);
    CHECK_EQ(munmap(memory, 3 * PAGE), 0);
}

/* Is a free hint address used, and an occupied one left alone? */
TEST(hint_address)
{
    char *memory = map_pages(16, PROT_READ | PROT_WRITE);
    CHECK_EQ(munmap(memory + 8 * PAGE, 2 * PAGE), 0);
    char *hinted = mmap(memory + 8 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(hinted == memory + 8 * PAGE);
    memory[0] = 9;
    char *other = mmap(memory, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(other != MAP_FAILED && (other < memory || other >= memory + 16 * PAGE));
    CHECK_EQ(memory[0], 9);
    CHECK_EQ(munmap(memory, 16 * PAGE), 0);
    CHECK_EQ(munmap(other, PAGE), 0);
}

/* Does munmap cut holes, cross mappings, accept nothing mapped, and refuse nonsense? */
TEST(munmap_ranges)
{
    char *memory = map_pages(5, PROT_READ | PROT_WRITE);
    memset(memory, 3, 5 * PAGE);
    CHECK_EQ(munmap(memory + 2 * PAGE, PAGE), 0);
    CHECK_FAULT(memory + 2 * PAGE, FAULT_READ, SIGSEGV, SEGV_MAPERR);
    CHECK(is_filled(memory, 2 * PAGE, 3) && is_filled(memory + 3 * PAGE, 2 * PAGE, 3));
    CHECK_EQ(munmap(memory + 2 * PAGE, PAGE), 0);
    CHECK_ERROR(munmap(memory + 1, PAGE), EINVAL);
    CHECK_ERROR(munmap(memory, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_munmap, memory, SIZE_MAX), EINVAL);
    CHECK_ERROR(syscall(SYS_munmap, 0xfffffffffff000, 4 * PAGE), EINVAL);
    CHECK_EQ(munmap(memory, 5 * PAGE), 0);
    CHECK(!can_read(memory) && !can_read(memory + 4 * PAGE));
}

/* Is PROT_NONE honoured, and is what the page holds kept under it? */
TEST(prot_none)
{
    char *memory = map_pages(1, PROT_READ | PROT_WRITE);
    strcpy(memory, "kept");
    CHECK_EQ(mprotect(memory, PAGE, PROT_NONE), 0);
    CHECK_FAULT(memory, FAULT_READ, SIGSEGV, SEGV_ACCERR);
    CHECK_FAULT(memory + 17, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(mprotect(memory, PAGE, PROT_READ), 0);
    CHECK(strcmp(memory, "kept") == 0);
    CHECK_FAULT(memory, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(mprotect(memory, PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK(can_write(memory));
    CHECK_EQ(munmap(memory, PAGE), 0);
    CHECK_FAULT(memory, FAULT_WRITE, SIGSEGV, SEGV_MAPERR);
}

/* Which arguments does mprotect refuse, and does it cross mappings? */
TEST(mprotect_ranges)
{
    char *memory = map_pages(6, PROT_READ | PROT_WRITE);
    CHECK_ERROR(syscall(SYS_mprotect, memory + 1, PAGE, PROT_READ), EINVAL);
    CHECK_EQ(mprotect(memory, 0, PROT_READ), 0);
    CHECK_ERROR(syscall(SYS_mprotect, memory, PAGE, 0x40), EINVAL);
    CHECK_EQ(mprotect(memory + PAGE, PAGE, PROT_READ), 0);
    CHECK_EQ(mprotect(memory, 3 * PAGE, PROT_NONE), 0);
    CHECK(!can_read(memory) && !can_read(memory + PAGE) && !can_read(memory + 2 * PAGE));
    CHECK(can_write(memory + 3 * PAGE));
    CHECK_EQ(mprotect(memory, 6 * PAGE, PROT_READ | PROT_WRITE), 0);
    for (int i = 0; i < 6; i++)
        CHECK(can_write(memory + i * PAGE));
    CHECK_EQ(munmap(memory + 5 * PAGE, PAGE), 0);
    CHECK_ERROR(mprotect(memory + 4 * PAGE, 2 * PAGE, PROT_READ), ENOMEM);
    CHECK_ERROR(mprotect(memory + 5 * PAGE, PAGE, PROT_READ), ENOMEM);
    CHECK_EQ(munmap(memory, 5 * PAGE), 0);
}

/* Do write and execute exclude each other as the protection says? */
TEST(write_xor_execute)
{
    static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
    char *memory = map_pages(1, PROT_READ | PROT_WRITE);
    memcpy(memory, code, sizeof code);
    CHECK_FAULT(memory, FAULT_CALL, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(mprotect(memory, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_EQ(((int (*)(void))memory)(), 42);
    CHECK_FAULT(memory, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(mprotect(memory, PAGE, PROT_READ), 0);
    CHECK_FAULT(memory, FAULT_CALL, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(munmap(memory, PAGE), 0);
    CHECK_FAULT((char *)(uintptr_t)memory, FAULT_CALL, SIGSEGV, SEGV_MAPERR);
}

static void ignore_signal(int signal)
{
    (void)signal;
}

/* Can code that the program has made call the kernel, and be interrupted in a call? */
TEST(system_calls_of_made_code)
{
    /* mov eax, edi; mov rdi, rsi; syscall; ret */
    static const unsigned char code[] = {0x89, 0xf8, 0x48, 0x89, 0xf7, 0x0f, 0x05, 0xc3};
    char *memory = map_pages(1, PROT_READ | PROT_WRITE);
    memcpy(memory, code, sizeof code);
    CHECK_EQ(mprotect(memory, PAGE, PROT_READ | PROT_EXEC), 0);
    long (*call)(long, long) = (long (*)(long, long))memory;
    CHECK_EQ(call(SYS_getpid, 0), getpid());
    CHECK_EQ(call(SYS_close, -1), -EBADF);
    CHECK_EQ(call(100000, 0), -ENOSYS);
    CHECK_EQ(call(SYS_sched_yield, 0), 0);

    struct sigaction action = {.sa_handler = ignore_signal}, before;
    CHECK_EQ(sigaction(SIGALRM, &action, &before), 0);
    struct itimerval soon = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000}, never = {0};
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, 0), 0);
    CHECK_EQ(call(SYS_pause, 0), -EINTR);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, 0), 0);
    CHECK_EQ(sigaction(SIGALRM, &before, 0), 0);
    CHECK_EQ(munmap(memory, PAGE), 0);
}

/* Are the program's own text and constants read-only, and its data not executable? */
TEST(image_protection)
{
    static const char constant[] = "constant";
    static unsigned char data[] = {0xc3};
    CHECK(!can_write((void *)(uintptr_t)constant));
    CHECK(!can_write((void *)(uintptr_t)map_pages));
    CHECK_EQ(fault_try(data, FAULT_CALL).signal, SIGSEGV);
    unsigned char on_stack[16] = {0xc3};
    CHECK_EQ(fault_try(on_stack, FAULT_CALL).signal, SIGSEGV);
}

/* Does a guard page stop an overrun at its first byte? */
TEST(guard_page)
{
    char *memory = map_pages(4, PROT_READ | PROT_WRITE);
    CHECK_EQ(mprotect(memory, PAGE, PROT_NONE), 0);
    CHECK_EQ(mprotect(memory + 3 * PAGE, PAGE, PROT_NONE), 0);
    CHECK(can_write(memory + PAGE));
    CHECK_FAULT(memory + PAGE - 1, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK(can_write(memory + 3 * PAGE - 1));
    CHECK_FAULT(memory + 3 * PAGE, FAULT_WRITE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQ(munmap(memory, 4 * PAGE), 0);
}

/* Does MADV_DONTNEED give zeroed pages back, and which advice is refused? */
TEST(madvise_dontneed)
{
    char *memory = map_pages(4, PROT_READ | PROT_WRITE);
    memset(memory, 1, 4 * PAGE);
    CHECK_EQ(madvise(memory + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
    CHECK(is_filled(memory, PAGE, 1));
    CHECK(is_filled(memory + PAGE, 2 * PAGE, 0));
    CHECK(is_filled(memory + 3 * PAGE, PAGE, 1));
    CHECK(can_write(memory + PAGE));
    CHECK_EQ(madvise(memory, PAGE + 1, MADV_DONTNEED), 0);
    CHECK(is_filled(memory, 2 * PAGE, 0));
    CHECK_EQ(madvise(memory, 0, MADV_DONTNEED), 0);
    CHECK_ERROR(madvise(memory + 1, PAGE, MADV_DONTNEED), EINVAL);
    CHECK_ERROR(madvise(memory, PAGE, 9999), EINVAL);
    CHECK_EQ(madvise(memory, 4 * PAGE, MADV_WILLNEED), 0);
    CHECK_EQ(madvise(memory, 4 * PAGE, MADV_DONTDUMP), 0);
    CHECK_EQ(madvise(memory, 4 * PAGE, MADV_DODUMP), 0);
    CHECK_EQ(madvise(memory, 4 * PAGE, MADV_DONTFORK), 0);
    CHECK_EQ(munmap(memory + 2 * PAGE, 2 * PAGE), 0);
    CHECK_ERROR(madvise(memory, 4 * PAGE, MADV_DONTNEED), ENOMEM);
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
}

/* Does MADV_FREE leave either the old contents or zeroes, never anything else? */
TEST(madvise_free)
{
    char *memory = map_pages(4, PROT_READ | PROT_WRITE);
    memset(memory, 6, 4 * PAGE);
    CHECK_EQ(madvise(memory, 4 * PAGE, MADV_FREE), 0);
    for (int i = 0; i < 4; i++)
        CHECK(is_filled(memory + i * PAGE, PAGE, 6) || is_filled(memory + i * PAGE, PAGE, 0));
    memset(memory, 8, 4 * PAGE);
    CHECK(is_filled(memory, 4 * PAGE, 8));
    CHECK_EQ(munmap(memory, 4 * PAGE), 0);
}

/* Does mremap keep contents while it shrinks, grows and moves? */
TEST(mremap_moves)
{
    char *memory = map_pages(4, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 4; i++)
        memset(memory + i * PAGE, i + 1, PAGE);
    CHECK(mremap(memory, 4 * PAGE, 2 * PAGE, 0) == memory);
    CHECK_FAULT(memory + 2 * PAGE, FAULT_READ, SIGSEGV, SEGV_MAPERR);
    char *block = mmap(memory + 2 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(block == memory + 2 * PAGE);
    CHECK_ERROR(syscall(SYS_mremap, memory, 2 * PAGE, 8 * PAGE, 0), ENOMEM);
    char *moved = mremap(memory, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved != memory);
    CHECK(!can_read(memory));
    CHECK(is_filled(moved, PAGE, 1) && is_filled(moved + PAGE, PAGE, 2) && is_filled(moved + 2 * PAGE, 6 * PAGE, 0));

    char *target = map_pages(8, PROT_READ | PROT_WRITE);
    CHECK(mremap(moved, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    CHECK(!can_read(moved));
    CHECK(is_filled(target, PAGE, 1) && is_filled(target + PAGE, PAGE, 2));
    CHECK_EQ(munmap(target, 8 * PAGE), 0);
    CHECK_EQ(munmap(block, PAGE), 0);
}

/* Which arguments does mremap refuse, and how? (The .NET runtime tells its stack from other memory by these errors.) */
TEST(mremap_errors)
{
    char *memory = map_pages(4, PROT_READ | PROT_WRITE);
    CHECK_ERROR(syscall(SYS_mremap, memory + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERROR(syscall(SYS_mremap, memory, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERROR(syscall(SYS_mremap, memory, PAGE, PAGE, 0x100), EINVAL);
    CHECK_ERROR(syscall(SYS_mremap, memory, PAGE, PAGE, MREMAP_FIXED, memory + 2 * PAGE), EINVAL);
    CHECK_ERROR(syscall(SYS_mremap, memory, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory + PAGE), EINVAL);
    CHECK_EQ(munmap(memory + 2 * PAGE, 2 * PAGE), 0);
    CHECK_ERROR(syscall(SYS_mremap, memory + 2 * PAGE, PAGE, 2 * PAGE, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_mremap, memory + PAGE, 2 * PAGE, 3 * PAGE, 0), EFAULT);
    CHECK_EQ(munmap(memory, 2 * PAGE), 0);
}

/* Does brk move the end of the heap, zero what it adds, and answer nonsense with the current end? */
TEST(brk_moves)
{
    uintptr_t end = (uintptr_t)syscall(SYS_brk, 0);
    uintptr_t base = (end + PAGE - 1) / PAGE * PAGE;
    CHECK_EQ(syscall(SYS_brk, base + 16 * PAGE), base + 16 * PAGE);
    CHECK(is_filled((char *)base, 16 * PAGE, 0));
    memset((char *)base, 5, 16 * PAGE);
    CHECK_EQ(syscall(SYS_brk, base + PAGE), base + PAGE);
    CHECK(can_read((char *)base));
    CHECK(!can_read((char *)base + PAGE));
    CHECK_EQ(syscall(SYS_brk, base + 16 * PAGE), base + 16 * PAGE);
    CHECK(is_filled((char *)base + PAGE, 15 * PAGE, 0));
    CHECK_EQ(syscall(SYS_brk, 1), base + 16 * PAGE);
    CHECK_EQ(syscall(SYS_brk, 1ul << 62), base + 16 * PAGE);
    CHECK_EQ(syscall(SYS_brk, end), end);
}

/* Do hundreds of mappings with different protections keep to themselves? */
TEST(many_mappings)
{
    enum { COUNT = 512 };
    char *memory = map_pages(COUNT, PROT_READ | PROT_WRITE);
    memset(memory, 4, COUNT * PAGE);
    for (int i = 0; i < COUNT; i += 2)
        CHECK_EQ(mprotect(memory + i * PAGE, PAGE, i % 4 == 0 ? PROT_READ : PROT_NONE), 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(can_read(memory + i * PAGE), i % 4 != 2);
        CHECK_EQ(can_write(memory + i * PAGE), i % 2 == 1);
    }
    CHECK_EQ(mprotect(memory, COUNT * PAGE, PROT_READ | PROT_WRITE), 0);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(memory[i * PAGE + 1], 4);
    CHECK_EQ(munmap(memory, COUNT * PAGE), 0);
}

static void *touch_all(void *argument)
{
    atomic_int *pages = argument;
    for (int i = 0; i < 512; i++)
        atomic_fetch_add(&pages[i * (PAGE / 4)], 1);
    return 0;
}

/* When several threads fault on the same fresh pages, do all of them see one page? */
TEST(concurrent_faults)
{
    char *memory = map_pages(512, PROT_READ | PROT_WRITE);
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, touch_all, memory), 0);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_join(threads[i], 0), 0);
    for (int i = 0; i < 512; i++)
        CHECK_EQ(*(int *)(memory + i * PAGE), 8);
    CHECK_EQ(munmap(memory, 512 * PAGE), 0);
}

/* Are the flags that only advise accepted, and shared anonymous memory usable? */
TEST(other_flags)
{
    static const int flags[] = {
        MAP_PRIVATE | MAP_POPULATE, MAP_PRIVATE | MAP_STACK, MAP_PRIVATE | MAP_NORESERVE, MAP_PRIVATE | MAP_LOCKED, MAP_SHARED,
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        char *memory = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, flags[i] | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED);
        CHECK(is_filled(memory, 3 * PAGE, 0));
        memset(memory, 2, 3 * PAGE);
        CHECK(is_filled(memory, 3 * PAGE, 2));
        CHECK_EQ(munmap(memory, 3 * PAGE), 0);
    }
}
