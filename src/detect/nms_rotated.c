/* nms_rotated.c: suppression of rotated boxes ("fast NMS", T 2.3): a box is kept if no better one,
 * kept or not, has a probIoU with it of iou or more.
 *
 * Candidates are popped best first, each is compared with all before it, until max_det are kept.
 * Most pairs are far apart, and that is seen without a logarithm: the distance of the means alone
 * bounds probIoU from above. Cost: O(popped^2) of such looks. NaN: a box that is not finite is not
 * there. Memory: detect_nms_create_rotated's. Threads: one detect_nms each. */
#include <assert.h>
#include <math.h>

#include "extras.h"
#include "nms_rows.h"

enum { SEEN_CHUNK = 64 };
static const float EPS = 1e-7f; /* of probIoU, T 2.3 */

static bool row_rotated(float xywhr[5], const row_source *s, size_t row)
{
    nms_source_xywhr(xywhr, s, row / (size_t)s->nc);
    for (int k = 0; k < 5; k++)
        if (!isfinite(xywhr[k]))
            return false;
    return true;
}

static nms_seen seen_make(const float xywhr[5], float offset)
{
    const float c = cosf(xywhr[4]), s = sinf(xywhr[4]);
    const float w2 = xywhr[2] * xywhr[2] / 12, h2 = xywhr[3] * xywhr[3] / 12;
    nms_seen g = {.x = xywhr[0] + offset,
                  .y = xywhr[1] + offset,
                  .a = w2 * c * c + h2 * s * s,
                  .b = w2 * s * s + h2 * c * c,
                  .c = (w2 - h2) * c * s,
                  .reach = detect_max(w2, h2)};
    g.det = detect_max(g.a * g.b - g.c * g.c, 0);
    return g;
}

/* T 2.3, in floats as the reference. */
static float prob_iou(const nms_seen *p, const nms_seen *q)
{
    const float a = p->a + q->a, b = p->b + q->b, c = p->c + q->c;
    const float dx = p->x - q->x, dy = p->y - q->y, det = a * b - c * c;
    const float t1 = (a * dy * dy + b * dx * dx) / (det + EPS) * 0.25f;
    const float t2 = c * (q->x - p->x) * dy / (det + EPS) * 0.5f;
    const float t3 = logf(det / (4 * sqrtf(p->det * q->det) + EPS) + EPS) * 0.5f;
    const float bd = detect_min(detect_max(t1 + t2 + t3, EPS), 100);
    return 1 - sqrtf(1 - expf(-bd) + EPS);
}

/* The Bhattacharyya distance from which on probIoU is below iou. */
static float distance_of(float iou)
{
    const double gap = 1 - (double)iou, e = 1 + (double)EPS - gap * gap;
    return e > 0 ? (float)-log(e) : INFINITY;
}

/* near[i] != 0: seen[i] may reach iou: (x - x')^2 / (4 (reach + reach')) is no more than the
 * distance of their normal distributions. A tenth is left for the epsilons and for rounding. */
DETECT_WIDE static int mark_near(int *near, const nms_seen *seen, size_t n, const nms_seen *g,
                                 float distance)
{
    const float wide = 4.4f * distance;
    int any = 0;
    for (size_t i = 0; i < n; i++) {
        const float dx = seen[i].x - g->x, dy = seen[i].y - g->y;
        near[i] = dx * dx + dy * dy <= wide * (seen[i].reach + g->reach) + 1e-3f;
        any |= near[i];
    }
    return any;
}

static bool is_suppressed(const nms_seen *seen, size_t n, const nms_seen *g, float iou,
                          float distance)
{
    int near[SEEN_CHUNK];
    for (size_t begin = 0; begin < n; begin += SEEN_CHUNK) {
        const size_t m = n - begin < SEEN_CHUNK ? n - begin : SEEN_CHUNK;
        if (!mark_near(near, seen + begin, m, g, distance))
            continue;
        for (size_t i = 0; i < m; i++)
            if (near[i] && prob_iou(&seen[begin + i], g) >= iou)
                return true;
    }
    return false;
}

static size_t suppress(detect_nms *k, vg_detection *out, float *xywhr, uint32_t *cells,
                       const row_source *s, const detect_nms_options *o)
{
    const size_t most = nms_most_kept(k, o);
    const float distance = distance_of(o->iou);
    row_list rows = nms_rows_gather(k, s, o);
    size_t n = 0, n_seen = 0;
    uint64_t key;
    assert(k->seen);
    nms_rows_turn(&rows);
    while (n < most && nms_rows_pop(&rows, &key)) {
        const size_t row = nms_key_row(key);
        const int class_index = (int)(row % (size_t)s->nc);
        float box[5];
        if (!row_rotated(box, s, row))
            continue;
        k->seen[n_seen] = seen_make(box, o->agnostic ? 0.0f : (float)class_index * CLASS_OFFSET_PX);
        const bool is_gone = is_suppressed(k->seen, n_seen, &k->seen[n_seen], o->iou, distance);
        n_seen++;
        if (is_gone)
            continue;
        if (cells)
            cells[n] = nms_source_cell(s, row / (size_t)s->nc);
        memcpy(xywhr + 5 * n, box, sizeof box);
        out[n] = (vg_detection){.confidence = nms_key_score(key), .class_index = class_index};
        detect_rotated_bounds(&out[n], box);
        n++;
    }
    return n;
}

size_t detect_nms_run_rotated(detect_nms *n, vg_detection *out, float *xywhr, uint32_t *cells,
                              const float *pred, int nc, size_t n_anchors,
                              const detect_nms_options *o)
{
    const row_source s = {.pred = pred, .nc = nc, .n_anchors = n_anchors};
    return suppress(n, out, xywhr, cells, &s, o);
}

size_t detect_run_rotated(detect_nms *n, vg_detection *out, float *xywhr, uint32_t *cells,
                          const detect_level *levels, int n_levels, int nc, int picture,
                          const detect_nms_options *o)
{
    const row_source s = {.levels = levels,
                          .n_levels = n_levels,
                          .nc = nc,
                          .picture = picture,
                          .n_anchors = detect_n_anchors(levels, n_levels)};
    return suppress(n, out, xywhr, cells, &s, o);
}
