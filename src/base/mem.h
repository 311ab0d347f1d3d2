/* mem.h: memory by account. Who may allocate is in the signature: it takes a base_mem *.
 *
 * An account has a tag, a limit and counters, and a parent, whose limit and counters it also bears;
 * the root account belongs to the program or the handle (no globals). Blocks remember their
 * account, so freeing needs only the pointer, and objects need not keep an account: what has no
 * account in its arguments cannot allocate. Threads: allocating and freeing on one account from
 * several threads is safe (atomic counters). All blocks are aligned to 64 bytes. Blocks of 1 MiB
 * and more come straight from mmap and go straight back, so the heap's fragmentation never holds
 * them. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vigil/error.h"

enum { BASE_MEM_ALIGN = 64 };

typedef struct base_mem base_mem;
struct base_mem {
    const char *tag;             /* static text: "weights", "activations", ... */
    base_mem *parent;            /* NULL for a root */
    size_t limit_bytes;          /* 0 or SIZE_MAX: none */
    _Atomic size_t in_use_bytes; /* blocks now alive, headers not counted */
    _Atomic size_t peak_bytes;
    _Atomic uint64_t n_allocs; /* allocations ever */
    _Atomic uint64_t n_frees;
    _Atomic int64_t fail_in; /* on a root, tests only: the fail_in-th next allocation below it
                                fails, 1 = the next; 0: never. After the failure it is 0 again. */
};

/* A zero base_mem with a tag is a valid root without limit. init sets the fields; there is nothing
 * to fini, but the account must outlive its blocks. */
void base_mem_init(base_mem *m, const char *tag, base_mem *parent, size_t limit_bytes);

/* Uninitialised; 0 bytes give a block that can only be freed. NULL with err filled (VG_ERR_MEMORY:
 * which account, asked, in use, limit). */
void *base_alloc(base_mem *m, size_t bytes, vg_error *err);
/* n * size bytes of zeros; the product is checked. */
void *base_alloc_zero(base_mem *m, size_t n, size_t size, vg_error *err);
/* As realloc: on failure NULL and the old block stays. old NULL allocates. Contents beyond the old
 * size are uninitialised. The block stays on the account it was made on. While the contents move,
 * both blocks count. */
void *base_realloc(base_mem *m, void *old, size_t bytes, vg_error *err);
char *base_strdup(base_mem *m, const char *s, vg_error *err);
char *base_strndup(base_mem *m, const char *s, size_t n, vg_error *err);
/* "%d" and friends into a fresh block. */
char *base_asprintf(base_mem *m, vg_error *err, const char *format, ...) VG_PRINTF(3, 4);
/* NULL is fine. */
void base_free(void *block);

/* Books bytes that somebody else holds for us (a GPU's memory), as one allocation; base_mem_uncount
 * takes them off again. Errors: VG_ERR_MEMORY, and then nothing is booked. */
vg_status base_mem_count(base_mem *m, size_t bytes, vg_error *err);
void base_mem_uncount(base_mem *m, size_t bytes);

/* For the one block that holds the accounts themselves (a public handle): zeros, on no account. */
void *base_handle_alloc(size_t bytes, vg_error *err);
void base_handle_free(void *handle);

/* a * b, or a + b, unless it overflows. */
bool base_mul_size(size_t *out, size_t a, size_t b);
bool base_add_size(size_t *out, size_t a, size_t b);
/* Rounds up to a multiple of the power of two `to`. */
static inline size_t base_round_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* What the C library's heap holds for everybody in this process but us, in bytes (libraries;
 * mallinfo2 less our own small blocks): a growth between two calls is a library's, but for what the
 * heap keeps at hand of freed small blocks (glibc counts its per-thread cache as in use: at most
 * some 200 KiB a thread, and it fills early). Walks the heap's free lists: microseconds. 0 where
 * the heap does not say (sanitizers). */
size_t base_mem_library_bytes(void);
/* Resident and peak resident bytes of this process from /proc; 0 where it cannot be read. */
size_t base_mem_resident_bytes(void);
size_t base_mem_peak_resident_bytes(void);
/* What this process may hope for: the machine's available memory, or the control groups' limit
 * (versions 1 and 2), whichever is less. 0 where neither can be read. */
size_t base_ram_available_bytes(void);

#endif
