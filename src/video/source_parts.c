/* source_parts.c: key pictures of H.264 that come in several parts are made whole.
 *
 * A camera may repeat its parameter sets before every slice of a key picture (GStreamer's RTP
 * payloader does, asked for config-interval=-1). They may stand between pictures only (H.264
 * 7.4.1.2.3), so FFmpeg's parser takes every slice for a picture, and the decoder would make a
 * damaged frame of each, all of one time. Its own flag for such streams, AV_CODEC_FLAG2_CHUNKS, is
 * no help: after the first slice that is lost it gives hardly a frame.
 *
 * Joining needs a packet read ahead, which is a frame's delay: therefore as many parts are waited
 * for as the last key picture had, and one more at the beginning of a connection. */
#include "source.h"

enum { MOST_PARTS = 64 };

/* The packet's first slice, from its start code on; NULL: there is none, or this is no Annex B. */
static const uint8_t *find_slice(const AVPacket *p)
{
    for (int i = 0; i + 4 < p->size; i++) {
        const uint8_t *at = p->data + i;
        if (at[0] == 0 && at[1] == 0 && at[2] == 1 && (at[3] & 31) >= 1 && (at[3] & 31) <= 5)
            return at;
    }
    return NULL;
}

/* It begins with first_mb_in_slice as ue(v), of which 0 is the bit 1: then it is the first. */
static bool is_rest(const AVPacket *p)
{
    const uint8_t *slice = find_slice(p);
    return slice != NULL && (slice[4] & 0x80) == 0;
}

static bool goes_on(const AVPacket *p, const AVPacket *next)
{
    return next->stream_index == p->stream_index && is_rest(next) &&
           (p->pts == AV_NOPTS_VALUE || next->pts == AV_NOPTS_VALUE || p->pts == next->pts);
}

/* Without the parameter sets, which the picture has already. */
static int append(const video_source *s, AVPacket *p, const AVPacket *next)
{
    const uint8_t *slice = find_slice(next);
    const int at = p->size, n = (int)(next->data + next->size - slice);
    const int code = s->f->av_grow_packet(p, n);
    if (code < 0)
        return code;
    memcpy(p->data + at, slice, (size_t)n);
    p->flags |= next->flags & AV_PKT_FLAG_CORRUPT;
    if (p->pts == AV_NOPTS_VALUE)
        p->pts = next->pts;
    if (p->dts == AV_NOPTS_VALUE)
        p->dts = next->dts;
    return 0;
}

/* Into s->ahead; s->packet stays. */
static int read_ahead(video_source *s)
{
    AVPacket *first = s->packet;
    s->packet = s->ahead;
    const int code = video_source_read_packet(s);
    s->ahead = s->packet;
    s->packet = first;
    return code;
}

static int next_packet(video_source *s)
{
    int code = 0;
    if (s->has_ahead)
        s->f->av_packet_move_ref(s->packet, s->ahead);
    else
        code = video_source_read_packet(s);
    s->has_ahead = false;
    s->packet_number = s->n_sent - 1; /* also of one read ahead: none was read since */
    return code;
}

int video_source_read_picture(video_source *s)
{
    int code = next_packet(s);
    if (code < 0 || !video_is_live(s->kind) || (s->packet->flags & AV_PKT_FLAG_KEY) == 0 ||
        s->input->streams[s->packet->stream_index]->codecpar->codec_id != AV_CODEC_ID_H264)
        return code;
    if (is_rest(s->packet)) /* of a picture that was sent without it */
        s->n_parts += s->n_parts < MOST_PARTS;
    else
        for (int n = 1; n < s->n_parts; n++) {
            if (read_ahead(s) < 0)
                return 0; /* the next read tells */
            if (!goes_on(s->packet, s->ahead)) {
                s->has_ahead = true;
                s->n_parts = n;
                return 0;
            }
            code = append(s, s->packet, s->ahead);
            s->f->av_packet_unref(s->ahead);
            if (code < 0) {
                s->f->av_packet_unref(s->packet);
                return code;
            }
        }
    return 0;
}
