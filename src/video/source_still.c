/* source_still.c: a picture among videos, as a source of one frame.
 *
 * FFmpeg's decoders hand back frames that they did not fill: a tiled TIFF is black. So pictures are
 * read by the floor that tells whole ones from others (image_decode), and FFmpeg gets their pixels
 * as a BMP in memory: everything behind it stays as for any video. GIFs may be films, and stay with
 * FFmpeg. */
#include <string.h>
#include <sys/stat.h>

#include "fault.h"
#include "image/image.h"
#include "source.h"

enum { HEAD = 54, BUFFER_BYTES = 64 << 10, MOST_FILE_BYTES = 1 << 30 };

static bool is_still(const video_source *s)
{
    uint8_t head[32];
    struct stat info;
    if (s->kind != VIDEO_FILE || s->o.format[0] != '\0' || !image_is_picture_name(s->o.text) ||
        stat(s->o.text, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    FILE *file = fopen(s->o.text, "rbe");
    const size_t n = file != NULL ? fread(head, 1, sizeof head, file) : 0;
    if (file != NULL)
        fclose(file);
    const char *kind = image_format_name(head, n);
    return kind != NULL && strcmp(kind, "GIF") != 0;
}

static void put_le(uint8_t *p, size_t v, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

/* Rows from the lowest up, blue first, each of a multiple of 4 bytes. */
static uint8_t *make_bmp(const video_source *s, const image_view *v, size_t *n)
{
    const size_t row = (3 * (size_t)v->w + 3) / 4 * 4;
    *n = HEAD + row * (size_t)v->h;
    uint8_t *bmp = s->f->av_malloc(*n);
    if (bmp == NULL)
        return NULL;
    memset(bmp, 0, HEAD);
    memcpy(bmp, "BM", 2);
    put_le(bmp + 2, *n, 4);
    bmp[10] = HEAD;
    bmp[14] = 40;
    put_le(bmp + 18, (size_t)v->w, 4);
    put_le(bmp + 22, (size_t)v->h, 4);
    bmp[26] = 1;
    bmp[28] = 24;
    for (int y = 0; y < v->h; y++) {
        const uint8_t *from = v->data + (size_t)(v->h - 1 - y) * v->stride;
        uint8_t *to = bmp + HEAD + row * (size_t)y;
        for (int x = 0; x < v->w; x++, from += 3, to += 3) {
            to[0] = from[2];
            to[1] = from[1];
            to[2] = from[0];
        }
        memset(to, 0, row - 3 * (size_t)v->w);
    }
    return bmp;
}

static int read_still(void *source, uint8_t *to, int n)
{
    video_source *s = source;
    const size_t left = s->n_still - s->still_at;
    const size_t take = (size_t)n < left ? (size_t)n : left;
    if (take == 0)
        return AVERROR_EOF;
    memcpy(to, s->still + s->still_at, take);
    s->still_at += take;
    return (int)take;
}

static vg_status decode(video_source *s, base_mem *mem, vg_error *err)
{
    char *bytes = NULL;
    size_t n = 0;
    image_decoder *decoder = NULL;
    image_buffer picture = {0};
    const image_limits limits = {.most_pixels = s->o.most_pixels};
    vg_status st = base_file_read(&bytes, &n, s->o.text, MOST_FILE_BYTES, mem, err);
    if (st == VG_OK)
        st = image_decoder_create(&decoder, &limits, mem, err);
    if (st == VG_OK)
        st = image_decode(decoder, &picture, (const uint8_t *)bytes, n, s->name, mem, err);
    image_decoder_destroy(&decoder);
    base_free(bytes);
    if (st == VG_OK) {
        s->still = make_bmp(s, &picture.view, &s->n_still);
        if (s->still == NULL)
            st = base_fail(err, VG_ERR_MEMORY, s->name, NULL, "FFmpeg found no memory");
    }
    image_buffer_fini(&picture);
    return st;
}

vg_status video_source_open_still(video_source *s, video_fault *fault, vg_error *err)
{
    base_mem mem = {.tag = "picture"};
    if (!is_still(s))
        return VG_OK;
    vg_status st = decode(s, &mem, err);
    if (st != VG_OK) {
        *fault = st == VG_ERR_MEMORY ? VIDEO_FAULT_OTHER : VIDEO_FAULT_DATA;
        return st;
    }
    s->still_at = 0;
    uint8_t *buffer = s->f->av_malloc(BUFFER_BYTES);
    if (buffer != NULL)
        s->pipe = s->f->avio_alloc_context(buffer, BUFFER_BYTES, 0, s, read_still, NULL, NULL);
    if (s->pipe == NULL) {
        s->f->av_free(buffer);
        *fault = VIDEO_FAULT_OTHER;
        return base_fail(err, VG_ERR_MEMORY, s->name, NULL, "FFmpeg found no memory");
    }
    s->pipe->seekable = 0;
    s->input->pb = s->pipe;
    return VG_OK;
}

void video_source_close_still(video_source *s)
{
    s->f->av_free(s->still);
    s->still = NULL;
    s->n_still = 0;
}
