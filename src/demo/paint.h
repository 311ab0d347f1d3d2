/* paint.h: a small painter for the demo's pictures: flat pieces of a world in metres, seen by a
 * camera. x goes right, y up, z towards the camera; the shelf's front is at z = 0. */
#ifndef DEMO_PAINT_H
#define DEMO_PAINT_H

#include "image/image.h"

/* ---- chance: the same numbers on every machine ---- */

typedef base_rng demo_dice;
/* Streams of different (seed, number) have nothing to do with each other. */
demo_dice demo_dice_make(uint64_t seed, uint64_t number);
float demo_dice_between(demo_dice *d, float least, float most);
/* 0..n-1. */
int demo_dice_below(demo_dice *d, int n);
bool demo_dice_happens(demo_dice *d, float probability);

/* ---- small vectors ---- */

typedef struct demo_point {
    float x, y, z; /* metres */
} demo_point;
typedef struct demo_color {
    float r, g, b; /* 0..1; above 1 it shines */
} demo_color;
typedef struct demo_ink {
    demo_color color;
    float alpha; /* 0..1 */
} demo_ink;

static inline demo_color demo_scale(demo_color c, float k)
{
    return (demo_color){c.r * k, c.g * k, c.b * k};
}
static inline demo_color demo_mix(demo_color a, demo_color b, float t)
{
    return (demo_color){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}
static inline float demo_clamp(float x, float least, float most)
{
    return x < least ? least : x > most ? most : x;
}
/* 0 below a, 1 above b, smooth between. a > b falls instead of rising. */
static inline float demo_step(float a, float b, float x)
{
    const float t = demo_clamp((x - a) / (b - a), 0, 1);
    return t * t * (3 - 2 * t);
}
/* The whole number below x, and what is above it: floorf is a call where SSE4.1 is not assumed. */
static inline int demo_floor(float x)
{
    const int i = (int)x;
    return x < (float)i ? i - 1 : i;
}
static inline float demo_frac(float x)
{
    return x - (float)demo_floor(x);
}
/* Smooth noise, 0..1, of grain 1. */
float demo_noise(float x, float y, uint32_t salt);

demo_point demo_minus(demo_point a, demo_point b);
/* a ka + b kb */
demo_point demo_along(demo_point a, demo_point b, float ka, float kb);
float demo_dot(demo_point a, demo_point b);
demo_point demo_cross(demo_point a, demo_point b);
demo_point demo_unit(demo_point a);
/* Each channel by lot. */
demo_color demo_color_between(demo_dice *d, float least, float most);

/* ---- the canvas ---- */

enum { DEMO_ITEMS_MAX = 256 }; /* things with a number of their own; 0 is everything else */

typedef struct demo_light {
    float level;       /* of all */
    float deep, below; /* how dark it is at the shelf's back, and right below a board: 0..1 */
    demo_point lamp;   /* a bright spot, its strength in */
    float strength;
    float row_m; /* from board to board */
} demo_light;

typedef struct demo_camera {
    demo_point eye;
    demo_point right, down, forward; /* unit */
    float focal_px, center_x_px, center_y_px;
} demo_camera;
void demo_camera_look(demo_camera *c, demo_point eye, demo_point at, float roll_rad);

/* What an item shows: pixels it painted, those still seen, and their extent. */
typedef struct demo_extent {
    uint32_t n_painted, n_seen;
    int x1, y1, x2, y2; /* the second ones exclusive; of the finer picture */
} demo_extent;

enum { DEMO_FINE = 2 }; /* the canvas is so many times finer than the picture, for smooth edges */

/* Not thread-safe: one a thread. A zeroed one is valid. */
typedef struct demo_canvas {
    image_buffer fine; /* (DEMO_FINE h, DEMO_FINE w, 3) */
    uint8_t *items;    /* (DEMO_FINE h, DEMO_FINE w) which item a pixel shows */
    size_t items_bytes;
    demo_camera camera;
    demo_light light;
    demo_extent extents[DEMO_ITEMS_MAX];
} demo_canvas;
/* Makes it ready for a picture of w x h. Errors: VG_ERR_MEMORY. */
vg_status demo_canvas_begin(demo_canvas *c, int w, int h, base_mem *mem, vg_error *err);
void demo_canvas_fini(demo_canvas *c);

/* A parallelogram: origin + s * u + t * v, 0 <= s, t <= 1. */
typedef struct demo_plane {
    demo_point origin, u, v;
} demo_plane;
typedef demo_ink (*demo_shader)(const void *what, float s, float t);
/* Paints over what is there; item: whose pixels these are. */
void demo_paint(demo_canvas *c, const demo_plane *plane, demo_shader shader, const void *what,
                int item);
/* The same for what is no item. Planes that face the front are cards: from their lower left corner.
 */
void demo_paint_card(demo_canvas *c, demo_point corner, float w, float h, demo_shader shader,
                     const void *what);
/* Where a point is seen, in pixels of the finer picture. */
void demo_project(const demo_canvas *c, demo_point p, float *x, float *y);
/* The item at a pixel of the finer picture; 0 outside. */
int demo_item_at(const demo_canvas *c, int x, int y);
/* Fills what extents know of seen pixels. */
void demo_canvas_measure(demo_canvas *c);

/* What the camera's sensor makes of it. */
typedef struct demo_film {
    demo_color tint;
    float contrast, vignette, grain;
    int blur; /* pixels of the finer picture that meet in one, across: DEMO_FINE is sharp */
    uint32_t salt;
} demo_film;
/* One by lot. */
demo_film demo_film_make(demo_dice *dice, uint32_t salt);
/* out is w x h as begun. */
void demo_develop(const image_view *out, const demo_canvas *c, const demo_film *film);

#endif
