/*
 * Threads by POSIX: create, join, detach, mutexes, condition variables, locks, barriers, thread-local storage, cancellation.
 * Source of truth: pthreads(7) and the POSIX pages of the functions named.
 */
#include "check.h"
#include <semaphore.h>

static void *return_argument(void *argument) { return argument; }

/* Does a thread run, and does join bring its result? */
TEST(create_and_join)
{
    for (intptr_t i = 0; i < 200; i++) {
        pthread_t thread;
        void *result;
        CHECK_EQ(pthread_create(&thread, 0, return_argument, (void *)i), 0);
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK_EQ((intptr_t)result, i);
    }
}

static pthread_barrier_t barrier;

static void *wait_at_barrier(void *argument)
{
    return pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD ? &barrier : argument;
}

/* Do 64 threads exist at once, and does a barrier release them together, one as the serial thread? */
TEST(many_threads)
{
    pthread_t threads[64];
    CHECK_EQ(pthread_barrier_init(&barrier, 0, 65), 0);
    for (int i = 0; i < 64; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, wait_at_barrier, 0), 0);
    int serial = pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int i = 0; i < 64; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        serial += result == &barrier;
    }
    CHECK_EQ(serial, 1);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static sem_t detached_done;

static void *post_and_exit(void *argument)
{
    sem_post(&detached_done);
    pthread_exit(argument);
}

/* Does a detached thread end without a join? */
TEST(detached_threads)
{
    CHECK_EQ(sem_init(&detached_done, 0, 0), 0);
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, 0, post_and_exit, 0), 0);
        CHECK_EQ(pthread_detach(thread), 0);
    }
    for (int i = 0; i < 50; i++)
        CHECK_EQ(sem_wait(&detached_done), 0);
}

static __thread int local = 11;
static __thread char local_zero[300];

static void *change_local(void *argument)
{
    bool fresh = local == 11 && local_zero[299] == 0;
    local = (int)(intptr_t)argument;
    local_zero[299] = 1;
    sched_yield();
    return (void *)(intptr_t)(fresh && local == (int)(intptr_t)argument);
}

/* Has each thread its own initialised thread-local variables, its own errno and its own identity? */
TEST(thread_local_storage)
{
    pthread_t threads[8];
    local = 99;
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, change_local, (void *)(intptr_t)i), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result != 0);
    }
    CHECK_EQ(local, 99);
    CHECK_EQ(local_zero[299], 0);
    CHECK_EQ(syscall(SYS_gettid), getpid());
}

static pthread_key_t key;
static atomic_int destroyed;
static void count_destroyed(void *value) { atomic_fetch_add(&destroyed, (int)(intptr_t)value); }

static void *set_key(void *argument)
{
    pthread_setspecific(key, argument);
    return pthread_getspecific(key);
}

/* Are the destructors of thread-specific data run at thread exit? */
TEST(thread_specific_data)
{
    CHECK_EQ(pthread_key_create(&key, count_destroyed), 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, 0, set_key, (void *)5), 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(destroyed, 5);
    CHECK(pthread_getspecific(key) == 0);
    CHECK_EQ(pthread_key_delete(key), 0);
}

static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count_under_lock(void *argument)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&counter_lock);
        long seen = counter;
        if (i % 1000 == 0)
            sched_yield();
        counter = seen + 1;
        pthread_mutex_unlock(&counter_lock);
    }
    return argument;
}

/* Does a mutex exclude? */
TEST(mutex_excludes)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, count_under_lock, 0), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], 0), 0);
    CHECK_EQ(counter, 80000);
}

static struct timespec deadline_in(int milliseconds)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += milliseconds * 1000000l;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void *try_lock(void *mutex)
{
    struct timespec deadline = deadline_in(30);
    if (pthread_mutex_trylock(mutex) != EBUSY)
        return (void *)1;
    if (pthread_mutex_timedlock(mutex, &deadline) != ETIMEDOUT)
        return (void *)2;
    return (void *)(intptr_t)(pthread_mutex_unlock(mutex) == EPERM ? 0 : 3);
}

/* Do the kinds of mutexes answer as they should: recursive, error-checking, try, timed? */
TEST(mutex_kinds)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t mutex;
    pthread_t thread;
    void *result;
    CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQ(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE), 0);
    CHECK_EQ(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex) | pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(pthread_create(&thread, 0, try_lock, &mutex), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((intptr_t)result, 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex) | pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), 0);
    CHECK_EQ(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
}

static void *lock_and_die(void *mutex)
{
    pthread_mutex_lock(mutex);
    return 0;
}

/* Does a robust mutex tell that its owner died, from the robust list the kernel walks? */
TEST(robust_mutex)
{
    pthread_mutexattr_t attributes;
    static pthread_mutex_t mutex;
    pthread_t thread;
    CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQ(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQ(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQ(pthread_create(&thread, 0, lock_and_die, &mutex), 0);
    CHECK_EQ(pthread_join(thread, 0), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

/* Does a mutex with priority inheritance lock, contend and unlock? */
TEST(priority_inheriting_mutex)
{
    pthread_mutexattr_t attributes;
    static pthread_mutex_t mutex;
    pthread_t thread;
    void *result;
    CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQ(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK), 0);
    int supported = pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    CHECK(supported == 0 || supported == ENOTSUP);
    if (supported != 0)
        return;
    CHECK_EQ(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(pthread_create(&thread, 0, try_lock, &mutex), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((intptr_t)result, 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER, queue_drained = PTHREAD_COND_INITIALIZER;
static int queue_length, queue_taken;

static void *take_items(void *argument)
{
    for (int i = 0; i < 2500; i++) {
        pthread_mutex_lock(&queue_lock);
        while (queue_length == 0)
            pthread_cond_wait(&queue_filled, &queue_lock);
        queue_length--;
        queue_taken++;
        pthread_cond_signal(&queue_drained);
        pthread_mutex_unlock(&queue_lock);
    }
    return argument;
}

/* Does a bounded queue over two condition variables lose and invent nothing? */
TEST(condition_variables)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, take_items, 0), 0);
    for (int i = 0; i < 10000; i++) {
        pthread_mutex_lock(&queue_lock);
        while (queue_length == 10)
            pthread_cond_wait(&queue_drained, &queue_lock);
        queue_length++;
        pthread_cond_signal(&queue_filled);
        pthread_mutex_unlock(&queue_lock);
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], 0), 0);
    CHECK_EQ(queue_taken, 10000);
    CHECK_EQ(queue_length, 0);
}

/* Does a timed wait time out, on the clock it was given? */
TEST(condition_timeout)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_condattr_t attributes;
    pthread_cond_t monotonic, realtime = PTHREAD_COND_INITIALIZER;
    CHECK_EQ(pthread_condattr_init(&attributes) | pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), 0);
    CHECK_EQ(pthread_cond_init(&monotonic, &attributes), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    long long start = now_ns();
    struct timespec deadline = deadline_in(30);
    CHECK_EQ(pthread_cond_timedwait(&realtime, &mutex, &deadline), ETIMEDOUT);
    CHECK(now_ns() - start > 25000000);
    start = now_ns() + 30000000;
    deadline = (struct timespec){start / 1000000000, start % 1000000000};
    CHECK_EQ(pthread_cond_timedwait(&monotonic, &mutex, &deadline), ETIMEDOUT);
    CHECK(now_ns() >= start);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

static pthread_rwlock_t shared_lock = PTHREAD_RWLOCK_INITIALIZER;
static int shared_a, shared_b;
static atomic_int torn;

static void *read_pair(void *argument)
{
    for (int i = 0; i < 5000; i++) {
        pthread_rwlock_rdlock(&shared_lock);
        if (shared_a != shared_b)
            torn = 1;
        pthread_rwlock_unlock(&shared_lock);
    }
    return argument;
}

static void *write_pair(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        pthread_rwlock_wrlock(&shared_lock);
        shared_a++;
        if (i % 100 == 0)
            sched_yield();
        shared_b++;
        pthread_rwlock_unlock(&shared_lock);
    }
    return argument;
}

/* Does a read-write lock keep readers from half a write? */
TEST(read_write_lock)
{
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, i < 4 ? read_pair : write_pair, 0), 0);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(pthread_join(threads[i], 0), 0);
    CHECK_EQ(torn, 0);
    CHECK_EQ(shared_a, 4000);
    CHECK_EQ(pthread_rwlock_rdlock(&shared_lock), 0);
    CHECK_EQ(pthread_rwlock_trywrlock(&shared_lock), EBUSY);
    CHECK_EQ(pthread_rwlock_unlock(&shared_lock), 0);
}

static atomic_int cleaned;
static void clean_up(void *argument) { cleaned += (int)(intptr_t)argument; }

static void *sleep_for_ever(void *argument)
{
    pthread_cleanup_push(clean_up, (void *)1);
    sem_post(argument);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return argument;
}

static void *spin_for_ever(void *argument)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
    sem_post(argument);
    for (;;) { }
    return argument;
}

/* Can a thread be cancelled in a blocking call, and in a loop when it asked for that? */
TEST(cancellation)
{
    void *(*const bodies[])(void *) = {sleep_for_ever, spin_for_ever};
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        void *result;
        sem_t started;
        CHECK_EQ(sem_init(&started, 0, 0), 0);
        CHECK_EQ(pthread_create(&thread, 0, bodies[i], &started), 0);
        CHECK_EQ(sem_wait(&started), 0);
        CHECK_EQ(pthread_cancel(thread), 0);
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK(result == PTHREAD_CANCELED);
    }
    CHECK_EQ(cleaned, 1);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int once_count;
static void run_once(void) { sched_yield(), once_count++; }

static void *call_once(void *argument)
{
    pthread_once(&once, run_once);
    return (void *)(intptr_t)(once_count == 1 ? 0 : argument == 0);
}

/* Does pthread_once run once, and does everyone wait for it? */
TEST(once_only)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, call_once, 0), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result == 0);
    }
    CHECK_EQ(once_count, 1);
}

/* Do semaphores count, refuse and time out? */
TEST(semaphores)
{
    sem_t semaphore;
    struct timespec deadline = deadline_in(20);
    CHECK_EQ(sem_init(&semaphore, 0, 2), 0);
    CHECK_EQ(sem_trywait(&semaphore) | sem_wait(&semaphore), 0);
    CHECK_ERROR(sem_trywait(&semaphore), EAGAIN);
    CHECK_ERROR(sem_timedwait(&semaphore, &deadline), ETIMEDOUT);
    CHECK_EQ(sem_post(&semaphore), 0);
    CHECK_EQ(sem_wait(&semaphore), 0);
}

static void *fill_stack(void *argument)
{
    volatile char room[400000];
    for (size_t i = 0; i < sizeof room; i += 4096)
        room[i] = (char)i;
    return argument == 0 ? (void *)(intptr_t)(room[0] == 0) : 0;
}

/* Is a thread given the stack it asked for, or the memory it brings? */
TEST(stack_sizes)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    CHECK_EQ(pthread_attr_init(&attributes) | pthread_attr_setstacksize(&attributes, 1 << 20), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, fill_stack, 0), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((intptr_t)result, 1);
    char *memory = map_pages(256, PROT_READ | PROT_WRITE);
    CHECK_EQ(pthread_attr_setstack(&attributes, memory, 256 * PAGE), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, fill_stack, 0), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((intptr_t)result, 1);
    CHECK_EQ(munmap(memory, 256 * PAGE), 0);
}

static atomic_int stop_spinning;
static atomic_long spins;

static void *spin(void *argument)
{
    while (!stop_spinning)
        atomic_fetch_add_explicit(&spins, 1, memory_order_relaxed);
    return argument;
}

/* Is processor time shared with threads that never give it up? */
TEST(preemption)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], 0, spin, 0), 0);
    for (int i = 0; i < 5; i++) {
        long before = spins;
        sleep_ms(20);
        CHECK(spins > before);
    }
    stop_spinning = 1;
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], 0), 0);
}
