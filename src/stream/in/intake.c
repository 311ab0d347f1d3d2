/* intake.c: one lock for all channels: what is done under it is a few pointers, while the
 * frames' pictures, which may take a library's time to let go, are released outside of it. Each
 * channel has a condition of its own for room, so that a frame taken wakes its capture alone. */
#include "intake.h"

#include <assert.h>
#include <pthread.h>

enum {
    DEPTH_EVERY = 2, /* one waits while the network works on the one before: it never starves */
    DEPTH_LATEST = 1,
    DEPTH_MOST = 2,
    STOP_LOOK_MS = 50, /* who waits for room looks at its stop flag so often: nobody signals that */
    FRAME_BYTES = 1024 /* of an object without its picture: test_live_intake counts */
};

typedef struct ring {
    pthread_cond_t has_room;
    bool is_open, keeps_all;
    int n, first;
    uint64_t served; /* number of its last service: the least was served longest ago */
    struct {
        video_frame *frame;
        int64_t put_ns;
    } items[DEPTH_MOST];
} ring;

struct stream_intake {
    pthread_mutex_t lock;
    pthread_cond_t has_frame;
    bool is_stopped;
    int n_channels, n_objects, n_free;
    uint64_t n_served;
    video_frame **free; /* (n_objects) a stack, of which n_free are there */
    ring rings[];       /* (n_channels) */
};

static int count_objects(int n_channels, int n_spare)
{
    return n_channels * (DEPTH_MOST + 1) + n_spare; /* + 1: what its capture reads into */
}

int stream_intake_most_held(int n_channels, int n_spare, bool keeps_every_frame)
{
    return n_channels * (keeps_every_frame ? DEPTH_MOST : 1) + n_spare;
}

size_t stream_intake_bytes(int n_channels, int n_spare)
{
    const size_t n_objects = (size_t)count_objects(n_channels, n_spare);
    return sizeof(stream_intake) + (size_t)n_channels * sizeof(ring) +
           n_objects * (sizeof(video_frame *) + FRAME_BYTES);
}

vg_status stream_intake_create(stream_intake **out, int n_channels, int n_spare, base_mem *mem,
                               vg_error *err)
{
    *out = NULL;
    assert(n_channels >= 1 && n_spare >= 0);
    const int n_objects = count_objects(n_channels, n_spare);
    const size_t head = sizeof(stream_intake) + (size_t)n_channels * sizeof(ring);
    stream_intake *in = base_alloc_zero(mem, 1, head + (size_t)n_objects * sizeof *in->free, err);
    if (in == NULL)
        return VG_ERR_MEMORY;
    in->free = (video_frame **)(void *)((char *)in + head);
    in->n_channels = n_channels;
    in->n_objects = n_objects;
    pthread_mutex_init(&in->lock, NULL);
    base_cond_init(&in->has_frame);
    for (int i = 0; i < n_channels; i++)
        base_cond_init(&in->rings[i].has_room);
    vg_status st = VG_OK;
    for (; in->n_free < n_objects && st == VG_OK; in->n_free += st == VG_OK)
        st = video_frame_create(&in->free[in->n_free], mem, err);
    if (st != VG_OK)
        stream_intake_destroy(&in);
    *out = in;
    return st;
}

void stream_intake_destroy(stream_intake **intake)
{
    stream_intake *in = *intake;
    if (in == NULL)
        return;
    for (int i = 0; i < in->n_channels; i++) {
        ring *r = &in->rings[i];
        for (int k = 0; k < r->n; k++)
            video_frame_destroy(&r->items[(r->first + k) % DEPTH_MOST].frame);
        pthread_cond_destroy(&r->has_room);
    }
    for (int i = 0; i < in->n_free; i++)
        video_frame_destroy(&in->free[i]);
    pthread_cond_destroy(&in->has_frame);
    pthread_mutex_destroy(&in->lock);
    base_free(in);
    *intake = NULL;
}

/* ---- frame objects ---- */

video_frame *stream_intake_blank(stream_intake *in)
{
    video_frame *f = NULL;
    pthread_mutex_lock(&in->lock);
    if (in->n_free > 0)
        f = in->free[--in->n_free];
    pthread_mutex_unlock(&in->lock);
    return f;
}

void stream_intake_give_back(stream_intake *in, video_frame *f)
{
    if (f == NULL)
        return;
    video_frame_release(f);
    pthread_mutex_lock(&in->lock);
    assert(in->n_free < in->n_objects && "a frame was given back twice");
    in->free[in->n_free++] = f;
    pthread_mutex_unlock(&in->lock);
}

/* ---- channels; all below is called under the lock, but for the public ---- */

static ring *find_ring(stream_intake *in, int channel)
{
    assert(channel >= 0 && channel < in->n_channels);
    return &in->rings[channel];
}

static stream_taken take_oldest(stream_intake *in, int channel)
{
    ring *r = &in->rings[channel];
    const stream_taken t = {
        .frame = r->items[r->first].frame, .channel = channel, .put_ns = r->items[r->first].put_ns};
    r->first = (r->first + 1) % DEPTH_MOST;
    r->n--;
    pthread_cond_signal(&r->has_room);
    return t;
}

void stream_intake_close_channel(stream_intake *in, int channel, bool drain)
{
    video_frame *dropped[DEPTH_MOST];
    int n = 0;
    pthread_mutex_lock(&in->lock);
    ring *r = find_ring(in, channel);
    r->is_open = false;
    while (!drain && r->n > 0)
        dropped[n++] = take_oldest(in, channel).frame;
    pthread_cond_broadcast(&r->has_room);
    pthread_mutex_unlock(&in->lock);
    for (int i = 0; i < n; i++)
        stream_intake_give_back(in, dropped[i]);
}

void stream_intake_open_channel(stream_intake *in, int channel, bool keeps_all)
{
    stream_intake_close_channel(in, channel, false);
    pthread_mutex_lock(&in->lock);
    ring *r = find_ring(in, channel);
    r->is_open = true;
    r->keeps_all = keeps_all;
    pthread_mutex_unlock(&in->lock);
}

bool stream_intake_is_idle(stream_intake *in)
{
    pthread_mutex_lock(&in->lock);
    const bool is_idle = in->n_free == in->n_objects;
    pthread_mutex_unlock(&in->lock);
    return is_idle;
}

int stream_intake_waiting(stream_intake *in, int channel)
{
    pthread_mutex_lock(&in->lock);
    const int n = find_ring(in, channel)->n;
    pthread_mutex_unlock(&in->lock);
    return n;
}

static bool may_put(const stream_intake *in, const ring *r, const atomic_bool *stop)
{
    return r->is_open && !in->is_stopped && !atomic_load(stop);
}

bool stream_intake_put(stream_intake *in, int channel, video_frame *f, const atomic_bool *stop,
                       int *n_dropped)
{
    const int64_t put_ns = base_now_ns();
    video_frame *dropped = NULL;
    pthread_mutex_lock(&in->lock);
    ring *r = find_ring(in, channel);
    while (r->keeps_all && r->n == DEPTH_EVERY && may_put(in, r, stop)) {
        base_cond_wait(&r->has_room, &in->lock, base_now_ns() + STOP_LOOK_MS * INT64_C(1000000));
    }
    const bool is_taken = may_put(in, r, stop);
    if (is_taken) {
        if (!r->keeps_all && r->n == DEPTH_LATEST)
            dropped = take_oldest(in, channel).frame;
        const int at = (r->first + r->n++) % DEPTH_MOST;
        r->items[at].frame = f;
        r->items[at].put_ns = put_ns;
        pthread_cond_signal(&in->has_frame);
    }
    pthread_mutex_unlock(&in->lock);
    *n_dropped = dropped != NULL;
    stream_intake_give_back(in, is_taken ? dropped : f);
    return is_taken;
}

/* ---- the taker's side ---- */

/* Of the channels with a frame, of `like`'s shape if given, whose last service was number `latest`
 * or earlier, the one that was served longest ago; -1: none. */
static int choose(const stream_intake *in, const video_frame_info *like, uint64_t latest)
{
    int best = -1;
    for (int i = 0; i < in->n_channels; i++) {
        const ring *r = &in->rings[i];
        if (r->n == 0 || r->served > latest || (best >= 0 && r->served >= in->rings[best].served))
            continue;
        const video_frame_info *shape = video_frame_get(r->items[r->first].frame);
        if (like == NULL || (shape->w == like->w && shape->h == like->h))
            best = i;
    }
    return best;
}

int stream_intake_take(stream_intake *in, stream_taken *out, int most, int timeout_ms)
{
    const int64_t end_ns = base_now_ns() + (timeout_ms > 0 ? timeout_ms : 0) * INT64_C(1000000);
    const video_frame_info *like = NULL;
    int n = 0, next;
    pthread_mutex_lock(&in->lock);
    while (!in->is_stopped && choose(in, NULL, UINT64_MAX) < 0 &&
           base_cond_wait(&in->has_frame, &in->lock, end_ns))
        ;
    const uint64_t before = in->n_served;
    while (!in->is_stopped && n < most && (next = choose(in, like, before)) >= 0) {
        out[n] = take_oldest(in, next);
        in->rings[next].served = ++in->n_served;
        like = video_frame_get(out[0].frame);
        n++;
    }
    pthread_mutex_unlock(&in->lock);
    return n;
}

void stream_intake_stop(stream_intake *in)
{
    pthread_mutex_lock(&in->lock);
    in->is_stopped = true;
    pthread_cond_broadcast(&in->has_frame);
    for (int i = 0; i < in->n_channels; i++)
        pthread_cond_broadcast(&in->rings[i].has_room);
    pthread_mutex_unlock(&in->lock);
}
