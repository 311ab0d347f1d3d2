/* source_open.c: from a text to an open input whose streams are known, with every wait and every
 * buffer bounded. */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolve.h"
#include "source.h"

enum {
    PROBE_BYTES = 5000000,      /* FFmpeg's own: a key frame of 4K fits */
    PROBE_LIVE_US = 1500000,    /* of the stream; FFmpeg's own is 5 s */
    INDEX_BYTES = 1 << 16,      /* nobody seeks, so an index is of no use; FFmpeg's own is 1 MiB */
    DEVICE_BYTES = 64 << 20,    /* rtbufsize of devices that buffer on their own */
    UDP_SOCKET_BYTES = 1 << 20, /* a key frame's burst */
    PIPE_BYTES = 1 << 16,
};

int video_source_is_cut(void *source)
{
    video_source *s = source;
    if (!s->is_closing && video_source_is_stopped(s)) {
        s->cut = VIDEO_CUT_STOP;
        return 1;
    }
    if (s->deadline_ns != INT64_MAX && base_now_ns() > s->deadline_ns) {
        if (s->cut == VIDEO_NOT_CUT)
            s->cut = VIDEO_CUT_TIME;
        return 1;
    }
    return 0;
}

vg_status video_source_fail(video_source *s, int code, bool is_connecting, video_fault *fault,
                            vg_error *err)
{
    char text[128];
    if (s->cut == VIDEO_CUT_STOP) {
        *fault = VIDEO_FAULT_OTHER;
        return base_fail(err, VG_ERR_INTERRUPTED, s->name, NULL, "stopped by request");
    }
    if (s->cut == VIDEO_CUT_TIME) {
        *fault = is_connecting ? VIDEO_FAULT_TIMEOUT : VIDEO_FAULT_STALL;
        base_format(text, sizeof text, "%g s have passed",
                    is_connecting ? s->o.connect_s : s->o.stall_s);
        return video_fault_tell(*fault, code, s->name, text, err);
    }
    /* -1, FFmpeg's word for an answer that RTSP does not know: the server went away. */
    if (s->kind == VIDEO_NETWORK && code == AVERROR(EPERM))
        code = AVERROR(EIO);
    *fault = video_fault_of(code, is_connecting);
    /* An empty or cut file has nothing to be lost. */
    if (code == AVERROR_EOF && !video_is_live(s->kind))
        *fault = VIDEO_FAULT_DATA;
    return video_fault_tell(*fault, code, s->name, video_ffmpeg_text(s->f, text, sizeof text, code),
                            err);
}

/* ---- standard input and FIFOs ---- */

static int read_pipe(void *source, uint8_t *to, int n)
{
    video_source *s = source;
    for (;;) {
        if (video_source_is_cut(s))
            return AVERROR_EXIT;
        struct pollfd p = {.fd = s->pipe_fd, .events = POLLIN};
        int ready = poll(&p, 1, 100);
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        ssize_t got = ready < 0 ? -1 : read(s->pipe_fd, to, (size_t)n);
        if (got > 0)
            return (int)got;
        if (got == 0)
            return AVERROR_EOF;
        if (errno != EINTR && errno != EAGAIN)
            return AVERROR(errno);
    }
}

/* FFmpeg waits in open and read of a FIFO without looking whether to stop. */
static bool is_fifo(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode));
}

static int open_pipe(video_source *s)
{
    s->pipe_fd =
        s->kind == VIDEO_PIPE ? STDIN_FILENO : open(s->o.text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (s->pipe_fd < 0)
        return AVERROR(errno);
    uint8_t *buffer = s->f->av_malloc(PIPE_BYTES);
    if (buffer == NULL)
        return AVERROR(ENOMEM);
    s->pipe = s->f->avio_alloc_context(buffer, PIPE_BYTES, 0, s, read_pipe, NULL, NULL);
    if (s->pipe == NULL) {
        s->f->av_free(buffer);
        return AVERROR(ENOMEM);
    }
    s->pipe->seekable = 0;
    s->input->pb = s->pipe;
    return 0;
}

/* ---- options by kind ---- */

/* What a stream from outside, or what somebody sends through a pipe, may lead FFmpeg to open: a
 * playlist must not name local files. */
#define NETWORK_PROTOCOLS                                                                          \
    "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtsps,rtmp,rtmps,rtmpt,rtmpts,rtmpe,rtmpte,"   \
    "srt,crypto,data,hls"

static void set_network_options(const video_source *s, AVDictionary **d)
{
    const video_ffmpeg *f = s->f;
    const char *text = s->o.text;
    f->av_dict_set(d, "protocol_whitelist", NETWORK_PROTOCOLS, 0);
    if (strncasecmp(text, "rtsp", 4) == 0) {
        f->av_dict_set(d, "rtsp_transport", s->o.rtsp_udp ? "udp" : "tcp", 0);
        f->av_dict_set(d, "allowed_media_types", "video", 0); /* sound is not even sent */
    } else if (strncasecmp(text, "udp", 3) == 0) {
        f->av_dict_set_int(d, "buffer_size", UDP_SOCKET_BYTES, 0);
        f->av_dict_set(d, "overrun_nonfatal", "1", 0); /* a loss is a loss, no end */
    } else if (strncasecmp(text, "http", 4) == 0) {
        f->av_dict_set(d, "icy", "0", 0);
        if (s->o.is_low_delay) /* HLS: the newest segment, not the third-newest */
            f->av_dict_set(d, "live_start_index", "-1", 0);
    }
}

static void set_camera_options(const video_source *s, AVDictionary **d)
{
    if (s->o.format[0] != '\0')
        s->f->av_dict_set(d, "input_format", s->o.format, 0);
    s->f->av_dict_set(d, "timestamps", "abs", 0); /* of the wall clock, by the driver's stamps */
}

/* A format is a demuxer's name, or a pixel format of raw video. */
static vg_status choose_demuxer(video_source *s, const AVInputFormat **out, AVDictionary **d,
                                vg_error *err)
{
    const video_ffmpeg *f = s->f;
    const char *wanted = s->kind == VIDEO_CAMERA  ? "v4l2"
                         : s->kind == VIDEO_DRAWN ? "lavfi"
                                                  : s->o.format;
    *out = NULL;
    if (wanted[0] == '\0')
        return VG_OK;
    *out = f->av_find_input_format(wanted);
    if (*out == NULL && f->av_get_pix_fmt(wanted) != AV_PIX_FMT_NONE) {
        *out = f->av_find_input_format("rawvideo");
        f->av_dict_set(d, "pixel_format", wanted, 0);
    }
    if (*out == NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, s->name,
                         "`ffmpeg -demuxers` and `ffmpeg -pix_fmts` list what there is",
                         "this FFmpeg reads no format \"%s\"", wanted);
    if (strcmp((*out)->name, "rawvideo") == 0 && s->o.size[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, s->name, "give the size, as in 1280x720",
                         "raw video says nothing of its size");
    return VG_OK;
}

static void set_options(const video_source *s, AVDictionary **d)
{
    const video_ffmpeg *f = s->f;
    AVFormatContext *input = s->input;
    input->interrupt_callback =
        (AVIOInterruptCB){.callback = video_source_is_cut, .opaque = (void *)(uintptr_t)s};
    input->probesize = PROBE_BYTES;
    input->max_index_size = INDEX_BYTES;
    input->max_picture_buffer = DEVICE_BYTES;
    input->skip_initial_bytes = s->begin_byte;
    if (video_is_live(s->kind)) {
        input->max_analyze_duration = PROBE_LIVE_US;
        input->fps_probe_size = 3; /* FFmpeg's own waits for 20 frames to guess the rate */
    }
    if (s->kind == VIDEO_NETWORK)
        set_network_options(s, d);
    if (s->kind == VIDEO_CAMERA) {
        set_camera_options(s, d);
        input->flags |= AVFMT_FLAG_NONBLOCK; /* else the driver waits without asking us */
    }
    if (s->o.size[0] != '\0')
        f->av_dict_set(d, "video_size", s->o.size, 0);
    if (s->o.rate[0] != '\0')
        f->av_dict_set(d, "framerate", s->o.rate, 0);
}

static bool make_url(const video_source *s, char *url, size_t n)
{
    const char *text = s->o.text;
    switch (s->kind) {
    case VIDEO_CAMERA:
        return base_format(url, n, "%s%s", text[0] == '/' ? "" : "/dev/video", text);
    case VIDEO_DRAWN:
        return base_format(url, n, "%s", text + strlen("lavfi:"));
    case VIDEO_FILE: /* so that a colon in a name is no protocol */
        return base_format(url, n, "file:%s", text);
    case VIDEO_PIPE:
        return base_format(url, n, "pipe:0");
    case VIDEO_NETWORK:
    case VIDEO_PUSHED:
    case VIDEO_NONE:
        break;
    }
    if (!base_format(url, n, "%s", text))
        return false;
    for (char *c = url; *c != '\0' && *c != ':'; c++) /* FFmpeg knows no RTSP:// */
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return true;
}

/* ---- open ---- */

static vg_status look_up_host(video_source *s, video_fault *fault, vg_error *err)
{
    const char *why;
    switch (video_resolve(s->o.text, video_source_is_cut, s, &why)) {
    case VIDEO_RESOLVED:
        break;
    case VIDEO_RESOLVE_CUT:
        return video_source_fail(s, AVERROR_EXIT, true, fault, err);
    case VIDEO_NO_NAME:
        *fault = VIDEO_FAULT_NAME;
        return video_fault_tell(*fault, 0, s->name, why, err);
    }
    return VG_OK;
}

/* Frames that would be refused are not decoded for probing either, where the header tells of them.
 */
static int find_streams(video_source *s)
{
    enum { MOST = 64 };
    AVDictionary *options[MOST] = {NULL};
    unsigned n = s->input->nb_streams;
    for (unsigned i = 0; i < n && n <= MOST; i++) {
        s->f->av_dict_set_int(&options[i], "max_pixels", s->o.most_pixels, 0);
        s->f->av_dict_set(&options[i], "threads", "1", 0);
    }
    int code = s->f->avformat_find_stream_info(s->input, n <= MOST ? options : NULL);
    for (unsigned i = 0; i < n && n <= MOST; i++)
        s->f->av_dict_free(&options[i]);
    return code;
}

/* The header of what is drawn tells its size. Drawing a first picture that is far too large could
 * take longer than connecting may, and then the fault would be another. */
static vg_status check_drawn(const video_source *s, video_fault *fault, vg_error *err)
{
    for (unsigned i = 0; s->kind == VIDEO_DRAWN && i < s->input->nb_streams; i++) {
        const AVCodecParameters *par = s->input->streams[i]->codecpar;
        if ((int64_t)par->width * par->height > s->o.most_pixels)
            return video_source_too_large(s, par->width, par->height, fault, err);
    }
    return VG_OK;
}

vg_status video_source_open_input(video_source *s, video_fault *fault, vg_error *err)
{
    const video_ffmpeg *f = s->f;
    const AVInputFormat *demuxer = NULL;
    AVDictionary *options = NULL;
    char url[4096];
    int code = 0;
    vg_status st = VG_OK;
    if (!make_url(s, url, sizeof url))
        return base_fail(err, VG_ERR_ARGUMENT, s->name, NULL, "a source of more than 4,000 bytes");
    if (s->kind == VIDEO_CAMERA || s->kind == VIDEO_DRAWN)
        st = video_ffmpeg_open_devices(err);
    if (st == VG_OK && s->kind == VIDEO_NETWORK)
        st = look_up_host(s, fault, err);
    if (st == VG_OK)
        st = choose_demuxer(s, &demuxer, &options, err);
    if (st != VG_OK)
        goto done;
    s->input = f->avformat_alloc_context();
    if (s->input == NULL) {
        st = video_source_fail(s, AVERROR(ENOMEM), true, fault, err);
        goto done;
    }
    set_options(s, &options);
    st = video_source_open_still(s, fault, err);
    if (st != VG_OK)
        goto done;
    if (s->still != NULL) { /* whatever its name says */
        demuxer = f->av_find_input_format("bmp_pipe");
    } else if (s->kind == VIDEO_PIPE || (s->kind == VIDEO_FILE && is_fifo(s->o.text))) {
        f->av_dict_set(&options, "protocol_whitelist", NETWORK_PROTOCOLS, 0);
        code = open_pipe(s);
    }
    if (code >= 0) /* frees the input when it fails */
        code = f->avformat_open_input(&s->input, url, demuxer, &options);
    if (code >= 0 && (st = check_drawn(s, fault, err)) != VG_OK)
        goto done;
    /* A camera tells all in its header, and probing would spin until its first picture. */
    if (code >= 0 && s->kind != VIDEO_CAMERA)
        code = find_streams(s);
    if (code < 0 || s->cut != VIDEO_NOT_CUT)
        st = video_source_fail(s, code, true, fault, err);
done:
    f->av_dict_free(&options);
    return st;
}
