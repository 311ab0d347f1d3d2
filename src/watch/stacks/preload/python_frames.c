/* python_frames.c: see python_frames.h. Nothing of CPython is called, no lock and no memory are
 * taken: what is read may be read in any thread, for its own frames stand still while it is in C.
 */
#include "python_frames.h"

#include <string.h>
#include <sys/uio.h>

enum {
    OBJECT_TYPE = 8,
    SIZED_LENGTH = 16, /* of a bytes object, as of a text */
    BYTES_START = 32,
    TEXT_STATE = 32,
    OWNED_BY_C = 3, /* a frame of the interpreter's own, between Python's */
    FRAME_BYTES = 128,
    CODE_BYTES = 160,
    WINDOW_BYTES = 2048, /* frames that are read by one call of the kernel */
    MOST_CODES = 16,     /* code objects by one */
    MOST_TEXT_HEAD = 80,
    MOST_DEEP = 8 * STACKS_MOST_FRAMES /* a chain that never ends is none */
};

static const python_layout layouts[] = {
    {0x0309, PYTHON_LINES_LNOTAB, 24, PYTHON_NO_OFFSET, 32, 24, 104, PYTHON_NO_OFFSET, 1, 40, 104,
     112, 120, 0, 48, 72},
    {0x030a, PYTHON_LINES_RANGES, 24, PYTHON_NO_OFFSET, 32, 24, 96, PYTHON_NO_OFFSET, 2, 40, 104,
     112, 120, 0, 48, 72},
    {0x030b, PYTHON_LINES_PLACES, 56, 8, 32, 48, 56, PYTHON_NO_OFFSET, 0, 72, 112, 128, 136, 184,
     48, 72},
    {0x030c, PYTHON_LINES_PLACES, 56, 0, 0, 8, 56, 70, 0, 68, 112, 128, 136, 192, 40, 56},
    {0x030d, PYTHON_LINES_PLACES, 72, PYTHON_NO_OFFSET, 0, 8, 56, 70, 0, 68, 112, 128, 136, 200, 40,
     56},
};

/* _Py_DebugOffsets of 3.13, as numbers in a row. */
enum {
    TOLD_VERSION = 1,
    TOLD_NO_LOCK = 2,
    TOLD_STATE_FRAME = 23,
    TOLD_PREVIOUS = 29,
    TOLD_EXECUTABLE = 30,
    TOLD_INSTR = 31,
    TOLD_OWNER = 33,
    TOLD_FILE = 35,
    TOLD_QUALNAME = 37,
    TOLD_LINES = 38,
    TOLD_FIRST_LINE = 39,
    TOLD_INSTRS = 43,
    TOLD_ASCII = 70,
    N_TOLD
};

/* False: it is one without the lock, where frames do not stand still. */
static bool take_told(python_layout *l, const void *runtime)
{
    uint64_t told[N_TOLD];
    memcpy(told, runtime, sizeof told);
    if (memcmp(told, "xdebugpy", 8) != 0 || told[TOLD_VERSION] >> 16 != l->version)
        return true; /* it tells nothing: what its headers say */
    if (told[TOLD_NO_LOCK] != 0)
        return false;
    l->state_frame = (uint16_t)told[TOLD_STATE_FRAME];
    l->frame_previous = (uint16_t)told[TOLD_PREVIOUS];
    l->frame_code = (uint16_t)told[TOLD_EXECUTABLE];
    l->frame_instr = (uint16_t)told[TOLD_INSTR];
    l->frame_owner = (uint16_t)told[TOLD_OWNER];
    l->code_file = (uint16_t)told[TOLD_FILE];
    l->code_name = (uint16_t)told[TOLD_QUALNAME];
    l->code_lines = (uint16_t)told[TOLD_LINES];
    l->code_first_line = (uint16_t)told[TOLD_FIRST_LINE];
    l->code_instrs = (uint16_t)told[TOLD_INSTRS];
    l->text_ascii = (uint16_t)told[TOLD_ASCII];
    l->text_other = (uint16_t)(told[TOLD_ASCII] + 16);
    return true;
}

/* All within what is copied of a frame and of a code object. */
static bool fits(const python_layout *l)
{
    return l->frame_code <= FRAME_BYTES - 8 && l->frame_previous <= FRAME_BYTES - 8 &&
           l->frame_instr <= FRAME_BYTES - 8 &&
           (l->frame_owner == PYTHON_NO_OFFSET || l->frame_owner < FRAME_BYTES) &&
           l->code_file <= CODE_BYTES - 8 && l->code_name <= CODE_BYTES - 8 &&
           l->code_lines <= CODE_BYTES - 8 && l->code_file <= l->code_lines &&
           l->code_name <= l->code_lines && l->code_first_line <= l->code_lines &&
           l->code_first_line <= CODE_BYTES - 4 && l->text_other <= MOST_TEXT_HEAD;
}

bool python_layout_find(python_layout *out, uint32_t version, const void *runtime)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].version == version) {
            *out = layouts[i];
            return (version < 0x030d || runtime == NULL || take_told(out, runtime)) && fits(out);
        }
    return false;
}

/* ---- reading ---- */

bool python_read_at_once(void *out, const void *from, size_t n)
{
    memcpy(out, from, n);
    return true;
}

static pid_t own_pid; /* getpid would be one more call of the kernel */

void python_read_of(pid_t own)
{
    own_pid = own;
}

bool python_read_safely(void *out, const void *from, size_t n)
{
    const struct iovec here = {out, n}, there = {(void *)(uintptr_t)from, n};
    return process_vm_readv(own_pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

bool python_can_read_safely(pid_t own)
{
    static const uint64_t known = UINT64_C(0x76696c6f70);
    uint64_t seen = 0;
    own_pid = own;
    return python_read_safely(&seen, &known, sizeof seen) && seen == known;
}

/* Each of n from its own place, `size` bytes, one after the other. */
static bool read_many(char *out, const void *const *from, size_t n, size_t size, python_read *read)
{
    struct iovec there[MOST_CODES];
    const struct iovec here = {out, n * size};
    if (read == python_read_safely) {
        for (size_t i = 0; i < n; i++)
            there[i] = (struct iovec){(void *)(uintptr_t)from[i], size};
        if (process_vm_readv(own_pid, &here, 1, there, n, 0) == (ssize_t)(n * size))
            return true;
    }
    for (size_t i = 0; i < n; i++)
        if (!read(out + i * size, from[i], size))
            return false;
    return true;
}

static const void *pointer_in(const void *copy, size_t offset)
{
    const void *p;
    memcpy(&p, (const char *)copy + offset, sizeof p);
    return p;
}

/* The end of a text that is too long: files are told by it. What is not ASCII becomes "?". */
static bool copy_text(char *out, size_t room, const void *text, bool keeps_end,
                      const python_layout *l, const python_types *types, python_read *read)
{
    enum { MOST_CHARS = 4 * STACKS_FILE_BYTES };
    char head[MOST_TEXT_HEAD];
    unsigned char chars[MOST_CHARS];
    uint32_t state;
    int64_t length;
    memcpy(out, "?", 2);
    if (text == NULL || !read(head, text, l->text_ascii) ||
        pointer_in(head, OBJECT_TYPE) != types->text)
        return false;
    memcpy(&state, head + TEXT_STATE, sizeof state);
    memcpy(&length, head + SIZED_LENGTH, sizeof length);
    const uint32_t kind = state >> 2 & 7;
    const bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    if (!compact || length < 0 || (kind != 1 && kind != 2 && kind != 4))
        return false;
    const size_t n = (size_t)length, kept = n < room ? n : room - 1;
    const size_t from = keeps_end ? n - kept : 0;
    const char *start = (const char *)text + (ascii ? l->text_ascii : l->text_other);
    if (kept * kind > sizeof chars || !read(chars, start + from * kind, kept * kind))
        return false;
    for (size_t i = 0; i < kept; i++) {
        const unsigned char *c = chars + i * kind;
        bool plain = c[0] >= 32 && c[0] < 127; /* little-endian: the others are 0 */
        for (uint32_t k = 1; k < kind; k++)
            plain &= c[k] == 0;
        out[i] = plain ? (char)c[0] : '?';
    }
    out[kept] = '\0';
    return true;
}

/* ---- frames ---- */

typedef struct frame {
    const void *code, *previous;
    int64_t address; /* of the instruction in the code, in bytes */
    bool is_pythons;
} frame;

/* From 3.11 on the frames of a thread lie one after the other, the outer ones below: what was read
 * for one holds those that follow. */
typedef struct window {
    uintptr_t from;
    size_t n;
    char bytes[WINDOW_BYTES];
} window;

static const void *first_frame(const void *state, const python_layout *l, python_read *read)
{
    const void *p = NULL;
    if (!read(&p, (const char *)state + l->state_frame, sizeof p) || p == NULL)
        return NULL;
    if (l->cframe_frame != PYTHON_NO_OFFSET &&
        !read(&p, (const char *)p + l->cframe_frame, sizeof p))
        return NULL;
    return p;
}

static size_t frame_bytes(const python_layout *l)
{
    size_t n = l->frame_instr + (l->instr_bytes > 0 ? 4u : 8u);
    if (l->frame_owner != PYTHON_NO_OFFSET && l->frame_owner >= n)
        n = l->frame_owner + 1u;
    if (l->frame_code + 8u > n)
        n = l->frame_code + 8u;
    return l->frame_previous + 8u > n ? l->frame_previous + 8u : n;
}

static bool copy_frame(char *copy, window *w, const void *at, const python_layout *l,
                       python_read *read)
{
    const size_t n = frame_bytes(l);
    const uintptr_t p = (uintptr_t)at;
    if (read == python_read_at_once || l->instr_bytes > 0)
        return read(copy, at, n);
    if (p < w->from || p + n > w->from + w->n) {
        const uintptr_t page = p & ~(uintptr_t)4095; /* below it nothing may be mapped */
        w->from = p + n > page + WINDOW_BYTES ? p + n - WINDOW_BYTES : page;
        w->n = p + n - w->from;
        if (!read(w->bytes, (const void *)w->from, w->n)) {
            w->n = 0;
            return false;
        }
    }
    memcpy(copy, w->bytes + (p - w->from), n);
    return true;
}

static bool read_frame(frame *out, window *w, const void *at, const python_layout *l,
                       python_read *read)
{
    char copy[FRAME_BYTES];
    if (!copy_frame(copy, w, at, l, read))
        return false;
    *out = (frame){.code = pointer_in(copy, l->frame_code),
                   .previous = pointer_in(copy, l->frame_previous),
                   .is_pythons =
                       l->frame_owner == PYTHON_NO_OFFSET || copy[l->frame_owner] != OWNED_BY_C};
    if (l->instr_bytes > 0) {
        int32_t count;
        memcpy(&count, copy + l->frame_instr, sizeof count);
        out->address = (int64_t)count * l->instr_bytes;
    } else {
        out->address = (int64_t)((uintptr_t)pointer_in(copy, l->frame_instr) -
                                 (uintptr_t)out->code - l->code_instrs);
    }
    return true;
}

/* -1: none. */
static int line_of(const char *code, int64_t address, const python_layout *l,
                   const python_types *types, python_read *read)
{
    const void *table = pointer_in(code, l->code_lines);
    char head[BYTES_START];
    int64_t length;
    int32_t first;
    if (table == NULL || !read(head, table, sizeof head) ||
        pointer_in(head, OBJECT_TYPE) != types->bytes)
        return -1;
    memcpy(&length, head + SIZED_LENGTH, sizeof length);
    memcpy(&first, code + l->code_first_line, sizeof first);
    return length < 0 ? -1
                      : python_line_find(l->lines, read, (const char *)table + BYTES_START,
                                         (size_t)length, first, address);
}

/* ---- what was read before ---- */

/* A frame of the same code object, with the same name, file and table of lines, is the same one:
 * a name is copied and a table gone through once. */
typedef struct known {
    _Atomic uint32_t busy; /* who finds it so goes on without */
    int32_t pid;           /* numbers of names are those of its table */
    const void *code, *name, *file, *lines;
    int64_t address;
    uint64_t told;
} known;
enum { N_KNOWN = 512 };
static known all_known[N_KNOWN];

void python_frames_forget(void)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        all_known[i].pid = 0;
        atomic_store_explicit(&all_known[i].busy, 0, memory_order_relaxed);
    }
}

static known *place_of(const void *code, int64_t address)
{
    const uint64_t h =
        ((uint64_t)(uintptr_t)code + (uint64_t)address) * UINT64_C(0x9e3779b97f4a7c15);
    return &all_known[h >> 55];
}
_Static_assert(N_KNOWN == 1 << (64 - 55), "place_of");

static bool claim_known(known *k)
{
    uint32_t was = 0;
    return atomic_compare_exchange_strong_explicit(&k->busy, &was, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void leave_known(known *k)
{
    atomic_store_explicit(&k->busy, 0, memory_order_release);
}

static uint64_t tell_frame(stacks_table *t, const frame *f, const char *code,
                           const python_layout *l, const python_types *types, python_read *read)
{
    char function[STACKS_FUNCTION_BYTES], file[STACKS_FILE_BYTES];
    known *k = place_of(f->code, f->address);
    known now = {.pid = t->header.pid,
                 .code = f->code,
                 .name = pointer_in(code, l->code_name),
                 .file = pointer_in(code, l->code_file),
                 .lines = pointer_in(code, l->code_lines),
                 .address = f->address};
    if (claim_known(k)) {
        const bool is_same = k->pid == now.pid && k->code == now.code && k->name == now.name &&
                             k->file == now.file && k->lines == now.lines &&
                             k->address == now.address;
        now.told = k->told;
        leave_known(k);
        if (is_same)
            return now.told;
    }
    const bool has_name = copy_text(function, sizeof function, now.name, false, l, types, read),
               has_file = copy_text(file, sizeof file, now.file, true, l, types, read);
    const int line = line_of(code, f->address, l, types, read);
    const uint32_t name = record_name(t, function, file);
    now.told = STACKS_PYTHON << 48 |
               (uint64_t)((uint32_t)(line > 0 ? line : 0) & STACKS_NAME) << 24 | name;
    if (has_name && has_file && name > 0 && claim_known(k)) {
        k->pid = now.pid;
        k->code = now.code;
        k->name = now.name;
        k->file = now.file;
        k->lines = now.lines;
        k->address = now.address;
        k->told = now.told;
        leave_known(k);
    }
    return now.told;
}

/* ---- the chain ---- */

/* Python's next frames, up to `room` of them. */
static uint32_t next_frames(frame *out, uint32_t room, const void **at, window *w,
                            const python_layout *l, python_read *read)
{
    uint32_t n = 0;
    for (uint32_t deep = 0; *at != NULL && n < room && deep < MOST_DEEP; deep++) {
        if (!read_frame(&out[n], w, *at, l, read) || out[n].code == NULL) {
            *at = NULL;
            break;
        }
        *at = out[n].previous;
        n += out[n].is_pythons;
    }
    return n;
}

uint32_t python_frames_walk(uint64_t *out, uint32_t room, stacks_table *t, const void *state,
                            const python_layout *l, const python_types *types, python_read *read)
{
    const size_t size = l->code_lines + 8u;
    const void *at = first_frame(state, l, read);
    window w = {.n = 0};
    uint32_t n = 0;
    while (at != NULL && n < room) {
        frame f[MOST_CODES];
        const void *codes[MOST_CODES];
        char copies[MOST_CODES * CODE_BYTES];
        const uint32_t left = room - n;
        const uint32_t k = next_frames(f, left < MOST_CODES ? left : MOST_CODES, &at, &w, l, read);
        for (uint32_t i = 0; i < k; i++)
            codes[i] = f[i].code;
        if (k == 0 || !read_many(copies, codes, k, size, read))
            break;
        for (uint32_t i = 0; i < k; i++) {
            const char *code = copies + i * size;
            if (pointer_in(code, OBJECT_TYPE) != types->code)
                return n;
            out[n++] = tell_frame(t, &f[i], code, l, types, read);
        }
    }
    return n;
}

python_checked python_frames_check(const void *state, const python_layout *l,
                                   const python_types *types, python_read *read)
{
    char text[STACKS_FILE_BYTES], code[CODE_BYTES];
    const void *at = first_frame(state, l, read);
    window w = {.n = 0};
    uint32_t n = 0;
    while (at != NULL && n < STACKS_MOST_FRAMES) {
        frame f;
        if (next_frames(&f, 1, &at, &w, l, read) == 0)
            break;
        if (!read(code, f.code, l->code_lines + 8u) ||
            pointer_in(code, OBJECT_TYPE) != types->code ||
            !copy_text(text, sizeof text, pointer_in(code, l->code_name), false, l, types, read) ||
            !copy_text(text, sizeof text, pointer_in(code, l->code_file), true, l, types, read) ||
            line_of(code, f.address, l, types, read) !=
                types->line((void *)(uintptr_t)f.code, (int)f.address))
            return PYTHON_OTHERWISE;
        n++;
    }
    return n > 0 ? PYTHON_AS_EXPECTED : PYTHON_NO_FRAME;
}
