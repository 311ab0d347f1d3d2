/* flow_similarity.c: the turn, zoom and shift that most pairs of points agree on: two pairs drawn
 * by lot give one, and the one that most others fit wins (RANSAC: M. Fischler, R. Bolles, CACM
 * 1981). Then the least squares of those that fit it.
 *
 * One answer goes before all others: where a good part of the points, in most of the picture, stand
 * still, the camera does, however large the lorry is that drives by.
 * The lots begin anew with each call: the same points give the same answer. */
#include <math.h>

#include "flow.h"

enum { MOST_DRAWS = 300, LEAST_AGREE = 10 };
static const float FITS = 1.5f; /* pixels */
/* Closer and closer: what moves almost as the camera does would bend the answer. */
static const float FINER[] = {1.5f, 1, 0.75f, 0.5f};
static const float APART = 8;           /* pixels between two points that are drawn */
static const double SURE = 0.999;       /* that one of the draws was of points that agree */
static const double LEAST_SHARE = 0.2;  /* of all that must agree */
static const double MOST_ZOOM = 1.5;    /* from one picture to the next */
static const float STILL = 0.5f;        /* pixels */
static const double STILL_SHARE = 0.12; /* of all, in three quarters of the picture at least: */
static const double STILL_QUARTER =
    0.02; /* so much of all in each. A bonnet and a clock stay in two */
static const uint64_t SEED = 20220629; /* any */

typedef struct pairs {
    const flow_point *from, *to;
    size_t n;
} pairs;

static bool fits(const image_similarity *s, flow_point p, flow_point q, float most)
{
    const float a = (float)s->a, b = (float)s->b;
    const float dx = a * p.x - b * p.y + (float)s->x - q.x,
                dy = b * p.x + a * p.y + (float)s->y - q.y;
    return dx * dx + dy * dy < most * most;
}

static size_t count(const image_similarity *s, const pairs *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += fits(s, p->from[i], p->to[i], FITS);
    return n;
}

/* From two pairs exactly; false when they are too near each other. */
static bool from_two(image_similarity *out, const pairs *p, size_t i, size_t j)
{
    const double x = (double)(p->from[j].x - p->from[i].x),
                 y = (double)(p->from[j].y - p->from[i].y), u = (double)(p->to[j].x - p->to[i].x),
                 v = (double)(p->to[j].y - p->to[i].y);
    const double n = x * x + y * y;
    if (n < (double)(APART * APART))
        return false;
    out->a = (x * u + y * v) / n;
    out->b = (x * v - y * u) / n;
    out->x = (double)p->to[i].x - (out->a * (double)p->from[i].x - out->b * (double)p->from[i].y);
    out->y = (double)p->to[i].y - (out->b * (double)p->from[i].x + out->a * (double)p->from[i].y);
    return true;
}

/* Least squares over the pairs that `by` puts at most so far apart; false when they are too few. */
static bool from_those_that_fit(image_similarity *out, const pairs *p, const image_similarity *by,
                                float most)
{
    double n = 0, x = 0, y = 0, u = 0, v = 0, norm = 0, along = 0, across = 0;
    for (size_t i = 0; i < p->n; i++)
        if (fits(by, p->from[i], p->to[i], most)) {
            n++;
            x += (double)p->from[i].x;
            y += (double)p->from[i].y;
            u += (double)p->to[i].x;
            v += (double)p->to[i].y;
        }
    if (n < LEAST_AGREE)
        return false;
    x /= n;
    y /= n;
    u /= n;
    v /= n;
    for (size_t i = 0; i < p->n; i++)
        if (fits(by, p->from[i], p->to[i], most)) {
            const double dx = (double)p->from[i].x - x, dy = (double)p->from[i].y - y,
                         du = (double)p->to[i].x - u, dv = (double)p->to[i].y - v;
            norm += dx * dx + dy * dy;
            along += dx * du + dy * dv;
            across += dx * dv - dy * du;
        }
    if (norm <= 0)
        return false;
    const double a = along / norm, b = across / norm;
    *out = (image_similarity){a, b, u - (a * x - b * y), v - (b * x + a * y)};
    return true;
}

/* Draws after which one was good with that certainty, when that share agrees. */
static int draws_for(double share)
{
    const double good = share * share;
    if (good >= 1)
        return 1;
    const double n = good > 0 ? log(1 - SURE) / log(1 - good) : MOST_DRAWS;
    return n < MOST_DRAWS ? (int)ceil(n) : MOST_DRAWS;
}

static bool stands_still(const pairs *p)
{
    const image_similarity still = {.a = 1};
    size_t in_quarter[4] = {0}, n = 0, n_quarters = 0;
    flow_point least = p->from[0], most = p->from[0];
    for (size_t i = 1; i < p->n; i++) {
        least.x = fminf(least.x, p->from[i].x);
        least.y = fminf(least.y, p->from[i].y);
        most.x = fmaxf(most.x, p->from[i].x);
        most.y = fmaxf(most.y, p->from[i].y);
    }
    for (size_t i = 0; i < p->n; i++)
        if (fits(&still, p->from[i], p->to[i], STILL)) {
            const int right = 2 * p->from[i].x > least.x + most.x,
                      below = 2 * p->from[i].y > least.y + most.y;
            in_quarter[2 * below + right]++;
            n++;
        }
    for (int i = 0; i < 4; i++)
        n_quarters += (double)in_quarter[i] >= STILL_QUARTER * (double)p->n;
    return (double)n >= STILL_SHARE * (double)p->n && n_quarters >= 3;
}

/* The one that most agree on, of those that the draws give; false: too few do. */
static bool draw_lots(image_similarity *out, const pairs *p)
{
    base_rng r = base_rng_make(SEED);
    size_t most = count(out, p);
    for (int i = 0, enough = draws_for((double)most / (double)p->n); i < enough; i++) {
        image_similarity s;
        const size_t one = (size_t)base_rng_below(&r, p->n),
                     other = (size_t)base_rng_below(&r, p->n);
        const size_t agree = from_two(&s, p, one, other) ? count(&s, p) : 0;
        if (agree <= most)
            continue;
        most = agree;
        *out = s;
        enough = draws_for((double)most / (double)p->n);
    }
    return most >= LEAST_AGREE && (double)most >= LEAST_SHARE * (double)p->n;
}

bool flow_similarity(image_similarity *out, const flow_point *from, const flow_point *to, size_t n)
{
    const pairs p = {from, to, n};
    *out = (image_similarity){.a = 1}; /* what stands still needs no draw */
    if (n < LEAST_AGREE)
        return false;
    if (stands_still(&p)) {
        from_those_that_fit(out, &p, out, STILL);
        return true;
    }
    if (!draw_lots(out, &p))
        return false;
    for (size_t i = 0; i < sizeof FINER / sizeof *FINER; i++)
        if (!from_those_that_fit(out, &p, out, FINER[i]))
            break;
    const double zoom = sqrt(out->a * out->a + out->b * out->b);
    return zoom < MOST_ZOOM && zoom > 1 / MOST_ZOOM;
}
