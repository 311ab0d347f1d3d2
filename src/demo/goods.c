/* goods.c: bottles, cans, jars, boxes and cartons.
 *
 * A round thing is a card that faces the camera: its outline is the radius at each height, and what
 * is printed on it is bent by the arc sine. Rings bow by the angle from which they are seen. What
 * has corners is made of planes. The print is a brand's: colours, a pattern, a few lines that could
 * be words. Colours say nothing about the kind, so shape must be learnt. */
#include "goods.h"

#include <math.h>
#include <string.h>

const char *const demo_class_names[DEMO_N_CLASSES] = {"bottle", "can", "carton", "jar", "box"};

static const demo_color white = {0.95f, 0.95f, 0.93f}, metal = {0.78f, 0.8f, 0.83f},
                        dark = {0.1f, 0.1f, 0.12f};

/* ---- print ---- */

/* Letters of 3 x 5, A to Z: a digit a row from the top, its bits from left to right. */
static const char *const letters[26] = {
    "25755", "65656", "34443", "65556", "74647", "74644", "34553", "55755", "72227",
    "11152", "55655", "44447", "57755", "65555", "25552", "65644", "25563", "65655",
    "34216", "72222", "55557", "55552", "55775", "55255", "55222", "71247"};

/* Whether a word covers the point: its letters stand around x = 0, each `wide`, from y = 0 to 1. */
static bool is_word(const char *word, float x, float y, float wide)
{
    const float at = x / wide + (float)strlen(word) * 0.5f;
    if (y < 0 || y >= 1 || at < 0 || at >= (float)strlen(word))
        return false;
    const int column = (int)(demo_frac(at) * 4), row = 4 - (int)(y * 5); /* the fourth is blank */
    const int bits = letters[word[(int)at] - 'A'][row] - '0';
    return column < 3 && (bits >> (2 - column) & 1) != 0;
}

/* Small print: a line of height 1 with gaps, |x| < long_as. */
static bool is_small_print(float x, float y, float line, float long_as)
{
    return y > 0.3f && y < 0.7f && fabsf(x) < long_as &&
           demo_noise(x * 14 + line * 7.3f, line * 3.1f, 77) > 0.4f;
}

/* The print at x, y, both -1..1: a label, or the front of a box. */
static demo_color print_at(const demo_good *g, float x, float y)
{
    demo_color c = g->base;
    switch (g->pattern) {
    case 0: /* slanted stripes */
        if (demo_frac(x * 1.5f + y) < 0.42f)
            c = g->second;
        break;
    case 1: /* a disc */
        if (x * x + (y - 0.25f) * (y - 0.25f) < 0.3f)
            c = g->second;
        break;
    case 2: /* a broad band */
        if (y > -0.05f && y < 0.6f)
            c = g->second;
        break;
    case 3: /* a wave */
        if (y < 0.3f * sinf(x * 3.0f) + 0.1f)
            c = g->second;
        break;
    case 4: /* a diamond */
        if (fabsf(x) * 1.2f + fabsf(y - 0.1f) < 0.7f)
            c = g->second;
        break;
    default: /* two halves */
        if (y < -0.1f)
            c = g->second;
        break;
    }
    if (is_word(g->word, x, (y - 0.05f) / 0.4f, 1.5f / (float)(strlen(g->word) + 1)))
        return g->print;
    for (int i = 0; i < 3; i++)
        if (is_small_print(x * 1.6f, (y + 0.5f + 0.15f * (float)i) / 0.13f, (float)i + 2, 0.9f))
            return demo_mix(g->print, c, 0.25f);
    return c;
}

/* ---- round things ---- */

/* Half the width at height y, 0..1, as a share of the widest. */
static float bottle_radius(const demo_good *g, float y)
{
    if (y < 0.03f)
        return 0.9f + 0.1f * demo_step(0, 0.03f, y);
    if (y > 0.91f)
        return g->neck * 1.14f;
    return 1 + (g->neck - 1) * demo_step(g->shoulder, g->shoulder + 0.2f, y);
}

static float radius_at(const demo_good *g, float y)
{
    switch (g->kind) {
    case DEMO_BOTTLE:
        return bottle_radius(g, y);
    case DEMO_CAN:
        return 1 - 0.13f * demo_step(0.91f, 0.985f, y) - 0.1f * demo_step(0.05f, 0.0f, y);
    case DEMO_JAR:
    default:
        if (y > 0.8f)
            return 0.93f - 0.03f * demo_step(0.97f, 1, y);
        return 1 - 0.16f * demo_step(0.64f, 0.78f, y) - 0.1f * demo_step(0.06f, 0.0f, y);
    }
}

/* The surface at height y and turn x (-1..1, across the half that is seen). */
static demo_ink surface_at(const demo_good *g, float x, float y, float edge)
{
    const bool labelled = y > g->label_lo && y < g->label_hi;
    const float middle = (g->label_lo + g->label_hi) / 2, half = (g->label_hi - g->label_lo) / 2;
    if (labelled)
        return (demo_ink){print_at(g, x * 1.3f + g->turn * 0.5f, (y - middle) / half), 1};
    if (g->kind == DEMO_CAN)
        return (demo_ink){metal, 1};
    if (g->kind == DEMO_BOTTLE && y > 0.905f)
        return (demo_ink){demo_scale(g->lid, demo_frac(x * 9) < 0.4f ? 0.85f : 1), 1};
    if (g->kind == DEMO_JAR && y > 0.79f)
        return (demo_ink){demo_scale(g->lid, demo_frac(y * 24) < 0.3f ? 0.88f : 1), 1};
    if (!g->is_glass)
        return (demo_ink){g->second, 1};
    /* Glass shows what is in it, lighter above it, and its own colour at the edges. */
    const float filled = g->kind == DEMO_JAR ? 0.7f : g->shoulder + 0.1f;
    const demo_color in = y < filled ? g->lid : demo_mix(g->lid, white, 0.5f);
    return (demo_ink){demo_mix(in, demo_scale(in, 0.45f), edge), y < filled ? 0.93f : 0.62f};
}

enum { ROUND_MARGIN = 12 }; /* percent of the height by which the card is taller, at both ends */

static demo_ink round_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const float margin = (float)ROUND_MARGIN * 0.01f;
    const float x = (2 * s - 1) * 1.02f, y = t * (1 + 2 * margin) - margin;
    const float top = radius_at(g, 1), bow = g->bend * top;
    if (bow > 0) { /* looked at from above: the lid */
        const float lx = x / top, ly = (y - 1) / bow, r2 = lx * lx + ly * ly;
        if (r2 < 1) {
            const demo_color lid = g->kind == DEMO_CAN ? metal : g->lid;
            return (demo_ink){demo_scale(lid, r2 > 0.75f ? 0.95f : 1.12f), 1};
        }
    }
    float r = radius_at(g, demo_clamp(y, 0, 1));
    if (fabsf(x) >= r)
        return (demo_ink){.alpha = 0};
    const float high = y + g->bend * r * sqrtf(1 - x * x / (r * r));
    if (high < 0 || high > 1)
        return (demo_ink){.alpha = 0};
    r = radius_at(g, high);
    const float n = x / r;
    if (fabsf(n) >= 1)
        return (demo_ink){.alpha = 0};
    const float facing = sqrtf(1 - n * n);
    demo_ink ink = surface_at(g, asinf(n) * 0.6366f, high, 1 - facing);
    ink.color = demo_scale(ink.color, 0.42f + 0.6f * facing + 0.16f * n * (g->gloss > 0 ? 1 : -1));
    const float off = (n - g->gloss * 0.55f) / 0.09f;
    const float shine =
        (g->is_glass || g->kind == DEMO_CAN ? 0.5f : 0.22f) / (1 + off * off * off * off);
    ink.color = demo_mix(ink.color, (demo_color){1.1f, 1.1f, 1.08f}, shine);
    return ink;
}

/* A bag of crisps: a pillow between two seams with teeth. */
static demo_ink bag_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const float x = (2 * s - 1) * 1.04f, y = 2 * t - 1;
    const float tooth = 0.02f * fabsf(demo_frac(s * 14) - 0.5f), in = fabsf(y) + tooth;
    const float wide = 1 - 0.1f * demo_step(0.55f, 0.9f, fabsf(y)) + 0.06f * demo_step(0.9f, 1, in);
    if (in > 1 || fabsf(x) > wide)
        return (demo_ink){.alpha = 0};
    if (in > 0.87f) /* pressed flat */
        return (demo_ink){demo_scale(g->second, 0.75f + 0.25f * demo_frac(s * 28)), 1};
    const float crease = demo_noise(x * 5, y * 2 + 9, 11) * demo_step(0.3f, 0.9f, fabsf(y));
    const float bulge = sqrtf(1 - x * x * 0.8f) * (1 - 0.25f * y * y);
    const float off = x - g->gloss * 0.5f - 0.2f * y;
    const float shine = 0.35f / (1 + 40 * off * off) * (1 - y * y) + 0.35f * crease * crease;
    const demo_color c = demo_scale(print_at(g, x, y), 0.5f + 0.5f * bulge - 0.2f * crease);
    return (demo_ink){demo_mix(c, white, shine), 1};
}

static demo_ink ball_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const float x = 2 * s - 1, y = 2 * t - 1, r2 = x * x + y * y;
    if (r2 > 1)
        return (demo_ink){.alpha = 0};
    const float facing = sqrtf(1 - r2), gx = x - g->gloss * 0.4f, gy = y - 0.45f;
    const demo_color c = fabsf(x * 0.6f + y) < 0.25f ? g->second : g->base;
    const float shine = 0.5f / (1 + 60 * (gx * gx + gy * gy));
    return (demo_ink){demo_mix(demo_scale(c, 0.45f + 0.5f * facing + 0.2f * y), white, shine), 1};
}

static void round_paint(demo_canvas *c, const demo_good *g, demo_point foot, int item)
{
    const float dx = c->camera.eye.x - foot.x, dz = c->camera.eye.z - foot.z;
    const float k = 1 / sqrtf(dx * dx + dz * dz); /* the card turns to the camera about its axis */
    const float half = g->w * 0.51f, margin = (float)ROUND_MARGIN * 0.01f * g->h;
    const demo_point across = {dz * k * half, 0, -dx * k * half};
    demo_good bent = *g;
    bent.bend =
        demo_clamp((c->camera.eye.y - foot.y - g->h * 0.6f) * k, -0.9f, 0.9f) * g->w * 0.5f / g->h;
    const demo_shader shader = g->kind == DEMO_BALL  ? ball_shader
                               : g->kind == DEMO_BAG ? bag_shader
                                                     : round_shader;
    const float low = shader == round_shader ? margin : 0;
    const demo_plane card = {{foot.x - across.x, foot.y - low, foot.z - across.z},
                             {2 * across.x, 0, 2 * across.z},
                             {0, g->h + 2 * low, 0}};
    demo_paint(c, &card, shader, &bent, item);
}

/* ---- things with corners ---- */

static demo_ink front_shader(const void *what, float s, float t)
{
    return (demo_ink){print_at(what, 2 * s - 1, 2 * t - 1), 1};
}

static demo_ink side_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const demo_color c = demo_scale(t < 0.3f ? g->second : g->base, 0.72f);
    const float line = (float)demo_floor(t * 16);
    if (t > 0.35f && t < 0.85f && is_small_print((s * 2 - 1) * 1.3f, t * 16 - line, line, 0.9f))
        return (demo_ink){demo_scale(g->print, 0.75f), 1};
    return (demo_ink){c, 1};
}

static demo_ink top_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const float edge = fabsf(t - 0.5f) < 0.03f || fabsf(s - 0.5f) > 0.48f ? 0.85f : 1.06f;
    return (demo_ink){demo_scale(g->base, edge), 1};
}

/* The roof of a carton that slants towards us, with a screw cap on some. */
static demo_ink roof_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const float x = (s - 0.5f) * g->w / g->h, y = (t - 0.5f) * 0.25f;
    if (g->is_glass && x * x + y * y < 0.0045f)
        return (demo_ink){demo_scale(g->lid, x * x + y * y < 0.003f ? 1.05f : 0.75f), 1};
    return (demo_ink){demo_scale(g->second, 1.08f - 0.2f * t), 1};
}

static demo_ink gable_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    const float fold = fabsf(s - 0.5f) * 2;
    if (fold > 1 - t)
        return (demo_ink){.alpha = 0};
    return (demo_ink){demo_scale(g->second, fold < (1 - t) * 0.5f ? 0.55f : 0.7f), 1};
}

static demo_ink fin_shader(const void *what, float s, float t)
{
    const demo_good *g = what;
    (void)s;
    return (demo_ink){demo_scale(g->second, t > 0.75f ? 0.8f : 0.98f), 1};
}

/* A thing's own axes: across its front, and out of it. */
typedef struct frame {
    demo_point foot, across, out;
} frame;

static demo_point place(const frame *f, float a, float y, float o)
{
    return (demo_point){f->foot.x + f->across.x * a + f->out.x * o, f->foot.y + y,
                        f->foot.z + f->across.z * a + f->out.z * o};
}

static demo_plane plane_by(demo_point origin, demo_point s_end, demo_point t_end)
{
    return (demo_plane){origin,
                        {s_end.x - origin.x, s_end.y - origin.y, s_end.z - origin.z},
                        {t_end.x - origin.x, t_end.y - origin.y, t_end.z - origin.z}};
}

/* How far left or right of the thing the camera is: the side of that sign is seen. */
static float camera_side(const demo_canvas *c, const frame *f)
{
    return (c->camera.eye.x - f->foot.x) * f->across.x +
           (c->camera.eye.z - f->foot.z) * f->across.z;
}

static void body_paint(demo_canvas *c, const demo_good *g, const frame *f, float body_h, int item)
{
    const float a = g->w / 2, o = g->d / 2, by = camera_side(c, f);
    if (fabsf(by) > a) {
        const float side = by > 0 ? a : -a;
        const demo_plane p =
            plane_by(place(f, side, 0, o), place(f, side, 0, -o), place(f, side, body_h, o));
        demo_paint(c, &p, side_shader, g, item);
    }
    const demo_plane front =
        plane_by(place(f, -a, 0, o), place(f, a, 0, o), place(f, -a, body_h, o));
    demo_paint(c, &front, front_shader, g, item);
}

static void box_paint(demo_canvas *c, const demo_good *g, const frame *f, int item)
{
    const float a = g->w / 2, o = g->d / 2;
    if (c->camera.eye.y > f->foot.y + g->h) {
        const demo_plane top =
            plane_by(place(f, -a, g->h, o), place(f, a, g->h, o), place(f, -a, g->h, -o));
        demo_paint(c, &top, top_shader, g, item);
    }
    body_paint(c, g, f, g->h, item);
}

static void carton_paint(demo_canvas *c, const demo_good *g, const frame *f, int item)
{
    const float a = g->w / 2, o = g->d / 2, body = 0.72f * g->h, ridge = 0.91f * g->h;
    const float by = camera_side(c, f);
    const demo_plane fin =
        plane_by(place(f, -a, ridge, 0), place(f, a, ridge, 0), place(f, -a, g->h, 0));
    demo_paint(c, &fin, fin_shader, g, item);
    if (fabsf(by) > a) {
        const float side = by > 0 ? a : -a;
        const demo_plane gable =
            plane_by(place(f, side, body, o), place(f, side, body, -o), place(f, side, ridge, o));
        demo_paint(c, &gable, gable_shader, g, item);
    }
    const demo_plane roof =
        plane_by(place(f, -a, body, o), place(f, a, body, o), place(f, -a, ridge, 0));
    demo_paint(c, &roof, roof_shader, g, item);
    body_paint(c, g, f, body, item);
}

void demo_good_paint(demo_canvas *c, const demo_good *g, demo_point foot, float yaw_rad, int item)
{
    const float cosine = cosf(yaw_rad), sine = sinf(yaw_rad);
    const frame f = {foot, {cosine, 0, -sine}, {sine, 0, cosine}};
    if (g->kind == DEMO_BOX)
        box_paint(c, g, &f, item);
    else if (g->kind == DEMO_CARTON)
        carton_paint(c, g, &f, item);
    else
        round_paint(c, g, foot, item);
}

/* ---- brands ---- */

/* Printers' colours. */
static const demo_color palette[] = {
    {0.72f, 0.1f, 0.12f},  {0.86f, 0.26f, 0.16f}, {0.93f, 0.5f, 0.13f},  {0.95f, 0.73f, 0.2f},
    {0.93f, 0.87f, 0.68f}, {0.55f, 0.6f, 0.18f},  {0.2f, 0.52f, 0.23f},  {0.07f, 0.36f, 0.27f},
    {0.12f, 0.56f, 0.56f}, {0.4f, 0.7f, 0.86f},   {0.13f, 0.37f, 0.7f},  {0.1f, 0.17f, 0.4f},
    {0.4f, 0.25f, 0.56f},  {0.55f, 0.13f, 0.34f}, {0.92f, 0.6f, 0.66f},  {0.42f, 0.26f, 0.15f},
    {0.93f, 0.93f, 0.91f}, {0.86f, 0.86f, 0.85f}, {0.17f, 0.17f, 0.19f}, {0.62f, 0.64f, 0.66f}};

static demo_color color_draw(demo_dice *d)
{
    const demo_color c = palette[demo_dice_below(d, (int)(sizeof palette / sizeof *palette))];
    const float k = demo_dice_between(d, 0.85f, 1.08f);
    return (demo_color){c.r * k + demo_dice_between(d, -0.05f, 0.05f),
                        c.g * k + demo_dice_between(d, -0.05f, 0.05f),
                        c.b * k + demo_dice_between(d, -0.05f, 0.05f)};
}

static float luma(demo_color c)
{
    return 0.3f * c.r + 0.59f * c.g + 0.11f * c.b;
}

static float distance(demo_color a, demo_color b)
{
    return fabsf(a.r - b.r) + fabsf(a.g - b.g) + fabsf(a.b - b.b);
}

demo_good demo_good_make(demo_kind kind, demo_dice *d)
{
    /* width, height and depth in metres, least and most */
    static const float sizes[][6] = {[DEMO_BOTTLE] = {0.068f, 0.086f, 0.25f, 0.31f, 0.08f, 0.08f},
                                     [DEMO_CAN] = {0.064f, 0.082f, 0.115f, 0.16f, 0.07f, 0.07f},
                                     [DEMO_CARTON] = {0.085f, 0.1f, 0.21f, 0.27f, 0.085f, 0.1f},
                                     [DEMO_JAR] = {0.078f, 0.1f, 0.105f, 0.145f, 0.09f, 0.09f},
                                     [DEMO_BOX] = {0.12f, 0.19f, 0.17f, 0.28f, 0.05f, 0.08f},
                                     [DEMO_BAG] = {0.14f, 0.19f, 0.19f, 0.27f, 0.06f, 0.06f},
                                     [DEMO_BALL] = {0.12f, 0.17f, 0.12f, 0.17f, 0.1f, 0.1f}};
    /* One list for all: words give no kind away. */
    static const char *const words[] = {"VIGIL", "MIO",  "OATS", "KIWI",  "SOL", "FRESH", "PLUM",
                                        "LUX",   "NORD", "TEA",  "HONEY", "BIO", "ZEST",  "CACAO"};
    const float *m = sizes[kind];
    demo_good g = {.kind = kind,
                   .w = demo_dice_between(d, m[0], m[1]),
                   .h = demo_dice_between(d, m[2], m[3]),
                   .d = demo_dice_between(d, m[4], m[5])};
    if (kind == DEMO_BALL)
        g.h = g.w;
    g.base = color_draw(d);
    do
        g.second = color_draw(d);
    while (distance(g.base, g.second) < 0.35f);
    g.print = luma(demo_mix(g.base, g.second, 0.5f)) > 0.48f ? dark : white;
    g.lid = color_draw(d);
    g.word = words[demo_dice_below(d, (int)(sizeof words / sizeof *words))];
    g.pattern = demo_dice_below(d, 6);
    g.is_glass = demo_dice_happens(d, kind == DEMO_JAR ? 0.85f : 0.6f);
    g.shoulder = demo_dice_between(d, 0.5f, 0.62f);
    g.neck = demo_dice_between(d, 0.34f, 0.46f);
    g.label_lo = kind == DEMO_CAN ? 0.05f : kind == DEMO_JAR ? 0.14f : 0.13f;
    g.label_hi =
        kind == DEMO_CAN ? 0.93f : demo_dice_between(d, 0.42f, kind == DEMO_JAR ? 0.6f : 0.5f);
    g.gloss = demo_dice_happens(d, 0.5f) ? 0.8f : -0.8f;
    return g;
}
