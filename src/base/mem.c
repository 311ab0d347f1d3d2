/* mem.c: blocks with a 64-byte header that names their account.
 *
 * Layout: [header, 64 bytes][block]. The mark is the header's last word, next to the block, so that
 * a write just below the block breaks it; it is overwritten on free. Small blocks come from the
 * heap unrounded (ASan sees one byte too many), those of BIG_BYTES and more from mmap, but not
 * under ASan, which would not see their ends. */
#define BASE_IMPLEMENTATION
#include "mem.h"

#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "status.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

enum { HEADER_BYTES = 64, BIG_BYTES = 1024 * 1024, HUGE_PAGE_BYTES = 2 * 1024 * 1024 };
/* More is a wrong size from somewhere. Sizes up to here survive rounding, and the sanitizers'
 * allocators, which abort above 1 TiB, say no themselves. */
static const size_t LARGEST_BYTES = (size_t)1 << 39;
static const uint64_t MARK_ALIVE = UINT64_C(0xa11feb10c0a11fe5);
static const uint64_t MARK_FREED = UINT64_C(0xdeadb10cdeadb10c);

typedef struct header {
    base_mem *account;
    size_t bytes;        /* as asked */
    size_t mapped_bytes; /* of the mapping, header included; 0: from the heap */
    size_t heap_bytes;   /* what the heap counts for it; 0: mapped */
    uint64_t spare[3];
    uint64_t mark;
} header;
_Static_assert(sizeof(header) == HEADER_BYTES, "the block behind it must stay aligned");

/* Bytes of the C library's heap that are ours. Global because what it is subtracted from,
 * mallinfo2's figure, is the whole process's: no account could hold it. */
static _Atomic size_t heap_held_bytes;

/* glibc's word of bookkeeping before each chunk, which mallinfo2 counts and malloc_usable_size does
 * not. */
enum { HEAP_CHUNK_OVERHEAD_BYTES = sizeof(size_t) };

void base_mem_init(base_mem *m, const char *tag, base_mem *parent, size_t limit_bytes)
{
    *m = (base_mem){.tag = tag, .parent = parent, .limit_bytes = limit_bytes};
}

bool base_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool base_add_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

/* ---- accounts ---- */

static size_t limit_of(const base_mem *m)
{
    return m->limit_bytes ? m->limit_bytes : SIZE_MAX;
}

static bool charge_one(base_mem *m, size_t bytes)
{
    size_t in_use = atomic_load(&m->in_use_bytes);
    do {
        if (in_use > limit_of(m) || bytes > limit_of(m) - in_use)
            return false;
    } while (!atomic_compare_exchange_weak(&m->in_use_bytes, &in_use, in_use + bytes));
    return true;
}

static void raise_peak(base_mem *m)
{
    size_t in_use = atomic_load(&m->in_use_bytes);
    size_t peak = atomic_load(&m->peak_bytes);
    while (in_use > peak && !atomic_compare_exchange_weak(&m->peak_bytes, &peak, in_use))
        ;
}

static void uncharge(base_mem *m, const base_mem *end, size_t bytes)
{
    for (; m != end; m = m->parent)
        atomic_fetch_sub(&m->in_use_bytes, bytes);
}

/* Books bytes on m and all above it, or on none. */
static vg_status charge(base_mem *m, size_t bytes, vg_error *err)
{
    for (base_mem *a = m; a; a = a->parent) {
        if (charge_one(a, bytes))
            continue;
        size_t in_use = atomic_load(&a->in_use_bytes);
        uncharge(m, a, bytes);
        return base_fail(
            err, VG_ERR_MEMORY, base_where("account %s", a->tag),
            base_mend("raise the limit by %zu bytes or more, or ask for less at a time",
                      bytes - (limit_of(a) > in_use ? limit_of(a) - in_use : 0)),
            "%zu bytes of %s do not fit: %zu in use, limit %zu", bytes, m->tag, in_use,
            limit_of(a));
    }
    for (base_mem *a = m; a; a = a->parent)
        raise_peak(a);
    return VG_OK;
}

static vg_status check_injected_failure(base_mem *m, size_t bytes, vg_error *err)
{
    base_mem *root = m;
    while (root->parent)
        root = root->parent;
    int64_t left = atomic_load(&root->fail_in);
    do {
        if (left <= 0)
            return VG_OK;
    } while (!atomic_compare_exchange_weak(&root->fail_in, &left, left - 1));
    if (left > 1)
        return VG_OK;
    return base_fail(err, VG_ERR_MEMORY, base_where("account %s", m->tag), NULL,
                     "%zu bytes of %s refused: a failure injected by a test", bytes, m->tag);
}

static void count_alloc(base_mem *m)
{
    for (; m; m = m->parent)
        atomic_fetch_add(&m->n_allocs, 1);
}

static void count_free(base_mem *m)
{
    for (; m; m = m->parent)
        atomic_fetch_add(&m->n_frees, 1);
}

/* ---- blocks ---- */

static header *header_of(void *block)
{
    header *h = (header *)((char *)block - HEADER_BYTES);
    assert(h->mark != MARK_FREED && "a block was freed twice, or used after");
    assert(h->mark == MARK_ALIVE && "not a block of ours, or something wrote below its start");
    return h;
}

static void *block_of(header *h)
{
    return (char *)h + HEADER_BYTES;
}

/* The length of the mapping for bytes, or 0 when they belong on the heap. */
static size_t mapping_for(size_t bytes)
{
    if (UNDER_ASAN || bytes < BIG_BYTES)
        return 0;
    return base_round_up(bytes + HEADER_BYTES, (size_t)sysconf(_SC_PAGESIZE));
}

static header *take_raw(size_t bytes)
{
    size_t mapped_bytes = mapping_for(bytes);
    void *raw = NULL;
    if (mapped_bytes) {
        raw = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (raw == MAP_FAILED)
            return NULL;
        /* Fewer page faults and TLB misses where the system allows it; a refusal costs nothing. */
        if (mapped_bytes >= HUGE_PAGE_BYTES)
            madvise(raw, mapped_bytes, MADV_HUGEPAGE);
    } else if (posix_memalign(&raw, BASE_MEM_ALIGN, bytes + HEADER_BYTES) != 0) {
        return NULL;
    }
    header *h = raw;
    *h = (header){.bytes = bytes, .mapped_bytes = mapped_bytes, .mark = MARK_ALIVE};
    if (!mapped_bytes) {
        h->heap_bytes = malloc_usable_size(raw) + HEAP_CHUNK_OVERHEAD_BYTES;
        atomic_fetch_add(&heap_held_bytes, h->heap_bytes);
    }
    return h;
}

static void give_back_raw(header *h)
{
    *(volatile uint64_t *)&h->mark =
        MARK_FREED; /* volatile: else dropped as a dead store before free */
    if (h->mapped_bytes) {
        munmap(h, h->mapped_bytes);
        return;
    }
    atomic_fetch_sub(&heap_held_bytes, h->heap_bytes);
    free(h);
}

static vg_status refused(size_t bytes, base_mem *m, vg_error *err)
{
    return base_fail(err, VG_ERR_MEMORY, base_where("account %s", m->tag),
                     "close other programs, or use a smaller model, batch or picture",
                     "the system gave no %zu bytes for %s, %zu bytes in use there", bytes, m->tag,
                     atomic_load(&m->in_use_bytes));
}

void *base_alloc(base_mem *m, size_t bytes, vg_error *err)
{
    if (check_injected_failure(m, bytes, err) != VG_OK)
        return NULL;
    if (bytes > LARGEST_BYTES) {
        refused(bytes, m, err);
        return NULL;
    }
    if (charge(m, bytes, err) != VG_OK)
        return NULL;
    header *h = take_raw(bytes);
    if (!h) {
        uncharge(m, NULL, bytes);
        refused(bytes, m, err);
        return NULL;
    }
    h->account = m;
    count_alloc(m);
    return block_of(h);
}

void *base_alloc_zero(base_mem *m, size_t n, size_t size, vg_error *err)
{
    size_t bytes;
    if (!base_mul_size(&bytes, n, size)) {
        base_fail(err, VG_ERR_MEMORY, base_where("account %s", m->tag), NULL,
                  "%zu x %zu bytes of %s are more than can be addressed", n, size, m->tag);
        return NULL;
    }
    void *block = base_alloc(m, bytes, err);
    if (!block || header_of(block)->mapped_bytes)
        return block; /* a fresh mapping is zero; touching it would make it resident */
    memset(block, 0, bytes);
    return block;
}

/* A mapping grows or shrinks where the kernel likes, without a copy. */
static void *remap(header *h, size_t bytes, vg_error *err)
{
    base_mem *m = h->account;
    size_t old_bytes = h->bytes;
    if (check_injected_failure(m, bytes, err) != VG_OK)
        return NULL;
    if (bytes > old_bytes && charge(m, bytes - old_bytes, err) != VG_OK)
        return NULL;
    size_t mapped_bytes = mapping_for(bytes);
    void *raw = mremap(h, h->mapped_bytes, mapped_bytes, MREMAP_MAYMOVE);
    if (raw == MAP_FAILED) {
        if (bytes > old_bytes)
            uncharge(m, NULL, bytes - old_bytes);
        refused(bytes, m, err);
        return NULL;
    }
    if (bytes < old_bytes)
        uncharge(m, NULL, old_bytes - bytes);
    h = raw;
    h->bytes = bytes;
    h->mapped_bytes = mapped_bytes;
    count_alloc(m);
    count_free(m);
    return block_of(h);
}

void *base_realloc(base_mem *m, void *old, size_t bytes, vg_error *err)
{
    if (!old)
        return base_alloc(m, bytes, err);
    header *h = header_of(old);
    if (h->mapped_bytes && bytes >= BIG_BYTES && bytes <= LARGEST_BYTES)
        return remap(h, bytes, err);
    void *block = base_alloc(h->account, bytes, err);
    if (!block)
        return NULL;
    memcpy(block, old, bytes < h->bytes ? bytes : h->bytes);
    base_free(old);
    return block;
}

void base_free(void *block)
{
    if (!block)
        return;
    header *h = header_of(block);
    base_mem *m = h->account;
    uncharge(m, NULL, h->bytes);
    count_free(m);
    give_back_raw(h);
}

vg_status base_mem_count(base_mem *m, size_t bytes, vg_error *err)
{
    vg_status st = check_injected_failure(m, bytes, err);
    if (st == VG_OK)
        st = charge(m, bytes, err);
    if (st == VG_OK)
        count_alloc(m);
    return st;
}

void base_mem_uncount(base_mem *m, size_t bytes)
{
    uncharge(m, NULL, bytes);
    count_free(m);
}

/* ---- texts ---- */

char *base_strndup(base_mem *m, const char *s, size_t n, vg_error *err)
{
    n = strnlen(s, n);
    char *copy = base_alloc(m, n + 1, err);
    if (!copy)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *base_strdup(base_mem *m, const char *s, vg_error *err)
{
    return base_strndup(m, s, strlen(s), err);
}

char *base_asprintf(base_mem *m, vg_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = NULL;
    if (length < 0)
        base_fail_errno(err, VG_ERR_ARGUMENT, NULL, NULL, "a text could not be formatted");
    else
        text = base_alloc(m, (size_t)length + 1, err);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

/* ---- what the process holds ---- */

size_t base_mem_library_bytes(void)
{
    size_t ours = atomic_load(&heap_held_bytes);
    struct mallinfo2 heap = mallinfo2();
    size_t all = heap.uordblks + heap.hblkhd;
    return all > ours ? all - ours : 0;
}

/* Reads a small file of /proc without the heap; the length, 0 when it cannot be read. */
static size_t read_proc(const char *path, char *buf, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, buf, n - 1);
    close(fd);
    size_t length = got > 0 ? (size_t)got : 0;
    buf[length] = '\0';
    return length;
}

size_t base_mem_resident_bytes(void)
{
    char buf[256];
    unsigned long pages = 0;
    if (!read_proc("/proc/self/statm", buf, sizeof buf) || sscanf(buf, "%*u %lu", &pages) != 1)
        return 0;
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t base_mem_peak_resident_bytes(void)
{
    char buf[4096];
    unsigned long kib = 0;
    if (!read_proc("/proc/self/status", buf, sizeof buf))
        return 0;
    const char *line = strstr(buf, "VmHWM:");
    if (!line || sscanf(line, "VmHWM: %lu", &kib) != 1)
        return 0;
    return (size_t)kib * 1024;
}

void *base_handle_alloc(size_t bytes, vg_error *err)
{
    void *handle = calloc(1, bytes);
    if (!handle)
        base_fail(err, VG_ERR_MEMORY, NULL, NULL, "no memory for a handle of %zu bytes", bytes);
    return handle;
}

void base_handle_free(void *handle)
{
    free(handle);
}
