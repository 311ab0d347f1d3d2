/* assign.c: task-aligned assignment, picture by picture (spec 3.2; the steps' numbers below are the
 * spec's). Memory: the caller's scratch. Threads: any, each with its own scratch. */
#include "assign.h"

#include <math.h>

#include "maths.h"

static const double EPS = 1e-9;

/* What the steps share. */
typedef struct assigner {
    const detect_assign_shape *shape;
    const detect_level *levels;
    int n_levels, picture;
    const detect_truth *truths;
    size_t n_truths;
    detect_assign_scratch *scratch;
} assigner;

/* Where an anchor is. */
typedef struct anchor_place {
    const detect_level *level;
    size_t index; /* over all levels */
    size_t pixel; /* of the level's map, this picture */
    int x, y;
} anchor_place;

size_t detect_assign_scratch_bytes(const detect_assign_shape *shape, size_t most_anchors,
                                   size_t most_truths)
{
    return base_round_up(most_anchors * shape->box_floats * sizeof(float), BASE_MEM_ALIGN) +
           base_round_up(most_anchors, BASE_MEM_ALIGN) +
           base_round_up(most_truths * DETECT_TOPK * sizeof(int32_t), BASE_MEM_ALIGN) +
           base_round_up(most_truths * 2 * sizeof(float), BASE_MEM_ALIGN);
}

detect_assign_scratch detect_assign_scratch_make(const detect_assign_shape *shape, void *block,
                                                 size_t most_anchors, size_t most_truths)
{
    char *at = block;
    detect_assign_scratch s = {.boxes = block};
    at += base_round_up(most_anchors * shape->box_floats * sizeof(float), BASE_MEM_ALIGN);
    s.decoded = (uint8_t *)at;
    at += base_round_up(most_anchors, BASE_MEM_ALIGN);
    s.top = (int32_t *)(void *)at;
    at += base_round_up(most_truths * DETECT_TOPK * sizeof(int32_t), BASE_MEM_ALIGN);
    s.most = (float *)(void *)at;
    return s;
}

static anchor_place place_find(const assigner *a, size_t index)
{
    const detect_level *l = a->levels;
    size_t in_level = index;
    for (; in_level >= detect_level_pixels(l); l++)
        in_level -= detect_level_pixels(l);
    return (anchor_place){.level = l,
                          .index = index,
                          .pixel = (size_t)a->picture * detect_level_pixels(l) + in_level,
                          .x = (int)(in_level % (size_t)l->w),
                          .y = (int)(in_level / (size_t)l->w)};
}

static const float *predicted_box(const assigner *a, const anchor_place *p)
{
    float *box = a->scratch->boxes + a->shape->box_floats * p->index;
    if (a->scratch->decoded[p->index])
        return box;
    a->shape->decode(box, p->level, p->pixel, p->x, p->y);
    a->scratch->decoded[p->index] = 1;
    return box;
}

static bool inside(const assigner *a, const anchor_place *p, const float outline[8])
{
    return a->shape->is_inside(outline, ((float)p->x + 0.5f) * p->level->stride,
                               ((float)p->y + 0.5f) * p->level->stride);
}

/* Step 2: how well anchor and object fit; 0 outside it. In float, so that the metric fades to 0
 * where the reference's does. */
static float overlap_of(const assigner *a, const anchor_place *p, const detect_truth *t)
{
    float outline[8], bounds[4];
    if (!a->shape->is_valid(t))
        return 0;
    a->shape->outline(outline, bounds, t);
    return inside(a, p, outline) ? a->shape->overlap(t, predicted_box(a, p)) : 0;
}

static float metric_of(const anchor_place *p, const detect_truth *t, float overlap)
{
    float logit = p->level->cls[p->pixel * p->level->cls_pitch + (size_t)t->class_index];
    float o3 = overlap * overlap * overlap;
    return sqrtf(detect_sigmoid(logit)) * (o3 * o3);
}

/* Keeps the ten best of an object, best first; equal ones in the order of their anchors. */
static void top_insert(int32_t *top, float *metrics, int *n, int32_t anchor, float metric)
{
    if (!(metric > 0) || (*n == DETECT_TOPK && metric <= metrics[DETECT_TOPK - 1]))
        return;
    int at = *n < DETECT_TOPK ? (*n)++ : DETECT_TOPK - 1;
    for (; at > 0 && metrics[at - 1] < metric; at--) {
        metrics[at] = metrics[at - 1];
        top[at] = top[at - 1];
    }
    metrics[at] = metric;
    top[at] = anchor;
}

/* The cells [*begin, *end) of a side of n whose centres may lie inside [low, high]: a cell more on
 * each side. */
static void cells_between(int *begin, int *end, float low, float high, float stride, int n)
{
    float first = floorf(low / stride) - 1, last = ceilf(high / stride) + 1;
    *begin = first > 0 ? first < (float)n ? (int)first : n : 0;
    *end = last < (float)n ? last > 0 ? (int)last : 0 : n;
}

/* Steps 1 to 3 for one object. */
static void choose_top(const assigner *a, size_t truth)
{
    const detect_truth *t = &a->truths[truth];
    int32_t *top = a->scratch->top + truth * DETECT_TOPK;
    float metrics[DETECT_TOPK], outline[8], bounds[4];
    int n = 0;
    size_t first = 0;
    for (int k = 0; k < DETECT_TOPK; k++)
        top[k] = -1;
    if (!a->shape->is_valid(t))
        return;
    a->shape->outline(outline, bounds, t);
    for (int i = 0; i < a->n_levels; first += detect_level_pixels(&a->levels[i]), i++) {
        const detect_level *l = &a->levels[i];
        int x0, x1, y0, y1;
        cells_between(&x0, &x1, bounds[0], bounds[2], l->stride, l->w);
        cells_between(&y0, &y1, bounds[1], bounds[3], l->stride, l->h);
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                size_t cell = (size_t)y * (size_t)l->w + (size_t)x;
                anchor_place p = {l, first + cell,
                                  (size_t)a->picture * detect_level_pixels(l) + cell, x, y};
                float overlap =
                    inside(a, &p, outline) ? a->shape->overlap(t, predicted_box(a, &p)) : 0;
                if (overlap > 0)
                    top_insert(top, metrics, &n, (int32_t)p.index, metric_of(&p, t, overlap));
            }
    }
}

/* Step 4 for an anchor that several objects chose: the object that fits best among all, the first
 * on ties. */
static int32_t best_truth(const assigner *a, size_t anchor)
{
    anchor_place p = place_find(a, anchor);
    int32_t best = 0;
    float most = -1;
    for (size_t g = 0; g < a->n_truths; g++) {
        float overlap = overlap_of(a, &p, &a->truths[g]);
        if (overlap > most) {
            most = overlap;
            best = (int32_t)g;
        }
    }
    return best;
}

enum { NOBODY = -1, SEVERAL = -2 };

/* Steps 4 and 5. */
static void settle(int32_t *truth_index, const assigner *a)
{
    for (size_t g = 0; g < a->n_truths; g++)
        for (int k = 0; k < DETECT_TOPK; k++) {
            int32_t anchor = a->scratch->top[g * DETECT_TOPK + (size_t)k];
            if (anchor < 0)
                break;
            truth_index[anchor] = truth_index[anchor] == NOBODY ? (int32_t)g : SEVERAL;
        }
    for (size_t i = 0; i < a->n_truths * DETECT_TOPK; i++) {
        int32_t anchor = a->scratch->top[i];
        if (anchor >= 0 && truth_index[anchor] == SEVERAL)
            truth_index[anchor] = best_truth(a, (size_t)anchor);
    }
}

/* Step 6. The chosen anchors are those of the top lists, some of them several times, which does no
 * harm. */
static double weigh(float *weight, const int32_t *truth_index, const assigner *a)
{
    const int32_t *top = a->scratch->top;
    size_t n = a->n_truths * DETECT_TOPK;
    double sum = 0;
    memset(a->scratch->most, 0, a->n_truths * 2 * sizeof(float));
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            int32_t anchor = top[i];
            if (anchor < 0 || weight[anchor] > 0)
                continue;
            size_t g = (size_t)truth_index[anchor];
            anchor_place p = place_find(a, (size_t)anchor);
            float overlap = overlap_of(a, &p, &a->truths[g]),
                  metric = metric_of(&p, &a->truths[g], overlap);
            float *most = a->scratch->most + 2 * g;
            if (pass == 0) {
                most[0] = detect_max(metric, most[0]);
                most[1] = detect_max(overlap, most[1]);
            } else {
                weight[anchor] = (float)(metric * (double)most[1] / (most[0] + EPS));
                sum += weight[anchor];
            }
        }
    return sum;
}

double detect_assign(const detect_assign_shape *shape, int32_t *truth_index, float *weight,
                     const detect_level *levels, int n_levels, int picture,
                     const detect_truth *truths, size_t n_truths, detect_assign_scratch *scratch)
{
    const assigner a = {shape, levels, n_levels, picture, truths, n_truths, scratch};
    size_t n_anchors = detect_n_anchors(levels, n_levels);
    for (size_t i = 0; i < n_anchors; i++)
        truth_index[i] = NOBODY;
    memset(weight, 0, n_anchors * sizeof *weight);
    memset(scratch->decoded, 0, n_anchors);
    for (size_t g = 0; g < n_truths; g++)
        choose_top(&a, g);
    settle(truth_index, &a);
    return weigh(weight, truth_index, &a);
}
