/* preload.h: inside libvigil-stacks.so, the allocation sampler that is preloaded into the job.
 *
 * It stands alone: libc and nothing else, no floor of ours, and no allocation but of the job's own.
 *   preload.c   malloc and its kin: counts bytes, and hands every so many of them to the others
 *   record.c    the shared table: opens it, finds stacks and live samples
 *   unwind.c    who calls
 *   python.c    who calls in CPython, and its small objects, which never come to malloc; by
 *               python_frames.c, which knows where versions keep their frames, and python_lines.c
 */
#ifndef WATCH_STACKS_PRELOAD_H
#define WATCH_STACKS_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "layout.h"

#define LIKELY(x)   __builtin_expect((x), 1)
#define UNLIKELY(x) __builtin_expect((x), 0)
#define EXPORTED    __attribute__((visibility("default")))
#define PER_THREAD  __thread __attribute__((tls_model("initial-exec"), visibility("hidden")))

/* The sampled are known by their address, so that free() must look up only few: either MARK aligned
 * (a sample is allocated so), or 16 past a page, where glibc puts what it maps. 1 of 128 others
 * looks the same, and is looked up in vain. */
enum { MARK_BYTES = 4096 };
static inline bool marked(const void *p)
{
    return ((uintptr_t)p & (MARK_BYTES - 1) & ~(uintptr_t)16) == 0;
}

/* ---- preload.c ---- */

/* The allocator below: the next library's, once it is known. */
typedef struct next_allocator {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
} next_allocator;
extern next_allocator stacks_next;

/* Counts n bytes of this thread. True: they are to be sampled; then sample_end must follow. */
bool sample_begin(size_t n);
void sample_end(void);
/* The path of nearly all: true when n bytes hold no sample; then they are counted. */
extern PER_THREAD uint64_t sample_left; /* bytes until this thread's next sample */
static inline bool sample_pass(size_t n)
{
    if (UNLIKELY(n >= sample_left))
        return false;
    sample_left -= n;
    return true;
}
/* Everything of this thread's goes unsampled to `seen` until the next call with NULL: how python.c
 * finds out what the allocator above does with a request. */
typedef struct sample_probe {
    size_t n;
    void *p; /* what the request of n bytes got; NULL: none came */
} sample_probe;
void sample_watch(sample_probe *seen);

/* ---- record.c ---- */

/* From the environment; false: not wanted. */
bool record_init(uint64_t *rate_bytes);
void record_add(const void *p, size_t n);
/* False: p was no sample. *n: its bytes. */
bool record_remove(const void *p, size_t *n);

/* ---- unwind.c, python.c: into frame, of which n are written ---- */

void unwind_init(void);
/* The innermost callers, up to the interpreter's loop if `ends_at_loop`; a note where there were
 * more. */
uint32_t unwind(uint64_t *frame, uint32_t room, bool ends_at_loop, stacks_table *t);
void python_init(void);
/* The innermost Python frames of this thread, if it runs CPython, or a note that it runs none;
 * looks after its hooks, too. */
uint32_t python_frames(uint64_t *frame, uint32_t room, stacks_table *t);
/* A child's table has names of its own. */
void python_forget(void);
/* Start of the interpreter's loop: callers beyond it are CPython's own. */
uintptr_t python_loop(void);

/* The number of a Python function in the table. 0: no room. */
uint32_t record_name(stacks_table *t, const char *function, const char *file);
uint64_t record_frame(stacks_table *t, uintptr_t pc);

#endif
