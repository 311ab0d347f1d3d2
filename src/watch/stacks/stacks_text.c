/* stacks_text.c: stacks.txt for people and stacks.folded for flame graphs. Written beside and
 * renamed: a reader sees a whole report. */
#include <math.h>
#include <string.h>

#include "stacks_named.h"
#include "symbols.h"

enum { MOST_REPORT = 64 << 20, SHOWN = 25 };

typedef struct report {
    base_str text;
    base_mem *mem;
    vg_error *err;
    vg_status st;
} report;

static void add(report *r, const char *format, ...) VG_PRINTF(2, 3);
static void add(report *r, const char *format, ...)
{
    char line[2048];
    va_list args;
    if (r->st != VG_OK)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    r->st = base_str_add_bytes(&r->text, MOST_REPORT, line, strlen(line), r->mem, r->err);
}

static vg_status finish(report *r, const char *path)
{
    base_file f = BASE_FILE_NONE;
    if (r->st == VG_OK)
        r->st = base_file_create_beside(&f, path, r->err);
    if (r->st == VG_OK)
        r->st = base_file_write(&f, r->text.text, r->text.length, r->err);
    if (r->st == VG_OK)
        r->st = base_file_publish(&f, path, r->err);
    base_file_discard(&f);
    base_str_fini(&r->text);
    return r->st;
}

/* ---- for people ---- */

static void add_head(report *r, const watch_named *n)
{
    char bytes[32], rate[32], growth[32];
    const watch_stacks_facts *f = &n->facts;
    add(r, "Live memory by call stack: about %s in %.0f block%s, %d process%s.\n",
        base_format_bytes(bytes, sizeof bytes, f->bytes), f->count,
        f->count >= 0.5 && f->count < 1.5 ? "" : "s", f->n_processes,
        f->n_processes == 1 ? "" : "es");
    add(r,
        "Sampled every %s on average (--stacks-rate), %llu samples, %llu lost for want of room.\n",
        base_format_bytes(rate, sizeof rate, (double)f->rate_bytes),
        (unsigned long long)f->n_samples, (unsigned long long)f->n_lost);
    if (f->n_moments >= 2)
        add(r,
            "Growth between %.0f s and %.0f s of the run, over %zu looks: %s in stacks that "
            "grow.\n",
            f->first_s, f->last_s, f->n_moments,
            base_format_bytes(growth, sizeof growth, f->growth_bytes));
    else
        add(r, "Looked once: growth is not known yet.\n");
    for (size_t i = 0; i < f->n_pythons; i++) {
        char words[256];
        bool is_bad;
        watch_python_words(words, sizeof words, &f->pythons[i], &is_bad);
        add(r, "%s.\n", words);
    }
    if (f->n_unread > 0)
        add(r,
            "%llu samples of threads without Python's lock have native frames alone: "
            "process_vm_readv is forbidden here.\n",
            (unsigned long long)f->n_unread);
    if (!watch_symbols_are_there())
        add(r, "Built without libdw: addresses instead of names.\n");
}

/* A stack's functions together. */
static void add_groups(report *r, const watch_named *n)
{
    char bytes[32], growth[32], slope[32], who[1024];
    add(r, "\n%12s %12s %12s %10s %7s  who\n", "grew by", "per hour", "live", "blocks", "stacks");
    for (size_t g = 0; g < n->n_groups && g < SHOWN; g++) {
        const watch_named_group *k = &n->groups[g];
        const bool grows = k->growth_bytes > 0;
        watch_named_both(who, sizeof who, n, k->who, k->from);
        add(r, "%12s %12s %12s %10.0f %7zu  %s\n",
            grows ? base_format_bytes(growth, sizeof growth, k->growth_bytes) : "-",
            grows ? base_format_bytes(slope, sizeof slope, k->slope_per_s * 3600) : "-",
            base_format_bytes(bytes, sizeof bytes, k->bytes), k->count, k->n_stacks, who);
    }
}

static void add_stack(report *r, const watch_named *n, const watch_stack *k, size_t rank)
{
    char bytes[32], growth[32], slope[32], who[1024];
    watch_named_both(who, sizeof who, n, watch_named_who(n, k), watch_named_from(n, k));
    add(r, "\n%zu. %s\n   live %s in %.0f block%s (%u sample%s)", rank, who,
        base_format_bytes(bytes, sizeof bytes, k->bytes), k->count, k->count < 1.5 ? "" : "s",
        k->n_samples, k->n_samples == 1 ? "" : "s");
    if (!isnan(k->growth_bytes) && k->grows)
        add(r, ", grew by %s, %s/h", base_format_bytes(growth, sizeof growth, k->growth_bytes),
            base_format_bytes(slope, sizeof slope, k->slope_per_s * 3600));
    else if (!isnan(k->growth_bytes))
        add(r, ", does not grow");
    add(r, "\n");
    for (uint32_t f = 0; f < k->n_frames; f++) {
        const watch_named_frame *frame = watch_named_find(n, k->frame[f]);
        for (uint32_t i = 0; frame != NULL && i < frame->n; i++) {
            const watch_named_line *l = &n->lines[frame->first + i];
            const char *file = watch_named_text(n, l->file);
            add(r, "      %s", watch_named_text(n, l->function));
            if (file[0] != '\0')
                add(r, "  %s:%d", file, l->line);
            add(r, "%s\n", i + 1 < frame->n ? "  (inlined)" : "");
        }
    }
}

vg_status watch_stacks_text(const watch_named *n, const char *path, base_mem *mem, vg_error *err)
{
    report r = {.mem = mem, .err = err};
    add_head(&r, n);
    add_groups(&r, n);
    for (size_t i = 0; i < n->n_stacks && i < SHOWN; i++)
        add_stack(&r, n, n->stacks[i], i + 1);
    if (n->n_stacks + n->n_left_out > SHOWN)
        add(&r, "\n%zu more stacks: stacks.folded and stacks.pb.gz hold %zu of all.\n",
            n->n_stacks + n->n_left_out - SHOWN, n->n_stacks);
    return finish(&r, path);
}

/* ---- folded: outermost;...;innermost bytes ---- */

static void add_name(report *r, const char *name, bool is_first)
{
    char clean[256];
    base_format(clean, sizeof clean, "%s", name);
    for (char *c = clean; *c != '\0'; c++)
        if (*c == ';' || *c == '\n')
            *c = ':';
    add(r, "%s%s", is_first ? "" : ";", clean);
}

vg_status watch_stacks_folded(const watch_named *n, const char *path, base_mem *mem, vg_error *err)
{
    report r = {.mem = mem, .err = err};
    for (size_t s = 0; s < n->n_stacks; s++) {
        const watch_stack *k = n->stacks[s];
        bool is_first = true;
        for (uint32_t f = k->n_frames; f-- > 0;) {
            const watch_named_frame *frame = watch_named_find(n, k->frame[f]);
            for (uint32_t i = frame != NULL ? frame->n : 0; i-- > 0; is_first = false)
                add_name(&r, watch_named_text(n, n->lines[frame->first + i].function), is_first);
        }
        add(&r, "%s %.0f\n", is_first ? "?" : "", k->bytes);
    }
    return finish(&r, path);
}
