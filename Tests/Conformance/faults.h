/*
 * Touching memory that may fault: each function makes one access and tells which signal it raised, if any.
 * The handler leaves the access with siglongjmp. Include after check.h. Source of truth: sigaction(2), the section on siginfo_t.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "check.h"

/* What an access raised: signal is zero when it succeeded. */
struct fault {
    int signal;
    int code;
    void *address;
};

static __thread sigjmp_buf fault_escape;
static __thread struct fault fault_seen;

static void fault_handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    fault_seen = (struct fault){signal, info->si_code, info->si_addr};
    siglongjmp(fault_escape, 1);
}

enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_CALL };

static inline struct fault fault_try(volatile void *address, enum fault_access access)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction action = {.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO}, before[4];
    for (int i = 0; i < 4; i++)
        sigaction(signals[i], &action, &before[i]);
    fault_seen = (struct fault){0, 0, 0};
    if (sigsetjmp(fault_escape, 1) == 0) {
        if (access == FAULT_READ)
            (void)*(volatile char *)address;
        else if (access == FAULT_WRITE)
            *(volatile char *)address = 0x5a;
        else
            ((void (*)(void))address)();
    }
    for (int i = 0; i < 4; i++)
        sigaction(signals[i], &before[i], 0);
    return fault_seen;
}

static inline bool can_read(volatile void *address) { return fault_try(address, FAULT_READ).signal == 0; }

/* Writes a byte when it can. */
static inline bool can_write(volatile void *address) { return fault_try(address, FAULT_WRITE).signal == 0; }

/* The access raises this signal and code for exactly this address. */
#define CHECK_FAULT(ADDRESS, ACCESS, SIGNAL, CODE)                   \
    do {                                                             \
        struct fault check_fault = fault_try((ADDRESS), (ACCESS));   \
        CHECK_EQ(check_fault.signal, (SIGNAL));                      \
        CHECK_EQ(check_fault.code, (CODE));                          \
        CHECK(check_fault.address == (void *)(ADDRESS));             \
    } while (0)

#endif
