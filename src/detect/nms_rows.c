/* nms_rows.c: candidates gathered from a decoded tensor, from logits or from picked cells; their
 * heap. Cost: O(rows) to gather and heapify, O(log rows) for each that is popped. NaN: a NaN score
 * passes no threshold. */
#include "nms_rows.h"

#include <assert.h>
#include <math.h>

enum { SCAN_ANCHORS = 128, SCORE_CHUNK = 64 };

/* ---- keys: smaller is better ---- */

static uint64_t key_make(float score, uint64_t row)
{
    uint32_t u = detect_bits(score + 0.0f); /* + 0: no negative zero, which would sort as smaller */
    u = u & 0x80000000u ? u : ~u ^ 0x80000000u;
    return (uint64_t)u << 32 | row;
}

float nms_key_score(uint64_t key)
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

size_t nms_key_row(uint64_t key)
{
    return key & UINT32_MAX;
}

void nms_rows_turn(row_list *r)
{
    if (r->full)
        rows_flip(r);
    heap_make(r->keys, r->n);
}

bool nms_rows_pop(row_list *r, uint64_t *key)
{
    if (r->n == 0)
        return false;
    *key = r->keys[0];
    r->keys[0] = r->keys[--r->n];
    if (r->n > 0)
        heap_sift(r->keys, r->n, 0);
    return true;
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

static row_list rows_begin(const detect_nms *n, const row_source *s, const detect_nms_options *o)
{
    assert(s->nc > 0 &&
           s->n_anchors <= UINT32_MAX / (size_t)s->nc); /* a row's number has 32 bits in its key */
    size_t most = o->max_nms < 0 ? 0 : (size_t)o->max_nms;
    return (row_list){.keys = n->keys, .most = most < n->most_rows ? most : n->most_rows};
}

row_list nms_rows_gather(const detect_nms *n, const row_source *s, const detect_nms_options *o)
{
    row_list rows = rows_begin(n, s, o);
    if (rows.most == 0)
        return rows;
    if (s->pred)
        gather_pred(&rows, s, o);
    else if (s->picks)
        gather_picks(&rows, s, o);
    else
        gather_levels(&rows, s, o);
    return rows;
}

size_t nms_most_kept(const detect_nms *n, const detect_nms_options *o)
{
    const size_t most = o->max_det < 0 ? 0 : (size_t)o->max_det;
    return most < n->max_det ? most : n->max_det;
}

/* ---- the box of a row ---- */

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

void nms_source_xywh(float xywh[4], const row_source *s, size_t anchor)
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

uint32_t nms_source_cell(const row_source *s, size_t anchor)
{
    return s->picks ? detect_bits(pick_row(s->picks, anchor)[0]) : (uint32_t)anchor;
}

void nms_source_xywhr(float xywhr[5], const row_source *s, size_t anchor)
{
    if (s->pred) {
        nms_source_xywh(xywhr, s, anchor);
        xywhr[4] = s->pred[(4 + (size_t)s->nc) * s->n_anchors + anchor];
        return;
    }
    const detect_level *l = level_of(s->levels, &anchor);
    size_t pixel = (size_t)s->picture * detect_level_pixels(l) + anchor;
    detect_decode_rotated(xywhr, l, pixel, (int)(anchor % (size_t)l->w),
                          (int)(anchor / (size_t)l->w));
}
