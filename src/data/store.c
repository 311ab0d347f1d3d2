/* store.c: a block for RAM, a ring, files on disk, and the decoder behind them.
 *
 * One mutex guards who is where; pixels are written outside it, by the one thread that owns the
 * place, and are published under it. Two threads that want the same picture at once both decode it,
 * which is rare and harmless; one of them then keeps it. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "disk_cache.h"
#include "kind.h"

typedef enum kept_state { KEPT_NOT, KEPT_FILLING, KEPT_READY } kept_state;

typedef struct kept {
    uint8_t *pixels; /* NULL: has no place in RAM */
    kept_state state;
} kept;

typedef struct ring_slot {
    int32_t index; /* picture; -1: none */
    int n_readers; /* or its writer */
} ring_slot;

struct store {
    const data_set *set;
    int imgsz;
    data_cache cache;
    pthread_mutex_t lock;

    kept *kept; /* (n) with DATA_CACHE_RAM */
    uint8_t *ram;
    size_t ram_bytes, ram_used;

    int32_t *slot_of; /* (n) -1: not in the ring */
    ring_slot *slots; /* (n_slots) */
    uint8_t *ring;    /* (n_slots, slot_bytes) */
    size_t n_slots, slot_bytes, hand;

    size_t disk_bytes, disk_used; /* written by us */
    bool disk_refuses;            /* a write failed: no more are tried */
    data_loader_stats stats;
};

void store_size(int *w, int *h, int w0, int h0, int imgsz)
{
    int longer = w0 > h0 ? w0 : h0;
    double r = (double)imgsz / longer;
    *w = w0;
    *h = h0;
    if (longer == imgsz || imgsz == 0)
        return;
    *w = (int)fmin(ceil(w0 * r), imgsz);
    *h = (int)fmin(ceil(h0 * r), imgsz);
}

int store_side(const data_set *set, int imgsz)
{
    return data_set_kind(set)->is_folders ? 0 : imgsz;
}

/* ---- sizes ---- */

static size_t pixel_bytes(const data_picture *p, int imgsz)
{
    int w, h;
    store_size(&w, &h, p->w, p->h, imgsz);
    return base_round_up(3 * (size_t)w * (size_t)h, BASE_MEM_ALIGN);
}

typedef struct sizes {
    size_t all_pixels, most_pixels; /* of the resized pictures */
    size_t kept, slot_of, slots, ram, ring, total, n_slots;
} sizes;

static void count_pixels(sizes *z, const data_set *set, int imgsz)
{
    for (size_t i = 0; i < data_set_size(set); i++) {
        size_t bytes = pixel_bytes(data_set_picture(set, i), imgsz);
        z->all_pixels += bytes;
        z->most_pixels = bytes > z->most_pixels ? bytes : z->most_pixels;
    }
}

static size_t part(size_t *total, size_t bytes)
{
    *total += base_round_up(bytes, BASE_MEM_ALIGN);
    return base_round_up(bytes, BASE_MEM_ALIGN);
}

static sizes plan(const data_set *set, const store_options *o)
{
    sizes z = {0};
    size_t n = data_set_size(set);
    count_pixels(&z, set, o->imgsz);
    part(&z.total, sizeof(store));
    bool ram = o->cache == DATA_CACHE_RAM;
    size_t budget = o->cache_bytes > 0 ? o->cache_bytes : z.all_pixels;
    if (ram) {
        z.ram = budget < z.all_pixels ? budget & ~(size_t)(BASE_MEM_ALIGN - 1) : z.all_pixels;
        z.kept = part(&z.total, n * sizeof(kept));
        part(&z.total, z.ram);
    }
    z.n_slots = o->n_recent < o->recent_bytes / z.most_pixels ? o->n_recent
                                                              : o->recent_bytes / z.most_pixels;
    if (ram && z.ram == z.all_pixels)
        z.n_slots = 0;
    if (z.n_slots > 0) {
        z.slot_of = part(&z.total, n * sizeof(int32_t));
        z.slots = part(&z.total, z.n_slots * sizeof(ring_slot));
        z.ring = part(&z.total, z.n_slots * z.most_pixels);
    }
    return z;
}

size_t store_bytes(const data_set *set, const store_options *o)
{
    return plan(set, o).total;
}

size_t store_cache_bytes(const data_set *set, const store_options *o)
{
    if (o->cache != DATA_CACHE_DISK)
        return plan(set, o).ram;
    sizes z = {0};
    count_pixels(&z, set, o->imgsz);
    size_t all = z.all_pixels + data_set_size(set) * DISK_CACHE_HEADER_BYTES;
    return o->cache_bytes > 0 && o->cache_bytes < all ? o->cache_bytes : all;
}

vg_status store_create(store **out, const data_set *set, const store_options *o, base_mem *mem,
                       vg_error *err)
{
    *out = NULL;
    sizes z = plan(set, o);
    uint8_t *at = base_alloc(mem, z.total, err);
    if (!at)
        return VG_ERR_MEMORY;
    store *s = (store *)(void *)at;
    *s = (store){.set = set,
                 .imgsz = o->imgsz,
                 .cache = o->cache,
                 .disk_bytes = o->cache_bytes > 0 ? o->cache_bytes : SIZE_MAX};
    at += base_round_up(sizeof *s, BASE_MEM_ALIGN);
    if (o->cache == DATA_CACHE_RAM) {
        s->kept = (kept *)(void *)at;
        memset(at, 0, z.kept);
        s->ram = at + z.kept;
        s->ram_bytes = z.ram;
        at += z.kept + z.ram;
    }
    if (z.n_slots > 0) {
        s->slot_of = (int32_t *)(void *)at;
        s->slots = (ring_slot *)(void *)(at + z.slot_of);
        s->ring = at + z.slot_of + z.slots;
        s->n_slots = z.n_slots;
        s->slot_bytes = z.most_pixels;
        for (size_t i = 0; i < data_set_size(set); i++)
            s->slot_of[i] = -1;
        for (size_t i = 0; i < s->n_slots; i++)
            s->slots[i] = (ring_slot){.index = -1};
    }
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return VG_OK;
}

void store_destroy(store **out)
{
    store *s = *out;
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    base_free(s);
    *out = NULL;
}

/* ---- a thread's buffers ---- */

/* The largest picture by area, and the largest sides once resized. */
static void extremes(const data_set *set, int imgsz, int *w0, int *h0, int *w, int *h)
{
    int64_t most = 0;
    *w = *h = *w0 = *h0 = 1;
    for (size_t i = 0; i < data_set_size(set); i++) {
        const data_picture *p = data_set_picture(set, i);
        int pw, ph;
        store_size(&pw, &ph, p->w, p->h, imgsz);
        *w = pw > *w ? pw : *w;
        *h = ph > *h ? ph : *h;
        if ((int64_t)p->w * p->h > most) {
            most = (int64_t)p->w * p->h;
            *w0 = p->w;
            *h0 = p->h;
        }
    }
}

size_t store_io_bytes(const data_set *set, int imgsz)
{
    sizes z = {0};
    int w0, h0, w, h;
    count_pixels(&z, set, imgsz);
    extremes(set, imgsz, &w0, &h0, &w, &h);
    return image_decoder_own_bytes() + data_set_most_file_bytes(set) + 1 + z.most_pixels +
           3 * (size_t)w0 * (size_t)h0 + image_letterbox_bytes(w, h);
}

vg_status store_io_create(store_io *io, const data_set *set, int imgsz, base_mem *mem,
                          vg_error *err)
{
    sizes z = {0};
    int w0, h0, w, h;
    *io = (store_io){0};
    count_pixels(&z, set, imgsz);
    extremes(set, imgsz, &w0, &h0, &w, &h);
    vg_status st = image_decoder_create(&io->decoder, NULL, mem, err);
    if (st == VG_OK)
        st = image_buffer_reserve(&io->decoded, w0, h0, mem, err);
    if (st == VG_OK) {
        io->own = base_alloc(mem, z.most_pixels, err);
        io->file = io->own ? base_alloc(mem, data_set_most_file_bytes(set) + 1, err) : NULL;
        st = io->file ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK) {
        /* Makes the scratch as large as it will ever be; all rows go to one line (stride 0). */
        uint8_t from[12] = {0};
        image_view dst = {io->own, w, h, 0}, src = {from, 2, 2, 6};
        st = image_resize(&dst, &src, &io->scratch, mem, err);
    }
    return st;
}

void store_io_fini(store_io *io)
{
    image_decoder_destroy(&io->decoder);
    image_buffer_fini(&io->decoded);
    image_scratch_fini(&io->scratch);
    base_free(io->own);
    base_free(io->file);
    *io = (store_io){0};
}

/* ---- decoding ---- */

static vg_status changed(const char *path, const char *how, vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, path, "start again: the dataset is then verified again",
                     "the picture changed since it was verified: %s", how);
}

static vg_status read_file(const store *s, store_io *io, size_t *n, const char *path, vg_error *err)
{
    size_t most = data_set_most_file_bytes(s->set) + 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return base_fail_errno(
            err, VG_ERR_IO, path,
            "put it back, or start again without it: the dataset is then verified again",
            "the picture cannot be opened");
    vg_status st = VG_OK;
    *n = 0;
    for (ssize_t got = 1; got != 0 && *n < most && st == VG_OK;) {
        got = read(fd, io->file + *n, most - *n);
        if (got > 0)
            *n += (size_t)got;
        else if (got < 0 && errno != EINTR)
            st = base_fail_errno(err, VG_ERR_IO, path, NULL, "the picture cannot be read");
    }
    close(fd);
    if (st == VG_OK && *n == most)
        st = changed(path, "it is larger than any picture was then", err);
    return st;
}

static vg_status decode(const store *s, store_io *io, const image_view *dst, const data_picture *p,
                        base_mem *mem, vg_error *err)
{
    size_t n = 0;
    vg_status st = read_file(s, io, &n, p->path, err);
    if (st != VG_OK)
        return st;
    st = image_decode(io->decoder, &io->decoded, io->file, n, p->path, mem, err);
    if (st != VG_OK)
        return st;
    const image_view *v = &io->decoded.view;
    if (v->w != p->w || v->h != p->h)
        return changed(
            p->path, base_where("%d x %d pixels instead of %d x %d", v->w, v->h, p->w, p->h), err);
    return image_resize(dst, v, &io->scratch, mem, err);
}

/* ---- the disk ---- */

/* Books room for n bytes on the disk. */
static bool disk_book(store *s, size_t n)
{
    pthread_mutex_lock(&s->lock);
    bool fits = !s->disk_refuses && n <= s->disk_bytes - s->disk_used;
    s->disk_used += fits ? n : 0;
    pthread_mutex_unlock(&s->lock);
    return fits;
}

/* A read-only folder or a full disk: said once, and pictures are decoded from then on. */
static void disk_give_up(store *s, size_t n, const char *path, const vg_error *why)
{
    pthread_mutex_lock(&s->lock);
    bool first = !s->disk_refuses;
    s->disk_refuses = true;
    s->disk_used -= n;
    pthread_mutex_unlock(&s->lock);
    if (first)
        base_log(BASE_LOG_DEBUG, "pictures are not cached on disk", "path=%s reason=%s", path,
                 why->what);
}

static vg_status load(store *s, store_io *io, const image_view *dst, const data_picture *p,
                      bool *decoded, base_mem *mem, vg_error *err)
{
    *decoded = false;
    if (s->cache == DATA_CACHE_DISK && disk_cache_read(dst, p->path, s->imgsz))
        return VG_OK;
    vg_status st = decode(s, io, dst, p, mem, err);
    *decoded = true;
    size_t n = DISK_CACHE_HEADER_BYTES + dst->stride * (size_t)dst->h;
    if (st != VG_OK || s->cache != DATA_CACHE_DISK || !disk_book(s, n))
        return st;
    vg_error unwritten = {0};
    if (disk_cache_write(dst, p->path, s->imgsz, &unwritten) != VG_OK)
        disk_give_up(s, n, p->path, &unwritten);
    return VG_OK;
}

/* ---- who is where ---- */

typedef enum place { PLACE_FOUND, PLACE_RAM, PLACE_RING, PLACE_OWN } place;

/* A free slot, now ours to write; -1: all are being read. */
static int claim_slot(store *s)
{
    for (size_t tries = 0; tries < s->n_slots; tries++) {
        size_t at = s->hand;
        ring_slot *slot = &s->slots[at];
        s->hand = (s->hand + 1) % s->n_slots;
        if (slot->n_readers > 0)
            continue;
        if (slot->index >= 0)
            s->slot_of[slot->index] = -1;
        *slot = (ring_slot){.index = -1, .n_readers = 1};
        return (int)at;
    }
    return -1;
}

/* Finds the picture, or a place to decode it into. Under the lock. */
static place find_place(store *s, store_io *io, store_loan *out, size_t index, bool keep,
                        size_t bytes)
{
    kept *k = s->kept ? &s->kept[index] : NULL;
    if (k && k->state == KEPT_READY) {
        out->view.data = k->pixels;
        s->stats.n_from_cache++;
        return PLACE_FOUND;
    }
    if (s->n_slots > 0 && s->slot_of[index] >= 0) {
        out->slot = s->slot_of[index];
        s->slots[out->slot].n_readers++;
        out->view.data = s->ring + (size_t)out->slot * s->slot_bytes;
        s->stats.n_recent++;
        return PLACE_FOUND;
    }
    if (k && k->state == KEPT_NOT && (k->pixels || bytes <= s->ram_bytes - s->ram_used)) {
        if (!k->pixels) {
            k->pixels = s->ram + s->ram_used;
            s->ram_used += bytes;
        }
        k->state = KEPT_FILLING;
        out->view.data = k->pixels;
        return PLACE_RAM;
    }
    out->slot = keep && s->n_slots > 0 ? claim_slot(s) : -1;
    out->view.data = out->slot >= 0 ? s->ring + (size_t)out->slot * s->slot_bytes : io->own;
    return out->slot >= 0 ? PLACE_RING : PLACE_OWN;
}

/* The picture is in its place, or could not be had. Under the lock. */
static void publish(store *s, store_loan *loan, size_t index, place where, bool good)
{
    if (where == PLACE_RAM)
        s->kept[index].state = good ? KEPT_READY : KEPT_NOT;
    if (where != PLACE_RING)
        return;
    ring_slot *slot = &s->slots[loan->slot];
    if (!good)
        slot->n_readers = 0;
    else if (s->slot_of[index] < 0) {
        slot->index = (int32_t)index;
        s->slot_of[index] = loan->slot;
    } /* else another thread was quicker: this copy serves its reader alone */
}

vg_status store_get(store *s, store_io *io, store_loan *out, size_t index, bool keep, base_mem *mem,
                    vg_error *err)
{
    const data_picture *p = data_set_picture(s->set, index);
    *out = (store_loan){.slot = -1};
    store_size(&out->view.w, &out->view.h, p->w, p->h, s->imgsz);
    out->view.stride = 3 * (size_t)out->view.w;

    pthread_mutex_lock(&s->lock);
    place where = find_place(s, io, out, index, keep, pixel_bytes(p, s->imgsz));
    pthread_mutex_unlock(&s->lock);
    if (where == PLACE_FOUND)
        return VG_OK;

    bool decoded;
    vg_status st = load(s, io, &out->view, p, &decoded, mem, err);
    pthread_mutex_lock(&s->lock);
    s->stats.n_decoded += decoded;
    s->stats.n_from_cache += !decoded;
    publish(s, out, index, where, st == VG_OK);
    pthread_mutex_unlock(&s->lock);
    if (st != VG_OK)
        *out = (store_loan){.slot = -1};
    return st;
}

void store_give_back(store *s, store_loan *loan)
{
    if (loan->slot >= 0) {
        pthread_mutex_lock(&s->lock);
        s->slots[loan->slot].n_readers--;
        pthread_mutex_unlock(&s->lock);
    }
    *loan = (store_loan){.slot = -1};
}

void store_stats(store *s, data_loader_stats *out)
{
    pthread_mutex_lock(&s->lock);
    out->n_decoded = s->stats.n_decoded;
    out->n_from_cache = s->stats.n_from_cache;
    out->n_recent = s->stats.n_recent;
    out->cache_bytes = s->cache == DATA_CACHE_RAM ? s->ram_used : s->disk_used;
    pthread_mutex_unlock(&s->lock);
}
