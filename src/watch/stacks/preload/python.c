/* python.c: CPython 3.11: its callers, and its small objects.
 *
 * Frames: a sampled allocation of a thread that holds the interpreter's lock reads its chain of
 * frames where 3.11 has them (the offsets below, of Include/cpython/code.h, internal/pycore_frame.h
 * and cpython/pystate.h) and copies names; nothing is called but PyCode_Addr2Line, which takes no
 * memory. Other versions have other offsets and get native frames alone.
 *
 * Small objects (up to 512 bytes) live in arenas that CPython maps, and never come to malloc. So
 * its allocator is wrapped by the documented PyMem_SetAllocator, once it is known to hand larger
 * ones on to malloc as they are (tried out: a debug allocator above would not). A sampled small
 * object is then taken from malloc, marked, instead; CPython's own free and realloc pass on what is
 * in no arena, so only allocating is wrapped (what a realloc adds within an arena is not counted:
 * to look at each would cost more than it tells). */
#include "preload.h"

#include <dlfcn.h>
#include <string.h>

enum { VERSION = 0x030b, SMALL_BYTES = 512, DOMAIN_MEM = 1, DOMAIN_OBJ = 2 };
enum {
    STATE_CFRAME = 56,
    CFRAME_FRAME = 8,
    FRAME_CODE = 32,
    FRAME_PREVIOUS = 48,
    FRAME_INSTR = 56,
    OBJECT_TYPE = 8,
    CODE_FILE = 112,
    CODE_QUALNAME = 128,
    CODE_INSTRS = 184,
    TEXT_LENGTH = 16,
    TEXT_STATE = 32,
    TEXT_ASCII = 48,
    TEXT_OTHER = 72
};

typedef struct py_allocator {
    void *ctx;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
} py_allocator;

static struct {
    bool is_there;
    int32_t seen;             /* as stacks_header.python */
    void *(*state)(void);     /* of whichever thread runs */
    void *(*own_state)(void); /* of this thread */
    int (*is_initialized)(void);
    int (*line)(void *, int);
    void (*get)(int, py_allocator *);
    void (*set)(int, py_allocator *);
    const void *code_type, *text_type;
    uintptr_t loop;
    py_allocator old;
} py;

static bool find(void *to, const char *name)
{
    void *const f = dlsym(RTLD_DEFAULT, name);
    memcpy(to, &f, sizeof f);
    return f != NULL;
}

void python_init(void)
{
    const unsigned long *version;
    py.is_there = find(&version, "Py_Version") && *version >> 16 == VERSION &&
                  find(&py.state, "_PyThreadState_UncheckedGet") &&
                  find(&py.own_state, "PyGILState_GetThisThreadState") &&
                  find(&py.is_initialized, "Py_IsInitialized") &&
                  find(&py.line, "PyCode_Addr2Line") && find(&py.get, "PyMem_GetAllocator") &&
                  find(&py.set, "PyMem_SetAllocator") && find(&py.code_type, "PyCode_Type") &&
                  find(&py.text_type, "PyUnicode_Type") &&
                  find(&py.loop, "_PyEval_EvalFrameDefault");
}

uintptr_t python_loop(void)
{
    return py.is_there ? py.loop : 0;
}

/* ---- small objects ---- */

static __attribute__((noinline)) void *sampled_object(void *ctx, size_t n)
{
    if (!sample_begin(n))
        return py.old.malloc(ctx, n);
    void *p = stacks_next.memalign(MARK_BYTES, n);
    if (p != NULL)
        record_add(p, n);
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

static bool wrap_allocator(void)
{
    py_allocator mem, obj;
    py.get(DOMAIN_MEM, &mem);
    py.get(DOMAIN_OBJ, &obj);
    if (memcmp(&mem, &obj, sizeof mem) != 0 || !hands_on(&obj, SMALL_BYTES + 88) ||
        hands_on(&obj, 64)) /* with PYTHONMALLOC=malloc all are seen anyway */
        return false;
    py.old = obj;
    obj.malloc = hook_malloc;
    obj.calloc = hook_calloc;
    py.set(DOMAIN_MEM, &obj);
    py.set(DOMAIN_OBJ, &obj);
    return true;
}

/* ---- frames ---- */

static const void *pointer_at(const void *base, size_t offset)
{
    const void *p;
    memcpy(&p, (const char *)base + offset, sizeof p);
    return p;
}

/* The end of a text that is too long: files are told by it. What is not ASCII becomes "?". */
static void copy_text(char *out, size_t room, const void *text, bool keeps_end)
{
    static const char unknown[] = "?";
    memcpy(out, unknown, sizeof unknown);
    if (text == NULL || pointer_at(text, OBJECT_TYPE) != py.text_type)
        return;
    uint32_t state;
    int64_t length;
    memcpy(&state, (const char *)text + TEXT_STATE, sizeof state);
    memcpy(&length, (const char *)text + TEXT_LENGTH, sizeof length);
    const uint32_t kind = state >> 2 & 7;
    const bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    if (!compact || length < 0 || (kind != 1 && kind != 2 && kind != 4))
        return;
    const unsigned char *chars = (const unsigned char *)text + (ascii ? TEXT_ASCII : TEXT_OTHER);
    const size_t n = (size_t)length, kept = n < room ? n : room - 1;
    const size_t from = keeps_end ? n - kept : 0;
    for (size_t i = 0; i < kept; i++) {
        const unsigned char *c = chars + (from + i) * kind;
        bool plain = c[0] >= 32 && c[0] < 127; /* little-endian: the others are 0 */
        for (uint32_t k = 1; k < kind; k++)
            plain &= c[k] == 0;
        out[i] = plain ? (char)c[0] : '?';
    }
    out[kept] = '\0';
}

static uint64_t python_frame(stacks_table *t, const void *frame, const void *code)
{
    char function[STACKS_FUNCTION_BYTES], file[STACKS_FILE_BYTES];
    copy_text(function, sizeof function, pointer_at(code, CODE_QUALNAME), false);
    copy_text(file, sizeof file, pointer_at(code, CODE_FILE), true);
    const char *at = pointer_at(frame, FRAME_INSTR);
    const int line =
        py.line((void *)(uintptr_t)code, (int)(at - ((const char *)code + CODE_INSTRS)));
    return STACKS_PYTHON << 48 | (uint64_t)((uint32_t)(line > 0 ? line : 0) & STACKS_NAME) << 24 |
           record_name(t, function, file);
}

uint32_t python_frames(uint64_t *out, uint32_t room, stacks_table *t)
{
    if (!py.is_there)
        return 0;
    const void *state = py.state();
    if (state == NULL || state != py.own_state()) /* another thread runs: its frames may change */
        return 0;
    if (py.seen == 0 && py.is_initialized())
        py.seen = wrap_allocator() ? 2 : 1;
    t->header.python = py.seen;
    const void *cframe = pointer_at(state, STATE_CFRAME);
    const void *frame = cframe != NULL ? pointer_at(cframe, CFRAME_FRAME) : NULL;
    uint32_t n = 0;
    for (; frame != NULL && n < room; frame = pointer_at(frame, FRAME_PREVIOUS)) {
        const void *code = pointer_at(frame, FRAME_CODE);
        if (code == NULL || pointer_at(code, OBJECT_TYPE) != py.code_type)
            break;
        out[n++] = python_frame(t, frame, code);
    }
    return n;
}
