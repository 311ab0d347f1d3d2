/* thread.h: threads that have a name and take no signals, and waits that no change of the clock
 * stretches. The threads are the system's own: they are joined by pthread_join. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vigil/error.h"

/* Starts a thread that runs run(of) with every signal blocked: signals are for the program's own
 * threads, and no handler should run in the middle of ours. name is what ps and a debugger show, of
 * which the kernel keeps 15 bytes. stack_bytes 0 is the system's default. *out is to be joined or
 * detached.
 * Errors: VG_ERR_SYSTEM (too many processes or too little memory). */
vg_status base_thread_start(pthread_t *out, const char *name, size_t stack_bytes,
                            void *(*run)(void *), void *of, vg_error *err);

/* Blocks every signal in the calling thread, and so in the threads that a library starts from it,
 * until base_signals_restore. */
void base_signals_block(sigset_t *before);
void base_signals_restore(const sigset_t *before);

/* A condition whose deadlines are those of base_now_ns; pthread_cond_destroy ends it. */
void base_cond_init(pthread_cond_t *c);

/* Waits, under the lock, for a signal until base_now_ns() is deadline_ns (INT64_MAX: for ever).
 * False when the deadline passed. True may also be a wake-up for nothing, so ask in a loop. */
bool base_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline_ns);

#endif
