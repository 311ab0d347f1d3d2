#include "weights/make.h"

#include "support/test.h"

void make_add(make_bytes *b, const void *bytes, size_t n)
{
    assert_true(n <= sizeof b->at - b->n);
    memcpy(b->at + b->n, bytes, n);
    b->n += n;
}

void make_number(make_bytes *b, uint64_t value, size_t n_bytes)
{
    make_add(b, &value, n_bytes);
}

void make_patch(make_bytes *b, size_t at, uint64_t value, size_t n_bytes)
{
    assert_true(at + n_bytes <= b->n);
    memcpy(b->at + at, &value, n_bytes);
}

void make_text(make_bytes *b, const char *text)
{
    MAKE_ADD(b, "X");
    make_number(b, strlen(text), 4);
    make_add(b, text, strlen(text));
}

void make_zip_begin(make_zip *z)
{
    z->file.n = 0;
    z->n_entries = 0;
}

void make_zip_entry(make_zip *z, const char *name, const void *data, size_t n)
{
    make_bytes *b = &z->file;
    assert_true(z->n_entries < MAKE_MOST_ENTRIES);
    z->entries[z->n_entries].name = name;
    z->entries[z->n_entries].local_at = b->n;
    MAKE_ADD(b, "PK\3\4\0\0\0\0\0\0\0\0\0\0"); /* version, flags, method, time, date */
    make_number(b, 0, 4);                      /* CRC, which nobody looks at */
    make_number(b, n, 4);
    make_number(b, n, 4);
    make_number(b, strlen(name), 2);
    make_number(b, 0, 2);
    make_add(b, name, strlen(name));
    z->entries[z->n_entries].data_at = b->n;
    z->entries[z->n_entries].n_data = n;
    make_add(b, data, n);
    z->n_entries++;
}

static void add_record(make_zip *z, size_t i, int as_zip64)
{
    make_bytes *b = &z->file;
    const size_t n = z->entries[i].n_data;
    z->entries[i].record_at = b->n;
    MAKE_ADD(b, "PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0"); /* versions, flags, method, time, date */
    make_number(b, 0, 4);
    make_number(b, as_zip64 ? 0xffffffff : n, 4);
    make_number(b, as_zip64 ? 0xffffffff : n, 4);
    make_number(b, strlen(z->entries[i].name), 2);
    make_number(b, as_zip64 ? 28 : 0, 2); /* extra field */
    make_number(b, 0, 2);                 /* comment */
    make_number(b, 0, 8);                 /* disk, attributes */
    make_number(b, as_zip64 ? 0xffffffff : z->entries[i].local_at, 4);
    make_add(b, z->entries[i].name, strlen(z->entries[i].name));
    if (as_zip64) {
        make_number(b, 1, 2);
        make_number(b, 24, 2);
        make_number(b, n, 8);
        make_number(b, n, 8);
        make_number(b, z->entries[i].local_at, 8);
    }
}

void make_zip_finish(make_zip *z, int as_zip64)
{
    make_bytes *b = &z->file;
    z->table_at = b->n;
    for (size_t i = 0; i < z->n_entries; i++)
        add_record(z, i, as_zip64);
    const size_t n_table = b->n - z->table_at;
    if (as_zip64) {
        const size_t end64_at = b->n;
        MAKE_ADD(b, "PK\6\6");
        make_number(b, 44, 8);
        make_number(b, 0, 12 - 4);
        make_number(b, 0, 4);
        make_number(b, z->n_entries, 8);
        make_number(b, z->n_entries, 8);
        make_number(b, n_table, 8);
        make_number(b, z->table_at, 8);
        MAKE_ADD(b, "PK\6\7\0\0\0\0");
        make_number(b, end64_at, 8);
        make_number(b, 1, 4);
    }
    z->end_at = b->n;
    MAKE_ADD(b, "PK\5\6\0\0\0\0");
    make_number(b, as_zip64 ? 0xffff : z->n_entries, 2);
    make_number(b, as_zip64 ? 0xffff : z->n_entries, 2);
    make_number(b, as_zip64 ? 0xffffffff : n_table, 4);
    make_number(b, as_zip64 ? 0xffffffff : z->table_at, 4);
    make_number(b, 0, 2);
}

void make_checkpoint(make_zip *z, const make_bytes *pickle, const void *storage, size_t n_storage)
{
    make_zip_begin(z);
    make_zip_entry(z, "x/data.pkl", pickle->at, pickle->n);
    if (storage != NULL)
        make_zip_entry(z, "x/data/0", storage, n_storage);
    make_zip_entry(z, "x/version", "3\n", 2);
    make_zip_finish(z, 0);
}

void make_tensor(make_bytes *b, const char *storage_class, uint32_t numel, uint32_t offset,
                 int n_dims, const uint32_t *size, const uint32_t *stride)
{
    MAKE_ADD(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    make_text(b, "storage");
    MAKE_ADD(b, "ctorch\n");
    make_add(b, storage_class, strlen(storage_class));
    MAKE_ADD(b, "\n");
    make_text(b, "0");
    make_text(b, "cpu");
    MAKE_ADD(b, "\x8a\4");
    make_number(b, numel, 4);
    MAKE_ADD(b, "tQ\x8a\4");
    make_number(b, offset, 4);
    for (int pass = 0; pass < 2; pass++) {
        MAKE_ADD(b, "(");
        for (int d = 0; d < n_dims; d++) {
            MAKE_ADD(b, "\x8a\4");
            make_number(b, pass == 0 ? size[d] : stride[d], 4);
        }
        MAKE_ADD(b, "t");
    }
    MAKE_ADD(b, "\x89}tR");
}
