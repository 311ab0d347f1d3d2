/* filter.c: the two Kalman filters.
 *
 * Noise and measurement are diagonal, and motion couples a position with its own velocity alone. So
 * the eight states of ByteTrack's are four filters of two, each a handful of multiplications.
 * BoT-SORT's camera turns x and y into each other, and width and height: two filters of four. */
#include "filter.h"

#include <string.h>

/* Deep SORT's weights: standard deviations as shares of the object's size. */
static const double POSITION_WEIGHT = 1.0 / 20, VELOCITY_WEIGHT = 1.0 / 160;

static double square(double x)
{
    return x * x;
}

/* Centre, width and height. */
static void measure(double z[4], const vg_detection *b)
{
    z[0] = ((double)b->x1 + (double)b->x2) / 2;
    z[1] = ((double)b->y1 + (double)b->y2) / 2;
    z[2] = (double)b->x2 - (double)b->x1;
    z[3] = (double)b->y2 - (double)b->y1;
}

static void put_box(float xyxy[4], double x, double y, double w, double h)
{
    xyxy[0] = (float)(x - w / 2);
    xyxy[1] = (float)(y - h / 2);
    xyxy[2] = (float)(x + w / 2);
    xyxy[3] = (float)(y + h / 2);
}

/* ---- ByteTrack's ---- */

/* Standard deviations of an axis for an object of that height. */
static double axis_deviation(int a, double height, double weight, double of_aspect)
{
    return a == 2 ? of_aspect : weight * height;
}

static void axes_measure(double z[FILTER_N_AXES], const vg_detection *b)
{
    measure(z, b);
    z[2] = z[3] > 0 ? z[2] / z[3] : 0;
}

static void axes_begin(filter_axis *axes, const vg_detection *b)
{
    double z[FILTER_N_AXES];
    axes_measure(z, b);
    for (int a = 0; a < FILTER_N_AXES; a++)
        axes[a] =
            (filter_axis){.x = z[a],
                          .p_xx = square(axis_deviation(a, z[3], 2 * POSITION_WEIGHT, 1e-2)),
                          .p_vv = square(axis_deviation(a, z[3], 10 * VELOCITY_WEIGHT, 1e-5))};
}

static void axes_predict(filter_axis *axes, bool is_lost)
{
    const double h = axes[3].x;
    if (is_lost)
        axes[3].v = 0;
    for (int a = 0; a < FILTER_N_AXES; a++) {
        filter_axis *f = &axes[a];
        f->x += f->v;
        f->p_xx += 2 * f->p_xv + f->p_vv + square(axis_deviation(a, h, POSITION_WEIGHT, 1e-2));
        f->p_xv += f->p_vv;
        f->p_vv += square(axis_deviation(a, h, VELOCITY_WEIGHT, 1e-5));
    }
}

static void axes_update(filter_axis *axes, const vg_detection *b)
{
    double z[FILTER_N_AXES];
    const double h = axes[3].x;
    axes_measure(z, b);
    for (int a = 0; a < FILTER_N_AXES; a++) {
        filter_axis *f = &axes[a];
        const double s = f->p_xx + square(axis_deviation(a, h, POSITION_WEIGHT, 1e-1));
        const double gain_x = f->p_xx / s, gain_v = f->p_xv / s, miss = z[a] - f->x;
        f->x += gain_x * miss;
        f->v += gain_v * miss;
        f->p_vv -= gain_v * f->p_xv;
        f->p_xv -= gain_x * f->p_xv;
        f->p_xx -= gain_x * f->p_xx;
    }
}

/* ---- BoT-SORT's ---- */

/* size: width and height, which the noise of both pairs is a share of. */
static void pair_begin(filter_pair *f, const double z[2], const double size[2])
{
    *f = (filter_pair){.s = {z[0], z[1]}};
    for (int i = 0; i < 2; i++) {
        f->p[i][i] = square(2 * POSITION_WEIGHT * size[i]);
        f->p[i + 2][i + 2] = square(10 * VELOCITY_WEIGHT * size[i]);
    }
}

/* Row and column i of the positions take up those of their velocities. */
static void pair_predict(filter_pair *f, const double size[2])
{
    for (int i = 0; i < 2; i++)
        f->s[i] += f->s[i + 2];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++)
            f->p[i][j] += f->p[i + 2][j];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 2; j++)
            f->p[i][j] += f->p[i][j + 2];
    for (int i = 0; i < 2; i++) {
        f->p[i][i] += square(POSITION_WEIGHT * size[i]);
        f->p[i + 2][i + 2] += square(VELOCITY_WEIGHT * size[i]);
    }
}

static void pair_update(filter_pair *f, const double z[2], const double size[2])
{
    const double s00 = f->p[0][0] + square(POSITION_WEIGHT * size[0]),
                 s11 = f->p[1][1] + square(POSITION_WEIGHT * size[1]), s01 = f->p[0][1],
                 by = 1 / (s00 * s11 - s01 * s01);
    const double miss[2] = {z[0] - f->s[0], z[1] - f->s[1]};
    double gain[4][2], measured[2][4];
    memcpy(measured, f->p, sizeof measured);
    for (int i = 0; i < 4; i++) {
        gain[i][0] = (f->p[i][0] * s11 - f->p[i][1] * s01) * by;
        gain[i][1] = (f->p[i][1] * s00 - f->p[i][0] * s01) * by;
        f->s[i] += gain[i][0] * miss[0] + gain[i][1] * miss[1];
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            f->p[i][j] -= gain[i][0] * measured[0][j] + gain[i][1] * measured[1][j];
}

static void turn(double *p, double *q, const detect_camera *c)
{
    const double was_p = *p, was_q = *q;
    *p = c->a * was_p - c->b * was_q;
    *q = c->b * was_p + c->a * was_q;
}

static void pair_turn(filter_pair *f, const detect_camera *c)
{
    for (int i = 0; i < 4; i += 2) {
        turn(&f->s[i], &f->s[i + 1], c);
        for (int j = 0; j < 4; j++)
            turn(&f->p[i][j], &f->p[i + 1][j], c);
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j += 2)
            turn(&f->p[i][j], &f->p[i][j + 1], c);
}

/* ---- both ---- */

void filter_begin(detect_filter *f, detect_track_kind kind, const vg_detection *b)
{
    double z[4];
    if (kind == DETECT_TRACK_BYTE) {
        axes_begin(f->axes, b);
        return;
    }
    measure(z, b);
    for (int i = 0; i < FILTER_N_PAIRS; i++)
        pair_begin(&f->pairs[i], z + 2 * i, z + 2);
}

void filter_predict(detect_filter *f, detect_track_kind kind, bool is_lost)
{
    if (kind == DETECT_TRACK_BYTE) {
        axes_predict(f->axes, is_lost);
        return;
    }
    const double size[2] = {f->pairs[1].s[0], f->pairs[1].s[1]};
    if (is_lost)
        f->pairs[1].s[2] = f->pairs[1].s[3] = 0;
    for (int i = 0; i < FILTER_N_PAIRS; i++)
        pair_predict(&f->pairs[i], size);
}

void filter_update(detect_filter *f, detect_track_kind kind, const vg_detection *b)
{
    double z[4];
    if (kind == DETECT_TRACK_BYTE) {
        axes_update(f->axes, b);
        return;
    }
    const double size[2] = {f->pairs[1].s[0], f->pairs[1].s[1]};
    measure(z, b);
    for (int i = 0; i < FILTER_N_PAIRS; i++)
        pair_update(&f->pairs[i], z + 2 * i, size);
}

void filter_follow(detect_filter *f, const detect_camera *c)
{
    for (int i = 0; i < FILTER_N_PAIRS; i++)
        pair_turn(&f->pairs[i], c);
    f->pairs[0].s[0] += c->x;
    f->pairs[0].s[1] += c->y;
}

void filter_box(float xyxy[4], const detect_filter *f, detect_track_kind kind)
{
    const filter_axis *a = f->axes;
    const double *centre = f->pairs[0].s, *size = f->pairs[1].s;
    if (kind == DETECT_TRACK_BYTE)
        put_box(xyxy, a[0].x, a[1].x, a[2].x * a[3].x, a[3].x);
    else
        put_box(xyxy, centre[0], centre[1], size[0], size[1]);
}
