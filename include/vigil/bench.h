/* SPDX-License-Identifier: Apache-2.0 */
/* bench.h: where the time of a model goes on this machine: by layer, by step and by stage, against
 * what the processor could do; and the whole model by batch and threads.
 *
 *     vg_bench_options o = vg_bench_options_default();
 *     o.weights = "best.safetensors";
 *     vg_bench *b;
 *     vg_error err;
 *     vg_bench_speed s;
 *     if (vg_bench_run(&b, &o, &err) == VG_OK)
 *         for (size_t i = 0; vg_bench_get_speed(b, i, &s); i++)
 *             printf("%d threads, batch %d: %.1f pictures/s\n", s.threads, s.batch,
 *                    s.pictures_per_s);
 *     vg_bench_close(&b);
 *
 * On a device (`device`) the machine is not measured, and the whole network goes from floats in
 * this machine's memory to whole maps there, copies included. A step's time has a wait for the
 * device in it, so steps are more than the whole.
 *
 * All figures are medians of `repeats` runs in turns, after two runs to warm up; nothing is
 * allocated while the clock runs. */
#ifndef VIGIL_BENCH_H
#define VIGIL_BENCH_H

#include "vigil/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vg_bench_options {
    const char *weights;       /* .pt or .safetensors; must be given */
    int imgsz, imgsz_w;        /* as in vg_options */
    int batch;                 /* the most: 1, 2, 4, ... and this are measured. 4 */
    int threads;               /* the most, likewise. 0: one for each processor */
    int repeats;               /* 1..1000. 20 */
    const char *isa;           /* as in vg_options */
    const char *device;        /* as there, but NULL: the CPU */
    bool half;                 /* as there */
    size_t memory_limit_bytes; /* 0: none */
} vg_bench_options;
VG_API vg_bench_options vg_bench_options_default(void);

typedef struct vg_bench vg_bench;

/* Measures: it takes seconds to minutes. *out is NULL on failure. Errors: VG_ERR_ARGUMENT,
 * VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED, VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_SYSTEM. */
VG_API vg_status vg_bench_run(vg_bench **out, const vg_bench_options *o, vg_error *err);
VG_API void vg_bench_close(vg_bench **b);

/* Texts are valid until close. */
VG_API void vg_bench_get_info(const vg_bench *b, vg_bench_info *out);
/* By index from 0; false past the last. */
VG_API bool vg_bench_get_machine(const vg_bench *b, size_t index, vg_bench_machine *out);
VG_API bool vg_bench_get_stage(const vg_bench *b, size_t index, vg_bench_stage *out);
VG_API bool vg_bench_get_layer(const vg_bench *b, size_t index, vg_bench_layer *out);
VG_API bool vg_bench_get_step(const vg_bench *b, size_t index, vg_bench_step *out);
VG_API bool vg_bench_get_speed(const vg_bench *b, size_t index, vg_bench_speed *out);

#ifdef __cplusplus
}
#endif
#endif
