/* SPDX-License-Identifier: Apache-2.0 */
/* types/engine.h: what an engine runs on, what it holds, and the model that it runs. */
#ifndef VIGIL_TYPES_ENGINE_H
#define VIGIL_TYPES_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- devices ---- */

/* A GPU, or a processor that an OpenCL driver offers as one. */
typedef struct vg_device {
    char name[24];  /* "cuda:0", "opencl:0", "opencl:0.1": what `device` takes */
    char title[96]; /* what its driver calls it */
    char vendor[48], platform[48], driver[64];
    bool is_gpu;             /* else it is taken only when it is named */
    bool has_half;           /* computes with 16 bits */
    int n_units;             /* multiprocessors */
    size_t memory_bytes;     /* all of it */
    size_t free_bytes;       /* now; 0: the driver does not say */
    size_t most_block_bytes; /* the largest piece that it gives */
    char fault[112];         /* why it cannot be used; "": it can */
} vg_device;
/* What leads to devices: "opencl", "cuda". */
typedef struct vg_driver {
    char name[16];
    int n_devices;
    char fault[256]; /* why it leads to none: not installed, not in this build; "": it does */
} vg_driver;
enum { VG_MOST_DEVICES = 64, VG_MOST_DRIVERS = 4 };

/* ---- memory ---- */

/* One owner's share, for tables. */
typedef struct vg_memory_item {
    const char *owner;      /* "weights", "activations", "frames", ... */
    size_t planned_bytes;   /* before the first picture */
    size_t in_use_bytes;    /* now */
    size_t peak_bytes;      /* most so far */
    uint64_t n_allocations; /* ever */
    bool is_on_gpu;         /* of its memory, not of this machine's */
} vg_memory_item;

enum { VG_MEMORY_ITEMS = 16 };
typedef struct vg_memory {
    vg_memory_item items[VG_MEMORY_ITEMS];
    int n_items;
    size_t planned_bytes;  /* of all items but a GPU's */
    size_t in_use_bytes;   /* likewise */
    size_t library_bytes;  /* what libraries (libjpeg, Cairo, FFmpeg, libc) hold on the heap */
    size_t resident_bytes; /* of the whole process, code pages included */
    size_t peak_resident_bytes;
    size_t gpu_planned_bytes, gpu_in_use_bytes; /* of a GPU's items */
    size_t gpu_taken_bytes; /* of the whole GPU, by everybody, as its driver says; 0: it does not */
} vg_memory;

/* One part of what a training run will hold. */
typedef struct vg_plan_item {
    const char *owner; /* as in vg_memory; "report" and "program" besides */
    const char *what;  /* "parameters", "labels", ... */
    size_t bytes;
    bool is_held; /* exact, from prepare to destroy; else a bound of what comes and goes, or of what
                     the process holds beside its accounts */
    bool is_on_gpu; /* of its memory, not of this machine's */
} vg_plan_item;

enum { VG_PLAN_ITEMS = 40 };
/* What a training run will hold, before any of it is taken. */
typedef struct vg_plan {
    vg_plan_item items[VG_PLAN_ITEMS];
    int n_items;
    int batch;          /* pictures; given, or chosen */
    int width, height;  /* of the largest batch, pixels */
    bool is_chosen;     /* batch was -1 */
    size_t held_bytes;  /* of the items that are held, but a GPU's */
    size_t total_bytes; /* of all items but a GPU's: what memory_limit is compared with */
    size_t naive_bytes; /* the activations, if none shared its bytes with another */
    size_t limit_bytes; /* what total_bytes was compared with; 0: nothing */
    size_t gpu_bytes, gpu_limit_bytes; /* the same of a GPU's items */
} vg_plan;

/* ---- models ---- */

/* Who said imgsz. */
typedef enum vg_imgsz_from {
    VG_IMGSZ_GIVEN,      /* the caller */
    VG_IMGSZ_OF_WEIGHTS, /* the training arguments in the weights file */
    VG_IMGSZ_DEFAULT     /* neither: 640 */
} vg_imgsz_from;

/* Strings are borrowed from the handle. */
typedef struct vg_model_info {
    const char *name;  /* "yolo11n" */
    const char *scale; /* "n" */
    vg_task task;
    int n_keypoints, keypoint_dims; /* of pose: points of an object, and 2 or 3 numbers of each */
    const char *format;             /* "pt" or "safetensors"; "": no file */
    const char *chosen;             /* of a .pt: "model" or "ema"; else "" */
    const char *isa;             /* of the kernels: "plain", "sse41", "avx2", "avx512"; of a GPU's,
                                    its name: "cuda:0" */
    const char *gpu;             /* what the GPU's driver calls it; "": the CPU computes */
    int threads, imgsz, imgsz_w; /* the input's height and width, multiples of max_stride */
    int n_classes, n_layers;
    int max_stride;                 /* input pixels of a cell of the coarsest level */
    int asked_imgsz, asked_imgsz_w; /* before they were raised to multiples of max_stride */
    vg_imgsz_from imgsz_from;
    int64_t n_params, n_params_fused; /* with batch normalisation; folded into convolutions */
    double gflops, gflops_fused; /* of one picture, a square of the longer side; 1e9 operations,
                                    a multiply and an add being two */
} vg_model_info;

/* A row of a model's YAML. */
typedef struct vg_layer {
    int index, repeats;
    int c_out;                        /* channels of its output; 0: a head */
    const char *from, *module, *args; /* texts for a table: "-1", "Conv", "[16, 3, 2]" */
    int64_t n_params;
    double gflops; /* at the image size asked for */
} vg_layer;

#ifdef __cplusplus
}
#endif
#endif
