/* outlet.c: the pool of results, and the sinks' threads. */
#include "outlet.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>

enum { TICK_MS = 1000, TELL_AGAIN_S = 60 };

typedef struct outlet_sink {
    stream_outlet *outlet;
    const stream_sink *sink;
    void *state;
    base_queue *queue;
    stream_sink_stats *stats;
    pthread_t thread;
    bool is_open, is_running;
    atomic_bool is_done; /* its thread has nothing more to do */
    vg_status closed;
    vg_error close_error;
    int64_t told_ns; /* of its last failure; 0: none */
    bool is_told;    /* and not yet that it works again */
    int occupants[STREAM_MOST_CHANNELS];
    bool has_work[STREAM_MOST_CHANNELS]; /* written to since the last channel_ended */
} outlet_sink;

struct stream_outlet {
    const stream_setting *setting;
    stream_stats *stats;
    stream_intake *intake;
    stream_outlet_plan plan;
    stream_item *items; /* (n_items) */
    base_queue *home;   /* items nobody holds */
    locale_t c_locale;
    atomic_bool is_hurried;
    outlet_sink sinks[STREAM_MOST_SINKS];
};

/* ---- what will be held ---- */

static bool is_wanted(const stream_sink *sink, const stream_setting *s)
{
    if (sink->is_wanted != NULL)
        return sink->is_wanted(s->options);
    return s->listener != NULL && s->listener->wants_frames == sink->needs_pixels;
}

static bool blocks(const stream_sink *sink, const stream_setting *s)
{
    const int policy = s->options->sink_policy;
    return policy == STREAM_SINK_BLOCK ||
           (policy == STREAM_SINK_AUTO && sink->is_local && s->keeps_every_frame);
}

/* A result holds its masks: of such ones fewer wait. */
static int queue_length(const stream_sink *sink, const stream_setting *s)
{
    enum { MOST_WITH_MASKS = 4 };
    return s->shape.task->has_masks && sink->queue_length > MOST_WITH_MASKS ? MOST_WITH_MASKS
                                                                            : sink->queue_length;
}

void stream_outlet_make_plan(stream_outlet_plan *out, const stream_setting *s, int n_in_pipeline,
                             int most_events)
{
    *out = (stream_outlet_plan){.n_items = n_in_pipeline,
                                .max_det = s->options->max_det,
                                .most_events = most_events,
                                .shape = s->shape};
    out->shape.most = (size_t)s->options->max_det;
    for (size_t i = 0; stream_sinks[i] != NULL; i++) {
        const stream_sink *sink = stream_sinks[i];
        if (!is_wanted(sink, s))
            continue;
        const int k = out->n_sinks++;
        out->wanted[k] = sink;
        /* Every source adds one: eight cameras come at once. */
        out->queue_length[k] = (size_t)(queue_length(sink, s) + s->n_channels - 1);
        out->blocks[k] = blocks(sink, s);
        out->n_items += (int)out->queue_length[k] + 1; /* and the one in its hand */
        if (sink->needs_pixels)
            out->n_frames += (int)out->queue_length[k] + 1;
        out->needs_folder = out->needs_folder || sink->needs_folder;
    }
}

static size_t item_bytes(const stream_outlet_plan *p)
{
    return sizeof(stream_item) + (size_t)p->max_det * sizeof(int64_t) +
           task_found_bytes(&p->shape) + (size_t)p->most_events * sizeof(vg_stream_event);
}

size_t stream_outlet_bytes(const stream_outlet_plan *p, const stream_setting *s)
{
    enum { QUEUE_BYTES = 256 };
    size_t bytes = sizeof(stream_outlet) + (size_t)p->n_items * (item_bytes(p) + sizeof(void *)) +
                   (size_t)(p->n_sinks + 1) * QUEUE_BYTES;
    for (int k = 0; k < p->n_sinks; k++)
        bytes += p->queue_length[k] * sizeof(void *) + p->wanted[k]->state_bytes +
                 (p->wanted[k]->need_bytes != NULL ? p->wanted[k]->need_bytes(s) : 0);
    return bytes;
}

size_t stream_outlet_encoder_bytes(const stream_outlet_plan *p, const stream_setting *s)
{
    size_t bytes = 0;
    for (int k = 0; k < p->n_sinks; k++)
        if (p->wanted[k]->encoder_bytes != NULL)
            bytes += p->wanted[k]->encoder_bytes(s);
    return bytes;
}

/* ---- items ---- */

stream_item *stream_outlet_blank(stream_outlet *o)
{
    void *item = NULL;
    base_queue_pop(o->home, &item, -1, NULL);
    return item;
}

static void stop_looking(stream_outlet *o, stream_item *item)
{
    if (atomic_fetch_sub(&item->n_lookers, 1) != 1)
        return;
    stream_intake_give_back(o->intake, item->frame);
    item->frame = NULL;
}

static void let_go(stream_outlet *o, stream_item *item)
{
    if (atomic_fetch_sub(&item->n_holders, 1) == 1)
        base_queue_push(o->home, item, NULL);
}

void stream_outlet_drop(stream_outlet *o, stream_item *item)
{
    if (item->frame != NULL)
        stream_intake_give_back(o->intake, item->frame);
    item->frame = NULL;
    base_queue_push(o->home, item, NULL);
}

static void let_go_from(outlet_sink *s, stream_item *item)
{
    if (s->sink->needs_pixels)
        stop_looking(s->outlet, item);
    let_go(s->outlet, item);
}

void stream_outlet_send(stream_outlet *o, stream_item *item)
{
    item->n_holders = o->plan.n_sinks + 1; /* and us */
    item->n_lookers = 1;
    item->result.pixels = item->frame;
    for (int k = 0; k < o->plan.n_sinks; k++)
        item->n_lookers += o->plan.wanted[k]->needs_pixels;
    for (int k = 0; k < o->plan.n_sinks; k++) {
        outlet_sink *s = &o->sinks[k];
        void *dropped = NULL;
        if (!base_queue_push(s->queue, item, &dropped))
            dropped = item;
        if (dropped != NULL) {
            atomic_fetch_add(&s->stats->n_dropped, 1);
            let_go_from(s, dropped);
        }
        s->stats->n_waiting = (int)base_queue_length(s->queue);
    }
    stop_looking(o, item);
    let_go(o, item);
}

bool stream_outlet_is_idle(stream_outlet *o)
{
    return base_queue_length(o->home) == (size_t)o->plan.n_items;
}

/* ---- a sink's thread ---- */

/* What has become of results up to a call's end with st. Returns how many were written. */
static uint64_t settle(outlet_sink *s, vg_status st, bool is_write)
{
    stream_settled n = {.n_written = is_write && st == VG_OK, .n_lost = st != VG_OK};
    if (s->sink->settle != NULL)
        s->sink->settle(s->state, &n);
    atomic_fetch_add(&s->stats->n_written, n.n_written);
    atomic_fetch_add(&s->stats->n_failed, n.n_lost);
    return n.n_written;
}

/* Of a fault that lasts, one line a minute, also when it goes and comes. */
static void tell(outlet_sink *s, vg_status st, uint64_t n_written, const vg_error *err)
{
    const int64_t now = base_now_ns();
    if (st == VG_OK && n_written == 0)
        return;
    s->stats->is_failing = st != VG_OK;
    if (st == VG_OK) {
        if (s->is_told)
            base_log(BASE_LOG_INFO, "sink works again", "sink=%s", s->sink->name);
        s->is_told = false;
        return;
    }
    if (s->told_ns == 0 || now - s->told_ns > TELL_AGAIN_S * INT64_C(1000000000)) {
        base_log(BASE_LOG_WARN, "sink failed", "sink=%s what=\"%s\" where=\"%s\" failures=%llu",
                 s->sink->name, err->what, err->where, (unsigned long long)s->stats->n_failed);
        s->told_ns = now;
        s->is_told = true;
    }
}

static void end_channel(outlet_sink *s, int channel)
{
    if (s->has_work[channel] && s->sink->channel_ended != NULL)
        s->sink->channel_ended(s->state, channel);
    settle(s, VG_OK, false);
    s->has_work[channel] = false;
}

static void write_item(outlet_sink *s, stream_item *item)
{
    vg_error err = {0};
    const int channel = item->result.channel;
    if (s->occupants[channel] != item->occupant)
        end_channel(s, channel);
    s->occupants[channel] = item->occupant;
    s->has_work[channel] = true;
    const vg_status st = s->sink->write(s->state, s->outlet->setting, &item->result, &err);
    tell(s, st, settle(s, st, true), &err);
}

/* Once a second, and when nothing waits: sources that have ended have nothing more to say. */
static void tick(outlet_sink *s)
{
    vg_error err = {0};
    const stream_stats *stats = s->outlet->stats;
    for (int c = 0; c < stats->n_channels && base_queue_length(s->queue) == 0; c++) {
        const int state = stats->channels[c].state;
        if (state == STREAM_EMPTY)
            end_channel(s, c);
    }
    if (s->sink->tick == NULL)
        return;
    const vg_status st = s->sink->tick(s->state, s->outlet->setting, &err);
    tell(s, st, settle(s, st, false), &err);
}

static void close_sink(outlet_sink *s)
{
    s->is_open = false;
    s->closed = s->sink->close(s->state, &s->close_error);
    settle(s, VG_OK, false);
}

/* Until its queue is closed and empty. It ends the sink, too: some have a last word that waits for
 * others, and so they wait at the same time. */
static void *sink_loop(void *self)
{
    outlet_sink *s = self;
    void *item;
    bool timed_out = false;
    int64_t next_tick_ns = base_now_ns() + TICK_MS * INT64_C(1000000);
    uselocale(
        s->outlet->c_locale); /* files have decimal points, whatever the host program has set */
    for (;;) {
        const bool has_item = base_queue_pop(s->queue, &item, TICK_MS, &timed_out);
        if (!has_item && !timed_out)
            break;
        s->stats->n_waiting = (int)base_queue_length(s->queue);
        if (has_item) {
            if (s->outlet->is_hurried)
                atomic_fetch_add(&s->stats->n_dropped, 1);
            else
                write_item(s, item);
            let_go_from(s, item);
        }
        if (base_now_ns() >= next_tick_ns) {
            tick(s);
            next_tick_ns = base_now_ns() + TICK_MS * INT64_C(1000000);
        }
    }
    close_sink(s);
    uselocale(LC_GLOBAL_LOCALE);
    s->is_done = true;
    return NULL;
}

/* ---- open and close ---- */

static vg_status make_items(stream_outlet *o, base_mem *mem, vg_error *err)
{
    const stream_outlet_plan *p = &o->plan;
    vg_status st = base_queue_create(&o->home, (size_t)p->n_items, BASE_QUEUE_BLOCK, mem, err);
    if (st != VG_OK)
        return st;
    o->items = base_alloc_zero(mem, (size_t)p->n_items, sizeof *o->items, err);
    for (int i = 0; o->items != NULL && i < p->n_items; i++) {
        stream_item *item = &o->items[i];
        const size_t n_events = (size_t)(p->most_events > 0 ? p->most_events : 1);
        st = task_found_open(&item->found, &p->shape, mem, err);
        if (st != VG_OK)
            return st;
        item->ids = base_alloc_zero(mem, (size_t)p->max_det, sizeof *item->ids, err);
        item->events = base_alloc_zero(mem, n_events, sizeof *item->events, err);
        if (item->ids == NULL || item->events == NULL)
            return VG_ERR_MEMORY;
        base_queue_push(o->home, item, NULL);
    }
    return o->items != NULL ? VG_OK : VG_ERR_MEMORY;
}

static vg_status open_sink(stream_outlet *o, int k, vg_error *err)
{
    outlet_sink *s = &o->sinks[k];
    base_mem *mem = o->setting->mem;
    s->outlet = o;
    s->sink = o->plan.wanted[k];
    s->stats = &o->stats->sinks[k];
    s->stats->keeps = s->sink->is_local;
    s->stats->blocks = o->plan.blocks[k];
    s->stats->capacity = (int)o->plan.queue_length[k];
    s->state = base_alloc_zero(mem, 1, s->sink->state_bytes, err);
    if (s->state == NULL)
        return VG_ERR_MEMORY;
    vg_status st =
        base_queue_create(&s->queue, o->plan.queue_length[k],
                          o->plan.blocks[k] ? BASE_QUEUE_BLOCK : BASE_QUEUE_DROP_OLDEST, mem, err);
    if (st == VG_OK)
        st = s->sink->open(s->state, o->setting, err);
    s->is_open = st == VG_OK;
    s->stats->name = s->sink->name;
    return st;
}

static vg_status start_sink(outlet_sink *s, vg_error *err)
{
    char name[16];
    base_format(name, sizeof name, "vigil-%.9s", s->sink->name);
    const vg_status st = base_thread_start(&s->thread, name, 0, sink_loop, s, err);
    s->is_running = st == VG_OK;
    return st;
}

vg_status stream_outlet_open(stream_outlet **out, const stream_outlet_plan *p,
                             const stream_setting *s, stream_stats *stats, stream_intake *in,
                             vg_error *err)
{
    *out = NULL;
    stream_outlet *o = base_alloc_zero(s->mem, 1, sizeof *o, err);
    if (o == NULL)
        return VG_ERR_MEMORY;
    o->setting = s;
    o->stats = stats;
    o->intake = in;
    o->plan = *p;
    o->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc's own: nothing is taken */
    vg_status st = make_items(o, s->mem, err);
    stats->n_sinks = p->n_sinks;
    for (int k = 0; k < p->n_sinks && st == VG_OK; k++)
        st = open_sink(o, k, err);
    for (int k = 0; k < p->n_sinks && st == VG_OK; k++)
        st = start_sink(&o->sinks[k], err);
    if (st != VG_OK)
        stream_outlet_close(&o, 0, NULL);
    *out = o;
    return st;
}

static bool all_done(const stream_outlet *o)
{
    for (int k = 0; k < o->plan.n_sinks; k++)
        if (o->sinks[k].is_running && !o->sinks[k].is_done)
            return false;
    return true;
}

static void join_sinks(stream_outlet *o, double patience_s)
{
    const int64_t until = base_now_ns() + (int64_t)(patience_s * 1e9);
    for (int k = 0; k < o->plan.n_sinks; k++)
        if (o->sinks[k].queue != NULL)
            base_queue_close(o->sinks[k].queue);
    while (!all_done(o) && base_now_ns() < until)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    o->is_hurried = true;
    for (int k = 0; k < o->plan.n_sinks; k++)
        if (o->sinks[k].is_running)
            pthread_join(o->sinks[k].thread, NULL);
}

vg_status stream_outlet_close(stream_outlet **outlet, double patience_s, vg_error *err)
{
    stream_outlet *o = *outlet;
    vg_status st = VG_OK;
    if (o == NULL)
        return VG_OK;
    join_sinks(o, patience_s);
    for (int k = 0; k < o->plan.n_sinks; k++) {
        outlet_sink *s = &o->sinks[k];
        if (s->is_open) /* its thread never began */
            close_sink(s);
        if (st == VG_OK && s->closed != VG_OK) {
            st = s->closed;
            if (err != NULL)
                *err = s->close_error;
        }
        base_queue_destroy(&s->queue);
        base_free(s->state);
    }
    for (int i = 0; o->items != NULL && i < o->plan.n_items; i++) {
        task_found_close(&o->items[i].found);
        base_free(o->items[i].ids);
        base_free(o->items[i].events);
    }
    base_queue_destroy(&o->home);
    base_free(o->items);
    base_free(o);
    *outlet = NULL;
    return st;
}
