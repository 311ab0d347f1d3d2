/* run_stream.c: a stream job from its first frame to its last: looks after it ten times a second,
 * and tells the listener, systemd and the guard how it goes.
 *
 * The watchdog is fed with progress: when a source or the network stands still for longer than it
 * may, the beats stop, and systemd starts another. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "stream.h"

static const double PATIENCE_S = 1; /* for sinks, when asked to stop: run promises two seconds */
static const int64_t LOOK_MS = 100, TELL_NS = 5000000000, BEAT_NS = 1000000000;

/* ---- results ---- */

static void tell_result(void *ctx, const stream_result *r)
{
    const vg_stream *s = ctx;
    const video_frame_info *f = &r->frame;
    const vg_stream_result out = {.source_index = r->channel,
                                  .source = r->source,
                                  .stem = r->stem,
                                  .index = r->index,
                                  .of = r->of,
                                  .width = f->w,
                                  .height = f->h,
                                  .input_width = r->in_w,
                                  .input_height = r->in_h,
                                  .frame = f->number,
                                  .time_s = f->pts_ns == INT64_MIN ? (double)NAN
                                                                   : (double)f->pts_ns * 1e-9,
                                  .wall_s = (double)f->wall_ns * 1e-9,
                                  .detections = r->boxes,
                                  .n_detections = r->n_boxes,
                                  .ids = r->ids,
                                  .events = r->events,
                                  .n_events = r->n_events,
                                  .times = r->times,
                                  .file = r->file != NULL ? r->file : ""};
    s->listener->result(s->listener->ctx, &out);
}

static void see_opened(void *ctx, const stream_setting *setting)
{
    vg_stream *s = ctx;
    s->detector = setting->detector;
    s->stats = setting->stats;
    s->started_ns = base_now_ns(); /* not before: loading is no work on frames */
    base_format(s->folder, sizeof s->folder, "%s", setting->folder);
}

/* ---- what others are told ---- */

static uint64_t n_results(const stream_stats *stats)
{
    uint64_t n = 0;
    for (int i = 0; i < stats->n_channels; i++)
        n += stats->channels[i].n_results;
    return n;
}

static void tell_guard(vg_stream *s)
{
    vg_memory m;
    if (!net_beacon_is_due(&s->beacon))
        return;
    stream_accounts_memory(&m, &s->accounts);
    net_beacon_tell(&s->beacon, &m, -1, -1, (int64_t)n_results(stream_job_stats(s->job)));
}

/* "2 of 3 sources play, 24.8 frames/s; door waits (refused)": the first that does not play. */
static void tell_status(vg_stream *s, int64_t now_ns)
{
    const stream_stats *stats = stream_job_stats(s->job);
    const uint64_t n = n_results(stats);
    int n_sources = 0, n_playing = 0;
    const stream_channel_stats *ill = NULL;
    char text[400];
    for (int i = 0; i < stats->n_channels; i++) {
        const stream_channel_stats *c = &stats->channels[i];
        n_sources += c->state != STREAM_EMPTY;
        n_playing += c->state == STREAM_PLAYING;
        if (ill == NULL && c->state != STREAM_EMPTY && c->state != STREAM_PLAYING)
            ill = c;
    }
    if (s->told_ns > 0)
        s->frames_per_s =
            (double)(n - s->told_results) / fmax(base_ms(now_ns - s->told_ns) * 1e-3, 1e-9);
    s->told_ns = now_ns;
    s->told_results = n;
    base_format(text, sizeof text, "%d of %d sources play, %.1f frames/s, %" PRIu64 " frames",
                n_playing, n_sources, s->frames_per_s, n);
    if (ill != NULL) {
        const size_t k = strlen(text);
        const int fault = ill->last_fault;
        base_format(text + k, sizeof text - k, "; %.100s is %s%s%s%s", ill->name,
                    stream_state_name((stream_state)ill->state), fault >= 0 ? " (" : "",
                    fault >= 0 ? video_fault_name((video_fault)fault) : "", fault >= 0 ? ")" : "");
    }
    net_service_status(&s->service, text);
}

static void tell_service(vg_stream *s)
{
    const int64_t now_ns = base_now_ns();
    if (s->told_ns == 0 || now_ns - s->told_ns >= TELL_NS)
        tell_status(s, now_ns);
    if (now_ns - s->beat_ns >= BEAT_NS && stream_job_is_healthy(s->job)) {
        s->beat_ns = now_ns;
        net_service_beat(&s->service);
    }
}

/* ---- the loop ---- */

static bool is_asked(const vg_stream *s, bool (*what)(void *ctx))
{
    return what != NULL && what(s->listener->ctx);
}

static void note(const vg_stream *s, const char *what)
{
    if (s->listener->note != NULL)
        s->listener->note(s->listener->ctx, what);
}

static void tell_imgsz(const vg_stream *s)
{
    vg_model_info info;
    char text[128];
    stream_detector_facts(&info, s->detector);
    if (!s->settled.quiet && nn_imgsz_format(text, sizeof text, &info))
        note(s, text);
}

/* Of the sinks that draw, when their labels are wanted. */
static void tell_letters(const vg_stream *s)
{
    const stream_options *o = &s->settled;
    const image_names names = stream_detector_names(s->detector);
    char text[512];
    const bool draws = o->save || o->show || o->serve[0] != '\0' || o->zones[0] != '\0';
    if (draws && !o->hide_labels && !o->quiet && image_letters_format(text, sizeof text, &names))
        note(s, text);
}

/* A list that is wrong changes nothing: the sources that play go on, and the list can be mended. */
static void reload(vg_stream *s)
{
    vg_error err = {.status = VG_OK};
    char text[1200];
    net_service_reloading(&s->service);
    if (stream_job_reload(s->job, &err) == VG_OK) {
        const stream_stats *stats = stream_job_stats(s->job);
        int n = 0;
        for (int i = 0; i < stats->n_channels; i++)
            n += stats->channels[i].state != STREAM_EMPTY;
        base_format(text, sizeof text, "reloaded: %d source%s", n, n == 1 ? "" : "s");
    } else {
        base_format(text, sizeof text, "not reloaded: %.400s%s%.300s%s", err.what,
                    err.where[0] != '\0' ? " (" : "", err.where, err.where[0] != '\0' ? ")" : "");
    }
    net_service_ready(&s->service);
    s->told_ns = 0;
    note(s, text);
}

static vg_status look_after(vg_stream *s, vg_error *err)
{
    bool ended = false;
    vg_status st = VG_OK;
    while (st == VG_OK && !ended) {
        const double seconds = vg_stream_seconds(s);
        if (is_asked(s, s->listener->wants_stop))
            return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped by request");
        if (s->settled.duration_s > 0 && seconds >= s->settled.duration_s)
            return stream_job_saw_nothing(s->job, err);
        if (is_asked(s, s->listener->wants_reload))
            reload(s);
        st = stream_job_wait(s->job, LOOK_MS, &ended, err);
        tell_guard(s);
        tell_service(s);
        if (s->listener->tick != NULL)
            s->listener->tick(s->listener->ctx);
    }
    return st;
}

/* What may be asked for after the run: memory as it was while it ran, results with the last that
 * sinks wrote. */
static vg_status end(vg_stream *s, vg_error *err)
{
    stream_accounts_memory(&s->last_memory, &s->accounts);
    s->ended_ns = base_now_ns();
    const vg_status st = stream_job_end(s->job, PATIENCE_S, err);
    stream_stats_copy(s->last, stream_job_stats(s->job));
    return st;
}

static vg_status run(vg_stream *s, vg_error *err)
{
    const stream_listener l = {.ctx = s, .result = tell_result, .opened = see_opened};
    const bool hears = s->listener->result != NULL;
    vg_status st = stream_job_open(&s->job, &s->settled, hears ? &l : NULL, &s->accounts, err);
    if (st != VG_OK) {
        s->detector = NULL;
        s->stats = NULL;
        return st;
    }
    if (!hears) { /* else see_opened has done it, before there was a thread of results */
        s->detector = stream_job_detector(s->job);
        s->stats = stream_job_stats(s->job);
        s->started_ns = base_now_ns();
        base_format(s->folder, sizeof s->folder, "%s", stream_job_folder(s->job));
    }
    tell_imgsz(s);
    tell_letters(s);
    net_service_ready(&s->service);
    if (s->listener->ready != NULL)
        s->listener->ready(s->listener->ctx);
    st = look_after(s, err);
    net_service_stopping(&s->service);
    vg_error last = {.status = VG_OK};
    stream_job *job = s->job;
    const vg_status closed = end(s, &last);
    stream_job_close(&job, 0, NULL);
    s->job = NULL;
    s->detector = NULL;
    s->stats = s->last;
    s->has_run = true;
    if ((st == VG_OK || st == VG_ERR_INTERRUPTED) && closed != VG_OK) {
        st = closed;
        if (err != NULL)
            *err = last;
    }
    return st;
}

vg_status vg_stream_run(vg_stream *s, const vg_stream_listener *listener, vg_error *err)
{
    static const vg_stream_listener silent = {0};
    stream_sources sources = {0};
    if (s->has_run)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "make another handle",
                         "a stream that has run already");
    vg_status st = api_stream_settle(s, &sources, err);
    stream_sources_close(&sources); /* the job reads them for itself */
    if (st != VG_OK)
        return st;
    base_log_setup(s->settled.quiet ? BASE_LOG_WARN : BASE_LOG_INFO, false);
    stream_accounts_init(&s->accounts, s->settled.memory_limit_bytes);
    s->listener = listener != NULL ? listener : &silent;
    net_service_open(&s->service);
    st = run(s, err);
    net_service_close(&s->service);
    net_beacon_close(&s->beacon);
    s->listener = NULL;
    return st;
}
