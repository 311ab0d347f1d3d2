/* zip.c: end record, table of contents, local headers, in that order; offsets are 64-bit and
 * checked before use. */
#include "zip.h"

#include <string.h>

/* The largest models have some thousands of storages. */
enum { MOST_ENTRIES = 1 << 18 };
enum { END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20, TABLE_BYTES = 46, LOCAL_BYTES = 30 };
enum { MOST_COMMENT_BYTES = 65535 };

#define SATURATED_16 0xffffu
#define SATURATED_32 0xffffffffu

typedef struct reader {
    const uint8_t *bytes;
    size_t n;
    const char *source;
    vg_error *err;
} reader;

/* Where the table of contents is. */
typedef struct table {
    uint64_t at, n_bytes, n_entries;
    size_t end_at; /* of the end record, which the table must not reach */
} table;

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool is_signature(const uint8_t *p, uint8_t third, uint8_t fourth)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == third && p[3] == fourth;
}

static vg_status broken(const reader *r, uint64_t at, const char *what)
{
    return base_fail(r->err, VG_ERR_FORMAT,
                     base_where("%s, byte %llu", r->source, (unsigned long long)at),
                     "copy or download the file again", "%s", what);
}

static vg_status unsupported(const reader *r, uint64_t at, const char *what)
{
    return base_fail(
        r->err, VG_ERR_UNSUPPORTED, base_where("%s, byte %llu", r->source, (unsigned long long)at),
        "load it in PyTorch and torch.save it again, or repack it with zip -0", "%s", what);
}

static vg_status read_end64(const reader *r, table *t, size_t end_at)
{
    if (end_at < LOCATOR_BYTES + END64_BYTES ||
        !is_signature(r->bytes + end_at - LOCATOR_BYTES, 6, 7))
        return broken(r, end_at, "the zip's end record refers to a zip64 record that is not there");
    const uint64_t at = get64(r->bytes + end_at - LOCATOR_BYTES + 8);
    if (at > end_at - LOCATOR_BYTES - END64_BYTES || !is_signature(r->bytes + at, 6, 6))
        return broken(r, end_at - LOCATOR_BYTES,
                      "the zip64 end record is not where its locator says");
    const uint8_t *end64 = r->bytes + at;
    if (get32(end64 + 16) != 0 || get32(end64 + 20) != 0 || get64(end64 + 24) != get64(end64 + 32))
        return unsupported(r, at, "the zip spans several disks");
    *t = (table){.n_entries = get64(end64 + 32),
                 .n_bytes = get64(end64 + 40),
                 .at = get64(end64 + 48),
                 .end_at = (size_t)at};
    return VG_OK;
}

static vg_status read_end(const reader *r, table *t)
{
    const size_t least =
        r->n > END_BYTES + MOST_COMMENT_BYTES ? r->n - END_BYTES - MOST_COMMENT_BYTES : 0;
    size_t at = r->n;
    if (r->n >= END_BYTES)
        for (at = r->n - END_BYTES; at > least; at--)
            if (is_signature(r->bytes + at, 5, 6) &&
                get16(r->bytes + at + 20) == r->n - at - END_BYTES)
                break;
    if (r->n < END_BYTES || !is_signature(r->bytes + at, 5, 6) ||
        get16(r->bytes + at + 20) != r->n - at - END_BYTES)
        return broken(r, r->n, "the zip has no end record: the file is cut short or not a zip");

    const uint8_t *end = r->bytes + at;
    *t = (table){.n_entries = get16(end + 10),
                 .n_bytes = get32(end + 12),
                 .at = get32(end + 16),
                 .end_at = at};
    vg_status st = VG_OK;
    if (t->n_entries == SATURATED_16 || t->n_bytes == SATURATED_32 || t->at == SATURATED_32)
        st = read_end64(r, t, at);
    else if (get16(end + 4) != 0 || get16(end + 6) != 0 || get16(end + 8) != t->n_entries)
        st = unsupported(r, at, "the zip spans several disks");
    if (st != VG_OK)
        return st;
    if (t->at > t->end_at || t->n_bytes > t->end_at - t->at)
        return broken(r, at, "the zip's table of contents lies outside the file");
    if (t->n_entries > t->n_bytes / TABLE_BYTES)
        return broken(r, at, "the zip's table of contents is too short for its number of entries");
    if (t->n_entries > MOST_ENTRIES)
        return base_fail(r->err, VG_ERR_LIMIT, base_where("%s, byte %zu", r->source, at), NULL,
                         "the zip has %llu entries, more than %d", (unsigned long long)t->n_entries,
                         MOST_ENTRIES);
    return VG_OK;
}

/* The zip64 extra field holds, in this order, those of the three values that are saturated in the
 * record. */
static bool read_extra64(const uint8_t *extra, size_t n, uint64_t *size, uint64_t *packed,
                         uint64_t *offset)
{
    uint64_t *wanted[3];
    size_t n_wanted = 0;
    if (*size == SATURATED_32)
        wanted[n_wanted++] = size;
    if (*packed == SATURATED_32)
        wanted[n_wanted++] = packed;
    if (offset != NULL && *offset == SATURATED_32)
        wanted[n_wanted++] = offset;
    if (n_wanted == 0)
        return true;
    for (size_t at = 0; n - at >= 4;) {
        const size_t length = get16(extra + at + 2);
        if (length > n - at - 4)
            return false;
        if (get16(extra + at) == 1) {
            if (length < 8 * n_wanted)
                return false;
            for (size_t i = 0; i < n_wanted; i++)
                *wanted[i] = get64(extra + at + 4 + 8 * i);
            return true;
        }
        at += 4 + length;
    }
    return false;
}

/* The local header must tell the same story as the table; then the data's place is known. */
static vg_status read_local(const reader *r, const table *t, zip_entry *e, uint64_t offset,
                            uint64_t packed, uint64_t size, uint32_t method)
{
    if (offset > t->at || t->at - offset < LOCAL_BYTES)
        return broken(r, offset, "an entry's local header lies outside the zip's data");
    const uint8_t *p = r->bytes + offset;
    const size_t n_name = get16(p + 26), n_extra = get16(p + 28);
    if (!is_signature(p, 3, 4))
        return broken(r, offset, "an entry's local header is not where the zip's table says");
    if (n_name != e->n_name || t->at - offset - LOCAL_BYTES < n_name + n_extra ||
        memcmp(p + LOCAL_BYTES, e->name, n_name) != 0)
        return broken(r, offset, "an entry's local header has another name than the zip's table");
    if (get16(p + 8) != method)
        return broken(r, offset, "an entry's local header has another method than the zip's table");
    if ((get16(p + 6) & 8) == 0) { /* else the sizes follow the data, and the table knows */
        uint64_t local_size = get32(p + 22), local_packed = get32(p + 18);
        if (!read_extra64(p + LOCAL_BYTES + n_name, n_extra, &local_size, &local_packed, NULL) ||
            local_size != size || local_packed != packed)
            return broken(r, offset,
                          "an entry's local header has another size than the zip's table");
    }
    const uint64_t data_at = offset + LOCAL_BYTES + n_name + n_extra;
    if (packed > t->at - data_at)
        return broken(r, offset, "an entry's data reach beyond the zip's data");
    e->begin = (size_t)offset;
    e->data = r->bytes + data_at;
    e->n_bytes = (size_t)packed;
    return VG_OK;
}

/* One record of the table at `at`, *n_used bytes long. */
static vg_status read_record(const reader *r, const table *t, zip_entry *e, uint64_t at,
                             size_t *n_used)
{
    const uint64_t left = t->at + t->n_bytes - at;
    const uint8_t *p = r->bytes + at;
    if (left < TABLE_BYTES || !is_signature(p, 1, 2))
        return broken(r, at, "the zip's table of contents is damaged");
    const size_t n_name = get16(p + 28), n_extra = get16(p + 30), n_comment = get16(p + 32);
    *n_used = TABLE_BYTES + n_name + n_extra + n_comment;
    if (*n_used > left)
        return broken(r, at, "the zip's table of contents is cut short");
    if ((get16(p + 8) & 1) != 0)
        return unsupported(r, at, "an entry of the zip is encrypted");
    if (get16(p + 34) != 0)
        return unsupported(r, at, "the zip spans several disks");
    uint64_t packed = get32(p + 20), size = get32(p + 24), offset = get32(p + 42);
    if (!read_extra64(p + TABLE_BYTES + n_name, n_extra, &size, &packed, &offset))
        return broken(r, at, "an entry's zip64 field is missing or damaged");
    const uint32_t method = get16(p + 10);
    if (method == 0 && packed != size)
        return broken(r, at, "a stored entry of the zip has two different sizes");
    e->is_stored = method == 0;
    e->name = (const char *)p + TABLE_BYTES;
    e->n_name = n_name;
    if (n_name == 0 || memchr(e->name, 0, n_name) != NULL)
        return broken(r, at, "an entry of the zip has no proper name");
    return read_local(r, t, e, offset, packed, size, method);
}

static int compare_names(const char *a, size_t n_a, const char *b, size_t n_b)
{
    const int order = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

static int name_before(const void *a, const void *b, void *ctx)
{
    const zip_entry *x = a, *y = b;
    (void)ctx;
    return compare_names(x->name, x->n_name, y->name, y->n_name) < 0;
}

static int place_before(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return ((const zip_entry *)a)->begin < ((const zip_entry *)b)->begin;
}

vg_status zip_read(zip_contents *out, const uint8_t *bytes, size_t n, const char *source,
                   base_mem *mem, vg_error *err)
{
    const reader r = {.bytes = bytes, .n = n, .source = source, .err = err};
    table t = {0};
    *out = (zip_contents){0};
    vg_status st = read_end(&r, &t);
    if (st != VG_OK)
        return st;
    if (t.n_entries == 0)
        return broken(&r, t.end_at, "the zip is empty");
    out->entries = base_alloc_zero(mem, (size_t)t.n_entries, sizeof *out->entries, err);
    if (out->entries == NULL)
        return VG_ERR_MEMORY;

    uint64_t at = t.at;
    for (; out->n_entries < t.n_entries; out->n_entries++) {
        size_t n_used = 0;
        st = read_record(&r, &t, &out->entries[out->n_entries], at, &n_used);
        if (st != VG_OK)
            return st;
        at += n_used;
    }

    zip_entry *e = out->entries;
    base_sort(e, out->n_entries, sizeof *e, place_before, NULL);
    for (size_t i = 1; i < out->n_entries; i++)
        if ((size_t)(e[i - 1].data - bytes) + e[i - 1].n_bytes > e[i].begin)
            return broken(&r, e[i].begin, "two entries of the zip overlap");
    base_sort(e, out->n_entries, sizeof *e, name_before, NULL);
    for (size_t i = 1; i < out->n_entries; i++)
        if (compare_names(e[i - 1].name, e[i - 1].n_name, e[i].name, e[i].n_name) == 0)
            return broken(&r, e[i].begin, "two entries of the zip have the same name");
    return VG_OK;
}

void zip_fini(zip_contents *z)
{
    base_free(z->entries);
    *z = (zip_contents){0};
}

const zip_entry *zip_find(const zip_contents *z, const char *name)
{
    const size_t n_name = strlen(name);
    size_t low = 0, high = z->n_entries;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const zip_entry *e = &z->entries[mid];
        const int order = compare_names(name, n_name, e->name, e->n_name);
        if (order == 0)
            return e;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}
