/* stacks_named.h: stacks in words: every frame that matters, named once. Made for a report and
 * thrown away. For this folder. */
#ifndef WATCH_STACKS_NAMED_H
#define WATCH_STACKS_NAMED_H

#include "stacks.h"

enum { WATCH_NAMED_STACKS = 1000 }; /* most in a report: the first in the order of judge */

typedef struct watch_named_line {
    uint32_t function, file; /* offsets into text */
    int line;
} watch_named_line;

/* A frame, with what was inlined there: lines first .. first + n - 1, innermost first. */
typedef struct watch_named_frame {
    uint64_t frame;
    uint32_t first, n;
} watch_named_frame;

/* All stacks of one function together: a leak has as many stacks as the kinds of objects in it. */
typedef struct watch_named_group {
    const watch_named_line *who, *from;             /* of its first stack; from: NULL if none */
    double bytes, count, growth_bytes, slope_per_s; /* growth: of the stacks that grow */
    size_t n_stacks;
} watch_named_group;

typedef struct watch_named {
    const watch_stack *const *stacks; /* (n_stacks), borrowed of the watch_stacks */
    size_t n_stacks, n_left_out;
    watch_stacks_facts facts;
    watch_named_frame *frames; /* (n_frames) */
    size_t n_frames;
    uint32_t *index; /* open addressing: frame number + 1 */
    watch_named_line *lines;
    size_t n_lines;
    watch_named_group *groups; /* (n_groups): by growth, then by bytes */
    size_t n_groups;
    base_str text; /* strings, each ended by a 0 byte; at 0 the empty one */
} watch_named;

/* *out is to be finished in any case. Errors: VG_ERR_MEMORY. */
vg_status watch_named_make(watch_named *out, watch_stacks *s, base_mem *mem, vg_error *err);
void watch_named_fini(watch_named *n);

const watch_named_frame *watch_named_find(const watch_named *n, uint64_t frame);
static inline const char *watch_named_text(const watch_named *n, uint32_t at)
{
    return n->text.text + at;
}
/* Who allocates here: the innermost Python function, or else the innermost that is no allocator.
 * NULL: no frame is known. In words: "keep (train.py:12)"; "?". */
const watch_named_line *watch_named_who(const watch_named *n, const watch_stack *k);
void watch_named_words(char *buf, size_t n_buf, const watch_named *n, const watch_named_line *l);
/* Whose call it was: the innermost Python function that is of no installed library. NULL: who is
 * that already, or there is none. In words: "relu (functional.py:12) from step (train.py:30)". */
const watch_named_line *watch_named_from(const watch_named *n, const watch_stack *k);
void watch_named_both(char *buf, size_t n_buf, const watch_named *n, const watch_named_line *who,
                      const watch_named_line *from);

/* The three reports: text for people, folded stacks for flame graphs (live bytes), pprof. */
vg_status watch_stacks_text(const watch_named *n, const char *path, base_mem *mem, vg_error *err);
vg_status watch_stacks_folded(const watch_named *n, const char *path, base_mem *mem, vg_error *err);
vg_status watch_stacks_pprof(const watch_named *n, const char *path, int64_t wall_ns, base_mem *mem,
                             vg_error *err);

#endif
