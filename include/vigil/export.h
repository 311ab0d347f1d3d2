/* SPDX-License-Identifier: Apache-2.0 */
/* export.h: a trained model written for other programs.
 *
 *     vg_export_options o = vg_export_options_default();
 *     o.weights = "best.safetensors";
 *     vg_export_result r;
 *     vg_error err;
 *     if (vg_export(&r, &o, &err) == VG_OK)
 *         puts(r.path);      best.onnx
 *
 * Nothing is run and nothing is held afterwards: weights stream from file to file, and memory is
 * that of the largest convolution. */
#ifndef VIGIL_EXPORT_H
#define VIGIL_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "vigil/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vg_export_options {
    const char *weights; /* .pt or .safetensors; must be given */
    const char *task;    /* as in vg_options */
    const char
        *format; /* "onnx", or "pt": a checkpoint of the Python tool, which takes half alone */
    const char *output; /* NULL: the weights' name with the format's suffix, beside them */
    int opset;          /* of ONNX, 12..21. 17 */
    int imgsz, imgsz_w; /* as in vg_options */
    int batch;          /* pictures in one input, 1..1024. 1 */
    bool dynamic;       /* batch, height and width are left to the reader */
    bool half;          /* weights in 16 bits, and the network computes so */
    bool nms;           /* boxes after suppression instead of one for each cell */
    float conf, iou;    /* with nms. 0.25, 0.7 */
    int max_det;        /* with nms, 1..1000. 300 */
    bool agnostic_nms;
    size_t memory_limit_bytes; /* 0: none */
} vg_export_options;
VG_API vg_export_options vg_export_options_default(void);

enum { VG_EXPORT_PATH_BYTES = 1024, VG_EXPORT_TEXT_BYTES = 96 };
typedef struct vg_export_result {
    char path[VG_EXPORT_PATH_BYTES];
    char name[VG_EXPORT_TEXT_BYTES];   /* of the model: "yolo11n" */
    char input[VG_EXPORT_TEXT_BYTES];  /* "images (1, 3, 640, 640)"; "" where the file has none */
    char output[VG_EXPORT_TEXT_BYTES]; /* "output0 (1, 84, 8400)" */
    char imgsz_note[VG_EXPORT_TEXT_BYTES]; /* as vg_imgsz_format; "": nothing to say */
    size_t file_bytes;
    size_t planned_bytes, peak_bytes; /* of memory */
} vg_export_result;

/* The file is replaced whole or not at all, and is never the one that is read. out may be NULL.
 * SOURCE_DATE_EPOCH in the environment is the date written instead of now's, so that a file can be
 * made again to the byte. Errors: VG_ERR_ARGUMENT (an option; a format that vigil does not write,
 * with the tool that does and its command), VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED,
 * VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_export(vg_export_result *out, const vg_export_options *o, vg_error *err);

/* Formats that others make, for a table; false past the last. */
typedef struct vg_export_other {
    const char *format, *tool, *command; /* MODEL stands for the file's name without its suffix */
} vg_export_other;
VG_API bool vg_export_other_get(size_t index, vg_export_other *out);

#ifdef __cplusplus
}
#endif
#endif
