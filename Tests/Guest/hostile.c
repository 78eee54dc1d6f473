/*
 * Stands between QEMU and the kernel: boots as a kernel does (PVH), spoils what the kernel is told about memory in the way that the word hostile=CASE of
 * the command line says, and starts the kernel, which QEMU's -device loader has put in its place. What is written here is what a broken or malicious
 * boot loader could pass; Tests/Guest/Catalogue/HostileBootTests.cs tells what must come of each case.
 * Source of truth: Xen "x86/HVM direct boot ABI", public/arch-x86/hvm/start_info.h.
 * How it is compiled and started: Sdk/Tool/Testing/PvhLoader.cs.
 */
#include <stddef.h>
#include <stdint.h>

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, map;
    uint32_t map_count, reserved;
};

struct module {
    uint64_t address, size, command_line, reserved;
};

struct entry {
    uint64_t start, length;
    uint32_t type, reserved;
};

struct elf_header {
    uint8_t identification[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_header_size, program_header_count;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, virtual_address, physical_address, file_size, memory_size, alignment;
};

enum { USABLE = 1, RESERVED = 2, NOTE_SEGMENT = 4, PHYSICAL_ENTRY = 18, MOST_ENTRIES = 4200, KERNEL = 0x200000, MEBIBYTE = 1 << 20, PAGE = 4096 };

static struct entry map[MOST_ENTRIES];
static uint32_t count;

__asm__(".section .note.pvh, \"a\", @note\n"
    ".balign 4\n"
    ".long 4, 4, 18\n"
    ".asciz \"Xen\"\n"
    ".long begin\n"
    ".text\n"
    ".globl begin\n"
    "begin:\n"
    "    cli\n"
    "    mov $stack_top, %esp\n"
    "    push %ebx\n"
    "    call spoil\n"
    "    pop %ebx\n"
    "    jmp *%eax\n"
    ".bss\n"
    ".balign 16\n"
    ".skip 16384\n"
    "stack_top:\n"
    ".text\n");

static void add(uint64_t start, uint64_t length, uint32_t type)
{
    if (count < MOST_ENTRIES)
        map[count++] = (struct entry){start, length, type, 0xdeadbeef};
}

/* Everything is said, but in no order, in pieces of odd sizes that overlap, twice, and mixed with nonsense. */
static void shuffle(const struct entry *real, uint32_t real_count)
{
    const uint64_t top = ~0ull;
    add(top, top, USABLE);
    add(top - 0xfff, 0x2000, USABLE);
    add(0, 0, USABLE);
    for (uint32_t i = real_count; i-- > 0;) {
        const struct entry *entry = &real[i];
        add(entry->start, 0, USABLE);
        if (entry->type == USABLE && entry->length > MEBIBYTE) {
            const uint64_t piece = 7 * MEBIBYTE + 1234;
            uint64_t last = entry->length / MEBIBYTE / 8; /* no division of 64 bits without a library, but a shift */
            for (uint64_t at = last; at-- > 0;) {
                uint64_t start = at * 8 * MEBIBYTE, length = piece + 2 * MEBIBYTE;
                if (start + length > entry->length)
                    length = entry->length - start;
                add(entry->start + start, length, USABLE);
            }
        }
        add(entry->start, entry->length, entry->type);
        add(entry->start, entry->length, entry->type);
    }
    add(100 * MEBIBYTE + 1, 1, RESERVED);
    add(100 * MEBIBYTE + 1, PAGE, 0xffffffff);
    add(top - 5, 100, RESERVED);
    add(0x100000000000, 0x1000, 77);
    add(90 * MEBIBYTE, 0, RESERVED);
    add(110 * MEBIBYTE, 3, 0);
}

static void copy(const struct entry *real, uint32_t real_count)
{
    for (uint32_t i = 0; i < real_count; i++)
        add(real[i].start, real[i].length, real[i].type);
}

static int is_case(const char *line, const char *name)
{
    static const char key[] = "hostile=";
    for (; *line; line++) {
        const char *at = line, *want = key;
        while (*want && *at == *want)
            at++, want++;
        if (*want)
            continue;
        while (*name && *at == *name)
            at++, name++;
        return !*name && (*at == ' ' || !*at);
    }
    return 0;
}

/* The kernel's entry by its ELF note. */
static uint32_t find_kernel(void)
{
    const struct elf_header *header = (const struct elf_header *)KERNEL;
    const struct program_header *segments = (const struct program_header *)(KERNEL + (uint32_t)header->program_headers);
    for (int i = 0; i < header->program_header_count; i++) {
        const uint32_t *note = (const uint32_t *)(uint32_t)segments[i].physical_address;
        const uint32_t *end = note + (uint32_t)segments[i].file_size / 4;
        while (segments[i].type == NOTE_SEGMENT && note < end) {
            const uint32_t *content = note + 3 + (note[0] + 3) / 4;
            if (note[2] == PHYSICAL_ENTRY)
                return *content;
            note = content + (note[1] + 3) / 4;
        }
    }
    for (;;)
        __asm__ volatile("hlt");
}

__attribute__((used)) uint32_t spoil(struct start_info *info)
{
    const char *line = (const char *)(uint32_t)info->command_line;
    const struct entry *real = (const struct entry *)(uint32_t)info->map;
    struct module *module = (struct module *)(uint32_t)info->modules;
    uint32_t real_count = info->map_count;
    info->map = (uint32_t)map;
    if (is_case(line, "shuffled")) {
        shuffle(real, real_count);
    } else if (is_case(line, "many")) {
        /* Every second page of a part of memory, in falling order. */
        copy(real, real_count);
        for (uint32_t i = 4000; i-- > 0;)
            add(128ull * MEBIBYTE + i * 2 * PAGE, PAGE, RESERVED);
    } else if (is_case(line, "huge")) {
        copy(real, real_count);
        add(MEBIBYTE, 1ull << 63, USABLE);
    } else if (is_case(line, "absent-high")) {
        copy(real, real_count);
        add(8ull << 30, 1ull << 30, USABLE);
    } else if (is_case(line, "absent-low")) {
        copy(real, real_count);
        add(MEBIBYTE, 2047ull * MEBIBYTE, USABLE);
    } else if (is_case(line, "nothing-usable")) {
        copy(real, real_count);
        add(0, ~0ull, RESERVED);
    } else if (is_case(line, "kernel-reserved")) {
        copy(real, real_count);
        add(KERNEL + PAGE, 1, RESERVED);
    } else {
        copy(real, real_count);
    }
    info->map_count = count;
    if (is_case(line, "countless"))
        info->map_count = 0xffffffff;
    else if (is_case(line, "no-map"))
        info->map_count = 0;
    else if (is_case(line, "map-outside"))
        info->map = 0xfffffffffff000;
    else if (is_case(line, "module-over-kernel"))
        module->address = KERNEL + PAGE;
    else if (is_case(line, "module-wraps"))
        module->size = ~0ull;
    else if (is_case(line, "modules-outside"))
        info->modules = ~0ull - 7;
    else if (is_case(line, "countless-modules"))
        info->module_count = 0x7fffffff;
    else if (is_case(line, "command-line-outside"))
        info->command_line = 1ull << 40;
    else if (is_case(line, "bad-magic"))
        info->magic = 0;
    return find_kernel();
}
