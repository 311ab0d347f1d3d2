/* SPDX-License-Identifier: Apache-2.0 */
/* vigil.h: YOLO11 object detection whose memory is planned before it runs and flat while it runs.
 *
 *     vg_options o = vg_options_default();
 *     o.weights = "yolo11n.pt";
 *     vg_detector *d = NULL;
 *     vg_error err;
 *     if (vg_detector_open(&d, &o, &err) != VG_OK)
 *         ... err.what, err.where, err.mend
 *     vg_detection found[300];
 *     size_t n;
 *     if (vg_detect_file(d, found, 300, &n, "street.jpg", NULL, &err) == VG_OK)
 *         for (size_t i = 0; i < n; i++)
 *             puts(vg_detector_class_name(d, found[i].class_index));
 *     vg_detector_close(&d);
 *
 * Threads: a handle serves one thread at a time; any number of handles may work side by side. No
 * global state. Memory: all that a handle takes is taken at open (and at the first picture of a
 * shape larger than any before, where a function says so); limits and counters are the handle's
 * own. Strings are UTF-8; a struct of options is made by its _default function, so that fields
 * added later have defaults. */
#ifndef VIGIL_VIGIL_H
#define VIGIL_VIGIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vigil/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VG_VERSION_MAJOR 0
#define VG_VERSION_MINOR 1
#define VG_VERSION_PATCH 0
/* "0.1.0", of the library that is running. */
VG_API const char *vg_version(void);

/* ---- memory ---- */

/* One owner's share, for tables: planned before the first picture, and what is held now. */
typedef struct vg_memory_item {
    const char *owner; /* "weights", "activations", "frames", ... */
    size_t planned_bytes;
    size_t in_use_bytes;
    size_t peak_bytes;
    uint64_t n_allocations; /* ever */
} vg_memory_item;

enum { VG_MEMORY_ITEMS = 12 };
typedef struct vg_memory {
    vg_memory_item items[VG_MEMORY_ITEMS];
    int n_items;
    size_t planned_bytes; /* sum */
    size_t in_use_bytes;
    size_t library_bytes;  /* what libraries (libjpeg, Cairo, FFmpeg, libc) hold on the heap */
    size_t resident_bytes; /* of the whole process, code pages included */
    size_t peak_resident_bytes;
} vg_memory;

/* ---- a detector ---- */

typedef struct vg_detector vg_detector;

typedef struct vg_options {
    const char *weights; /* .pt (Ultralytics, never executed) or .safetensors; must be given */
    int imgsz;   /* longest side of the network's input, pixels, 32..8192; raised to a multiple of
                    the stride. 640 */
    int batch;   /* most pictures in one forward pass, 1..1024. 1 */
    int threads; /* 0: every processor this process may use */
    int plan_cache; /* shapes whose plans are kept, 1..256, least recently used out first. 4 */
    size_t memory_limit_bytes; /* 0: none. open fails with VG_ERR_LIMIT, the sum shown, when the
                                  plan does not fit */
    const char *device;        /* "auto" or "cpu"; anything else: VG_ERR_UNSUPPORTED */
    const char *isa;           /* NULL: best here; "plain", "sse41", "avx2", "avx512" */
} vg_options;
VG_API vg_options vg_options_default(void);

/* On success *out is the caller's until vg_detector_close; on failure NULL. Strings in o are only
 * read during the call. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED,
 * VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_detector_open(vg_detector **out, const vg_options *o, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_detector_close(vg_detector **d);

typedef struct vg_model_info {
    const char *name; /* "yolo11n"; borrowed from the handle, like all strings here */
    const char *scale;
    const char *format; /* "pt" or "safetensors"; with .pt, chosen says "model" or "ema" */
    const char *chosen;
    const char *isa;
    int threads, imgsz, n_classes, n_layers, max_stride;
    int64_t n_params, n_params_fused;
    double gflops, gflops_fused; /* at imgsz x imgsz */
} vg_model_info;
VG_API void vg_detector_info(const vg_detector *d, vg_model_info *out);
/* "" outside 0..n_classes-1. */
VG_API const char *vg_detector_class_name(const vg_detector *d, int class_index);
VG_API void vg_detector_memory(const vg_detector *d, vg_memory *out);

/* ---- detecting ---- */

typedef enum vg_pixel_format { VG_RGB, VG_BGR } vg_pixel_format;

/* Borrowed 8-bit pixels, three bytes each, rows from top to bottom. */
typedef struct vg_image {
    const uint8_t *pixels;
    int width, height;
    size_t stride; /* bytes from row to row; 0: 3 * width */
    vg_pixel_format format;
} vg_image;

typedef struct vg_detection {
    float x1, y1, x2, y2; /* corners in pixels of the picture */
    float confidence;     /* 0..1 */
    int class_index;
} vg_detection;

typedef struct vg_detect_options {
    float conf;         /* 0.25: keep confidence > conf */
    float iou;          /* 0.7: drop a box whose overlap with a better one of its class is larger */
    int max_det;        /* 1..1000. 300 */
    const int *classes; /* NULL: all */
    size_t n_classes;
    bool agnostic_nms; /* boxes of different classes compete, too */
} vg_detect_options;
VG_API vg_detect_options vg_detect_options_default(void);

/* Detects in one picture. out holds `capacity` rows; best first; *n_out of them are written, 0 on
 * failure. o NULL: the defaults. A picture whose network shape is new to the handle costs a plan (a
 * millisecond, kilobytes); past plan_cache shapes memory does not grow. Errors: VG_ERR_ARGUMENT
 * (picture, options), VG_ERR_MEMORY. */
VG_API vg_status vg_detect(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                           const vg_image *image, const vg_detect_options *o, vg_error *err);
/* The same from a file (JPEG, PNG, BMP, WebP, TIFF, GIF). The handle's picture buffer grows to the
 * largest seen. */
VG_API vg_status vg_detect_file(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                                const char *path, const vg_detect_options *o, vg_error *err);
/* n_images pictures, 1..the handle's batch, in one pass. Rows of picture i start at out + i *
 * capacity, their number is n_out[i]. Pictures of one shape share a rectangular input; of several
 * shapes, a square one (as the field does). */
VG_API vg_status vg_detect_batch(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                                 const vg_image *images, size_t n_images,
                                 const vg_detect_options *o, vg_error *err);

/* ---- a whole predict job: sources in, results and files out, stages overlapping ---- */

typedef struct vg_predict vg_predict;

typedef struct vg_predict_options {
    vg_options detector;
    vg_detect_options detect;
    const char
        *source; /* file, directory, glob, .txt list, or "-": one picture on standard input */
    bool save;   /* annotated pictures */
    bool save_txt, save_conf, save_crop, save_json;
    const char *project; /* "runs/predict" */
    const char *name;    /* "exp": then exp2, exp3, ... unless exist_ok */
    bool exist_ok;
    int line_width; /* 0: by picture size */
    bool hide_labels, hide_conf;
} vg_predict_options;
VG_API vg_predict_options vg_predict_options_default(void);

/* Milliseconds of one picture. Stages of different pictures overlap, so their sum is more than the
 * job's time. */
typedef struct vg_predict_times {
    double decode_ms, preprocess_ms, inference_ms, postprocess_ms, save_ms;
} vg_predict_times;

/* Borrowed until the next call on the job. */
typedef struct vg_predict_result {
    size_t index, total; /* from 0; total pictures known */
    const char *source;  /* the picture's path */
    vg_status status;    /* not VG_OK: the picture was skipped, and error says why */
    vg_error error;
    int width, height;             /* of the picture */
    int input_width, input_height; /* of the network */
    const vg_detection *detections;
    size_t n_detections;
    vg_predict_times times;
} vg_predict_result;

/* Finds the pictures, reads their heads, makes the run folder (when anything is saved) and every
 * buffer. Errors: as vg_detector_open, and VG_ERR_ARGUMENT (no picture there), VG_ERR_IO (run
 * folder). */
VG_API vg_status vg_predict_open(vg_predict **out, const vg_predict_options *o, vg_error *err);
/* The next picture in order; *out NULL at the end. A broken picture is a result with its own
 * status; an error returned here ends the job (a full disk, say). */
VG_API vg_status vg_predict_next(vg_predict *p, const vg_predict_result **out, vg_error *err);
/* Stops early, waits for the stages, closes files. Errors: VG_ERR_IO when the last writes failed.
 */
VG_API vg_status vg_predict_close(vg_predict **p, vg_error *err);
VG_API const vg_detector *vg_predict_detector(const vg_predict *p);
/* The run folder; "" when nothing is saved. */
VG_API const char *vg_predict_folder(const vg_predict *p);
VG_API void vg_predict_memory(const vg_predict *p, vg_memory *out);

/* ---- looking at and converting weights ---- */

typedef struct vg_layer {
    int index, repeats, c_out;
    const char *from, *module, *args;
    int64_t n_params;
    double gflops;
} vg_layer;
/* Without running anything: a model from a weights file or a model YAML's name ("yolo11s.yaml"). */
typedef struct vg_model vg_model;
/* nc 0: as the file or YAML says. */
VG_API vg_status vg_model_open(vg_model **out, const char *path_or_name, int imgsz, int nc,
                               vg_error *err);
VG_API void vg_model_close(vg_model **m);
VG_API void vg_model_info_get(const vg_model *m, vg_model_info *out); /* threads, isa: 0, "" */
/* Empty outside 0..n_layers-1. */
VG_API void vg_model_layer(const vg_model *m, int index, vg_layer *out);
VG_API const char *vg_model_class_name(const vg_model *m, int class_index);
VG_API int vg_model_n_levels(const vg_model *m);
/* Input pixels a cell; 0 outside 0..n_levels-1. */
VG_API float vg_model_stride(const vg_model *m, int level);
/* Facts of the file for people: key and value of line `index`; false past the last. ("license",
 * "date", "epoch", ...) */
VG_API bool vg_model_fact(const vg_model *m, size_t index, const char **key, const char **value);
/* What a detector of this model would take, by owner, without taking it. */
VG_API vg_status vg_model_memory(const vg_model *m, int batch, int threads, vg_memory *out,
                                 vg_error *err);

/* .pt or .safetensors -> .safetensors, replaced whole or not at all. */
VG_API vg_status vg_convert(const char *weights, const char *output, vg_error *err);

#ifdef __cplusplus
}
#endif
#endif
