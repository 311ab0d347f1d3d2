/* nms.c: greedy non-maximum suppression (spec 2.3): candidates (nms_rows.h) are popped, best first,
 * until max_det boxes are kept. Cost: O(popped * (log rows + kept)) after gathering.
 *
 * NaN: a NaN score passes no threshold, and a box that is not finite is not kept.
 * Memory: one block at create. Threads: one detect_nms each. */
#include <assert.h>
#include <math.h>

#include "nms_rows.h"

enum { KEPT_CHUNK = 32 };

/* ---- memory ---- */

typedef struct nms_layout {
    size_t keys, kept, kept_bytes, seen, total;
} nms_layout;

static nms_layout layout_plan(size_t most_rows, int max_det, bool is_rotated)
{
    nms_layout l = {.keys = base_round_up(sizeof(detect_nms), BASE_MEM_ALIGN)};
    l.kept = l.keys + base_round_up(most_rows * sizeof(uint64_t), BASE_MEM_ALIGN);
    l.kept_bytes = base_round_up((size_t)max_det * sizeof(float), BASE_MEM_ALIGN);
    l.seen = l.kept + (is_rotated ? 0 : 5 * l.kept_bytes);
    l.total = l.seen + (is_rotated ? most_rows * sizeof(nms_seen) : 0);
    return l;
}

size_t detect_nms_bytes(size_t most_rows, int max_det)
{
    return layout_plan(most_rows, max_det, false).total;
}

size_t detect_nms_rotated_bytes(size_t most_rows, int max_det)
{
    return layout_plan(most_rows, max_det, true).total;
}

static vg_status create(detect_nms **out, size_t most_rows, int max_det, bool is_rotated,
                        base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (most_rows == 0 || most_rows > UINT32_MAX)
        return base_fail(err, VG_ERR_ARGUMENT, "most_rows",
                         base_mend("pass 1 to %lu", (unsigned long)UINT32_MAX),
                         "%zu candidate rows for suppression", most_rows);
    if (max_det < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "max_det", "pass 1 or more", "at most %d detections",
                         max_det);
    nms_layout l = layout_plan(most_rows, max_det, is_rotated);
    char *block = base_alloc(mem, l.total, err);
    if (!block)
        return VG_ERR_MEMORY;
    detect_nms *n = (detect_nms *)(void *)block;
    *n = (detect_nms){.most_rows = most_rows, .max_det = (size_t)max_det};
    n->keys = (uint64_t *)(void *)(block + l.keys);
    if (is_rotated)
        n->seen = (nms_seen *)(void *)(block + l.seen);
    float **kept[5] = {&n->x1, &n->y1, &n->x2, &n->y2, &n->area};
    for (size_t i = 0; i < 5 && !is_rotated; i++)
        *kept[i] = (float *)(void *)(block + l.kept + i * l.kept_bytes);
    *out = n;
    return VG_OK;
}

vg_status detect_nms_create(detect_nms **out, size_t most_rows, int max_det, base_mem *mem,
                            vg_error *err)
{
    return create(out, most_rows, max_det, false, mem, err);
}

vg_status detect_nms_create_rotated(detect_nms **out, size_t most_rows, int max_det, base_mem *mem,
                                    vg_error *err)
{
    return create(out, most_rows, max_det, true, mem, err);
}

void detect_nms_destroy(detect_nms **n)
{
    base_free(*n);
    *n = NULL;
}

/* ---- greedy suppression ---- */

static bool row_box(vg_detection *out, const row_source *s, uint64_t key)
{
    size_t row = nms_key_row(key), nc = (size_t)s->nc;
    float xywh[4];
    nms_source_xywh(xywh, s, row / nc);
    *out = (vg_detection){xywh[0] - xywh[2] / 2, xywh[1] - xywh[3] / 2, xywh[0] + xywh[2] / 2,
                          xywh[1] + xywh[3] / 2, nms_key_score(key),    (int)(row % nc)};
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

static size_t suppress(detect_nms *k, vg_detection *out, uint32_t *cells, const row_source *s,
                       const detect_nms_options *o)
{
    const size_t most = nms_most_kept(k, o);
    row_list rows = nms_rows_gather(k, s, o);
    size_t n = 0;
    uint64_t key;
    assert(k->x1); /* not one for rotated boxes */
    nms_rows_turn(&rows);
    while (n < most && nms_rows_pop(&rows, &key)) {
        vg_detection box;
        if (!row_box(&box, s, key))
            continue;
        float offset = o->agnostic ? 0.0f : (float)box.class_index * CLASS_OFFSET_PX;
        float b[5] = {box.x1 + offset, box.y1 + offset, box.x2 + offset, box.y2 + offset};
        b[4] = (b[2] - b[0]) * (b[3] - b[1]);
        if (overlaps_kept(k, n, b, o->iou))
            continue;
        k->x1[n] = b[0], k->y1[n] = b[1], k->x2[n] = b[2], k->y2[n] = b[3], k->area[n] = b[4];
        if (cells)
            cells[n] = nms_source_cell(s, nms_key_row(key) / (size_t)s->nc);
        out[n++] = box;
    }
    return n;
}

size_t detect_nms_run(detect_nms *n, vg_detection *out, uint32_t *cells, const float *pred, int nc,
                      size_t n_anchors, const detect_nms_options *o)
{
    const row_source s = {.pred = pred, .nc = nc, .n_anchors = n_anchors};
    return suppress(n, out, cells, &s, o);
}

size_t detect_run(detect_nms *n, vg_detection *out, uint32_t *cells, const detect_level *levels,
                  int n_levels, int nc, int picture, const detect_nms_options *o)
{
    const row_source s = {.levels = levels,
                          .n_levels = n_levels,
                          .nc = nc,
                          .picture = picture,
                          .n_anchors = detect_n_anchors(levels, n_levels)};
    return suppress(n, out, cells, &s, o);
}

size_t detect_run_picks(detect_nms *n, vg_detection *out, uint32_t *cells,
                        const detect_picks *picks, int nc, const detect_nms_options *o)
{
    const row_source s = {.picks = picks, .nc = nc, .n_anchors = picks->n};
    return suppress(n, out, cells, &s, o);
}
