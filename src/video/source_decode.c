/* source_decode.c: packets in, frames out; a decoder that is changed when the stream changes.
 *
 * One packet at a time goes into the decoder after all frames are out, so nothing queues here. At
 * the end, whatever its cause, the decoder is drained: its last frames are given before the end is
 * told. */
#include <time.h>

#include "port_read.h"
#include "source.h"

enum {
    /* Packets of no use in a row: before the first whole frame, for a stream may be joined long
       before its next key frame; afterwards, when it is another codec's, or hopeless. */
    MOST_ERRORS_FIRST = 1000,
    MOST_ERRORS = 50,
    MOST_FOREIGN = 8 /* packets of a new video stream before ours is given up for it */
};

/* FFmpeg's own thresholds (ffmpeg -dts_delta_threshold, -dts_error_threshold): containers made for
 * joining and broadcasting jump by seconds; in others the next frame may truly be hours away. */
static const int64_t GAP_NS = INT64_C(10) * 1000000000, GAP_FILE_NS = INT64_C(108000) * 1000000000;
static const int64_t MOST_LASTS_NS = INT64_C(3600) * 1000000000; /* else it is no duration */
/* A camera that says it is 1970 has no clock. */
static const int64_t YEAR_2000_NS = INT64_C(946684800) * 1000000000;

static AVStream *stream_of(const video_source *s)
{
    return s->input->streams[s->stream];
}

/* ---- the decoder ---- */

static video_codec_key key_of(const AVCodecParameters *par)
{
    /* Other codecs say it in their packets, and their decoders follow. */
    bool is_raw = par->codec_id == AV_CODEC_ID_RAWVIDEO;
    return (video_codec_key){.id = par->codec_id,
                             .w = is_raw ? par->width : 0,
                             .h = is_raw ? par->height : 0,
                             .format = is_raw ? par->format : 0};
}

static bool is_same_key(const video_codec_key *a, const video_codec_key *b)
{
    return a->id == b->id && a->w == b->w && a->h == b->h && a->format == b->format;
}

static void set_threads(const video_source *s, AVCodecContext *d)
{
    int n = s->o.decode_threads > 0 ? s->o.decode_threads : base_cpu_count();
    d->thread_count = n < 16 ? n : 16;
    /* Frame threads hold back a frame each: not where the newest is wanted, unless asked for. */
    d->thread_type = FF_THREAD_SLICE;
    if (!s->o.is_low_delay || s->o.decode_threads > 1)
        d->thread_type |= FF_THREAD_FRAME;
    if (s->o.is_low_delay)
        d->flags |= AV_CODEC_FLAG_LOW_DELAY;
}

vg_status video_source_too_large(const video_source *s, int w, int h, video_fault *fault,
                                 vg_error *err)
{
    char size[32] = "a size"; /* the decoder refused it and does not tell */
    if (w > 0)
        base_format(size, sizeof size, "%d x %d", w, h);
    *fault = VIDEO_FAULT_DATA;
    return base_fail(err, VG_ERR_LIMIT, s->name, "let the source send smaller pictures",
                     "pictures of %s pixels; %lld pixels are the most", size,
                     (long long)s->o.most_pixels);
}

vg_status video_source_open_decoder(video_source *s, video_fault *fault, vg_error *err)
{
    const video_ffmpeg *f = s->f;
    AVStream *stream = stream_of(s);
    const AVCodecParameters *par = stream->codecpar;
    if (par->width > 0 && (int64_t)par->width * par->height > s->o.most_pixels)
        return video_source_too_large(s, par->width, par->height, fault, err);
    const AVCodec *codec = f->avcodec_find_decoder(par->codec_id);
    if (codec == NULL) {
        *fault = VIDEO_FAULT_DATA;
        return video_fault_tell(
            *fault, AVERROR_DECODER_NOT_FOUND, s->name,
            base_where("this FFmpeg has no decoder for %s", f->avcodec_get_name(par->codec_id)),
            err);
    }
    f->avcodec_free_context(&s->decoder);
    s->decoder = f->avcodec_alloc_context3(codec);
    int code =
        s->decoder != NULL ? f->avcodec_parameters_to_context(s->decoder, par) : AVERROR(ENOMEM);
    if (code >= 0) {
        s->decoder->pkt_timebase = stream->time_base;
        s->decoder->max_pixels = s->o.most_pixels;
        set_threads(s, s->decoder);
        code = f->avcodec_open2(s->decoder, codec, NULL);
    }
    if (code < 0)
        return video_source_fail(s, code, true, fault, err);
    s->key = key_of(par);
    int32_t *matrix =
        (int32_t *)(void *)f->av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
    s->turn = video_turn_make(matrix);
    return VG_OK;
}

/* ---- packets ---- */

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2 * 1000 * 1000}, NULL);
}

static int64_t wall_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool find_camera_time(const video_source *s, int64_t *wall_ns)
{
    const AVPacket *p = s->packet;
    int64_t ns = 0;
    if (s->kind == VIDEO_CAMERA && p->pts != AV_NOPTS_VALUE) {
        ns = s->f->av_rescale_q(p->pts, stream_of(s)->time_base, (AVRational){1, 1000000000});
    } else if (s->kind == VIDEO_NETWORK) {
        size_t n = 0;
        const AVProducerReferenceTime *t =
            (const void *)s->f->av_packet_get_side_data(p, AV_PKT_DATA_PRFT, &n);
        if (t == NULL || n < sizeof *t || t->wallclock > INT64_MAX / 1000)
            return false;
        ns = t->wallclock * 1000;
    }
    if (ns < YEAR_2000_NS)
        return false;
    *wall_ns = ns;
    return true;
}

static void note_arrival(video_source *s)
{
    video_arrival *a = &s->arrivals[s->n_sent % VIDEO_ARRIVALS];
    if (s->packet->pos >= 0)
        s->at_byte = s->packet->pos; /* parsers do not know it of every part */
    *a = (video_arrival){
        .arrived_ns = base_now_ns(), .wall_ns = wall_now_ns(), .at_byte = s->at_byte};
    a->has_camera_time = find_camera_time(s, &a->wall_ns);
    s->n_sent++;
    s->n_foreign = 0;
    if (video_is_live(s->kind))
        s->deadline_ns = a->arrived_ns + (int64_t)(s->o.stall_s * 1e9);
    video_count(&s->counts.packets, 1);
    video_count(&s->counts.bytes, (uint64_t)s->packet->size);
    if (s->packet->flags & AV_PKT_FLAG_CORRUPT)
        video_count(&s->counts.damaged_packets, 1);
}

/* A broadcast that begins anew may leave its old stream for one of another number. */
static bool is_ours(video_source *s)
{
    int index = s->packet->stream_index;
    if (index == s->stream)
        return true;
    AVStream *other = s->input->streams[index];
    if ((unsigned)index < s->n_streams || other->codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
        ++s->n_foreign < MOST_FOREIGN)
        return false;
    stream_of(s)->discard = AVDISCARD_ALL;
    s->stream = index;
    s->key.id = AV_CODEC_ID_NONE; /* so that a decoder is opened for it */
    return true;
}

/* A camera's packet is the driver's memory, and a raw frame is its packet: FFmpeg unmaps that
 * memory when the connection ends, whoever holds frames of it. It also has few of them, which the
 * camera wants back. */
static int copy_packet(video_source *s)
{
    const video_ffmpeg *f = s->f;
    AVPacket *p = s->packet;
    const size_t n = (size_t)p->size;
    if (s->own_bytes < n) { /* JPEGs differ: the largest so far, and an eighth */
        f->av_buffer_pool_uninit(&s->own);
        s->own_bytes = n + n / 8;
        s->own = f->av_buffer_pool_init(s->own_bytes + AV_INPUT_BUFFER_PADDING_SIZE, NULL);
    }
    AVBufferRef *copy = s->own != NULL ? f->av_buffer_pool_get(s->own) : NULL;
    if (copy == NULL) {
        s->own_bytes = 0;
        f->av_packet_unref(p);
        return AVERROR(ENOMEM);
    }
    memcpy(copy->data, p->data, n);
    memset(copy->data + n, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    f->av_buffer_unref(&p->buf);
    p->buf = copy;
    p->data = copy->data;
    return 0;
}

int video_source_read_packet(video_source *s)
{
    int n_bad = 0;
    for (;;) {
        if (video_source_is_cut(s))
            return AVERROR_EXIT;
        int code = s->f->av_read_frame(s->input, s->packet);
        if (code == AVERROR(EAGAIN)) {
            nap();
        } else if (code == AVERROR_INVALIDDATA && s->cut == VIDEO_NOT_CUT &&
                   ++n_bad < MOST_ERRORS) {
            video_count(&s->counts.damaged_packets, 1);
        } else if (code < 0) {
            return code;
        } else if (is_ours(s)) {
            note_arrival(s);
            return s->kind == VIDEO_CAMERA ? copy_packet(s) : 0;
        } else {
            s->f->av_packet_unref(s->packet);
        }
    }
}

/* ---- the end of a connection ---- */

static void drain(video_source *s)
{
    s->f->avcodec_send_packet(s->decoder, NULL);
    s->is_draining = true;
}

/* FFmpeg says "end" also when the connection broke. */
static bool is_broken(const video_source *s)
{
    return s->input->pb != NULL && s->input->pb->error < 0 && s->input->pb->error != AVERROR_EOF;
}

static void note_end(video_source *s, int code)
{
    drain(s);
    s->outcome = VIDEO_END;
    if (code == AVERROR_EOF && s->cut == VIDEO_NOT_CUT) {
        if (!is_broken(s))
            return;
        code = s->input->pb->error;
    }
    s->outcome = s->cut == VIDEO_CUT_STOP ? VIDEO_STOPPED : VIDEO_FAILED;
    video_source_fail(s, code, false, &s->fault, &s->err);
}

/* FFmpeg reads once what codec a transport stream's number has. When a file goes on with another
 * (joined recordings), it is opened anew from where its frames ended; a live stream fails, and is
 * found as it is now by the next connect. False: this is no such file. */
static bool begin_behind(video_source *s)
{
    uint64_t next = s->n_sent - s->n_good <= VIDEO_ARRIVALS ? s->n_good : s->n_sent - 1;
    int64_t at = s->arrivals[next % VIDEO_ARRIVALS].at_byte;
    if (s->kind != VIDEO_FILE || s->pipe != NULL || strcmp(s->input->iformat->name, "mpegts") != 0)
        return false;
    if (at <= s->begin_byte) /* there it was opened last time */
        at = s->arrivals[(s->n_sent - 1) % VIDEO_ARRIVALS].at_byte;
    if (at <= s->begin_byte)
        return false;
    video_source_close(s);
    s->begin_byte = at;
    s->n_errors = 0;
    s->has_whole = false;
    s->n_good = s->n_sent;
    s->deadline_ns = INT64_MAX;
    if (video_source_open(s, &s->fault, &s->err) != VG_OK)
        s->outcome = VIDEO_FAILED; /* and no decoder: read looks */
    else
        video_count(&s->counts.codec_changes, 1);
    return true;
}

static void note_damage(video_source *s)
{
    video_count(&s->counts.damaged_packets, 1);
    /* What is too large is refused before anything is allocated, and leaves no size; with threads
       that shows only now and then, and else it is MOST_ERRORS that ends it. */
    if (s->decoder->width == 0 && s->has_shape) {
        s->outcome = VIDEO_FAILED;
        video_source_too_large(s, 0, 0, &s->fault, &s->err);
        drain(s);
    } else if (++s->n_errors >= (s->has_whole ? MOST_ERRORS : MOST_ERRORS_FIRST) &&
               !s->is_draining && !begin_behind(s)) {
        s->outcome = VIDEO_FAILED;
        s->fault = VIDEO_FAULT_DATA;
        video_fault_tell(s->fault, AVERROR_INVALIDDATA, s->name,
                         base_where("%d packets in a row were of no use", s->n_errors), &s->err);
        drain(s);
    }
}

/* ---- frames ---- */

static void send(video_source *s)
{
    s->decoder->reordered_opaque = (int64_t)s->packet_number;
    if (s->f->avcodec_send_packet(s->decoder, s->packet) < 0)
        note_damage(s);
    s->f->av_packet_unref(s->packet);
}

static void feed(video_source *s)
{
    int code = video_source_read_picture(s);
    if (code < 0) {
        note_end(s, code);
        return;
    }
    video_codec_key key = key_of(stream_of(s)->codecpar);
    if (is_same_key(&key, &s->key)) {
        send(s);
        return;
    }
    s->is_switching = true;
    drain(s);
}

/* The old decoder has given its last frame. */
static void switch_decoder(video_source *s)
{
    s->is_switching = false;
    if (video_source_open_decoder(s, &s->fault, &s->err) != VG_OK) {
        s->outcome = VIDEO_FAILED;
        s->f->av_packet_unref(s->packet);
        return; /* still draining: the end is told */
    }
    s->is_draining = false;
    video_count(&s->counts.codec_changes, 1);
    send(s);
}

static int64_t ns_of(const video_source *s, int64_t time)
{
    return s->f->av_rescale_q(time, stream_of(s)->time_base, (AVRational){1, 1000000000});
}

static int64_t time_of(video_source *s, const AVFrame *p, int64_t arrived_ns)
{
    bool jumped;
    const bool has_time = s->has_clock && p->best_effort_timestamp != AV_NOPTS_VALUE;
    const int64_t in = has_time ? ns_of(s, p->best_effort_timestamp) : INT64_MIN,
                  out = video_clock_next(&s->clock, in, arrived_ns, &jumped);
    if (jumped)
        video_count(&s->counts.time_jumps, 1);
    return out;
}

/* With those between, which are not given. */
static int64_t lasts_of(const video_source *s, const AVFrame *p)
{
    const int64_t told = p->pkt_duration > 0 ? ns_of(s, p->pkt_duration) : 0;
    return (told > 0 && told < MOST_LASTS_NS ? told : s->clock.frame_ns) * s->o.stride;
}

static video_arrival arrival_of(const video_source *s, const AVFrame *p)
{
    uint64_t number = (uint64_t)p->reordered_opaque;
    if (p->reordered_opaque >= 0 && number < s->n_sent && s->n_sent - number <= VIDEO_ARRIVALS)
        return s->arrivals[number % VIDEO_ARRIVALS];
    return (video_arrival){.arrived_ns = base_now_ns(), .wall_ns = wall_now_ns()};
}

static video_turn turn_of(const video_source *s, const AVFrame *p)
{
    const AVFrameSideData *side = s->f->av_frame_get_side_data(p, AV_FRAME_DATA_DISPLAYMATRIX);
    return side != NULL && side->size >= 9 * sizeof(int32_t)
               ? video_turn_make((const int32_t *)(const void *)side->data)
               : s->turn;
}

/* A decoder of another codec makes frames of it now and then: those are no sign of life. */
static void note_whole(video_source *s, const AVFrame *p)
{
    s->n_errors = 0;
    s->has_whole = true;
    if (p->reordered_opaque >= (int64_t)s->n_good)
        s->n_good = (uint64_t)p->reordered_opaque + 1;
}

static bool is_damaged(const AVFrame *p)
{
    return p->decode_error_flags != 0 || (p->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

static void note_shape(video_source *s, int w, int h)
{
    if (s->has_shape && (w != s->w || h != s->h))
        video_count(&s->counts.size_changes, 1);
    s->has_shape = true;
    s->w = w;
    s->h = h;
}

/* False: one of those between, by the stride. */
static bool accept(video_source *s, video_frame *f)
{
    AVFrame *p = s->picture;
    video_turn turn = turn_of(s, p);
    video_arrival a = arrival_of(s, p);
    int w = turn.is_swapped ? p->height : p->width, h = turn.is_swapped ? p->width : p->height;
    note_shape(s, w, h);
    const int64_t pts_ns = time_of(s, p, a.arrived_ns), lasts_ns = lasts_of(s, p),
                  number = s->n_numbered++;
    if (!is_damaged(p))
        note_whole(s, p);
    video_count(&s->counts.frames, 1);
    if (number % s->o.stride != 0) {
        s->f->av_frame_unref(p);
        return false;
    }
    f->turn = turn;
    f->info = (video_frame_info){
        .w = w,
        .h = h,
        .number = number,
        .pts_ns = pts_ns,
        .lasts_ns = lasts_ns,
        .is_live = video_is_live(s->kind),
        .arrived_ns = a.arrived_ns,
        .decoded_ns = base_now_ns(),
        .wall_ns = a.wall_ns,
        .has_camera_time = a.has_camera_time,
        .is_key = p->key_frame != 0,
        .is_damaged = is_damaged(p),
    };
    s->f->av_frame_move_ref(f->picture, p);
    return true;
}

/* Pictures one behind the other without a word of when: what time stamps FFmpeg gives them are made
 * up, of 25 a second mostly. */
static bool is_bare(const AVInputFormat *format)
{
    static const char *const names[] = {"mpjpeg",    "mjpeg",    "mjpeg_2000", "h264",
                                        "hevc",      "m4v",      "mpegvideo",  "h261",
                                        "h263",      "obu",      "vc1",        "dirac",
                                        "cavsvideo", "rawvideo", "image2pipe", "jpeg_pipe"};
    bool found = (format->flags & AVFMT_NOTIMESTAMPS) != 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found = found || strcmp(format->name, names[i]) == 0;
    return found;
}

void video_source_begin_clock(video_source *s)
{
    /* A camera sends them when they are; in a file they are as far apart as all others. */
    s->has_clock = !video_is_live(s->kind) || !is_bare(s->input->iformat);
    const AVStream *stream = stream_of(s);
    AVRational rate = s->f->av_guess_frame_rate(s->input, (AVStream *)(uintptr_t)stream, NULL);
    bool jumps = video_is_live(s->kind) || (s->input->iformat->flags & AVFMT_TS_DISCONT) != 0;
    video_clock_begin(&s->clock, jumps ? GAP_NS : GAP_FILE_NS, video_is_live(s->kind),
                      rate.num > 0 && rate.den > 0 ? (int64_t)(1e9 * rate.den / rate.num) : 0);
}

/* Every stride-th; the others are taken and passed over. */
static video_outcome read_pushed(video_source *s, video_frame *f)
{
    video_outcome how;
    do {
        how = video_port_take(s->o.port, f, s->stop);
        f->info.number = s->n_numbered++;
    } while (how == VIDEO_FRAME && f->info.number % s->o.stride != 0);
    if (how != VIDEO_FRAME)
        return how;
    video_count(&s->counts.frames, 1);
    f->info.decoded_ns = base_now_ns();
    if (f->info.is_live) { /* from the first */
        s->first_ns = f->info.number == 0 ? f->info.pts_ns : s->first_ns;
        f->info.pts_ns -= s->first_ns;
    }
    return how;
}

video_outcome video_source_read(video_source *s, video_frame *f, video_fault *fault, vg_error *err)
{
    if (s->kind == VIDEO_PUSHED)
        return read_pushed(s, f);
    video_frame_release(f);
    if (s->decoder == NULL) {
        *fault = VIDEO_FAULT_OTHER;
        base_fail(err, VG_ERR_ARGUMENT, s->name, "connect first",
                  "read of a source that is not connected");
        return VIDEO_FAILED;
    }
    if (video_is_live(s->kind)) /* what the caller took for itself is no stall */
        s->deadline_ns = base_now_ns() + (int64_t)(s->o.stall_s * 1e9);
    while (s->decoder != NULL) {
        if (video_source_is_stopped(s))
            return VIDEO_STOPPED;
        int code = s->f->avcodec_receive_frame(s->decoder, s->picture);
        if (code >= 0) {
            if (accept(s, f))
                return VIDEO_FRAME;
        } else if (code == AVERROR_EOF && s->is_switching) {
            switch_decoder(s);
        } else if (code == AVERROR_EOF) {
            break;
        } else if (code == AVERROR(EAGAIN)) {
            feed(s);
        } else {
            note_damage(s);
        }
    }
    if (s->outcome == VIDEO_FAILED) {
        *fault = s->fault;
        if (err != NULL)
            *err = s->err;
    }
    return s->outcome;
}
