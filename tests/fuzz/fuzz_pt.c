/* fuzz_pt.c: any bytes as a PyTorch checkpoint. An input that is no zip is taken as the pickle of
 * one, with a storage beside it: else a mutation would have to keep a zip's lengths right before it
 * meets the unpickler. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weights/weights.h"

enum { MOST_PICKLE = 1 << 16, STORAGE = 256 };

static uint8_t file[MOST_PICKLE + STORAGE + 1024];
static size_t n_file;

static void add(const void *bytes, size_t n)
{
    memcpy(file + n_file, bytes, n);
    n_file += n;
}

static void add_number(uint64_t value, size_t n_bytes)
{
    add(&value, n_bytes);
}

static void add_header(int in_table, const char *name, size_t n, size_t local_at)
{
    static const uint8_t zeros[16] = {0};
    add(in_table ? "PK\1\2" : "PK\3\4", 4);
    add(zeros, in_table ? 16 : 14); /* versions, flags, method, time, date, CRC */
    add_number(n, 4);
    add_number(n, 4);
    add_number(strlen(name), 2);
    add_number(0, 2);
    if (in_table) {
        add(zeros, 10);
        add_number(local_at, 4);
    }
    add(name, strlen(name));
}

static void wrap(const uint8_t *pickle, size_t n)
{
    static const uint8_t storage[STORAGE] = {1, 2, 3};
    n_file = 0;
    add_header(0, "x/data.pkl", n, 0);
    add(pickle, n);
    const size_t storage_at = n_file;
    add_header(0, "x/data/0", STORAGE, 0);
    add(storage, STORAGE);
    const size_t table_at = n_file;
    add_header(1, "x/data.pkl", n, 0);
    add_header(1, "x/data/0", STORAGE, storage_at);
    const size_t n_table = n_file - table_at;
    add("PK\5\6\0\0\0\0\2\0\2\0", 12);
    add_number(n_table, 4);
    add_number(table_at, 4);
    add_number(0, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    base_mem mem;
    vg_error err;
    weights_file *f = NULL;
    base_mem_init(&mem, "fuzz", NULL, (size_t)512 << 20);
    if ((n < 2 || bytes[0] != 'P' || bytes[1] != 'K') && n <= MOST_PICKLE) {
        wrap(bytes, n);
        bytes = file;
        n = n_file;
    }
    if (weights_open_memory(&f, bytes, n, "fuzz", &mem, &err) == VG_OK) {
        float values[4096];
        if (weights_count(f) == 0)
            abort();
        for (size_t i = 0; i < weights_count(f); i++)
            if (weights_at(f, i)->n_elements <= 4096)
                weights_to_float(values, weights_at(f, i));
    }
    weights_close(&f);
    if (mem.in_use_bytes != 0)
        abort();
    return 0;
}
