/* canvas.c: frames and labels over a picture.
 *
 * Frames and label grounds are rounded rectangles whose coverage follows from the distance to their
 * edge; letters come from Cairo as a mask of the label's size. So a picture is never copied into
 * Cairo's four bytes a pixel and back, which costs 8 MB and 6 ms for 1080p. Memory: the mask grows
 * to the largest label, unless reserved before. Threads: one canvas a thread. */
#include <cairo.h>
#include <math.h>
#include <string.h>

#include "buffer.h"
#include "label.h"
#include "stroke.h"

typedef struct rect {
    int x1, y1, x2, y2; /* pixels, the second ones exclusive */
} rect;

/* Labels that keep clear of one another; those of further boxes stand where they fall. */
enum { MOST_PLACED = 512 };

struct image_canvas {
    image_scratch mask_block;
    cairo_surface_t *mask; /* A8, over the block; NULL until the first label */
    cairo_t *cr;
    int mask_w, mask_h;
    int font_px;        /* 0: none set */
    const char *family; /* set; NULL: none */
    double ascent, descent;
    rect placed[MOST_PLACED]; /* labels of the picture that boxes were drawn into last */
    size_t n_placed;
};

/* What follows from the picture's size. */
typedef struct look {
    int line_px, radius_px, font_px, pad_px;
    bool drops_crowded, is_bgr;
    const char *family;
} look;

static look look_for(const image_view *picture, const image_draw_style *style)
{
    look l;
    double by_size = rint((picture->w + picture->h) / 2.0 * 0.003);
    l.line_px =
        style != NULL && style->line_width_px > 0 ? style->line_width_px : (int)fmax(by_size, 2);
    if (l.line_px > 100)
        l.line_px = 100;
    l.radius_px = l.line_px + 1;
    l.font_px = 3 * l.line_px + 6;
    l.pad_px = l.line_px + 1;
    l.drops_crowded = style != NULL && style->drops_crowded_labels;
    l.is_bgr = style != NULL && style->is_bgr;
    l.family = style != NULL && style->family != NULL ? style->family : "sans-serif";
    return l;
}

/* In the order of the picture's bytes. */
static image_color color_of(const look *l, int class_index)
{
    const image_color c = image_class_color(class_index);
    return l->is_bgr ? (image_color){c.b, c.g, c.r} : c;
}

/* ---- rounded rectangles ---- */

/* How much of the pixel (x, y) the rounded rectangle covers, 0..1: by the distance of its centre to
 * the edge. */
static float coverage(int x, int y, const rect *r, float radius)
{
    float half_w = (float)(r->x2 - r->x1) * 0.5f, half_h = (float)(r->y2 - r->y1) * 0.5f;
    if (half_w <= 0 || half_h <= 0)
        return 0;
    radius = fminf(radius, fminf(half_w, half_h));
    float dx = fabsf((float)x + 0.5f - ((float)r->x1 + half_w)) - half_w + radius;
    float dy = fabsf((float)y + 0.5f - ((float)r->y1 + half_h)) - half_h + radius;
    float outside = sqrtf(fmaxf(dx, 0) * fmaxf(dx, 0) + fmaxf(dy, 0) * fmaxf(dy, 0));
    float distance = outside + fminf(fmaxf(dx, dy), 0) - radius;
    return fminf(fmaxf(0.5f - distance, 0), 1);
}

/* The part of row y from x1 to x2 that is in `outer` and not in `inner` (NULL: all of outer). */
static void fill_row(const image_view *picture, int y, int x1, int x2, const rect *outer,
                     float radius, const rect *inner, float inner_radius, image_color color)
{
    for (int x = x1; x < x2; x++) {
        float a = coverage(x, y, outer, radius);
        if (inner != NULL)
            a -= coverage(x, y, inner, inner_radius);
        if (a > 0)
            image_blend(image_pixel(picture, x, y), color, (int)(a * 255.0f + 0.5f));
    }
}

static void fill_solid(const image_view *picture, int y, int x1, int x2, image_color color)
{
    for (int x = x1; x < x2; x++)
        memcpy(image_pixel(picture, x, y), &color, sizeof(color));
}

/* Edges lie on whole pixels, so that only the corners need distances. */
static void fill_rounded(const image_view *picture, const rect *r, int radius_px, image_color color)
{
    float radius = (float)radius_px;
    bool has_middle = r->x2 - r->x1 > 2 * radius_px;
    for (int y = r->y1; y < r->y2; y++) {
        int corner = has_middle ? radius_px : r->x2 - r->x1;
        fill_row(picture, y, r->x1, r->x1 + corner, r, radius, NULL, 0, color);
        if (has_middle) {
            fill_solid(picture, y, r->x1 + corner, r->x2 - corner, color);
            fill_row(picture, y, r->x2 - corner, r->x2, r, radius, NULL, 0, color);
        }
    }
}

static void draw_frame(const image_view *picture, const rect *outer, const look *l,
                       image_color color)
{
    rect inner = {outer->x1 + l->line_px, outer->y1 + l->line_px, outer->x2 - l->line_px,
                  outer->y2 - l->line_px};
    float radius = (float)l->radius_px, inner_radius = (float)(l->radius_px - l->line_px);
    int corner = l->radius_px > l->line_px ? l->radius_px : l->line_px;
    bool is_small = outer->x2 - outer->x1 <= 2 * corner || outer->y2 - outer->y1 <= 2 * corner;
    for (int y = outer->y1; y < outer->y2; y++) {
        if (is_small) {
            fill_row(picture, y, outer->x1, outer->x2, outer, radius, &inner, inner_radius, color);
        } else if (y >= outer->y1 + corner && y < outer->y2 - corner) {
            fill_solid(picture, y, outer->x1, inner.x1, color);
            fill_solid(picture, y, inner.x2, outer->x2, color);
        } else {
            int left = outer->x1 + corner, right = outer->x2 - corner;
            fill_row(picture, y, outer->x1, left, outer, radius, &inner, inner_radius, color);
            if (y < inner.y1 || y >= inner.y2)
                fill_solid(picture, y, left, right, color);
            fill_row(picture, y, right, outer->x2, outer, radius, &inner, inner_radius, color);
        }
    }
}

/* The frame's outer edge: the line's middle runs on the box, drawn in where it would leave the
 * picture. False when no part of the box is in the picture. */
static bool frame_of(rect *out, const image_box *box, const image_view *picture, int line_px)
{
    if (!isfinite(box->x1) || !isfinite(box->y1) || !isfinite(box->x2) || !isfinite(box->y2))
        return false;
    float w = (float)picture->w, h = (float)picture->h;
    if (box->x2 < box->x1 || box->y2 < box->y1 || box->x2 < 0 || box->y2 < 0 || box->x1 > w ||
        box->y1 > h)
        return false;
    float half = (float)line_px * 0.5f;
    out->x1 = (int)lrintf(fmaxf(box->x1 - half, 0));
    out->y1 = (int)lrintf(fmaxf(box->y1 - half, 0));
    out->x2 = (int)lrintf(fminf(box->x2 + half, w));
    out->y2 = (int)lrintf(fminf(box->y2 + half, h));
    return out->x1 < out->x2 && out->y1 < out->y2;
}

/* Its four sides. */
static void draw_turned(const image_view *picture, const image_box *box, const look *l)
{
    const float *t = box->turned, c = cosf(t[4]), s = sinf(t[4]);
    const float ux = t[2] / 2 * c, uy = t[2] / 2 * s, vx = -t[3] / 2 * s, vy = t[3] / 2 * c;
    const float xy[8] = {t[0] + ux + vx, t[1] + uy + vy, t[0] + ux - vx, t[1] + uy - vy,
                         t[0] - ux - vx, t[1] - uy - vy, t[0] - ux + vx, t[1] - uy + vy};
    bool all = true;
    for (int i = 0; i < 8; i++)
        all = all && isfinite(xy[i]);
    for (int i = 0; i < 4 && all; i++)
        image_stroke(picture, &xy[2 * i], &xy[2 * ((i + 1) % 4)], l->line_px,
                     color_of(l, box->class_index));
}

/* ---- labels ---- */

static vg_status cairo_failed(cairo_status_t status, vg_error *err)
{
    vg_status st = status == CAIRO_STATUS_NO_MEMORY ? VG_ERR_MEMORY : VG_ERR_SYSTEM;
    return base_fail(err, st, "label", NULL, "cairo: %s", cairo_status_to_string(status));
}

static void drop_mask(image_canvas *c)
{
    if (c->cr != NULL)
        cairo_destroy(c->cr);
    if (c->mask != NULL)
        cairo_surface_destroy(c->mask);
    c->cr = NULL;
    c->mask = NULL;
    c->mask_w = c->mask_h = c->font_px = 0;
    c->family = NULL;
}

/* A mask of at least w x h, and letters as the look wants them. */
static vg_status prepare_mask(image_canvas *c, int w, int h, const look *l, base_mem *mem,
                              vg_error *err)
{
    if (c->cr == NULL || w > c->mask_w || h > c->mask_h) {
        int new_w = w > c->mask_w ? w : c->mask_w, new_h = h > c->mask_h ? h : c->mask_h;
        int stride = cairo_format_stride_for_width(CAIRO_FORMAT_A8, new_w);
        if (stride < 0)
            return base_fail(err, VG_ERR_LIMIT, "label", NULL, "a label of %d pixels in width",
                             new_w);
        drop_mask(c);
        vg_status st =
            image_scratch_reserve(&c->mask_block, (size_t)stride * (size_t)new_h, mem, err);
        if (st != VG_OK)
            return st;
        c->mask = cairo_image_surface_create_for_data(c->mask_block.block, CAIRO_FORMAT_A8, new_w,
                                                      new_h, stride);
        c->cr = cairo_create(c->mask);
        cairo_status_t status = cairo_status(c->cr);
        if (status != CAIRO_STATUS_SUCCESS) {
            drop_mask(c);
            return cairo_failed(status, err);
        }
        c->mask_w = new_w;
        c->mask_h = new_h;
    }
    if (c->font_px != l->font_px || c->family == NULL || strcmp(c->family, l->family) != 0) {
        cairo_font_extents_t e;
        cairo_select_font_face(c->cr, l->family, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
        cairo_set_font_size(c->cr, l->font_px);
        cairo_font_extents(c->cr, &e);
        c->font_px = l->font_px;
        c->family = l->family;
        c->ascent = ceil(e.ascent);
        c->descent = ceil(e.descent);
    }
    return VG_OK;
}

static int text_width(cairo_t *cr, const char *text)
{
    cairo_text_extents_t e;
    cairo_text_extents(cr, text, &e);
    return (int)ceil(fmax(e.x_advance, e.x_bearing + e.width));
}

/* Letters into the mask at (pad, baseline), cleared before. */
static vg_status draw_mask(image_canvas *c, const char *text, int x, double baseline, vg_error *err)
{
    cairo_set_operator(c->cr, CAIRO_OPERATOR_CLEAR);
    cairo_paint(c->cr);
    cairo_set_operator(c->cr, CAIRO_OPERATOR_OVER);
    cairo_set_source_rgba(c->cr, 1, 1, 1, 1);
    cairo_move_to(c->cr, x, baseline);
    cairo_show_text(c->cr, text);
    cairo_surface_flush(c->mask);
    cairo_status_t status = cairo_status(c->cr);
    if (status == CAIRO_STATUS_SUCCESS)
        return VG_OK;
    drop_mask(c); /* a context in error stays so */
    return cairo_failed(status, err);
}

/* Black or white, whichever is further from the colour in lightness (Rec. 709 luma of the encoded
 * values). */
static image_color ink_on(image_color ground)
{
    int luma = (ground.r * 54 + ground.g * 183 + ground.b * 19) / 256;
    return luma > 140 ? (image_color){0, 0, 0} : (image_color){255, 255, 255};
}

static int64_t overlap(const rect *a, const rect *b)
{
    const int w = (a->x2 < b->x2 ? a->x2 : b->x2) - (a->x1 > b->x1 ? a->x1 : b->x1),
              h = (a->y2 < b->y2 ? a->y2 : b->y2) - (a->y1 > b->y1 ? a->y1 : b->y1);
    return w > 0 && h > 0 ? (int64_t)w * h : 0;
}

static int within(int x, int room)
{
    return x > room ? room : x < 0 ? 0 : x;
}

/* On top of the frame if there is room, else inside its upper edge, else at one of its other edges:
 * the first of them where no label stands yet, or where least of one is covered. Always inside the
 * picture. Empty: the look wants no label there. */
static rect place_label(const image_canvas *c, const rect *frame, int w, int h,
                        const image_view *picture, const look *l)
{
    const int above = frame->y1 - h >= 0 ? frame->y1 - h : frame->y1;
    const struct {
        int x, y;
    } tries[] = {
        {frame->x1, above},         {frame->x1, frame->y1},     {frame->x2 - w, above},
        {frame->x1, frame->y2},     {frame->x1, frame->y2 - h}, {frame->x2 - w, frame->y1},
        {frame->x2 - w, frame->y2}, {frame->x2, frame->y1},     {frame->x1 - w, frame->y1},
    };
    rect best = {0};
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < sizeof tries / sizeof *tries && least > 0; i++) {
        const int x = within(tries[i].x, picture->w - w), y = within(tries[i].y, picture->h - h);
        const rect r = {x, y, x + w, y + h};
        int64_t covered = 0;
        for (size_t k = 0; k < c->n_placed; k++)
            covered += overlap(&r, &c->placed[k]);
        if (covered < least) {
            least = covered;
            best = r;
        }
    }
    return least > 0 && l->drops_crowded ? (rect){0} : best;
}

/* The label's text as it fits, and the size of its ground. *length 0: none fits. */
static vg_status measure(image_canvas *c, char text[IMAGE_LABEL_BYTES], size_t *length, int *w,
                         int *h, const image_view *picture, const char *label, const look *l,
                         base_mem *mem, vg_error *err)
{
    /* Cairo refuses a whole text for one bad byte, and for good. */
    base_line_escape(text, IMAGE_LABEL_BYTES, label);
    *length = strlen(text);
    const vg_status st = prepare_mask(c, 1, 1, l, mem, err);
    if (st != VG_OK)
        return st;
    *h = (int)(c->ascent + c->descent) + l->pad_px / 2;
    *w = text_width(c->cr, text);
    while (*length > 0 && *w > picture->w - 2 * l->pad_px) {
        *length = image_label_shorten(text, *length);
        *w = text_width(c->cr, text);
    }
    if (*h > picture->h)
        *length = 0; /* no letter fits into a picture this small */
    *w += 2 * l->pad_px;
    return VG_OK;
}

/* Where the label of this frame goes; an empty rectangle when none fits. */
static vg_status find_place(image_canvas *c, rect *place, const image_view *picture,
                            const char *label, const rect *frame, const look *l, base_mem *mem,
                            vg_error *err)
{
    char text[IMAGE_LABEL_BYTES];
    size_t length;
    int w, h;
    *place = (rect){0};
    const vg_status st = measure(c, text, &length, &w, &h, picture, label, l, mem, err);
    if (st == VG_OK && length > 0)
        *place = place_label(c, frame, w, h, picture, l);
    return st;
}

static vg_status draw_label(image_canvas *c, const image_view *picture, int class_index,
                            const char *label, const rect *place, const look *l, base_mem *mem,
                            vg_error *err)
{
    char text[IMAGE_LABEL_BYTES];
    size_t length;
    int w, h;
    if (place->x1 == place->x2)
        return VG_OK;
    vg_status st = measure(c, text, &length, &w, &h, picture, label, l, mem, err);
    if (st != VG_OK || length == 0)
        return st;
    st = prepare_mask(c, w, h, l, mem, err);
    if (st == VG_OK)
        st = draw_mask(c, text, l->pad_px, c->ascent + l->pad_px / 4, err);
    if (st != VG_OK)
        return st;

    image_color ground = color_of(l, class_index), ink = ink_on(image_class_color(class_index));
    fill_rounded(picture, place, l->radius_px, ground);
    const uint8_t *mask = cairo_image_surface_get_data(c->mask);
    ptrdiff_t stride = cairo_image_surface_get_stride(c->mask);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if (mask[y * stride + x] != 0)
                image_blend(image_pixel(picture, place->x1 + x, place->y1 + y), ink,
                            mask[y * stride + x]);
    return VG_OK;
}

/* ---- the canvas ---- */

vg_status image_canvas_create(image_canvas **out, base_mem *mem, vg_error *err)
{
    *out = base_alloc_zero(mem, 1, sizeof(**out), err);
    return *out != NULL ? VG_OK : VG_ERR_MEMORY;
}

void image_canvas_destroy(image_canvas **canvas)
{
    image_canvas *c = *canvas;
    if (c == NULL)
        return;
    drop_mask(c);
    image_scratch_fini(&c->mask_block);
    base_free(c);
    *canvas = NULL;
}

/* A label is no wider than its picture, and two times its letters' size holds any font's line. */
static size_t mask_bytes(int w, int h, const image_draw_style *style)
{
    look l = look_for(&(image_view){.w = w, .h = h}, style);
    int stride = cairo_format_stride_for_width(CAIRO_FORMAT_A8, w);
    return stride < 0 ? 0 : (size_t)stride * 2 * (size_t)l.font_px;
}

size_t image_canvas_bytes(int w, int h, const image_draw_style *style)
{
    return sizeof(image_canvas) + mask_bytes(w, h, style);
}

vg_status image_canvas_reserve(image_canvas *c, int w, int h, const image_draw_style *style,
                               base_mem *mem, vg_error *err)
{
    return image_scratch_reserve(&c->mask_block, mask_bytes(w, h, style), mem, err);
}

static bool has_label(const image_box *b)
{
    return b->label != NULL && b->label[0] != '\0';
}

vg_status image_canvas_boxes(image_canvas *c, const image_view *picture, const image_box *boxes,
                             size_t n_boxes, const image_draw_style *style, base_mem *mem,
                             vg_error *err)
{
    look l = look_for(picture, style);
    rect frame;
    for (size_t i = 0; i < n_boxes; i++) {
        if (boxes[i].turned != NULL)
            draw_turned(picture, &boxes[i], &l);
        else if (frame_of(&frame, &boxes[i], picture, l.line_px))
            draw_frame(picture, &frame, &l, color_of(&l, boxes[i].class_index));
    }
    /* Labels last, so that no frame crosses one. The last box is the uppermost: its label has the
     * first choice of a place. */
    const size_t first = n_boxes > MOST_PLACED ? n_boxes - MOST_PLACED : 0;
    vg_status st = VG_OK;
    c->n_placed = 0;
    for (size_t i = n_boxes; i-- > first && st == VG_OK; c->n_placed++) {
        rect *place = &c->placed[c->n_placed];
        *place = (rect){0};
        if (has_label(&boxes[i]) && frame_of(&frame, &boxes[i], picture, l.line_px))
            st = find_place(c, place, picture, boxes[i].label, &frame, &l, mem, err);
    }
    for (size_t i = 0; i < n_boxes && st == VG_OK; i++) {
        rect place = i >= first ? c->placed[n_boxes - 1 - i] : (rect){0};
        if (!has_label(&boxes[i]) || !frame_of(&frame, &boxes[i], picture, l.line_px))
            continue;
        if (i < first)
            st = find_place(c, &place, picture, boxes[i].label, &frame, &l, mem, err);
        if (st == VG_OK)
            st = draw_label(c, picture, boxes[i].class_index, boxes[i].label, &place, &l, mem, err);
    }
    return st;
}

static bool is_finite(const float *xy, size_t n_points)
{
    bool all = true;
    for (size_t i = 0; i < 2 * n_points; i++)
        all = all && isfinite(xy[i]);
    return all;
}

void image_canvas_polygon(const image_view *picture, const float *xy, size_t n_points,
                          int class_index, const image_draw_style *style)
{
    const look l = look_for(picture, style);
    if (!is_finite(xy, n_points))
        return;
    for (size_t i = 0; i < n_points; i++) {
        const float *a = &xy[2 * i], *b = &xy[2 * ((i + 1) % n_points)];
        image_stroke(picture, a, b, l.line_px, color_of(&l, class_index));
    }
}

vg_status image_canvas_caption(image_canvas *c, const image_view *picture, const float *xy,
                               size_t n_points, int class_index, const char *label,
                               const image_draw_style *style, base_mem *mem, vg_error *err)
{
    const look l = look_for(picture, style);
    size_t top = 0;
    if (n_points == 0 || label == NULL || label[0] == '\0' || !is_finite(xy, n_points))
        return VG_OK;
    for (size_t i = 0; i < n_points; i++)
        if (xy[2 * i + 1] < xy[2 * top + 1])
            top = i;
    const int x = (int)fminf(fmaxf(xy[2 * top], 0), (float)picture->w);
    const int y = (int)fminf(fmaxf(xy[2 * top + 1], 0), (float)picture->h);
    const rect corner = {x, y, x, y};
    rect place;
    const vg_status st = find_place(c, &place, picture, label, &corner, &l, mem, err);
    if (st != VG_OK)
        return st;
    if (c->n_placed < MOST_PLACED)
        c->placed[c->n_placed++] = place;
    return draw_label(c, picture, class_index, label, &place, &l, mem, err);
}

vg_status image_canvas_note(image_canvas *c, const image_view *picture, int x, int *y,
                            int class_index, const char *label, const image_draw_style *style,
                            base_mem *mem, vg_error *err)
{
    const look l = look_for(picture, style);
    char text[IMAGE_LABEL_BYTES];
    size_t length;
    int w, h;
    const vg_status st = measure(c, text, &length, &w, &h, picture, label, &l, mem, err);
    if (st != VG_OK || length == 0 || *y + h > picture->h)
        return st;
    const int left = within(x, picture->w - w);
    const rect place = {left, *y, left + w, *y + h};
    *y += h + l.pad_px / 2;
    return draw_label(c, picture, class_index, label, &place, &l, mem, err);
}

int image_line_width(const image_view *picture, const image_draw_style *style)
{
    return look_for(picture, style).line_px;
}
