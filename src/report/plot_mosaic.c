/* plot_mosaic.c: pictures of a batch in a grid, with their boxes, for the user's eyes.
 *
 * Every picture is scaled into one tile buffer, gets its boxes there, where lines and letters come
 * out sharp, and is copied to the page. */
#include <math.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum { GAP_PX = 4 };

typedef struct grid {
    size_t n_tiles, n_columns, n_rows;
    int cell_w, cell_h;
    double scale; /* page pixels a picture pixel */
} grid;

/* All tiles at one scale, so that what is larger in the batch is larger here. */
static vg_status plan(grid *g, const report_tile *tiles, size_t n_tiles, const char *path,
                      vg_error *err)
{
    if (n_tiles == 0)
        return base_fail(err, VG_ERR_ARGUMENT, path, NULL, "a mosaic of no pictures");
    g->n_tiles = n_tiles < REPORT_MOSAIC_TILES ? n_tiles : REPORT_MOSAIC_TILES;
    g->n_columns = 1;
    while (g->n_columns * g->n_columns < g->n_tiles)
        g->n_columns++;
    g->n_rows = (g->n_tiles + g->n_columns - 1) / g->n_columns;
    int w = 0, h = 0;
    for (size_t i = 0; i < g->n_tiles; i++) {
        const image_view *v = &tiles[i].picture;
        if (v->w < 1 || v->h < 1)
            return base_fail(err, VG_ERR_ARGUMENT, path, NULL,
                             "picture %zu of the mosaic is empty: %d x %d pixels", i, v->w, v->h);
        w = v->w > w ? v->w : w;
        h = v->h > h ? v->h : h;
    }
    double room_w = (REPORT_MOSAIC_SIDE_PX - GAP_PX) / (double)g->n_columns - GAP_PX,
           room_h = (REPORT_MOSAIC_SIDE_PX - GAP_PX) / (double)g->n_rows - GAP_PX;
    g->scale = fmin(fmin(room_w / w, room_h / h), 1);
    g->cell_w = (int)fmax(floor(w * g->scale), 1);
    g->cell_h = (int)fmax(floor(h * g->scale), 1);
    return VG_OK;
}

/* What is needed for one tile after another. */
typedef struct bench {
    image_buffer tile;
    image_scratch scratch;
    image_canvas *canvas;
    image_box *boxes; /* (most boxes of a tile) */
} bench;

static vg_status bench_init(bench *b, const report_tile *tiles, size_t n_tiles, base_mem *mem,
                            vg_error *err)
{
    size_t most = 0;
    for (size_t i = 0; i < n_tiles; i++)
        most = tiles[i].n_boxes > most ? tiles[i].n_boxes : most;
    b->boxes = base_alloc_zero(mem, most, sizeof *b->boxes, err);
    return b->boxes != NULL ? image_canvas_create(&b->canvas, mem, err) : VG_ERR_MEMORY;
}

static void bench_fini(bench *b)
{
    image_canvas_destroy(&b->canvas);
    image_scratch_fini(&b->scratch);
    image_buffer_fini(&b->tile);
    base_free(b->boxes);
}

static vg_status prepare_tile(bench *b, const report_tile *t, const grid *g, base_mem *mem,
                              vg_error *err)
{
    int w = (int)fmin(fmax(rint(t->picture.w * g->scale), 1), g->cell_w),
        h = (int)fmin(fmax(rint(t->picture.h * g->scale), 1), g->cell_h);
    vg_status st = image_buffer_reserve(&b->tile, w, h, mem, err);
    if (st == VG_OK)
        st = image_resize(&b->tile.view, &t->picture, &b->scratch, mem, err);
    if (st != VG_OK)
        return st;
    float sx = (float)w / (float)t->picture.w, sy = (float)h / (float)t->picture.h;
    for (size_t i = 0; i < t->n_boxes; i++) {
        b->boxes[i] = t->boxes[i];
        b->boxes[i].x1 *= sx;
        b->boxes[i].x2 *= sx;
        b->boxes[i].y1 *= sy;
        b->boxes[i].y2 *= sy;
    }
    image_draw_style style = {.line_width_px = g->cell_w >= 800 ? 3 : 2};
    return image_canvas_boxes(b->canvas, &b->tile.view, b->boxes, t->n_boxes, &style, mem, err);
}

static void copy_tile(plot_page *p, int left, int top, const image_view *v)
{
    cairo_surface_flush(p->surface);
    for (int y = 0; y < v->h; y++) {
        const uint8_t *src = v->data + (size_t)y * v->stride;
        uint8_t *dst = p->pixels + (size_t)(top + y) * p->stride + 4 * (size_t)left;
        for (int x = 0; x < v->w; x++, src += 3, dst += 4) {
            uint32_t pixel =
                UINT32_C(0xff000000) | (uint32_t)src[0] << 16 | (uint32_t)src[1] << 8 | src[2];
            memcpy(dst, &pixel, sizeof pixel);
        }
    }
    cairo_surface_mark_dirty(p->surface);
}

static void draw_caption(plot_page *p, int left, int top, int most_w, const char *caption)
{
    plot_font font = {.px = 13, .color = PLOT_RGB(0xffffff)};
    double w = fmin(plot_text_width(p, &font, caption), most_w - 12);
    if (w <= 0)
        return;
    plot_fill(p, left, top, w + 12, 21, PLOT_RGB(0x101418), 0.72);
    plot_text(p, left + 6, top + 10.5, PLOT_LEFT, w, &font, caption);
}

vg_status report_plot_mosaic(const char *path, const report_tile *tiles, size_t n_tiles,
                             base_mem *mem, vg_error *err)
{
    grid g = {0};
    bench b = {0};
    plot_page page = {0};
    vg_status st = plan(&g, tiles, n_tiles, path, err);
    if (st == VG_OK)
        st = bench_init(&b, tiles, g.n_tiles, mem, err);
    if (st == VG_OK)
        st = plot_page_init(&page, GAP_PX + (int)g.n_columns * (g.cell_w + GAP_PX),
                            GAP_PX + (int)g.n_rows * (g.cell_h + GAP_PX), mem, err);
    for (size_t i = 0; i < g.n_tiles && st == VG_OK; i++) {
        int left = GAP_PX + (int)(i % g.n_columns) * (g.cell_w + GAP_PX),
            top = GAP_PX + (int)(i / g.n_columns) * (g.cell_h + GAP_PX);
        plot_fill(&page, left, top, g.cell_w, g.cell_h, PLOT_RGB(0xeef0f3), 1);
        st = prepare_tile(&b, &tiles[i], &g, mem, err);
        if (st != VG_OK)
            break;
        copy_tile(&page, left, top, &b.tile.view);
        if (tiles[i].caption != NULL)
            draw_caption(&page, left, top, b.tile.view.w, tiles[i].caption);
    }
    if (st == VG_OK)
        st = plot_page_write(&page, path, mem, err);
    plot_page_fini(&page);
    bench_fini(&b);
    return st;
}
