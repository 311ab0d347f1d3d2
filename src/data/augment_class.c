/* augment_class.c: Pillow's enhancements and transforms, and what is drawn of them.
 *
 * Mixing truncates, as Pillow's blend does; pixels of a transform come from the centres of pixels,
 * bilinear, black outside. */
#include "augment_class.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static uint8_t *row_of(const image_view *v, int y)
{
    return v->data + (size_t)y * v->stride;
}

static uint8_t clip8(double v)
{
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)v;
}

static void copy(const image_view *dst, const image_view *src)
{
    for (int y = 0; y < src->h && dst->data != src->data; y++)
        memcpy(row_of(dst, y), row_of(src, y), 3 * (size_t)src->w);
}

/* ---- transforms ---- */

/* One channel of four neighbours. */
static uint8_t mix_four(const uint8_t *p, size_t right, size_t down, double dx, double dy)
{
    const double upper = p[0] + (p[right] - p[0]) * dx,
                 lower = p[down] + (p[down + right] - p[down]) * dx;
    return (uint8_t)(upper + (lower - upper) * dy);
}

/* dst(x, y) = src(a0 x + a1 y + a2, a3 x + a4 y + a5), from centre to centre. */
static void transform(const image_view *dst, const image_view *src, const double a[6])
{
    for (int y = 0; y < dst->h; y++) {
        uint8_t *out = row_of(dst, y);
        for (int x = 0; x < dst->w; x++, out += 3) {
            double u = a[0] * (x + 0.5) + a[1] * (y + 0.5) + a[2],
                   v = a[3] * (x + 0.5) + a[4] * (y + 0.5) + a[5];
            if (!(u >= 0 && v >= 0 && u < src->w && v < src->h)) {
                out[0] = out[1] = out[2] = 0;
                continue;
            }
            u -= 0.5;
            v -= 0.5;
            const int left = (int)floor(u), top = (int)floor(v);
            const int x0 = left < 0 ? 0 : left, y0 = top < 0 ? 0 : top;
            const size_t right = left < 0 || x0 + 1 >= src->w ? 0 : 3,
                         down = top < 0 || y0 + 1 >= src->h ? 0 : src->stride;
            const uint8_t *p = row_of(src, y0) + 3 * (size_t)x0;
            for (size_t c = 0; c < 3; c++)
                out[c] = mix_four(p + c, right, down, u - left, v - top);
        }
    }
}

static void identity(const image_view *dst, const image_view *src, double m)
{
    (void)m;
    copy(dst, src);
}

static void shear_x(const image_view *dst, const image_view *src, double m)
{
    transform(dst, src, (const double[6]){1, m, 0, 0, 1, 0});
}

static void shear_y(const image_view *dst, const image_view *src, double m)
{
    transform(dst, src, (const double[6]){1, 0, 0, m, 1, 0});
}

static void translate_x(const image_view *dst, const image_view *src, double m)
{
    transform(dst, src, (const double[6]){1, 0, -trunc(m * src->w), 0, 1, 0});
}

static void translate_y(const image_view *dst, const image_view *src, double m)
{
    transform(dst, src, (const double[6]){1, 0, 0, 0, 1, -trunc(m * src->h)});
}

/* Degrees, against the clock. */
static void rotate(const image_view *dst, const image_view *src, double m)
{
    const double angle = -m * PI / 180, c = cos(angle), s = sin(angle), x = src->w / 2.0,
                 y = src->h / 2.0;
    transform(dst, src, (const double[6]){c, s, x - c * x - s * y, -s, c, y + s * x - c * y});
}

/* ---- enhancements: the picture mixed with a duller one ---- */

static int grey_of(const uint8_t *p)
{
    return (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 0x8000) >> 16;
}

static uint8_t blend(double dull, int v, double factor)
{
    return clip8(dull + factor * (v - dull));
}

static void blend_brightness(const image_view *dst, const image_view *src, double factor)
{
    for (int y = 0; y < src->h; y++)
        for (int i = 0; i < 3 * src->w; i++)
            row_of(dst, y)[i] = blend(0, row_of(src, y)[i], factor);
}

static void blend_color(const image_view *dst, const image_view *src, double factor)
{
    for (int y = 0; y < src->h; y++) {
        const uint8_t *p = row_of(src, y);
        uint8_t *out = row_of(dst, y);
        for (int x = 0; x < src->w; x++, p += 3, out += 3) {
            const int grey = grey_of(p);
            for (int c = 0; c < 3; c++)
                out[c] = blend(grey, p[c], factor);
        }
    }
}

static void blend_contrast(const image_view *dst, const image_view *src, double factor)
{
    int64_t sum = 0;
    for (int y = 0; y < src->h; y++)
        for (int x = 0; x < src->w; x++)
            sum += grey_of(row_of(src, y) + 3 * x);
    const int mean = (int)((double)sum / ((double)src->w * src->h) + 0.5);
    for (int y = 0; y < src->h; y++)
        for (int i = 0; i < 3 * src->w; i++)
            row_of(dst, y)[i] = blend(mean, row_of(src, y)[i], factor);
}

/* The mean around a pixel, itself counting five times. */
static uint8_t smoothed(const image_view *v, int y, int i)
{
    double sum = 4 * row_of(v, y)[i];
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -3; dx <= 3; dx += 3)
            sum += row_of(v, y + dy)[i + dx];
    return clip8(sum / 13 + 0.5);
}

static void sharpness(const image_view *dst, const image_view *src, double m)
{
    for (int y = 0; y < src->h; y++)
        for (int i = 0; i < 3 * src->w; i++) {
            const bool inside = y > 0 && y + 1 < src->h && i >= 3 && i + 3 < 3 * src->w;
            const int v = row_of(src, y)[i];
            row_of(dst, y)[i] = inside ? blend(smoothed(src, y, i), v, 1 + m) : (uint8_t)v;
        }
}

static void brightness(const image_view *dst, const image_view *src, double m)
{
    blend_brightness(dst, src, 1 + m);
}

static void color(const image_view *dst, const image_view *src, double m)
{
    blend_color(dst, src, 1 + m);
}

static void contrast(const image_view *dst, const image_view *src, double m)
{
    blend_contrast(dst, src, 1 + m);
}

/* ---- through a table for each channel ---- */

static void look_up(const image_view *dst, const image_view *src, uint8_t tables[3][256])
{
    for (int y = 0; y < src->h; y++)
        for (int i = 0; i < 3 * src->w; i++)
            row_of(dst, y)[i] = tables[i % 3][row_of(src, y)[i]];
}

static void count(int64_t counts[3][256], const image_view *v)
{
    memset(counts, 0, 3 * 256 * sizeof counts[0][0]);
    for (int y = 0; y < v->h; y++)
        for (int i = 0; i < 3 * v->w; i++)
            counts[i % 3][row_of(v, y)[i]]++;
}

static void posterize(const image_view *dst, const image_view *src, double bits)
{
    const uint8_t mask = (uint8_t) ~((1u << (8 - (int)bits)) - 1);
    for (int y = 0; y < src->h; y++)
        for (int i = 0; i < 3 * src->w; i++)
            row_of(dst, y)[i] = row_of(src, y)[i] & mask;
}

static void solarize(const image_view *dst, const image_view *src, double threshold)
{
    for (int y = 0; y < src->h; y++)
        for (int i = 0; i < 3 * src->w; i++) {
            const uint8_t v = row_of(src, y)[i];
            row_of(dst, y)[i] = v < threshold ? v : (uint8_t)(255 - v);
        }
}

static void autocontrast(const image_view *dst, const image_view *src, double m)
{
    int64_t counts[3][256];
    uint8_t tables[3][256];
    (void)m;
    count(counts, src);
    for (int c = 0; c < 3; c++) {
        int low = 0, high = 255;
        while (low < 255 && counts[c][low] == 0)
            low++;
        while (high > 0 && counts[c][high] == 0)
            high--;
        const double scale = high > low ? 255.0 / (high - low) : 1,
                     offset = high > low ? -low * scale : 0;
        for (int i = 0; i < 256; i++)
            tables[c][i] = clip8(i * scale + offset);
    }
    look_up(dst, src, tables);
}

static void equalize(const image_view *dst, const image_view *src, double m)
{
    int64_t counts[3][256];
    uint8_t tables[3][256];
    (void)m;
    count(counts, src);
    for (int c = 0; c < 3; c++) {
        int64_t last = 0, sum = 0;
        for (int i = 0; i < 256; i++) {
            sum += counts[c][i];
            last = counts[c][i] > 0 ? counts[c][i] : last;
        }
        const int64_t step = (sum - last) / 255;
        int64_t n = step / 2;
        for (int i = 0; i < 256; n += counts[c][i++])
            tables[c][i] = step == 0 ? (uint8_t)i : n / step < 255 ? (uint8_t)(n / step) : 255;
    }
    look_up(dst, src, tables);
}

#define TRANSLATION (150.0 / 331.0 * 9 / 30)
const class_operation CLASS_OPERATIONS[CLASS_N_OPERATIONS] = {
    {"Identity", 0, false, true, identity},
    {"ShearX", 0.09, true, false, shear_x},
    {"ShearY", 0.09, true, false, shear_y},
    {"TranslateX", TRANSLATION, true, false, translate_x},
    {"TranslateY", TRANSLATION, true, false, translate_y},
    {"Rotate", 9, true, false, rotate},
    {"Brightness", 0.27, true, true, brightness},
    {"Color", 0.27, true, true, color},
    {"Contrast", 0.27, true, true, contrast},
    {"Sharpness", 0.27, true, false, sharpness},
    {"Posterize", 7, false, true, posterize},
    {"Solarize", 178.5, false, true, solarize},
    {"AutoContrast", 0, false, true, autocontrast},
    {"Equalize", 0, false, true, equalize},
};

void class_randaugment(const image_view *v, const image_view *spare, base_rng *rng)
{
    enum { N_OPERATIONS = 2 };
    for (int i = 0; i < N_OPERATIONS; i++) {
        const class_operation *o = &CLASS_OPERATIONS[base_rng_below(rng, CLASS_N_OPERATIONS)];
        const bool is_negative = o->is_signed && base_rng_below(rng, 2) == 1;
        o->run(o->in_place ? v : spare, v, is_negative ? -o->magnitude : o->magnitude);
        if (!o->in_place)
            copy(v, spare);
    }
}

/* ---- colour jitter ---- */

/* By Pillow's HSV of 8 bits; turn: of the whole circle. */
static void turn_hue(uint8_t *p, double turn)
{
    const int most = p[0] > p[1] ? (p[0] > p[2] ? p[0] : p[2]) : (p[1] > p[2] ? p[1] : p[2]),
              least = p[0] < p[1] ? (p[0] < p[2] ? p[0] : p[2]) : (p[1] < p[2] ? p[1] : p[2]);
    if (most == least)
        return;
    const float range = (float)(most - least), r = (float)(most - p[0]) / range,
                g = (float)(most - p[1]) / range, b = (float)(most - p[2]) / range;
    const float hue = p[0] == most ? b - g : p[1] == most ? 2 + r - b : 4 + g - r;
    const int h = clip8(fmod(hue / 6.0 + 1, 1) * 255), s = clip8(range / (float)most * 255);
    const float at = (float)((h + (int)(turn * 255) + 512) & 255) * 6.0f / 255.0f,
                part = at - floorf(at), fs = (float)s / 255.0f, bright = (float)most;
    const uint8_t v = (uint8_t)most, low = clip8(roundf(bright * (1 - fs))),
                  down = clip8(roundf(bright * (1 - fs * part))),
                  up = clip8(roundf(bright * (1 - fs * (1 - part))));
    const uint8_t of[6][3] = {{v, up, low},   {down, v, low}, {low, v, up},
                              {low, down, v}, {up, low, v},   {v, low, down}};
    memcpy(p, of[(int)floorf(at) % 6], 3);
}

static void turn_hues(const image_view *v, double turn)
{
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++)
            turn_hue(row_of(v, y) + 3 * x, turn);
}

void class_jitter(const image_view *v, double brightness_part, double contrast_part,
                  double saturation_part, double hue, base_rng *rng)
{
    enum { N_STEPS = 4, HUE = 3 };
    const double parts[N_STEPS] = {brightness_part, contrast_part, saturation_part, hue};
    uint32_t order[N_STEPS];
    data_rng_shuffle(rng, order, N_STEPS);
    for (int i = 0; i < N_STEPS; i++) {
        const uint32_t step = order[i];
        const double part = parts[step];
        if (part <= 0)
            continue;
        if (step == HUE) {
            turn_hues(v, data_rng_uniform(rng, -part, part));
            continue;
        }
        const double factor = data_rng_uniform(rng, part < 1 ? 1 - part : 0, 1 + part);
        (step == 0 ? blend_brightness : step == 1 ? blend_contrast : blend_color)(v, v, factor);
    }
}

/* ---- windows ---- */

static double draw_ratio(double least, double most, base_rng *rng)
{
    return exp(data_rng_uniform(rng, log(least), log(most)));
}

class_window class_draw_crop(int w, int h, double least, base_rng *rng)
{
    enum { TRIES = 10 };
    const double narrow = 3.0 / 4, wide = 4.0 / 3, whole = (double)w * h;
    for (int i = 0; i < TRIES; i++) {
        const double area = whole * data_rng_uniform(rng, least, 1),
                     ratio = draw_ratio(narrow, wide, rng);
        const double crop_w = rint(sqrt(area * ratio)), crop_h = rint(sqrt(area / ratio));
        if (crop_w < 1 || crop_h < 1 || crop_w > w || crop_h > h)
            continue;
        class_window c = {.w = (int)crop_w, .h = (int)crop_h};
        c.y = (int)base_rng_below(rng, (uint64_t)(h - c.h) + 1);
        c.x = (int)base_rng_below(rng, (uint64_t)(w - c.w) + 1);
        return c;
    }
    class_window c = {.w = w, .h = h};
    if ((double)w / h < narrow)
        c.h = (int)rint(w / narrow);
    else if ((double)w / h > wide)
        c.w = (int)rint(h * wide);
    c.x = (w - c.w) / 2;
    c.y = (h - c.h) / 2;
    return c;
}

class_window class_draw_hole(int w, int h, base_rng *rng)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        const double area = (double)w * h * data_rng_uniform(rng, 0.02, 0.33),
                     ratio = draw_ratio(0.3, 3.3, rng);
        const double hole_h = rint(sqrt(area * ratio)), hole_w = rint(sqrt(area / ratio));
        if (!(hole_h < h && hole_w < w))
            continue;
        class_window c = {.w = (int)hole_w, .h = (int)hole_h};
        c.y = (int)base_rng_below(rng, (uint64_t)(h - c.h) + 1);
        c.x = (int)base_rng_below(rng, (uint64_t)(w - c.w) + 1);
        return c;
    }
    return (class_window){0};
}
