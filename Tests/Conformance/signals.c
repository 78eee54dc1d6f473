/*
 * Signals sent by programs: handlers, masks, queues, restarts, waiting for them. Faults are in faults.c, timers in timers.c.
 * Source of truth: signal(7), sigaction(2), and the man pages of the calls named.
 */
#include "check.h"
#include <sys/wait.h>
#include <ucontext.h>

static volatile sig_atomic_t hits, last_signal, order[8], order_length;
static siginfo_t last_info;
static volatile uintptr_t handler_stack;

static void count_hit(int signal)
{
    hits++;
    last_signal = signal;
    if (order_length < 8)
        order[order_length++] = signal;
}

static void keep_info(int signal, siginfo_t *info, void *context)
{
    char here;
    (void)context;
    handler_stack = (uintptr_t)&here;
    last_info = *info;
    count_hit(signal);
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_flags = flags};
    if (flags & SA_SIGINFO)
        action.sa_sigaction = keep_info;
    else
        action.sa_handler = count_hit;
    CHECK_EQ(sigaction(signal, &action, 0), 0);
    hits = 0;
    order_length = 0;
}

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    if (first)
        sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

static void block(int how, int first, int second)
{
    sigset_t set = set_of(first, second);
    CHECK_EQ(sigprocmask(how, &set, 0), 0);
}

/* Is a handler run before the call that sent the signal returns, and does sigaction tell the old one? */
TEST(handler_runs)
{
    handle(SIGUSR1, 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(hits, 1);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(hits, 2);
    struct sigaction old;
    CHECK_EQ(sigaction(SIGUSR1, 0, &old), 0);
    CHECK(old.sa_handler == count_hit);
    CHECK(signal(SIGUSR1, SIG_IGN) == count_hit);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(hits, 2);
    CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
}

/* Which signals and actions are refused? */
TEST(sigaction_errors)
{
    struct sigaction action = {.sa_handler = count_hit};
    CHECK_ERROR(sigaction(SIGKILL, &action, 0), EINVAL);
    CHECK_ERROR(sigaction(SIGSTOP, &action, 0), EINVAL);
    CHECK_ERROR(sigaction(0, &action, 0), EINVAL);
    CHECK_ERROR(sigaction(65, &action, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4), EINVAL);
    CHECK_ERROR(syscall(SYS_rt_sigprocmask, 0, 0, 0, 4), EINVAL);
    CHECK_ERROR(sigprocmask(99, &action.sa_mask, 0), EINVAL);
    CHECK_ERROR(kill(getpid(), 65), EINVAL);
    CHECK_ERROR(kill(0x3fffffff, 0), ESRCH);
    CHECK_EQ(kill(getpid(), 0), 0);
}

/* Is a blocked signal kept until it is unblocked, once for a standard one, and shown as pending? */
TEST(blocking)
{
    handle(SIGUSR1, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK_EQ(raise(SIGUSR1) | raise(SIGUSR1) | kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(hits, 0);
    sigset_t pending, mask;
    CHECK_EQ(sigpending(&pending), 0);
    CHECK(sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
    CHECK_EQ(sigprocmask(SIG_BLOCK, 0, &mask), 0);
    CHECK(sigismember(&mask, SIGUSR1));
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK_EQ(hits, 2); /* one waited at the thread, one at the process */
    CHECK_EQ(sigpending(&pending), 0);
    CHECK(!sigismember(&pending, SIGUSR1));
    block(SIG_BLOCK, SIGKILL, SIGSTOP);
    CHECK_EQ(sigprocmask(SIG_BLOCK, 0, &mask), 0);
    CHECK(!sigismember(&mask, SIGKILL) && !sigismember(&mask, SIGSTOP));
}

/* Does setting a pending signal to be ignored throw it away? */
TEST(ignoring_discards)
{
    handle(SIGUSR1, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    handle(SIGUSR1, 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK_EQ(hits, 0);
}

/* Are real-time signals queued with their values, in order, lowest number first? */
TEST(queued_signals)
{
    int low = SIGRTMIN + 1, high = SIGRTMIN + 2;
    handle(low, SA_SIGINFO);
    handle(high, SA_SIGINFO);
    block(SIG_BLOCK, low, high);
    CHECK_EQ(sigqueue(getpid(), high, (union sigval){.sival_int = 1}), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sigqueue(getpid(), low, (union sigval){.sival_int = 10 + i}), 0);
    sigset_t set = set_of(low, high);
    siginfo_t info;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(sigwaitinfo(&set, &info), low);
        CHECK_EQ(info.si_value.sival_int, 10 + i);
        CHECK_EQ(info.si_code, SI_QUEUE);
        CHECK_EQ(info.si_pid, getpid());
        CHECK_EQ(info.si_uid, getuid());
    }
    CHECK_EQ(sigwaitinfo(&set, &info), high);
    CHECK_EQ(info.si_value.sival_int, 1);
    CHECK_EQ(hits, 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sigqueue(getpid(), low, (union sigval){.sival_int = i}), 0);
    block(SIG_UNBLOCK, low, high);
    CHECK_EQ(hits, 3);
    CHECK_EQ(last_info.si_value.sival_int, 2);
}

/* Which pid, code and value does a handler see for kill and tgkill? */
TEST(siginfo_of_sender)
{
    handle(SIGUSR1, SA_SIGINFO);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(last_info.si_signo, SIGUSR1);
    CHECK_EQ(last_info.si_code, SI_USER);
    CHECK_EQ(last_info.si_pid, getpid());
    CHECK_EQ(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1), 0);
    CHECK_EQ(last_info.si_code, SI_TKILL);
    CHECK_EQ(last_info.si_pid, getpid());
    CHECK_EQ(syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1), 0);
    CHECK_EQ(hits, 3);
    CHECK_ERROR(syscall(SYS_tgkill, getpid(), 0x3fffffff, SIGUSR1), ESRCH);
    CHECK_ERROR(syscall(SYS_tgkill, -1, 1, SIGUSR1), EINVAL);
    CHECK_ERROR(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
}

static void raise_second(int signal)
{
    count_hit(signal);
    if (signal == SIGUSR1)
        raise(SIGUSR2);
    if (order_length < 8)
        order[order_length++] = -signal;
}

/* Do handlers nest, unless sa_mask or the signal itself holds them back? */
TEST(nesting)
{
    struct sigaction action = {.sa_handler = raise_second};
    CHECK_EQ(sigaction(SIGUSR1, &action, 0) | sigaction(SIGUSR2, &action, 0), 0);
    order_length = 0;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(order[0] == SIGUSR1 && order[1] == SIGUSR2 && order[2] == -SIGUSR2 && order[3] == -SIGUSR1);
    action.sa_mask = set_of(SIGUSR2, 0);
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    order_length = 0;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(order[0] == SIGUSR1 && order[1] == -SIGUSR1 && order[2] == SIGUSR2 && order[3] == -SIGUSR2);
    sigset_t mask;
    CHECK_EQ(sigprocmask(SIG_BLOCK, 0, &mask), 0);
    CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
}

static void raise_again(int signal)
{
    if (++hits < 4)
        raise(signal);
}

/* Do SA_NODEFER and SA_RESETHAND do what they say? */
TEST(nodefer_and_resethand)
{
    struct sigaction action = {.sa_handler = raise_again, .sa_flags = SA_NODEFER}, old;
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    hits = 0;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(hits, 4);
    handle(SIGUSR1, SA_RESETHAND);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(hits, 1);
    CHECK_EQ(sigaction(SIGUSR1, 0, &old), 0);
    CHECK(old.sa_handler == SIG_DFL);
}

static volatile sig_atomic_t stack_flags, stack_change_error;

static void look_at_stack(int signal, siginfo_t *info, void *context)
{
    stack_t now, other = {.ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ};
    keep_info(signal, info, context);
    sigaltstack(0, &now);
    stack_flags = now.ss_flags;
    stack_change_error = sigaltstack(&other, 0) == 0 ? 0 : errno;
    free(other.ss_sp);
}

/* Is a handler with SA_ONSTACK run on the alternate stack, and is the stack in use while it runs? */
TEST(alternate_stack)
{
    static char memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, old;
    CHECK_EQ(sigaltstack(&stack, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    struct sigaction action = {.sa_sigaction = look_at_stack, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(handler_stack >= (uintptr_t)memory && handler_stack < (uintptr_t)(memory + sizeof memory));
    CHECK_EQ(stack_flags, SS_ONSTACK);
    CHECK_EQ(stack_change_error, EPERM);
    handle(SIGUSR1, SA_SIGINFO);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(handler_stack < (uintptr_t)memory || handler_stack >= (uintptr_t)(memory + sizeof memory));
    CHECK_EQ(sigaltstack(0, &old), 0);
    CHECK(old.ss_sp == memory && old.ss_size == sizeof memory && old.ss_flags == 0);
    stack.ss_size = 100;
    CHECK_ERROR(syscall(SYS_sigaltstack, &stack, 0), ENOMEM);
    stack.ss_flags = SS_DISABLE;
    CHECK_EQ(sigaltstack(&stack, 0), 0);
}

/* A thread that signals another, or writes to a pipe, after a while. */
struct helper {
    pthread_t thread, target;
    int signal, fd;
    long delay;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    sleep_ms(helper->delay);
    if (helper->signal)
        pthread_kill(helper->target, helper->signal);
    if (helper->fd > 0) {
        sleep_ms(helper->delay);
        if (write(helper->fd, "x", 1) != 1)
            return (void *)1;
    }
    return 0;
}

static void start_helper(struct helper *helper, int signal, int fd)
{
    *helper = (struct helper){.target = pthread_self(), .signal = signal, .fd = fd, .delay = 20};
    CHECK_EQ(pthread_create(&helper->thread, 0, help, helper), 0);
}

/* Is a blocked read ended with EINTR, or taken up again under SA_RESTART? */
TEST(interrupted_read)
{
    int pipes[2];
    char byte = 0;
    struct helper helper;
    CHECK_EQ(pipe(pipes), 0);
    handle(SIGUSR1, 0);
    start_helper(&helper, SIGUSR1, 0);
    CHECK_ERROR(read(pipes[0], &byte, 1), EINTR);
    CHECK_EQ(hits, 1);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
    handle(SIGUSR1, SA_RESTART);
    start_helper(&helper, SIGUSR1, pipes[1]);
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    CHECK_EQ(hits, 1);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
    CHECK_EQ(signal(SIGUSR1, SIG_IGN) == SIG_ERR, 0);
    start_helper(&helper, SIGUSR1, pipes[1]);
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
    CHECK_EQ(close(pipes[0]) | close(pipes[1]), 0);
}

/* Is nanosleep ended by a handler even with SA_RESTART, telling what is left? */
TEST(interrupted_sleep)
{
    struct timespec time = {5, 0}, left = {0, 0};
    struct helper helper;
    handle(SIGUSR1, SA_RESTART);
    start_helper(&helper, SIGUSR1, 0);
    CHECK_ERROR(nanosleep(&time, &left), EINTR);
    CHECK(left.tv_sec == 4 && left.tv_nsec > 0);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
}

/* Do sigsuspend and pause wait for a handler, and does the old mask come back? */
TEST(suspending)
{
    struct helper helper;
    sigset_t none = set_of(0, 0), mask;
    handle(SIGUSR1, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_ERROR(sigsuspend(&none), EINTR);
    CHECK_EQ(hits, 1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, 0, &mask), 0);
    CHECK(sigismember(&mask, SIGUSR1));
    block(SIG_UNBLOCK, SIGUSR1, 0);
    start_helper(&helper, SIGUSR1, 0);
    CHECK_ERROR(pause(), EINTR);
    CHECK_EQ(hits, 2);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
}

/* Does sigtimedwait take a signal, wait for one, time out, and get interrupted by others? */
TEST(timed_wait)
{
    struct helper helper;
    struct timespec soon = {0, 20000000}, later = {5, 0}, zero = {0, 0};
    sigset_t set = set_of(SIGUSR2, 0);
    siginfo_t info;
    block(SIG_BLOCK, SIGUSR2, 0);
    CHECK_ERROR(sigtimedwait(&set, &info, &zero), EAGAIN);
    long long start = now_ns();
    CHECK_ERROR(sigtimedwait(&set, &info, &soon), EAGAIN);
    CHECK(now_ns() - start >= 20000000);
    CHECK_EQ(raise(SIGUSR2), 0);
    CHECK_EQ(sigtimedwait(&set, &info, &zero), SIGUSR2);
    start_helper(&helper, SIGUSR2, 0);
    CHECK_EQ(sigtimedwait(&set, &info, &later), SIGUSR2);
    CHECK_EQ(info.si_code, SI_TKILL);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
    handle(SIGUSR1, 0);
    start_helper(&helper, SIGUSR1, 0);
    CHECK_ERROR(syscall(SYS_rt_sigtimedwait, &set, 0, &later, 8), EINTR);
    CHECK_EQ(pthread_join(helper.thread, 0), 0);
}

static atomic_int thread_hits;
static atomic_long hit_thread;

static void count_thread(int signal)
{
    (void)signal;
    hit_thread = syscall(SYS_gettid);
    thread_hits++;
}

static void *wait_with_open_mask(void *argument)
{
    sigset_t set = set_of(SIGUSR1, 0);
    pthread_sigmask(SIG_UNBLOCK, &set, 0);
    *(atomic_long *)argument = syscall(SYS_gettid);
    while (thread_hits == 0)
        sleep_ms(1);
    return 0;
}

/* Does a signal to the process go to a thread that does not block it, and one to a thread only there? */
TEST(choice_of_thread)
{
    struct sigaction action = {.sa_handler = count_thread};
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    for (int whole = 0; whole < 2; whole++) {
        pthread_t thread;
        atomic_long id = 0;
        thread_hits = 0;
        CHECK_EQ(pthread_create(&thread, 0, wait_with_open_mask, &id), 0);
        while (id == 0)
            sleep_ms(1);
        CHECK_EQ(whole ? kill(getpid(), SIGUSR1) : pthread_kill(thread, SIGUSR1), 0);
        CHECK_EQ(pthread_join(thread, 0), 0);
        CHECK_EQ(thread_hits, 1);
        CHECK_EQ(hit_thread, id);
    }
}

/* Does a write to a pipe without readers raise SIGPIPE and give EPIPE? */
TEST(broken_pipe)
{
    int pipes[2];
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(close(pipes[0]), 0);
    handle(SIGPIPE, 0);
    CHECK_ERROR(write(pipes[1], "x", 1), EPIPE);
    CHECK_EQ(hits, 1);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK_ERROR(write(pipes[1], "x", 1), EPIPE);
    CHECK_EQ(close(pipes[1]), 0);
}

static void block_in_context(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

/* Is the mask in the frame of a handler the one that returns with it? */
TEST(mask_in_context)
{
    struct sigaction action = {.sa_sigaction = block_in_context, .sa_flags = SA_SIGINFO};
    sigset_t mask;
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(sigprocmask(SIG_BLOCK, 0, &mask), 0);
    CHECK(sigismember(&mask, SIGUSR2));
}

static void ring(int signal) { (void)signal, thread_hits++; }

static void *send_many(void *target)
{
    for (int i = 0; i < 2000; i++) {
        int before = thread_hits;
        pthread_kill(*(pthread_t *)target, SIGUSR1);
        while (thread_hits == before)
            sched_yield();
    }
    return 0;
}

/* Do thousands of signals to a busy thread all arrive and disturb nothing? */
TEST(signal_storm)
{
    struct sigaction action = {.sa_handler = ring, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGUSR1, &action, 0), 0);
    pthread_t sender, self = pthread_self();
    thread_hits = 0;
    CHECK_EQ(pthread_create(&sender, 0, send_many, &self), 0);
    uint64_t a = 1, b = 1, steps = 0;
    while (thread_hits < 2000) {
        a = a * 6364136223846793005u + 1442695040888963407u;
        b = b * 6364136223846793005u + 1442695040888963407u;
        if (++steps % 64 == 0)
            getppid();
        CHECK(a == b);
    }
    CHECK_EQ(pthread_join(sender, 0), 0);
    CHECK_EQ(thread_hits, 2000);
}
