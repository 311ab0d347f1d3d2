/* job.c: a stream job as its owner sees it: open, wait, reload, close. */
#include "job.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fleet.h"
#include "parts.h"
#include "report/report.h"
#include "stream/in/ports.h"

/* ---- channels ---- */

/* Counters are of a source, not of its place. */
static void begin_stats(stream_channel_stats *out, const stream_source *s)
{
    memset(out, 0, sizeof *out);
    base_format(out->name, sizeof out->name, "%s", s->name);
    out->last_fault = -1;
    out->last_progress_ns = base_now_ns();
    out->state = STREAM_CONNECTING;
}

/* Of the retries' jitter: a hundred hosts that lost the same recorder do not come back in step. */
static uint64_t some_seed(void)
{
    uint64_t seed;
    return getentropy(&seed, sizeof seed) == 0 ? seed : (uint64_t)base_now_ns();
}

int64_t stream_channel_stop(stream_job *l, int channel)
{
    stream_channel *c = &l->channels[channel];
    int64_t ended_ns = base_now_ns();
    if (c->source == NULL)
        return ended_ns;
    if (c->capture != NULL) {
        stream_capture_stop(c->capture);
        ended_ns = stream_capture_join(&c->capture);
    }
    stream_intake_close_channel(l->intake, channel, false);
    l->stats.channels[channel].state = STREAM_EMPTY;
    c->source = NULL;
    pthread_mutex_lock(&l->places_lock); /* its last frames may be on their way still */
    c->n_frames_of = 0;
    pthread_mutex_unlock(&l->places_lock);
    return ended_ns;
}

int stream_channel_find_empty(const stream_job *l)
{
    for (int i = 0; i < l->n_channels; i++)
        if (l->channels[i].source == NULL)
            return i;
    return -1;
}

vg_status stream_channel_start(stream_job *l, int channel, stream_source *s, vg_error *err)
{
    stream_channel *c = &l->channels[channel];
    stream_capture_options o = {.texts = s->texts,
                                .n_texts = s->n_texts,
                                .video = s->video,
                                .retry_first_s = s->retry_first_s,
                                .retry_most_s = s->retry_most_s,
                                .max_retries = s->max_retries,
                                .ends = s->ends,
                                .seed = some_seed(),
                                .until_ns =
                                    l->leases != NULL ? stream_leases_until_ns(l->leases) : NULL};
    c->source = s;
    pthread_mutex_lock(&l->places_lock);
    c->occupant++;
    base_format(c->stem, sizeof c->stem, "%s", s->stem);
    begin_stats(&l->stats.channels[channel], s);
    pthread_mutex_unlock(&l->places_lock);
    stream_intake_open_channel(l->intake, channel, s->keeps_all);
    vg_status st = VG_OK;
    if (s->kind == VIDEO_PUSHED)
        st = stream_ports_open(&o.video.port, l->o.ports, s->texts[0],
                               &l->mem->owner[STREAM_FRAMES], err);
    if (st == VG_OK)
        st = stream_capture_start(&c->capture, &o, l->intake, channel, &l->stats.channels[channel],
                                  &l->mem->owner[STREAM_FRAMES], err);
    if (st != VG_OK)
        stream_channel_stop(l, channel);
    return st;
}

/* ---- open ---- */

static vg_status start(stream_job *l, vg_error *err)
{
    vg_status st = stream_stages_start(l, err);
    if (st == VG_OK)
        st = stream_fleet_open(l, err);
    if (l->leases != NULL)
        return st; /* no source is this job's yet */
    for (size_t i = 0; i < l->sources.n && st == VG_OK; i++)
        st = stream_channel_start(l, (int)i, &l->sources.items[i], err);
    return st;
}

static stream_job *make(const stream_options *o, const stream_listener *listener,
                        stream_accounts *mem, vg_error *err)
{
    stream_job *l = base_alloc_zero(&mem->owner[STREAM_PLANS], 1, sizeof *l, err);
    if (l == NULL)
        return NULL;
    l->o = *o;
    if (listener != NULL)
        l->listener = *listener;
    l->mem = mem;
    l->stats.started_ns = base_now_ns();
    l->stats.accounts = mem->owner;
    l->stats.n_accounts = STREAM_N_ACCOUNTS;
    pthread_mutex_init(&l->failure_lock, NULL);
    pthread_mutex_init(&l->places_lock, NULL);
    return l;
}

/* Nothing of a job that could not be opened is left behind. */
static void give_up(stream_job **live)
{
    char folder[sizeof(*live)->folder];
    const int n_made = (*live)->n_made;
    memcpy(folder, (*live)->folder, sizeof folder);
    stream_job_close(live, 0, NULL);
    report_run_folder_take_back(folder, n_made, NULL);
}

vg_status stream_job_open(stream_job **out, const stream_options *o,
                          const stream_listener *listener, stream_accounts *mem, vg_error *err)
{
    sigset_t before; /* libraries start threads of their own */
    stream_job *l = make(o, listener, mem, err);
    *out = NULL;
    if (l == NULL)
        return VG_ERR_MEMORY;
    base_signals_block(&before);
    vg_status st = stream_parts_open(l, err);
    base_signals_restore(&before);
    if (st == VG_OK)
        st = start(l, err);
    if (st != VG_OK)
        give_up(&l);
    *out = l;
    return st;
}

vg_status stream_job_check(const stream_options *o, stream_accounts *mem, vg_error *err)
{
    stream_job *l = make(o, NULL, mem, err);
    if (l == NULL)
        return VG_ERR_MEMORY;
    const vg_status st = stream_parts_check(l, err);
    stream_job_close(&l, 0, NULL);
    return st;
}

/* ---- while it runs ---- */

static bool all_captures_ended(const stream_job *l)
{
    if (l->leases != NULL || (l->sources.n == 0 && !l->sources.are_of_files))
        return false; /* a camera may come any time, by a lease or with a longer list */
    for (int i = 0; i < l->n_channels; i++) {
        const int state = l->stats.channels[i].state;
        if (state != STREAM_ENDED && state != STREAM_EMPTY)
            return false;
    }
    return true;
}

/* When not one source gave a frame, the job has failed with the first of their reasons; an end is
 * one, too. */
static vg_status outcome(stream_job *l, vg_error *err)
{
    vg_status first = VG_OK;
    vg_error why;
    const char *name = NULL;
    for (int i = 0; i < l->n_channels; i++) {
        if (l->channels[i].capture == NULL)
            continue;
        if (l->stats.channels[i].n_frames > 0)
            return VG_OK;
        name = name == NULL ? l->stats.channels[i].name : name;
        const vg_status st = stream_capture_failure(l->channels[i].capture, &why);
        if (st != VG_OK && first == VG_OK) {
            first = st;
            if (err != NULL)
                *err = why;
        }
    }
    if (first == VG_OK && name != NULL)
        return base_fail(err, VG_ERR_IO, name, "check what it sends, and input_format",
                         "the source ended without a picture");
    return first;
}

/* No source was there at the first try, and none was told to wait: a slip in an address is told at
 * once. Of several one is enough; the others are tried again and reported. */
static vg_status nobody_came(stream_job *l, vg_error *err)
{
    vg_status first = VG_OK;
    for (int i = 0; i < l->n_channels && !l->has_begun; i++) {
        const stream_channel *c = &l->channels[i];
        vg_error why;
        if (c->capture == NULL)
            continue;
        l->has_begun = c->source->waits || l->stats.channels[i].n_connects > 0;
        const vg_status st = stream_capture_first_miss(c->capture, &why);
        if (st == VG_OK)
            return VG_OK;
        if (first == VG_OK && err != NULL)
            *err = why;
        first = first == VG_OK ? st : first;
    }
    if (l->has_begun || first == VG_OK)
        return VG_OK;
    if (err != NULL && err->mend[0] != '\0')
        base_format(err->mend, sizeof err->mend, "%s",
                    base_mend("%.300s; wait_for_source waits until it is there", err->mend));
    return first;
}

vg_status stream_job_saw_nothing(const stream_job *l, vg_error *err)
{
    const char *name = NULL;
    for (int i = 0; i < l->n_channels; i++) {
        const stream_channel *c = &l->channels[i];
        if (c->source == NULL)
            continue;
        if (l->stats.channels[i].n_frames > 0 || !video_is_live(c->source->kind))
            return VG_OK;
        name = name == NULL ? l->stats.channels[i].name : name;
    }
    return name == NULL ? VG_OK
                        : base_fail(err, VG_ERR_IO, name, "check the source, or wait longer",
                                    "no picture came in that time");
}

static vg_status failure_of(stream_job *l, vg_error *err)
{
    pthread_mutex_lock(&l->failure_lock);
    const vg_status st = l->failure;
    if (st != VG_OK && err != NULL)
        *err = l->failure_error;
    pthread_mutex_unlock(&l->failure_lock);
    return st;
}

vg_status stream_job_wait(stream_job *l, int timeout_ms, bool *ended, vg_error *err)
{
    enum { SLICE_MS = 20 };
    *ended = false;
    stream_fleet_follow(l);
    for (int waited = 0;; waited += SLICE_MS) {
        vg_status st = failure_of(l, err);
        if (st == VG_OK)
            st = nobody_came(l, err);
        if (st != VG_OK)
            return st;
        /* In this order: a capture's last frame is in the intake before its state says so. */
        *ended = all_captures_ended(l) && stream_intake_is_idle(l->intake) &&
                 stream_outlet_is_idle(l->outlet);
        if (*ended)
            return outcome(l, err);
        *ended = l->stats.wants_end;
        if (*ended)
            return VG_OK;
        if (waited >= timeout_ms)
            return VG_OK;
        nanosleep(&(struct timespec){.tv_nsec = SLICE_MS * 1000000}, NULL);
    }
}

/* The new list holds what stays: channels point into it from now on. */
static void keep_and_close(stream_job *l, stream_sources *next, const int *place)
{
    bool stays[STREAM_MOST_CHANNELS] = {false};
    for (size_t i = 0; i < next->n; i++) {
        if (place[i] < 0)
            continue;
        stays[place[i]] = true;
        l->channels[place[i]].source = &next->items[i];
    }
    for (int i = 0; i < l->n_channels; i++)
        if (!stays[i] && l->channels[i].capture != NULL)
            stream_capture_stop(l->channels[i].capture); /* all at once, then one by one */
    for (int i = 0; i < l->n_channels; i++)
        if (!stays[i])
            stream_channel_stop(l, i);
}

static vg_status reload_leased(stream_job *l, stream_sources *next, vg_error *err)
{
    const vg_status st = stream_fleet_reload(l, next, err);
    if (st != VG_OK) {
        stream_sources_close(next);
        return st;
    }
    stream_sources old = l->sources;
    l->sources = *next;
    stream_sources_close(&old);
    if (l->zones != NULL)
        stream_zones_warn(l->zones, l->o.zones, &l->sources);
    return VG_OK;
}

vg_status stream_job_reload(stream_job *l, vg_error *err)
{
    stream_sources next = {0};
    const stream_source *running[STREAM_MOST_CHANNELS];
    int place[STREAM_MOST_CHANNELS];
    vg_status st = stream_sources_open(&next, &l->o, &l->mem->owner[STREAM_OUTPUT], err);
    if (st == VG_OK && l->leases != NULL)
        return reload_leased(l, &next, err);
    if (st == VG_OK && next.n > (size_t)l->n_channels)
        st =
            base_fail(err, VG_ERR_LIMIT, "the source list",
                      base_mend("start again, or with most_sources=%zu from the beginning", next.n),
                      "%zu sources, and room for %d was made at the start", next.n, l->n_channels);
    if (st != VG_OK) {
        stream_sources_close(&next);
        return st;
    }
    for (int i = 0; i < l->n_channels; i++)
        running[i] = l->channels[i].source;
    if (l->o.shard[0] != '\0')
        stream_sources_find_running(&next, running, (size_t)l->n_channels, place);
    else
        stream_sources_keep_names(&next, running, (size_t)l->n_channels, place);
    sigset_t before;
    base_signals_block(&before);
    keep_and_close(l, &next, place);
    stream_sources old = l->sources;
    l->sources = next;
    for (size_t i = 0; i < next.n && st == VG_OK; i++)
        if (place[i] < 0)
            st = stream_channel_start(l, stream_channel_find_empty(l), &l->sources.items[i], err);
    base_signals_restore(&before);
    stream_sources_close(&old);
    if (l->zones != NULL)
        stream_zones_warn(l->zones, l->o.zones, &l->sources);
    return st;
}

bool stream_job_is_healthy(const stream_job *l)
{
    return stream_stats_is_healthy(&l->stats, &l->o, base_now_ns());
}

/* ---- close ---- */

/* Others may read the cameras as soon as nothing here does, not only when the last result is out;
 * and that goes out, however long their store takes to answer. */
static void end_leases(stream_job *l)
{
    for (int i = 0; i < l->n_channels && l->leases != NULL; i++)
        if (l->channels[i].capture != NULL)
            stream_capture_join(&l->channels[i].capture);
    stream_fleet_end(l);
}

vg_status stream_job_end(stream_job *l, double patience_s, vg_error *err)
{
    l->stats.is_ending = true;
    for (int i = 0; i < l->n_channels; i++)
        if (l->channels[i].capture != NULL)
            stream_capture_stop(l->channels[i].capture);
    stream_stages_stop(l);
    end_leases(l);
    const vg_status st = stream_outlet_close(&l->outlet, patience_s, err);
    stream_fleet_close(l);
    return st;
}

vg_status stream_job_close(stream_job **live, double patience_s, vg_error *err)
{
    stream_job *l = *live;
    if (l == NULL)
        return VG_OK;
    const vg_status st = stream_job_end(l, patience_s, err);
    for (int i = 0; i < l->n_channels; i++)
        stream_channel_stop(l, i);
    stream_parts_free(l);
    pthread_mutex_destroy(&l->failure_lock);
    pthread_mutex_destroy(&l->places_lock);
    base_free(l);
    *live = NULL;
    return st;
}

const stream_stats *stream_job_stats(const stream_job *l)
{
    return &l->stats;
}

stream_detector *stream_job_detector(const stream_job *l)
{
    return l->detector;
}

const char *stream_job_folder(const stream_job *l)
{
    return l->folder;
}
