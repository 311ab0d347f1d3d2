/* shelf.c: the shelf: which products stand where, what hides them, and who looks at them how.
 *
 * As in a shop, a board is filled with runs of a brand side by side, some of them sold out, some
 * pushed back, some turned. Boards are painted from those far from the eye's height to the nearest,
 * since a board hides what is behind it from above and from below. In front come price tags, trays,
 * signs, posts and people, which hide products and are none. */
#include "shelf.h"

#include <math.h>

static const float row_m = 0.36f, depth_m = 0.34f, thick_m = 0.022f;
enum { FIRST_ROW = -2, END_ROW = 6, ROWS = END_ROW - FIRST_ROW };

/* Labels are for what shows more than this part of itself, and is this many pixels wide and high.
 */
static const float least_seen = 0.3f, least_px = 5;

typedef struct scene {
    demo_canvas *canvas;
    demo_dice dice;
    demo_point at;     /* the middle of the view, at z = 0 */
    float half_view_m; /* what of the shelf is filled, left and right of it */
    demo_color paint, wall;
    uint32_t salt;
    int n_items; /* item 0 is none */
    demo_kind kinds[DEMO_ITEMS_MAX];
    float inside[DEMO_ITEMS_MAX]; /* which part of an item is in the picture */
} scene;

/* ---- what is no product ---- */

typedef struct sheet {
    demo_color color, other;
    float w, h;
    uint32_t salt;
} sheet;

static demo_ink wall_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const float x = demo_frac(s * b->w * 20) - 0.5f, y = demo_frac(t * b->h * 20) - 0.5f;
    const float k = x * x + y * y < 0.008f ? 0.6f : 1; /* a hole every 5 cm */
    return (demo_ink){demo_scale(b->color, k), 1};
}

static demo_ink board_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const float k = 0.9f + 0.12f * demo_noise(s * b->w * 30, t * 12, b->salt);
    return (demo_ink){demo_scale(b->color, k), 1};
}

static demo_ink edge_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    (void)s;
    return (demo_ink){demo_scale(b->color, t > 0.86f ? 1.2f : t < 0.12f ? 0.6f : 0.95f), 1};
}

static demo_ink shadow_shader(const void *what, float s, float t)
{
    const float x = 2 * s - 1, y = 2 * t - 1, r2 = x * x + y * y;
    (void)what;
    return (demo_ink){{0.02f, 0.02f, 0.03f}, 0.6f * demo_step(1, 0.3f, r2)};
}

/* A price tag: a figure, a line of words, bars. */
static demo_ink tag_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const demo_color black = {0.12f, 0.12f, 0.14f};
    demo_color c = t > 0.68f ? b->other : b->color;
    if (s < 0.04f || s > 0.96f || t < 0.06f)
        c = demo_scale(c, 0.8f);
    else if (t < 0.55f && t > 0.15f && s > 0.5f && s < 0.92f &&
             demo_noise(s * 14, 3, b->salt) > 0.4f)
        c = black;
    else if (t < 0.5f && t > 0.2f && s > 0.1f && s < 0.4f && demo_noise(s * 60, 9, b->salt) > 0.5f)
        c = black;
    return (demo_ink){c, 1};
}

/* A round sign on a stalk. */
static demo_ink sign_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const float x = 2 * s - 1, y = 2 * t - 1, r2 = x * x + y * y;
    if (r2 > 1)
        return (demo_ink){.alpha = 0};
    if (r2 > 0.82f)
        return (demo_ink){b->other, 1};
    if (fabsf(x) < 0.55f && fabsf(y) < 0.32f && demo_noise(x * 6, y * 2.2f, b->salt) > 0.5f)
        return (demo_ink){b->other, 1};
    return (demo_ink){b->color, 1};
}

static demo_ink tray_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const float wave = 0.92f + 0.08f * sinf(s * b->w * 900);
    if (fabsf(s - 0.5f) < 0.22f && fabsf(t - 0.5f) < 0.24f &&
        demo_noise(s * 30, t * 2, b->salt) > 0.4f)
        return (demo_ink){b->other, 1};
    return (demo_ink){demo_scale(b->color, wave), 1};
}

static demo_ink post_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const float slot = demo_frac(t * b->h * 33), k = 0.75f + 0.35f * sinf(s * 3.14f);
    if (fabsf(s - 0.5f) < 0.12f && slot < 0.45f)
        return (demo_ink){{0.08f, 0.08f, 0.09f}, 1};
    return (demo_ink){demo_scale(b->color, k), 1};
}

/* Somebody's sleeve, out of focus. */
static demo_ink sleeve_shader(const void *what, float s, float t)
{
    const sheet *b = what;
    const float side = demo_step(0, 0.06f, s) * demo_step(1, 0.94f, s);
    const float k = 0.6f + 0.4f * demo_noise(s * 3 + t * 2, t * 5, b->salt);
    return (demo_ink){demo_scale(b->color, k * (0.6f + 0.4f * sinf(s * 3.14f))), side};
}

/* An upright rectangle that faces the front, from its lower left corner. */
static void card_paint(scene *s, demo_point corner, float w, float h, demo_shader shader,
                       sheet *what)
{
    what->w = w;
    what->h = h;
    what->salt = (uint32_t)demo_dice_below(&s->dice, 1 << 20);
    demo_paint_card(s->canvas, corner, w, h, shader, what);
}

/* ---- products ---- */

/* Which part of a box around it the picture holds: what is cut off by the border is not seen. */
static float part_inside(const scene *s, demo_point foot, const demo_good *g)
{
    float x1, y1, x2, y2;
    demo_project(s->canvas, (demo_point){foot.x - g->w / 2, foot.y + g->h, foot.z}, &x1, &y1);
    demo_project(s->canvas, (demo_point){foot.x + g->w / 2, foot.y, foot.z}, &x2, &y2);
    const float w = (float)s->canvas->fine.view.w, h = (float)s->canvas->fine.view.h;
    const float in_w = demo_clamp(x2, 0, w) - demo_clamp(x1, 0, w);
    const float in_h = demo_clamp(y2, 0, h) - demo_clamp(y1, 0, h);
    return in_w > 0 && in_h > 0 ? in_w * in_h / ((x2 - x1) * (y2 - y1)) : 0;
}

static void stand(scene *s, const demo_good *g, demo_point foot, float yaw, bool on_board)
{
    const float inside = part_inside(s, foot, g);
    if (inside <= 0 || s->n_items + 1 >= DEMO_ITEMS_MAX)
        return;
    if (on_board) {
        const float w = g->w * 1.5f, d = g->d * 2;
        const demo_plane shadow = {
            {foot.x - w / 2, foot.y + 0.0005f, foot.z + d / 2}, {w, 0, 0}, {0, 0, -d}};
        demo_paint(s->canvas, &shadow, shadow_shader, NULL, 0);
    }
    int item = 0;
    if (g->kind < DEMO_N_CLASSES) {
        item = ++s->n_items;
        s->kinds[item] = g->kind;
        s->inside[item] = inside;
    }
    demo_good_paint(s->canvas, g, foot, yaw, item);
}

static demo_kind kind_draw(demo_dice *d)
{
    static const demo_kind often[] = {DEMO_BOTTLE, DEMO_BOTTLE, DEMO_CAN, DEMO_CAN,
                                      DEMO_CARTON, DEMO_CARTON, DEMO_JAR, DEMO_JAR,
                                      DEMO_BOX,    DEMO_BOX,    DEMO_BAG, DEMO_BALL};
    return often[demo_dice_below(d, (int)(sizeof often / sizeof *often))];
}

/* One place of a run: usually a product at the front, or another upon it; or nothing. */
static void place_fill(scene *s, const demo_good *brand, float x, float y)
{
    demo_dice *d = &s->dice;
    demo_good g = *brand;
    demo_point foot = {x, y, -0.03f - g.d / 2 - demo_dice_between(d, 0, 0.025f)};
    g.turn = demo_dice_between(d, -0.5f, 0.5f);
    float yaw = demo_dice_between(d, -0.1f, 0.1f);
    if (demo_dice_happens(d, 0.1f))
        yaw = demo_dice_between(d, -0.6f, 0.6f);
    if (demo_dice_happens(d, 0.14f)) {
        if (demo_dice_happens(d, 0.6f))
            return; /* sold out */
        foot.z -= demo_dice_between(d, 0.06f, 0.17f);
    }
    stand(s, &g, foot, yaw, true);
    const float again = g.kind == DEMO_CAN ? 0.4f : g.kind == DEMO_JAR ? 0.25f : 0;
    if (demo_dice_happens(d, again)) {
        foot.y += g.h * 0.985f;
        foot.x += demo_dice_between(d, -0.006f, 0.006f);
        g.turn = demo_dice_between(d, -0.5f, 0.5f);
        stand(s, &g, foot, yaw, false);
    }
}

typedef struct run {
    demo_good brand;
    int n;
    float x, pitch; /* of the first, and from one to the next */
    bool gone;
} run;

static void row_fill(scene *s, float y, float gone)
{
    demo_dice *d = &s->dice;
    float x = s->at.x - s->half_view_m + demo_dice_between(d, -0.15f, 0);
    const float end = s->at.x + s->half_view_m;
    run runs[64];
    int n_runs = 0;
    while (x < end && n_runs < 64) {
        run *r = &runs[n_runs++];
        const demo_kind kind = kind_draw(d);
        *r = (run){.brand = demo_good_make(kind, d), .gone = demo_dice_happens(d, gone)};
        r->n = 1 + demo_dice_below(d, kind == DEMO_BOX || kind >= DEMO_N_CLASSES ? 2 : 4);
        r->pitch = r->brand.w + demo_dice_between(d, 0.004f, 0.03f);
        r->x = x + r->pitch / 2;
        x += r->pitch * (float)r->n + demo_dice_between(d, 0.005f, 0.04f);
    }
    /* From both ends towards the eye: what is nearer to it hides the sides of the others. */
    const float eye = s->canvas->camera.eye.x;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n_runs; i++) {
            const run *r = &runs[pass == 0 ? i : n_runs - 1 - i];
            for (int k = 0; k < r->n; k++) {
                const float at = r->x + r->pitch * (float)(pass == 0 ? k : r->n - 1 - k);
                if ((at < eye) == (pass == 0) && !r->gone)
                    place_fill(s, &r->brand, at, y);
            }
        }
    /* Trays and tags come when their row stands. */
    for (int i = 0; i < n_runs; i++) {
        const run *r = &runs[i];
        const float left = r->x - r->pitch / 2, w = r->pitch * (float)r->n;
        if (!r->gone && r->brand.kind < DEMO_N_CLASSES && demo_dice_happens(d, 0.13f)) {
            sheet tray = {.color = {0.66f, 0.5f, 0.34f}, .other = r->brand.base};
            card_paint(s, (demo_point){left, y, -0.012f}, w, demo_dice_between(d, 0.025f, 0.05f),
                       tray_shader, &tray);
        }
    }
}

/* ---- the shelf ---- */

static void row_paint(scene *s, int row)
{
    const float y = (float)row * row_m, left = s->at.x - s->half_view_m - 0.3f,
                w = 2 * s->half_view_m + 0.6f;
    const demo_plane wall = {{left, y, -depth_m}, {w, 0, 0}, {0, row_m, 0}};
    const demo_plane floor_ = {{left, y, 0}, {w, 0, 0}, {0, 0, -depth_m}};
    const demo_plane ceiling = {{left, y + row_m - thick_m, 0}, {w, 0, 0}, {0, 0, -depth_m}};
    const sheet back = {.color = s->wall, .w = w, .h = row_m};
    const sheet board = {.color = s->paint, .w = w, .salt = s->salt + 1};
    const sheet under = {.color = demo_scale(s->paint, 0.55f), .w = w, .salt = s->salt + 2};
    const float eye = s->canvas->camera.eye.y;
    demo_paint(s->canvas, &wall, wall_shader, &back, 0);
    if (eye > y)
        demo_paint(s->canvas, &floor_, board_shader, &board, 0);
    if (eye < y + row_m - thick_m)
        demo_paint(s->canvas, &ceiling, board_shader, &under, 0);
    row_fill(s, y, 0.05f);
}

static void edges_paint(scene *s)
{
    demo_dice *d = &s->dice;
    const demo_color signal = demo_color_between(d, 0.2f, 0.9f);
    for (int row = FIRST_ROW; row <= END_ROW; row++) {
        const float y = (float)row * row_m, left = s->at.x - s->half_view_m - 0.3f;
        sheet edge = {.color = s->paint};
        card_paint(s, (demo_point){left, y - thick_m, 0}, 2 * s->half_view_m + 0.6f, thick_m,
                   edge_shader, &edge);
        for (float x = left + demo_dice_between(d, 0, 0.3f); x < left + 2 * s->half_view_m + 0.6f;
             x += demo_dice_between(d, 0.12f, 0.45f)) {
            sheet tag = {.color = {0.95f, 0.95f, 0.92f}, .other = signal};
            card_paint(s, (demo_point){x, y - thick_m - 0.012f, 0.004f}, 0.062f, 0.036f, tag_shader,
                       &tag);
        }
    }
}

/* What stands or hangs between the shelf and the eye. */
static void front_paint(scene *s)
{
    demo_dice *d = &s->dice;
    const float bottom = s->at.y - 1.6f, w = s->half_view_m * 0.75f;
    if (demo_dice_happens(d, 0.3f)) {
        sheet post = {.color = demo_scale(s->paint, 0.9f)};
        card_paint(s, (demo_point){s->at.x + demo_dice_between(d, -w, w), bottom, 0.03f},
                   demo_dice_between(d, 0.022f, 0.04f), 3.2f, post_shader, &post);
    }
    for (int n = demo_dice_below(d, 4); n > 0; n--) {
        const float size = demo_dice_between(d, 0.06f, 0.11f);
        const demo_point corner = {s->at.x + demo_dice_between(d, -w, w),
                                   s->at.y + demo_dice_between(d, -0.5f, 0.5f),
                                   demo_dice_between(d, 0.03f, 0.12f)};
        sheet sign = {.color = demo_color_between(d, 0.1f, 1),
                      .other = demo_color_between(d, 0.5f, 1)};
        sheet stalk = {.color = {0.7f, 0.7f, 0.7f}};
        card_paint(s, (demo_point){corner.x + size / 2 - 0.002f, corner.y - 0.05f, corner.z},
                   0.004f, 0.06f, edge_shader, &stalk);
        card_paint(s, corner, size, size, sign_shader, &sign);
    }
    if (demo_dice_happens(d, 0.1f)) {
        sheet sleeve = {.color = demo_color_between(d, 0.1f, 0.6f)};
        const float side = demo_dice_happens(d, 0.5f) ? 0.55f : -0.55f;
        card_paint(s, (demo_point){s->at.x + side * s->half_view_m - 0.08f, bottom, 0.4f},
                   demo_dice_between(d, 0.12f, 0.2f), demo_dice_between(d, 1.2f, 1.9f),
                   sleeve_shader, &sleeve);
    }
}

static void scene_begin(scene *s, const demo_shelf_look *look, int w, int h)
{
    demo_dice *d = &s->dice;
    demo_canvas *c = s->canvas;
    const float view_m = demo_dice_between(d, look->least_m, look->most_m),
                away = demo_dice_between(d, 1.3f, 2.0f);
    s->at = (demo_point){demo_dice_between(d, -0.3f, 0.3f), demo_dice_between(d, 0.36f, 1.08f), 0};
    const demo_point eye = {s->at.x + away * demo_dice_between(d, -0.42f, 0.42f),
                            s->at.y + away * demo_dice_between(d, -0.16f, 0.3f), away};
    demo_camera_look(&c->camera, eye, s->at, demo_dice_between(d, -0.05f, 0.05f));
    const float dx = eye.x - s->at.x, dy = eye.y - s->at.y;
    c->camera.focal_px = (float)(w * DEMO_FINE) / view_m * sqrtf(dx * dx + dy * dy + away * away);
    c->camera.center_x_px = (float)(w * DEMO_FINE) * 0.5f;
    c->camera.center_y_px = (float)(h * DEMO_FINE) * 0.5f;
    s->half_view_m = view_m * 0.95f;
    c->light = (demo_light){.level = demo_dice_between(d, 0.85f, 1.3f),
                            .deep = demo_dice_between(d, 0.15f, 0.45f),
                            .below = demo_dice_between(d, 0.3f, 0.7f),
                            .lamp = {s->at.x + demo_dice_between(d, -0.7f, 0.7f),
                                     s->at.y + demo_dice_between(d, -0.3f, 0.7f), 0},
                            .strength = demo_dice_between(d, 0, 0.45f),
                            .row_m = row_m};
    s->paint = demo_scale(demo_color_between(d, 0.9f, 1), demo_dice_between(d, 0.5f, 0.95f));
    s->wall = demo_scale(demo_color_between(d, 0.82f, 1), demo_dice_between(d, 0.45f, 0.98f));
    s->salt = (uint32_t)demo_dice_below(d, 1 << 20);
}

/* ---- labels ---- */

static size_t labels_make(demo_label labels[DEMO_ITEMS_MAX], const scene *s)
{
    const float k = 1.0f / (float)DEMO_FINE;
    size_t n = 0;
    demo_canvas_measure(s->canvas);
    for (int i = 1; i <= s->n_items; i++) {
        const demo_extent *e = &s->canvas->extents[i];
        const float seen = (float)e->n_seen / fmaxf((float)e->n_painted, 1) * s->inside[i];
        const demo_label label = {
            s->kinds[i], i, (float)e->x1 * k, (float)e->y1 * k, (float)e->x2 * k, (float)e->y2 * k};
        if (seen >= least_seen && label.x2 - label.x1 >= least_px &&
            label.y2 - label.y1 >= least_px)
            labels[n++] = label;
    }
    return n;
}

vg_status demo_shelf_draw(image_buffer *out, demo_label labels[DEMO_ITEMS_MAX], size_t *n_labels,
                          const demo_shelf_look *look, uint64_t seed, uint64_t number, int w, int h,
                          demo_canvas *canvas, base_mem *mem, vg_error *err)
{
    scene s = {.canvas = canvas, .dice = demo_dice_make(seed, number)};
    vg_status st = demo_canvas_begin(canvas, w, h, mem, err);
    if (st == VG_OK)
        st = image_buffer_reserve(out, w, h, mem, err);
    if (st != VG_OK)
        return st;
    scene_begin(&s, look, w, h);
    const int eye_row = demo_floor(canvas->camera.eye.y / row_m);
    for (int row = FIRST_ROW; row < eye_row && row < END_ROW; row++)
        row_paint(&s, row);
    for (int row = END_ROW - 1; row >= eye_row && row >= FIRST_ROW; row--)
        row_paint(&s, row);
    edges_paint(&s);
    front_paint(&s);
    *n_labels = labels_make(labels, &s);

    const demo_film film = demo_film_make(&s.dice, s.salt);
    demo_develop(&out->view, canvas, &film);
    return VG_OK;
}
