/* record.c: the shared table of this process: a file NN.stacks of the guard's folder, opened at the
 * first sample, so that the many that end soon cost nothing. The room is taken on the disk at once:
 * a full disk must not kill the job when it writes to a page. A child begins a table of its own and
 * leaves its parent's alone. Nothing is locked: see layout.h. */
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { NOT_YET, OPENING, OPEN, FAILED };
static _Atomic int state = NOT_YET;
static stacks_table *_Atomic table;
static char folder[PATH_MAX];
static uint64_t rate;

/* How many samples fall on each of some places: small enough to stay in the processor's caches, so
 * that most of those that only look marked are told apart without reading the table. */
enum { N_PLACES = 32768 };
static _Atomic uint8_t n_at[N_PLACES];

static _Atomic uint8_t *place(const void *p)
{
    return &n_at[((uint64_t)(uintptr_t)p >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 49];
}

static void forget_parents(void)
{
    stacks_table *t = atomic_load(&table);
    atomic_store(&table, NULL);
    if (atomic_load(&state) != FAILED)
        atomic_store(&state, NOT_YET);
    if (t != NULL)
        munmap(t, sizeof *t);
    for (size_t i = 0; i < N_PLACES; i++)
        atomic_store_explicit(&n_at[i], 0, memory_order_relaxed);
    python_forget();
}

bool record_init(uint64_t *rate_bytes)
{
    const char *f = getenv(STACKS_ENV_FOLDER), *r = getenv(STACKS_ENV_RATE);
    if (f == NULL || r == NULL || f[0] != '/' || strlen(f) >= sizeof folder - 32)
        return false;
    memcpy(folder, f, strlen(f) + 1);
    rate = strtoull(r, NULL, 10);
    *rate_bytes = rate;
    return rate > 0 && pthread_atfork(NULL, NULL, forget_parents) == 0;
}

/* The header comes first, so that a guard that starts meanwhile sees whose file it is; what follows
 * is written, so that a disk that is full says so here and not as a SIGBUS in the job. */
static bool take_room(int fd, const stacks_header *header)
{
    struct rlimit most;
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < sizeof(stacks_table))
        return false; /* past it a signal would come */
    static const char zeros[65536];
    for (size_t at = 0; at < sizeof(stacks_table);) {
        const void *from = at < sizeof *header ? (const char *)header + at : zeros;
        const size_t left = (at < sizeof *header ? sizeof *header : sizeof(stacks_table)) - at;
        const ssize_t k = pwrite(fd, from, left < sizeof zeros ? left : sizeof zeros, (off_t)at);
        if (k <= 0 && errno != EINTR)
            return false;
        at += k > 0 ? (size_t)k : 0;
    }
    return true;
}

static stacks_table *open_table(void)
{
    char path[PATH_MAX + 32];
    int fd = -1;
    for (int i = 0; i < STACKS_MOST_PROCESSES && fd < 0; i++) {
        snprintf(path, sizeof path, "%s/%02d.stacks", folder, i);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    if (fd < 0)
        return NULL;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    const stacks_header header = {.n_bytes = sizeof(stacks_table),
                                  .pid = getpid(),
                                  .opened_ns =
                                      (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
                                  .rate_bytes = rate};
    stacks_table *t = MAP_FAILED;
    if (take_room(fd, &header))
        t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (t == MAP_FAILED) {
        unlink(path);
        return NULL;
    }
    atomic_thread_fence(memory_order_release);
    *(volatile uint64_t *)&t->header.magic = STACKS_MAGIC; /* from here on it is one */
    return t;
}

/* NULL: none, or another thread is just opening it. */
static stacks_table *get_table(void)
{
    stacks_table *t = atomic_load_explicit(&table, memory_order_acquire);
    int was = NOT_YET;
    if (t != NULL || !atomic_compare_exchange_strong(&state, &was, OPENING))
        return t;
    t = open_table();
    atomic_store_explicit(&table, t, memory_order_release);
    atomic_store(&state, t != NULL ? OPEN : FAILED);
    return t;
}

/* ---- modules, names, stacks ---- */

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static bool claim(_Atomic uint32_t *s)
{
    uint32_t was = STACKS_EMPTY;
    return atomic_compare_exchange_strong(s, &was, STACKS_WRITING);
}

static void put_path(char *out, const struct link_map *m)
{
    ssize_t n = 0;
    if (m->l_name[0] == '\0') {
        n = readlink("/proc/self/exe", out, STACKS_PATH_BYTES - 1);
    } else if (m->l_name[0] != '/') { /* relative: to where we are, most likely still */
        char here[PATH_MAX];
        if (getcwd(here, sizeof here) != NULL)
            n = snprintf(out, STACKS_PATH_BYTES, "%s/%s", here, m->l_name);
    }
    if (n <= 0)
        n = snprintf(out, STACKS_PATH_BYTES, "%s", m->l_name);
    out[n < STACKS_PATH_BYTES ? n : STACKS_PATH_BYTES - 1] = '\0';
}

uint64_t record_frame(stacks_table *t, uintptr_t pc)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) != 0)
        return STACKS_UNKNOWN << 48 | (pc & STACKS_LOW);
    const uint64_t start = (uint64_t)(uintptr_t)found.dlfo_map_start,
                   bias = found.dlfo_link_map->l_addr;
    for (uint32_t i = 0; i < STACKS_MOST_MODULES; i++) {
        stacks_module *m = &t->module[i];
        if (atomic_load_explicit(&m->state, memory_order_acquire) == STACKS_EMPTY &&
            claim(&m->state)) {
            char path[STACKS_PATH_BYTES];
            put_path(path, found.dlfo_link_map);
            memcpy(m->path, path, sizeof path);
            m->start = start;
            m->bias = bias;
            atomic_store_explicit(&m->state, STACKS_READY, memory_order_release);
        } else if (atomic_load_explicit(&m->state, memory_order_acquire) != STACKS_READY ||
                   m->start != start || m->bias != bias) {
            continue;
        } else if (found.dlfo_link_map->l_name[0] == '/' &&
                   strncmp(found.dlfo_link_map->l_name, m->path, sizeof m->path - 1) != 0) {
            continue; /* another one was loaded where this one had been */
        }
        return (uint64_t)(i + 1) << 48 | ((pc - bias) & STACKS_LOW);
    }
    return STACKS_UNKNOWN << 48 | (pc & STACKS_LOW);
}

/* Number 0 is never given: it means that there was no room. */
uint32_t record_name(stacks_table *t, const char *function, const char *file)
{
    const uint64_t h = hash_bytes(
        hash_bytes(UINT64_C(0xcbf29ce484222325), function, strlen(function)), file, strlen(file));
    for (uint32_t probe = 0; probe < 64; probe++) {
        const uint32_t i = (uint32_t)((h ^ h >> 32) + probe) % STACKS_MOST_NAMES;
        stacks_name *n = &t->name[i];
        if (i == 0)
            continue;
        if (atomic_load_explicit(&n->state, memory_order_acquire) == STACKS_EMPTY &&
            claim(&n->state)) {
            snprintf(n->function, sizeof n->function, "%s", function);
            snprintf(n->file, sizeof n->file, "%s", file);
            atomic_store_explicit(&n->state, STACKS_READY, memory_order_release);
            return i;
        }
        if (atomic_load_explicit(&n->state, memory_order_acquire) == STACKS_READY &&
            strcmp(n->function, function) == 0 && strcmp(n->file, file) == 0)
            return i;
    }
    return 0;
}

/* STACKS_MOST_STACKS: no room. Two threads may enter the same one twice: the guard adds them up. */
static uint32_t find_stack(stacks_table *t, const uint64_t *frame, uint32_t n)
{
    uint64_t h = hash_bytes(UINT64_C(0xcbf29ce484222325), frame, n * sizeof *frame);
    h ^= h >> 29;
    for (uint32_t probe = 0; probe < 128; probe++) {
        const uint32_t i = (uint32_t)((h + probe) % STACKS_MOST_STACKS);
        stacks_stack *s = &t->stack[i];
        if (atomic_load_explicit(&s->state, memory_order_acquire) == STACKS_EMPTY &&
            claim(&s->state)) {
            s->hash = h;
            s->n_frames = n;
            memcpy(s->frame, frame, n * sizeof *frame);
            atomic_store_explicit(&s->state, STACKS_READY, memory_order_release);
            return i;
        }
        if (atomic_load_explicit(&s->state, memory_order_acquire) == STACKS_READY && s->hash == h &&
            s->n_frames == n && memcmp(s->frame, frame, n * sizeof *frame) == 0)
            return i;
    }
    return STACKS_MOST_STACKS;
}

/* ---- live samples ---- */

/* Each address has two buckets, where any place will do: no gravestones, so a table that was full
 * once is as fast as before. */
static uint32_t bucket(const void *p, int which)
{
    const uint64_t h = ((uint64_t)(uintptr_t)p >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((which == 0 ? h >> 51 : h >> 33) % STACKS_N_BUCKETS);
}

static bool remove_from(stacks_table *t, const void *p, size_t *n)
{
    if (atomic_load_explicit(place(p), memory_order_relaxed) == 0)
        return false;
    for (int i = 0; i < 2; i++) {
        const uint32_t b = bucket(p, i);
        for (int w = 0; w < STACKS_WAYS; w++) {
            _Atomic uint64_t *a = &t->live[b].address[w];
            if (atomic_load_explicit(a, memory_order_acquire) != (uintptr_t)p)
                continue;
            *n = t->sample[b][w].bytes;
            atomic_fetch_sub_explicit(place(p), 1, memory_order_relaxed);
            atomic_store_explicit(a, 0, memory_order_release);
            return true;
        }
    }
    return false;
}

bool record_remove(const void *p, size_t *n)
{
    stacks_table *t = atomic_load_explicit(&table, memory_order_acquire);
    return t != NULL && remove_from(t, p, n);
}

void record_add(const void *p, size_t n)
{
    stacks_table *t = get_table();
    uint64_t frame[STACKS_MOST_FRAMES], pythons[STACKS_MOST_FRAMES];
    size_t old;
    if (t == NULL)
        return;
    /* Python's are found however deep the native ones are; of both the innermost tell most. */
    uint32_t n_pythons = python_frames(pythons, STACKS_MOST_FRAMES, t);
    const bool in_python = n_pythons > 0 && pythons[0] >> 48 == STACKS_PYTHON;
    uint32_t n_frames =
        unwind(frame, in_python ? STACKS_MOST_NATIVE : STACKS_MOST_FRAMES - 1, in_python, t);
    if (n_pythons > STACKS_MOST_FRAMES - n_frames)
        n_pythons = STACKS_MOST_FRAMES - n_frames;
    memcpy(frame + n_frames, pythons, n_pythons * sizeof *pythons);
    n_frames += n_pythons;
    const uint32_t stack = find_stack(t, frame, n_frames);
    atomic_fetch_add_explicit(&t->header.n_samples, 1, memory_order_relaxed);
    if (stack == STACKS_MOST_STACKS) {
        atomic_fetch_add_explicit(&t->header.n_no_stack, 1, memory_order_relaxed);
        return;
    }
    remove_from(t, p, &old); /* freed behind our back */
    for (int i = 0; i < 2; i++) {
        const uint32_t b = bucket(p, i);
        for (int w = 0; w < STACKS_WAYS; w++) {
            uint64_t was = 0;
            if (!atomic_compare_exchange_strong(&t->live[b].address[w], &was, 1))
                continue;
            atomic_fetch_add_explicit(place(p), 1, memory_order_relaxed);
            t->sample[b][w] = (stacks_sample){.bytes = n, .stack = stack};
            atomic_store_explicit(&t->live[b].address[w], (uintptr_t)p, memory_order_release);
            return;
        }
    }
    atomic_fetch_add_explicit(&t->header.n_no_room, 1, memory_order_relaxed);
}
