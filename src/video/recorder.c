/* recorder.c: when a segment begins and ends. */
#include "recorder.h"

#include <string.h>

#include "recorder_parts.h"

static const int64_t MOST_GAP_NS =
    INT64_C(3600) * 1000000000; /* MP4 counts a frame's ticks in 32 bits */
enum { STEM_BYTES = 256, NS_PER_3_TICKS = 50000, LEAST_KEPT = 4 };

struct video_recorder {
    const video_ffmpeg *f;
    const AVCodec *codec;
    video_recorder_options o; /* without texts */
    char folder[VIDEO_PATH_BYTES], stem[STEM_BYTES];
    video_encoder encoder;
    video_segment segment;
    int64_t frame_ns;       /* nominal */
    int64_t last_ns, at_ns; /* the caller's clock, and ours, which only goes on */
    int64_t last_ticks;
    int64_t lasts_ns; /* the last picture */
    bool has_time;
    bool
        key_is_asked; /* the encoder owes a key frame from asked_ticks on: a segment begins there */
    int64_t asked_ticks;
    int64_t others_bytes; /* of older segments, when limits ask for it */
    uint64_t n_given;     /* pictures */
    uint64_t n_encoding;  /* of them, those that the encoder holds */
};

/* ---- create ---- */

vg_status video_recorder_create(video_recorder **out, const video_recorder_options *o,
                                base_mem *mem, vg_error *err)
{
    const video_ffmpeg *f;
    const AVCodec *codec;
    *out = NULL;
    vg_status st = video_ffmpeg_get(&f, err);
    if (st == VG_OK)
        st = video_encoder_find(&codec, f, o->codec, err);
    if (st != VG_OK)
        return st;
    video_recorder *r = base_alloc_zero(mem, 1, sizeof *r, err);
    if (r == NULL)
        return VG_ERR_MEMORY;
    r->f = f;
    r->codec = codec;
    r->o = *o;
    r->o.folder = r->o.stem = r->o.codec = NULL;
    r->segment.fd = -1;
    r->frame_ns = (int64_t)(1e9 / (o->frames_per_s > 0.01 ? o->frames_per_s : 25));
    if (!base_format(r->folder, sizeof r->folder, "%s", o->folder) ||
        !base_format(r->stem, sizeof r->stem, "%s", o->stem)) {
        base_free(r);
        return base_fail(err, VG_ERR_LIMIT, "recording", "choose a shorter project or name",
                         "the name of a recording is too long");
    }
    *out = r;
    return VG_OK;
}

/* ---- time ---- */

static int64_t ticks_of(int64_t ns)
{
    return (ns * 3 + NS_PER_3_TICKS / 2) / NS_PER_3_TICKS;
}

/* The caller's time in ticks that rise, however its clock steps. */
static int64_t advance(video_recorder *r, int64_t time_ns)
{
    int64_t step = r->has_time ? r->frame_ns : 0;
    if (r->has_time && time_ns > r->last_ns &&
        (uint64_t)time_ns - (uint64_t)r->last_ns <= (uint64_t)MOST_GAP_NS)
        step = time_ns - r->last_ns;
    r->at_ns += step;
    r->last_ns = time_ns;
    int64_t ticks = ticks_of(r->at_ns);
    if (r->has_time && ticks <= r->last_ticks)
        ticks = r->last_ticks + 1;
    r->has_time = true;
    r->last_ticks = ticks;
    return ticks;
}

/* ---- segments ---- */

static vg_status prune(video_recorder *r, vg_error *err)
{
    if (r->o.one_file || (r->o.keep_n <= 0 && r->o.keep_bytes == 0))
        return VG_OK;
    return video_folder_prune(r->folder, r->stem, r->segment.path, r->segment.packet_bytes,
                              r->o.keep_n, r->o.keep_bytes, &r->others_bytes, err);
}

static vg_status begin_segment(video_recorder *r, int64_t ticks, vg_error *err)
{
    vg_status st =
        video_segment_open(&r->segment, r->f, r->folder, r->stem, r->o.one_file, &r->encoder, err);
    if (st != VG_OK)
        return st;
    r->segment.syncer = r->o.syncer;
    r->segment.start_ticks = ticks;
    return prune(r, err);
}

/* Of all segments together, this one included. */
static vg_status keep_within(video_recorder *r, vg_error *err)
{
    const size_t most = r->o.one_file ? 0 : r->o.keep_bytes;
    const bool is_over = most > 0 && r->others_bytes > 0 &&
                         (uint64_t)(r->others_bytes + r->segment.packet_bytes) > most;
    return is_over ? prune(r, err) : VG_OK;
}

/* A segment larger than a part of keep_bytes would take all of the past with it when it goes. */
static bool is_due(const video_recorder *r, int64_t ticks)
{
    const video_segment *s = &r->segment;
    const uint64_t bytes = (uint64_t)s->packet_bytes;
    return (r->o.segment_s > 0 &&
            (double)(ticks - s->start_ticks) >= r->o.segment_s * VIDEO_TICKS_PER_S) ||
           (r->o.segment_bytes > 0 && bytes >= r->o.segment_bytes) ||
           (r->o.keep_bytes > 0 && !r->o.one_file && bytes >= r->o.keep_bytes / LEAST_KEPT);
}

static void close_encoder(video_recorder *r)
{
    video_encoder_close(&r->encoder, r->f);
    r->key_is_asked = false;
    r->n_encoding = 0;
}

/* The packet that the encoder gave, into the segment where it belongs. */
static vg_status put_packet(video_recorder *r, vg_error *err)
{
    AVPacket *p = r->encoder.packet;
    const bool begins =
        r->key_is_asked && (p->flags & AV_PKT_FLAG_KEY) != 0 && p->pts >= r->asked_ticks;
    vg_status st = VG_OK;
    if (begins) {
        r->key_is_asked = false;
        st = video_segment_close(&r->segment, r->f, err);
        if (st == VG_OK)
            st = begin_segment(r, p->pts, err);
    }
    if (r->segment.muxer == NULL) {
        r->f->av_packet_unref(p); /* a segment begins with the next key frame */
        return st;
    }
    p->duration = ticks_of(r->lasts_ns); /* of the last; the others' is seen by the next */
    const vg_status written =
        video_segment_write(&r->segment, r->f, p, r->encoder.context->time_base, err);
    if (written != VG_OK)
        video_segment_abandon(&r->segment, r->f);
    return written != VG_OK ? written : st;
}

/* All that the encoder has ready. Every packet is asked for, whatever became of the one before. */
static vg_status put_packets(video_recorder *r, vg_error *err)
{
    vg_status st = VG_OK;
    for (bool has = true; has;) {
        const vg_status pulled = video_encoder_pull(&r->encoder, r->f, &has, err);
        if (pulled != VG_OK)
            return pulled;
        if (has && r->n_encoding > 0)
            r->n_encoding--;
        const vg_status put = has ? put_packet(r, st == VG_OK ? err : NULL) : VG_OK;
        st = st == VG_OK ? put : st;
    }
    return st;
}

vg_status video_recorder_end_segment(video_recorder *r, vg_error *err)
{
    vg_status st = VG_OK;
    if (r->encoder.context != NULL) {
        st = video_encoder_push(&r->encoder, r->f, NULL, 0, false, err);
        if (st == VG_OK)
            st = put_packets(r, err);
    }
    const vg_status closed = video_segment_close(&r->segment, r->f, st == VG_OK ? err : NULL);
    close_encoder(r);
    return st == VG_OK ? closed : st;
}

/* ---- pictures ---- */

static vg_status prepare_encoder(video_recorder *r, const image_view *picture, vg_error *err)
{
    vg_status st = VG_OK;
    if (r->encoder.context != NULL && (r->encoder.w != picture->w || r->encoder.h != picture->h))
        st = video_recorder_end_segment(r, err);
    if (r->encoder.context != NULL)
        return st;
    const vg_status opened =
        video_encoder_open(&r->encoder, r->f, r->codec, picture->w, picture->h, r->o.frames_per_s,
                           r->o.threads, st == VG_OK ? err : NULL);
    return st == VG_OK ? opened : st;
}

static vg_status encode(video_recorder *r, const image_view *picture, int64_t ticks, vg_error *err)
{
    vg_status st = VG_OK;
    if (r->segment.muxer != NULL)
        st = keep_within(r, err);
    const bool wants_key = !r->key_is_asked && (r->segment.muxer == NULL || is_due(r, ticks));
    if (wants_key) {
        r->key_is_asked = true;
        r->asked_ticks = ticks;
    }
    vg_error *second = st == VG_OK ? err : NULL;
    vg_status encoded = video_encoder_push(&r->encoder, r->f, picture, ticks, wants_key, second);
    if (encoded == VG_OK) {
        r->n_encoding++;
        encoded = put_packets(r, second);
    }
    return st == VG_OK ? encoded : st;
}

vg_status video_recorder_write(video_recorder *r, const image_view *picture, int64_t time_ns,
                               int64_t lasts_ns, vg_error *err)
{
    const int64_t ticks = advance(r, time_ns);
    r->lasts_ns = lasts_ns > 0 && lasts_ns <= MOST_GAP_NS ? lasts_ns : r->frame_ns;
    r->n_given++;
    if (picture->w < 1 || picture->h < 1)
        return base_fail(err, VG_ERR_ARGUMENT, r->stem, NULL, "a picture of %d x %d pixels",
                         picture->w, picture->h);
    vg_status st = prepare_encoder(r, picture, err);
    if (r->encoder.context == NULL)
        return st;
    const vg_status encoded = encode(r, picture, ticks, st == VG_OK ? err : NULL);
    if (encoded == VG_ERR_SYSTEM || encoded == VG_ERR_MEMORY) {
        /* An encoder that refused is not asked again. */
        video_segment_close(&r->segment, r->f, NULL);
        close_encoder(r);
    }
    return st == VG_OK ? encoded : st;
}

vg_status video_recorder_close(video_recorder **recorder, vg_error *err)
{
    video_recorder *r = *recorder;
    if (r == NULL)
        return VG_OK;
    const vg_status st = video_recorder_end_segment(r, err);
    base_free(r);
    *recorder = NULL;
    return st;
}

video_recorder_counts video_recorder_count(const video_recorder *r)
{
    const uint64_t n_held = r->n_encoding + r->segment.n_waiting;
    return (video_recorder_counts){.n_kept = r->segment.n_kept,
                                   .n_lost = r->n_given - r->segment.n_kept - n_held};
}

size_t video_recorder_bytes(void)
{
    return sizeof(video_recorder);
}

const char *video_recorder_path(const video_recorder *r)
{
    return r->segment.muxer != NULL ? r->segment.path : "";
}

const char *video_recorder_encoder(const video_recorder *r)
{
    return r->codec->name;
}
