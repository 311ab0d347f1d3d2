/* python.c: CPython 3.9 to 3.13: its callers, and its small objects.
 *
 * Frames: a sampled allocation reads the chain of frames of its own thread (python_frames.c) and
 * copies names. A thread that holds the interpreter's lock reads them where they are. One that gave
 * the lock away (ctypes, numpy, most of torch) has frames that stand still as well, but the
 * interpreter may be ending under it: it reads through the kernel, and asks for its state by the
 * thread's own key. Before the layout is believed, its first frames are compared with what CPython
 * says of them; a build that has it otherwise, and other versions, get native frames alone.
 *
 * Small objects (up to 512 bytes) live in arenas that CPython maps, and never come to malloc. So
 * its allocator is wrapped by the documented PyMem_SetAllocator, once it is known to hand larger
 * ones on to malloc as they are (tried out: a debug allocator above would not). A sampled small
 * object is then taken from malloc, marked, instead; CPython's own free and realloc pass on what is
 * in no arena, so only allocating is wrapped (what a realloc adds within an arena is not counted:
 * to look at each would cost more than it tells). */
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "python_frames.h"

enum { SMALL_BYTES = 512, DOMAIN_MEM = 1, DOMAIN_OBJ = 2 };

typedef struct py_allocator {
    void *ctx;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
} py_allocator;

static struct {
    uint32_t version;         /* 0: no CPython */
    _Atomic int32_t seen;     /* stacks_python */
    bool reads_safely;        /* through the kernel */
    void *(*state)(void);     /* 3.9 to 3.11: of whichever thread runs; later: of this one */
    void *(*own_state)(void); /* of this thread, with the lock or without */
    int (*is_initialized)(void);
    void (*get)(int, py_allocator *);
    void (*set)(int, py_allocator *);
    python_layout layout;
    python_types types;
    uintptr_t loop;
    py_allocator old;
} py;

static bool find(void *to, const char *name)
{
    void *const f = dlsym(RTLD_DEFAULT, name);
    memcpy(to, &f, sizeof f);
    return f != NULL;
}

/* "3.13.0 (main, ..." is 0x030d; "3.14.0a1", which may change yet, is told by *is_final. */
static uint32_t parse_version(const char *text, bool *is_final)
{
    char *end;
    const unsigned long major = strtoul(text, &end, 10);
    const unsigned long minor = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
    const unsigned long micro = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
    *is_final = *end != 'a' && *end != 'b' && micro < 1000;
    return (uint32_t)((major & 255) << 8 | (minor & 255));
}

void python_init(void)
{
    const char *(*version)(void);
    const void *runtime = NULL;
    bool is_final;
    if (!find(&version, "Py_GetVersion") || !find(&py.is_initialized, "Py_IsInitialized"))
        return;
    py.version = parse_version(version(), &is_final);
    find(&runtime, "_PyRuntime");
    const bool is_known = is_final && python_layout_find(&py.layout, py.version, runtime);
    const bool is_whole =
        (find(&py.state, "_PyThreadState_UncheckedGet") ||
         find(&py.state, "PyThreadState_GetUnchecked")) &&
        find(&py.own_state, "PyGILState_GetThisThreadState") &&
        find(&py.types.line, "PyCode_Addr2Line") && find(&py.get, "PyMem_GetAllocator") &&
        find(&py.set, "PyMem_SetAllocator") && find(&py.types.code, "PyCode_Type") &&
        find(&py.types.text, "PyUnicode_Type") && find(&py.types.bytes, "PyBytes_Type") &&
        find(&py.loop, "_PyEval_EvalFrameDefault");
    py.seen = is_known && is_whole ? STACKS_PYTHON_STARTS : STACKS_PYTHON_UNKNOWN;
}

uintptr_t python_loop(void)
{
    return py.loop;
}

/* ---- small objects ---- */

static __attribute__((noinline)) void *sampled_object(void *ctx, size_t n)
{
    if (!sample_begin(n))
        return py.old.malloc(ctx, n);
    const int was = errno;
    void *p = stacks_next.memalign(MARK_BYTES, n);
    if (p != NULL)
        record_add(p, n);
    errno = was;
    sample_end();
    return p != NULL ? p : py.old.malloc(ctx, n);
}

/* Larger ones are counted when they come to malloc. */
static void *hook_malloc(void *ctx, size_t n)
{
    return LIKELY(n > SMALL_BYTES || sample_pass(n)) ? py.old.malloc(ctx, n)
                                                     : sampled_object(ctx, n);
}

static void *hook_calloc(void *ctx, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SMALL_BYTES || sample_pass(bytes))
        return py.old.calloc(ctx, n, size);
    void *p = sampled_object(ctx, bytes);
    return p != NULL ? memset(p, 0, bytes) : NULL;
}

/* What the allocator makes of a request: handed on to malloc as it is? */
static bool hands_on(const py_allocator *a, size_t n)
{
    sample_probe seen = {.n = n};
    sample_watch(&seen);
    void *p = a->malloc(a->ctx, n);
    sample_watch(NULL);
    const bool is_same = p != NULL && seen.p == p;
    if (p != NULL)
        a->free(a->ctx, p);
    return is_same;
}

/* False: its small objects stay unseen. */
static bool wrap_allocator(void)
{
    py_allocator mem, obj;
    py.get(DOMAIN_MEM, &mem);
    py.get(DOMAIN_OBJ, &obj);
    if (!hands_on(&obj, SMALL_BYTES + 88))
        return false;
    if (hands_on(&obj, 64)) /* PYTHONMALLOC=malloc: all are seen anyway */
        return true;
    if (memcmp(&mem, &obj, sizeof mem) != 0)
        return false;
    py.old = obj;
    obj.malloc = hook_malloc;
    obj.calloc = hook_calloc;
    py.set(DOMAIN_MEM, &obj);
    py.set(DOMAIN_OBJ, &obj);
    return true;
}

/* ---- frames ---- */

/* Once, by the first sample of a thread that holds the lock and has frames. */
static int32_t begin(const void *state, stacks_table *t)
{
    py.reads_safely = python_can_read_safely(t->header.pid);
    switch (python_frames_check(state, &py.layout, &py.types,
                                py.reads_safely ? python_read_safely : python_read_at_once)) {
    case PYTHON_NO_FRAME:
        return STACKS_PYTHON_STARTS;
    case PYTHON_OTHERWISE:
        return wrap_allocator() ? STACKS_PYTHON_OBJECTS : STACKS_PYTHON_OTHERWISE;
    case PYTHON_AS_EXPECTED:
        return wrap_allocator() ? STACKS_PYTHON_WHOLE : STACKS_PYTHON_FRAMES;
    }
    return STACKS_PYTHON_OTHERWISE;
}

static uint32_t read_frames(uint64_t *out, uint32_t room, stacks_table *t)
{
    const void *own = py.own_state();
    const void *running = py.state();
    const bool has_lock = running != NULL && (running == own || py.version >= 0x030c);
    if (has_lock && py.seen == STACKS_PYTHON_STARTS && py.is_initialized())
        py.seen = begin(running, t);
    if (py.seen != STACKS_PYTHON_FRAMES && py.seen != STACKS_PYTHON_WHOLE)
        return 0;
    if (has_lock)
        return python_frames_walk(out, room, t, running, &py.layout, &py.types,
                                  python_read_at_once);
    if (!py.is_initialized()) /* it ends: threads that outlive it have nothing to read any more */
        return 0;
    if (own == NULL) {
        out[0] = STACKS_NOTE << 48 | STACKS_NOTE_NO_PYTHON;
        return 1;
    }
    if (!py.reads_safely) {
        atomic_fetch_add_explicit(&t->header.n_unread, 1, memory_order_relaxed);
        return 0;
    }
    python_read_of(t->header.pid);
    return python_frames_walk(out, room, t, own, &py.layout, &py.types, python_read_safely);
}

void python_forget(void)
{
    python_frames_forget();
}

uint32_t python_frames(uint64_t *out, uint32_t room, stacks_table *t)
{
    if (py.version == 0)
        return 0;
    const uint32_t n = py.seen == STACKS_PYTHON_UNKNOWN ? 0 : read_frames(out, room, t);
    t->header.python_version = py.version;
    t->header.python = py.seen;
    return n;
}
