/* targets.c: labels, and the turn of axes. */
#include "targets.h"

vg_status gold_targets_read(detect_label **out, size_t *n, gold_file *f, vg_error *err)
{
    gold_tensor t;
    vg_status st = gold_get(&t, f, WEIGHTS_F32, 2, err, "targets");
    if (st != VG_OK)
        return st;
    const size_t columns = t.shape[1];
    if (columns != 6 && columns != 7)
        return gold_bad(f, err, "targets has %zu columns, not 6 or 7", columns);
    *n = t.shape[0];
    *out = gold_take(f, t.shape[0], sizeof **out, err);
    if (!*out)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < *n; i++) {
        const float *row = t.f32 + columns * i;
        (*out)[i] = (detect_label){.picture = (int)row[0],
                                   .class_index = (int)row[1],
                                   .xywh_norm = {row[2], row[3], row[4], row[5]},
                                   .angle = columns > 6 ? row[6] : 0};
    }
    return VG_OK;
}

static vg_status read_masks(detect_extras *e, gold_file *f, size_t n_pictures, size_t n_labels,
                            vg_error *err)
{
    gold_tensor masks;
    const vg_status st = gold_get(&masks, f, WEIGHTS_U8, 3, err, "masks");
    if (st != VG_OK)
        return st;
    const bool is_overlap = strcmp(gold_meta_text(f, "overlap_mask", "True"), "True") == 0;
    if (masks.shape[0] < (is_overlap ? n_pictures : n_labels))
        return gold_bad(f, err, "%zu masks", masks.shape[0]);
    e->mask_h = (int)masks.shape[1];
    e->mask_w = (int)masks.shape[2];
    if (!is_overlap) {
        e->masks = masks.u8;
        return VG_OK;
    }
    int32_t *index = gold_take(f, masks.n, sizeof *index, err);
    if (!index)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < masks.n; i++)
        index[i] = masks.u8[i];
    e->index_maps = index;
    return VG_OK;
}

static vg_status read_keypoints(detect_extras *e, gold_file *f, size_t n_labels, int n_extra,
                                vg_error *err)
{
    gold_tensor t;
    const vg_status st = gold_get(&t, f, WEIGHTS_F32, 3, err, "keypoints");
    if (st != VG_OK)
        return st;
    if (t.shape[0] != n_labels || t.shape[1] == 0 || t.shape[2] != 3)
        return gold_bad(f, err, "keypoints are not (labels, K, 3)");
    e->keypoints = t.f32;
    e->n_keypoints = (int)t.shape[1];
    e->keypoint_dims = n_extra / (int)t.shape[1];
    return VG_OK;
}

vg_status gold_extras_read(detect_extras *out, gold_file *f, size_t n_pictures, size_t n_labels,
                           int n_extra, vg_error *err)
{
    *out = (detect_extras){0};
    vg_status st = VG_OK;
    if (gold_has(f, "masks"))
        st = read_masks(out, f, n_pictures, n_labels, err);
    if (st == VG_OK && gold_has(f, "keypoints"))
        st = read_keypoints(out, f, n_labels, n_extra, err);
    return st;
}

void gold_to_nhwc(float *dst, const float *src, size_t n, size_t channels, size_t pixels)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < channels; c++)
                dst[(i * pixels + p) * channels + c] = src[(i * channels + c) * pixels + p];
}
