/*
 * What the .NET runtime libraries of the linux-x64 pack expect of glibc and musl does not have. Linked into every .NET program, at every
 * level. Source of truth: glibc's <sched.h> (CPU_ALLOC, CPU_FREE) and the Itanium C++ ABI, section 3.3.5 (__dso_handle).
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>

/* Names the program itself for __cxa_atexit; a static program is its only object. */
void *__dso_handle = 0;

cpu_set_t *__sched_cpualloc(size_t count)
{
	return calloc(1, CPU_ALLOC_SIZE(count));
}

void __sched_cpufree(cpu_set_t *set)
{
	free(set);
}
