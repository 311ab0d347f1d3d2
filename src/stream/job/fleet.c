/* fleet.c: a stream job whose cameras are lent to it: ten times a second it closes those that it
 * may read no more and opens those that it now may, in the places that were planned. */
#include "fleet.h"

#include <signal.h>
#include <string.h>
#include <time.h>

/* In a lease time: a call that hangs is over before the next beat is due. */
enum { CALLS = 5 };

static vg_status open_store(stream_store *out, stream_job *l, vg_error *err)
{
    base_mem *mem = &l->mem->owner[STREAM_OUTPUT];
    const stream_options *o = &l->o;
    return o->lease_dir[0] != '\0'
               ? stream_store_dir_open(out, o->lease_dir, mem, err)
               : stream_store_kubernetes_open(out, o->lease_kubernetes, o->lease_account,
                                              o->lease_time_s, (int)(o->lease_time_s * 1e3 / CALLS),
                                              mem, err);
}

/* Names of the list, in a block of mem. */
static const char **names_of(const stream_sources *s, base_mem *mem, vg_error *err)
{
    const char **names = base_alloc(mem, (s->n + 1) * sizeof *names, err);
    for (size_t i = 0; names != NULL && i < s->n; i++)
        names[i] = s->items[i].name;
    return names;
}

size_t stream_fleet_bytes(stream_job *l)
{
    if (!stream_options_have_leases(&l->o))
        return 0;
    const char **names = names_of(&l->sources, &l->mem->owner[STREAM_LOADING], NULL);
    const size_t bytes = names != NULL
                             ? stream_leases_bytes(names, l->sources.n) +
                                   (l->o.lease_dir[0] != '\0' ? stream_store_dir_bytes()
                                                              : stream_store_kubernetes_bytes())
                             : 0;
    base_free(names);
    return bytes;
}

int stream_fleet_places(const stream_job *l)
{
    stream_shard shard;
    if (!stream_options_have_leases(&l->o) || l->o.most_sources > 0 ||
        stream_shard_parse(&shard, l->o.shard, NULL) != VG_OK)
        return l->o.most_sources;
    const size_t share = (l->sources.n + (size_t)shard.of - 1) / (size_t)shard.of;
    const size_t most = share + share / 2 + 1;
    const size_t n = most < l->sources.n ? most : l->sources.n;
    return n < STREAM_MOST_CHANNELS ? (int)n : STREAM_MOST_CHANNELS;
}

vg_status stream_fleet_open(stream_job *l, vg_error *err)
{
    stream_leases_options o = {
        .most = l->n_channels, .lease_s = l->o.lease_time_s, .stats = &l->stats.fleet};
    if (!stream_options_have_leases(&l->o))
        return VG_OK;
    base_mem *mem = &l->mem->owner[STREAM_OUTPUT];
    const char **names = names_of(&l->sources, &l->mem->owner[STREAM_LOADING], err);
    if (names == NULL)
        return VG_ERR_MEMORY;
    vg_status st = stream_shard_parse(&o.shard, l->o.shard, err);
    if (st == VG_OK)
        st = open_store(&o.store, l, err);
    if (st == VG_OK)
        st = stream_leases_open(&l->leases, &o, names, l->sources.n, mem, err);
    if (st != VG_OK)
        stream_store_close(&o.store);
    l->has_begun = l->has_begun || st == VG_OK; /* it waits for its cameras */
    base_free(names);
    return st;
}

/* When a camera came and went (at_ns, of base_now_ns), by the wall clock, so that logs of several
 * machines can be laid side by side. */
static void tell(const char *event, const stream_source *s, int64_t at_ns)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    const int64_t ms =
        (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - (base_now_ns() - at_ns) / 1000000;
    base_log(BASE_LOG_INFO, event, "name=\"%s\" unix_s=%lld.%03d", s->name, (long long)(ms / 1000),
             (int)(ms % 1000));
}

static bool is_running(const stream_job *l, const stream_source *s)
{
    for (int i = 0; i < l->n_channels; i++)
        if (l->channels[i].source == s)
            return true;
    return false;
}

/* All at once, then one by one: each takes a moment to end. */
static void stop_some(stream_job *l, const bool *stops)
{
    for (int i = 0; i < l->n_channels; i++)
        if (stops[i] && l->channels[i].capture != NULL)
            stream_capture_stop(l->channels[i].capture);
    for (int i = 0; i < l->n_channels; i++) {
        const stream_source *s = l->channels[i].source;
        if (!stops[i] || s == NULL)
            continue;
        tell("camera closed", s, stream_channel_stop(l, i));
        stream_leases_set_reading(l->leases, s->key, false);
    }
}

/* Its capture is over, and the lease is here: by until_ns, before the next beat gave more time, or
 * after a fault that it does not try again. Of that it had retries enough, and so it waits before
 * it begins anew. Nobody else is asked to try: what cannot be read is mostly the camera's doing,
 * and each shard that gave it up would take no other's camera for a while. */
static bool is_over(const stream_job *l, int channel)
{
    const stream_channel *c = &l->channels[channel];
    const stream_channel_stats *s = &l->stats.channels[channel];
    if (c->source == NULL || c->capture == NULL || s->state != STREAM_ENDED)
        return false;
    return stream_capture_failure(c->capture, NULL) == VG_OK ||
           base_now_ns() - s->last_progress_ns >= (int64_t)(c->source->retry_most_s * 1e9);
}

static void start_one(stream_job *l, stream_source *s)
{
    vg_error err = {0};
    const int place = stream_channel_find_empty(l);
    stream_leases_set_reading(l->leases, s->key, true);
    if (!stream_leases_may_read(l->leases, s->key)) { /* it was let go before it knew */
        stream_leases_set_reading(l->leases, s->key, false);
        return;
    }
    tell("camera opened", s, base_now_ns());
    const vg_status st =
        place >= 0 ? stream_channel_start(l, place, s, &err)
                   : base_fail(&err, VG_ERR_LIMIT, s->name, NULL, "no place for a camera");
    if (st == VG_OK)
        return;
    base_log_error(BASE_LOG_WARN, &err);
    tell("camera closed", s, base_now_ns());
    stream_leases_set_reading(l->leases, s->key, false);
    stream_leases_give_up(l->leases, s->key);
}

void stream_fleet_follow(stream_job *l)
{
    bool stops[STREAM_MOST_CHANNELS] = {false};
    sigset_t before; /* libraries start threads of their own */
    if (l->leases == NULL)
        return;
    for (int i = 0; i < l->n_channels; i++)
        stops[i] =
            l->channels[i].source != NULL &&
            (is_over(l, i) || !stream_leases_may_read(l->leases, l->channels[i].source->key));
    base_signals_block(&before);
    stop_some(l, stops);
    for (size_t i = 0; i < l->sources.n; i++) {
        stream_source *s = &l->sources.items[i];
        if (stream_leases_may_read(l->leases, s->key) && !is_running(l, s))
            start_one(l, s);
    }
    base_signals_restore(&before);
}

static stream_source *find_same(const stream_sources *list, const stream_source *like)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].key == like->key && strcmp(list->items[i].name, like->name) == 0 &&
            stream_source_is_same(&list->items[i], like))
            return &list->items[i];
    return NULL;
}

/* What is read and has left the list is closed before the leases hear of it: they let go at once.
 * One whose options changed is closed, too, and opened again by follow. */
vg_status stream_fleet_reload(stream_job *l, stream_sources *next, vg_error *err)
{
    bool stops[STREAM_MOST_CHANNELS] = {false};
    base_mem *mem = &l->mem->owner[STREAM_OUTPUT];
    const char **names = names_of(next, &l->mem->owner[STREAM_LOADING], err);
    if (names == NULL)
        return VG_ERR_MEMORY;
    for (int i = 0; i < l->n_channels; i++)
        stops[i] = l->channels[i].source != NULL && find_same(next, l->channels[i].source) == NULL;
    stop_some(l, stops);
    const vg_status st = stream_leases_relist(l->leases, names, next->n, mem, err);
    for (int i = 0; i < l->n_channels && st == VG_OK; i++)
        if (l->channels[i].source != NULL)
            l->channels[i].source = find_same(next, l->channels[i].source);
    base_free(names);
    return st;
}

void stream_fleet_end(stream_job *l)
{
    if (l->leases != NULL)
        stream_leases_end(l->leases);
}

void stream_fleet_close(stream_job *l)
{
    stream_leases_close(&l->leases);
}
