/* kind_segment_post.c: masks of prototypes and coefficients: at the prototypes' size, at the
 * network's, at pictures'; and their outlines. */
#include "detect/detect.h"
#include "kind.h"

/* README: so many pixels may lie on the other side of 0. */
enum { MOST_FLIPS = 2, MOST_NATIVE = 100 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "proto") && gold_has(f, "coeff") && gold_has(f, "hand_mask");
}

typedef struct scene {
    gold_tensor proto, coeff, boxes, size;
    float *nhwc; /* the prototypes */
    detect_level level;
    uint32_t *cells;
    vg_detection *rows;
    size_t n;
} scene;

static vg_status open_scene(scene *s, gold_file *f, vg_error *err)
{
    vg_status st = gold_get(&s->proto, f, WEIGHTS_F32, 3, err, "proto");
    if (st == VG_OK)
        st = gold_get(&s->coeff, f, WEIGHTS_F32, 2, err, "coeff");
    if (st == VG_OK)
        st = gold_get(&s->boxes, f, WEIGHTS_F32, 2, err, "boxes");
    if (st == VG_OK)
        st = gold_get(&s->size, f, WEIGHTS_I64, 1, err, "ih_iw");
    if (st != VG_OK)
        return st;
    s->n = s->coeff.shape[0];
    if (s->coeff.shape[1] != s->proto.shape[0] || s->boxes.shape[0] != s->n ||
        s->boxes.shape[1] != 4 || s->size.n != 2)
        return gold_bad(f, err, "not prototypes, coefficients, boxes and a size");
    const size_t c = s->proto.shape[0], pixels = s->proto.shape[1] * s->proto.shape[2];
    s->nhwc = gold_take(f, c * pixels, sizeof(float), err);
    s->cells = gold_take(f, s->n, sizeof *s->cells, err);
    s->rows = gold_take(f, s->n, sizeof *s->rows, err);
    if (!s->nhwc || !s->cells || !s->rows)
        return VG_ERR_MEMORY;
    for (size_t p = 0; p < pixels; p++)
        for (size_t k = 0; k < c; k++)
            s->nhwc[p * c + k] = s->proto.f32[k * pixels + p];
    for (size_t i = 0; i < s->n; i++)
        s->cells[i] = (uint32_t)i;
    s->level = (detect_level){.extra = s->coeff.f32,
                              .extra_pitch = c,
                              .n_extra = (int)c,
                              .h = 1,
                              .w = (int)s->n,
                              .stride = 8};
    return VG_OK;
}

static vg_status compare_outline(gold_file *f, gold_job *job, const vg_mask *m, int i,
                                 vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 2, err, "contour_scaled%d", i);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(1e-3, 0);
    gold_diff_add(&d, (double)m->n_points, (double)want.shape[0]);
    for (size_t k = 0; k < 2 * m->n_points && k < want.n; k++)
        gold_diff_add(&d, m->outline[k], want.f32[k]);
    gold_report_row(job->report, &d, "%s", want.name);
    return VG_OK;
}

static vg_status check_grid(gold_file *f, gold_job *job, scene *s, detect_mask_grid grid,
                            const gold_tensor *boxes, int orig_h, int orig_w,
                            const gold_tensor *want, vg_error *err)
{
    detect_masks *masks = NULL;
    detect_masker *masker = NULL;
    const int h = (int)want->shape[1], w = (int)want->shape[2];
    const detect_mask_source source = {.proto = s->nhwc,
                                       .pitch = s->proto.shape[0],
                                       .h = (int)s->proto.shape[1],
                                       .w = (int)s->proto.shape[2],
                                       .n = (int)s->proto.shape[0],
                                       .in_h = (int)s->size.i64[0],
                                       .in_w = (int)s->size.i64[1],
                                       .orig_h = orig_h,
                                       .orig_w = orig_w,
                                       .levels = &s->level,
                                       .n_levels = 1};
    for (size_t i = 0; i < s->n; i++)
        s->rows[i] = (vg_detection){boxes->f32[4 * i],
                                    boxes->f32[4 * i + 1],
                                    boxes->f32[4 * i + 2],
                                    boxes->f32[4 * i + 3],
                                    1,
                                    0};
    vg_status st = detect_masks_create(&masks, s->n, h, w, job->mem, err);
    if (st == VG_OK)
        st = detect_masker_create(&masker, h, w, job->mem, err);
    if (st == VG_OK) {
        gold_diff flips = gold_diff_make(MOST_FLIPS, 0);
        detect_masks_make(masks, masker, &source, grid, s->rows, s->cells, s->n, true);
        double n_flips = 0;
        for (size_t i = 0; i < s->n; i++)
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    n_flips += detect_mask_has(&detect_masks_at(masks)[i], x, y) !=
                               (want->u8[(i * (size_t)h + (size_t)y) * (size_t)w + (size_t)x] != 0);
        gold_diff_add(&flips, n_flips, 0);
        gold_report_row(job->report, &flips, "%s pixels on the other side", want->name);
    }
    for (size_t i = 0; i < s->n && st == VG_OK && grid == DETECT_GRID_INPUT; i++)
        if (gold_has(f, "contour_scaled%zu", i))
            st = compare_outline(f, job, &detect_masks_at(masks)[i], (int)i, err);
    detect_masks_destroy(&masks);
    detect_masker_destroy(&masker);
    return st;
}

/* Bits of a whole mask of bytes. */
static vg_status check_hand(gold_file *f, gold_job *job, const char *mask, const char *contour,
                            size_t index, vg_error *err)
{
    gold_tensor in, want;
    vg_status st = gold_get(&in, f, WEIGHTS_U8, 0, err, "%s", mask);
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_F32, 2, err, "%s", contour);
    if (st != VG_OK)
        return st;
    const int h = (int)in.shape[in.n_dims - 2], w = (int)in.shape[in.n_dims - 1];
    const uint8_t *from = in.u8 + index * (size_t)h * (size_t)w;
    vg_mask m = {.width = w, .height = h, .row_bytes = ((size_t)w + 7) / 8};
    uint8_t *bits = gold_take(f, m.row_bytes * (size_t)h, 1, err);
    uint8_t *marks = gold_take(f, 2 * m.row_bytes * (size_t)h, 1, err);
    float *xy = gold_take(f, want.n + 2, sizeof *xy, err);
    if (!bits || !marks || !xy)
        return VG_ERR_MEMORY;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if (from[(size_t)y * (size_t)w + (size_t)x])
                bits[(size_t)y * m.row_bytes + (size_t)(x >> 3)] |= (uint8_t)(1 << (7 - (x & 7)));
    m.bits = bits;
    bool is_thinned;
    gold_diff d = gold_diff_make(0, 0);
    const size_t n = detect_mask_outline(xy, want.shape[0] + 1, &is_thinned, &m, marks);
    gold_diff_add(&d, (double)n, (double)want.shape[0]);
    for (size_t k = 0; k < 2 * n && k < want.n; k++)
        gold_diff_add(&d, xy[k], want.f32[k]);
    gold_report_row(job->report, &d, "%s", want.name);
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    scene s = {.n = 0};
    gold_tensor want, shape, boxes;
    vg_status st = open_scene(&s, f, err);
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_U8, 3, err, "low");
    if (st == VG_OK)
        st = check_grid(f, job, &s, DETECT_GRID_PROTO, &s.boxes, 1, 1, &want, err);
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_U8, 3, err, "up");
    if (st == VG_OK)
        st = gold_get(&shape, f, WEIGHTS_I64, 1, err, "native0.shape");
    if (st == VG_OK)
        st = check_grid(f, job, &s, DETECT_GRID_INPUT, &s.boxes, (int)shape.i64[0],
                        (int)shape.i64[1], &want, err);
    for (int i = 0; st == VG_OK && i < MOST_NATIVE && gold_has(f, "native%d.masks", i); i++) {
        st = gold_get(&shape, f, WEIGHTS_I64, 1, err, "native%d.shape", i);
        if (st == VG_OK)
            st = gold_get(&boxes, f, WEIGHTS_F32, 2, err, "native%d.boxes", i);
        if (st == VG_OK)
            st = gold_get(&want, f, WEIGHTS_U8, 3, err, "native%d.masks", i);
        if (st == VG_OK)
            st = check_grid(f, job, &s, DETECT_GRID_PICTURE, &boxes, (int)want.shape[1],
                            (int)want.shape[2], &want, err);
    }
    if (st == VG_OK)
        st = check_hand(f, job, "hand_mask", "hand_contour", 0, err);
    for (size_t i = 0; i < s.n && st == VG_OK; i++) {
        char name[32];
        base_format(name, sizeof name, "contour%zu", i);
        if (gold_has(f, "%s", name))
            st = check_hand(f, job, "up", name, i, err);
    }
    return st;
}

const gold_kind gold_kind_segment_post = {.name = "masks",
                                          .help = "masks of prototypes, and their outlines",
                                          .recognises = recognises,
                                          .check = check};
