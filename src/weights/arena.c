/* arena.c: chunks in a chain; a request larger than a chunk gets one of its own. */
#include "arena.h"

#include <assert.h>
#include <string.h>

enum { ARENA_ALIGN = 16 };

struct arena_chunk {
    arena_chunk *older;
    size_t n_bytes;
};

enum { ARENA_HEAD = (sizeof(arena_chunk) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) };

void arena_init(arena *a, size_t chunk_bytes, size_t most_bytes, const char *holds, base_mem *mem)
{
    *a = (arena){.most_bytes = most_bytes, .chunk_bytes = chunk_bytes, .mem = mem, .holds = holds};
}

void arena_fini(arena *a)
{
    while (a->chunks != NULL) {
        arena_chunk *older = a->chunks->older;
        base_free(a->chunks);
        a->chunks = older;
    }
    *a = (arena){0};
}

static vg_status grow(arena *a, size_t bytes, vg_error *err)
{
    assert(a->mem != NULL);
    size_t chunk = 0;
    if (!base_add_size(&chunk, bytes, ARENA_HEAD) || chunk > a->most_bytes - a->taken_bytes)
        return base_fail(err, VG_ERR_LIMIT, NULL,
                         "check where the file comes from: no real checkpoint needs as much",
                         "%s would take more than %zu bytes", a->holds, a->most_bytes);
    if (chunk < a->chunk_bytes && a->chunk_bytes <= a->most_bytes - a->taken_bytes)
        chunk = a->chunk_bytes;
    arena_chunk *c = base_alloc(a->mem, chunk, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    c->older = a->chunks;
    c->n_bytes = chunk;
    a->chunks = c;
    a->taken_bytes += chunk;
    a->next = (uint8_t *)c + ARENA_HEAD;
    a->n_left = chunk - ARENA_HEAD;
    return VG_OK;
}

void *arena_take(arena *a, size_t n, size_t size, vg_error *err)
{
    size_t bytes = 0;
    if (!base_mul_size(&bytes, n, size) || bytes > SIZE_MAX / 2) {
        base_fail(err, VG_ERR_LIMIT, NULL, NULL, "%s: %zu times %zu bytes", a->holds, n, size);
        return NULL;
    }
    bytes = base_round_up(bytes == 0 ? 1 : bytes, ARENA_ALIGN);
    if (bytes > a->n_left && grow(a, bytes, err) != VG_OK)
        return NULL;
    void *p = a->next;
    a->next += bytes;
    a->n_left -= bytes;
    return memset(p, 0, bytes);
}

char *arena_text(arena *a, const void *bytes, size_t n, vg_error *err)
{
    char *text = arena_take(a, n + 1, 1, err);
    if (text != NULL && n > 0)
        memcpy(text, bytes, n);
    return text;
}
