/* sink_record.c: the pictures with their boxes as video, a recording for each source.
 *
 * Video files become STEM.mp4 unless segments are asked for (STEM-2.mp4 when the size changes or
 * the source plays another file); live sources become segments STEM-20261123-141500.mp4, the newest
 * of which are kept. A source that reconnects goes on with its segment, for a camera that flaps
 * would otherwise push a day's recording out with a thousand files of a second.
 *
 * A result is written when its fragment is in the file. After a failure (a full disk, say) a new
 * segment is tried only after a wait, which doubles until a fragment is written: results that come
 * meanwhile are lost and counted, and cost no encoding. */
#include <string.h>

#include "files.h"
#include "painter.h"

static const int64_t SILENCE_NS = INT64_C(60) * 1000000000; /* then a segment is ended */
static const double SYNC_S = 0.3;                           /* of the time that the job's end has */
enum { PIXELS_A_THREAD = 2560 * 1440, MOST_THREADS = 4, FIRST_WAIT_S = 2, MOST_WAIT_S = 30 };

typedef struct recording {
    video_recorder *recorder; /* NULL: none yet */
    char stem[STREAM_STEM_BYTES];
    int64_t number, pts_ns, arrived_ns; /* of the last frame */
    int64_t at_ns, lasts_ns, step_ns;   /* its time in the recording, and since the one before */
    int64_t written_ns;
    video_recorder_counts seen; /* of the recorder, settled */
    int64_t again_ns;           /* no new segment before */
    int wait_s;                 /* the last one; 0: it works */
    vg_error fault;             /* what it waits for */
} recording;

typedef struct state {
    stream_painter *painter;
    video_syncer *syncer;
    recording *recordings; /* (n) */
    int n;
    bool one_file;
    stream_settled settled; /* since it was asked for */
} state;

static bool is_wanted(const stream_options *o)
{
    return o->save;
}

/* A codec that is not there is told now, not at the first picture. */
static vg_status check(const stream_options *o, base_mem *mem, vg_error *err)
{
    video_recorder *trial = NULL;
    const video_recorder_options trials = {
        .folder = "", .stem = "trial", .codec = o->video_codec, .threads = 1};
    const vg_status st = video_recorder_create(&trial, &trials, mem, err);
    video_recorder_close(&trial, NULL);
    if (st == VG_ERR_UNSUPPORTED && err != NULL && strcmp(err->where, "video_codec") == 0)
        base_format(err->where, sizeof err->where, "option video_codec");
    return st;
}

static size_t need_bytes(const stream_setting *s)
{
    return stream_painter_bytes(s) +
           (size_t)s->n_channels * (sizeof(recording) + video_recorder_bytes());
}

/* A large picture takes a processor longer than a frame lasts. */
static int threads_for(int w, int h)
{
    const int n = 1 + (int)((int64_t)w * h / PIXELS_A_THREAD);
    return n < MOST_THREADS ? n : MOST_THREADS;
}

static size_t encoder_bytes(const stream_setting *s)
{
    return (size_t)s->n_channels * video_recorder_need(s->options->video_codec, s->most_w,
                                                       s->most_h,
                                                       threads_for(s->most_w, s->most_h));
}

static video_recorder_options options_of(const state *t, const stream_setting *s, const char *stem)
{
    const stream_options *o = s->options;
    return (video_recorder_options){.folder = s->folder,
                                    .stem = stem,
                                    .codec = o->video_codec,
                                    .segment_s = o->segment_s,
                                    .segment_bytes = o->segment_bytes,
                                    .keep_n = o->keep_segments,
                                    .keep_bytes = o->keep_bytes,
                                    .threads = 1,
                                    .one_file = t->one_file,
                                    .syncer = t->syncer};
}

/* ---- what became of results ---- */

static void count(state *t, recording *c)
{
    const video_recorder_counts now = video_recorder_count(c->recorder);
    const uint64_t n_written = now.n_kept - c->seen.n_kept;
    if (n_written > 0)
        c->wait_s = 0;
    t->settled.n_written += n_written;
    t->settled.n_lost += now.n_lost - c->seen.n_lost;
    c->seen = now;
}

static void settle(void *self, stream_settled *out)
{
    state *t = self;
    *out = t->settled;
    t->settled = (stream_settled){0};
}

static vg_status lose(state *t, vg_status st)
{
    t->settled.n_lost++;
    return st;
}

static void wait(recording *c, const vg_error *fault)
{
    c->wait_s = c->wait_s == 0 ? FIRST_WAIT_S : 2 * c->wait_s;
    c->wait_s = c->wait_s < MOST_WAIT_S ? c->wait_s : MOST_WAIT_S;
    c->again_ns = base_now_ns() + c->wait_s * INT64_C(1000000000);
    c->fault = *fault;
}

/* ---- open and close ---- */

static vg_status end_segment(state *t, recording *c, vg_error *err)
{
    const vg_status st = video_recorder_end_segment(c->recorder, err);
    count(t, c);
    return st;
}

static vg_status end_recorder(state *t, recording *c, vg_error *err)
{
    if (c->recorder == NULL)
        return VG_OK;
    const vg_status st = end_segment(t, c, err);
    video_recorder_close(&c->recorder, NULL);
    c->seen = (video_recorder_counts){0};
    return st;
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    vg_status st = VG_OK;
    for (int i = 0; t->recordings != NULL && i < t->n; i++) {
        const vg_status closed = end_recorder(t, &t->recordings[i], st == VG_OK ? err : NULL);
        st = st == VG_OK ? closed : st;
    }
    if (!video_syncer_destroy(&t->syncer, SYNC_S))
        base_log(BASE_LOG_WARN, "the last recordings are still on their way to the disk",
                 "waited_s=%g", SYNC_S);
    base_free(t->recordings);
    stream_painter_destroy(&t->painter);
    t->recordings = NULL;
    return st;
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    t->n = s->n_channels;
    t->one_file = s->is_of_files && s->options->segment_s <= 0 && s->options->segment_bytes == 0;
    vg_status st = video_syncer_create(&t->syncer, err);
    if (st == VG_OK)
        st = stream_painter_create(&t->painter, s, s->mem, err);
    if (st == VG_OK) {
        t->recordings = base_alloc_zero(s->mem, (size_t)t->n, sizeof *t->recordings, err);
        st = t->recordings != NULL ? VG_OK : VG_ERR_MEMORY;
    }
    if (st != VG_OK)
        close_(self, NULL);
    return st;
}

/* ---- results ---- */

static void begin(recording *c, const stream_result *r)
{
    base_format(c->stem, sizeof c->stem, "%s", r->stem);
    c->number = -1;
}

static vg_status make_recorder(state *t, recording *c, const stream_setting *s,
                               const stream_result *r, vg_error *err)
{
    video_recorder_options o = options_of(t, s, r->stem);
    o.threads = threads_for(r->frame.w, r->frame.h);
    const vg_status st = video_recorder_create(&c->recorder, &o, s->mem, err);
    if (st == VG_OK)
        begin(c, r);
    return st;
}

/* Within a connection the stream's time stamps tell how far frames are apart. Between two the time
 * of their arrival does, but one film follows another at once. A live source's frame lasts as long
 * as those before it, of which one may have been a silence: it may be the only one of five. */
static void advance(recording *c, const stream_result *r)
{
    const video_frame_info *f = &r->frame;
    const bool is_first = c->number<0, goes_on = f->number> c->number;
    int64_t step = f->is_live ? f->arrived_ns - c->arrived_ns : c->lasts_ns;
    if (goes_on && f->pts_ns > c->pts_ns)
        step = f->pts_ns - c->pts_ns;
    c->at_ns = is_first ? 0 : c->at_ns + (step > 0 ? step : 0);
    c->lasts_ns = f->lasts_ns;
    if (f->is_live && !is_first)
        c->lasts_ns = c->step_ns > 0 && c->step_ns < step ? c->step_ns : step;
    c->step_ns = is_first ? 0 : step;
    c->number = f->number;
    c->pts_ns = f->pts_ns;
    c->arrived_ns = f->arrived_ns;
}

static vg_status draw_and_write(state *t, recording *c, const stream_setting *s,
                                const stream_result *r, vg_error *err)
{
    image_view picture;
    if (base_now_ns() < c->again_ns) {
        if (err != NULL)
            *err = c->fault;
        return lose(t, VG_ERR_IO);
    }
    vg_error fault = {0};
    vg_status st = stream_painter_drawn(t->painter, &picture, s, r, err);
    if (st != VG_OK)
        return lose(t, st);
    st = video_recorder_write(c->recorder, &picture, c->at_ns, c->lasts_ns, &fault);
    count(t, c);
    c->written_ns = base_now_ns();
    if (st == VG_ERR_IO)
        wait(c, &fault);
    if (st != VG_OK && err != NULL)
        *err = fault;
    return st;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    recording *c = &t->recordings[r->channel];
    vg_status st = VG_OK, ended = VG_OK;
    if (c->recorder != NULL && strcmp(c->stem, r->stem) != 0)
        ended = end_recorder(t, c, err);
    if (c->recorder == NULL)
        st = make_recorder(t, c, s, r, err);
    if (st != VG_OK)
        return lose(t, st);
    if (t->one_file && r->frame.number <= c->number) { /* the next file of a folder */
        ended = end_segment(t, c, err);
        begin(c, r);
    }
    advance(c, r);
    st = draw_and_write(t, c, s, r, ended == VG_OK ? err : NULL);
    return ended == VG_OK ? st : ended;
}

/* Of a source that is away for long, the segment is ended: it is all there will be. */
static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const int64_t now = base_now_ns();
    vg_status st = VG_OK;
    (void)s;
    for (int i = 0; i < t->n && !t->one_file; i++) {
        recording *c = &t->recordings[i];
        if (c->recorder == NULL || now - c->written_ns < SILENCE_NS)
            continue;
        const vg_status ended = end_segment(t, c, st == VG_OK ? err : NULL);
        st = st == VG_OK ? ended : st;
    }
    return st;
}

static void channel_ended(void *self, int channel)
{
    state *t = self;
    vg_error err = {0};
    if (end_recorder(t, &t->recordings[channel], &err) != VG_OK)
        base_log_error(BASE_LOG_WARN, &err);
}

const stream_sink stream_sink_record = {.name = "record",
                                        .help = "STEM.mp4, or STEM-DATE-TIME.mp4: video with boxes",
                                        .needs_pixels = true,
                                        .needs_folder = true,
                                        .is_local = true,
                                        .queue_length = 4,
                                        .state_bytes = sizeof(state),
                                        .is_wanted = is_wanted,
                                        .check = check,
                                        .need_bytes = need_bytes,
                                        .encoder_bytes = encoder_bytes,
                                        .open = open_,
                                        .write = write_,
                                        .tick = tick,
                                        .settle = settle,
                                        .channel_ended = channel_ended,
                                        .close = close_};
