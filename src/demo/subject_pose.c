/* subject_pose.c: a sports hall with figures in it, and their 17 keypoints.
 *
 * Figures are painted from the farthest to the nearest, so those in front hide what is behind, and
 * so do the hall's things. A keypoint is 2 where it is seen, 1 where something hides it, and 0, as
 * are its coordinates, outside the picture. */
#include <math.h>

#include "figure.h"
#include "subject.h"

enum { FIGURES_MAX = 6 };
static const float least_seen = 0.35f, least_px = 12; /* of a figure that is labelled */

typedef struct hall {
    demo_canvas *canvas;
    demo_dice dice;
    demo_color floor, line, wall, panel;
    float panel_m, stripe; /* how wide a panel is; where the stripe on the wall is, metres */
    uint32_t salt;
    int n_figures;
    demo_figure figures[FIGURES_MAX]; /* from the farthest */
    uint32_t n_painted[FIGURES_MAX];  /* pixels, before anything stood in front */
} hall;

static const float wall_z = -3.5f, half_w = 7, wall_h = 5;

static int item_of(int figure)
{
    return 1 + figure * DEMO_N_LIMBS;
}
_Static_assert(1 + FIGURES_MAX * DEMO_N_LIMBS <= DEMO_ITEMS_MAX, "an item a limb");

/* ---- the hall ---- */

static demo_ink floor_shader(const void *what, float s, float t)
{
    const hall *h = what;
    const float x = (s - 0.5f) * 2 * half_w, z = t * 10;
    const int plank = demo_floor(x * 7);
    const float tone = 0.9f + 0.14f * demo_noise((float)plank * 3.7f, z * 0.8f, h->salt) +
                       0.05f * demo_noise((float)plank * 9, z * 9, h->salt + 1);
    demo_color c = demo_scale(h->floor, demo_frac(x * 7) < 0.04f ? tone * 0.8f : tone);
    const float ring = fabsf(hypotf(x - 0.6f, z - 4.5f) - 1.6f);
    if (ring < 0.04f || fabsf(z - 4.5f) < 0.04f || fabsf(fabsf(x) - 4) < 0.05f)
        c = demo_mix(c, h->line, 0.85f);
    return (demo_ink){c, 1};
}

static demo_ink wall_shader(const void *what, float s, float t)
{
    const hall *h = what;
    const float x = s * 2 * half_w, y = t * wall_h;
    const float seam = demo_frac(x / h->panel_m);
    demo_color c = y < 1.1f ? h->panel : h->wall;
    if (fabsf(y - h->stripe) < 0.07f)
        c = h->line;
    const float tone = 0.95f + 0.08f * demo_noise(x * 3, y * 3, h->salt + 2);
    return (demo_ink){demo_scale(c, seam < 0.02f ? tone * 0.75f : tone), 1};
}

static demo_ink window_shader(const void *what, float s, float t)
{
    (void)what;
    const float bars = fminf(fabsf(s - 0.5f), fabsf(t - 0.5f));
    if (bars < 0.03f || s < 0.05f || s > 0.95f || t < 0.06f || t > 0.94f)
        return (demo_ink){{0.4f, 0.4f, 0.42f}, 1};
    return (demo_ink){{0.8f + 0.2f * t, 0.9f + 0.1f * t, 1.05f}, 1};
}

static demo_ink shadow_shader(const void *what, float s, float t)
{
    const float x = 2 * s - 1, y = 2 * t - 1;
    (void)what;
    return (demo_ink){{0.02f, 0.02f, 0.02f}, 0.5f * demo_step(1, 0.2f, x * x + y * y)};
}

static void shadow_paint(hall *h, float x, float z, float r)
{
    const demo_plane p = {{x - r, 0.002f, z + 0.6f * r}, {2 * r, 0, 0}, {0, 0, -1.2f * r}};
    demo_paint(h->canvas, &p, shadow_shader, NULL, 0);
}

static void room_paint(hall *h)
{
    demo_dice *d = &h->dice;
    const demo_plane floor = {{-half_w, 0, wall_z}, {2 * half_w, 0, 0}, {0, 0, 10}};
    demo_paint_card(h->canvas, (demo_point){-half_w, 0, wall_z}, 2 * half_w, wall_h, wall_shader,
                    h);
    demo_paint(h->canvas, &floor, floor_shader, h, 0);
    for (int n = demo_dice_below(d, 3); n > 0; n--)
        demo_paint_card(h->canvas,
                        (demo_point){demo_dice_between(d, -4, 3), demo_dice_between(d, 1.8f, 2.4f),
                                     wall_z + 0.01f},
                        demo_dice_between(d, 0.8f, 1.6f), demo_dice_between(d, 0.7f, 1.2f),
                        window_shader, NULL);
}

/* ---- things ---- */

static demo_ink ball_shader(const void *what, float s, float t)
{
    const demo_color *c = what;
    const float x = 2 * s - 1, y = 2 * t - 1, r2 = x * x + y * y;
    if (r2 > 1)
        return (demo_ink){.alpha = 0};
    const float seam = fminf(fabsf(x + 0.3f * y), fabsf(y - 0.2f * x * x));
    const float lit = 0.5f + 0.5f * sqrtf(1 - r2) + 0.15f * y;
    return (demo_ink){demo_scale(*c, seam < 0.05f ? lit * 0.4f : lit), 1};
}

static demo_ink cone_shader(const void *what, float s, float t)
{
    const demo_color *c = what;
    const float half = t < 0.08f ? 0.5f : 0.36f * (1 - t) + 0.04f, x = (s - 0.5f) / half;
    if (fabsf(x) > 1)
        return (demo_ink){.alpha = 0};
    const float lit = 0.6f + 0.4f * sqrtf(1 - x * x);
    const demo_color white = {0.95f, 0.95f, 0.95f};
    return (demo_ink){demo_scale(t > 0.4f && t < 0.6f ? white : *c, lit), 1};
}

static demo_ink block_shader(const void *what, float s, float t)
{
    const demo_color *c = what;
    const float row = demo_frac(t * 3);
    const float hole = fabsf(s - 0.5f) < 0.12f && fabsf(row - 0.5f) < 0.15f ? 0.35f : 1;
    return (demo_ink){demo_scale(*c, row < 0.06f || s < 0.02f || s > 0.98f ? 0.6f : hole), 1};
}

static demo_ink post_shader(const void *what, float s, float t)
{
    const demo_color *c = what;
    (void)t;
    return (demo_ink){demo_scale(*c, 0.55f + 0.5f * sinf(s * 3.14f)), 1};
}

static void thing_paint(hall *h, float z)
{
    static const struct {
        demo_shader shader;
        float w[2], h[2]; /* metres, least and most; h 0: as wide */
    } things[] = {{ball_shader, {0.2f, 0.5f}, {0, 0}},
                  {cone_shader, {0.25f, 0.4f}, {0.35f, 0.55f}},
                  {block_shader, {0.6f, 1.1f}, {0.45f, 0.8f}},
                  {post_shader, {0.06f, 0.12f}, {2.2f, 3.2f}}};
    demo_dice *d = &h->dice;
    const int kind = demo_dice_below(d, (int)(sizeof things / sizeof *things));
    const demo_color color = demo_color_between(d, 0.1f, 0.95f);
    const float wide = demo_dice_between(d, things[kind].w[0], things[kind].w[1]);
    const float drawn = demo_dice_between(d, things[kind].h[0], things[kind].h[1]);
    const float x = demo_dice_between(d, -2.3f, 2.3f);
    shadow_paint(h, x, z, wide * 0.7f);
    demo_paint_card(h->canvas, (demo_point){x - wide / 2, 0, z}, wide, drawn > 0 ? drawn : wide,
                    things[kind].shader, &color);
}

/* ---- figures ---- */

/* Pixels of a figure, and their extent. */
static demo_extent figure_measure(const hall *h, int figure)
{
    demo_extent all = {.x1 = h->canvas->fine.view.w, .y1 = h->canvas->fine.view.h};
    for (int l = 0; l < DEMO_N_LIMBS; l++) {
        const demo_extent *e = &h->canvas->extents[item_of(figure) + l];
        if (e->n_seen == 0)
            continue;
        all.n_seen += e->n_seen;
        all.x1 = e->x1 < all.x1 ? e->x1 : all.x1;
        all.y1 = e->y1 < all.y1 ? e->y1 : all.y1;
        all.x2 = e->x2 > all.x2 ? e->x2 : all.x2;
        all.y2 = e->y2 > all.y2 ? e->y2 : all.y2;
    }
    return all;
}

static void figures_paint(hall *h)
{
    demo_dice *d = &h->dice;
    const int n = 1 + demo_dice_below(d, 3);
    const float apart = 2.6f / (float)n;
    float z = demo_dice_between(d, -2.2f, -1);
    int places[FIGURES_MAX];
    for (int i = 0; i < n; i++)
        places[i] = i;
    for (int i = n - 1; i > 0; i--) {
        const int k = demo_dice_below(d, i + 1), keep = places[i];
        places[i] = places[k];
        places[k] = keep;
    }
    for (int i = 0; i < n; i++, z += demo_dice_between(d, 0.2f, 0.8f)) {
        const float x =
            ((float)places[i] + 0.5f) * apart - 1.3f + demo_dice_between(d, -0.25f, 0.25f);
        if (demo_dice_happens(d, 0.3f))
            thing_paint(h, z - 0.3f);
        demo_figure *f = &h->figures[h->n_figures];
        *f = demo_figure_make(d, (demo_point){x, 0, z});
        const demo_point feet =
            demo_along(f->joints[DEMO_LEFT_ANKLE], f->joints[DEMO_RIGHT_ANKLE], 0.5f, 0.5f);
        shadow_paint(h, feet.x, feet.z, 0.45f);
        demo_figure_paint(h->canvas, f, item_of(h->n_figures));
        demo_canvas_measure(h->canvas);
        h->n_painted[h->n_figures] = figure_measure(h, h->n_figures).n_seen;
        h->n_figures++;
    }
    for (int i = demo_dice_below(d, 3); i > 0; i--)
        thing_paint(h, z + 0.2f);
}

static void hall_begin(hall *h, int w, int height)
{
    demo_dice *d = &h->dice;
    demo_canvas *c = h->canvas;
    const demo_point at = {demo_dice_between(d, -0.4f, 0.4f), demo_dice_between(d, 0.75f, 1.05f),
                           -0.5f};
    const demo_point eye = {at.x + demo_dice_between(d, -1.5f, 1.5f), demo_dice_between(d, 1, 2.3f),
                            demo_dice_between(d, 4.6f, 6)};
    const float view_m = demo_dice_between(d, 2.4f, 3.2f);
    const demo_point away = demo_minus(eye, at);
    demo_camera_look(&c->camera, eye, at, demo_dice_between(d, -0.05f, 0.05f));
    c->camera.focal_px = (float)(w * DEMO_FINE) / view_m * sqrtf(demo_dot(away, away));
    c->camera.center_x_px = (float)(w * DEMO_FINE) * 0.5f;
    c->camera.center_y_px = (float)(height * DEMO_FINE) * 0.5f;
    c->light = (demo_light){.level = demo_dice_between(d, 0.85f, 1.2f),
                            .lamp = {demo_dice_between(d, -2, 2), demo_dice_between(d, 0.5f, 3), 0},
                            .strength = demo_dice_between(d, 0, 0.4f),
                            .row_m = 1};
    h->floor = demo_scale((demo_color){0.78f, 0.58f, 0.36f}, demo_dice_between(d, 0.6f, 1.1f));
    if (demo_dice_happens(d, 0.4f))
        h->floor = demo_color_between(d, 0.25f, 0.7f);
    h->line = demo_color_between(d, 0.5f, 1);
    h->wall = demo_scale(demo_color_between(d, 0.75f, 1), demo_dice_between(d, 0.55f, 1));
    h->panel = demo_scale(demo_color_between(d, 0.6f, 1), demo_dice_between(d, 0.3f, 0.9f));
    h->panel_m = demo_dice_between(d, 0.5f, 1.6f);
    h->stripe = demo_dice_between(d, 1.15f, 2);
    h->salt = (uint32_t)demo_dice_below(d, 1 << 20);
}

/* ---- labels ---- */

static vg_status figure_write(demo_sheet *s, const hall *h, int figure, base_mem *mem,
                              vg_error *err)
{
    const demo_figure *f = &h->figures[figure];
    const demo_extent e = figure_measure(h, figure);
    const float w = (float)s->canvas.fine.view.w, high = (float)s->canvas.fine.view.h;
    vg_status st =
        demo_row_add(s, mem, err, "0 %.6f %.6f %.6f %.6f", (double)((float)(e.x1 + e.x2) / (2 * w)),
                     (double)((float)(e.y1 + e.y2) / (2 * high)),
                     (double)((float)(e.x2 - e.x1) / w), (double)((float)(e.y2 - e.y1) / high));
    for (int j = 0; j < DEMO_N_JOINTS && st == VG_OK; j++) {
        float x, y;
        demo_project(&s->canvas, f->joints[j], &x, &y);
        if (x < 0 || y < 0 || x >= w || y >= high)
            st = demo_row_add(s, mem, err, " 0 0 0");
        else
            st = demo_row_add(s, mem, err, " %.5f %.5f %d", (double)(x / w), (double)(y / high),
                              demo_figure_shows(&s->canvas, f, item_of(figure), (demo_joint)j) ? 2
                                                                                               : 1);
    }
    return st == VG_OK ? demo_row_add(s, mem, err, "\n") : st;
}

static vg_status draw(demo_sheet *s, uint64_t seed, uint64_t number, int w, int h, base_mem *mem,
                      vg_error *err)
{
    hall scene = {.canvas = &s->canvas, .dice = demo_dice_make(seed, number)};
    vg_status st = demo_sheet_begin(s, w, h, mem, err);
    if (st != VG_OK)
        return st;
    hall_begin(&scene, w, h);
    room_paint(&scene);
    figures_paint(&scene);
    demo_canvas_measure(&s->canvas);
    for (int i = 0; i < scene.n_figures && st == VG_OK; i++) {
        const demo_extent e = figure_measure(&scene, i);
        if ((float)e.n_seen < least_seen * (float)scene.n_painted[i] ||
            (float)(e.x2 - e.x1) < least_px * DEMO_FINE ||
            (float)(e.y2 - e.y1) < least_px * DEMO_FINE)
            continue;
        st = figure_write(s, &scene, i, mem, err);
        s->n_objects++;
    }
    demo_sheet_develop(s, &scene.dice, scene.salt);
    return st;
}

static const char *const class_names[] = {"person"};

static const vg_demo_goal goals[] = {
    {"metrics/mAP50(P)", "mAP50 of keypoints"}, {"metrics/mAP50(B)", "of boxes"}, {NULL, NULL}};

const demo_subject demo_subject_pose = {
    .about = {.task = "pose",
              .pictures = "figures",
              .object = "figure",
              .model = "yolo11n-pose.yaml",
              .n_train = 480,
              .n_val = 96,
              .imgsz = 192,
              .epochs = 28,
              .arguments = demo_minutes,
              .goals = goals},
    .stem = "hall",
    .class_names = class_names,
    .n_classes = 1,
    .sizes = {{320, 240}, {320, 240}, {960, 720}},
    .yaml = "kpt_shape: [17, 3]\n"
            "flip_idx: [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]\n",
    .draw = draw,
};
