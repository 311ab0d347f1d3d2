/* SPDX-License-Identifier: Apache-2.0 */
/* types/bench.h: a measurement of a model: vigil/bench.h. */
#ifndef VIGIL_TYPES_BENCH_H
#define VIGIL_TYPES_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VG_BENCH_TEXT_BYTES = 96 };

typedef struct vg_bench_info {
    const char *model;  /* "yolo11n" */
    const char *isa;    /* of the kernels: "avx2" */
    const char *cpu;    /* what the processor calls itself */
    const char *device; /* "cpu", or a device's name */
    const char *gpu;    /* what that calls itself; "" on the CPU */
    bool half;
    int width, height; /* of the network's input, pixels */
    int threads;       /* of stages, layers and steps: the most that were measured */
    int repeats;
    int picture_width, picture_height; /* of the drawn picture that the first stage letterboxes */
    double gflops;                     /* of a picture: as vg_model_info.gflops_fused counts them */
    double network_ms;                 /* sum of the steps, one picture */
    size_t planned_bytes, peak_bytes;
    size_t gpu_planned_bytes, gpu_peak_bytes; /* of the device's memory */
} vg_bench_info;

/* What so many threads can do together. */
typedef struct vg_bench_machine {
    int threads;
    double peak_gflops_per_s; /* multiply-adds in registers of the same instruction set */
    double copy_gb_per_s;     /* a copy in memory, bytes read and written; GB: 1e9 */
} vg_bench_machine;

/* Of one picture: "letterbox", "network", "boxes" (decoding and suppression). */
typedef struct vg_bench_stage {
    const char *name;
    double ms, share; /* share: of all stages, 0..1 */
    double gflops;    /* counted operations; 0: none */
} vg_bench_stage;

/* A row of the model's YAML: the sum of its steps. One whose work was fused away, or needs none
 * because its inputs were written where it wants them, has no steps and no time. */
typedef struct vg_bench_layer {
    int index, n_steps;
    const char *module;                /* "C3k2" */
    char kernels[VG_BENCH_TEXT_BYTES]; /* of its steps, each once: "direct, winograd" */
    double ms, share;                  /* share: of all layers, 0..1 */
    double gflops, gflops_per_s;
    double peak_share; /* of the machine's; above 1 where Winograd's kernels save multiplications */
} vg_bench_layer;

typedef struct vg_bench_step {
    int layer;
    char name[VG_BENCH_TEXT_BYTES]; /* a convolution's in the weights: "model.0"; else "" */
    const char *kind;               /* "conv", "maxpool", "upsample", "copy", "add", "attention" */
    const char *kernel; /* of a conv "winograd", "direct", "depthwise", "plain"; else as kind */
    int channels, height, width; /* of its output */
    double ms, share;            /* share: of all steps, 0..1 */
    double gflops, gflops_per_s, peak_share;
} vg_bench_step;

/* The whole network, without stages before and behind it. */
typedef struct vg_bench_speed {
    int threads, batch;
    double ms; /* of the batch */
    double pictures_per_s, gflops_per_s, peak_share;
} vg_bench_speed;

#ifdef __cplusplus
}
#endif
#endif
