/* plot_page.c: the page, its text and its colours.
 *
 * The page is Cairo's RGB24 over a block of the account's; to write it the pixels are packed to
 * three bytes in place. */
#include <math.h>

#include "number.h"
#include "plot.h"

/* ---- colours ---- */

static double luma(plot_color c)
{
    return 0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b; /* Rec. 709 */
}

plot_color plot_class_color(int class_index)
{
    const double MOST_LUMA = 0.58; /* lighter lines fade into the page */
    image_color i = image_class_color(class_index);
    plot_color c = {i.r / 255.0, i.g / 255.0, i.b / 255.0};
    double scale = fmin(MOST_LUMA / luma(c), 1);
    return (plot_color){c.r * scale, c.g * scale, c.b * scale};
}

plot_color plot_ramp_color(double t)
{
    static const unsigned STOPS[] = {0xf5f9fe, 0xcfe1f5, 0x93c0e6, 0x4a90cb, 0x1f64a8, 0x0a3166};
    enum { N = sizeof STOPS / sizeof STOPS[0] };
    if (!(t >= 0))
        return isnan(t) ? PLOT_RGB(0xffffff) : PLOT_RGB(STOPS[0]);
    double at = fmin(t, 1) * (N - 1);
    size_t i = at >= N - 1 ? N - 2 : (size_t)at;
    plot_color a = PLOT_RGB(STOPS[i]), b = PLOT_RGB(STOPS[i + 1]);
    double f = at - (double)i;
    return (plot_color){a.r + (b.r - a.r) * f, a.g + (b.g - a.g) * f, a.b + (b.b - a.b) * f};
}

/* ---- page ---- */

static vg_status cairo_failed(cairo_status_t status, const char *where, vg_error *err)
{
    vg_status st = status == CAIRO_STATUS_NO_MEMORY ? VG_ERR_MEMORY : VG_ERR_SYSTEM;
    return base_fail(err, st, where, NULL, "cairo: %s", cairo_status_to_string(status));
}

vg_status plot_page_init(plot_page *p, int w, int h, base_mem *mem, vg_error *err)
{
    *p = (plot_page){.w = w, .h = h};
    int stride = cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, w);
    size_t n_bytes;
    if (stride < 0 || h < 1 || !base_mul_size(&n_bytes, (size_t)stride, (size_t)h))
        return base_fail(err, VG_ERR_LIMIT, "plot", NULL, "a page of %d x %d pixels", w, h);
    p->stride = (size_t)stride;
    p->pixels = base_alloc(mem, n_bytes, err);
    if (p->pixels == NULL)
        return VG_ERR_MEMORY;
    p->surface = cairo_image_surface_create_for_data(p->pixels, CAIRO_FORMAT_RGB24, w, h, stride);
    p->cr = cairo_create(p->surface);
    if (cairo_status(p->cr) != CAIRO_STATUS_SUCCESS)
        return cairo_failed(cairo_status(p->cr), "plot", err);
    plot_fill(p, 0, 0, w, h, PLOT_RGB(0xffffff), 1);
    cairo_set_line_join(p->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(p->cr, CAIRO_LINE_CAP_ROUND);
    return VG_OK;
}

void plot_page_fini(plot_page *p)
{
    if (p->cr != NULL)
        cairo_destroy(p->cr);
    if (p->surface != NULL)
        cairo_surface_destroy(p->surface);
    base_free(p->pixels);
    *p = (plot_page){0};
}

void plot_page_names(plot_page *p, const char *const *names, size_t n)
{
    const image_names all = {.at = image_name_at, .context = names, .n = n};
    image_font_choose(&p->font, &all);
}

/* Four bytes a pixel to three, in place: what is written never overtakes what is read. */
static void pack_rgb(plot_page *p)
{
    uint8_t *dst = p->pixels;
    for (int y = 0; y < p->h; y++) {
        const uint8_t *row = p->pixels + (size_t)y * p->stride;
        for (int x = 0; x < p->w; x++, dst += 3) {
            uint32_t pixel;
            memcpy(&pixel, row + 4 * (size_t)x, sizeof pixel);
            dst[0] = (uint8_t)(pixel >> 16);
            dst[1] = (uint8_t)(pixel >> 8);
            dst[2] = (uint8_t)pixel;
        }
    }
}

vg_status plot_page_write(plot_page *p, const char *path, base_mem *mem, vg_error *err)
{
    cairo_status_t status = cairo_status(p->cr);
    if (status != CAIRO_STATUS_SUCCESS)
        return cairo_failed(status, path, err);
    cairo_surface_flush(p->surface);
    pack_rgb(p);
    image_encoder *encoder = NULL;
    vg_status st = image_encoder_create(&encoder, mem, err);
    if (st == VG_OK) {
        image_view v = {.data = p->pixels, .w = p->w, .h = p->h, .stride = 3 * (size_t)p->w};
        st = image_write(encoder, &v, path, mem, err);
    }
    image_encoder_destroy(&encoder);
    return st;
}

/* ---- text ---- */

enum { MOST_TEXT_BYTES = 512 };
#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */

/* One line of valid UTF-8, with room for the ellipsis: Cairo would refuse a whole page for one bad
 * byte. */
static void clean(char *dst, const char *src)
{
    base_line_escape(dst, MOST_TEXT_BYTES - sizeof ELLIPSIS, src);
}

static void use_font(plot_page *p, const plot_font *font)
{
    const char *family = p->font.family[0] != '\0' ? p->font.family : "sans-serif";
    cairo_select_font_face(p->cr, family, CAIRO_FONT_SLANT_NORMAL,
                           font->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(p->cr, font->px);
    cairo_set_source_rgb(p->cr, font->color.r, font->color.g, font->color.b);
}

static double advance(plot_page *p, const char *text)
{
    cairo_text_extents_t e;
    cairo_text_extents(p->cr, text, &e);
    return e.x_advance;
}

/* Takes characters off the end until text and an ellipsis fit. */
static double fit(plot_page *p, char *text, double most_px)
{
    double w = advance(p, text);
    if (most_px <= 0 || w <= most_px)
        return w;
    size_t n = strlen(text);
    while (n > 0 && w > most_px) {
        while (n > 0 && ((uint8_t)text[--n] & 0xc0) == 0x80)
            ;
        while (n > 0 && text[n - 1] == ' ')
            n--;
        memcpy(text + n, ELLIPSIS, sizeof ELLIPSIS);
        w = advance(p, text);
    }
    return w;
}

double plot_text_width(plot_page *p, const plot_font *font, const char *text)
{
    char copy[MOST_TEXT_BYTES];
    clean(copy, text);
    use_font(p, font);
    return advance(p, copy);
}

static double draw_text(plot_page *p, plot_align align, double most_px, const plot_font *font,
                        const char *text)
{
    const double CAP_HEIGHT = 0.73; /* of most sans-serif fonts */
    char copy[MOST_TEXT_BYTES];
    clean(copy, text);
    use_font(p, font);
    double w = fit(p, copy, most_px);
    double left = align == PLOT_LEFT ? 0 : align == PLOT_CENTER ? -w / 2 : -w;
    cairo_rel_move_to(p->cr, left, font->px * CAP_HEIGHT / 2);
    cairo_show_text(p->cr, copy);
    cairo_new_path(p->cr);
    return w;
}

double plot_text(plot_page *p, double x, double y, plot_align align, double most_px,
                 const plot_font *font, const char *text)
{
    cairo_move_to(p->cr, x, y);
    return draw_text(p, align, most_px, font, text);
}

void plot_text_up(plot_page *p, double x, double y, plot_align align, double most_px,
                  const plot_font *font, const char *text)
{
    cairo_save(p->cr);
    cairo_translate(p->cr, x, y);
    cairo_rotate(p->cr, -M_PI / 2);
    cairo_move_to(p->cr, 0, 0);
    draw_text(p, align, most_px, font, text);
    cairo_restore(p->cr);
}

/* ---- shapes ---- */

void plot_fill(plot_page *p, double x, double y, double w, double h, plot_color c, double alpha)
{
    cairo_set_source_rgba(p->cr, c.r, c.g, c.b, alpha);
    cairo_rectangle(p->cr, x, y, w, h);
    cairo_fill(p->cr);
}

void plot_stroke(plot_page *p, double x1, double y1, double x2, double y2, plot_color c,
                 double width)
{
    cairo_set_source_rgb(p->cr, c.r, c.g, c.b);
    cairo_set_line_width(p->cr, width);
    cairo_move_to(p->cr, x1, y1);
    cairo_line_to(p->cr, x2, y2);
    cairo_stroke(p->cr);
}
