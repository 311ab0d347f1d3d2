/* preload.c: malloc and its kin, sampled by bytes.
 *
 * A thread counts down the bytes until its next sample, drawn from an exponential distribution, so
 * that samples are a Poisson process over the bytes allocated: one of s bytes is a sample with the
 * probability 1 - exp(-s / rate), whatever came before, and the guard divides by that. The path of
 * the others is a subtraction and a jump. In the sampled path a thread does not sample itself
 * (`busy`); whatever allocates then goes straight to the next allocator.
 * Before the next allocator is known (dlsym may allocate) a small arena serves; it is never freed.
 */
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct own_state {
    uint64_t random;
    sample_probe *probe;
    bool busy;
} own_state;
static __thread __attribute__((tls_model("initial-exec"))) own_state own;
PER_THREAD uint64_t sample_left;

static uint64_t rate; /* 0: not yet, or not at all */
static bool is_off;

/* ---- until the next allocator is known ---- */

enum { ARENA_BYTES = 64 * 1024 };
static _Alignas(MARK_BYTES) char arena[ARENA_BYTES];
static _Atomic size_t arena_used;

static bool in_arena(const void *p)
{
    return (uintptr_t)p - (uintptr_t)arena < ARENA_BYTES;
}

/* Zeros; the size stands before the block, for realloc. All blocks look marked, so that free and
 * realloc look twice. */
static void *arena_take(size_t n)
{
    if (n > ARENA_BYTES)
        return NULL;
    const size_t whole = (n + 16 + MARK_BYTES - 1) & ~(size_t)(MARK_BYTES - 1);
    const size_t at = atomic_fetch_add(&arena_used, whole);
    if (at + whole > ARENA_BYTES)
        return NULL;
    memcpy(arena + at, &n, sizeof n);
    return arena + at + 16;
}

static void resolve(void);
static bool resolving;

static void *first_malloc(size_t n)
{
    resolve();
    return resolving ? arena_take(n) : stacks_next.malloc(n);
}

static void *first_calloc(size_t n, size_t size)
{
    resolve();
    return !resolving ? stacks_next.calloc(n, size) : arena_take(n * size);
}

static void *first_realloc(void *p, size_t n)
{
    resolve();
    if (!resolving)
        return stacks_next.realloc(p, n);
    void *q = arena_take(n);
    size_t old = 0;
    if (p != NULL)
        memcpy(&old, (char *)p - 16, sizeof old);
    if (q != NULL && p != NULL)
        memcpy(q, p, old < n ? old : n);
    return q;
}

static void first_free(void *p)
{
    resolve();
    if (!resolving && p != NULL && !in_arena(p))
        stacks_next.free(p);
}

static int first_posix_memalign(void **out, size_t align, size_t n)
{
    resolve();
    return resolving ? ENOMEM : stacks_next.posix_memalign(out, align, n);
}

static void *first_aligned_alloc(size_t align, size_t n)
{
    resolve();
    return resolving ? NULL : stacks_next.aligned_alloc(align, n);
}

static void *first_memalign(size_t align, size_t n)
{
    resolve();
    return resolving ? NULL : stacks_next.memalign(align, n);
}

static void *first_valloc(size_t n)
{
    resolve();
    return resolving ? NULL : stacks_next.valloc(n);
}

static void *first_pvalloc(size_t n)
{
    resolve();
    return resolving ? NULL : stacks_next.pvalloc(n);
}

next_allocator stacks_next = {first_malloc,   first_calloc,         first_realloc,
                              first_free,     first_posix_memalign, first_aligned_alloc,
                              first_memalign, first_valloc,         first_pvalloc};

/* The first caller runs alone: the loader calls it before there are threads. */
static void resolve(void)
{
    if (resolving)
        return;
    resolving = true;
    next_allocator n;
    const struct {
        void *to;
        const char *name;
    } names[] = {{&n.malloc, "malloc"},
                 {&n.calloc, "calloc"},
                 {&n.realloc, "realloc"},
                 {&n.free, "free"},
                 {&n.posix_memalign, "posix_memalign"},
                 {&n.aligned_alloc, "aligned_alloc"},
                 {&n.memalign, "memalign"},
                 {&n.valloc, "valloc"},
                 {&n.pvalloc, "pvalloc"}};
    bool all = true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *const f = dlsym(RTLD_NEXT, names[i].name);
        memcpy(names[i].to, &f, sizeof f);
        all &= f != NULL;
    }
    if (!all) { /* nothing to stand on */
        static const char text[] = "libvigil-stacks.so: no allocator behind it\n";
        const ssize_t k = write(STDERR_FILENO, text, sizeof text - 1);
        _exit(k > 0 ? 127 : 126);
    }
    stacks_next = n;
    resolving = false;
}

/* ---- which bytes ---- */

static uint64_t next_random(void)
{
    own.random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    uint64_t z = own.random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* -ln(u), u in (0, 1]: exponent and mantissa apart, ln m = 2 artanh((m - 1) / (m + 1)), m in [1,
 * 2): within 1e-7. libm is no dependency of ours. */
static double minus_log(double u)
{
    uint64_t bits;
    memcpy(&bits, &u, sizeof bits);
    const int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff0000000000000);
    double m;
    memcpy(&m, &bits, sizeof m);
    const double t = (m - 1) / (m + 1), t2 = t * t;
    double sum = 0;
    for (int k = 13; k >= 1; k -= 2)
        sum = sum * t2 + 1.0 / k;
    return -(exponent * 0.6931471805599453 + 2 * t * sum);
}

static uint64_t draw(void)
{
    const double u = (double)((next_random() >> 11) + 1) * 0x1p-53;
    return (uint64_t)(minus_log(u) * (double)rate) + 1;
}

static void seed(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    own.random = ((uint64_t)t.tv_nsec << 20 ^ (uint64_t)t.tv_sec ^ (uint64_t)(uintptr_t)&own ^
                  (uint64_t)getpid() << 40) |
                 1;
}

bool sample_begin(size_t n)
{
    if (is_off)
        sample_left = UINT64_MAX / 2;
    if (own.busy || rate == 0)
        return false;
    if (own.random == 0) {
        seed();
        sample_left = draw();
    }
    if (n < sample_left) {
        sample_left -= n;
        return false;
    }
    sample_left = draw();
    own.busy = n > 0;
    return n > 0;
}

void sample_end(void)
{
    own.busy = false;
}

void sample_watch(sample_probe *seen)
{
    own.probe = seen;
    if (seen != NULL) { /* none passes by: left is drawn anew when it is over */
        sample_left = 0;
        own.random = 0;
    }
}

static void see_probe(size_t n, void *p)
{
    if (own.probe != NULL && own.probe->n == n && own.probe->p == NULL)
        own.probe->p = p;
}

/* A sample is taken of a block that has its mark. */
static void *keep(void *p, size_t n)
{
    const int was = errno;
    if (p != NULL)
        record_add(p, n);
    errno = was;
    sample_end();
    return p;
}

/* ---- what the job calls ---- */

static __attribute__((noinline)) void *slow_malloc(size_t n)
{
    if (!sample_begin(n)) {
        void *p = stacks_next.malloc(n);
        see_probe(n, p);
        return p;
    }
    return keep(stacks_next.memalign(MARK_BYTES, n), n);
}

EXPORTED void *malloc(size_t n)
{
    return LIKELY(sample_pass(n)) ? stacks_next.malloc(n) : slow_malloc(n);
}

EXPORTED void *calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || LIKELY(sample_pass(bytes)) ||
        !sample_begin(bytes))
        return stacks_next.calloc(n, size);
    void *p =
        stacks_next.calloc(n, size); /* zeros of a mapping cost nothing: keep it if it is marked */
    if (p != NULL && !marked(p)) {
        void *q = stacks_next.memalign(MARK_BYTES, bytes);
        if (q != NULL) {
            memset(q, 0, bytes);
            stacks_next.free(p);
            p = q;
        } else {
            sample_end();
            return p;
        }
    }
    return keep(p, bytes);
}

static __attribute__((noinline)) void *slow_realloc(void *p, size_t n)
{
    size_t old = 0;
    if (p == NULL)
        return slow_malloc(n);
    const bool in_arena_ = in_arena(p);
    const bool was = marked(p) && !in_arena_ && record_remove(p, &old);
    if (in_arena_) {
        void *q = stacks_next.malloc(n);
        memcpy(&old, (char *)p - 16, sizeof old);
        return q != NULL ? memcpy(q, p, old < n ? old : n) : NULL;
    }
    const bool wanted = !sample_pass(n) && sample_begin(n);
    void *q = stacks_next.realloc(p, n);
    if (q == NULL) { /* p is as it was, unless n is 0 */
        const int errno_was = errno;
        if (was && n > 0)
            record_add(p, old);
        errno = errno_was;
        if (wanted)
            sample_end();
        return NULL;
    }
    if (!wanted) {
        see_probe(n, q);
        return q;
    }
    if (!marked(q)) {
        void *r = stacks_next.memalign(MARK_BYTES, n);
        if (r == NULL) {
            sample_end();
            return q;
        }
        memcpy(r, q, n);
        stacks_next.free(q);
        q = r;
    }
    return keep(q, n);
}

EXPORTED void *realloc(void *p, size_t n)
{
    if (UNLIKELY(marked(p)) || UNLIKELY(!sample_pass(n)))
        return slow_realloc(p, n); /* marked(NULL), too */
    return stacks_next.realloc(p, n);
}

/* Here because glibc's would call its own realloc behind our back. */
EXPORTED void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

static __attribute__((noinline)) void slow_free(void *p)
{
    size_t n;
    if (p == NULL || in_arena(p))
        return;
    record_remove(p, &n); /* first: once it is free, another thread may get it */
    stacks_next.free(p);
}

EXPORTED void free(void *p)
{
    if (UNLIKELY(marked(p)))
        slow_free(p);
    else
        stacks_next.free(p);
}

static size_t at_least_mark(size_t align)
{
    return align > MARK_BYTES ? align : MARK_BYTES;
}

static bool power_of_two(size_t align)
{
    return align != 0 && (align & (align - 1)) == 0;
}

EXPORTED int posix_memalign(void **out, size_t align, size_t n)
{
    if (!power_of_two(align) || align % sizeof(void *) != 0 || sample_pass(n) || !sample_begin(n))
        return stacks_next.posix_memalign(out, align, n);
    const int why = stacks_next.posix_memalign(out, at_least_mark(align), n);
    keep(why == 0 ? *out : NULL, n);
    return why;
}

EXPORTED void *aligned_alloc(size_t align, size_t n)
{
    if (!power_of_two(align) || sample_pass(n) || !sample_begin(n))
        return stacks_next.aligned_alloc(align, n);
    return keep(stacks_next.memalign(at_least_mark(align), n), n);
}

EXPORTED void *memalign(size_t align, size_t n)
{
    if (!power_of_two(align) || sample_pass(n) || !sample_begin(n))
        return stacks_next.memalign(align, n);
    return keep(stacks_next.memalign(at_least_mark(align), n), n);
}

EXPORTED void *valloc(size_t n)
{
    if (sample_pass(n) || !sample_begin(n))
        return stacks_next.valloc(n);
    return keep(stacks_next.valloc(n), n);
}

EXPORTED void *pvalloc(size_t n)
{
    if (sample_pass(n) || !sample_begin(n))
        return stacks_next.pvalloc(n);
    return keep(stacks_next.pvalloc(n), n);
}

/* ---- start ---- */

static __attribute__((constructor)) void begin(void)
{
    uint64_t asked = 0;
    if (stacks_next.malloc == first_malloc)
        resolve();
    own.busy = true;
    if (record_init(&asked)) {
        unwind_init();
        python_init();
        rate = asked;
    } else {
        is_off = true;
    }
    own.busy = false;
}
