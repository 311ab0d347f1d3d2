/* frame.c: objects that hold a reference to a decoder's picture. */
#include "frame.h"

#include <stdlib.h>

video_turn video_turn_make(const int32_t *matrix)
{
    if (matrix == NULL)
        return (video_turn){0};
    /* x' = a x + c y, y' = b x + d y */
    int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    if (llabs(a) + llabs(d) >= llabs(b) + llabs(c))
        return (video_turn){.mirrors_columns = a < 0, .mirrors_rows = d < 0};
    return (video_turn){.is_swapped = true, .mirrors_columns = b < 0, .mirrors_rows = c < 0};
}

int video_turn_degrees(video_turn t)
{
    if (t.is_swapped)
        return t.mirrors_columns && !t.mirrors_rows ? 270 : 90;
    return t.mirrors_columns && t.mirrors_rows ? 180 : 0;
}

vg_status video_frame_create(video_frame **out, base_mem *mem, vg_error *err)
{
    const video_ffmpeg *ffmpeg;
    *out = NULL;
    vg_status st = video_ffmpeg_get(&ffmpeg, err);
    if (st != VG_OK)
        return st;
    video_frame *f = base_alloc_zero(mem, 1, sizeof *f, err);
    if (f == NULL)
        return VG_ERR_MEMORY;
    f->ffmpeg = ffmpeg;
    f->picture = ffmpeg->av_frame_alloc();
    if (f->picture == NULL) {
        video_frame_destroy(&f);
        return base_fail(err, VG_ERR_MEMORY, NULL, NULL, "FFmpeg found no memory for a frame");
    }
    *out = f;
    return VG_OK;
}

void video_frame_destroy(video_frame **f)
{
    if (*f == NULL)
        return;
    (*f)->ffmpeg->av_frame_free(&(*f)->picture);
    base_free(*f);
    *f = NULL;
}

void video_frame_release(video_frame *f)
{
    f->ffmpeg->av_frame_unref(f->picture);
    f->turn = (video_turn){0};
    f->info = (video_frame_info){.pts_ns = INT64_MIN};
    f->file[0] = '\0';
}

void video_frame_set_file(video_frame *f, const char *name)
{
    base_format(f->file, sizeof f->file, "%s", name);
}

const char *video_frame_file(const video_frame *f)
{
    return f->file;
}

const video_frame_info *video_frame_get(const video_frame *f)
{
    return &f->info;
}

/* ---- brightness ---- */

static bool is_readable(const AVPixFmtDescriptor *d, const AVComponentDescriptor *c)
{
    const uint64_t others = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                            AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER;
    return (d->flags & others) == 0 && c->depth >= 8 && c->depth <= 16 &&
           (c->depth == 8 ? c->shift == 0 : (d->flags & AV_PIX_FMT_FLAG_BE) == 0);
}

bool video_frame_luma(image_luma *out, const video_frame *f)
{
    const AVFrame *p = f->picture;
    const AVPixFmtDescriptor *d =
        p->data[0] != NULL ? f->ffmpeg->av_pix_fmt_desc_get(p->format) : NULL;
    if (d == NULL)
        return false;
    const AVComponentDescriptor *c = &d->comp[(d->flags & AV_PIX_FMT_FLAG_RGB) != 0 ? 1 : 0];
    if (!is_readable(d, c))
        return false;
    const uint8_t *at = p->data[c->plane] + c->offset;
    ptrdiff_t column = c->step, row = p->linesize[c->plane];
    if (f->turn.mirrors_columns) {
        at += (p->width - 1) * column;
        column = -column;
    }
    if (f->turn.mirrors_rows) {
        at += (p->height - 1) * row;
        row = -row;
    }
    *out = (image_luma){.at = at,
                        .across = f->turn.is_swapped ? row : column,
                        .down = f->turn.is_swapped ? column : row,
                        .w = f->info.w,
                        .h = f->info.h,
                        .bits = c->depth,
                        .shift = c->shift};
    return true;
}
