/* host.h: what a driver of GPUs must offer, so that everything above is written once: a list of its
 * devices, and of one of them memory, a program, launches, copies. host_opencl.c and host_cuda.c
 * are the two. Internal to nn/gpu.
 *
 * Nothing is linked: a driver's library is opened when the first device is asked for. Life of a
 * device: open, program, take blocks, launch and copy in order, finish, give the blocks back,
 * close. Work is queued in the order of the calls and done in that order; finish waits. One thread
 * at a time. */
#ifndef NN_GPU_HOST_H
#define NN_GPU_HOST_H

#include "../nn.h"
#include "kernels/args.h"

/* In the order of the program's text. */
#define GPU_KERNELS(X)                                                                             \
    X(conv_64x64)                                                                                  \
    X(conv_128x32)                                                                                 \
    X(conv_256x16)                                                                                 \
    X(conv_depthwise)                                                                              \
    X(map_maxpool)                                                                                 \
    X(map_upsample)                                                                                \
    X(map_copy)                                                                                    \
    X(map_add)                                                                                     \
    X(attention)
typedef enum gpu_kernel {
#define X(name) GPU_##name,
    GPU_KERNELS(X)
#undef X
        GPU_N_KERNELS
} gpu_kernel;
extern const char *const gpu_kernel_names[GPU_N_KERNELS];

/* A driver's handle of a piece of device memory; 0: none. */
typedef struct gpu_block {
    uintptr_t handle;
    size_t bytes;
} gpu_block;

/* The program in both forms. */
typedef struct gpu_program {
    const char *text; /* OpenCL C */
    size_t text_bytes;
    const char *ptx; /* with a 0 behind it; NULL: this build was made without clang */
} gpu_program;
extern const gpu_program gpu_program_own;

/* What a launch is made of. */
typedef struct gpu_launch {
    gpu_kernel kernel;
    unsigned groups[3];
    unsigned items; /* of a group */
    gpu_args args;
} gpu_launch;

typedef struct gpu_host {
    const char *name;   /* "opencl", "cuda": the beginning of its devices' names */
    bool has_platforms; /* a name may have two numbers */
    /* Fills up to `capacity` rows; *n is 0 after an error. Errors: VG_ERR_UNSUPPORTED (no driver,
     * or none with a device: what is missing), VG_ERR_IO (the driver failed). */
    vg_status (*list)(vg_device *out, size_t capacity, size_t *n, vg_error *err);
    /* platform and index: as in a name, opencl:0.1; CUDA has the index alone. Errors:
     * VG_ERR_ARGUMENT (there is none such), VG_ERR_UNSUPPORTED, VG_ERR_MEMORY. */
    vg_status (*open)(void **device, int platform, int index, base_mem *mem, vg_error *err);
    void (*close)(void **device);
    const vg_device *(*facts)(const void *device);
    /* Compiles, or takes what the cache has; the compiler's own words are the error's what.
     * VG_ERR_UNSUPPORTED, VG_ERR_MEMORY. */
    vg_status (*program)(void *device, const gpu_program *p, base_mem *mem, vg_error *err);
    vg_status (*take)(void *device, gpu_block *out, size_t bytes, vg_error *err);
    void (*give)(void *device, gpu_block *block);
    /* Memory of this machine that the device reads and writes by itself, 64-byte aligned. */
    vg_status (*take_staging)(void *device, gpu_block *out, void **host, size_t bytes,
                              vg_error *err);
    void (*give_staging)(void *device, gpu_block *block, void **host);
    /* Both return before the copy is done; host stays as it is until finish. */
    vg_status (*upload)(void *device, const gpu_block *to, size_t at, const void *host,
                        size_t bytes, vg_error *err);
    vg_status (*download)(void *device, void *host, const gpu_block *from, size_t at, size_t bytes,
                          vg_error *err);
    vg_status (*launch)(void *device, const gpu_launch *l, const gpu_block *block,
                        const gpu_block *weights, vg_error *err);
    vg_status (*finish)(void *device, vg_error *err);
    /* What the driver says is free now, of everybody's; 0: it does not say. */
    size_t (*free_bytes)(void *device);
} gpu_host;

extern const gpu_host gpu_host_opencl, gpu_host_cuda;

/* The newest compiled programs stay in a folder of the user's cache, so that a second start need
 * not compile: $XDG_CACHE_HOME/vigil/gpu, else ~/.cache/vigil/gpu. A file's name is the hash of all
 * that it depends on, its first bytes say so again, and at most GPU_CACHE_FILES stay. Deleting any
 * of them costs a compilation. */
enum { GPU_CACHE_FILES = 16 };
/* *out is NULL when there is none, or none that is whole: it is the caller's (base_free). */
void gpu_cache_get(char **out, size_t *n_bytes, uint64_t key, base_mem *mem);
/* What cannot be written is not kept; nobody needs to know. */
void gpu_cache_put(uint64_t key, const void *bytes, size_t n_bytes, base_mem *mem);

#endif
