/* arena.h: memory for many small things that die together: taken from an account in chunks, never
 * given back singly.
 *
 * Bounded: past most_bytes it answers VG_ERR_LIMIT, so that a small file cannot ask for a large
 * tree. One owner. */
#ifndef WEIGHTS_ARENA_H
#define WEIGHTS_ARENA_H

#include "base/base.h"

typedef struct arena_chunk arena_chunk;
typedef struct arena {
    arena_chunk *chunks; /* newest first */
    uint8_t *next;       /* free bytes of the newest chunk */
    size_t n_left;
    size_t taken_bytes; /* of all chunks */
    size_t most_bytes;
    size_t chunk_bytes;
    base_mem *mem;     /* NULL once sealed: a sealed arena does not grow */
    const char *holds; /* for the error: "the pickle's values" */
} arena;

void arena_init(arena *a, size_t chunk_bytes, size_t most_bytes, const char *holds, base_mem *mem);
void arena_fini(arena *a);

/* n * size bytes of zeros, aligned to 16; never NULL but on failure (VG_ERR_MEMORY, VG_ERR_LIMIT).
 */
void *arena_take(arena *a, size_t n, size_t size, vg_error *err);
/* The n bytes with a 0 byte behind them. */
char *arena_text(arena *a, const void *bytes, size_t n, vg_error *err);

#endif
