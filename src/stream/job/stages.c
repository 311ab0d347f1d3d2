/* stages.c: what is done to frames, by three threads.
 *
 *   prepare: takes frames from the intake and letterboxes them straight into a network input
 *   infer:   forward, suppression
 *   post:    tracks, zones, times; hands the result to the outlet
 *
 * A job of files has two inputs, so that the next frames are prepared while the network works. A
 * live one has a single input: its frames are chosen when the network is free, so that none is
 * older than it must be. */
#include <string.h>

#include "parts.h"

enum { TAKE_MS = 200 };

/* Who was seen before so long a break is not looked for after it, and what was missing meanwhile is
 * not known. */
static const int64_t AWAY_NS = INT64_C(3000000000);

static void fail(stream_job *l, vg_status st, const vg_error *err)
{
    pthread_mutex_lock(&l->failure_lock);
    if (l->failure == VG_OK) {
        l->failure = st;
        l->failure_error = *err;
    }
    pthread_mutex_unlock(&l->failure_lock);
}

/* ---- prepare ---- */

static void fill_item(stream_job *l, stream_item *item, const stream_taken *taken, int64_t taken_ns)
{
    stream_channel *c = &l->channels[taken->channel];
    stream_channel_stats *s = &l->stats.channels[taken->channel];
    const video_frame_info *f = video_frame_get(taken->frame);
    item->frame = taken->frame;
    item->occupant = c->occupant;
    memcpy(item->source, s->name, sizeof item->source);
    memcpy(item->stem, c->stem, sizeof item->stem);
    base_format(item->file, sizeof item->file, "%s", video_frame_file(taken->frame));
    item->result = (stream_result){.channel = taken->channel,
                                   .source = item->source,
                                   .stem = item->stem,
                                   .file = item->file,
                                   .of = c->n_frames_of,
                                   .frame = *f,
                                   .boxes = item->found.boxes,
                                   .events = item->events};
    item->result.times.decode = base_ms(f->decoded_ns - f->arrived_ns);
    item->result.times.wait = base_ms(taken_ns - f->decoded_ns);
    stream_histogram_add(&s->stages[STREAM_STAGE_DECODE], f->decoded_ns - f->arrived_ns);
    stream_histogram_add(&s->stages[STREAM_STAGE_WAIT], taken_ns - f->decoded_ns);
}

static vg_status letterbox(stream_job *l, stream_batch *b, const stream_item *item, vg_error *err)
{
    image_letterbox_fit fit;
    const video_frame_info *f = &item->result.frame;
    vg_status st = stream_detector_fit(&fit, l->detector, f->w, f->h, true, err);
    if (st != VG_OK)
        return st;
    b->h = fit.out_h;
    b->w = fit.out_w;
    b->fit[b->n] = fit;
    if (stream_detector_takes_pictures(l->detector)) /* its device does the rest */
        return VG_OK;
    float *at = b->input + (size_t)b->n * (size_t)b->h * (size_t)b->w * 3;
    base_mem *frames = &l->mem->owner[STREAM_FRAMES];
    if (!l->setting.shape.task->is_whole)
        return video_frame_to_float(l->scaler, at, item->frame, &fit, frames, err);
    st = image_buffer_reserve(&l->rgb, f->w, f->h, frames, err); /* its middle is made of RGB */
    if (st == VG_OK)
        st = video_frame_to_rgb(l->scaler, &l->rgb.view, item->frame, frames, err);
    return st == VG_OK ? stream_detector_prepare(l->detector, at, &l->rgb.view, &fit, &l->scratch,
                                                 frames, err)
                       : st;
}

static void prepare(stream_job *l, stream_batch *b, const stream_taken *taken, int n)
{
    b->n = 0;
    for (int i = 0; i < n; i++) {
        const int64_t began = base_now_ns();
        stream_channel_stats *s = &l->stats.channels[taken[i].channel];
        vg_error err = {0};
        stream_item *item = stream_outlet_blank(l->outlet);
        pthread_mutex_lock(&l->places_lock);
        fill_item(l, item, &taken[i], began);
        pthread_mutex_unlock(&l->places_lock);
        const vg_status st = letterbox(l, b, item, &err);
        if (st != VG_OK) {
            if (atomic_fetch_add(&s->n_refused, 1) == 0)
                base_log_error(BASE_LOG_WARN, &err);
            stream_outlet_drop(l->outlet, item);
            continue;
        }
        const int64_t ns = base_now_ns() - began;
        item->result.times.preprocess = base_ms(ns);
        item->result.in_h = b->h;
        item->result.in_w = b->w;
        stream_histogram_add(&s->stages[STREAM_STAGE_PREPROCESS], ns);
        b->items[b->n++] = item;
    }
}

static void *prepare_loop(void *self)
{
    stream_job *l = self;
    stream_taken taken[STREAM_MOST_BATCH];
    void *b;
    while (base_queue_pop(l->blank, &b, -1, NULL)) {
        stream_batch *batch = b;
        for (batch->n = 0; batch->n == 0 && !l->stopping;) {
            const int n = stream_intake_take(l->intake, taken, l->most_batch, TAKE_MS);
            prepare(l, batch, taken, n);
        }
        if (batch->n == 0 || !base_queue_push(l->to_infer, batch, NULL)) {
            for (int i = 0; i < batch->n; i++)
                stream_outlet_drop(l->outlet, batch->items[i]);
            break;
        }
    }
    base_queue_close(l->to_infer);
    return NULL;
}

/* ---- infer ---- */

static vg_status find(stream_job *l, stream_item *item, int place, double each_ms, vg_error *err)
{
    const int64_t began = base_now_ns();
    stream_result *r = &item->result;
    const vg_status st = stream_detector_find(l->detector, &item->found, place, r->frame.w,
                                              r->frame.h, &l->nms, false, err);
    r->n_boxes = item->found.n;
    r->extras = item->found.extras;
    r->times.inference = each_ms;
    r->times.postprocess = base_ms(base_now_ns() - began);
    return st;
}

/* A batch that was computed, or was not: its items go on, and it is blank again. */
static void hand_on(stream_job *l, stream_batch *b, vg_status st, const vg_error *err, int64_t ns)
{
    if (st != VG_OK && !l->stopping)
        fail(l, st, err);
    atomic_fetch_add(&l->stats.n_batches, 1);
    atomic_fetch_add(&l->stats.n_batched, (uint64_t)b->n);
    for (int i = 0; i < b->n; i++) {
        stream_item *item = b->items[i];
        if (st != VG_OK) {
            stream_outlet_drop(l->outlet, item);
            continue;
        }
        vg_error find_error = {0};
        const vg_status found = find(l, item, i, base_ms(ns) / b->n, &find_error);
        if (found != VG_OK && !l->stopping)
            fail(l, found, &find_error);
        stream_histogram_add(
            &l->stats.channels[item->result.channel].stages[STREAM_STAGE_INFERENCE], ns / b->n);
    }
    for (int i = 0; i < b->n && st == VG_OK; i++)
        if (!base_queue_push(l->to_post, b->items[i], NULL))
            stream_outlet_drop(l->outlet, b->items[i]);
    b->n = 0;
    base_queue_push(l->blank, b, NULL);
}

static void infer(stream_job *l, stream_batch *b)
{
    vg_error err = {0};
    const int64_t began = base_now_ns();
    l->stats.run_began_ns = began;
    const vg_status st =
        l->stopping ? VG_ERR_INTERRUPTED
                    : stream_detector_run(l->detector, b->input, b->n, b->h, b->w, l->mem, &err);
    const int64_t ns = base_now_ns() - began;
    l->stats.run_began_ns = 0;
    hand_on(l, b, st, &err, ns);
}

/* ---- on a device, ahead ---- */

/* What is under way there, the oldest first; of the infer stage. */
typedef struct ahead {
    stream_batch *batches[STREAM_MOST_INPUTS];
    int n;
    int64_t collected_ns; /* when the last one came */
} ahead;

static vg_status put_frames(stream_job *l, stream_batch *b, vg_error *err)
{
    vg_status st = stream_detector_begin_batch(l->detector, b->n, b->h, b->w, l->mem, err);
    for (int i = 0; i < b->n && st == VG_OK; i++)
        st = stream_detector_put_frame(l->detector, i, b->items[i]->frame, &b->fit[i], l->scaler,
                                       l->mem, err);
    return st == VG_OK ? stream_detector_submit(l->detector, l->nms.conf, err) : st;
}

static void collect(stream_job *l, ahead *a)
{
    vg_error err = {0};
    stream_batch *b = a->batches[0];
    for (int i = 1; i < a->n; i++)
        a->batches[i - 1] = a->batches[i];
    a->n--;
    const vg_status st = stream_detector_collect(l->detector, &err);
    /* Of what overlaps, each moment counts once. */
    const int64_t began = b->began_ns > a->collected_ns ? b->began_ns : a->collected_ns;
    a->collected_ns = base_now_ns();
    l->stats.run_began_ns = a->n > 0 ? a->collected_ns : 0;
    hand_on(l, b, l->stopping ? VG_ERR_INTERRUPTED : st, &err, a->collected_ns - began);
}

static void submit(stream_job *l, ahead *a, stream_batch *b)
{
    vg_error err = {0};
    bool is_free = false;
    vg_status st = VG_OK;
    while (st == VG_OK && !is_free) {
        st = stream_detector_is_free(l->detector, &is_free, b->n, b->h, b->w, l->mem, &err);
        if (st == VG_OK && !is_free)
            collect(l, a);
    }
    b->began_ns = base_now_ns();
    if (a->n == 0)
        l->stats.run_began_ns = b->began_ns;
    if (st == VG_OK)
        st = l->stopping ? VG_ERR_INTERRUPTED : put_frames(l, b, &err);
    if (st == VG_OK) {
        a->batches[a->n++] = b;
        return;
    }
    while (a->n > 0) /* those before it come first */
        collect(l, a);
    l->stats.run_began_ns = 0;
    hand_on(l, b, st, &err, 0);
}

/* While a batch computes there, the next goes up; when there is no next one yet, nothing is gained
 * by waiting for it. A live job has one input, and so one batch. */
static void infer_ahead(stream_job *l)
{
    ahead a = {.n = 0};
    void *b;
    for (bool is_open = true; is_open || a.n > 0;) {
        bool timed_out = false;
        if (base_queue_pop(l->to_infer, &b, a.n > 0 ? 0 : -1, &timed_out)) {
            submit(l, &a, b);
            continue;
        }
        is_open = timed_out;
        if (a.n > 0)
            collect(l, &a);
    }
}

static void *infer_loop(void *self)
{
    stream_job *l = self;
    void *b;
    if (stream_detector_takes_pictures(l->detector))
        infer_ahead(l);
    while (base_queue_pop(l->to_infer, &b, -1, NULL))
        infer(l, b);
    base_queue_close(l->to_post);
    return NULL;
}

/* ---- post ---- */

/* A slow engine sees frames far apart, too: only a new connection was away, and no film ever. */
static bool was_away(const stream_channel *c, const video_frame_info *f, uint64_t n_connects)
{
    return f->is_live && n_connects != c->seen_connects && f->arrived_ns - c->seen_ns > AWAY_NS;
}

/* Another source in the place, another picture size, or one that was away: what was known of the
 * scene does not hold. */
static void see_scene(stream_job *l, stream_channel *c, const stream_item *item)
{
    const stream_result *r = &item->result;
    const uint64_t n_connects = l->stats.channels[r->channel].n_connects;
    const bool is_new = c->seen_occupant != item->occupant || was_away(c, &r->frame, n_connects),
               is_first = c->seen_w == 0,
               is_resized = c->seen_w != r->frame.w || c->seen_h != r->frame.h;
    if ((is_new || is_resized) && !is_first) {
        if (l->tracks != NULL)
            stream_tracks_clear(l->tracks, r->channel);
        if (l->zones != NULL)
            stream_zones_clear(l->zones, r->channel);
    }
    if (c->seen_occupant != item->occupant) {
        c->n_results = 0;
        c->film.is_begun = false;
    }
    c->seen_occupant = item->occupant;
    c->seen_connects = n_connects;
    c->seen_ns = r->frame.arrived_ns;
    c->seen_w = r->frame.w;
    c->seen_h = r->frame.h;
}

/* Files are read faster, or slower, than they were filmed: 30 s in a zone are 30 s of the film. */
static int64_t scene_time(stream_channel *c, const video_frame_info *f)
{
    if (f->is_live)
        return f->arrived_ns;
    if (c->film.is_begun) /* the next file's number and time begin anew, and time goes on */
        c->film.at_ns += f->number > c->film.number ? f->pts_ns - c->film.pts_ns : c->film.lasts_ns;
    c->film.is_begun = true;
    c->film.number = f->number;
    c->film.pts_ns = f->pts_ns;
    c->film.lasts_ns = f->lasts_ns;
    return c->film.at_ns;
}

/* The frame's brightness, where tracks ask for it. */
static const image_luma *see_luma(stream_job *l, image_luma *out, const stream_item *item)
{
    if (!stream_tracks_follows_camera(l->tracks))
        return NULL;
    if (video_frame_luma(out, item->frame))
        return out;
    if (!l->has_warned_of_luma)
        base_log(BASE_LOG_WARN, "camera not followed",
                 "source=%d why=\"its pictures have no plain brightness\" "
                 "try=\"tracker=bytetrack\"",
                 item->result.channel + 1);
    l->has_warned_of_luma = true;
    return NULL;
}

static void follow(stream_job *l, stream_item *item)
{
    image_luma luma;
    stream_result *r = &item->result;
    if (l->tracks != NULL) {
        r->n_boxes =
            stream_tracks_step(l->tracks, r->channel, &item->found, item->ids, r->n_boxes,
                               (size_t)l->o.max_det, (float)l->o.conf, see_luma(l, &luma, item));
        r->ids = item->ids;
        l->stats.n_tracks_refused = stream_tracks_n_refused(l->tracks);
    }
    if (l->zones == NULL)
        return;
    const detect_zone_picture seen = {.boxes = r->boxes,
                                      .masks = r->extras.masks,
                                      .ids = r->ids,
                                      .n = r->n_boxes,
                                      .w = r->frame.w,
                                      .h = r->frame.h,
                                      .time_ns = scene_time(&l->channels[r->channel], &r->frame)};
    r->n_events = stream_zones_step(l->zones, item->events, r->channel, r->source, r->stem, seen);
    for (size_t i = 0; i < r->n_events; i++)
        item->events[i].id = ++l->n_events;
}

static void post(stream_job *l, stream_item *item)
{
    const int64_t began = base_now_ns();
    stream_result *r = &item->result;
    stream_channel *c = &l->channels[r->channel];
    stream_channel_stats *s = &l->stats.channels[r->channel];
    see_scene(l, c, item);
    r->index = c->n_results++;
    follow(l, item);
    const int64_t now = base_now_ns();
    r->times.postprocess += base_ms(now - began);
    r->times.latency = base_ms(now - r->frame.arrived_ns);
    stream_histogram_add(&s->stages[STREAM_STAGE_POSTPROCESS],
                         (int64_t)(r->times.postprocess * 1e6));
    stream_histogram_add(&s->stages[STREAM_STAGE_LATENCY], now - r->frame.arrived_ns);
    atomic_fetch_add(&s->n_results, 1);
    atomic_fetch_add(&s->n_boxes, r->n_boxes);
    atomic_fetch_add(&s->n_events, r->n_events);
    stream_outlet_send(l->outlet, item);
}

static void *post_loop(void *self)
{
    stream_job *l = self;
    void *item;
    while (base_queue_pop(l->to_post, &item, -1, NULL)) {
        if (l->stopping)
            stream_outlet_drop(l->outlet, item);
        else
            post(l, item);
    }
    return NULL;
}

/* ---- threads ---- */

vg_status stream_stages_start(stream_job *l, vg_error *err)
{
    static const struct {
        const char *name;
        void *(*loop)(void *);
    } stages[STREAM_N_STAGE_THREADS] = {
        {"vigil-prepare", prepare_loop}, {"vigil-infer", infer_loop}, {"vigil-post", post_loop}};
    for (l->n_threads = 0; l->n_threads < STREAM_N_STAGE_THREADS; l->n_threads++) {
        const int i = l->n_threads;
        const vg_status st =
            base_thread_start(&l->threads[i], stages[i].name, 0, stages[i].loop, l, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

void stream_stages_stop(stream_job *l)
{
    base_queue *const queues[] = {l->blank, l->to_infer, l->to_post};
    l->stopping = true;
    if (l->intake != NULL)
        stream_intake_stop(l->intake);
    /* Closing `blank` ends prepare, which ends the next, and so on. A stage that never started
     * cannot close its queue, so then all are closed here. */
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        if (queues[i] != NULL && (i == 0 || l->n_threads < STREAM_N_STAGE_THREADS))
            base_queue_close(queues[i]);
    for (int i = 0; i < l->n_threads; i++)
        pthread_join(l->threads[i], NULL);
    l->n_threads = 0;
}
