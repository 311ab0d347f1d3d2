/* kind_task_augment.c: outlines, keypoints and turned boxes through mosaic, warp, flips, copy and
 * paste, letterbox and format. */
#include <math.h>

#include "data/kind.h"
#include "data/outline.h"
#include "kind.h"

enum { MOST = 256 /* objects */, MOST_CASES = 100, MOST_PICTURES = 4 };
static const double point_px = 2e-3, quarter = 1.57079632679489662;

static bool recognises(const gold_file *f)
{
    return gold_has(f, "chain0.center_yx") || gold_has(f, "persp.in.boxes") ||
           gold_has(f, "val.in.boxes");
}

typedef struct scene {
    gold_file *f;
    gold_job *job;
    const data_kind *kind;
    augment_box *boxes; /* (2 MOST) */
    augment_room room;
    augment_paste_room paste;
    size_t n;
} scene;

static vg_status open_scene(scene *s, gold_file *f, gold_job *job, vg_error *err)
{
    static const char *const sets[] = {"chain0.in0", "persp.in", "val.in"};
    *s = (scene){.f = f, .job = job};
    gold_tensor t;
    for (int i = 0; i < 3 && !s->kind; i++) {
        if (gold_has(f, "%s.keypoints", sets[i])) {
            vg_status st = gold_get(&t, f, WEIGHTS_F32, 3, err, "%s.keypoints", sets[i]);
            if (st != VG_OK)
                return st;
            if (t.shape[1] > DATA_MOST_KEYPOINTS || t.shape[2] != 3)
                return gold_bad(f, err, "%s is not (n, keypoints, 3)", t.name);
            s->kind = &DATA_KEYPOINTS;
            s->room.n_keypoints = (uint32_t)t.shape[1];
        } else if (gold_has(f, "%s.poly0", sets[i])) {
            /* 100 points an object: turned boxes; else segments. */
            s->kind = strcmp(gold_meta_text(f, "points", "1000"), "100") == 0 ? &DATA_ROTATED
                                                                              : &DATA_POLYGONS;
        }
    }
    if (!s->kind)
        return gold_bad(f, err, "neither outlines nor keypoints");
    s->room.n_outline = (uint32_t)s->kind->n_outline;
    s->room.most = 2 * MOST;
    s->boxes = gold_take(f, 2 * MOST, sizeof *s->boxes, err);
    s->room.outlines =
        s->boxes ? gold_take(f, 2 * MOST * (2 * (size_t)s->room.n_outline + 1), sizeof(float), err)
                 : NULL;
    s->room.keypoints =
        s->room.outlines
            ? gold_take(f, 2 * MOST * (3 * (size_t)s->room.n_keypoints + 1), sizeof(float), err)
            : NULL;
    s->paste.overlaps = s->room.keypoints ? gold_take(f, 2 * MOST, sizeof(float), err) : NULL;
    s->paste.order = s->paste.overlaps ? gold_take(f, 2 * MOST, sizeof(uint32_t), err) : NULL;
    return s->paste.order ? VG_OK : VG_ERR_MEMORY;
}

static vg_status picture(image_view *out, scene *s, vg_error *err, const char *name)
{
    gold_tensor t;
    vg_status st = gold_get(&t, s->f, WEIGHTS_U8, 3, err, "%s", name);
    if (st == VG_OK && (t.shape[2] != 3 || t.shape[0] > 4096 || t.shape[1] > 4096))
        st = gold_bad(s->f, err, "%s is not (h, w, 3)", name);
    if (st == VG_OK)
        *out = (image_view){(uint8_t *)(uintptr_t)t.u8, (int)t.shape[1], (int)t.shape[0],
                            3 * t.shape[1]};
    return st;
}

/* Appends the objects of "<set>.cls, .boxes, .poly0 ... or .keypoints" on a picture of w x h. */
static vg_status place(scene *s, const char *set, int w, int h, float pad_x, float pad_y,
                       vg_error *err)
{
    gold_tensor cls, boxes, t;
    vg_status st = gold_get(&cls, s->f, WEIGHTS_F32, 0, err, "%s.cls", set);
    if (st == VG_OK)
        st = gold_get(&boxes, s->f, WEIGHTS_F32, 2, err, "%s.boxes", set);
    if (st == VG_OK && (cls.n > MOST - s->n || boxes.n != 4 * cls.n))
        st = gold_bad(s->f, err, "%s: %zu objects", set, cls.n);
    data_label *labels = st == VG_OK ? gold_take(s->f, cls.n + 1, sizeof *labels, err) : NULL;
    if (!labels)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    float *points = NULL;
    size_t n_points = 0;
    if (s->kind->has_keypoints) {
        st = gold_get(&t, s->f, WEIGHTS_F32, 3, err, "%s.keypoints", set);
        if (st == VG_OK && t.n != cls.n * 3 * s->room.n_keypoints)
            st = gold_bad(s->f, err, "%s is of another size", t.name);
        points = (float *)(uintptr_t)t.f32;
    }
    for (size_t i = 0; i < cls.n && st == VG_OK; i++) {
        labels[i] = (data_label){.class_index = (int)cls.f32[i],
                                 .n_points = s->room.n_keypoints,
                                 .first_point = i * s->room.n_keypoints};
        memcpy(labels[i].xywh_norm, boxes.f32 + 4 * i, 4 * sizeof(float));
        if (s->kind->has_keypoints)
            continue;
        st = gold_get(&t, s->f, WEIGHTS_F32, 2, err, "%s.poly%zu", set, i);
        float *more =
            st == VG_OK ? gold_take(s->f, 2 * n_points + t.n + 1, sizeof *more, err) : NULL;
        if (!more)
            return st != VG_OK ? st : VG_ERR_MEMORY;
        if (n_points > 0)
            memcpy(more, points, 2 * n_points * sizeof *more);
        memcpy(more + 2 * n_points, t.f32, t.n * sizeof *more);
        points = more;
        labels[i].first_point = n_points;
        labels[i].n_points = (uint32_t)(t.n / 2);
        n_points += t.n / 2;
    }
    if (st != VG_OK)
        return st;
    const data_picture p = {.w = w, .h = h, .n_labels = cls.n, .labels = labels};
    augment_boxes_place(s->boxes + s->n, &p, NULL, (float)w, (float)h, pad_x, pad_y);
    augment_extras_place(&s->room, s->boxes + s->n, &p, points, (float)w, (float)h, 1, 1, pad_x,
                         pad_y);
    s->n += cls.n;
    return VG_OK;
}

/* Against "<set>.cls, .boxes (corners, or centre and size), .segments or .keypoints". */
static vg_status compare(scene *s, const char *set, bool is_xywh, vg_error *err)
{
    gold_tensor cls, boxes, want;
    vg_status st = gold_get(&cls, s->f, WEIGHTS_F32, 0, err, "%s.cls", set);
    if (st == VG_OK)
        st = gold_get(&boxes, s->f, WEIGHTS_F32, 2, err, "%s.boxes", set);
    if (st == VG_OK)
        st = gold_get(&want, s->f, WEIGHTS_F32, 3, err, "%s.%s", set,
                      s->kind->has_keypoints ? "keypoints" : "segments");
    if (st != VG_OK)
        return st;
    gold_diff kept = gold_diff_make(0, 0), d = gold_diff_make(point_px, 0), points = d;
    gold_diff_add(&kept, (double)s->n, (double)cls.n);
    const size_t each = want.shape[1] * want.shape[2];
    for (size_t i = 0; i < s->n && i < cls.n; i++) {
        const augment_box *b = &s->boxes[i];
        const float is[4] = {is_xywh ? (b->x1 + b->x2) / 2 : b->x1,
                             is_xywh ? (b->y1 + b->y2) / 2 : b->y1, is_xywh ? b->x2 - b->x1 : b->x2,
                             is_xywh ? b->y2 - b->y1 : b->y2};
        gold_diff_add(&kept, b->class_index, cls.f32[i]);
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(&d, is[k], boxes.f32[4 * i + k]);
        const size_t step = b->n_outline > 0 ? b->n_outline / want.shape[1] : 0;
        for (size_t k = 0; k < each; k++)
            gold_diff_add(&points,
                          s->kind->has_keypoints ? b->keypoints[k]
                                                 : b->outline[k / 2 * step * 2 + k % 2],
                          want.f32[i * each + k]);
    }
    gold_report_row(s->job->report, &kept, "%s.cls", set);
    gold_report_row(s->job->report, &d, "%s.boxes", set);
    gold_report_row(s->job->report, &points, "%s", want.name);
    return VG_OK;
}

static vg_status same_pixels(scene *s, const image_view *v, const char *name, vg_error *err)
{
    image_view want;
    vg_status st = picture(&want, s, err, name);
    if (st == VG_OK && (want.w != v->w || want.h != v->h))
        st = gold_bad(s->f, err, "%s is not of %d x %d pixels", name, v->w, v->h);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(0, 0);
    for (int y = 0; y < v->h; y++)
        for (size_t i = 0; i < want.stride; i++)
            gold_diff_add(&d, v->data[(size_t)y * v->stride + i],
                          want.data[(size_t)y * want.stride + i]);
    gold_report_row(s->job->report, &d, "%s", name);
    return VG_OK;
}

/* ---- format ---- */

/* Objects of one area have no order of their own: each is looked for by its box. */
static vg_status check_masks(scene *s, const char *set, int w, int h, const gold_tensor *boxes,
                             vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, s->f, WEIGHTS_U8, 3, err, "%s.masks", set);
    if (st == VG_OK && (want.shape[1] == 0 || h / (int)want.shape[1] < 1))
        st = gold_bad(s->f, err, "%s has no pixels", want.name);
    if (st != VG_OK)
        return st;
    const int q = h / (int)want.shape[1];
    const size_t n_pixels = want.shape[1] * want.shape[2];
    if ((q & (q - 1)) != 0 || n_pixels != (size_t)(w / q) * (size_t)(h / q) || want.shape[0] != 1)
        return gold_bad(s->f, err, "%s is not of a ratio of 1, 2 or 4", want.name);
    uint8_t *room = gold_take(s->f, outline_room_bytes(w, h), 1, err);
    int32_t *map = room ? gold_take(s->f, n_pixels, sizeof *map, err) : NULL;
    uint32_t *areas = map ? gold_take(s->f, 4 * MOST, sizeof *areas, err) : NULL;
    if (!areas)
        return VG_ERR_MEMORY;
    uint32_t *order = areas + MOST, *ranks = order + MOST, *theirs = ranks + MOST;
    outline_map_begin(map, w, h, q);
    for (uint32_t i = 0; i < s->n; i++)
        outline_map_paint(map, areas, i, room, s->boxes[i].outline, s->boxes[i].n_outline, w, h, q);
    outline_map_end(map, order, ranks, areas, s->n, w, h, q);
    gold_diff places = gold_diff_make(0, 0), pixels = places;
    for (size_t i = 0; i < s->n; i++) {
        const augment_box *b = &s->boxes[order[i]];
        const float is[4] = {(b->x1 + b->x2) / 2 / (float)w, (b->y1 + b->y2) / 2 / (float)h,
                             (b->x2 - b->x1) / (float)w, (b->y2 - b->y1) / (float)h};
        size_t j = 0;
        for (; j < s->n; j++) {
            float most = 0;
            for (size_t k = 0; k < 4; k++)
                most = fmaxf(most, fabsf(is[k] - boxes->f32[4 * j + k]));
            if (most < 1e-4f)
                break;
        }
        theirs[i] = (uint32_t)j;
        /* Theirs in our place is as large. */
        const bool found = j < s->n;
        gold_diff_add(&places, found ? areas[order[j]] : -1.0, areas[order[i]]);
    }
    for (size_t k = 0; k < n_pixels; k++)
        gold_diff_add(&pixels, map[k] > 0 ? theirs[map[k] - 1] + 1.0 : 0, want.u8[k]);
    gold_report_row(s->job->report, &places, "%s order", want.name);
    /* Where two that are equally large overlap, either may be on top. */
    bool has_ties = false;
    for (size_t i = 0; i < s->n; i++)
        has_ties |= theirs[i] != i;
    if (has_ties && !gold_diff_passes(&pixels)) {
        pixels = gold_diff_make(0, 0);
        for (size_t k = 0; k < n_pixels; k++)
            gold_diff_add(&pixels, map[k] > 0, want.u8[k] > 0);
    }
    gold_report_row(s->job->report, &pixels, "%s", want.name);
    return VG_OK;
}

static vg_status check_labels(scene *s, const char *set, int w, int h, const gold_tensor *boxes,
                              vg_error *err)
{
    const size_t each = boxes->shape[1];
    gold_tensor cls, keypoints;
    vg_status st = gold_get(&cls, s->f, WEIGHTS_F32, 0, err, "%s.cls", set);
    sample_maker m = {.boxes = s->boxes};
    sample_out out = {.h = h, .w = w};
    const sample_recipe recipe = {.n_outline = s->room.n_outline,
                                  .keypoints = {.n = (int)s->room.n_keypoints, .dims = 3}};
    m.around = gold_take(s->f, DETECT_AROUND_FLOATS(s->room.n_outline), sizeof(float), err);
    out.labels = m.around ? gold_take(s->f, MOST, sizeof *out.labels, err) : NULL;
    out.keypoints = out.labels ? gold_take(s->f, MOST * (3 * (size_t)s->room.n_keypoints + 1),
                                           sizeof(float), err)
                               : NULL;
    if (st != VG_OK || !out.keypoints)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    s->kind->format(&m, &recipe, s->n, 0, &out);
    gold_diff d = gold_diff_make(1e-4, 0), angles = gold_diff_make(2e-3, 0),
              kept = gold_diff_make(0, 0);
    gold_diff_add(&kept, (double)s->n, (double)boxes->n / (double)each);
    for (size_t i = 0; i < s->n && (i + 1) * each <= boxes->n && i < cls.n; i++) {
        const float *is = out.labels[i].xywh_norm, *want = boxes->f32 + each * i;
        gold_diff_add(&kept, out.labels[i].class_index, cls.f32[i]);
        /* A flattened outline may have its rectangle by the other side: sides are parts of w and h.
         */
        const bool turned =
            each == 5 && fabs(fabs((double)out.labels[i].angle - (double)want[4]) - quarter) < 1e-2;
        const float sides[2] = {turned ? is[3] * (float)h / (float)w : is[2],
                                turned ? is[2] * (float)w / (float)h : is[3]};
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(&d, k < 2 ? is[k] : sides[k - 2], want[k]);
        if (each == 5)
            gold_diff_add(
                &angles,
                turned ? want[4] +
                             (float)(fabs((double)out.labels[i].angle - (double)want[4]) - quarter)
                       : out.labels[i].angle,
                want[4]);
    }
    gold_report_row(s->job->report, &kept, "%s.cls", set);
    gold_report_row(s->job->report, &d, "%s.bboxes", set);
    if (each == 5)
        gold_report_row(s->job->report, &angles, "%s.bboxes angle", set);
    if (!s->kind->has_keypoints)
        return VG_OK;
    st = gold_get(&keypoints, s->f, WEIGHTS_F32, 3, err, "%s.keypoints", set);
    if (st != VG_OK)
        return st;
    gold_diff points = gold_diff_make(1e-4, 0);
    for (size_t k = 0; k < keypoints.n && k < s->n * 3 * s->room.n_keypoints; k++)
        gold_diff_add(&points, out.keypoints[k], keypoints.f32[k]);
    gold_report_row(s->job->report, &points, "%s", keypoints.name);
    return VG_OK;
}

static vg_status check_format(scene *s, const char *set, int w, int h, vg_error *err)
{
    gold_tensor boxes;
    vg_status st = gold_get(&boxes, s->f, WEIGHTS_F32, 2, err, "%s.bboxes", set);
    if (st != VG_OK)
        return st;
    return s->kind->has_masks && boxes.n == 4 * s->n ? check_masks(s, set, w, h, &boxes, err)
                                                     : check_labels(s, set, w, h, &boxes, err);
}

/* ---- steps ---- */

static vg_status run_mosaic(scene *s, const char *set, const image_view *canvas, vg_error *err)
{
    gold_tensor center;
    vg_status st = gold_get(&center, s->f, WEIGHTS_I64, 1, err, "%s.center_yx", set);
    canvas_fill(canvas);
    s->n = s->room.n_taken = 0;
    for (int i = 0; i < MOST_PICTURES && st == VG_OK; i++) {
        char name[64];
        int pad_x, pad_y;
        image_view v;
        base_format(name, sizeof name, "%s.img%d", set, i);
        st = picture(&v, s, err, name);
        if (st != VG_OK)
            return st;
        augment_mosaic_place(canvas, &v, i, (int)center.i64[1], (int)center.i64[0], &pad_x, &pad_y);
        base_format(name, sizeof name, "%s.in%d", set, i);
        st = place(s, name, v.w, v.h, (float)pad_x, (float)pad_y, err);
    }
    s->n = augment_boxes_clip(s->boxes, s->n, (float)canvas->w);
    return st;
}

static vg_status flip(scene *s, const char *set, int w, int h, vg_error *err)
{
    augment_boxes_flip(s->boxes, s->n, true, true, w, h);
    if (!s->kind->has_keypoints)
        return VG_OK;
    gold_tensor t;
    int flip_idx[DATA_MOST_KEYPOINTS];
    vg_status st = gold_get(&t, s->f, WEIGHTS_I64, 1, err, "%s.flip_idx", set);
    if (st == VG_OK && t.n != s->room.n_keypoints)
        st = gold_bad(s->f, err, "%s is of another length", t.name);
    for (size_t k = 0; st == VG_OK && k < t.n; k++) {
        if (t.i64[k] < 0 || t.i64[k] >= (int64_t)t.n)
            return gold_bad(s->f, err, "%s has %lld", t.name, (long long)t.i64[k]);
        flip_idx[k] = (int)t.i64[k];
    }
    if (st == VG_OK)
        augment_keypoints_exchange(s->boxes, s->n, flip_idx);
    return st;
}

static vg_status run_chain(scene *s, int i, vg_error *err)
{
    char set[16], name[48];
    image_view out, warped;
    gold_tensor m, gain;
    base_format(set, sizeof set, "chain%d", i);
    base_format(name, sizeof name, "%s.mosaic.out", set);
    vg_status st = picture(&out, s, err, name);
    base_format(name, sizeof name, "%s.warp.out", set);
    if (st == VG_OK)
        st = picture(&warped, s, err, name);
    if (st == VG_OK)
        st = gold_get(&m, s->f, WEIGHTS_F32, 2, err, "%s.M", set);
    if (st == VG_OK)
        st = gold_get(&gain, s->f, WEIGHTS_F64, 1, err, "%s.scale", set);
    if (st == VG_OK && (m.n != 9 || out.w != out.h))
        st = gold_bad(s->f, err, "%s is no mosaic and matrix", set);
    uint8_t *block = st == VG_OK ? gold_take(s->f, canvas_bytes(out.w, out.h), 1, err) : NULL;
    if (!block)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    const image_view canvas = canvas_init(block, out.w, out.h);
    st = run_mosaic(s, set, &canvas, err);
    base_format(name, sizeof name, "%s.mosaic.out", set);
    if (st == VG_OK)
        st = same_pixels(s, &canvas, name, err);
    base_format(name, sizeof name, "%s.mosaic", set);
    if (st == VG_OK)
        st = compare(s, name, false, err);
    if (st != VG_OK)
        return st;
    const int w = warped.w, h = warped.h;
    s->n = augment_boxes_warp(s->boxes, s->n, m.f32, false, gain.f64[0], w, h, NULL);
    base_format(name, sizeof name, "%s.warp", set);
    st = compare(s, name, false, err);
    if (st == VG_OK)
        st = flip(s, set, w, h, err);
    base_format(name, sizeof name, "%s.flip", set);
    if (st == VG_OK)
        st = compare(s, name, true, err);
    base_format(name, sizeof name, "%s.format", set);
    return st == VG_OK ? check_format(s, name, w, h, err) : st;
}

static vg_status run_perspective(scene *s, vg_error *err)
{
    image_view v;
    gold_tensor m, gain;
    vg_status st = picture(&v, s, err, "persp.in_img");
    if (st == VG_OK)
        st = gold_get(&m, s->f, WEIGHTS_F32, 2, err, "persp.M");
    if (st == VG_OK)
        st = gold_get(&gain, s->f, WEIGHTS_F64, 1, err, "persp.scale");
    if (st == VG_OK && m.n != 9)
        st = gold_bad(s->f, err, "persp.M is no matrix");
    s->n = s->room.n_taken = 0;
    if (st == VG_OK)
        st = place(s, "persp.in", v.w, v.h, 0, 0, err);
    if (st != VG_OK)
        return st;
    s->n = augment_boxes_warp(s->boxes, s->n, m.f32, true, gain.f64[0], v.w, v.h, NULL);
    return compare(s, "persp.out", false, err);
}

static vg_status run_paste(scene *s, int i, vg_error *err)
{
    char name[48];
    image_view v;
    gold_tensor p;
    base_format(name, sizeof name, "paste%d.in_img", i);
    vg_status st = picture(&v, s, err, name);
    if (st == VG_OK)
        st = gold_get(&p, s->f, WEIGHTS_F64, 1, err, "paste%d.p", i);
    s->n = s->room.n_taken = 0;
    base_format(name, sizeof name, "paste%d.in", i);
    if (st == VG_OK)
        st = place(s, name, v.w, v.h, 0, 0, err);
    if (st != VG_OK)
        return st;
    s->paste.fill = gold_take(s->f, outline_room_bytes(v.w, v.h), 1, err);
    s->paste.stencil = gold_take(s->f, (size_t)v.w * (size_t)v.h, 1, err);
    if (!s->paste.fill || !s->paste.stencil)
        return VG_ERR_MEMORY;
    s->n = augment_paste_mirrored(&v, s->boxes, s->n, p.f64[0], &s->room, &s->paste);
    base_format(name, sizeof name, "paste%d.out_img", i);
    st = same_pixels(s, &v, name, err);
    base_format(name, sizeof name, "paste%d.out", i);
    return st == VG_OK ? compare(s, name, false, err) : st;
}

/* The side of the square that a picture of w x h was padded to, from where an object came to lie:
 * its centre keeps its distance from the picture's. s has the objects without padding. */
static vg_status find_side(scene *s, int *side, int w, int h, vg_error *err)
{
    gold_tensor boxes;
    vg_status st = gold_get(&boxes, s->f, WEIGHTS_F32, 2, err, "val.bboxes");
    float *scratch = gold_take(s->f, DETECT_AROUND_FLOATS(s->room.n_outline), sizeof *scratch, err);
    if (st != VG_OK || !scratch)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    double farthest = 0;
    for (size_t i = 0; i < s->n && (i + 1) * boxes.shape[1] <= boxes.n; i++) {
        const augment_box *b = &s->boxes[i];
        float center[5] = {(b->x1 + b->x2) / 2, (b->y1 + b->y2) / 2};
        if (s->kind == &DATA_ROTATED)
            detect_rotated_around(center, b->outline, b->n_outline, scratch);
        for (int axis = 0; axis < 2; axis++) {
            const double is = (double)center[axis] - (axis ? h : w) / 2.0,
                         want = (double)boxes.f32[boxes.shape[1] * i + (size_t)axis] - 0.5;
            if (fabs(want) <= farthest)
                continue;
            farthest = fabs(want);
            *side = (int)(rint(is / want / 32) * 32);
        }
    }
    return *side > 0 && *side <= 4096 ? VG_OK
                                      : gold_bad(s->f, err, "val: a square of %d pixels", *side);
}

/* Letterboxed without enlarging: into what the masks times 4 say, or else a square. */
static vg_status run_validation(scene *s, vg_error *err)
{
    image_view v;
    gold_tensor masks;
    int w = 0, h = 0;
    vg_status st = picture(&v, s, err, "val.img");
    s->n = s->room.n_taken = 0;
    if (st == VG_OK && s->kind->has_masks) {
        st = gold_get(&masks, s->f, WEIGHTS_U8, 3, err, "val.masks");
        w = (int)masks.shape[2] * 4;
        h = (int)masks.shape[1] * 4;
    } else if (st == VG_OK) {
        st = place(s, "val.in", v.w, v.h, 0, 0, err);
        if (st == VG_OK)
            st = find_side(s, &w, v.w, v.h, err);
        h = w;
    }
    const image_letterbox_rule rule = {.target_w = w, .target_h = h, .center = true, .stride = 32};
    image_letterbox_fit fit;
    if (st == VG_OK)
        st = image_letterbox_plan(&fit, v.w, v.h, &rule, err);
    if (st == VG_OK && (fit.new_w != v.w || fit.new_h != v.h))
        return gold_bad(s->f, err, "val is resized, which is another kind of file");
    s->n = s->room.n_taken = 0;
    if (st == VG_OK)
        st = place(s, "val.in", v.w, v.h, (float)fit.pad_w, (float)fit.pad_h, err);
    return st == VG_OK ? check_format(s, "val", w, h, err) : st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    scene s;
    vg_status st = open_scene(&s, f, job, err);
    for (int i = 0; i < MOST_CASES && gold_has(f, "chain%d.center_yx", i) && st == VG_OK; i++)
        st = run_chain(&s, i, err);
    if (st == VG_OK && gold_has(f, "persp.M"))
        st = run_perspective(&s, err);
    for (int i = 0; i < MOST_CASES && gold_has(f, "paste%d.p", i) && st == VG_OK; i++)
        st = run_paste(&s, i, err);
    return st == VG_OK && gold_has(f, "val.img") ? run_validation(&s, err) : st;
}

const gold_kind gold_kind_task_augment = {
    .name = "task_augment",
    .help = "outlines, keypoints and turned boxes through augmentation",
    .recognises = recognises,
    .check = check};
