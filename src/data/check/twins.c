/* twins.c: files of one size are few, so only those are read that have a size which another split
 * has, too: their hashes are compared, then the bytes themselves. */
#include "twins.h"

#include <string.h>

typedef struct twin {
    uint64_t n_bytes, hash;
    size_t index; /* in its split's list */
    data_split split;
} twin;

static int compare(const twin *a, const twin *b)
{
    if (a->n_bytes != b->n_bytes)
        return a->n_bytes < b->n_bytes ? -1 : 1;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->split != b->split)
        return a->split < b->split ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int is_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return compare(a, b) < 0;
}

static int is_before_in_list(const void *a, const void *b, void *ctx)
{
    const twin *x = a, *y = b;
    (void)ctx;
    return x->split != y->split ? x->split < y->split : x->index < y->index;
}

/* 0: it cannot be read. */
static uint64_t hash_file(const char *path)
{
    base_map map;
    if (base_map_open(&map, path, NULL) != VG_OK)
        return 0;
    const uint64_t h = base_hash(BASE_HASH_START, map.bytes, map.n_bytes);
    base_map_close(&map);
    return h;
}

static bool are_equal(const char *a, const char *b)
{
    base_map x = {0}, y = {0};
    bool equal = strcmp(a, b) == 0;
    if (!equal && base_map_open(&x, a, NULL) == VG_OK && base_map_open(&y, b, NULL) == VG_OK)
        equal = x.n_bytes == y.n_bytes && memcmp(x.bytes, y.bytes, x.n_bytes) == 0;
    base_map_close(&x);
    base_map_close(&y);
    return equal;
}

static size_t gather(twin *out, const data_list lists[DATA_N_SPLITS],
                     const label_table tables[DATA_N_SPLITS])
{
    size_t n = 0;
    for (int s = 0; s < DATA_N_SPLITS; s++)
        for (size_t i = 0; i < tables[s].n_entries && i < lists[s].n; i++)
            if (label_entry_is_used(&tables[s].entries[i]))
                out[n++] = (twin){.n_bytes = tables[s].entries[i].n_file_bytes,
                                  .index = i,
                                  .split = (data_split)s};
    return n;
}

/* Rows [begin, end) of one size -> hashed, if several splits have that size. */
static void hash_run(twin *t, size_t begin, size_t end, const data_list lists[DATA_N_SPLITS])
{
    bool several = false;
    for (size_t i = begin; i < end; i++)
        several |= t[i].split != t[begin].split;
    for (size_t i = begin; i < end && several; i++)
        t[i].hash = hash_file(lists[t[i].split].paths[t[i].index]);
}

/* Of rows of one hash: the same picture, in another split. */
static bool is_twin(const twin *later, const twin *first, const data_list lists[DATA_N_SPLITS])
{
    return later->split != first->split && later->hash != 0 &&
           are_equal(lists[first->split].paths[first->index],
                     lists[later->split].paths[later->index]);
}

typedef struct twin_pair {
    twin one, other;
} twin_pair;

static int pair_before(const void *a, const void *b, void *ctx)
{
    return is_before_in_list(&((const twin_pair *)a)->one, &((const twin_pair *)b)->one, ctx);
}

vg_status twins_find(const data_list lists[DATA_N_SPLITS], const label_table tables[DATA_N_SPLITS],
                     twin_found found, void *ctx, base_mem *mem, vg_error *err)
{
    size_t n = 0, n_pairs = 0;
    for (int s = 0; s < DATA_N_SPLITS; s++)
        n += tables[s].n_entries;
    twin *t = base_alloc_zero(mem, n, sizeof *t, err);
    twin_pair *pairs = t ? base_alloc_zero(mem, n, sizeof *pairs, err) : NULL;
    vg_status st = pairs ? VG_OK : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    n = gather(t, lists, tables);
    base_sort(t, n, sizeof *t, is_before, NULL);
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && t[end].n_bytes == t[begin].n_bytes;)
            end++;
        hash_run(t, begin, end, lists);
    }
    base_sort(t, n, sizeof *t, is_before, NULL);
    /* Each against the first of its hash: files that have one hash and differ are not met. */
    for (size_t i = 1, first = 0; i < n; i++) {
        if (t[i].n_bytes != t[first].n_bytes || t[i].hash != t[first].hash)
            first = i;
        else if (is_twin(&t[i], &t[first], lists))
            pairs[n_pairs++] = (twin_pair){.one = t[i], .other = t[first]};
    }
    base_sort(pairs, n_pairs, sizeof *pairs, pair_before, NULL);
    for (size_t i = 0; i < n_pairs && st == VG_OK; i++)
        st = found(ctx, pairs[i].one.split, lists[pairs[i].one.split].paths[pairs[i].one.index],
                   pairs[i].other.split, lists[pairs[i].other.split].paths[pairs[i].other.index],
                   err);
done:
    base_free(pairs);
    base_free(t);
    return st;
}
