/* source.c: a source's life: created once, connected many times. All that a connection takes of
 * FFmpeg is given back by disconnect. */
#include "source.h"
#include "port_read.h"

#include <unistd.h>

static const int64_t CLOSE_NS = 300 * 1000 * 1000; /* for a camera to hear that we leave */

static vg_status check_options(const video_source_options *o, video_kind kind, vg_error *err)
{
    if (kind == VIDEO_NONE)
        return base_fail(err, VG_ERR_ARGUMENT, "source",
                         "give a video file, a URL, a camera's number, - or lavfi:...",
                         "\"%.200s\" is no video source", o->text != NULL ? o->text : "");
    if (o->stride < 0 || o->decode_threads < 0 || !(o->connect_s >= 0) || !(o->stall_s >= 0) ||
        o->most_pixels < 0)
        return base_fail(err, VG_ERR_ARGUMENT, "source", NULL, "a negative option of a source");
    if (kind == VIDEO_PUSHED && o->port == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, "source",
                         "give a video, a URL or a camera; vg_stream_push is for programs",
                         "%.200s: nobody here pushes pictures", o->text);
    const vg_status st = video_check_address(o->text, err);
    if (st != VG_OK)
        base_error_prefix_where(err, "source");
    return st;
}

static char *keep(char **at, const char *text)
{
    const char *from = text != NULL ? text : "";
    size_t n = strlen(from) + 1;
    char *copy = *at;
    memcpy(copy, from, n);
    *at += n;
    return copy;
}

static size_t room(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 1;
}

static void copy_options(video_source *s, const video_source_options *o)
{
    char *at = (char *)(s + 1);
    s->o = *o;
    s->o.text = keep(&at, o->text);
    s->o.format = keep(&at, o->format);
    s->o.size = keep(&at, o->size);
    s->o.rate = keep(&at, o->rate);
    if (s->o.stride == 0)
        s->o.stride = 1;
    if (s->o.connect_s == 0)
        s->o.connect_s = 10;
    if (s->o.stall_s == 0)
        s->o.stall_s = 10;
    if (s->o.most_pixels == 0)
        s->o.most_pixels = INT64_C(64) << 20;
}

vg_status video_source_create(video_source **out, const video_source_options *o,
                              const atomic_bool *stop, base_mem *mem, vg_error *err)
{
    const video_ffmpeg *ffmpeg;
    *out = NULL;
    video_kind kind = video_kind_of(o->text);
    if (kind == VIDEO_NONE && o->text != NULL && base_path_exists(o->text) &&
        (image_is_picture_name(o->text) || base_equal_nocase(base_path_suffix(o->text), ".gif")))
        kind = VIDEO_FILE; /* of one frame: a folder may hold videos and pictures */
    vg_status st = check_options(o, kind, err);
    if (st == VG_OK)
        st = video_ffmpeg_get(&ffmpeg, err);
    if (st != VG_OK)
        return st;
    size_t bytes =
        sizeof(video_source) + room(o->text) + room(o->format) + room(o->size) + room(o->rate);
    video_source *s = base_alloc_zero(mem, 1, bytes, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    s->f = ffmpeg;
    s->stop = stop;
    s->kind = kind;
    s->pipe_fd = -1;
    copy_options(s, o);
    video_public_name(s->name, sizeof s->name, s->o.text);
    s->packet = ffmpeg->av_packet_alloc();
    s->ahead = ffmpeg->av_packet_alloc();
    s->picture = ffmpeg->av_frame_alloc();
    if (s->packet == NULL || s->ahead == NULL || s->picture == NULL) {
        video_source_destroy(&s);
        return base_fail(err, VG_ERR_MEMORY, NULL, NULL, "FFmpeg found no memory for a source");
    }
    *out = s;
    return VG_OK;
}

void video_source_destroy(video_source **s)
{
    if (*s == NULL)
        return;
    video_source_disconnect(*s);
    (*s)->f->av_packet_free(&(*s)->packet);
    (*s)->f->av_packet_free(&(*s)->ahead);
    (*s)->f->av_frame_free(&(*s)->picture);
    base_free(*s);
    *s = NULL;
}

static void close_pipe(video_source *s)
{
    if (s->pipe != NULL) {
        s->f->av_free(s->pipe->buffer);
        s->f->avio_context_free(&s->pipe);
    }
    if (s->pipe_fd >= 0 && s->kind != VIDEO_PIPE)
        close(s->pipe_fd);
    s->pipe_fd = -1;
    video_source_close_still(s);
}

void video_source_close(video_source *s)
{
    s->is_closing = true;
    s->deadline_ns = base_now_ns() + CLOSE_NS;
    s->f->av_packet_unref(s->packet);
    s->f->av_packet_unref(s->ahead);
    s->has_ahead = false;
    s->f->av_frame_unref(s->picture);
    s->f->avcodec_free_context(&s->decoder);
    s->f->avformat_close_input(&s->input);
    s->f->av_buffer_pool_uninit(&s->own); /* its memory goes with the last frame */
    s->own_bytes = 0;
    close_pipe(s);
    s->is_closing = false;
}

void video_source_disconnect(video_source *s)
{
    video_source_close(s);
}

static void begin(video_source *s)
{
    video_source_close(s);
    s->cut = VIDEO_NOT_CUT;
    s->deadline_ns = s->kind == VIDEO_PIPE /* who writes to it may take their time */
                         ? INT64_MAX
                         : base_now_ns() + (int64_t)(s->o.connect_s * 1e9);
    s->is_draining = s->is_switching = s->has_shape = s->has_whole = false;
    s->n_errors = s->n_foreign = 0;
    s->n_numbered = 0;
    s->n_sent = s->n_good = 0;
    s->n_parts = 2;
    s->begin_byte = s->at_byte = 0;
    s->turn = (video_turn){0};
    s->outcome = VIDEO_END;
}

/* Only the video that we want is to be read: of HLS and of several cameras in one stream the rest
 * is not even fetched. */
static vg_status choose_stream(video_source *s, video_fault *fault, vg_error *err)
{
    AVFormatContext *input = s->input;
    s->stream = s->f->av_find_best_stream(input, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (s->stream >= 0 &&
        (input->streams[s->stream]->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
        s->n_streams = input->nb_streams;
        for (unsigned i = 0; i < input->nb_streams; i++)
            if ((int)i != s->stream)
                input->streams[i]->discard = AVDISCARD_ALL;
        return VG_OK;
    }
    *fault = VIDEO_FAULT_DATA;
    return video_fault_tell(*fault, AVERROR_STREAM_NOT_FOUND, s->name, "there is no video in it",
                            err);
}

static void tell_stream(const video_source *s, video_stream_info *info)
{
    AVFormatContext *input = s->input;
    AVStream *stream = input->streams[s->stream];
    const AVCodecParameters *par = stream->codecpar;
    bool ends = s->kind == VIDEO_FILE;
    AVRational rate = s->f->av_guess_frame_rate(input, stream, NULL);
    info->w = s->turn.is_swapped ? par->height : par->width;
    info->h = s->turn.is_swapped ? par->width : par->height;
    info->rotation_deg = video_turn_degrees(s->turn);
    if (rate.num > 0 && rate.den > 0)
        info->frames_per_s = (double)rate.num / rate.den;
    if (ends && input->duration > 0)
        info->duration_s = (double)input->duration / AV_TIME_BASE;
    /* Where the container has no count, as OpenCV reckons it. */
    if (ends)
        info->n_frames = stream->nb_frames > 0
                             ? stream->nb_frames
                             : (int64_t)(info->duration_s * info->frames_per_s + 0.5);
    info->is_420 = par->format == AV_PIX_FMT_YUV420P || par->format == AV_PIX_FMT_YUVJ420P ||
                   par->format == AV_PIX_FMT_NV12;
    base_format(info->codec, sizeof info->codec, "%s", s->f->avcodec_get_name(par->codec_id));
    base_format(info->container, sizeof info->container, "%.*s",
                (int)strcspn(input->iformat->name, ","), input->iformat->name);
}

vg_status video_source_open(video_source *s, video_fault *fault, vg_error *err)
{
    vg_status st = video_source_open_input(s, fault, err);
    if (st == VG_OK)
        st = choose_stream(s, fault, err);
    if (st == VG_OK)
        st = video_source_open_decoder(s, fault, err);
    if (st != VG_OK)
        video_source_close(s);
    return st;
}

vg_status video_source_connect(video_source *s, video_stream_info *info, video_fault *fault,
                               vg_error *err)
{
    *info = (video_stream_info){0};
    *fault = VIDEO_FAULT_OTHER;
    begin(s);
    if (s->kind == VIDEO_PUSHED) { /* the size is the first picture's */
        base_format(info->codec, sizeof info->codec, "pushed");
        return VG_OK;
    }
    vg_status st = video_source_open(s, fault, err);
    if (st != VG_OK)
        return st;
    video_source_begin_clock(s);
    tell_stream(s, info);
    s->deadline_ns = INT64_MAX; /* read sets its own, where there is one */
    return VG_OK;
}

void video_source_get_counts(const video_source *s, video_source_counts *out)
{
#define X(name) .name = atomic_load_explicit(&s->counts.name, memory_order_relaxed)
    *out =
        (video_source_counts){X(packets),      X(bytes),         X(frames),    X(damaged_packets),
                              X(size_changes), X(codec_changes), X(time_jumps)};
#undef X
}
