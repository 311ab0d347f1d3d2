/* nms.c: greedy non-maximum suppression (spec 2.3) on a heap of 8-byte keys.
 *
 * A candidate row is (anchor, class, score). Its key holds the score, best first, above the row's
 * number, so that keys sort as the spec wants: by score, equal scores by the lower index. Keys go
 * in a list; when it is full (max_nms, or the room given at create) it turns into a heap with the
 * worst on top, which gives way to better ones. Then the heap is turned best side up and popped
 * until max_det boxes are kept. A row's box is looked up, or decoded, only when it is popped: most
 * never are. Cost: O(rows) to gather and heapify, O(popped * (log rows + kept)) after.
 *
 * NaN: a NaN score passes no threshold, and a box that is not finite is not kept.
 * Memory: one block at create. Threads: one detect_nms each. */
#include <assert.h>
#include <math.h>

#include "maths.h"

enum { SCAN_ANCHORS = 128, SCORE_CHUNK = 64, KEPT_CHUNK = 32 };

/* Added to the coordinates, per class, so that classes do not meet (spec 2.3, step 6). */
static const float CLASS_OFFSET_PX = 7680.0f;

struct detect_nms {
    size_t most_rows;
    size_t max_det;
    uint64_t *keys;                  /* (most_rows) */
    float *x1, *y1, *x2, *y2, *area; /* (max_det) kept boxes with their class offset */
};

/* Where rows come from: a decoded tensor, picked cells, or levels of logits. An anchor is a cell's
 * number; of picks, its place among them, which sorts alike. */
typedef struct row_source {
    const detect_picks *picks; /* or NULL: */
    const float *pred;         /* (4 + nc, n_anchors), or NULL: */
    const detect_level *levels;
    int n_levels, nc, picture;
    size_t n_anchors;
} row_source;

/* The candidates in the making. */
typedef struct row_list {
    uint64_t *keys;
    size_t n, most;
    bool full; /* a heap of ~key now: the worst on top */
} row_list;

/* ---- memory ---- */

typedef struct nms_layout {
    size_t keys, kept, kept_bytes, total;
} nms_layout;

static nms_layout layout_plan(size_t most_rows, int max_det)
{
    nms_layout l = {.keys = base_round_up(sizeof(detect_nms), BASE_MEM_ALIGN)};
    l.kept = l.keys + base_round_up(most_rows * sizeof(uint64_t), BASE_MEM_ALIGN);
    l.kept_bytes = base_round_up((size_t)max_det * sizeof(float), BASE_MEM_ALIGN);
    l.total = l.kept + 5 * l.kept_bytes;
    return l;
}

size_t detect_nms_bytes(size_t most_rows, int max_det)
{
    return layout_plan(most_rows, max_det).total;
}

vg_status detect_nms_create(detect_nms **out, size_t most_rows, int max_det, base_mem *mem,
                            vg_error *err)
{
    *out = NULL;
    if (most_rows == 0 || most_rows > UINT32_MAX)
        return base_fail(err, VG_ERR_ARGUMENT, "most_rows",
                         base_mend("pass 1 to %lu", (unsigned long)UINT32_MAX),
                         "%zu candidate rows for suppression", most_rows);
    if (max_det < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "max_det", "pass 1 or more", "at most %d detections",
                         max_det);
    nms_layout l = layout_plan(most_rows, max_det);
    char *block = base_alloc(mem, l.total, err);
    if (!block)
        return VG_ERR_MEMORY;
    detect_nms *n = (detect_nms *)(void *)block;
    *n = (detect_nms){.most_rows = most_rows, .max_det = (size_t)max_det};
    n->keys = (uint64_t *)(void *)(block + l.keys);
    float **kept[5] = {&n->x1, &n->y1, &n->x2, &n->y2, &n->area};
    for (size_t i = 0; i < 5; i++)
        *kept[i] = (float *)(void *)(block + l.kept + i * l.kept_bytes);
    *out = n;
    return VG_OK;
}

void detect_nms_destroy(detect_nms **n)
{
    base_free(*n);
    *n = NULL;
}

/* ---- keys: smaller is better ---- */

static uint64_t key_make(float score, uint64_t row)
{
    uint32_t u = detect_bits(score + 0.0f); /* + 0: no negative zero, which would sort as smaller */
    u = u & 0x80000000u ? u : ~u ^ 0x80000000u;
    return (uint64_t)u << 32 | row;
}

static float key_score(uint64_t key)
{
    uint32_t u = (uint32_t)(key >> 32);
    return detect_from_bits(u & 0x80000000u ? u : ~(u ^ 0x80000000u));
}

/* The smallest on top. */
static void heap_sift(uint64_t *heap, size_t n, size_t i)
{
    uint64_t moving = heap[i];
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (moving <= heap[child])
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moving;
}

static void heap_make(uint64_t *heap, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        heap_sift(heap, n, i);
}

static void rows_flip(row_list *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->keys[i] = ~r->keys[i];
}

static void rows_push(row_list *r, float score, size_t row)
{
    uint64_t key = key_make(score, row);
    if (r->n < r->most) {
        r->keys[r->n++] = key;
        return;
    }
    if (!r->full) {
        rows_flip(r);
        heap_make(r->keys, r->n);
        r->full = true;
    }
    if (~key > r->keys[0]) {
        r->keys[0] = ~key;
        heap_sift(r->keys, r->n, 0);
    }
}

/* ---- gathering from a decoded tensor ---- */

/* Best class of each of n <= SCAN_ANCHORS anchors, the first on ties; scores points at their column
 * of class 0. */
DETECT_WIDE static void best_classes(float *best, int *best_class, const float *scores,
                                     size_t row_length, int nc, size_t n)
{
    for (size_t a = 0; a < n; a++) {
        best[a] = -INFINITY;
        best_class[a] = 0;
    }
    for (int c = 0; c < nc; c++) {
        const float *s = scores + (size_t)c * row_length;
        for (size_t a = 0; a < n; a++) {
            best_class[a] = s[a] > best[a] ? c : best_class[a];
            best[a] = s[a] > best[a] ? s[a] : best[a];
        }
    }
}

static bool wanted(const detect_nms_options *o, int class_index)
{
    return !o->classes || o->classes[class_index];
}

static void gather_pred(row_list *rows, const row_source *s, const detect_nms_options *o)
{
    float best[SCAN_ANCHORS];
    int best_class[SCAN_ANCHORS];
    size_t nc = (size_t)s->nc;
    const float *scores = s->pred + 4 * s->n_anchors;
    for (size_t begin = 0; begin < s->n_anchors; begin += SCAN_ANCHORS) {
        size_t n = s->n_anchors - begin < SCAN_ANCHORS ? s->n_anchors - begin : SCAN_ANCHORS;
        best_classes(best, best_class, scores + begin, s->n_anchors, s->nc, n);
        for (size_t a = 0; a < n; a++) {
            if (!(best[a] > o->conf))
                continue;
            size_t anchor = begin + a;
            if (!o->multi_label) {
                if (wanted(o, best_class[a]))
                    rows_push(rows, best[a], anchor * nc + (size_t)best_class[a]);
                continue;
            }
            for (size_t c = 0; c < nc; c++) {
                float score = scores[c * s->n_anchors + anchor];
                if (score > o->conf && wanted(o, (int)c))
                    rows_push(rows, score, anchor * nc + c);
            }
        }
    }
}

/* ---- gathering from logits ---- */

/* conf less a part in a million, ten times the error of our sigmoid, through the inverse sigmoid.
 */
float detect_logit_floor(float conf)
{
    double p = (double)conf * (1 - 1e-6);
    if (!(p > 1e-30))
        return -INFINITY;
    if (p >= 1 - 1e-7)
        return 15.0f;
    return (float)(log(p / (1 - p)) - 1e-5);
}

/* hit[i] != 0: pixel i has a class logit at the floor or above. */
DETECT_WIDE static void mark_pixels(int *hit, const float *cls, size_t pitch, size_t n, int nc,
                                    float floor_logit)
{
    for (size_t i = 0; i < n; i++) {
        const float *x = cls + i * pitch;
        int any = 0;
        for (int c = 0; c < nc; c++)
            any |= x[c] >= floor_logit;
        hit[i] = any;
    }
}

DETECT_WIDE static void sigmoid_row(float *out, const float *x, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = detect_sigmoid(x[i]);
}

/* The rows of one anchor. Scores are compared, not logits: different logits may round to one score,
 * where the first class wins. */
static void gather_anchor(row_list *rows, const float *logits, int nc, size_t anchor,
                          const detect_nms_options *o)
{
    float scores[SCORE_CHUNK], best = -INFINITY;
    int best_class = 0;
    for (int begin = 0; begin < nc; begin += SCORE_CHUNK) {
        int n = nc - begin < SCORE_CHUNK ? nc - begin : SCORE_CHUNK;
        sigmoid_row(scores, logits + begin, n);
        for (int c = 0; c < n; c++) {
            if (o->multi_label && scores[c] > o->conf && wanted(o, begin + c))
                rows_push(rows, scores[c], anchor * (size_t)nc + (size_t)(begin + c));
            if (scores[c] > best) {
                best = scores[c];
                best_class = begin + c;
            }
        }
    }
    if (!o->multi_label && best > o->conf && wanted(o, best_class))
        rows_push(rows, best, anchor * (size_t)nc + (size_t)best_class);
}

static void gather_levels(row_list *rows, const row_source *s, const detect_nms_options *o)
{
    int hit[SCAN_ANCHORS];
    float floor_logit = detect_logit_floor(o->conf);
    size_t anchor = 0;
    for (int i = 0; i < s->n_levels; i++) {
        const detect_level *l = &s->levels[i];
        size_t pixels = detect_level_pixels(l);
        const float *cls = l->cls + (size_t)s->picture * pixels * l->cls_pitch;
        for (size_t begin = 0; begin < pixels; begin += SCAN_ANCHORS) {
            size_t n = pixels - begin < SCAN_ANCHORS ? pixels - begin : SCAN_ANCHORS;
            mark_pixels(hit, cls + begin * l->cls_pitch, l->cls_pitch, n, s->nc, floor_logit);
            for (size_t p = 0; p < n; p++)
                if (hit[p])
                    gather_anchor(rows, cls + (begin + p) * l->cls_pitch, s->nc, anchor + begin + p,
                                  o);
        }
        anchor += pixels;
    }
}

static const float *pick_row(const detect_picks *p, size_t i)
{
    return p->rows + i * p->pitch;
}

static void gather_picks(row_list *rows, const row_source *s, const detect_nms_options *o)
{
    for (size_t i = 0; i < s->n_anchors; i++)
        gather_anchor(rows, pick_row(s->picks, i) + 1 + DETECT_BOX_CHANNELS, s->nc, i, o);
}

/* ---- greedy suppression ---- */

/* The level that a cell is of; *cell becomes its number there. */
static const detect_level *level_of(const detect_level *l, size_t *cell)
{
    while (*cell >= detect_level_pixels(l)) {
        *cell -= detect_level_pixels(l);
        l++;
    }
    return l;
}

static void pick_xywh(float xywh[4], const detect_picks *p, size_t i)
{
    const float *row = pick_row(p, i);
    size_t cell = detect_bits(row[0]);
    detect_level l = *level_of(p->levels, &cell);
    l.box = row + 1; /* one pixel of the level's */
    detect_decode_pixel(xywh, &l, 0, (int)(cell % (size_t)l.w), (int)(cell / (size_t)l.w));
}

static void source_xywh(float xywh[4], const row_source *s, size_t anchor)
{
    if (s->pred) {
        for (size_t k = 0; k < 4; k++)
            xywh[k] = s->pred[k * s->n_anchors + anchor];
        return;
    }
    if (s->picks) {
        pick_xywh(xywh, s->picks, anchor);
        return;
    }
    const detect_level *l = level_of(s->levels, &anchor);
    size_t pixel = (size_t)s->picture * detect_level_pixels(l) + anchor;
    detect_decode_pixel(xywh, l, pixel, (int)(anchor % (size_t)l->w), (int)(anchor / (size_t)l->w));
}

static bool row_box(vg_detection *out, const row_source *s, uint64_t key)
{
    size_t row = key & UINT32_MAX, nc = (size_t)s->nc;
    float xywh[4];
    source_xywh(xywh, s, row / nc);
    *out = (vg_detection){xywh[0] - xywh[2] / 2, xywh[1] - xywh[3] / 2, xywh[0] + xywh[2] / 2,
                          xywh[1] + xywh[3] / 2, key_score(key),        (int)(row % nc)};
    return isfinite(out->x1) && isfinite(out->y1) && isfinite(out->x2) && isfinite(out->y2);
}

/* Does any of the n kept boxes overlap b by more than iou? No epsilon here, unlike in validation's
 * IoU. */
DETECT_WIDE static bool overlaps_kept(const detect_nms *k, size_t n, const float b[5], float iou)
{
    const float *x1 = k->x1, *y1 = k->y1, *x2 = k->x2, *y2 = k->y2, *area = k->area;
    for (size_t begin = 0; begin < n; begin += KEPT_CHUNK) {
        size_t end = n - begin < KEPT_CHUNK ? n : begin + KEPT_CHUNK;
        int any = 0;
        for (size_t i = begin; i < end; i++) {
            float w = detect_max(detect_min(x2[i], b[2]) - detect_max(x1[i], b[0]), 0.0f);
            float h = detect_max(detect_min(y2[i], b[3]) - detect_max(y1[i], b[1]), 0.0f);
            float inter = w * h;
            any |= inter / (area[i] + b[4] - inter) > iou;
        }
        if (any)
            return true;
    }
    return false;
}

static size_t suppress(detect_nms *k, vg_detection *out, row_list *rows, const row_source *s,
                       const detect_nms_options *o)
{
    size_t most = o->max_det < 0 ? 0 : (size_t)o->max_det, n = 0;
    most = most < k->max_det ? most : k->max_det;
    if (rows->full)
        rows_flip(rows);
    heap_make(rows->keys, rows->n);
    while (rows->n > 0 && n < most) {
        vg_detection box;
        uint64_t key = rows->keys[0];
        rows->keys[0] = rows->keys[--rows->n];
        if (rows->n > 0)
            heap_sift(rows->keys, rows->n, 0);
        if (!row_box(&box, s, key))
            continue;
        float offset = o->agnostic ? 0.0f : (float)box.class_index * CLASS_OFFSET_PX;
        float b[5] = {box.x1 + offset, box.y1 + offset, box.x2 + offset, box.y2 + offset};
        b[4] = (b[2] - b[0]) * (b[3] - b[1]);
        if (overlaps_kept(k, n, b, o->iou))
            continue;
        k->x1[n] = b[0], k->y1[n] = b[1], k->x2[n] = b[2], k->y2[n] = b[3], k->area[n] = b[4];
        out[n++] = box;
    }
    return n;
}

static row_list rows_begin(const detect_nms *n, const row_source *s, const detect_nms_options *o)
{
    assert(s->nc > 0 &&
           s->n_anchors <= UINT32_MAX / (size_t)s->nc); /* a row's number has 32 bits in its key */
    size_t most = o->max_nms < 0 ? 0 : (size_t)o->max_nms;
    return (row_list){.keys = n->keys, .most = most < n->most_rows ? most : n->most_rows};
}

size_t detect_nms_run(detect_nms *n, vg_detection *out, const float *pred, int nc, size_t n_anchors,
                      const detect_nms_options *o)
{
    row_source s = {.pred = pred, .nc = nc, .n_anchors = n_anchors};
    row_list rows = rows_begin(n, &s, o);
    if (rows.most > 0)
        gather_pred(&rows, &s, o);
    return suppress(n, out, &rows, &s, o);
}

size_t detect_run(detect_nms *n, vg_detection *out, const detect_level *levels, int n_levels,
                  int nc, int picture, const detect_nms_options *o)
{
    row_source s = {.levels = levels, .n_levels = n_levels, .nc = nc, .picture = picture};
    s.n_anchors = detect_n_anchors(levels, n_levels);
    row_list rows = rows_begin(n, &s, o);
    if (rows.most > 0)
        gather_levels(&rows, &s, o);
    return suppress(n, out, &rows, &s, o);
}

size_t detect_run_picks(detect_nms *n, vg_detection *out, const detect_picks *picks, int nc,
                        const detect_nms_options *o)
{
    row_source s = {.picks = picks, .nc = nc, .n_anchors = picks->n};
    row_list rows = rows_begin(n, &s, o);
    if (rows.most > 0)
        gather_picks(&rows, &s, o);
    return suppress(n, out, &rows, &s, o);
}
