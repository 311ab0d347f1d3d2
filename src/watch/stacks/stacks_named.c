/* stacks_named.c: frames to names, and who a stack is about. */
#include "stacks_named.h"

#include <string.h>

#include "symbols.h"

enum {
    MOST_FRAMES = 16384,
    INDEX_PLACES = 4 * MOST_FRAMES,
    MOST_LINES = 2 * MOST_FRAMES,
    MOST_TEXT = 16 << 20
};

static vg_status add_text(uint32_t *at, watch_named *n, const char *text, base_mem *mem,
                          vg_error *err)
{
    *at = 0;
    if (text[0] == '\0')
        return VG_OK;
    *at = (uint32_t)n->text.length;
    return base_str_add_bytes(&n->text, MOST_TEXT, text, strlen(text) + 1, mem, err);
}

static vg_status add_line(watch_named *n, const char *function, const char *file, int line,
                          base_mem *mem, vg_error *err)
{
    watch_named_line *l = &n->lines[n->n_lines];
    vg_status st = add_text(&l->function, n, function, mem, err);
    if (st == VG_OK)
        st = add_text(&l->file, n, file, mem, err);
    l->line = line;
    n->n_lines += st == VG_OK;
    return st;
}

static size_t place_of(const watch_named *n, uint64_t frame)
{
    size_t i = (frame * UINT64_C(0x9e3779b97f4a7c15) >> 40) % INDEX_PLACES;
    while (n->index[i] != 0 && n->frames[n->index[i] - 1].frame != frame)
        i = (i + 1) % INDEX_PLACES;
    return i;
}

const watch_named_frame *watch_named_find(const watch_named *n, uint64_t frame)
{
    const uint32_t i = n->index[place_of(n, frame)];
    return i != 0 ? &n->frames[i - 1] : NULL;
}

static vg_status add_frame(watch_named *n, watch_stacks *s, watch_symbols *symbols, uint64_t frame,
                           base_mem *mem, vg_error *err)
{
    vg_status st = VG_OK;
    watch_symbol found[WATCH_MOST_INLINED];
    const size_t place = place_of(n, frame);
    if (n->index[place] != 0 || n->n_frames == MOST_FRAMES ||
        n->n_lines + WATCH_MOST_INLINED > MOST_LINES)
        return VG_OK;
    watch_named_frame f = {.frame = frame, .first = (uint32_t)n->n_lines};
    if (frame >> 48 == STACKS_PYTHON) {
        const char *function, *file;
        watch_stacks_python(s, frame, &function, &file);
        st = add_line(n, function, file, (int)(frame >> 24 & STACKS_NAME), mem, err);
    } else if (frame >> 48 == STACKS_NOTE) {
        st = add_line(n,
                      (frame & STACKS_LOW) == STACKS_NOTE_NO_PYTHON
                          ? "[a thread that runs no Python]"
                          : "[more native frames]",
                      "", 0, mem, err);
    } else {
        const size_t k =
            watch_symbols_find(found, symbols, watch_stacks_module(s, frame), frame & STACKS_LOW);
        for (size_t i = 0; i < k && st == VG_OK; i++)
            st = add_line(n, found[i].function, found[i].file, found[i].line, mem, err);
    }
    f.n = (uint32_t)n->n_lines - f.first;
    n->frames[n->n_frames++] = f;
    n->index[place] = (uint32_t)n->n_frames;
    return st;
}

/* Names that say how memory was taken, not what for. */
static bool is_allocator(const char *function)
{
    static const char *const beginnings[] = {"_Znw",
                                             "_Zna",
                                             "operator new",
                                             "std::",
                                             "_ZNSt",
                                             "_ZSt",
                                             "__gnu_cxx",
                                             "_ZN9__gnu",
                                             "g_malloc",
                                             "g_slice",
                                             "g_realloc",
                                             "PyMem_",
                                             "_PyMem_",
                                             "PyObject_Malloc",
                                             "PyObject_Calloc",
                                             "PyObject_Realloc",
                                             "_PyObject_"};
    static const char *const whole[] = {
        "malloc",    "calloc",     "realloc",    "reallocarray",
        "strdup",    "__strdup",   "strndup",    "__strndup",
        "xmalloc",   "xcalloc",    "xrealloc",   "xstrdup",
        "getline",   "__getdelim", "asprintf",   "__vasprintf_internal",
        "av_malloc", "av_mallocz", "av_realloc", "posix_memalign"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (base_starts_with(function, beginnings[i]))
            return true;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(function, whole[i]) == 0)
            return true;
    return strchr(function, '+') != NULL; /* nothing but an offset: look further out first */
}

void watch_named_words(char *buf, size_t n_buf, const watch_named *n, const watch_named_line *l)
{
    const char *file = l != NULL ? watch_named_text(n, l->file) : "";
    if (file[0] != '\0')
        base_format(buf, n_buf, "%s (%s:%d)", watch_named_text(n, l->function),
                    base_path_name(file), l->line);
    else
        base_format(buf, n_buf, "%s", l != NULL ? watch_named_text(n, l->function) : "?");
}

const watch_named_line *watch_named_who(const watch_named *n, const watch_stack *k)
{
    const watch_named_line *native = NULL, *first = NULL;
    for (uint32_t f = 0; f < k->n_frames; f++) {
        const watch_named_frame *frame =
            k->frame[f] >> 48 != STACKS_NOTE ? watch_named_find(n, k->frame[f]) : NULL;
        for (uint32_t i = 0; frame != NULL && i < frame->n; i++) {
            const watch_named_line *l = &n->lines[frame->first + i];
            if (k->frame[f] >> 48 == STACKS_PYTHON)
                return l;
            first = first != NULL ? first : l;
            if (native == NULL && !is_allocator(watch_named_text(n, l->function)))
                native = l;
        }
    }
    return native != NULL ? native : first;
}

/* Installed ones: what a job's own code calls. */
static bool is_library(const char *file)
{
    return file[0] == '<' || strstr(file, "/site-packages/") != NULL ||
           strstr(file, "/dist-packages/") != NULL || strstr(file, "/lib/python") != NULL;
}

const watch_named_line *watch_named_from(const watch_named *n, const watch_stack *k)
{
    bool is_first = true;
    for (uint32_t f = 0; f < k->n_frames; f++) {
        if (k->frame[f] >> 48 != STACKS_PYTHON)
            continue;
        const watch_named_frame *frame = watch_named_find(n, k->frame[f]);
        if (frame != NULL && frame->n > 0 &&
            !is_library(watch_named_text(n, n->lines[frame->first].file)))
            return is_first ? NULL : &n->lines[frame->first];
        is_first = false;
    }
    return NULL;
}

void watch_named_both(char *buf, size_t n_buf, const watch_named *n, const watch_named_line *who,
                      const watch_named_line *from)
{
    watch_named_words(buf, n_buf, n, who);
    const size_t length = strlen(buf);
    if (from == NULL || length + 8 > n_buf)
        return;
    base_format(buf + length, n_buf - length, " from ");
    watch_named_words(buf + length + 6, n_buf - length - 6, n, from);
}

/* ---- groups ---- */

static bool same_function(const watch_named *n, const watch_named_line *a,
                          const watch_named_line *b)
{
    if (a == b || a == NULL || b == NULL)
        return a == b;
    return strcmp(watch_named_text(n, a->function), watch_named_text(n, b->function)) == 0 &&
           strcmp(watch_named_text(n, a->file), watch_named_text(n, b->file)) == 0;
}

static int goes_before(const void *a_, const void *b_, void *ctx)
{
    const watch_named_group *a = a_, *b = b_;
    (void)ctx;
    return a->growth_bytes != b->growth_bytes ? a->growth_bytes > b->growth_bytes
                                              : a->bytes > b->bytes;
}

static void add_groups(watch_named *n)
{
    for (size_t s = 0; s < n->n_stacks; s++) {
        const watch_stack *k = n->stacks[s];
        const watch_named_line *who = watch_named_who(n, k), *from = watch_named_from(n, k);
        size_t g = 0;
        while (g < n->n_groups && (!same_function(n, n->groups[g].who, who) ||
                                   !same_function(n, n->groups[g].from, from)))
            g++;
        watch_named_group *group = &n->groups[g];
        if (g == n->n_groups) {
            n->n_groups++;
            group->who = who;
            group->from = from;
        }
        group->bytes += k->bytes;
        group->count += k->count;
        group->growth_bytes += k->grows ? k->growth_bytes : 0;
        group->slope_per_s += k->grows ? k->slope_per_s : 0;
        group->n_stacks++;
    }
    base_sort(n->groups, n->n_groups, sizeof *n->groups, goes_before, NULL);
}

/* ---- make ---- */

vg_status watch_named_make(watch_named *out, watch_stacks *s, base_mem *mem, vg_error *err)
{
    size_t n_all;
    *out = (watch_named){0};
    out->stacks = watch_stacks_judge(s, &n_all);
    out->n_stacks = n_all < WATCH_NAMED_STACKS ? n_all : WATCH_NAMED_STACKS;
    out->n_left_out = n_all - out->n_stacks;
    watch_stacks_facts_get(&out->facts, s);
    watch_symbols *symbols = base_alloc_zero(mem, 1, sizeof *symbols, err);
    out->frames = base_alloc_zero(mem, MOST_FRAMES, sizeof *out->frames, err);
    out->index = base_alloc_zero(mem, INDEX_PLACES, sizeof *out->index, err);
    out->lines = base_alloc_zero(mem, MOST_LINES, sizeof *out->lines, err);
    out->groups = base_alloc_zero(mem, WATCH_NAMED_STACKS, sizeof *out->groups, err);
    vg_status st = VG_ERR_MEMORY;
    if (out->groups != NULL && symbols != NULL && out->frames != NULL && out->index != NULL &&
        out->lines != NULL)
        st = base_str_add_bytes(&out->text, MOST_TEXT, "", 1, mem, err);
    for (size_t i = 0; i < out->n_stacks && st == VG_OK; i++)
        for (uint32_t f = 0; f < out->stacks[i]->n_frames && st == VG_OK; f++)
            st = add_frame(out, s, symbols, out->stacks[i]->frame[f], mem, err);
    if (symbols != NULL)
        watch_symbols_fini(symbols);
    base_free(symbols);
    if (st == VG_OK)
        add_groups(out);
    return st;
}

void watch_named_fini(watch_named *n)
{
    base_free(n->frames);
    base_free(n->index);
    base_free(n->lines);
    base_free(n->groups);
    base_str_fini(&n->text);
    *n = (watch_named){0};
}
