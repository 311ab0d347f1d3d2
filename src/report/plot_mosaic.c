/* plot_mosaic.c: pictures of a batch in a grid, with their boxes, for the user's eyes.
 *
 * A picture is scaled straight into its place on the page, which is packed RGB, and gets its boxes
 * there, where lines and letters come out sharp. Names stand above the pictures, not on them: what
 * is at a picture's edge is often just what one looks for. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum { GAP_PX = 4, CAPTION_PX = 20 };

typedef struct grid {
    size_t n_tiles, n_columns, n_rows;
    int cell_w, cell_h; /* of a picture, without its caption */
    double scale;       /* page pixels a picture pixel */
} grid;

struct report_mosaic {
    int most_w, most_h;
    size_t most_boxes;
    int n_pages;
    image_buffer pages[REPORT_MOSAIC_PAGES];
    size_t n_added[REPORT_MOSAIC_PAGES];
    plot_page caption; /* most_w x CAPTION_PX: Cairo writes here, and it is copied */
    image_scratch scratch;
    image_canvas *canvas;
    image_font font; /* of labels; family "": the default one */
    image_encoder *encoder;
    image_box *boxes;   /* (most_boxes) */
    float (*turned)[5]; /* (most_boxes) */
    grid grid;
};

/* The room of a cell's picture. */
static void room_of(double *w, double *h, const grid *g)
{
    *w = (REPORT_MOSAIC_SIDE_PX - GAP_PX) / (double)g->n_columns - GAP_PX;
    *h = (REPORT_MOSAIC_SIDE_PX - GAP_PX) / (double)g->n_rows - GAP_PX - CAPTION_PX;
}

static grid plan_shape(size_t n_tiles)
{
    grid g = {.n_tiles = n_tiles < REPORT_MOSAIC_TILES ? n_tiles : REPORT_MOSAIC_TILES};
    g.n_columns = 1;
    while (g.n_columns * g.n_columns < g.n_tiles)
        g.n_columns++;
    g.n_rows = (g.n_tiles + g.n_columns - 1) / g.n_columns;
    return g;
}

/* All pictures at one scale, so that what is larger in the batch is larger here. */
static grid plan(size_t n_tiles, int w, int h)
{
    grid g = plan_shape(n_tiles);
    double room_w, room_h;
    room_of(&room_w, &room_h, &g);
    g.scale = fmin(fmin(room_w / w, room_h / h), 1);
    g.cell_w = (int)fmax(floor(w * g.scale), 1);
    g.cell_h = (int)fmax(floor(h * g.scale), 1);
    return g;
}

static int page_w(const grid *g)
{
    return GAP_PX + (int)g->n_columns * (g->cell_w + GAP_PX);
}

static int page_h(const grid *g)
{
    return GAP_PX + (int)g->n_rows * (g->cell_h + CAPTION_PX + GAP_PX);
}

/* The page of the most pixels: every number of pictures, none larger than w x h. Each side may be
 * as long as its own room allows, since smaller pictures may be of another aspect. */
static grid plan_most(int w, int h)
{
    grid most = {0};
    for (size_t n = 1; n <= REPORT_MOSAIC_TILES; n++) {
        grid g = plan_shape(n);
        double room_w, room_h;
        room_of(&room_w, &room_h, &g);
        g.cell_w = (int)fmax(fmin(w, floor(room_w)), 1);
        g.cell_h = (int)fmax(fmin(h, floor(room_h)), 1);
        if (n == 1 || (int64_t)page_w(&g) * page_h(&g) > (int64_t)page_w(&most) * page_h(&most))
            most = g;
    }
    return most;
}

static image_draw_style style_of(const grid *g, const image_font *font)
{
    return (image_draw_style){.family = font->family[0] != '\0' ? font->family : NULL,
                              .line_width_px = g->cell_w >= 800   ? 3
                                               : g->cell_w >= 320 ? 2
                                                                  : 1,
                              .drops_crowded_labels = g->cell_w < 800};
}

/* ---- create ---- */

static vg_status reserve(report_mosaic *m, base_mem *mem, vg_error *err)
{
    const grid most = plan_most(m->most_w, m->most_h);
    const int cell_w = m->most_w < REPORT_MOSAIC_SIDE_PX ? m->most_w : REPORT_MOSAIC_SIDE_PX,
              cell_h = m->most_h < REPORT_MOSAIC_SIDE_PX ? m->most_h : REPORT_MOSAIC_SIDE_PX;
    const grid alone = {.cell_w = cell_w};
    const image_draw_style style = style_of(&alone, &m->font);
    image_encoder_need need = {0};
    image_encoder_need_raise(&need, page_w(&most), page_h(&most), ".jpg");
    vg_status st = VG_OK;
    for (int p = 0; p < m->n_pages && st == VG_OK; p++)
        st = image_buffer_reserve(&m->pages[p], page_w(&most), page_h(&most), mem, err);
    if (st == VG_OK)
        st = plot_page_init(&m->caption, cell_w, CAPTION_PX, mem, err);
    if (st == VG_OK)
        st = image_letterbox_reserve(&m->scratch, cell_w, cell_h, mem, err);
    if (st == VG_OK)
        st = image_canvas_create(&m->canvas, mem, err);
    if (st == VG_OK)
        st = image_canvas_reserve(m->canvas, cell_w, cell_h, &style, mem, err);
    if (st == VG_OK)
        st = image_encoder_create(&m->encoder, mem, err);
    if (st == VG_OK)
        st = image_encoder_reserve(m->encoder, &need, mem, err);
    if (st != VG_OK)
        return st;
    m->boxes = base_alloc_zero(mem, m->most_boxes, sizeof *m->boxes, err);
    m->turned = base_alloc_zero(mem, m->most_boxes, sizeof *m->turned, err);
    return m->boxes != NULL && m->turned != NULL ? VG_OK : VG_ERR_MEMORY;
}

vg_status report_mosaic_create(report_mosaic **out, int n_pages, int most_w, int most_h,
                               size_t most_boxes, base_mem *mem, vg_error *err)
{
    *out = NULL;
    assert(n_pages >= 1 && n_pages <= REPORT_MOSAIC_PAGES);
    if (most_w < 1 || most_h < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "mosaic", NULL, "pictures of %d x %d pixels", most_w,
                         most_h);
    report_mosaic *m = base_alloc_zero(mem, 1, sizeof *m, err);
    if (m == NULL)
        return VG_ERR_MEMORY;
    m->n_pages = n_pages;
    m->most_w = most_w;
    m->most_h = most_h;
    m->most_boxes = most_boxes > 0 ? most_boxes : 1;
    const vg_status st = reserve(m, mem, err);
    if (st != VG_OK)
        report_mosaic_destroy(&m);
    *out = m;
    return st;
}

void report_mosaic_names(report_mosaic *m, const char *const *names, size_t n)
{
    const image_names all = {.at = image_name_at, .context = names, .n = n};
    image_font_choose(&m->font, &all);
}

void report_mosaic_destroy(report_mosaic **mosaic)
{
    report_mosaic *m = *mosaic;
    if (m == NULL)
        return;
    image_encoder_destroy(&m->encoder);
    image_canvas_destroy(&m->canvas);
    image_scratch_fini(&m->scratch);
    plot_page_fini(&m->caption);
    for (int p = 0; p < m->n_pages; p++)
        image_buffer_fini(&m->pages[p]);
    base_free(m->boxes);
    base_free(m->turned);
    base_free(m);
    *mosaic = NULL;
}

/* ---- draw ---- */

static image_view part(const image_view *page, int left, int top, int w, int h)
{
    return (image_view){.data = page->data + (size_t)top * page->stride + 3 * (size_t)left,
                        .w = w,
                        .h = h,
                        .stride = page->stride};
}

vg_status report_mosaic_begin(report_mosaic *m, size_t n_tiles, int w, int h, base_mem *mem,
                              vg_error *err)
{
    m->grid.n_tiles = 0;
    if (n_tiles == 0)
        return base_fail(err, VG_ERR_ARGUMENT, "mosaic", NULL, "a mosaic of no pictures");
    if (w < 1 || h < 1 || w > m->most_w || h > m->most_h)
        return base_fail(err, VG_ERR_ARGUMENT, "mosaic", NULL,
                         "pictures of %d x %d pixels in a mosaic made for %d x %d", w, h, m->most_w,
                         m->most_h);
    const grid g = plan(n_tiles, w, h);
    for (int p = 0; p < m->n_pages; p++) {
        const vg_status st = image_buffer_reserve(&m->pages[p], page_w(&g), page_h(&g), mem, err);
        if (st != VG_OK)
            return st;
        const image_view *v = &m->pages[p].view;
        memset(v->data, 0xff, v->stride * (size_t)v->h);
        m->n_added[p] = 0;
    }
    m->grid = g;
    return VG_OK;
}

static vg_status draw_boxes(report_mosaic *m, const image_view *place, const report_tile *t,
                            base_mem *mem, vg_error *err)
{
    const float sx = (float)place->w / (float)t->picture.w,
                sy = (float)place->h / (float)t->picture.h;
    const size_t n = t->n_boxes < m->most_boxes ? t->n_boxes : m->most_boxes;
    const image_draw_style style = style_of(&m->grid, &m->font);
    for (size_t i = 0; i < n; i++) {
        m->boxes[i] = t->boxes[i];
        m->boxes[i].x1 *= sx;
        m->boxes[i].x2 *= sx;
        m->boxes[i].y1 *= sy;
        m->boxes[i].y2 *= sy;
        if (t->boxes[i].turned == NULL)
            continue;
        const float *box = t->boxes[i].turned;
        memcpy(m->turned[i], (float[]){box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sx, box[4]},
               sizeof m->turned[i]);
        m->boxes[i].turned = m->turned[i];
    }
    return image_canvas_boxes(m->canvas, place, m->boxes, n, &style, mem, err);
}

static void draw_caption(report_mosaic *m, const image_view *page, int left, int top,
                         const char *text)
{
    plot_page *p = &m->caption;
    const plot_font font = {.px = 13, .color = PLOT_MUTED};
    plot_fill(p, 0, 0, p->w, p->h, PLOT_RGB(0xffffff), 1);
    plot_text(p, 2, CAPTION_PX / 2.0, PLOT_LEFT, m->grid.cell_w - 4, &font, text);
    cairo_surface_flush(p->surface);
    const image_view dst = part(page, left, top, m->grid.cell_w, CAPTION_PX);
    for (int y = 0; y < dst.h; y++)
        for (int x = 0; x < dst.w; x++) {
            uint32_t pixel;
            memcpy(&pixel, p->pixels + (size_t)y * p->stride + 4 * (size_t)x, sizeof pixel);
            uint8_t *rgb = dst.data + (size_t)y * dst.stride + 3 * (size_t)x;
            rgb[0] = (uint8_t)(pixel >> 16);
            rgb[1] = (uint8_t)(pixel >> 8);
            rgb[2] = (uint8_t)pixel;
        }
}

vg_status report_mosaic_add(report_mosaic *m, int page, const report_tile *t, base_mem *mem,
                            vg_error *err)
{
    assert(page >= 0 && page < m->n_pages);
    const image_view *v = &m->pages[page].view;
    size_t *n_added = &m->n_added[page];
    const grid *g = &m->grid;
    if (*n_added >= g->n_tiles)
        return VG_OK;
    if (t->picture.w < 1 || t->picture.h < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "mosaic", NULL,
                         "picture %zu is empty: %d x %d pixels", *n_added, t->picture.w,
                         t->picture.h);
    const int w = (int)fmin(fmax(rint(t->picture.w * g->scale), 1), g->cell_w),
              h = (int)fmin(fmax(rint(t->picture.h * g->scale), 1), g->cell_h);
    const int left = GAP_PX + (int)(*n_added % g->n_columns) * (g->cell_w + GAP_PX),
              top = GAP_PX + (int)(*n_added / g->n_columns) * (g->cell_h + CAPTION_PX + GAP_PX);
    ++*n_added;
    if (t->caption != NULL && t->caption[0] != '\0')
        draw_caption(m, v, left, top, t->caption);
    const image_view place = part(v, left, top + CAPTION_PX, w, h);
    const image_draw_style style = style_of(g, &m->font);
    const report_place on = {.view = &place, .canvas = m->canvas, .style = &style, .mem = mem};
    vg_status st = image_resize(&place, &t->picture, &m->scratch, mem, err);
    if (st == VG_OK && t->below != NULL)
        st = t->below(t->ctx, &on, err);
    if (st == VG_OK)
        st = draw_boxes(m, &place, t, mem, err);
    return st == VG_OK && t->above != NULL ? t->above(t->ctx, &on, err) : st;
}

vg_status report_mosaic_write(report_mosaic *m, int page, const char *path, base_mem *mem,
                              vg_error *err)
{
    assert(page >= 0 && page < m->n_pages);
    if (m->grid.n_tiles == 0 || m->n_added[page] == 0)
        return base_fail(err, VG_ERR_ARGUMENT, path, NULL, "a mosaic of no pictures");
    const cairo_status_t status = cairo_status(m->caption.cr);
    if (status != CAIRO_STATUS_SUCCESS)
        return base_fail(err, status == CAIRO_STATUS_NO_MEMORY ? VG_ERR_MEMORY : VG_ERR_SYSTEM,
                         path, NULL, "cairo: %s", cairo_status_to_string(status));
    return image_write(m->encoder, &m->pages[page].view, path, mem, err);
}

void report_mosaic_size(const report_mosaic *m, int *w, int *h)
{
    *w = m->pages[0].view.w;
    *h = m->pages[0].view.h;
}
