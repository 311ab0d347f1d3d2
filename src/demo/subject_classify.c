/* subject_classify.c: goods one by one, a folder for each kind. What stands, lies or hangs around
 * it is never one of the kinds. */
#include <math.h>

#include "goods.h"
#include "subject.h"

/* Sorted, as their folders are read. */
static const char *const class_names[] = {"bag", "ball", "bottle", "box", "can", "carton", "jar"};
static const demo_kind kinds[] = {DEMO_BAG, DEMO_BALL,   DEMO_BOTTLE, DEMO_BOX,
                                  DEMO_CAN, DEMO_CARTON, DEMO_JAR};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

typedef struct counter {
    demo_canvas *canvas;
    demo_dice dice;
    demo_color wall, second, top;
    int pattern;   /* of the wall */
    float pitch_m; /* of the pattern */
    uint32_t salt;
} counter;

static demo_ink wall_shader(const void *what, float s, float t)
{
    const counter *c = what;
    const float x = s * 4 / c->pitch_m, y = t * 3 / c->pitch_m;
    const float shade = 0.85f + 0.3f * demo_noise(s * 5, t * 4, c->salt);
    bool second = false;
    switch (c->pattern) {
    case 0: /* tiles */
        second = demo_frac(x) < 0.06f || demo_frac(y) < 0.06f;
        break;
    case 1: /* stripes */
        second = demo_frac(x) < 0.5f;
        break;
    case 2: /* bricks */
        second = demo_frac(y * 2) < 0.1f ||
                 demo_frac(x + (demo_floor(y * 2) % 2 == 0 ? 0.5f : 0)) < 0.05f;
        break;
    case 3: /* dots */
        second = hypotf(demo_frac(x) - 0.5f, demo_frac(y) - 0.5f) < 0.2f;
        break;
    default: /* plaster */
        break;
    }
    return (demo_ink){demo_scale(second ? c->second : c->wall, shade), 1};
}

static demo_ink top_shader(const void *what, float s, float t)
{
    const counter *c = what;
    const float grain = demo_noise(s * 30, t * 160, c->salt + 1);
    return (demo_ink){demo_scale(c->top, 0.85f + 0.25f * grain), 1};
}

static demo_ink shadow_shader(const void *what, float s, float t)
{
    const float x = 2 * s - 1, y = 2 * t - 1;
    (void)what;
    return (demo_ink){{0.02f, 0.02f, 0.02f}, 0.6f * demo_step(1, 0.2f, x * x + y * y)};
}

/* A framed sheet behind, or a card that leans in front. */
static demo_ink card_shader(const void *what, float s, float t)
{
    const counter *c = what;
    if (s < 0.06f || s > 0.94f || t < 0.06f || t > 0.94f)
        return (demo_ink){demo_scale(c->second, 0.5f), 1};
    const bool written = demo_frac(t * 6) < 0.4f && demo_noise(s * 12, t * 6, c->salt + 3) > 0.5f;
    return (demo_ink){written ? c->second : demo_mix(c->wall, c->second, 0.3f), 1};
}

static void counter_begin(counter *k, const demo_good *g, int w, int h)
{
    demo_dice *d = &k->dice;
    demo_canvas *c = k->canvas;
    const float away = demo_dice_between(d, 1, 1.8f), fills = demo_dice_between(d, 0.62f, 0.92f);
    const float view_h = fmaxf(g->h, g->w) / fills, view_w = view_h * (float)w / (float)h;
    const float spare_x = (view_w - g->w) * 0.35f, spare_y = (view_h - g->h) * 0.35f;
    const demo_point at = {demo_dice_between(d, -spare_x, spare_x),
                           g->h / 2 + demo_dice_between(d, -spare_y, spare_y), 0};
    const demo_point eye = {at.x + away * demo_dice_between(d, -0.35f, 0.35f),
                            at.y + away * demo_dice_between(d, 0, 0.45f), away};
    const demo_point out = demo_minus(eye, at);
    demo_camera_look(&c->camera, eye, at, demo_dice_between(d, -0.12f, 0.12f));
    c->camera.focal_px = (float)(h * DEMO_FINE) / view_h * sqrtf(demo_dot(out, out));
    c->camera.center_x_px = (float)(w * DEMO_FINE) * 0.5f;
    c->camera.center_y_px = (float)(h * DEMO_FINE) * 0.5f;
    c->light =
        (demo_light){.level = demo_dice_between(d, 0.8f, 1.25f),
                     .lamp = {demo_dice_between(d, -0.3f, 0.3f), demo_dice_between(d, 0, 0.5f), 0},
                     .strength = demo_dice_between(d, 0, 0.45f),
                     .row_m = 10};
    k->wall = demo_scale(demo_color_between(d, 0.6f, 1), demo_dice_between(d, 0.3f, 1));
    k->second = demo_color_between(d, 0.15f, 0.95f);
    k->top = demo_scale((demo_color){0.75f, 0.6f, 0.45f}, demo_dice_between(d, 0.35f, 1.2f));
    if (demo_dice_happens(d, 0.4f))
        k->top = demo_color_between(d, 0.2f, 0.9f);
    k->pattern = demo_dice_below(d, 6);
    k->pitch_m = demo_dice_between(d, 0.06f, 0.2f);
    k->salt = (uint32_t)demo_dice_below(d, 1 << 20);
}

static void counter_paint(counter *k)
{
    demo_dice *d = &k->dice;
    const float back = demo_dice_between(d, 0.25f, 0.7f);
    const demo_plane top = {{-2, 0, 0.6f}, {4, 0, 0}, {0, 0, -0.6f - back}};
    demo_paint_card(k->canvas, (demo_point){-2, -0.5f, -back}, 4, 3, wall_shader, k);
    for (int n = demo_dice_below(d, 3); n > 0; n--)
        demo_paint_card(k->canvas,
                        (demo_point){demo_dice_between(d, -0.4f, 0.2f),
                                     demo_dice_between(d, 0.05f, 0.35f), 0.01f - back},
                        demo_dice_between(d, 0.1f, 0.3f), demo_dice_between(d, 0.08f, 0.25f),
                        card_shader, k);
    demo_paint(k->canvas, &top, top_shader, k, 0);
}

static vg_status draw(demo_sheet *s, uint64_t seed, uint64_t number, int w, int h, base_mem *mem,
                      vg_error *err)
{
    counter k = {.canvas = &s->canvas, .dice = demo_dice_make(seed, number)};
    demo_dice *d = &k.dice;
    const vg_status st = demo_sheet_begin(s, w, h, mem, err);
    if (st != VG_OK)
        return st;
    s->class_index = (int)(number % N_KINDS); /* as many of each */
    const demo_good good = demo_good_make(kinds[s->class_index], d);
    counter_begin(&k, &good, w, h);
    counter_paint(&k);
    const float wide = good.w * 1.6f, deep = good.d * 2;
    const demo_plane shadow = {{-wide / 2, 0.0005f, deep / 2}, {wide, 0, 0}, {0, 0, -deep}};
    demo_paint(&s->canvas, &shadow, shadow_shader, NULL, 0);
    demo_good_paint(&s->canvas, &good, (demo_point){0, 0, 0}, demo_dice_between(d, -0.7f, 0.7f), 1);
    if (demo_dice_happens(d, 0.25f)) /* a card hides a little of its foot */
        demo_paint_card(&s->canvas,
                        (demo_point){demo_dice_between(d, -0.6f, 0.2f) * good.w, 0, 0.12f},
                        good.w * 0.5f, good.h * 0.25f, card_shader, &k);
    demo_canvas_measure(&s->canvas);
    s->n_objects = 1;
    demo_sheet_develop(s, d, k.salt);
    return VG_OK;
}

/* From random weights a few thousand steps are all there are: each batch makes one, and pictures
 * stay nearly as they are drawn, for what is drawn differs enough. */
static const vg_demo_argument arguments[] = {{"batch", "16"},         {"nbs", "16"},
                                             {"optimizer", "AdamW"},  {"lr0", "0.001"},
                                             {"momentum", "0.9"},     {"warmup_epochs", "1"},
                                             {"warmup_bias_lr", "0"}, {"auto_augment", "none"},
                                             {"erasing", "0"},        {"scale", "0.2"},
                                             {"hsv_s", "0.3"},        {"hsv_v", "0.3"},
                                             {"cache", "ram"},        {NULL, NULL}};

static const vg_demo_goal goals[] = {
    {"metrics/accuracy_top1", "top-1"}, {"metrics/accuracy_top5", "top-5"}, {NULL, NULL}};

const demo_subject demo_subject_classify = {
    .about = {.task = "classify",
              .pictures = "goods",
              .object = "product",
              .model = "yolo11n-cls.yaml",
              .n_train = 2800,
              .n_val = 350,
              .imgsz = 64,
              .epochs = 30,
              .arguments = arguments,
              .goals = goals},
    .stem = "goods",
    .class_names = class_names,
    .n_classes = N_KINDS,
    .sizes = {{144, 144}, {144, 144}, {480, 480}},
    .yaml = "",
    .in_class_folders = true,
    .draw = draw,
};
