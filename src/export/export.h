/* export.h: a trained network written for other programs: ONNX, and checkpoints of the Python tool.
 *
 * Nothing is run: the graph is walked and written down, weights are folded and streamed one
 * convolution at a time, so memory is that of the largest convolution. Files are replaced whole or
 * not at all. */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include <stdbool.h>

#include "nn/nn.h"
#include "weights/weights.h"

enum { EXPORT_LEAST_OPSET = 12, EXPORT_MOST_OPSET = 21, EXPORT_OPSET = 17 };

/* What a file says of itself beside the graph. Texts are UTF-8. */
typedef struct export_about {
    const char *description, *author, *date, *version, *license, *docs;
} export_about;

/* "detect", "segment", "pose", "obb" or "classify". */
const char *export_task_name(const nn_graph *g);

typedef struct export_onnx_options {
    int opset;       /* EXPORT_LEAST_OPSET..EXPORT_MOST_OPSET */
    int batch;       /* pictures in one input */
    base_size imgsz; /* multiples of the largest stride */
    bool dynamic;    /* batch, height and width are the reader's choice */
    bool half;       /* weights and maps in 16 bits; input and output stay 32 */
    bool nms;        /* output: (batch, max_det, 6) boxes after suppression */
    /* With nms, as detect's: keep scores > conf, drop what overlaps a better one by more than iou.
     */
    float conf, iou;
    int max_det;
    bool agnostic; /* boxes of different classes compete, too */
    export_about about;
} export_onnx_options;

/* The bytes that export_onnx takes from its account. */
size_t export_onnx_need(const nn_graph *g, const weights_file *w);
/* Input `images` (batch, 3, height, width), RGB, 0..1; output `output0` (batch, 4 + nc, cells):
 * centre, width and height in input pixels, then a score for each class; with nms corners, score
 * and class of the best, rows of zeros behind them. Of other tasks the numbers behind the scores
 * are mask coefficients, keypoints in input pixels or the angle, and `output1` (batch, 32, height /
 * 4, width / 4) are the prototypes; a classifier's output0 is (batch, nc), probabilities. Errors:
 * VG_ERR_ARGUMENT (nms where the model does not only detect), VG_ERR_FORMAT (weights that do not
 * fit the graph), VG_ERR_LIMIT (a weight beyond 16 bits; a file of 2 GB, more than the format
 * holds), VG_ERR_IO, VG_ERR_MEMORY. */
vg_status export_onnx(const char *path, const nn_graph *g, const weights_file *w,
                      const export_onnx_options *o, base_mem *mem, vg_error *err);

typedef struct export_pt_options {
    bool half;        /* 16 bits, whatever the weights have; else each tensor as it is, or in 32 */
    const char *data; /* the dataset that it was trained on; "": unknown */
    export_about about;
} export_pt_options;

size_t export_pt_need(const nn_graph *g, const weights_file *w);
/* A checkpoint that the Python tool opens, validates and trains on: the model of its task with its
 * tree of modules, of a finished training. Weights must have their batch norms. Errors: as
 * export_onnx, and VG_ERR_UNSUPPORTED (a module that such checkpoints are not known to hold). */
vg_status export_pt(const char *path, const nn_graph *g, const weights_file *w,
                    const export_pt_options *o, base_mem *mem, vg_error *err);

#endif
