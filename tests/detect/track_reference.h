/* track_reference.h: ByteTrack and BoT-SORT as one reads them: algorithm 1 line by line, whole
 * matrices, pairs found by trying all. Slow, and for test_track_steps.c alone.
 *
 * Source: Y. Zhang et al., ByteTrack, ECCV 2022, algorithm 1 (its lines are in the comments) and
 * section 3.2; Kalman filter: N. Wojke et al., Deep SORT, ICIP 2017. N. Aharon et al., BoT-SORT,
 * arXiv 2206.14651: equations 1 to 6 are its filter, 7 to 11 its camera. */
#ifndef TESTS_TRACK_REFERENCE_H
#define TESTS_TRACK_REFERENCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detect.h"

enum { REF_STATES = 8, REF_MEASURED = 4, REF_MOST = 64 };

typedef double ref_state[REF_STATES];
typedef double ref_covariance[REF_STATES][REF_STATES];
typedef enum ref_phase { REF_NEW, REF_TRACKED, REF_LOST, REF_REMOVED } ref_phase;

typedef struct ref_track {
    int64_t id, began, seen;
    ref_phase phase;
    detect_track_kind kind;
    ref_state x; /* centre, aspect (BOT: width), height, and their velocities */
    ref_covariance p;
    float score;
    int detection;
} ref_track;

/* What happened, so that a test can see that each line was at work. */
typedef struct ref_counts {
    int first, found_again, second, confirmed, doubted, begun, lost, expired, doubles, too_weak;
} ref_counts;

typedef struct ref_tracker {
    detect_track_options o;
    ref_track tracks[REF_MOST];
    int n;
    int64_t frame, next_id;
    ref_counts counts;
} ref_tracker;

/* ---- the Kalman filter, in matrices ---- */

static inline void ref_noise(ref_state out, const ref_track *t, double position, double velocity,
                             double aspect, double aspect_velocity)
{
    const double w = t->x[2], h = t->x[3];
    const double byte[REF_STATES] = {position * h, position * h, aspect,          position * h,
                                     velocity * h, velocity * h, aspect_velocity, velocity * h};
    const double bot[REF_STATES] = {position * w, position * h, position * w, position * h,
                                    velocity * w, velocity * h, velocity * w, velocity * h};
    const double *d = t->kind == DETECT_TRACK_BOT ? bot : byte;
    for (int i = 0; i < REF_STATES; i++)
        out[i] = d[i] * d[i];
}

static inline void ref_measure(double z[REF_MEASURED], detect_track_kind kind,
                               const vg_detection *b)
{
    const double w = (double)b->x2 - (double)b->x1, h = (double)b->y2 - (double)b->y1;
    z[0] = (double)b->x1 + w / 2;
    z[1] = (double)b->y1 + h / 2;
    z[2] = kind == DETECT_TRACK_BOT ? w : w / h;
    z[3] = h;
}

static inline void ref_initiate(ref_track *t, const vg_detection *b)
{
    ref_state variance;
    memset(t->x, 0, sizeof t->x);
    memset(t->p, 0, sizeof t->p);
    ref_measure(t->x, t->kind, b);
    ref_noise(variance, t, 2. / 20, 10. / 160, 1e-2, 1e-5);
    for (int i = 0; i < REF_STATES; i++)
        t->p[i][i] = variance[i];
}

/* x = F x, P = F P F^T + Q, where F is one with ones four to the right of the diagonal. */
static inline void ref_predict(ref_track *t)
{
    ref_state x, q;
    ref_covariance f = {0}, fp = {0}, p = {0};
    if (t->phase == REF_LOST)
        t->x[7] = 0;
    if (t->phase == REF_LOST && t->kind == DETECT_TRACK_BOT)
        t->x[6] = 0;
    ref_noise(q, t, 1. / 20, 1. / 160, 1e-2, 1e-5);
    for (int i = 0; i < REF_STATES; i++) {
        f[i][i] = 1;
        if (i < REF_MEASURED)
            f[i][i + REF_MEASURED] = 1;
    }
    for (int i = 0; i < REF_STATES; i++) {
        x[i] = 0;
        for (int j = 0; j < REF_STATES; j++) {
            x[i] += f[i][j] * t->x[j];
            for (int k = 0; k < REF_STATES; k++)
                fp[i][j] += f[i][k] * t->p[k][j];
        }
    }
    for (int i = 0; i < REF_STATES; i++)
        for (int j = 0; j < REF_STATES; j++) {
            for (int k = 0; k < REF_STATES; k++)
                p[i][j] += fp[i][k] * f[j][k];
            p[i][j] += i == j ? q[i] : 0;
        }
    memcpy(t->x, x, sizeof x);
    memcpy(t->p, p, sizeof p);
}

/* x = M x + T, P = M P M^T: the camera's turn in every pair of states, its shift in the centre. */
static inline void ref_camera(ref_track *t, const detect_camera *c)
{
    ref_state x = {c->x, c->y};
    ref_covariance m = {0}, mp = {0}, p = {0};
    for (int i = 0; i < REF_STATES; i += 2) {
        m[i][i] = m[i + 1][i + 1] = c->a;
        m[i][i + 1] = -c->b;
        m[i + 1][i] = c->b;
    }
    for (int i = 0; i < REF_STATES; i++)
        for (int j = 0; j < REF_STATES; j++) {
            x[i] += m[i][j] * t->x[j];
            for (int k = 0; k < REF_STATES; k++)
                mp[i][j] += m[i][k] * t->p[k][j];
        }
    for (int i = 0; i < REF_STATES; i++)
        for (int j = 0; j < REF_STATES; j++)
            for (int k = 0; k < REF_STATES; k++)
                p[i][j] += mp[i][k] * m[j][k];
    memcpy(t->x, x, sizeof x);
    memcpy(t->p, p, sizeof p);
}

/* a (4 x 4) becomes its inverse: Gauss and Jordan with pivots. */
static inline void ref_invert(double a[REF_MEASURED][REF_MEASURED])
{
    double m[REF_MEASURED][2 * REF_MEASURED] = {0};
    for (int i = 0; i < REF_MEASURED; i++) {
        memcpy(m[i], a[i], sizeof a[i]);
        m[i][REF_MEASURED + i] = 1;
    }
    for (int c = 0; c < REF_MEASURED; c++) {
        int pivot = c;
        for (int i = c + 1; i < REF_MEASURED; i++)
            pivot = fabs(m[i][c]) > fabs(m[pivot][c]) ? i : pivot;
        for (int k = 0; k < 2 * REF_MEASURED; k++) {
            const double kept = m[c][k];
            m[c][k] = m[pivot][k];
            m[pivot][k] = kept;
        }
        const double by = m[c][c];
        for (int k = 0; k < 2 * REF_MEASURED; k++)
            m[c][k] /= by;
        for (int i = 0; i < REF_MEASURED; i++) {
            const double share = m[i][c];
            for (int k = 0; k < 2 * REF_MEASURED && i != c; k++)
                m[i][k] -= share * m[c][k];
        }
    }
    for (int i = 0; i < REF_MEASURED; i++)
        memcpy(a[i], &m[i][REF_MEASURED], sizeof a[i]);
}

/* S = H P H^T + R, K = P H^T S^-1, x += K (z - H x), P -= K S K^T. */
static inline void ref_update(ref_track *t, const vg_detection *b)
{
    double z[REF_MEASURED], s[REF_MEASURED][REF_MEASURED], inverse[REF_MEASURED][REF_MEASURED];
    double gain[REF_STATES][REF_MEASURED] = {0};
    ref_state r;
    ref_measure(z, t->kind, b);
    ref_noise(r, t, 1. / 20, 0, 1e-1, 0);
    for (int i = 0; i < REF_MEASURED; i++)
        for (int j = 0; j < REF_MEASURED; j++)
            inverse[i][j] = s[i][j] = t->p[i][j] + (i == j ? r[i] : 0);
    ref_invert(inverse);
    for (int i = 0; i < REF_STATES; i++)
        for (int j = 0; j < REF_MEASURED; j++)
            for (int k = 0; k < REF_MEASURED; k++)
                gain[i][j] += t->p[i][k] * inverse[k][j];
    double miss[REF_MEASURED];
    for (int j = 0; j < REF_MEASURED; j++)
        miss[j] = z[j] - t->x[j];
    for (int i = 0; i < REF_STATES; i++)
        for (int j = 0; j < REF_MEASURED; j++)
            t->x[i] += gain[i][j] * miss[j];
    for (int i = 0; i < REF_STATES; i++)
        for (int j = 0; j < REF_STATES; j++)
            for (int k = 0; k < REF_MEASURED; k++)
                for (int l = 0; l < REF_MEASURED; l++)
                    t->p[i][j] -= gain[i][k] * s[k][l] * gain[j][l];
}

static inline vg_detection ref_box(const ref_track *t)
{
    const double h = t->x[3], w = t->kind == DETECT_TRACK_BOT ? t->x[2] : t->x[2] * h;
    return (vg_detection){.x1 = (float)(t->x[0] - w / 2),
                          .y1 = (float)(t->x[1] - h / 2),
                          .x2 = (float)(t->x[0] + w / 2),
                          .y2 = (float)(t->x[1] + h / 2),
                          .confidence = t->score};
}

static inline double ref_iou(const vg_detection *a, const vg_detection *b)
{
    const double w = fmin((double)a->x2, (double)b->x2) - fmax((double)a->x1, (double)b->x1);
    const double h = fmin((double)a->y2, (double)b->y2) - fmax((double)a->y1, (double)b->y1);
    const double inter = fmax(w, 0) * fmax(h, 0);
    const double area_a = ((double)a->x2 - (double)a->x1) * ((double)a->y2 - (double)a->y1);
    const double area_b = ((double)b->x2 - (double)b->x1) * ((double)b->y2 - (double)b->y1);
    return inter / (area_a + area_b - inter);
}

/* ---- pairs, by trying all ---- */

typedef struct ref_pairing {
    const double (*cost)[REF_MOST];
    int n, m;
    double limit;
    int now[REF_MOST], best[REF_MOST]; /* the column of each row, -1: none */
    double least;
} ref_pairing;

static inline void ref_try(ref_pairing *p, int row, uint64_t taken, double sum)
{
    if (row == p->n) {
        if (sum < p->least) {
            p->least = sum;
            memcpy(p->best, p->now, sizeof p->best);
        }
        return;
    }
    p->now[row] = -1;
    ref_try(p, row + 1, taken, sum);
    for (int c = 0; c < p->m; c++)
        if (!(taken >> c & 1) && p->cost[row][c] < p->limit) {
            p->now[row] = c;
            ref_try(p, row + 1, taken | UINT64_C(1) << c, sum + p->cost[row][c] - p->limit);
        }
}

/* tracks (n) and detections (m) by place -> pair[i]: the place in `detections` of tracks[i]'s, -1
 */
static inline void ref_associate(int *pair, const ref_tracker *t, const int *tracks, int n,
                                 const vg_detection *boxes, const int *detections, int m,
                                 double limit, bool fuse)
{
    double cost[REF_MOST][REF_MOST];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) {
            const vg_detection predicted = ref_box(&t->tracks[tracks[i]]);
            const double iou = ref_iou(&predicted, &boxes[detections[j]]);
            cost[i][j] = 1 - (fuse ? iou * (double)boxes[detections[j]].confidence : iou);
        }
    ref_pairing p = {.cost = (const double(*)[REF_MOST])cost, .n = n, .m = m, .limit = limit};
    p.least = 1;
    ref_try(&p, 0, 0, 0);
    memcpy(pair, p.best, sizeof p.best);
}

/* ---- algorithm 1 ---- */

/* Tracks of the list get their detections; lists keep what is left of both. */
static inline void ref_meet(ref_tracker *t, int *tracks, int *n, const vg_detection *boxes,
                            int *detections, int *m, double limit, bool fuse, int *counter)
{
    int pair[REF_MOST], n_left = 0, m_left = 0;
    bool used[REF_MOST] = {false};
    ref_associate(pair, t, tracks, *n, boxes, detections, *m, limit, fuse);
    for (int i = 0; i < *n; i++) {
        ref_track *k = &t->tracks[tracks[i]];
        if (pair[i] < 0) {
            tracks[n_left++] = tracks[i];
            continue;
        }
        used[pair[i]] = true;
        k->detection = detections[pair[i]];
        ref_update(k, &boxes[k->detection]);
        k->score = boxes[k->detection].confidence;
        k->seen = t->frame;
        t->counts.found_again += k->phase == REF_LOST;
        k->phase = REF_TRACKED;
        ++*counter;
    }
    for (int j = 0; j < *m; j++)
        if (!used[j])
            detections[m_left++] = detections[j];
    *n = n_left;
    *m = m_left;
}

static inline int ref_of_phase(const ref_tracker *t, int *out, ref_phase a, ref_phase b)
{
    int n = 0;
    for (int i = 0; i < t->n; i++)
        if (t->tracks[i].phase == a || t->tracks[i].phase == b)
            out[n++] = i;
    return n;
}

static inline void ref_remove_doubles(ref_tracker *t)
{
    bool goes[REF_MOST] = {false};
    for (int i = 0; i < t->n; i++)
        for (int j = 0; j < t->n; j++) {
            const ref_track *a = &t->tracks[i], *b = &t->tracks[j];
            if ((a->phase != REF_TRACKED && a->phase != REF_NEW) || b->phase != REF_LOST)
                continue;
            const vg_detection box_a = ref_box(a), box_b = ref_box(b);
            if (1 - ref_iou(&box_a, &box_b) >= 0.15)
                continue;
            goes[a->seen - a->began > b->seen - b->began ? j : i] = true;
            t->counts.doubles++;
        }
    for (int i = 0; i < t->n; i++)
        if (goes[i])
            t->tracks[i].phase = REF_REMOVED;
}

static inline void ref_step(ref_tracker *t, const vg_detection *boxes, int n_boxes,
                            const detect_camera *camera)
{
    const detect_track_options *o = &t->o;
    int high[REF_MOST], low[REF_MOST], n_high = 0, n_low = 0;
    t->frame++;
    /* lines 3 to 13: by score */
    for (int i = 0; i < n_boxes; i++)
        if (boxes[i].confidence > o->track_high_thresh)
            high[n_high++] = i;
        else if (boxes[i].confidence > o->track_low_thresh)
            low[n_low++] = i;
        else
            t->counts.too_weak++;
    /* lines 14 to 16: where tracks are now */
    for (int i = 0; i < t->n; i++)
        ref_predict(&t->tracks[i]);
    for (int i = 0; i < t->n && camera != NULL && o->kind == DETECT_TRACK_BOT; i++)
        ref_camera(&t->tracks[i], camera);
    /* lines 17 to 19: first association, with the lost (section 3.2: rebirth) */
    int pool[REF_MOST], fresh[REF_MOST];
    int n_pool = ref_of_phase(t, pool, REF_TRACKED, REF_LOST);
    int n_fresh = ref_of_phase(t, fresh, REF_NEW, REF_NEW);
    ref_meet(t, pool, &n_pool, boxes, high, &n_high, (double)o->match_thresh, o->fuse_score,
             &t->counts.first);
    /* lines 20 to 22: what is left of the tracks, without the lost, and weak detections */
    int rest[REF_MOST], n_rest = 0;
    for (int i = 0; i < n_pool; i++)
        if (t->tracks[pool[i]].phase == REF_TRACKED)
            rest[n_rest++] = pool[i];
    ref_meet(t, rest, &n_rest, boxes, low, &n_low, 0.5, false, &t->counts.second);
    /* line 23: unmatched; lost for a while, then removed */
    for (int i = 0; i < n_rest; i++) {
        t->tracks[rest[i]].phase = REF_LOST;
        t->counts.lost++;
    }
    for (int i = 0; i < t->n; i++)
        if (t->tracks[i].phase == REF_LOST && t->frame - t->tracks[i].seen > o->track_buffer) {
            t->tracks[i].phase = REF_REMOVED;
            t->counts.expired++;
        }
    /* the code's: a track that was seen once is confirmed now or was a mistake */
    ref_meet(t, fresh, &n_fresh, boxes, high, &n_high, 0.7, o->fuse_score, &t->counts.confirmed);
    for (int i = 0; i < n_fresh; i++) {
        t->tracks[fresh[i]].phase = REF_REMOVED;
        t->counts.doubted++;
    }
    /* lines 24 to 27: new tracks */
    for (int j = 0; j < n_high; j++)
        if (boxes[high[j]].confidence >= o->new_track_thresh) {
            ref_track *k = &t->tracks[t->n++];
            *k = (ref_track){.id = ++t->next_id,
                             .began = t->frame,
                             .seen = t->frame,
                             .kind = o->kind,
                             .phase = t->frame == 1 ? REF_TRACKED : REF_NEW,
                             .score = boxes[high[j]].confidence,
                             .detection = high[j]};
            ref_initiate(k, &boxes[high[j]]);
            t->counts.begun++;
        }
    ref_remove_doubles(t);
    int n = 0;
    for (int i = 0; i < t->n; i++)
        if (t->tracks[i].phase != REF_REMOVED)
            t->tracks[n++] = t->tracks[i];
    t->n = n;
}

#endif
