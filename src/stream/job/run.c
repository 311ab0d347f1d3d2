/* run.c: looks after a stream job ten times a second, and tells the listener, systemd and the guard
 * how it goes.
 *
 * The watchdog is fed with progress: when a source or the network stands still for longer than it
 * may, the beats stop, and systemd starts another. */
#include "run.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double PATIENCE_S = 1; /* for sinks, when asked to stop: run promises two seconds */
static const int64_t LOOK_MS = 100, TELL_NS = 5000000000, BEAT_NS = 1000000000;

/* ---- results ---- */

static void tell_result(void *ctx, const stream_result *one)
{
    stream_run *r = ctx;
    const video_frame_info *f = &one->frame;
    const vg_stream_result out = {.source_index = one->channel,
                                  .source = one->source,
                                  .stem = one->stem,
                                  .index = one->index,
                                  .of = one->of,
                                  .width = f->w,
                                  .height = f->h,
                                  .input_width = one->in_w,
                                  .input_height = one->in_h,
                                  .frame = f->number,
                                  .time_s = f->pts_ns == INT64_MIN ? (double)NAN
                                                                   : (double)f->pts_ns * 1e-9,
                                  .wall_s = (double)f->wall_ns * 1e-9,
                                  .detections = one->boxes,
                                  .n_detections = one->n_boxes,
                                  .extras = one->extras,
                                  .ids = one->ids,
                                  .events = one->events,
                                  .n_events = one->n_events,
                                  .times = one->times,
                                  .file = one->file != NULL ? one->file : ""};
    r->now = one;
    r->listener->result(r->listener->ctx, &out);
    r->now = NULL;
}

vg_status stream_run_frame(stream_run *r, const image_view *dst, vg_error *err)
{
    const stream_result *one = r->now;
    if (one == NULL || one->pixels == NULL || !r->listener->wants_frames)
        return base_fail(err, VG_ERR_ARGUMENT, NULL,
                         "ask in the listener's function result, with wants_frames",
                         "no frame that could be looked at");
    if (dst->w != one->frame.w || dst->h != one->frame.h)
        return base_fail(err, VG_ERR_ARGUMENT, "out", "give it the size of the result",
                         "%d x %d pixels for a frame of %d x %d", dst->w, dst->h, one->frame.w,
                         one->frame.h);
    base_mem *mem = &r->mem->owner[STREAM_OUTPUT];
    const vg_status st = r->scaler == NULL ? video_scaler_create(&r->scaler, mem, err) : VG_OK;
    return st == VG_OK ? video_frame_to_rgb(r->scaler, dst, one->pixels, mem, err) : st;
}

static void see_opened(void *ctx, const stream_setting *setting)
{
    stream_run *r = ctx;
    r->detector = setting->detector;
    r->stats = setting->stats;
    r->started_ns = base_now_ns(); /* not before: loading is no work on frames */
    base_format(r->folder, sizeof r->folder, "%s", setting->folder);
}

/* ---- what others are told ---- */

static uint64_t n_results(const stream_stats *stats)
{
    uint64_t n = 0;
    for (int i = 0; i < stats->n_channels; i++)
        n += stats->channels[i].n_results;
    return n;
}

static void tell_guard(stream_run *r)
{
    vg_memory m;
    if (!net_beacon_is_due(&r->beacon))
        return;
    stream_accounts_memory(&m, r->mem);
    net_beacon_tell(&r->beacon, &m, -1, -1, (int64_t)n_results(stream_job_stats(r->job)));
}

/* "2 of 3 sources play, 24.8 frames/s; door waits (refused)": the first that does not play. */
static void tell_status(stream_run *r, int64_t now_ns)
{
    const stream_stats *stats = stream_job_stats(r->job);
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
    if (r->told_ns > 0)
        r->frames_per_s =
            (double)(n - r->told_results) / fmax(base_ms(now_ns - r->told_ns) * 1e-3, 1e-9);
    r->told_ns = now_ns;
    r->told_results = n;
    base_format(text, sizeof text, "%d of %d sources play, %.1f frames/s, %" PRIu64 " frames",
                n_playing, n_sources, r->frames_per_s, n);
    if (ill != NULL) {
        const size_t k = strlen(text);
        const int fault = ill->last_fault;
        base_format(text + k, sizeof text - k, "; %.100s is %s%s%s%s", ill->name,
                    stream_state_name((stream_state)ill->state), fault >= 0 ? " (" : "",
                    fault >= 0 ? video_fault_name((video_fault)fault) : "", fault >= 0 ? ")" : "");
    }
    net_service_status(&r->service, text);
}

static void tell_service(stream_run *r)
{
    const int64_t now_ns = base_now_ns();
    if (r->told_ns == 0 || now_ns - r->told_ns >= TELL_NS)
        tell_status(r, now_ns);
    if (now_ns - r->beat_ns >= BEAT_NS && stream_job_is_healthy(r->job)) {
        r->beat_ns = now_ns;
        net_service_beat(&r->service);
    }
}

/* ---- the loop ---- */

static bool is_asked(const stream_run *r, bool (*what)(void *ctx))
{
    return what != NULL && what(r->listener->ctx);
}

static void note(const stream_run *r, const char *what)
{
    if (r->listener->note != NULL)
        r->listener->note(r->listener->ctx, what);
}

static void tell_imgsz(const stream_run *r)
{
    vg_model_info info;
    char text[128];
    stream_detector_facts(&info, r->detector);
    if (!r->options.quiet && nn_imgsz_format(text, sizeof text, &info))
        note(r, text);
    if (!r->options.quiet && info.gpu[0] != '\0')
        note(r, base_where("device %s: %s, %s of its memory", info.isa, info.gpu,
                           base_format_bytes(text, sizeof text, (double)r->mem->gpu.in_use_bytes)));
    if (r->options.half && info.gpu[0] == '\0')
        note(r, "half has no effect here: a CPU computes in float32");
}

/* Of the sinks that draw, when their labels are wanted. */
static void tell_letters(const stream_run *r)
{
    const stream_options *o = &r->options;
    const image_names names = stream_detector_names(r->detector);
    char text[512];
    const bool draws = o->save || o->show || o->serve[0] != '\0' || o->zones[0] != '\0';
    if (draws && !o->hide_labels && !o->quiet && image_letters_format(text, sizeof text, &names))
        note(r, text);
}

/* A list that is wrong changes nothing: the sources that play go on, and the list can be mended. */
static void reload(stream_run *r)
{
    vg_error err = {.status = VG_OK};
    char text[1200];
    net_service_reloading(&r->service);
    if (stream_job_reload(r->job, &err) == VG_OK) {
        const stream_stats *stats = stream_job_stats(r->job);
        int n = 0;
        for (int i = 0; i < stats->n_channels; i++)
            n += stats->channels[i].state != STREAM_EMPTY;
        base_format(text, sizeof text, "reloaded: %d source%s", n, n == 1 ? "" : "s");
    } else {
        base_format(text, sizeof text, "not reloaded: %.400s%s%.300s%s", err.what,
                    err.where[0] != '\0' ? " (" : "", err.where, err.where[0] != '\0' ? ")" : "");
    }
    net_service_ready(&r->service);
    r->told_ns = 0;
    note(r, text);
}

static vg_status look_after(stream_run *r, vg_error *err)
{
    bool ended = false;
    vg_status st = VG_OK;
    while (st == VG_OK && !ended) {
        const double seconds = stream_run_seconds(r);
        if (is_asked(r, r->listener->wants_stop))
            return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped by request");
        if (r->options.duration_s > 0 && seconds >= r->options.duration_s)
            return stream_job_saw_nothing(r->job, err);
        if (is_asked(r, r->listener->wants_reload))
            reload(r);
        st = stream_job_wait(r->job, LOOK_MS, &ended, err);
        tell_guard(r);
        tell_service(r);
        if (r->listener->tick != NULL)
            r->listener->tick(r->listener->ctx);
    }
    return st;
}

/* What may be asked for after the run: memory as it was while it ran, results with the last that
 * sinks wrote. */
static vg_status end(stream_run *r, vg_error *err)
{
    stream_accounts_memory(&r->memory, r->mem);
    r->ended_ns = base_now_ns();
    const vg_status st = stream_job_end(r->job, PATIENCE_S, err);
    stream_stats_copy(&r->last, stream_job_stats(r->job));
    return st;
}

static vg_status run(stream_run *r, vg_error *err)
{
    const stream_listener l = {.ctx = r,
                               .wants_frames = r->listener->wants_frames,
                               .result = tell_result,
                               .opened = see_opened};
    const bool hears = r->listener->result != NULL;
    vg_status st = stream_job_open(&r->job, &r->options, hears ? &l : NULL, r->mem, err);
    if (st != VG_OK) {
        r->detector = NULL;
        r->stats = NULL;
        return st;
    }
    if (!hears) { /* else see_opened has done it, before there was a thread of results */
        r->detector = stream_job_detector(r->job);
        r->stats = stream_job_stats(r->job);
        r->started_ns = base_now_ns();
        base_format(r->folder, sizeof r->folder, "%s", stream_job_folder(r->job));
    }
    tell_imgsz(r);
    tell_letters(r);
    net_service_ready(&r->service);
    if (r->listener->ready != NULL)
        r->listener->ready(r->listener->ctx);
    st = look_after(r, err);
    net_service_stopping(&r->service);
    vg_error last = {.status = VG_OK};
    stream_job *job = r->job;
    const vg_status closed = end(r, &last);
    stream_job_close(&job, 0, NULL);
    video_scaler_destroy(&r->scaler);
    r->job = NULL;
    r->detector = NULL;
    r->stats = &r->last;
    r->has_run = true;
    if ((st == VG_OK || st == VG_ERR_INTERRUPTED) && closed != VG_OK) {
        st = closed;
        if (err != NULL)
            *err = last;
    }
    return st;
}

void stream_run_init(stream_run *r)
{
    memset(r, 0, sizeof *r);
    r->service = NET_SERVICE_NONE;
}

vg_status stream_run_go(stream_run *r, const stream_options *settled,
                        const vg_stream_listener *listener, stream_accounts *mem, vg_error *err)
{
    static const vg_stream_listener silent = {0};
    assert(!r->has_run);
    base_log_setup(settled->quiet ? BASE_LOG_WARN : BASE_LOG_INFO, false);
    stream_accounts_init(mem, settled->memory_limit_bytes);
    stream_accounts_limit_gpu(mem, settled->gpu_memory_limit_bytes);
    r->options = *settled;
    r->mem = mem;
    r->listener = listener != NULL ? listener : &silent;
    net_service_open(&r->service);
    const vg_status st = run(r, err);
    net_service_close(&r->service);
    net_beacon_close(&r->beacon);
    r->listener = NULL;
    return st;
}

double stream_run_seconds(const stream_run *r)
{
    const int64_t end_ns = r->has_run || r->stats == NULL ? r->ended_ns : base_now_ns();
    return end_ns > r->started_ns ? base_ms(end_ns - r->started_ns) * 1e-3 : 0;
}
