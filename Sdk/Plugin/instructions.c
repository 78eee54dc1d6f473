/*
 * A plugin for QEMU's TCG that counts the instructions a guest executes. Debian's QEMU loads plugins but ships no header, so the few functions are
 * declared here. Source of truth: QEMU docs/devel/tcg-plugins.rst, API version 1.
 *
 *     gcc -O2 -fPIC -shared -o instructions.so instructions.c
 *     qemu-system-x86_64 ... -plugin instructions.so,blocks=FILE
 *
 * Every block of code that QEMU translates gets a counter of its own in FILE, which is mapped: who reads the file while the guest runs sees the
 * counts of that moment, and the difference of two readings is what the guest did in between, by address. Layout, little endian: a header of
 * 16 bytes (magic "UKLCOUNT", then the number of entries in use) and the entries, each the address of a block's first instruction and the number
 * of instructions executed in blocks that start there. Entry 0 has address 0 and takes what comes after the table is full.
 * When QEMU ends, the sum goes to standard error as "instructions N".
 *
 * A block that a page fault leaves midway counts as a whole. The counters are not atomic: with several CPUs they are estimates.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t id, struct qemu_plugin_tb *block));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum qemu_plugin_op operation, void *counter, uint64_t amount);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t id, void *data), void *data);

int qemu_plugin_version = 1;

enum { INDEX_BITS = 21, INDEX_SIZE = 1 << INDEX_BITS, CAPACITY = INDEX_SIZE / 2 };

struct entry {
	uint64_t address;
	uint64_t executed;
};

struct table {
	char magic[8];
	uint64_t used;
	struct entry entries[CAPACITY];
};

static struct table *table;

/* Open addressing by a block's address; 0 is an empty place. QEMU calls a plugin's translation callback under its own lock. */
static uint32_t places[INDEX_SIZE];

static struct entry *entry_of(uint64_t address)
{
	uint32_t place = (uint32_t)(address * 0x9e3779b97f4a7c15u >> (64 - INDEX_BITS));
	while (places[place] != 0 && table->entries[places[place]].address != address)
		place = (place + 1) % INDEX_SIZE;
	if (places[place] == 0) {
		if (table->used == CAPACITY)
			return &table->entries[0];
		places[place] = (uint32_t)table->used;
		table->entries[table->used].address = address;
		table->used++;
	}
	return &table->entries[places[place]];
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	struct entry *entry = entry_of(qemu_plugin_tb_vaddr(block));
	qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &entry->executed, qemu_plugin_tb_n_insns(block));
}

static void finish(qemu_plugin_id_t id, void *data)
{
	(void)id, (void)data;
	uint64_t sum = 0;
	for (uint64_t i = 0; i < table->used; i++)
		sum += table->entries[i].executed;
	fprintf(stderr, "\ninstructions %" PRIu64 "\n", sum);
}

static bool map_table(const char *path)
{
	int flags = MAP_SHARED | (path ? 0 : MAP_ANONYMOUS);
	int file = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (path && (file < 0 || ftruncate(file, sizeof *table) != 0))
		return false;
	table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, flags, file, 0);
	if (table == MAP_FAILED)
		return false;
	memcpy(table->magic, "UKLCOUNT", sizeof table->magic);
	table->used = 1;
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	const char *path = NULL;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "blocks=", 7) == 0)
			path = argv[i] + 7;
	if (!map_table(path)) {
		fprintf(stderr, "instructions: %s: %s\n", path ? path : "mmap", strerror(errno));
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
