/* gpu.h: the job's memory on NVIDIA GPUs and how busy they are, through the driver's own library
 * (NVML), loaded when the guard starts. Without it nothing is read and nothing is wrong.
 *
 * The library names processes by the host's numbers. From inside a container these are nobody's
 * here; then what the whole device took since the first look is given instead, and a line says so.
 * A guard outside, whose library tells a container's numbers, maps them through NSpid. For this
 * folder. */
#ifndef WATCH_GPU_H
#define WATCH_GPU_H

#include "tree.h"

enum { WATCH_MOST_GPUS = 4 };

typedef struct watch_gpu watch_gpu;

/* library: NULL: libnvidia-ml.so.1. *out is NULL, with VG_OK, where there is no such library or no
 * GPU; then why (n bytes) says so for people. */
vg_status watch_gpu_open(watch_gpu **out, const char *library, char *why, size_t n_why,
                         base_mem *mem, vg_error *err);
void watch_gpu_close(watch_gpu **g);
/* gpuN.bytes, limit.gpuN_bytes, gpu.utilisation, gpu.orphans. proc: root; uid: of the job's owner,
 * whose orphans count. */
void watch_gpu_read(watch_gpu *g, const watch_tree *t, const char *proc, uid_t uid,
                    watch_sample *out);
/* What should be said once; NULL: nothing (more). */
const char *watch_gpu_note(watch_gpu *g);

#endif
