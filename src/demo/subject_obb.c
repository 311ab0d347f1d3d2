/* subject_obb.c: parcels on a belt, seen from straight above, and the turned rectangle of each.
 *
 * The belt lies in the plane z = 0 and the camera looks along -z, so the top of a parcel is seen as
 * the rectangle it is, turned and nothing else: that is its label, also where the picture's border
 * or a bar above the belt cuts it. Sides that show because the eye is not above them are not part
 * of it. */
#include <math.h>

#include "subject.h"

typedef enum parcel_kind { CARTON, LETTER, TUBE, BAG, N_KINDS } parcel_kind;
static const char *const class_names[N_KINDS] = {"carton", "letter", "tube", "bag"};

enum { PARCELS_MAX = 12, TRIES = 40 };
static const float least_seen = 0.5f;

typedef struct parcel {
    parcel_kind kind;
    float w, h, high; /* metres: along its own axes, and above the belt */
    float x, y, turn_rad;
    demo_color base, second, print;
    int marks; /* bits: tape, address, arrows, fragile */
    uint32_t salt;
} parcel;

typedef struct belt {
    demo_canvas *canvas;
    demo_dice dice;
    demo_color rubber, rail;
    float half_m, view_w, view_h; /* half the belt's width; what is seen of z = 0 */
    float pitch_m;                /* of its ribs */
    uint32_t salt;
    parcel parcels[PARCELS_MAX];
    int n_parcels; /* item of parcel i: i + 1 */
} belt;

/* ---- what is no parcel ---- */

static demo_ink rubber_shader(const void *what, float s, float t)
{
    const belt *b = what;
    const float x = s * 6, y = t * 2 * b->half_m;
    const float rib = demo_frac(x / b->pitch_m) < 0.08f ? 0.75f : 1;
    const float worn = 0.85f + 0.25f * demo_noise(x * 4, y * 9, b->salt) +
                       0.12f * demo_noise(x * 60, y * 60, b->salt + 1);
    return (demo_ink){demo_scale(b->rubber, rib * worn), 1};
}

static demo_ink ground_shader(const void *what, float s, float t)
{
    const belt *b = what;
    const float tone = 0.35f + 0.2f * demo_noise(s * 20, t * 20, b->salt + 2);
    return (demo_ink){demo_scale(b->rail, tone), 1};
}

static demo_ink rail_shader(const void *what, float s, float t)
{
    const belt *b = what;
    const float hole = fabsf(demo_frac(s * 24) - 0.5f) < 0.04f && fabsf(t - 0.5f) < 0.2f ? 0.4f : 1;
    const float edge = t < 0.1f || t > 0.9f ? 0.6f : 0.85f + 0.3f * t;
    return (demo_ink){demo_scale(b->rail, edge * hole), 1};
}

static demo_ink shadow_shader(const void *what, float s, float t)
{
    const float x = fmaxf(fabsf(2 * s - 1) - 0.75f, 0) * 4,
                y = fmaxf(fabsf(2 * t - 1) - 0.75f, 0) * 4;
    (void)what;
    return (demo_ink){{0.01f, 0.01f, 0.01f}, 0.55f * demo_step(1, 0, x * x + y * y)};
}

/* A roll of tape that fell on the belt: round, so nothing is turned. */
static demo_ink roll_shader(const void *what, float s, float t)
{
    const demo_color *c = what;
    const float r = hypotf(2 * s - 1, 2 * t - 1);
    if (r > 1 || r < 0.5f)
        return (demo_ink){.alpha = 0};
    return (demo_ink){demo_scale(*c, r < 0.6f ? 0.6f : 0.8f + 0.2f * sinf(r * 40)), 1};
}

static void belt_paint(belt *b)
{
    demo_dice *d = &b->dice;
    demo_canvas *c = b->canvas;
    const float half = b->half_m, rail = demo_dice_between(d, 0.04f, 0.08f);
    demo_paint_card(c, (demo_point){-3, -3, -0.5f}, 6, 6, ground_shader, b);
    demo_paint_card(c, (demo_point){-3, -half, 0}, 6, 2 * half, rubber_shader, b);
    demo_paint_card(c, (demo_point){-3, half, 0.03f}, 6, rail, rail_shader, b);
    demo_paint_card(c, (demo_point){-3, -half - rail, 0.03f}, 6, rail, rail_shader, b);
    for (int n = demo_dice_below(d, 3); n > 0; n--) {
        const demo_color color = demo_color_between(d, 0.3f, 0.9f);
        const float size = demo_dice_between(d, 0.07f, 0.12f);
        demo_paint_card(c,
                        (demo_point){demo_dice_between(d, -0.5f, 0.5f) * b->view_w,
                                     demo_dice_between(d, -half, half - size), 0.001f},
                        size, size, roll_shader, &color);
    }
}

/* ---- parcels ---- */

/* Lines of an address, or of small print: |x|, |y| <= 1. */
static bool is_written(float x, float y, uint32_t salt)
{
    const float line = (y + 1) * 2.5f;
    const float row = (float)demo_floor(line);
    return fabsf(x) < 0.8f && demo_frac(line) > 0.35f && demo_frac(line) < 0.75f &&
           demo_noise(x * 8, row * 5.3f, salt) > 0.42f;
}

/* The label stuck on it, around (cx, cy), half sizes hw, hh: paper, lines, bars. */
static bool sticker_at(demo_color *c, const parcel *p, float x, float y, float cx, float cy,
                       float hw, float hh)
{
    const float u = (x - cx) / hw, v = (y - cy) / hh;
    if (fabsf(u) > 1 || fabsf(v) > 1)
        return false;
    *c = (demo_color){0.94f, 0.94f, 0.92f};
    if (v < -0.2f ? fabsf(u) < 0.85f && v > -0.85f && demo_noise(u * 22, 4, p->salt + 5) > 0.5f
                  : is_written(u, (v - 0.4f) / 0.5f, p->salt))
        *c = (demo_color){0.1f, 0.1f, 0.12f};
    return true;
}

/* x, y: metres from the middle, along the parcel's axes. */
static demo_ink carton_ink(const parcel *p, float x, float y)
{
    demo_color c = demo_scale(p->base, 0.92f + 0.12f * demo_noise(x * 40, y * 200, p->salt));
    const float edge = fminf(p->w / 2 - fabsf(x), p->h / 2 - fabsf(y));
    if (edge < 0.004f)
        c = demo_scale(c, 0.8f);
    if (fabsf(y) < 0.0025f)
        c = demo_scale(c, 0.55f); /* where the flaps meet */
    if ((p->marks & 1) && fabsf(y) < 0.025f)
        c = demo_mix(c, p->second, 0.6f);
    if ((p->marks & 2) && x > 0.15f * p->w && demo_frac(x * 20) < 0.5f && y < -0.25f * p->h)
        c = demo_scale(p->print, 0.9f);
    if (p->marks & 4)
        sticker_at(&c, p, x, y, -0.2f * p->w, 0.22f * p->h, 0.22f * p->w, 0.18f * p->h);
    return (demo_ink){c, 1};
}

static demo_ink letter_ink(const parcel *p, float x, float y)
{
    demo_color c = p->base;
    const float edge = fminf(p->w / 2 - fabsf(x), p->h / 2 - fabsf(y));
    const float flap = fabsf(fabsf(y - p->h / 2) - fabsf(fabsf(x) - p->w / 2) * p->h / p->w);
    if (edge < 0.003f || ((p->marks & 1) && flap < 0.003f))
        c = demo_scale(c, 0.8f);
    if (!(p->marks & 1)) {
        const float u = (x - 0.1f * p->w) / (0.25f * p->w), v = (y + 0.1f * p->h) / (0.2f * p->h);
        if (fabsf(u) < 1 && fabsf(v) < 1 && is_written(u, v, p->salt))
            c = p->print;
        if (x > 0.32f * p->w && x < 0.46f * p->w && y > 0.2f * p->h && y < 0.42f * p->h)
            c = p->second; /* the stamp */
    }
    return (demo_ink){c, 1};
}

static demo_ink tube_ink(const parcel *p, float x, float y)
{
    const float n = y / (p->h / 2), along = fabsf(x) / (p->w / 2);
    const float lit = 0.45f + 0.6f * sqrtf(fmaxf(1 - n * n, 0)) + 0.1f * n;
    demo_color c = demo_scale(p->base, 0.95f + 0.06f * sinf((x + y * 0.5f) * 160));
    if (along > 1 - 0.05f)
        c = p->second; /* the caps */
    else if ((p->marks & 2) && along < 0.25f && fabsf(n) < 0.75f)
        c = is_written(x / (0.125f * p->w), n, p->salt) ? p->print
                                                        : (demo_color){0.93f, 0.93f, 0.9f};
    return (demo_ink){demo_scale(c, lit), 1};
}

static demo_ink bag_ink(const parcel *p, float x, float y)
{
    const float crease = demo_noise(x * 22 + y * 9, y * 14, p->salt);
    const float u = x / (p->w / 2), v = y / (p->h / 2);
    const float rise = (1 - u * u * u * u) * (1 - v * v * v * v);
    /* Soft corners. */
    const float cx = fmaxf(fabsf(x) - (p->w / 2 - 0.02f), 0),
                cy = fmaxf(fabsf(y) - (p->h / 2 - 0.02f), 0);
    if (cx * cx + cy * cy > 0.02f * 0.02f)
        return (demo_ink){.alpha = 0};
    demo_color c = demo_scale(p->base, 0.6f + 0.35f * rise + 0.3f * (crease - 0.5f));
    if (fabsf(u) > 0.93f)
        c = demo_scale(c, 0.75f); /* the seam */
    if ((p->marks & 4) && sticker_at(&c, p, x, y, 0.1f * p->w, 0, 0.25f * p->w, 0.24f * p->h))
        c = demo_scale(c, 0.9f + 0.2f * (crease - 0.5f));
    const float shine = demo_step(0.72f, 0.9f, crease) * 0.35f * rise;
    return (demo_ink){demo_mix(c, (demo_color){1, 1, 1}, shine), 1};
}

static demo_ink parcel_shader(const void *what, float s, float t)
{
    static demo_ink (*const inks[N_KINDS])(const parcel *, float, float) = {
        [CARTON] = carton_ink, [LETTER] = letter_ink, [TUBE] = tube_ink, [BAG] = bag_ink};
    const parcel *p = what;
    return inks[p->kind](p, (s - 0.5f) * p->w, (t - 0.5f) * p->h);
}

static demo_ink side_shader(const void *what, float s, float t)
{
    const parcel *p = what;
    (void)s;
    return (demo_ink){demo_scale(p->base, 0.35f + 0.25f * t), 1};
}

/* A point of the parcel: a, b in halves of its size. */
static demo_point corner(const parcel *p, float a, float b, float z)
{
    const float x = a * p->w / 2, y = b * p->h / 2;
    const float c = cosf(p->turn_rad), s = sinf(p->turn_rad);
    return (demo_point){p->x + x * c - y * s, p->y + x * s + y * c, z};
}

static demo_plane plane_of(demo_point origin, demo_point s_end, demo_point t_end)
{
    return (demo_plane){origin, demo_minus(s_end, origin), demo_minus(t_end, origin)};
}

static void parcel_paint(belt *b, const parcel *p, int item)
{
    const float wide = 1 + 0.05f / p->w, high = 1 + 0.05f / p->h;
    const demo_plane shadow =
        plane_of(corner(p, -wide, -high, 0.001f), corner(p, wide, -high, 0.001f),
                 corner(p, -wide, high, 0.001f));
    const demo_plane top =
        plane_of(corner(p, -1, -1, p->high), corner(p, 1, -1, p->high), corner(p, -1, 1, p->high));
    demo_paint(b->canvas, &shadow, shadow_shader, NULL, 0);
    /* A tube has no edge, a bag and a letter no side. */
    static const float ends[4][4] = {
        {-1, -1, 1, -1}, {1, -1, 1, 1}, {1, 1, -1, 1}, {-1, 1, -1, -1}};
    for (int i = 0; p->kind == CARTON && i < 4; i++) {
        const float *e = ends[i];
        const demo_plane side = plane_of(corner(p, e[0], e[1], 0), corner(p, e[2], e[3], 0),
                                         corner(p, e[0], e[1], p->high));
        demo_paint(b->canvas, &side, side_shader, p, 0);
    }
    demo_paint(b->canvas, &top, parcel_shader, p, item);
}

static parcel parcel_make(demo_dice *d)
{
    /* width, height and how high, metres, least and most */
    static const float sizes[N_KINDS][6] = {[CARTON] = {0.22f, 0.42f, 0.15f, 0.3f, 0.05f, 0.2f},
                                            [LETTER] = {0.22f, 0.34f, 0.11f, 0.2f, 0.004f, 0.01f},
                                            [TUBE] = {0.38f, 0.62f, 0.07f, 0.11f, 0.06f, 0.08f},
                                            [BAG] = {0.26f, 0.4f, 0.18f, 0.28f, 0.02f, 0.05f}};
    static const demo_color papers[] = {{0.68f, 0.52f, 0.35f}, {0.76f, 0.62f, 0.45f},
                                        {0.58f, 0.44f, 0.3f},  {0.9f, 0.89f, 0.86f},
                                        {0.8f, 0.72f, 0.55f},  {0.55f, 0.62f, 0.7f}};
    parcel p = {.kind = (parcel_kind)demo_dice_below(d, N_KINDS)};
    const float *m = sizes[p.kind];
    p.w = demo_dice_between(d, m[0], m[1]);
    p.h = demo_dice_between(d, m[2], m[3]);
    p.high = demo_dice_between(d, m[4], m[5]);
    p.turn_rad = demo_dice_between(d, 0, 6.2831853f);
    p.base = demo_scale(papers[demo_dice_below(d, (int)(sizeof papers / sizeof *papers))],
                        demo_dice_between(d, 0.8f, 1.1f));
    p.second = demo_color_between(d, 0.1f, 0.95f);
    p.print = demo_color_between(d, 0.02f, 0.3f);
    if (p.kind == BAG)
        p.base = demo_color_between(d, 0.12f, 0.9f);
    p.marks = demo_dice_below(d, 8);
    p.salt = (uint32_t)demo_dice_below(d, 1 << 20);
    return p;
}

/* Whether an axis of `a` parts the two by more than gap metres. */
static bool is_parted_by(const parcel *a, const parcel *b, float gap)
{
    for (int axis = 0; axis < 2; axis++) {
        const float turn = a->turn_rad + (float)axis * 1.5707963f;
        const float c = cosf(turn), s = sinf(turn);
        const float d = fabsf((b->x - a->x) * c + (b->y - a->y) * s);
        const float other = b->turn_rad - turn;
        const float reach = (axis == 0 ? a->w : a->h) / 2 + fabsf(cosf(other)) * b->w / 2 +
                            fabsf(sinf(other)) * b->h / 2;
        if (d > reach + gap)
            return true;
    }
    return false;
}

static bool is_free(const belt *b, const parcel *p)
{
    for (int i = 0; i < b->n_parcels; i++)
        if (!is_parted_by(p, &b->parcels[i], 0.03f) && !is_parted_by(&b->parcels[i], p, 0.03f))
            return false;
    return true;
}

static void parcels_paint(belt *b)
{
    demo_dice *d = &b->dice;
    const int wanted = 2 + demo_dice_below(d, 7);
    for (int i = 0; i < TRIES && b->n_parcels < wanted; i++) {
        parcel p = parcel_make(d);
        p.x = demo_dice_between(d, -0.5f, 0.5f) * b->view_w;
        p.y = demo_dice_between(d, -0.8f, 0.8f) * b->half_m;
        if (is_free(b, &p))
            b->parcels[b->n_parcels++] = p;
    }
    for (int i = 0; i < b->n_parcels; i++)
        parcel_paint(b, &b->parcels[i], i + 1);
}

/* A bar of a scanner above the belt, with its light. */
static void bar_paint(belt *b)
{
    demo_dice *d = &b->dice;
    if (!demo_dice_happens(d, 0.35f))
        return;
    const float x = demo_dice_between(d, -0.4f, 0.4f) * b->view_w;
    demo_paint_card(b->canvas, (demo_point){x, -1, 0.4f}, demo_dice_between(d, 0.03f, 0.06f), 2,
                    rail_shader, b);
}

static void belt_begin(belt *b, int w, int h)
{
    demo_dice *d = &b->dice;
    demo_canvas *c = b->canvas;
    const float away = demo_dice_between(d, 2.2f, 3);
    b->view_w = demo_dice_between(d, 1.15f, 1.6f);
    b->view_h = b->view_w * (float)h / (float)w;
    demo_camera_look(&c->camera, (demo_point){0, 0, away}, (demo_point){0, 0, 0},
                     demo_dice_between(d, -0.25f, 0.25f));
    c->camera.focal_px = (float)(w * DEMO_FINE) / b->view_w * away;
    c->camera.center_x_px = (float)(w * DEMO_FINE) * 0.5f;
    c->camera.center_y_px = (float)(h * DEMO_FINE) * 0.5f;
    c->light = (demo_light){
        .level = demo_dice_between(d, 0.8f, 1.25f),
        .lamp = {demo_dice_between(d, -0.7f, 0.7f), demo_dice_between(d, -0.5f, 0.5f), 0},
        .strength = demo_dice_between(d, 0, 0.4f),
        .row_m = 1};
    b->half_m = demo_dice_between(d, 0.38f, 0.55f);
    b->pitch_m = demo_dice_between(d, 0.08f, 0.4f);
    b->rubber = demo_scale(demo_color_between(d, 0.75f, 1), demo_dice_between(d, 0.14f, 0.42f));
    b->rail = demo_scale(demo_color_between(d, 0.85f, 1), demo_dice_between(d, 0.5f, 0.9f));
    if (demo_dice_happens(d, 0.3f))
        b->rail = (demo_color){0.9f, 0.7f, 0.12f};
    b->salt = (uint32_t)demo_dice_below(d, 1 << 20);
}

/* ---- labels ---- */

/* What of its top the picture shows, 0..1: the share of the pixels that its size makes. */
static float part_seen(const belt *b, const parcel *p, int item)
{
    const demo_camera *c = &b->canvas->camera;
    const float k = c->focal_px / (c->eye.z - p->high);
    return (float)b->canvas->extents[item].n_seen / (p->w * p->h * k * k);
}

static vg_status parcel_write(demo_sheet *s, const parcel *p, base_mem *mem, vg_error *err)
{
    static const float corners[4][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
    vg_status st = demo_row_add(s, mem, err, "%d", (int)p->kind);
    for (int i = 0; i < 4 && st == VG_OK; i++) {
        float x, y;
        demo_project(&s->canvas, corner(p, corners[i][0], corners[i][1], p->high), &x, &y);
        st = demo_row_add(s, mem, err, " %.6f %.6f", (double)x / s->canvas.fine.view.w,
                          (double)y / s->canvas.fine.view.h);
    }
    return st == VG_OK ? demo_row_add(s, mem, err, "\n") : st;
}

static vg_status draw(demo_sheet *s, uint64_t seed, uint64_t number, int w, int h, base_mem *mem,
                      vg_error *err)
{
    belt b = {.canvas = &s->canvas, .dice = demo_dice_make(seed, number)};
    vg_status st = demo_sheet_begin(s, w, h, mem, err);
    if (st != VG_OK)
        return st;
    belt_begin(&b, w, h);
    belt_paint(&b);
    parcels_paint(&b);
    bar_paint(&b);
    demo_canvas_measure(&s->canvas);
    for (int i = 0; i < b.n_parcels && st == VG_OK; i++)
        if (part_seen(&b, &b.parcels[i], i + 1) >= least_seen) {
            st = parcel_write(s, &b.parcels[i], mem, err);
            s->n_objects++;
        }
    demo_sheet_develop(s, &b.dice, b.salt);
    return st;
}

static const vg_demo_argument arguments[] = {
    {"batch", "8"},      {"nbs", "8"},           {"optimizer", "AdamW"},  {"lr0", "0.0015"},
    {"momentum", "0.9"}, {"warmup_epochs", "1"}, {"warmup_bias_lr", "0"}, {"mosaic", "0"},
    {"scale", "0.3"},    {"flipud", "0.5"},      {"cache", "ram"},        {NULL, NULL}};

static const vg_demo_goal goals[] = {{"metrics/mAP50(B)", "mAP50 of turned boxes"}, {NULL, NULL}};

const demo_subject demo_subject_obb = {
    .about = {.task = "obb",
              .pictures = "a belt",
              .object = "parcel",
              .model = "yolo11n-obb.yaml",
              .n_train = 480,
              .n_val = 96,
              .imgsz = 192,
              .epochs = 24,
              .arguments = arguments,
              .goals = goals},
    .stem = "belt",
    .class_names = class_names,
    .n_classes = N_KINDS,
    .sizes = {{320, 240}, {320, 240}, {960, 720}},
    .yaml = "",
    .draw = draw,
};
