/* targets.h: what a golden batch is made of: pictures NCHW, and rows of labels. */
#ifndef GOLDEN_TARGETS_H
#define GOLDEN_TARGETS_H

#include "detect/detect.h"
#include "file.h"

/* The rows of "targets" (image, class, x, y, w, h, and perhaps an angle), which live as long as the
 * file. */
vg_status gold_targets_read(detect_label **out, size_t *n, gold_file *f, vg_error *err);

/* What labels have beside boxes, where the file has it: "masks" (index maps, unless its metadata
 * says otherwise), "keypoints" of n_extra numbers a cell. They live as long as the file. */
vg_status gold_extras_read(detect_extras *out, gold_file *f, size_t n_pictures, size_t n_labels,
                           int n_extra, vg_error *err);

/* dst (n, pixels, channels) from src (n, channels, pixels). */
void gold_to_nhwc(float *dst, const float *src, size_t n, size_t channels, size_t pixels);

#endif
