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

void gold_to_nhwc(float *dst, const float *src, size_t n, size_t channels, size_t pixels)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < channels; c++)
                dst[(i * pixels + p) * channels + c] = src[(i * channels + c) * pixels + p];
}
