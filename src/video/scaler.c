/* scaler.c: a decoder's picture to RGB, or straight into a network's input.
 *
 * RGB is made by libswscale as OpenCV's VideoCapture asks for it (SWS_BICUBIC at equal size, which
 * for 4:2:0 takes each chroma sample for its four pixels), so that a network sees what it would in
 * the usual Python loop. One difference is meant: OpenCV reads all video as BT.601, here BT.709 and
 * BT.2020 are honoured where the stream says so; where it says nothing, it is BT.601 as there. */
#include "frame.h"
#include "sample.h"

enum {
    MOST_CONTEXTS = 4, /* shapes whose converter is kept */
    BLOCK_PIXELS = 16, /* libswscale's assembler writes whole blocks of pixels */
    SLACK = 64,
};

/* What a converter was made for. */
typedef struct shape {
    int w, h, format, space, range;
} shape;

struct video_scaler {
    struct SwsContext *contexts[MOST_CONTEXTS]; /* last used first */
    shape shapes[MOST_CONTEXTS];
    const video_ffmpeg *f;
    image_buffer stored;  /* RGB as stored, for pictures that are turned or padded */
    image_buffer upright; /* for formats that the sampler does not know */
    image_scratch letterbox;
    video_sampler sampler;
};

vg_status video_scaler_create(video_scaler **out, base_mem *mem, vg_error *err)
{
    const video_ffmpeg *ffmpeg;
    *out = NULL;
    vg_status st = video_ffmpeg_get(&ffmpeg, err);
    if (st != VG_OK)
        return st;
    video_scaler *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    s->f = ffmpeg;
    *out = s;
    return VG_OK;
}

size_t video_scaler_bytes(int w, int h, int in_w, int in_h, bool makes_rgb)
{
    const image_letterbox_fit fit = {.new_w = in_w, .new_h = in_h};
    const size_t sampled = sizeof(video_scaler) + video_sampler_bytes(w, h, &fit);
    const size_t wide = base_round_up((size_t)w, BLOCK_PIXELS), high = (size_t)h;
    return sampled + (makes_rgb ? 3 * wide * (high + 1) + 3 * (size_t)w * high +
                                      image_letterbox_bytes(in_w, in_h)
                                : 0);
}

void video_scaler_destroy(video_scaler **s)
{
    if (*s == NULL)
        return;
    for (size_t i = 0; i < MOST_CONTEXTS; i++)
        (*s)->f->sws_freeContext((*s)->contexts[i]);
    image_buffer_fini(&(*s)->stored);
    image_buffer_fini(&(*s)->upright);
    image_scratch_fini(&(*s)->letterbox);
    video_sampler_fini(&(*s)->sampler);
    base_free(*s);
    *s = NULL;
}

/* ---- colours ---- */

static bool is_full_range(const AVFrame *p)
{
    switch (p->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
        return true;
    default:
        return p->color_range == AVCOL_RANGE_JPEG;
    }
}

static int space_of(const AVFrame *p)
{
    switch (p->colorspace) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    case AVCOL_SPC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    case AVCOL_SPC_FCC:
        return SWS_CS_FCC;
    default:
        return SWS_CS_ITU601;
    }
}

/* libswscale's assembler cuts fractions where it might round, so its pictures, and with them those
 * that OpenCV shows to networks, are darker by so much of 255: means over all colours, red, green
 * and blue, of studio and of full range. */
#if defined(__x86_64__)
static const double libswscale_cuts[2][3] = {{1.02, 1.42, 1.00}, {0.48, 0.93, 0.46}};
#else
static const double libswscale_cuts[2][3] = {{0}};
#endif

/* From the shares of red and blue in luma (BT.601: 0.299, 0.114; BT.709: 0.2126, 0.0722). */
static video_matrix make_matrix(const AVFrame *p)
{
    double kr = 0.299, kb = 0.114;
    switch (space_of(p)) {
    case SWS_CS_ITU709:
        kr = 0.2126;
        kb = 0.0722;
        break;
    case SWS_CS_BT2020:
        kr = 0.2627;
        kb = 0.0593;
        break;
    case SWS_CS_SMPTE240M:
        kr = 0.212;
        kb = 0.087;
        break;
    case SWS_CS_FCC:
        kr = 0.30;
        kb = 0.11;
        break;
    default:
        break;
    }
    bool full = is_full_range(p);
    double kg = 1 - kr - kb, luma = full ? 255 : 219, chroma = full ? 255 : 224;
    double black = full ? 0 : 16 / luma;
    const double *cut = libswscale_cuts[full];
    return (video_matrix){
        .y_scale = (float)(1 / luma),
        .offset = {(float)(-black - cut[0] / 255), (float)(-black - cut[1] / 255),
                   (float)(-black - cut[2] / 255)},
        .r_v = (float)(2 * (1 - kr) / chroma),
        .g_u = (float)(-2 * (1 - kb) * kb / kg / chroma),
        .g_v = (float)(-2 * (1 - kr) * kr / kg / chroma),
        .b_u = (float)(2 * (1 - kb) / chroma),
    };
}

/* ---- libswscale ---- */

static bool is_same_shape(const shape *a, const shape *b)
{
    return a->w == b->w && a->h == b->h && a->format == b->format && a->space == b->space &&
           a->range == b->range;
}

static void move_to_front(video_scaler *s, size_t at)
{
    struct SwsContext *context = s->contexts[at];
    shape of = s->shapes[at];
    for (; at > 0; at--) {
        s->contexts[at] = s->contexts[at - 1];
        s->shapes[at] = s->shapes[at - 1];
    }
    s->contexts[0] = context;
    s->shapes[0] = of;
}

static void set_colors(const video_scaler *s, struct SwsContext *context, const AVFrame *p)
{
    const AVPixFmtDescriptor *d = s->f->av_pix_fmt_desc_get(p->format);
    if (d == NULL || (d->flags & AV_PIX_FMT_FLAG_RGB) != 0 || d->nb_components < 3)
        return;
    const int *from = s->f->sws_getCoefficients(space_of(p));
    const int *to = s->f->sws_getCoefficients(SWS_CS_DEFAULT);
    s->f->sws_setColorspaceDetails(context, from, is_full_range(p), to, 1, 0, 1 << 16, 1 << 16);
}

static vg_status find_context(video_scaler *s, struct SwsContext **out, const AVFrame *p,
                              vg_error *err)
{
    shape of = {.w = p->width,
                .h = p->height,
                .format = p->format,
                .space = space_of(p),
                .range = is_full_range(p)};
    size_t i = 0;
    while (i < MOST_CONTEXTS - 1 && s->contexts[i] != NULL && !is_same_shape(&s->shapes[i], &of))
        i++;
    if (s->contexts[i] == NULL || !is_same_shape(&s->shapes[i], &of)) {
        s->f->sws_freeContext(s->contexts[i]); /* the one that was not used for longest */
        s->contexts[i] = s->f->sws_getContext(of.w, of.h, p->format, of.w, of.h, AV_PIX_FMT_RGB24,
                                              SWS_BICUBIC, NULL, NULL, NULL);
        if (s->contexts[i] == NULL) {
            const char *name = s->f->av_get_pix_fmt_name(p->format);
            return base_fail(err, VG_ERR_UNSUPPORTED, NULL, "let the source send 8-bit YUV or RGB",
                             "libswscale makes no RGB of %d x %d pixels of %s", of.w, of.h,
                             name != NULL ? name : "no known format");
        }
        set_colors(s, s->contexts[i], p);
        s->shapes[i] = of;
    }
    move_to_front(s, i);
    *out = s->contexts[0];
    return VG_OK;
}

/* As stored. dst->data has room for whole blocks at the end of every row. */
static vg_status convert(video_scaler *s, const image_view *dst, const AVFrame *p, vg_error *err)
{
    struct SwsContext *context = NULL;
    vg_status st = find_context(s, &context, p, err);
    if (st != VG_OK)
        return st;
    uint8_t *planes[4] = {dst->data};
    int strides[4] = {(int)dst->stride};
    int rows = s->f->sws_scale(context, (const uint8_t *const *)p->data, p->linesize, 0, p->height,
                               planes, strides);
    if (rows != p->height)
        return base_fail(err, VG_ERR_SYSTEM, NULL, NULL, "libswscale gave %d rows of %d", rows,
                         p->height);
    return VG_OK;
}

static void copy_pixel(uint8_t *to, const uint8_t *from)
{
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
}

/* dst = src turned upright. */
static void turn(const image_view *dst, const image_view *src, video_turn t)
{
    ptrdiff_t along = t.is_swapped ? (ptrdiff_t)src->stride : 3,
              down = t.is_swapped ? 3 : (ptrdiff_t)src->stride;
    bool back_along = t.is_swapped ? t.mirrors_rows : t.mirrors_columns,
         back_down = t.is_swapped ? t.mirrors_columns : t.mirrors_rows;
    for (int y = 0; y < dst->h; y++) {
        uint8_t *to = dst->data + (size_t)y * dst->stride;
        const uint8_t *from = src->data + (back_down ? dst->h - 1 - y : y) * down +
                              (back_along ? (dst->w - 1) * along : 0);
        ptrdiff_t step = back_along ? -along : along;
        for (int x = 0; x < dst->w; x++, to += 3, from += step)
            copy_pixel(to, from);
    }
}

static void copy_rows(const image_view *dst, const image_view *src)
{
    for (int y = 0; y < dst->h; y++)
        memcpy(dst->data + (size_t)y * dst->stride, src->data + (size_t)y * src->stride,
               3 * (size_t)dst->w);
}

static bool is_turned(video_turn t)
{
    return t.is_swapped || t.mirrors_columns || t.mirrors_rows;
}

static vg_status check_frame(const video_frame *f, vg_error *err)
{
    if (f->picture->data[0] != NULL)
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, "frame", NULL, "a frame without a picture");
}

vg_status video_frame_to_rgb(video_scaler *s, const image_view *dst, const video_frame *f,
                             base_mem *mem, vg_error *err)
{
    const AVFrame *p = f->picture;
    vg_status st = check_frame(f, err);
    if (st != VG_OK)
        return st;
    if (dst->w != f->info.w || dst->h != f->info.h)
        return base_fail(err, VG_ERR_ARGUMENT, "dst", NULL, "%d x %d pixels for a frame of %d x %d",
                         dst->w, dst->h, f->info.w, f->info.h);
    if (!is_turned(f->turn) && p->width % BLOCK_PIXELS == 0)
        return convert(s, dst, p, err);
    /* One row more than needed is the slack behind the last. */
    int wide = (p->width + BLOCK_PIXELS - 1) / BLOCK_PIXELS * BLOCK_PIXELS;
    st = image_buffer_reserve(&s->stored, wide, p->height + 1, mem, err);
    if (st != VG_OK)
        return st;
    image_view stored = s->stored.view;
    stored.w = p->width;
    stored.h = p->height;
    st = convert(s, &stored, p, err);
    if (st != VG_OK)
        return st;
    if (is_turned(f->turn))
        turn(dst, &stored, f->turn);
    else
        copy_rows(dst, &stored);
    return VG_OK;
}

/* ---- the network's input ---- */

static bool find_planes(video_yuv *out, const AVFrame *p)
{
    *out = (video_yuv){.y = p->data[0],
                       .u = p->data[1],
                       .v = p->data[2],
                       .y_stride = (size_t)p->linesize[0],
                       .u_stride = (size_t)p->linesize[1],
                       .chroma_pitch = 1,
                       .w = p->width,
                       .h = p->height};
    switch (p->format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
        return p->linesize[0] > 0 && p->linesize[1] > 0 && p->linesize[2] == p->linesize[1];
    case AV_PIX_FMT_NV12:
        out->v = out->u + 1;
        out->chroma_pitch = 2;
        return p->linesize[0] > 0 && p->linesize[1] > 0;
    default:
        return false;
    }
}

/* Whether the input is sampled from the frame's own planes. At its own size nothing is to be
 * sampled, and libswscale's assembler is quicker. */
static bool is_sampled(video_yuv *out, const video_frame *f, const image_letterbox_fit *fit)
{
    const bool is_copy = fit->new_w == f->info.w && fit->new_h == f->info.h;
    return !is_copy && find_planes(out, f->picture);
}

static vg_status plan_sampler(video_scaler *s, const video_frame *f, const image_letterbox_fit *fit,
                              base_mem *mem, vg_error *err)
{
    return video_sampler_plan(&s->sampler, f->picture->width, f->picture->height,
                              f->turn.is_swapped, f->turn.mirrors_columns, f->turn.mirrors_rows,
                              fit, mem, err);
}

static vg_status make_upright(video_scaler *s, const video_frame *f, base_mem *mem, vg_error *err)
{
    const vg_status st = image_buffer_reserve(&s->upright, f->info.w, f->info.h, mem, err);
    return st == VG_OK ? video_frame_to_rgb(s, &s->upright.view, f, mem, err) : st;
}

vg_status video_frame_to_float(video_scaler *s, float *dst, const video_frame *f,
                               const image_letterbox_fit *fit, base_mem *mem, vg_error *err)
{
    video_yuv yuv;
    vg_status st = check_frame(f, err);
    if (st != VG_OK)
        return st;
    if (is_sampled(&yuv, f, fit)) {
        video_matrix m = make_matrix(f->picture);
        st = plan_sampler(s, f, fit, mem, err);
        if (st == VG_OK)
            video_sampler_run(&s->sampler, video_sample_kernels_get(), dst, &yuv, &m);
        return st;
    }
    st = make_upright(s, f, mem, err);
    if (st == VG_OK)
        st = image_letterbox_to_float(dst, &s->upright.view, fit, &s->letterbox, mem, err);
    return st;
}

static video_plane_taps taps_of(const video_taps *t)
{
    return (video_plane_taps){.from = t->from, .weight = t->weight};
}

vg_status video_frame_view(video_scaler *s, video_view *out, const video_frame *f,
                           const image_letterbox_fit *fit, base_mem *mem, vg_error *err)
{
    video_yuv yuv;
    vg_status st = check_frame(f, err);
    *out = (video_view){.is_rgb = true};
    if (st != VG_OK)
        return st;
    if (!is_sampled(&yuv, f, fit)) {
        st = make_upright(s, f, mem, err);
        out->rgb = s->upright.view;
        return st;
    }
    st = plan_sampler(s, f, fit, mem, err);
    const video_matrix m = make_matrix(f->picture);
    const video_sampler *t = &s->sampler;
    *out = (video_view){.y = yuv.y,
                        .u = yuv.u,
                        .v = yuv.v,
                        .y_row_bytes = yuv.y_stride,
                        .chroma_row_bytes = yuv.u_stride,
                        .chroma_pitch = yuv.chroma_pitch,
                        .w = yuv.w,
                        .h = yuv.h,
                        .is_swapped = t->is_swapped,
                        .luma_x = taps_of(&t->luma_x),
                        .luma_y = taps_of(&t->luma_y),
                        .chroma_x = taps_of(&t->chroma_x),
                        .chroma_y = taps_of(&t->chroma_y),
                        .y_scale = m.y_scale,
                        .offset = {m.offset[0], m.offset[1], m.offset[2]},
                        .r_v = m.r_v,
                        .g_u = m.g_u,
                        .g_v = m.g_v,
                        .b_u = m.b_u};
    return st;
}
