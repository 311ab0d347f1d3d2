/* track.c: the tracker's steps, in the paper's order.
 *
 * The filter's eight states are four pairs (position, velocity) that never mix: noise and
 * measurement are diagonal, and motion couples a position with its own velocity alone. So it is
 * four filters of two states, each a handful of multiplications. */
#include "track.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "assignment.h"

enum { N_AXES = 4 }; /* centre x, centre y, aspect (w / h), height */

/* Deep SORT's weights: standard deviations as shares of the height. */
static const double POSITION_WEIGHT = 1.0 / 20, VELOCITY_WEIGHT = 1.0 / 160;
/* The later associations' limits, and when two tracks are one: the paper's code. */
static const float SECOND_LIMIT = 0.5f, UNCONFIRMED_LIMIT = 0.7f, SAME_COST = 0.15f;

typedef struct axis {
    double x, v;             /* position, velocity a frame */
    double p_xx, p_xv, p_vv; /* covariance */
} axis;

typedef enum phase { UNCONFIRMED, TRACKED, LOST, GONE } phase;

typedef struct track {
    int64_t id, began, seen; /* frames */
    phase phase;
    axis axes[N_AXES];
    float score;
    int class_index, detection;
    float xyxy[4]; /* of the filter, for IoU */
} track;

struct detect_tracker {
    detect_track_options options;
    track *tracks; /* (most_tracks), by id */
    size_t n;
    int64_t frame, next_id;
    uint64_t n_refused;
    float *cost;           /* (most_tracks, most_detections) */
    int *rows, *column_of; /* (most_tracks) */
    int *columns;          /* (most_detections) */
    bool *is_taken;        /* (most_detections) */
    detect_assignment *assignment;
};

/* ---- the filter ---- */

static double square(double x)
{
    return x * x;
}

/* Standard deviations of an axis for an object of that height. */
static double position_deviation(int a, double height, double weight, double of_aspect)
{
    return a == 2 ? of_aspect : weight * height;
}

static void measure(double z[N_AXES], const detect_box *b)
{
    const double w = (double)b->x2 - (double)b->x1, h = (double)b->y2 - (double)b->y1;
    z[0] = ((double)b->x1 + (double)b->x2) / 2;
    z[1] = ((double)b->y1 + (double)b->y2) / 2;
    z[2] = h > 0 ? w / h : 0;
    z[3] = h;
}

static void put_xyxy(track *t)
{
    const double h = t->axes[3].x, w = t->axes[2].x * h;
    t->xyxy[0] = (float)(t->axes[0].x - w / 2);
    t->xyxy[1] = (float)(t->axes[1].x - h / 2);
    t->xyxy[2] = (float)(t->axes[0].x + w / 2);
    t->xyxy[3] = (float)(t->axes[1].x + h / 2);
}

static void filter_begin(track *t, const detect_box *b)
{
    double z[N_AXES];
    measure(z, b);
    for (int a = 0; a < N_AXES; a++)
        t->axes[a] =
            (axis){.x = z[a],
                   .p_xx = square(position_deviation(a, z[3], 2 * POSITION_WEIGHT, 1e-2)),
                   .p_vv = square(position_deviation(a, z[3], 10 * VELOCITY_WEIGHT, 1e-5))};
    put_xyxy(t);
}

static void filter_predict(track *t)
{
    const double h = t->axes[3].x;
    if (t->phase == LOST)
        t->axes[3].v = 0; /* what is not seen does not go on growing */
    for (int a = 0; a < N_AXES; a++) {
        axis *f = &t->axes[a];
        f->x += f->v;
        f->p_xx += 2 * f->p_xv + f->p_vv + square(position_deviation(a, h, POSITION_WEIGHT, 1e-2));
        f->p_xv += f->p_vv;
        f->p_vv += square(position_deviation(a, h, VELOCITY_WEIGHT, 1e-5));
    }
    put_xyxy(t);
}

static void filter_update(track *t, const detect_box *b)
{
    double z[N_AXES];
    const double h = t->axes[3].x;
    measure(z, b);
    for (int a = 0; a < N_AXES; a++) {
        axis *f = &t->axes[a];
        const double s = f->p_xx + square(position_deviation(a, h, POSITION_WEIGHT, 1e-1));
        const double gain_x = f->p_xx / s, gain_v = f->p_xv / s, miss = z[a] - f->x;
        f->x += gain_x * miss;
        f->v += gain_v * miss;
        f->p_vv -= gain_v * f->p_xv;
        f->p_xv -= gain_x * f->p_xv;
        f->p_xx -= gain_x * f->p_xx;
    }
    put_xyxy(t);
}

/* ---- create ---- */

size_t detect_tracker_bytes(const detect_track_options *o)
{
    const size_t n = (size_t)o->most_tracks, m = (size_t)o->most_detections;
    return sizeof(detect_tracker) + n * sizeof(track) + n * m * sizeof(float) +
           (2 * n + m) * sizeof(int) + m * sizeof(bool) + detect_assignment_bytes(n, m);
}

vg_status detect_tracker_create(detect_tracker **out, const detect_track_options *o, base_mem *mem,
                                vg_error *err)
{
    *out = NULL;
    if (o->most_tracks < 1 || o->most_detections < 1 || o->track_buffer < 0)
        return base_fail(err, VG_ERR_ARGUMENT, "tracker", "give at least 1 track and 1 detection",
                         "bounds of %d tracks, %d detections, %d frames", o->most_tracks,
                         o->most_detections, o->track_buffer);
    const size_t n = (size_t)o->most_tracks, m = (size_t)o->most_detections;
    detect_tracker *t = base_alloc_zero(mem, 1, sizeof *t, err);
    if (t == NULL)
        return VG_ERR_MEMORY;
    t->options = *o;
    t->next_id = 1;
    t->tracks = base_alloc_zero(mem, n, sizeof *t->tracks, err);
    t->cost = base_alloc_zero(mem, n * m, sizeof *t->cost, err);
    t->rows = base_alloc_zero(mem, 2 * n + m, sizeof *t->rows, err);
    t->is_taken = base_alloc_zero(mem, m, sizeof *t->is_taken, err);
    vg_status st = VG_ERR_MEMORY;
    if (t->tracks != NULL && t->cost != NULL && t->rows != NULL && t->is_taken != NULL)
        st = detect_assignment_create(&t->assignment, n, m, mem, err);
    if (st != VG_OK) {
        detect_tracker_destroy(&t);
        return st;
    }
    t->column_of = t->rows + n;
    t->columns = t->column_of + n;
    *out = t;
    return VG_OK;
}

void detect_tracker_destroy(detect_tracker **tracker)
{
    detect_tracker *t = *tracker;
    if (t == NULL)
        return;
    base_free(t->tracks);
    base_free(t->cost);
    base_free(t->rows);
    base_free(t->is_taken);
    detect_assignment_destroy(&t->assignment);
    base_free(t);
    *tracker = NULL;
}

void detect_tracker_clear(detect_tracker *t)
{
    t->n = 0;
}

uint64_t detect_tracker_n_refused(const detect_tracker *t)
{
    return t->n_refused;
}

/* ---- association ---- */

static void meet(detect_tracker *t, track *k, const detect_box *b, int detection)
{
    filter_update(k, b);
    k->phase = TRACKED;
    k->seen = t->frame;
    k->score = b->score;
    k->class_index = b->class_index;
    k->detection = detection;
    t->is_taken[detection] = true;
}

/* Pairs the tracks of these phases that are not yet met with the free detections of low < score <=
 * high. */
static void associate(detect_tracker *t, const detect_box *boxes, size_t n_boxes, unsigned phases,
                      float low, float high, float limit, bool fuse)
{
    size_t n = 0, m = 0;
    for (size_t i = 0; i < t->n; i++)
        if ((phases >> t->tracks[i].phase & 1) && t->tracks[i].seen != t->frame)
            t->rows[n++] = (int)i;
    for (size_t j = 0; j < n_boxes; j++)
        if (!t->is_taken[j] && boxes[j].score > low && boxes[j].score <= high)
            t->columns[m++] = (int)j;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            const detect_box *b = &boxes[t->columns[j]];
            const float iou =
                detect_iou(t->tracks[t->rows[i]].xyxy, (const float[]){b->x1, b->y1, b->x2, b->y2});
            t->cost[i * m + j] = 1 - iou * (fuse ? b->score : 1);
        }
    detect_assignment_run(t->assignment, t->column_of, t->cost, n, m, limit);
    for (size_t i = 0; i < n; i++)
        if (t->column_of[i] >= 0) {
            const int detection = t->columns[t->column_of[i]];
            meet(t, &t->tracks[t->rows[i]], &boxes[detection], detection);
        }
}

static void begin(detect_tracker *t, const detect_box *b, int detection)
{
    if (t->n == (size_t)t->options.most_tracks) {
        t->n_refused++;
        return;
    }
    track *k = &t->tracks[t->n++];
    *k = (track){.id = t->next_id++,
                 .began = t->frame,
                 .seen = t->frame,
                 .phase = t->frame == 1 ? TRACKED : UNCONFIRMED, /* one sight may be a mistake */
                 .score = b->score,
                 .class_index = b->class_index,
                 .detection = detection};
    filter_begin(k, b);
}

/* A track and a lost one at the same place are one object: the older of them stays. */
static void drop_doubles(detect_tracker *t)
{
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < t->n; j++) {
            track *a = &t->tracks[i], *b = &t->tracks[j];
            if (a->phase != TRACKED || b->phase != LOST ||
                1 - detect_iou(a->xyxy, b->xyxy) >= SAME_COST)
                continue;
            const bool a_is_older = a->seen - a->began > b->seen - b->began;
            (a_is_older ? b : a)->phase = GONE;
        }
}

static void forget(detect_tracker *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->tracks[i].phase != GONE)
            t->tracks[kept++] = t->tracks[i];
    t->n = kept;
}

/* What was not met: seen a moment ago it is lost, seen once it was a mistake, lost for too long it
 * is gone. */
static void age(detect_tracker *t)
{
    for (size_t i = 0; i < t->n; i++) {
        track *k = &t->tracks[i];
        if (k->seen == t->frame)
            continue;
        if (k->phase == UNCONFIRMED || t->frame - k->seen > t->options.track_buffer)
            k->phase = GONE;
        else
            k->phase = LOST;
    }
}

size_t detect_tracker_step(detect_tracker *t, detect_tracked *out, const detect_box *boxes,
                           size_t n)
{
    const detect_track_options *o = &t->options;
    const unsigned tracked = 1u << TRACKED, lost = 1u << LOST, unconfirmed = 1u << UNCONFIRMED;
    t->frame++;
    if (n > (size_t)o->most_detections)
        n = (size_t)o->most_detections;
    memset(t->is_taken, 0, n * sizeof *t->is_taken);
    for (size_t i = 0; i < t->n; i++)
        filter_predict(&t->tracks[i]);
    /* Seen last frame: those may be met by a weak detection, the lost may not. */
    associate(t, boxes, n, tracked | lost, o->track_high_thresh, INFINITY, o->match_thresh,
              o->fuse_score);
    associate(t, boxes, n, tracked, o->track_low_thresh, o->track_high_thresh, SECOND_LIMIT, false);
    associate(t, boxes, n, unconfirmed, o->track_high_thresh, INFINITY, UNCONFIRMED_LIMIT,
              o->fuse_score);
    age(t);
    forget(t); /* makes room for the new */
    for (size_t j = 0; j < n; j++)
        if (!t->is_taken[j] && boxes[j].score > o->track_high_thresh &&
            boxes[j].score >= o->new_track_thresh)
            begin(t, &boxes[j], (int)j);
    drop_doubles(t);
    forget(t);
    size_t n_out = 0;
    for (size_t i = 0; i < t->n; i++) {
        const track *k = &t->tracks[i];
        if (k->phase != TRACKED || k->seen != t->frame)
            continue;
        out[n_out++] = (detect_tracked){
            .id = k->id,
            .box = {k->xyxy[0], k->xyxy[1], k->xyxy[2], k->xyxy[3], k->score, k->class_index},
            .detection = k->detection,
            .n_frames = t->frame - k->began + 1};
    }
    return n_out;
}
