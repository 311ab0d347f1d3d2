/* loader.c: threads that make samples in the order of the epoch into a ring of batches.
 *
 * A sample is a ticket: its place in the epoch. Tickets are taken in order by whoever is free; one
 * may be taken when its batch has a buffer, which is so for the n_batches from the caller's current
 * batch on. That is the bound, and the back-pressure. The caller, when it must wait for a batch,
 * takes tickets of that batch itself; without threads it takes them all. So there is one way to
 * make a batch, and what is in it depends on its place alone.
 * Memory: one block for the loader and its buffers, blocks per maker, all at create. Threads: one
 * mutex; samples are made outside it. */
#include <pthread.h>
#include <string.h>

#include "batch.h"
#include "loader_layout.h"

typedef struct buffer {
    float *input;         /* (own, most_h, most_w, 3) */
    detect_label *labels; /* (own, most_labels) while it is filled, then one behind the other */
    float *keypoints;     /* (own, most_labels, n_keypoints, 3), likewise */
    int32_t *index_maps;  /* (own, h, w) / mask_ratio */
    uint8_t *masks;       /* (own, most_labels, h, w) / mask_ratio, likewise */
    size_t *n_labels;     /* (own) */
    data_item *items;     /* (own) */
    size_t n_done;
    size_t failed; /* smallest item that failed; SIZE_MAX: none */
    vg_status status;
    vg_error err;
} buffer;

typedef struct worker {
    data_loader *loader;
    sample_maker maker;
    pthread_t thread;
} worker;

struct data_loader {
    data_loader_options options;
    sample_recipe recipe;
    base_mem *mem; /* the decoders' scratch */
    size_t n_pictures, n_batches;
    size_t most_own; /* pictures of a batch that are made here */
    int most_h, most_w;
    uint32_t *order;     /* (n_pictures) */
    batch_shape *shapes; /* (n_batches) with rect */
    buffer *buffers;     /* (n_buffers) */
    size_t n_buffers;
    worker *workers; /* (n_workers + 1): the last is the caller's */
    int n_started;
    bool has_mosaic, has_mixup, has_paste; /* room for them */

    pthread_mutex_t lock;
    pthread_cond_t work, news; /* a ticket may be had; a sample is done */
    size_t next_place, end_place;
    size_t current; /* batch that the caller has or waits for; those before are free */
    size_t n_busy;
    bool held; /* the caller has batch `current` */
    bool quits;
    data_batch batch; /* what next hands out */
    uint64_t wait_ns;
};

static const loader_sizes SIZES = {
    .loader = sizeof(data_loader), .worker = sizeof(worker), .buffer = sizeof(buffer)};

size_t data_loader_bytes(const data_set *set, const data_loader_options *options)
{
    loader_layout l;
    if (loader_lay_out(&l, set, options, &SIZES, NULL) != VG_OK)
        return 0;
    size_t maker = sample_maker_bytes(&l.recipe, l.most_w, l.most_h);
    return maker > 0 ? l.total + store_bytes(set, &l.store) + ((size_t)l.o.n_workers + 1) * maker
                     : 0;
}

size_t data_loader_input_bytes(const data_set *set, const data_loader_options *options)
{
    loader_layout y;
    return loader_lay_out(&y, set, options, &SIZES, NULL) == VG_OK ? y.input : 0;
}

vg_status data_loader_plan(data_loader_bounds *out, const data_set *set,
                           const data_loader_options *options, vg_error *err)
{
    loader_layout l;
    vg_status st = loader_lay_out(&l, set, options, &SIZES, err);
    *out = (data_loader_bounds){.n = (int)(l.most_own < l.n_pictures ? l.most_own : l.n_pictures),
                                .h = l.most_h,
                                .w = l.most_w,
                                .n_batches = l.n_batches,
                                .most_labels = l.most_labels,
                                .n_decoders = (size_t)l.o.n_workers + 1};
    for (size_t i = 0; st == VG_OK && i < l.n_pictures; i++) {
        const data_picture *p = data_set_picture(set, i);
        size_t bytes = 3 * (size_t)p->w * (size_t)p->h;
        out->most_picture_bytes = bytes > out->most_picture_bytes ? bytes : out->most_picture_bytes;
    }
    if (st == VG_OK)
        out->cache_bytes = store_cache_bytes(set, &l.store);
    return st;
}

/* ---- making samples ---- */

static size_t batch_of(const data_loader *l, size_t place)
{
    return place / (size_t)l->options.batch;
}

static size_t size_of_all(size_t n_pictures, int batch, size_t index)
{
    const size_t left = n_pictures - index * (size_t)batch;
    return left < (size_t)batch ? left : (size_t)batch;
}

/* Share s of n pictures begins at n s / shares, rounded up. */
size_t data_loader_share(size_t *first, size_t n_pictures, int batch, size_t index, int share,
                         int n_shares)
{
    const size_t n = size_of_all(n_pictures, batch, index), s = (size_t)share,
                 of = (size_t)n_shares;
    *first = (n * s + of - 1) / of;
    return (n * (s + 1) + of - 1) / of - *first;
}

/* What is made here of a batch. */
static size_t own_of_batch(const data_loader *l, size_t index, size_t *first)
{
    return data_loader_share(first, l->n_pictures, l->options.batch, index, l->options.share,
                             l->options.n_shares);
}

static size_t size_of_batch(const data_loader *l, size_t index)
{
    size_t first;
    return own_of_batch(l, index, &first);
}

/* The first place of the epoch, at or behind `place`, that is made here. */
static size_t own_place(const data_loader *l, size_t place)
{
    while (place < l->n_pictures) {
        size_t first;
        const size_t index = batch_of(l, place), begins = index * (size_t)l->options.batch,
                     n = own_of_batch(l, index, &first);
        if (place < begins + first)
            place = n > 0 ? begins + first : begins + (size_t)l->options.batch;
        else if (place >= begins + first + n)
            place = begins + (size_t)l->options.batch;
        else
            return place;
    }
    return l->n_pictures;
}

static batch_shape shape_of(const data_loader *l, size_t index)
{
    return l->shapes ? l->shapes[index] : (batch_shape){l->most_h, l->most_w};
}

static buffer *buffer_of(data_loader *l, size_t index)
{
    return &l->buffers[index % l->n_buffers];
}

/* Under the lock. */
static bool may_take(const data_loader *l)
{
    return l->next_place < l->end_place && batch_of(l, l->next_place) < l->current + l->n_buffers;
}

/* Of one mask; 0: there are none. */
static size_t mask_pixels(const data_loader *l, batch_shape shape)
{
    const int q = l->recipe.mask_ratio;
    return q > 0 ? (size_t)(shape.h / q) * (size_t)(shape.w / q) : 0;
}

/* Of one label. */
static size_t keypoint_floats(const data_loader *l)
{
    return 3 * (size_t)l->recipe.keypoints.n;
}

static float *floats_at(float *floats, size_t at)
{
    return floats ? floats + at : NULL;
}

/* Makes the next ticket's sample. Called with the lock held, and returns with it held. */
static void take_ticket(data_loader *l, sample_maker *maker)
{
    size_t place = l->next_place, index = batch_of(l, place), first;
    own_of_batch(l, index, &first);
    size_t item = place - index * (size_t)l->options.batch - first;
    l->next_place = own_place(l, place + 1);
    buffer *b = buffer_of(l, index);
    batch_shape shape = shape_of(l, index);
    size_t pixels = 3 * (size_t)shape.h * (size_t)shape.w;
    const size_t mask = mask_pixels(l, shape), most = l->recipe.most_labels;
    sample_out out = {.input = b->input + item * pixels,
                      .h = shape.h,
                      .w = shape.w,
                      .labels = b->labels + item * most,
                      .keypoints = floats_at(b->keypoints, item * most * keypoint_floats(l)),
                      .index_map = b->index_maps ? b->index_maps + item * mask : NULL,
                      .masks = b->masks ? b->masks + item * most * mask : NULL};
    vg_error err = {0};
    l->n_busy++;
    pthread_mutex_unlock(&l->lock);

    vg_status st = sample_make(maker, &l->recipe, place, (int)item, &out, l->mem, &err);

    pthread_mutex_lock(&l->lock);
    l->n_busy--;
    b->n_done++;
    b->n_labels[item] = out.n_labels;
    b->items[item] = out.item;
    if (st != VG_OK && item < b->failed) {
        b->failed = item;
        b->status = st;
        b->err = err;
    }
    if (b->n_done == size_of_batch(l, index) || l->n_busy == 0)
        pthread_cond_broadcast(&l->news);
}

static void *worker_main(void *arg)
{
    worker *w = arg;
    data_loader *l = w->loader;
    pthread_mutex_lock(&l->lock);
    while (!l->quits) {
        if (may_take(l))
            take_ticket(l, &w->maker);
        else
            pthread_cond_wait(&l->work, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- life ---- */

/* No more tickets; returns when no sample is being made. Under the lock. */
static void stop(data_loader *l)
{
    l->end_place = l->next_place = 0;
    while (l->n_busy > 0)
        pthread_cond_wait(&l->news, &l->lock);
}

void data_loader_lend(data_loader *l, float *input)
{
    const size_t of_one = l->most_own * 3 * (size_t)l->most_w * (size_t)l->most_h;
    pthread_mutex_lock(&l->lock);
    stop(l);
    for (size_t i = 0; i < l->n_buffers; i++)
        l->buffers[i].input = input + i * of_one;
    pthread_mutex_unlock(&l->lock);
}

static uint8_t *carve(uint8_t **at, size_t bytes)
{
    uint8_t *p = *at;
    *at += bytes;
    return p;
}

static void carve_all(data_loader *l, const loader_layout *y)
{
    uint8_t *at = (uint8_t *)l + base_round_up(sizeof *l, BASE_MEM_ALIGN);
    l->workers = (worker *)(void *)carve(&at, y->workers);
    l->order = (uint32_t *)(void *)carve(&at, y->order);
    l->shapes = (batch_shape *)(void *)carve(&at, y->shapes);
    if (!l->options.rect)
        l->shapes = NULL;
    l->buffers = (buffer *)(void *)carve(&at, y->buffers);
    size_t *counts = (size_t *)(void *)carve(&at, y->counts);
    data_item *items = (data_item *)(void *)carve(&at, y->items);
    detect_label *labels = (detect_label *)(void *)carve(&at, y->labels);
    float *keypoints = (float *)(void *)carve(&at, y->keypoints);
    int32_t *index_maps = (int32_t *)(void *)carve(&at, y->index_maps);
    uint8_t *masks = carve(&at, y->masks);
    float *input = l->options.input_is_lent ? NULL : (float *)(void *)carve(&at, y->input);
    const size_t own = l->most_own;
    memset(l->workers, 0, y->workers);
    memset(l->buffers, 0, y->buffers);
    const size_t most_mask = mask_pixels(l, (batch_shape){y->most_h, y->most_w}),
                 most = own * y->most_labels;
    for (size_t i = 0; i < l->n_buffers; i++)
        l->buffers[i] = (buffer){
            .labels = labels + i * most,
            .keypoints = y->keypoints > 0 ? keypoints + i * most * keypoint_floats(l) : NULL,
            .index_maps = y->index_maps > 0 ? index_maps + i * own * most_mask : NULL,
            .masks = y->masks > 0 ? masks + i * most * most_mask : NULL,
            .n_labels = counts + i * own,
            .items = items + i * own};
    if (input)
        data_loader_lend(l, input);
}

/* Shapes, and the order of a loader that never shuffles. */
static vg_status plan_order(data_loader *l, vg_error *err)
{
    for (size_t i = 0; i < l->n_pictures; i++)
        l->order[i] = (uint32_t)i;
    if (!l->options.rect)
        return VG_OK;
    double *aspects = base_alloc_zero(l->mem, l->n_pictures, sizeof *aspects, err);
    if (!aspects)
        return VG_ERR_MEMORY;
    batch_plan_rect(l->order, l->shapes, l->recipe.set, l->options.batch, l->options.imgsz,
                    l->options.stride, l->options.train ? 0 : 0.5, aspects);
    base_free(aspects);
    return VG_OK;
}

static vg_status start_threads(data_loader *l, vg_error *err)
{
    for (int i = 0; i < l->options.n_workers; i++) {
        char name[16];
        base_format(name, sizeof name, "loader-%d", i);
        const vg_status st =
            base_thread_start(&l->workers[i].thread, name, 0, worker_main, &l->workers[i], err);
        if (st != VG_OK)
            return st;
        l->n_started++;
    }
    return VG_OK;
}

static vg_status build(data_loader *l, const loader_layout *y, vg_error *err)
{
    vg_status st = store_create(&l->recipe.store, l->recipe.set, &y->store, l->mem, err);
    for (int i = 0; i <= l->options.n_workers && st == VG_OK; i++) {
        l->workers[i].loader = l;
        st = sample_maker_create(&l->workers[i].maker, &l->recipe, l->most_w, l->most_h, l->mem,
                                 err);
    }
    if (st == VG_OK)
        st = plan_order(l, err);
    return st == VG_OK ? start_threads(l, err) : st;
}

vg_status data_loader_create(data_loader **out, const data_set *set,
                             const data_loader_options *options, base_mem *mem, vg_error *err)
{
    *out = NULL;
    loader_layout y;
    vg_status st = loader_lay_out(&y, set, options, &SIZES, err);
    if (st != VG_OK)
        return st;
    data_loader *l = base_alloc(mem, y.total, err);
    if (!l)
        return VG_ERR_MEMORY;
    *l = (data_loader){.options = y.o,
                       .recipe = y.recipe,
                       .mem = mem,
                       .n_pictures = y.n_pictures,
                       .n_batches = y.n_batches,
                       .most_own = y.most_own,
                       .n_buffers = y.n_buffers,
                       .most_h = y.most_h,
                       .most_w = y.most_w,
                       .has_mosaic = y.o.augment.mosaic > 0,
                       .has_mixup = y.o.augment.mixup > 0,
                       .has_paste = y.o.augment.copy_paste > 0};
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->news, NULL);
    carve_all(l, &y);
    l->recipe.order = l->order;
    st = build(l, &y, err);
    if (st != VG_OK)
        data_loader_destroy(&l);
    *out = l;
    return st;
}

void data_loader_destroy(data_loader **loader)
{
    data_loader *l = *loader;
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    stop(l);
    l->quits = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_started; i++)
        pthread_join(l->workers[i].thread, NULL);
    for (int i = 0; i <= l->options.n_workers; i++)
        sample_maker_fini(&l->workers[i].maker);
    store_destroy(&l->recipe.store);
    pthread_cond_destroy(&l->news);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
    base_free(l);
    *loader = NULL;
}

/* ---- the caller's side ---- */

vg_status data_loader_start(data_loader *l, uint64_t epoch, size_t first_batch, vg_error *err)
{
    if (first_batch >= l->n_batches)
        return base_fail(err, VG_ERR_ARGUMENT, "first batch", NULL, "batch %zu of an epoch of %zu",
                         first_batch, l->n_batches);
    pthread_mutex_lock(&l->lock);
    stop(l);
    if (l->options.train && !l->options.rect) {
        base_rng rng = data_rng_make(l->options.seed, epoch, DATA_RNG_SHUFFLE, 0);
        data_rng_shuffle(&rng, l->order, l->n_pictures);
    }
    l->recipe.augment = l->options.augment;
    l->recipe.epoch = epoch;
    for (size_t i = 0; i < l->n_buffers; i++) {
        l->buffers[i].n_done = 0;
        l->buffers[i].failed = SIZE_MAX;
    }
    l->held = false;
    l->current = first_batch;
    l->next_place = own_place(l, first_batch * (size_t)l->options.batch);
    l->end_place = l->n_pictures;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    return VG_OK;
}

/* Gives the caller's buffer back. Under the lock. */
static void release(data_loader *l)
{
    if (!l->held)
        return;
    buffer *b = buffer_of(l, l->current);
    b->n_done = 0;
    b->failed = SIZE_MAX;
    l->held = false;
    l->current++;
    pthread_cond_broadcast(&l->work);
}

/* Item i's labels, and what goes with them, to stand behind the n_before of the items before. */
static void close_up(const data_loader *l, buffer *b, size_t i, size_t n_before, size_t mask)
{
    const size_t n = b->n_labels[i], from = i * l->recipe.most_labels, each = keypoint_floats(l);
    memmove(b->labels + n_before, b->labels + from, n * sizeof *b->labels);
    if (b->keypoints)
        memmove(b->keypoints + n_before * each, b->keypoints + from * each,
                n * each * sizeof *b->keypoints);
    if (b->masks)
        memmove(b->masks + n_before * mask, b->masks + from * mask, n * mask);
}

/* Brings the labels together and describes the batch. */
static void hand_out(data_loader *l, buffer *b)
{
    size_t n = size_of_batch(l, l->current), n_labels = 0;
    batch_shape shape = shape_of(l, l->current);
    const int q = l->recipe.mask_ratio;
    for (size_t i = 0; i < n; i++) {
        close_up(l, b, i, n_labels, mask_pixels(l, shape));
        n_labels += b->n_labels[i];
    }
    l->batch = (data_batch){.index = l->current,
                            .n = (int)n,
                            .n_all = (int)size_of_all(l->n_pictures, l->options.batch, l->current),
                            .h = shape.h,
                            .w = shape.w,
                            .input = b->input,
                            .labels = b->labels,
                            .n_labels = n_labels,
                            .items = b->items,
                            .keypoints = b->keypoints,
                            .n_keypoints = l->recipe.keypoints.n,
                            .index_maps = b->index_maps,
                            .masks = b->masks,
                            .mask_h = q > 0 ? shape.h / q : 0,
                            .mask_w = q > 0 ? shape.w / q : 0};
    l->held = true;
}

vg_status data_loader_next(data_loader *l, const data_batch **out, vg_error *err)
{
    *out = NULL;
    vg_status st = VG_OK;
    int64_t began = base_now_ns();
    pthread_mutex_lock(&l->lock);
    release(l);
    if (l->end_place > 0 && l->current < l->n_batches) {
        buffer *b = buffer_of(l, l->current);
        while (b->n_done < size_of_batch(l, l->current)) {
            if (may_take(l) && batch_of(l, l->next_place) == l->current)
                take_ticket(l, &l->workers[l->options.n_workers].maker);
            else
                pthread_cond_wait(&l->news, &l->lock);
        }
        if (b->failed != SIZE_MAX) {
            st = b->status;
            if (err)
                *err = b->err;
            stop(l);
        } else {
            hand_out(l, b);
            *out = &l->batch;
        }
    }
    l->wait_ns += (uint64_t)(base_now_ns() - began);
    pthread_mutex_unlock(&l->lock);
    return st;
}

vg_status data_loader_set_augment(data_loader *l, const data_augment *augment, vg_error *err)
{
    vg_status st = loader_check_augment(augment, err);
    if (st != VG_OK)
        return st;
    data_augment a = *augment;
    loader_settle_augment(&a, l->recipe.set);
    if (!l->options.train || (a.mosaic > 0 && !l->has_mosaic) || (a.mixup > 0 && !l->has_mixup) ||
        (a.copy_paste > 0 &&
         (!l->has_paste || a.copy_paste_mode != l->options.augment.copy_paste_mode)))
        return base_fail(
            err, VG_ERR_ARGUMENT, "augmentation",
            "create the loader with the largest probabilities that will be used",
            "mosaic, mixup or copy_paste in a loader that was created without room for "
            "them");
    l->options.augment = a;
    return VG_OK;
}

size_t data_loader_n_batches(const data_loader *l)
{
    return l->n_batches;
}

size_t data_loader_most_labels(const data_loader *l)
{
    return l->recipe.most_labels;
}

void data_loader_most_shape(const data_loader *l, int *n, int *h, int *w)
{
    *n = (int)(l->most_own < l->n_pictures ? l->most_own : l->n_pictures);
    *h = l->most_h;
    *w = l->most_w;
}

data_loader_stats data_loader_stats_get(data_loader *l)
{
    data_loader_stats s = {0};
    store_stats(l->recipe.store, &s);
    pthread_mutex_lock(&l->lock);
    s.wait_ns = l->wait_ns;
    pthread_mutex_unlock(&l->lock);
    return s;
}
