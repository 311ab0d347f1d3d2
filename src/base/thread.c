/* thread.c: what pthreads ask of every caller, written once. */
#include "thread.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "status.h"

enum { NAME_BYTES = 16 }; /* the kernel's limit, with the NUL */

void base_signals_block(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void base_signals_restore(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

vg_status base_thread_start(pthread_t *out, const char *name, size_t stack_bytes,
                            void *(*run)(void *), void *of, vg_error *err)
{
    pthread_attr_t how;
    pthread_attr_init(&how);
    if (stack_bytes > 0)
        pthread_attr_setstacksize(&how, stack_bytes);
    sigset_t before;
    base_signals_block(&before); /* a thread starts with the mask of the one that made it */
    const int failed = pthread_create(out, &how, run, of);
    base_signals_restore(&before);
    pthread_attr_destroy(&how);
    if (failed != 0) {
        errno = failed;
        return base_fail_errno(err, VG_ERR_SYSTEM, NULL,
                               "raise the limit of processes (ulimit -u), or stop others",
                               "the thread %s cannot be started", name);
    }
    char short_name[NAME_BYTES] = {0};
    memcpy(short_name, name, strnlen(name, NAME_BYTES - 1));
    pthread_setname_np(*out, short_name);
    return VG_OK;
}

void base_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t how;
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(c, &how);
    pthread_condattr_destroy(&how);
}

bool base_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX)
        return pthread_cond_wait(c, lock) == 0;
    const struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000),
                                   .tv_nsec = (long)(deadline_ns % 1000000000)};
    return pthread_cond_timedwait(c, lock, &until) != ETIMEDOUT;
}
