/* track.c: the steps of both trackers, in the papers' order: they differ in the filter, and in that
 * BoT-SORT's follows the camera once it has looked ahead. */
#include "track.h"

#include <assert.h>
#include <math.h>

#include "assignment.h"
#include "filter.h"

/* No picture is larger: what is further out is no box. Keeps the filter's squares finite. */
static const float MOST_PX = 1e7f;

/* The later associations' limits, and when two tracks are one: the paper's code. */
static const float SECOND_LIMIT = 0.5f, UNCONFIRMED_LIMIT = 0.7f, SAME_COST = 0.15f;

typedef enum phase { UNCONFIRMED, TRACKED, LOST, GONE } phase;

typedef struct track {
    int64_t id, began, seen; /* frames */
    phase phase;
    bool is_double;
    detect_filter filter;
    float score;
    int class_index, detection;
    float xyxy[4]; /* of the filter, for IoU */
} track;

typedef struct scene {
    track *tracks; /* (most_tracks), by id */
    size_t n;
    int64_t frame, first, next_id; /* first: frame that is believed at once */
} scene;

struct detect_tracker {
    detect_track_options options;
    int n_scenes;
    scene *scenes; /* (n_scenes) */
    track *tracks; /* (n_scenes, most_tracks) */
    uint64_t n_refused;
    /* of the step that runs */
    float *cost;           /* (most_tracks, most_detections) */
    int *rows, *column_of; /* (most_tracks) */
    int *columns;          /* (most_detections) */
    bool *is_taken;        /* (most_detections) */
    detect_assignment *assignment;
};

/* ---- create ---- */

size_t detect_tracker_bytes(const detect_track_options *o, int n_scenes)
{
    const size_t n = (size_t)o->most_tracks, m = (size_t)o->most_detections;
    size_t tracks, cost, sum;
    if (!base_mul_size(&tracks, (size_t)n_scenes, n) ||
        !base_mul_size(&tracks, tracks, sizeof(track)) || !base_mul_size(&cost, n, m) ||
        !base_mul_size(&cost, cost, sizeof(float)) || !base_add_size(&sum, tracks, cost))
        return SIZE_MAX;
    return sum + sizeof(detect_tracker) + (size_t)n_scenes * sizeof(scene) +
           (2 * n + m) * sizeof(int) + m * sizeof(bool) + detect_assignment_bytes(n, m);
}

static vg_status check(const detect_track_options *o, int n_scenes, vg_error *err)
{
    if (o->most_tracks < 1 || o->most_detections < 1 || o->track_buffer < 0 || n_scenes < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "tracker", "give at least 1 track and 1 detection",
                         "bounds of %d tracks, %d detections, %d frames, %d scenes", o->most_tracks,
                         o->most_detections, o->track_buffer, n_scenes);
    if (isnan(o->track_high_thresh) || isnan(o->track_low_thresh) || isnan(o->new_track_thresh) ||
        isnan(o->match_thresh))
        return base_fail(err, VG_ERR_ARGUMENT, "tracker", "give thresholds from 0 to 1",
                         "a threshold that is not a number");
    return VG_OK;
}

vg_status detect_tracker_create(detect_tracker **out, const detect_track_options *o, int n_scenes,
                                base_mem *mem, vg_error *err)
{
    *out = NULL;
    vg_status st = check(o, n_scenes, err);
    if (st != VG_OK)
        return st;
    const size_t n = (size_t)o->most_tracks, m = (size_t)o->most_detections;
    detect_tracker *t = base_alloc_zero(mem, 1, sizeof *t, err);
    if (t == NULL)
        return VG_ERR_MEMORY;
    t->options = *o;
    t->n_scenes = n_scenes;
    st = VG_ERR_MEMORY;
    if ((t->scenes = base_alloc_zero(mem, (size_t)n_scenes, sizeof *t->scenes, err)) != NULL &&
        (t->tracks = base_alloc_zero(mem, (size_t)n_scenes, n * sizeof *t->tracks, err)) != NULL &&
        (t->cost = base_alloc_zero(mem, n, m * sizeof *t->cost, err)) != NULL &&
        (t->rows = base_alloc_zero(mem, 2 * n + m, sizeof *t->rows, err)) != NULL &&
        (t->is_taken = base_alloc_zero(mem, m, sizeof *t->is_taken, err)) != NULL)
        st = detect_assignment_create(&t->assignment, n, m, mem, err);
    if (st != VG_OK) {
        detect_tracker_destroy(&t);
        return st;
    }
    t->column_of = t->rows + n;
    t->columns = t->column_of + n;
    for (int i = 0; i < n_scenes; i++)
        t->scenes[i] = (scene){.tracks = t->tracks + (size_t)i * n, .first = 1, .next_id = 1};
    *out = t;
    return VG_OK;
}

void detect_tracker_destroy(detect_tracker **tracker)
{
    detect_tracker *t = *tracker;
    if (t == NULL)
        return;
    base_free(t->scenes);
    base_free(t->tracks);
    base_free(t->cost);
    base_free(t->rows);
    base_free(t->is_taken);
    detect_assignment_destroy(&t->assignment);
    base_free(t);
    *tracker = NULL;
}

void detect_tracker_clear(detect_tracker *t, int scene_index)
{
    scene *s = &t->scenes[scene_index];
    s->n = 0;
    s->first = s->frame + 1;
}

uint64_t detect_tracker_n_refused(const detect_tracker *t)
{
    return t->n_refused;
}

/* ---- association ---- */

static void meet(detect_tracker *t, scene *s, track *k, const vg_detection *b, int detection)
{
    filter_update(&k->filter, t->options.kind, b);
    filter_box(k->xyxy, &k->filter, t->options.kind);
    k->phase = TRACKED;
    k->seen = s->frame;
    k->score = b->confidence;
    k->class_index = b->class_index;
    k->detection = detection;
    t->is_taken[detection] = true;
}

/* Pairs the tracks of these phases that are not yet met with the free detections of low < score <=
 * high. */
static void associate(detect_tracker *t, scene *s, const vg_detection *boxes, size_t n_boxes,
                      unsigned phases, float low, float high, float limit, bool fuse)
{
    size_t n = 0, m = 0;
    for (size_t i = 0; i < s->n; i++)
        if ((phases >> s->tracks[i].phase & 1) && s->tracks[i].seen != s->frame)
            t->rows[n++] = (int)i;
    for (size_t j = 0; j < n_boxes; j++)
        if (!t->is_taken[j] && boxes[j].confidence > low && boxes[j].confidence <= high)
            t->columns[m++] = (int)j;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            const vg_detection *b = &boxes[t->columns[j]];
            const float iou =
                detect_iou(s->tracks[t->rows[i]].xyxy, (const float[]){b->x1, b->y1, b->x2, b->y2});
            t->cost[i * m + j] = 1 - iou * (fuse ? b->confidence : 1);
        }
    detect_assignment_run(t->assignment, t->column_of, t->cost, n, m, limit);
    for (size_t i = 0; i < n; i++)
        if (t->column_of[i] >= 0) {
            const int detection = t->columns[t->column_of[i]];
            meet(t, s, &s->tracks[t->rows[i]], &boxes[detection], detection);
        }
}

/* Where everything ought to be now. */
static void look_ahead(detect_tracker *t, scene *s, const detect_camera *camera)
{
    const detect_track_kind kind = t->options.kind;
    for (size_t i = 0; i < s->n; i++) {
        track *k = &s->tracks[i];
        filter_predict(&k->filter, kind, k->phase == LOST);
        if (camera != NULL && kind == DETECT_TRACK_BOT)
            filter_follow(&k->filter, camera);
        filter_box(k->xyxy, &k->filter, kind);
    }
}

static void begin(detect_tracker *t, scene *s, const vg_detection *b, int detection)
{
    if (s->n == (size_t)t->options.most_tracks) {
        t->n_refused++;
        return;
    }
    track *k = &s->tracks[s->n++];
    *k = (track){.id = s->next_id++,
                 .began = s->frame,
                 .seen = s->frame,
                 /* One sight may be a mistake. */
                 .phase = s->frame == s->first ? TRACKED : UNCONFIRMED,
                 .score = b->confidence,
                 .class_index = b->class_index,
                 .detection = detection};
    filter_begin(&k->filter, t->options.kind, b);
    filter_box(k->xyxy, &k->filter, t->options.kind);
}

/* A track and a lost one at the same place are one object: the older of them stays. All pairs are
 * judged before any goes, so that their order does not matter. */
static void drop_doubles(scene *s)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->n; j++) {
            track *a = &s->tracks[i], *b = &s->tracks[j];
            if (a->phase == LOST || b->phase != LOST ||
                1 - detect_iou(a->xyxy, b->xyxy) >= SAME_COST)
                continue;
            const bool a_is_older = a->seen - a->began > b->seen - b->began;
            (a_is_older ? b : a)->is_double = true;
        }
    for (size_t i = 0; i < s->n; i++)
        if (s->tracks[i].is_double)
            s->tracks[i].phase = GONE;
}

static void forget(scene *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->tracks[i].phase != GONE)
            s->tracks[kept++] = s->tracks[i];
    s->n = kept;
}

/* What was not met: seen a moment ago it is lost, seen once it was a mistake, lost for too long it
 * is gone. */
static void age(scene *s, int track_buffer)
{
    for (size_t i = 0; i < s->n; i++) {
        track *k = &s->tracks[i];
        if (k->seen == s->frame)
            continue;
        if (k->phase == UNCONFIRMED || s->frame - k->seen > track_buffer)
            k->phase = GONE;
        else
            k->phase = LOST;
    }
}

/* Boxes that the filter can do nothing with count as taken: nobody asks for them. */
static void pass_over(detect_tracker *t, const vg_detection *boxes, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        const vg_detection *b = &boxes[j];
        const bool is_box = b->x1 >= -MOST_PX && b->y1 >= -MOST_PX && b->x2 <= MOST_PX &&
                            b->y2 <= MOST_PX && b->x1 < b->x2 && b->y1 < b->y2;
        t->is_taken[j] = !is_box; /* also what is not a number */
    }
}

static size_t tell(const scene *s, detect_tracked *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const track *k = &s->tracks[i];
        if (k->phase != TRACKED || k->seen != s->frame)
            continue;
        out[n++] = (detect_tracked){
            .id = k->id,
            .box = {k->xyxy[0], k->xyxy[1], k->xyxy[2], k->xyxy[3], k->score, k->class_index},
            .detection = k->detection,
            .n_frames = s->frame - k->began + 1};
    }
    return n;
}

size_t detect_tracker_step(detect_tracker *t, int scene_index, detect_tracked *out,
                           const vg_detection *boxes, size_t n, float least,
                           const detect_camera *camera)
{
    const detect_track_options *o = &t->options;
    const unsigned tracked = 1u << TRACKED, lost = 1u << LOST, unconfirmed = 1u << UNCONFIRMED;
    scene *s = &t->scenes[scene_index];
    s->frame++;
    if (n > (size_t)o->most_detections)
        n = (size_t)o->most_detections;
    pass_over(t, boxes, n);
    look_ahead(t, s, camera);
    associate(t, s, boxes, n, tracked | lost, o->track_high_thresh, INFINITY, o->match_thresh,
              o->fuse_score);
    /* Seen last frame: those may be met by a weak detection, the lost may not. */
    associate(t, s, boxes, n, tracked, o->track_low_thresh, o->track_high_thresh, SECOND_LIMIT,
              false);
    associate(t, s, boxes, n, unconfirmed, o->track_high_thresh, INFINITY, UNCONFIRMED_LIMIT,
              o->fuse_score);
    age(s, o->track_buffer);
    forget(s); /* makes room for the new */
    for (size_t j = 0; j < n; j++)
        if (!t->is_taken[j] && boxes[j].confidence > o->track_high_thresh &&
            boxes[j].confidence >= o->new_track_thresh && boxes[j].confidence > least)
            begin(t, s, &boxes[j], (int)j);
    drop_doubles(s);
    forget(s);
    return tell(s, out);
}
