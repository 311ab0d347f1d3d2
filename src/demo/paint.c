/* paint.c: planes through a camera.
 *
 * A plane of the world is seen through a projective map of 3 x 3; its inverse says for a pixel
 * which point of the plane it shows, and a shader says what is there. Pieces are painted from back
 * to front, so nothing needs a depth. Memory: two blocks that settle at the largest picture. */
#include "paint.h"

#include <math.h>
#include <string.h>

/* ---- chance ---- */

demo_dice demo_dice_make(uint64_t seed, uint64_t number)
{
    uint64_t state = seed;
    return base_rng_make(base_rng_split(&state) + number);
}

float demo_dice_between(demo_dice *d, float least, float most)
{
    return least + (most - least) * (float)base_rng_unit(d);
}

int demo_dice_below(demo_dice *d, int n)
{
    return (int)base_rng_below(d, (uint64_t)n);
}

bool demo_dice_happens(demo_dice *d, float probability)
{
    return demo_dice_between(d, 0, 1) < probability;
}

static float hash_unit(int32_t x, int32_t y, uint32_t salt)
{
    uint32_t h = (uint32_t)x * UINT32_C(0x8da6b343) ^ (uint32_t)y * UINT32_C(0xd8163841) ^
                 salt * 0x9e3779b1U;
    h = (h ^ (h >> 15)) * UINT32_C(0x2c1b3c6d);
    h = (h ^ (h >> 12)) * UINT32_C(0x297a2d39);
    return (float)((h ^ (h >> 15)) >> 8) * 0x1p-24f;
}

demo_color demo_color_between(demo_dice *d, float least, float most)
{
    const float r = demo_dice_between(d, least, most), g = demo_dice_between(d, least, most);
    return (demo_color){r, g, demo_dice_between(d, least, most)};
}

float demo_noise(float x, float y, uint32_t salt)
{
    const int32_t ix = demo_floor(x), iy = demo_floor(y);
    const float tx = demo_step(0, 1, x - (float)ix), ty = demo_step(0, 1, y - (float)iy);
    const float a = hash_unit(ix, iy, salt), b = hash_unit(ix + 1, iy, salt);
    const float c = hash_unit(ix, iy + 1, salt), d = hash_unit(ix + 1, iy + 1, salt);
    return a + (b - a) * tx + (c - a + (a - b - c + d) * tx) * ty;
}

/* ---- vectors and the camera ---- */

demo_point demo_minus(demo_point a, demo_point b)
{
    return (demo_point){a.x - b.x, a.y - b.y, a.z - b.z};
}

float demo_dot(demo_point a, demo_point b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

demo_point demo_cross(demo_point a, demo_point b)
{
    return (demo_point){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

demo_point demo_along(demo_point a, demo_point b, float ka, float kb)
{
    return (demo_point){a.x * ka + b.x * kb, a.y * ka + b.y * kb, a.z * ka + b.z * kb};
}

demo_point demo_unit(demo_point a)
{
    const float k = 1 / sqrtf(demo_dot(a, a));
    return (demo_point){a.x * k, a.y * k, a.z * k};
}

void demo_camera_look(demo_camera *c, demo_point eye, demo_point at, float roll_rad)
{
    c->eye = eye;
    c->forward = demo_unit(demo_minus(at, eye));
    const demo_point right = demo_unit(demo_cross(c->forward, (demo_point){0, 1, 0}));
    const demo_point down = demo_cross(c->forward, right);
    const float cosine = cosf(roll_rad), sine = sinf(roll_rad);
    c->right = demo_along(right, down, cosine, sine);
    c->down = demo_along(right, down, -sine, cosine);
}

/* In the camera's view: pixels times depth, and depth. */
static demo_point seen(const demo_camera *c, demo_point a)
{
    const float z = demo_dot(a, c->forward);
    return (demo_point){c->focal_px * demo_dot(a, c->right) + c->center_x_px * z,
                        c->focal_px * demo_dot(a, c->down) + c->center_y_px * z, z};
}

void demo_project(const demo_canvas *c, demo_point p, float *x, float *y)
{
    const demo_point s = seen(&c->camera, demo_minus(p, c->camera.eye));
    *x = s.x / s.z;
    *y = s.y / s.z;
}

/* ---- the canvas ---- */

vg_status demo_canvas_begin(demo_canvas *c, int w, int h, base_mem *mem, vg_error *err)
{
    vg_status st = image_buffer_reserve(&c->fine, w * DEMO_FINE, h * DEMO_FINE, mem, err);
    if (st != VG_OK)
        return st;
    const size_t n = (size_t)c->fine.view.w * (size_t)c->fine.view.h;
    if (n > c->items_bytes) {
        base_free(c->items);
        c->items_bytes = 0;
        c->items = base_alloc(mem, n, err);
        if (!c->items)
            return VG_ERR_MEMORY;
        c->items_bytes = n;
    }
    memset(c->items, 0, n);
    memset(c->fine.view.data, 0, 3 * n);
    memset(c->extents, 0, sizeof c->extents);
    return VG_OK;
}

void demo_canvas_fini(demo_canvas *c)
{
    image_buffer_fini(&c->fine);
    base_free(c->items);
    c->items = NULL;
    c->items_bytes = 0;
}

/* Lamps hang above and before the shelf: the back is darker, most of all right below a board. */
static float light_at(const demo_light *l, demo_point p)
{
    const float front = demo_clamp(1 + p.z * 2.8f, 0, 1);
    const float below = demo_frac(p.y / l->row_m); /* 1: right below a board */
    const float shade = below * below * below * (1 - 0.6f * front);
    const float dx = p.x - l->lamp.x, dy = p.y - l->lamp.y;
    const float spot = l->strength / (1 + 2.5f * (dx * dx + dy * dy));
    return l->level * (1 - l->deep * (1 - front)) * (1 - l->below * shade) * (1 + spot);
}

static uint8_t byte_of(float x)
{
    return (uint8_t)(demo_clamp(x, 0, 1) * 255.0f + 0.5f);
}

/* The inverse of a map with columns a, b, c, but for a factor; false when it has none. */
static bool invert(float m[9], demo_point a, demo_point b, demo_point c)
{
    const demo_point r0 = demo_cross(b, c), r1 = demo_cross(c, a), r2 = demo_cross(a, b);
    const float det = demo_dot(a, r0);
    if (fabsf(det) < 1e-12f)
        return false;
    const float k = 1 / det;
    const demo_point rows[3] = {r0, r1, r2};
    for (int i = 0; i < 3; i++) {
        m[3 * i] = rows[i].x * k;
        m[3 * i + 1] = rows[i].y * k;
        m[3 * i + 2] = rows[i].z * k;
    }
    return true;
}

typedef struct span {
    int x1, y1, x2, y2;
} span;

static span bounds_of(const demo_canvas *c, const demo_plane *plane)
{
    const float w = (float)c->fine.view.w, h = (float)c->fine.view.h;
    float x1 = w, y1 = h, x2 = 0, y2 = 0;
    for (int i = 0; i < 4; i++) {
        demo_point p = plane->origin;
        if (i & 1)
            p = demo_along(p, plane->u, 1, 1);
        if (i & 2)
            p = demo_along(p, plane->v, 1, 1);
        const demo_point s = seen(&c->camera, demo_minus(p, c->camera.eye));
        if (s.z < 0.02f)
            return (span){0, 0, c->fine.view.w, c->fine.view.h};
        x1 = fminf(x1, s.x / s.z);
        y1 = fminf(y1, s.y / s.z);
        x2 = fmaxf(x2, s.x / s.z);
        y2 = fmaxf(y2, s.y / s.z);
    }
    return (span){(int)demo_clamp(floorf(x1), 0, w), (int)demo_clamp(floorf(y1), 0, h),
                  (int)demo_clamp(ceilf(x2), 0, w), (int)demo_clamp(ceilf(y2), 0, h)};
}

static void blend(demo_canvas *c, size_t at, demo_ink ink, float light, int item)
{
    uint8_t *rgb = c->fine.view.data + 3 * at;
    const float keep = (1 - ink.alpha) * (1 / 255.0f), k = ink.alpha * light;
    rgb[0] = byte_of((float)rgb[0] * keep + ink.color.r * k);
    rgb[1] = byte_of((float)rgb[1] * keep + ink.color.g * k);
    rgb[2] = byte_of((float)rgb[2] * keep + ink.color.b * k);
    if (ink.alpha <= 0.5f || c->items[at] == item)
        return;
    c->items[at] = (uint8_t)item;
    c->extents[item].n_painted++;
}

void demo_paint(demo_canvas *c, const demo_plane *plane, demo_shader shader, const void *what,
                int item)
{
    float m[9];
    if (!invert(m, seen(&c->camera, plane->u), seen(&c->camera, plane->v),
                seen(&c->camera, demo_minus(plane->origin, c->camera.eye))))
        return; /* seen from its edge */
    const span b = bounds_of(c, plane);
    for (int y = b.y1; y < b.y2; y++)
        for (int x = b.x1; x < b.x2; x++) {
            const float px = (float)x + 0.5f, py = (float)y + 0.5f;
            const float z = m[6] * px + m[7] * py + m[8]; /* 1 / depth */
            if (z <= 0)
                continue;
            const float depth = 1 / z;
            const float s = (m[0] * px + m[1] * py + m[2]) * depth;
            const float t = (m[3] * px + m[4] * py + m[5]) * depth;
            if (s < 0 || s > 1 || t < 0 || t > 1)
                continue;
            const demo_ink ink = shader(what, s, t);
            if (ink.alpha <= 0)
                continue;
            const demo_point p =
                demo_along(plane->origin, demo_along(plane->u, plane->v, s, t), 1, 1);
            blend(c, (size_t)y * (size_t)c->fine.view.w + (size_t)x, ink, light_at(&c->light, p),
                  item);
        }
}

void demo_paint_card(demo_canvas *c, demo_point corner, float w, float h, demo_shader shader,
                     const void *what)
{
    const demo_plane plane = {corner, {w, 0, 0}, {0, h, 0}};
    demo_paint(c, &plane, shader, what, 0);
}

int demo_item_at(const demo_canvas *c, int x, int y)
{
    if (x < 0 || y < 0 || x >= c->fine.view.w || y >= c->fine.view.h)
        return 0;
    return c->items[(size_t)y * (size_t)c->fine.view.w + (size_t)x];
}

void demo_canvas_measure(demo_canvas *c)
{
    const int w = c->fine.view.w, h = c->fine.view.h;
    for (int i = 0; i < DEMO_ITEMS_MAX; i++) {
        demo_extent *e = &c->extents[i];
        *e = (demo_extent){.n_painted = e->n_painted, .x1 = w, .y1 = h};
    }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            demo_extent *e = &c->extents[c->items[(size_t)y * (size_t)w + (size_t)x]];
            e->n_seen++;
            e->x1 = x < e->x1 ? x : e->x1;
            e->y1 = y < e->y1 ? y : e->y1;
            e->x2 = x >= e->x2 ? x + 1 : e->x2;
            e->y2 = y >= e->y2 ? y + 1 : e->y2;
        }
}

/* ---- the sensor ---- */

/* Mean of the finer pixels around (x, y) of the picture, 0..1. */
static demo_color gather(const image_view *fine, int x, int y, int blur)
{
    const int before = (blur - DEMO_FINE) / 2;
    const int x0 = x * DEMO_FINE - before, y0 = y * DEMO_FINE - before;
    uint32_t r = 0, g = 0, b = 0, n = 0;
    for (int fy = y0 < 0 ? 0 : y0; fy < y0 + blur && fy < fine->h; fy++)
        for (int fx = x0 < 0 ? 0 : x0; fx < x0 + blur && fx < fine->w; fx++, n++) {
            const uint8_t *p = fine->data + (size_t)fy * fine->stride + 3 * (size_t)fx;
            r += p[0];
            g += p[1];
            b += p[2];
        }
    const float k = 1 / (255.0f * (float)n);
    return (demo_color){(float)r * k, (float)g * k, (float)b * k};
}

demo_film demo_film_make(demo_dice *d, uint32_t salt)
{
    static const int blurs[] = {DEMO_FINE, DEMO_FINE, DEMO_FINE, DEMO_FINE + 2};
    const float warm = demo_dice_between(d, -0.07f, 0.07f);
    demo_film film = {.tint = {1 + warm, 1, 1 - warm}, .salt = salt};
    film.contrast = demo_dice_between(d, 0.9f, 1.15f);
    film.vignette = demo_dice_between(d, 0, 0.3f);
    film.grain = demo_dice_between(d, 0.005f, 0.05f);
    film.blur = blurs[demo_dice_below(d, 4)];
    return film;
}

void demo_develop(const image_view *out, const demo_canvas *c, const demo_film *film)
{
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            const demo_color seen_here = gather(&c->fine.view, x, y, film->blur);
            const float dx = 2 * (float)x / (float)out->w - 1,
                        dy = 2 * (float)y / (float)out->h - 1;
            const float k = 1 - film->vignette * (dx * dx + dy * dy) * 0.5f;
            const float tint[3] = {film->tint.r, film->tint.g, film->tint.b};
            const float values[3] = {seen_here.r, seen_here.g, seen_here.b};
            uint8_t *p = out->data + (size_t)y * out->stride + 3 * (size_t)x;
            for (int i = 0; i < 3; i++) {
                const float grain = hash_unit(3 * x + i, y, film->salt) +
                                    hash_unit(3 * x + i, y, film->salt + 1) - 1;
                const float v = values[i] * tint[i] * k;
                p[i] = byte_of((v - 0.5f) * film->contrast + 0.5f + grain * film->grain);
            }
        }
}
