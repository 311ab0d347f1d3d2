/* figure.c: a figure like a painter's mannequin, dressed.
 *
 * A pose is a few angles by lot, from standing to squatting; bones follow from them and from the
 * figure's height (shares as in drawing books). A limb is a flat trapezoid between two balls, all
 * three shaded as if they were round, painted from the farthest to the nearest. */
#include "figure.h"

#include <math.h>

/* ---- bones ---- */

enum { LEFT, RIGHT };

static demo_point plus(demo_point a, demo_point b, float k)
{
    return demo_along(a, b, 1, k);
}

static demo_point times(demo_point a, float k)
{
    return (demo_point){a.x * k, a.y * k, a.z * k};
}

/* v turned about the unit axis (Rodrigues). */
static demo_point turned(demo_point v, demo_point axis, float rad)
{
    const float c = cosf(rad), s = sinf(rad);
    return plus(demo_along(v, demo_cross(axis, v), c, s), axis, demo_dot(axis, v) * (1 - c));
}

static demo_axes axes_turned(demo_axes a, demo_point axis, float rad)
{
    return (demo_axes){turned(a.front, axis, rad), turned(a.left, axis, rad),
                       turned(a.up, axis, rad)};
}

/* From hanging down, by `away_rad` towards the side (azimuth 0) or the front (a quarter turn). */
static demo_point swung(const demo_axes *a, demo_point side, float away_rad, float azimuth_rad)
{
    const demo_point towards = demo_along(side, a->front, cosf(azimuth_rad), sinf(azimuth_rad));
    return demo_along(a->up, towards, -cosf(away_rad), sinf(away_rad));
}

/* A bone's direction after a joint that bends by `rad` towards `where`. */
static demo_point bent(demo_point bone, demo_point where, float rad)
{
    const demo_point across = plus(where, bone, -demo_dot(where, bone));
    if (demo_dot(across, across) < 1e-4f)
        return bone;
    return demo_along(bone, demo_unit(across), cosf(rad), sinf(rad));
}

static void arm_make(demo_figure *f, demo_dice *d, const demo_axes *a, int side)
{
    const demo_point out = side == LEFT ? a->left : times(a->left, -1);
    const bool is_raised = demo_dice_happens(d, 0.3f);
    const float away =
        is_raised ? demo_dice_between(d, 1.2f, 2.7f) : demo_dice_between(d, 0.1f, 0.9f);
    const demo_point upper = swung(a, out, away, demo_dice_between(d, -0.4f, 1.4f));
    const demo_point inward = plus(plus(a->front, a->up, 0.5f), out, -0.3f);
    const demo_point fore = bent(upper, inward, demo_dice_between(d, 0.1f, 1.9f));
    demo_point *j = f->joints;
    j[DEMO_LEFT_SHOULDER + side] = plus(f->chest, out, 0.105f * f->height);
    j[DEMO_LEFT_ELBOW + side] = plus(j[DEMO_LEFT_SHOULDER + side], upper, 0.17f * f->height);
    j[DEMO_LEFT_WRIST + side] = plus(j[DEMO_LEFT_ELBOW + side], fore, 0.15f * f->height);
}

/* `squat`: how far both knees are bent, 0..1. */
static void leg_make(demo_figure *f, demo_dice *d, const demo_axes *a, int side, float squat)
{
    const demo_point out = side == LEFT ? a->left : times(a->left, -1);
    const demo_point behind = times(a->front, -1);
    const float step = demo_dice_between(d, -0.45f, 0.6f),
                apart = demo_dice_between(d, 0.02f, 0.3f);
    const float forward = step * (1 - squat) + 1.35f * squat;
    const demo_point thigh =
        demo_unit(plus(demo_along(a->up, a->front, -cosf(forward), sinf(forward)), out, apart));
    const float knee = demo_dice_between(d, 0.03f, 0.45f) * (1 - squat) + 1.7f * squat +
                       (step < 0 ? -0.8f * step * (1 - squat) : 0);
    const demo_point shin = bent(thigh, behind, knee);
    demo_point *j = f->joints;
    j[DEMO_LEFT_HIP + side] = plus(f->pelvis, out, 0.055f * f->height);
    j[DEMO_LEFT_KNEE + side] = plus(j[DEMO_LEFT_HIP + side], thigh, 0.245f * f->height);
    j[DEMO_LEFT_ANKLE + side] = plus(j[DEMO_LEFT_KNEE + side], shin, 0.235f * f->height);
    const demo_point flat = {a->front.x, -0.15f, a->front.z};
    f->toes[side] = plus(j[DEMO_LEFT_ANKLE + side], plus(flat, out, 0.25f), 0.075f * f->height);
}

static const float skull_r = 0.066f; /* of the height, as all that follow */

/* A direction of the face, from the middle of the head. */
static demo_point face_at(const demo_axes *h, float front, float left, float up)
{
    return demo_unit(plus(demo_along(h->front, h->left, front, left), h->up, up));
}

static demo_point face_direction(const demo_axes *h, demo_joint joint)
{
    static const float at[5][3] = {[DEMO_NOSE] = {1, 0, -0.12f},
                                   [DEMO_LEFT_EYE] = {0.88f, 0.38f, 0.2f},
                                   [DEMO_RIGHT_EYE] = {0.88f, -0.38f, 0.2f},
                                   [DEMO_LEFT_EAR] = {-0.08f, 1, 0},
                                   [DEMO_RIGHT_EAR] = {-0.08f, -1, 0}};
    return face_at(h, at[joint][0], at[joint][1], at[joint][2]);
}

static void head_make(demo_figure *f, demo_dice *d, const demo_axes *a)
{
    f->head = axes_turned(*a, a->up, demo_dice_between(d, -0.7f, 0.7f));
    f->head = axes_turned(f->head, f->head.left, demo_dice_between(d, -0.2f, 0.35f));
    f->neck = plus(f->chest, a->up, 0.035f * f->height);
    f->skull = plus(f->neck, f->head.up, 0.095f * f->height);
    for (demo_joint j = DEMO_NOSE; j <= DEMO_RIGHT_EAR; j++)
        f->joints[j] = plus(f->skull, face_direction(&f->head, j),
                            (j == DEMO_NOSE ? 1.08f : 1) * skull_r * f->height);
}

static void clothes_make(demo_figure *f, demo_dice *d)
{
    static const demo_color skins[] = {{0.93f, 0.77f, 0.66f},
                                       {0.86f, 0.66f, 0.52f},
                                       {0.72f, 0.51f, 0.37f},
                                       {0.5f, 0.34f, 0.24f},
                                       {0.36f, 0.24f, 0.18f}};
    static const demo_color hairs[] = {{0.1f, 0.08f, 0.07f},
                                       {0.28f, 0.17f, 0.1f},
                                       {0.55f, 0.36f, 0.18f},
                                       {0.78f, 0.66f, 0.42f},
                                       {0.62f, 0.6f, 0.58f}};
    f->skin = skins[demo_dice_below(d, (int)(sizeof skins / sizeof *skins))];
    f->hair = hairs[demo_dice_below(d, (int)(sizeof hairs / sizeof *hairs))];
    f->shirt = demo_color_between(d, 0.1f, 0.95f);
    f->trousers = demo_color_between(d, 0.05f, 0.7f);
    f->shoes = demo_color_between(d, 0.05f, 0.95f);
    f->long_sleeves = demo_dice_happens(d, 0.5f);
    f->long_legs = demo_dice_happens(d, 0.6f);
    f->salt = (uint32_t)demo_dice_below(d, 1 << 20);
}

demo_figure demo_figure_make(demo_dice *d, demo_point foot)
{
    demo_figure f = {.height = demo_dice_between(d, 1.5f, 1.9f)};
    /* Most face the camera, more or less; some show their back. */
    float yaw = demo_dice_between(d, -1.1f, 1.1f);
    if (demo_dice_happens(d, 0.08f))
        yaw = demo_dice_between(d, 2.1f, 4.2f);
    const demo_point up = {0, 1, 0};
    const demo_axes upright = {{sinf(yaw), 0, cosf(yaw)}, {cosf(yaw), 0, -sinf(yaw)}, up};
    const float squat = demo_dice_happens(d, 0.15f) ? demo_dice_between(d, 0.5f, 1) : 0;
    demo_axes body =
        axes_turned(upright, upright.left, demo_dice_between(d, -0.08f, 0.25f) + 0.25f * squat);
    body = axes_turned(body, upright.front, demo_dice_between(d, -0.15f, 0.15f));
    f.pelvis = foot;
    f.chest = plus(f.pelvis, body.up, 0.285f * f.height);
    for (int side = LEFT; side <= RIGHT; side++) {
        leg_make(&f, d, &upright, side, squat);
        arm_make(&f, d, &body, side);
    }
    head_make(&f, d, &body);
    clothes_make(&f, d);
    /* The lower foot stands. */
    const float low = fminf(f.joints[DEMO_LEFT_ANKLE].y, f.joints[DEMO_RIGHT_ANKLE].y);
    const float rise = 0.035f * f.height - low;
    for (int i = 0; i < DEMO_N_JOINTS; i++)
        f.joints[i].y += rise;
    demo_point *others[] = {&f.skull, &f.neck, &f.chest, &f.pelvis, &f.toes[0], &f.toes[1]};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        others[i]->y += rise;
    return f;
}

/* ---- limbs ---- */

/* What a shader needs of a piece. */
typedef struct piece {
    demo_color color;
    float r0, r1; /* half the widths at both ends, as shares of the wider one */
    float grain;  /* of the cloth */
    uint32_t salt;
    const demo_figure *f;               /* of a head */
    demo_point across, upward, outward; /* of a ball: to the right, up, and towards the eye */
} piece;

static float lit(float facing, float x)
{
    return 0.5f + 0.5f * facing - 0.12f * x;
}

static demo_ink limb_shader(const void *what, float s, float t)
{
    const piece *p = what;
    const float x = (2 * t - 1) / (p->r0 + (p->r1 - p->r0) * s);
    if (fabsf(x) > 1)
        return (demo_ink){.alpha = 0};
    const float fold = p->grain * (demo_noise(s * 6, x * 2.5f, p->salt) - 0.5f);
    return (demo_ink){demo_scale(p->color, lit(sqrtf(1 - x * x), x) + fold), 1};
}

static demo_ink ball_shader(const void *what, float s, float t)
{
    const piece *p = what;
    const float x = 2 * s - 1, y = 2 * t - 1, r2 = x * x + y * y;
    if (r2 > 1)
        return (demo_ink){.alpha = 0};
    return (demo_ink){demo_scale(p->color, lit(sqrtf(1 - r2), x)), 1};
}

static demo_ink head_shader(const void *what, float s, float t)
{
    const piece *p = what;
    const demo_figure *f = p->f;
    const demo_axes *h = &f->head;
    const float x = 2 * s - 1, y = 2 * t - 1, r2 = x * x + y * y;
    if (r2 > 1)
        return (demo_ink){.alpha = 0};
    const float facing = sqrtf(1 - r2);
    const demo_point n = plus(demo_along(p->across, p->upward, x, y), p->outward, facing);
    const float front = demo_dot(n, h->front), up = demo_dot(n, h->up);
    demo_color c = f->skin;
    if (up > 0.55f - 0.35f * (front < 0.2f ? 1 : 0) - 0.4f * (front < -0.25f ? 1 : 0))
        c = f->hair;
    for (demo_joint j = DEMO_LEFT_EYE; j <= DEMO_RIGHT_EYE; j++) {
        const float near = demo_dot(n, face_direction(h, j));
        if (near > 0.988f)
            c = (demo_color){0.06f, 0.05f, 0.06f};
        else if (near > 0.966f)
            c = (demo_color){0.97f, 0.97f, 0.97f};
    }
    const demo_point mouth = face_at(h, 0.9f, 0, -0.5f);
    if (demo_dot(n, mouth) > 0.95f && fabsf(up - demo_dot(mouth, h->up)) < 0.07f)
        c = (demo_color){0.62f, 0.2f, 0.2f};
    return (demo_ink){demo_scale(c, lit(facing, x)), 1};
}

/* A flat square of side 2 r before the eye. */
static void ball_paint(demo_canvas *c, demo_point at, float r, demo_shader shader, piece p,
                       int item)
{
    p.outward = demo_unit(demo_minus(c->camera.eye, at));
    p.across = demo_unit(demo_cross((demo_point){0, 1, 0}, p.outward));
    p.upward = demo_cross(p.outward, p.across);
    const demo_point corner = plus(plus(at, p.across, -r), p.upward, -r);
    const demo_plane plane = {corner, times(p.across, 2 * r), times(p.upward, 2 * r)};
    demo_paint(c, &plane, shader, &p, item);
}

static void bone_paint(demo_canvas *c, demo_point a, demo_point b, float ra, float rb, piece p,
                       int item)
{
    const demo_point along = demo_minus(b, a);
    const demo_point out = demo_minus(c->camera.eye, demo_along(a, b, 0.5f, 0.5f));
    const demo_point side = demo_cross(out, along);
    const float wide = fmaxf(ra, rb), size2 = demo_dot(side, side);
    ball_paint(c, a, ra, ball_shader, p, item);
    if (size2 > 1e-6f) {
        const demo_point across = demo_unit(side);
        const demo_plane plane = {plus(a, across, -wide), along, times(across, 2 * wide)};
        p.r0 = ra / wide;
        p.r1 = rb / wide;
        demo_paint(c, &plane, limb_shader, &p, item);
    }
    ball_paint(c, b, rb, ball_shader, p, item);
}

/* Ends and radii of the limbs (shares of the height), but for head and trunk. */
static const struct {
    demo_joint from, to;
    float r0, r1;
} limbs[DEMO_N_LIMBS] = {
    [DEMO_LEFT_FLANK] = {DEMO_LEFT_SHOULDER, DEMO_LEFT_HIP, 0.05f, 0.052f},
    [DEMO_RIGHT_FLANK] = {DEMO_RIGHT_SHOULDER, DEMO_RIGHT_HIP, 0.05f, 0.052f},
    [DEMO_LEFT_UPPER_ARM] = {DEMO_LEFT_SHOULDER, DEMO_LEFT_ELBOW, 0.036f, 0.028f},
    [DEMO_RIGHT_UPPER_ARM] = {DEMO_RIGHT_SHOULDER, DEMO_RIGHT_ELBOW, 0.036f, 0.028f},
    [DEMO_LEFT_FOREARM] = {DEMO_LEFT_ELBOW, DEMO_LEFT_WRIST, 0.027f, 0.021f},
    [DEMO_RIGHT_FOREARM] = {DEMO_RIGHT_ELBOW, DEMO_RIGHT_WRIST, 0.027f, 0.021f},
    [DEMO_LEFT_THIGH] = {DEMO_LEFT_HIP, DEMO_LEFT_KNEE, 0.055f, 0.038f},
    [DEMO_RIGHT_THIGH] = {DEMO_RIGHT_HIP, DEMO_RIGHT_KNEE, 0.055f, 0.038f},
    [DEMO_LEFT_SHIN] = {DEMO_LEFT_KNEE, DEMO_LEFT_ANKLE, 0.037f, 0.025f},
    [DEMO_RIGHT_SHIN] = {DEMO_RIGHT_KNEE, DEMO_RIGHT_ANKLE, 0.037f, 0.025f}};

static void head_paint(demo_canvas *c, const demo_figure *f, int item)
{
    const float h = f->height;
    const piece p = {.color = f->skin, .f = f, .salt = f->salt};
    const piece shade = {.color = demo_scale(f->skin, 0.8f), .salt = f->salt};
    /* The ear and the nose of the other side come before the head. */
    static const demo_joint bumps[] = {DEMO_LEFT_EAR, DEMO_RIGHT_EAR, DEMO_NOSE};
    const demo_point eye = demo_minus(c->camera.eye, f->skull);
    bone_paint(c, f->neck, f->skull, 0.032f * h, 0.032f * h, shade, item);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 3; i++) {
            const demo_point at = f->joints[bumps[i]];
            if ((demo_dot(demo_minus(at, f->skull), eye) > 0) == (pass == 1))
                ball_paint(c, at, (bumps[i] == DEMO_NOSE ? 0.013f : 0.019f) * h, ball_shader,
                           pass == 1 ? p : shade, item);
        }
        if (pass == 0)
            ball_paint(c, f->skull, skull_r * h, head_shader, p, item);
    }
}

static void trunk_paint(demo_canvas *c, const demo_figure *f, int item)
{
    const float h = f->height;
    const piece shirt = {.color = f->shirt, .grain = 0.25f, .salt = f->salt};
    const piece trousers = {.color = f->trousers, .grain = 0.2f, .salt = f->salt};
    const demo_point waist = demo_along(f->chest, f->pelvis, 0.2f, 0.8f);
    bone_paint(c, waist, f->pelvis, 0.068f * h, 0.068f * h, trousers, item);
    bone_paint(c, f->chest, waist, 0.07f * h, 0.066f * h, shirt, item);
}

static void limb_paint(demo_canvas *c, const demo_figure *f, demo_limb l, int item)
{
    const float h = f->height;
    const demo_point a = f->joints[limbs[l].from], b = f->joints[limbs[l].to];
    const int side = (int)(l - DEMO_LEFT_FLANK) % 2;
    piece p = {.color = f->shirt, .grain = 0.25f, .salt = f->salt + (uint32_t)l};
    const piece skin = {.color = f->skin, .salt = f->salt}, shoe = {.color = f->shoes};
    if (l == DEMO_LEFT_FLANK || l == DEMO_RIGHT_FLANK) {
        const demo_point waist = demo_along(a, b, 0.2f, 0.8f);
        bone_paint(c, a, waist, limbs[l].r0 * h, limbs[l].r1 * h, p, item);
        return;
    }
    if (l >= DEMO_LEFT_THIGH)
        p.color = f->trousers;
    const bool bare = l == DEMO_LEFT_FOREARM || l == DEMO_RIGHT_FOREARM ? !f->long_sleeves
                      : l >= DEMO_LEFT_SHIN                             ? !f->long_legs
                                                                        : false;
    if (bare)
        p = skin;
    if (l >= DEMO_LEFT_SHIN)
        bone_paint(c, plus(b, (demo_point){0, 1, 0}, -0.008f * h), f->toes[side], 0.028f * h,
                   0.02f * h, shoe, item);
    bone_paint(c, a, b, limbs[l].r0 * h, limbs[l].r1 * h, p, item);
    if (l == DEMO_LEFT_FOREARM || l == DEMO_RIGHT_FOREARM) {
        const demo_point hand = plus(b, demo_unit(demo_minus(b, a)), 0.03f * h);
        bone_paint(c, b, hand, 0.021f * h, 0.026f * h, skin, item);
    }
}

static float limb_distance(const demo_canvas *c, const demo_figure *f, demo_limb l)
{
    demo_point at = f->skull;
    float nearer = skull_r;
    if (l == DEMO_TRUNK) {
        at = demo_along(f->chest, f->pelvis, 0.5f, 0.5f);
        nearer = 0.06f;
    } else if (l != DEMO_HEAD) {
        at = demo_along(f->joints[limbs[l].from], f->joints[limbs[l].to], 0.5f, 0.5f);
        nearer = limbs[l].r0;
    }
    const demo_point d = demo_minus(at, c->camera.eye);
    return sqrtf(demo_dot(d, d)) - nearer * f->height;
}

void demo_figure_paint(demo_canvas *c, const demo_figure *f, int first_item)
{
    float distances[DEMO_N_LIMBS];
    bool is_done[DEMO_N_LIMBS] = {false};
    for (int l = 0; l < DEMO_N_LIMBS; l++)
        distances[l] = limb_distance(c, f, (demo_limb)l);
    for (int n = 0; n < DEMO_N_LIMBS; n++) {
        int next = -1;
        for (int l = 0; l < DEMO_N_LIMBS; l++)
            if (!is_done[l] && (next < 0 || distances[l] > distances[next]))
                next = l;
        is_done[next] = true;
        if (next == DEMO_HEAD)
            head_paint(c, f, first_item);
        else if (next == DEMO_TRUNK)
            trunk_paint(c, f, first_item + next);
        else
            limb_paint(c, f, (demo_limb)next, first_item + next);
    }
}

/* ---- what is seen ---- */

bool demo_figure_shows(const demo_canvas *c, const demo_figure *f, int first_item, demo_joint joint)
{
    float x, y;
    demo_project(c, f->joints[joint], &x, &y);
    if (joint <= DEMO_RIGHT_EAR) {
        const demo_point out = demo_unit(demo_minus(c->camera.eye, f->skull));
        /* Ears stand out: they are seen a little from behind as well. */
        const float least = joint >= DEMO_LEFT_EAR ? -0.15f : 0.05f;
        return demo_dot(out, face_direction(&f->head, joint)) > least &&
               demo_item_at(c, demo_floor(x), demo_floor(y)) == first_item + DEMO_HEAD;
    }
    const int shown = demo_item_at(c, demo_floor(x), demo_floor(y)) - first_item;
    if (joint == DEMO_LEFT_HIP || joint == DEMO_RIGHT_HIP) {
        /* The hips are in the trunk: seen unless it is between. */
        const demo_point from = demo_minus(f->joints[joint], f->pelvis);
        if (shown == DEMO_TRUNK && demo_dot(from, demo_minus(c->camera.eye, f->pelvis)) >
                                       -0.02f * f->height * c->camera.eye.z)
            return true;
    }
    for (int l = DEMO_LEFT_FLANK; l < DEMO_N_LIMBS; l++)
        if (shown == l && (limbs[l].from == joint || limbs[l].to == joint))
            return true;
    return false;
}
