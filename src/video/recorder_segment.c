/* recorder_segment.c: packets into fragmented MP4 by FFmpeg's muxer, through writes of our own, so
 * that a full disk is told by its own error and costs no more than the fragment that did not fit.
 */
#include "recorder_parts.h"

#include <errno.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10, FRAGMENT_US = 500000 };

#if LIBAVFORMAT_VERSION_MAJOR >= 61
typedef const uint8_t written_byte;
#else
typedef uint8_t written_byte;
#endif

static int write_bytes(void *self, written_byte *bytes, int n)
{
    video_segment *s = self;
    int done = 0;
    while (done < n) {
        const ssize_t got = write(s->fd, bytes + done, (size_t)(n - done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            if (s->write_errno == 0)
                s->write_errno = errno;
            return AVERROR(errno);
        }
        done += (int)got;
        s->written_bytes += got;
    }
    return n;
}

static vg_status failed(const video_segment *s, const video_ffmpeg *f, int code, const char *what,
                        vg_error *err)
{
    char text[128];
    if (s->write_errno != 0) {
        errno = s->write_errno;
        return base_fail_errno(err, VG_ERR_IO, s->path,
                               errno == ENOSPC || errno == EDQUOT
                                   ? "make room on the disk, or bound recordings with keep_bytes"
                                   : "check the disk and its permissions",
                               "%s", what);
    }
    video_ffmpeg_text(f, text, sizeof text, code);
    return base_fail(err, code == AVERROR(ENOMEM) ? VG_ERR_MEMORY : VG_ERR_UNSUPPORTED, s->path,
                     "take h264 as video_codec", "%s: %s", what, text);
}

/* ---- open ---- */

static int open_muxer(video_segment *s, const video_ffmpeg *f, const char *mark,
                      const video_encoder *e)
{
    AVStream *stream;
    int code = f->avformat_alloc_output_context2(&s->muxer, NULL, "mp4", NULL);
    if (code < 0)
        return code;
    uint8_t *buffer = f->av_malloc(BUFFER_BYTES);
    if (buffer != NULL)
        s->muxer->pb = f->avio_alloc_context(buffer, BUFFER_BYTES, 1, s, NULL, write_bytes, NULL);
    if (s->muxer->pb == NULL) {
        f->av_free(buffer);
        return AVERROR(ENOMEM);
    }
    stream = f->avformat_new_stream(s->muxer, NULL);
    if (stream == NULL)
        return AVERROR(ENOMEM);
    code = f->avcodec_parameters_from_context(stream->codecpar, e->context);
    if (code < 0)
        return code;
    stream->time_base = e->context->time_base;
    stream->avg_frame_rate = e->context->framerate;
    /* What is written to the file in one call of the muxer is a whole fragment. */
    s->muxer->flush_packets = 1;
    code = f->av_dict_set(&s->muxer->metadata, "comment", mark, 0);
    return code;
}

static int write_head(video_segment *s, const video_ffmpeg *f)
{
    AVDictionary *o = NULL;
    f->av_dict_set(&o, "movflags", "frag_keyframe+empty_moov+default_base_moof", 0);
    f->av_dict_set_int(&o, "frag_duration", FRAGMENT_US, 0);
    f->av_dict_set_int(&o, "video_track_timescale", VIDEO_TICKS_PER_S, 0);
    const int code = f->avformat_write_header(s->muxer, &o);
    f->av_dict_free(&o);
    return code;
}

static void close_muxer(video_segment *s, const video_ffmpeg *f)
{
    if (s->muxer == NULL)
        return;
    if (s->muxer->pb != NULL) {
        f->av_free(s->muxer->pb->buffer);
        f->avio_context_free(&s->muxer->pb);
    }
    f->avformat_free_context(s->muxer);
    s->muxer = NULL;
}

vg_status video_segment_open(video_segment *s, const video_ffmpeg *f, const char *folder,
                             const char *stem, bool one_file, const video_encoder *e, vg_error *err)
{
    char mark[512];
    *s = (video_segment){.fd = -1, .n_kept = s->n_kept};
    vg_status st = video_folder_create(&s->fd, s->path, folder, stem, one_file, err);
    if (st != VG_OK)
        return st;
    video_folder_mark(mark, sizeof mark, stem);
    int code = open_muxer(s, f, mark, e);
    if (code >= 0)
        code = write_head(s, f);
    if (code < 0) {
        st = failed(s, f, code, "the recording cannot be begun", err);
        video_segment_abandon(s, f);
        return st;
    }
    s->whole_bytes = s->written_bytes;
    return VG_OK;
}

/* ---- write ---- */

/* All that the muxer held is in the file. */
static void keep_waiting(video_segment *s)
{
    s->whole_bytes = s->written_bytes;
    s->has_fragment = s->has_fragment || s->n_waiting > 0;
    s->n_kept += s->n_waiting;
    s->n_waiting = 0;
}

vg_status video_segment_write(video_segment *s, const video_ffmpeg *f, AVPacket *packet,
                              AVRational time_base, vg_error *err)
{
    const int n_bytes = packet->size;
    packet->pts -= s->start_ticks;
    packet->dts -= s->start_ticks;
    packet->stream_index = 0;
    f->av_packet_rescale_ts(packet, time_base, s->muxer->streams[0]->time_base);
    const int code = f->av_write_frame(s->muxer, packet);
    f->av_packet_unref(packet);
    if (code < 0 || s->write_errno != 0)
        return failed(s, f, code, "the recording cannot go on", err);
    if (s->written_bytes > s->whole_bytes)
        keep_waiting(s); /* the fragment ends before this packet */
    s->n_waiting++;
    s->packet_bytes += n_bytes;
    return VG_OK;
}

/* ---- close ---- */

static bool hand_over(const video_segment *s)
{
    if (s->syncer != NULL)
        video_syncer_take(s->syncer, s->fd);
    return s->syncer != NULL;
}

static void forget(video_segment *s)
{
    *s = (video_segment){.fd = -1, .n_kept = s->n_kept};
}

vg_status video_segment_close(video_segment *s, const video_ffmpeg *f, vg_error *err)
{
    vg_status st = VG_OK;
    if (s->muxer == NULL)
        return VG_OK;
    /* The last fragment by itself: the index behind it is not worth its loss. What could not be
     * written is asked of our own writes, for the muxer's end does not tell it. */
    int code = f->av_write_frame(s->muxer, NULL);
    if (code >= 0 && s->write_errno == 0) {
        keep_waiting(s);
        code = f->av_write_trailer(s->muxer);
    }
    if (code < 0 || s->write_errno != 0 || !s->has_fragment) {
        if (code < 0 || s->write_errno != 0)
            st = failed(s, f, code, "the recording's end cannot be written", err);
        video_segment_abandon(s, f);
        return st;
    }
    close_muxer(s, f);
    if (!hand_over(s) && close(s->fd) != 0)
        st = base_fail_errno(err, VG_ERR_IO, s->path, "check the disk",
                             "the recording's end cannot be written");
    forget(s);
    return st;
}

void video_segment_abandon(video_segment *s, const video_ffmpeg *f)
{
    if (s->fd < 0)
        return;
    close_muxer(s, f);
    /* A torn fragment at the end would be played, too, but every player complains in its own way.
     */
    const bool is_cut = ftruncate(s->fd, s->whole_bytes) == 0;
    if (!s->has_fragment)
        unlink(s->path);
    else if (!is_cut)
        base_log(BASE_LOG_WARN, "a recording has a torn end", "path=\"%s\" whole_bytes=%lld",
                 s->path, (long long)s->whole_bytes);
    if (!hand_over(s))
        close(s->fd);
    forget(s);
}
