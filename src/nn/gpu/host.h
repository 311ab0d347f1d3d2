/* host.h: what a driver of GPUs must offer, so that everything above is written once: a list of its
 * devices, and of one of them memory, programs, launches, copies. host_opencl.c and host_cuda.c
 * are the two. Internal to nn/gpu.
 *
 * Nothing is linked: a driver's library is opened when the first device is asked for. Life of a
 * device: open, programs, take blocks, launch and copy in order, finish, give the blocks back,
 * close. Work is queued in the order of the calls and done in that order, but for what goes by
 * lanes of its own; finish waits for all of it. One thread at a time. */
#ifndef NN_GPU_HOST_H
#define NN_GPU_HOST_H

#include "../nn.h"
#include "kernels/args.h"

/* Kernels come in sets, each a program of its own that is compiled when somebody first needs it:
 * who only predicts does not wait for what trains. Set by set, in the order of its text. */
typedef enum gpu_set {
    GPU_INFER,
    GPU_INFER_HALF,
    GPU_TRAIN,
    GPU_TRAIN_HALF,
    GPU_LEARN,
    GPU_N_SETS
} gpu_set;
/* Of inference: all of them twice, with elements of floats and of 16 bits; P: what a name begins
 * with. */
#define GPU_MAP_KERNELS(X, P)                                                                      \
    X(P##conv_128x64)                                                                              \
    X(P##conv_64x64)                                                                               \
    X(P##conv_32x64)                                                                               \
    X(P##conv_128x32)                                                                              \
    X(P##conv_64x32)                                                                               \
    X(P##conv_256x16)                                                                              \
    X(P##conv_depthwise)                                                                           \
    X(P##map_maxpool)                                                                              \
    X(P##map_upsample)                                                                             \
    X(P##map_copy)                                                                                 \
    X(P##map_add)                                                                                  \
    X(P##map_shuffle)                                                                              \
    X(P##map_mean)                                                                                 \
    X(P##attention)                                                                                \
    X(P##letterbox)                                                                                \
    X(P##planes)                                                                                   \
    X(P##pick_count)                                                                               \
    X(P##pick_sum)                                                                                 \
    X(P##pick_write)
#define GPU_INFER_KERNELS(X) GPU_MAP_KERNELS(X, )
#define GPU_INFER_HALF_KERNELS(X)                                                                  \
    GPU_MAP_KERNELS(X, half_)                                                                      \
    X(half_mma_128x64)                                                                             \
    X(half_mma_64x64)                                                                              \
    X(half_mma_32x64)                                                                              \
    X(half_mma_128x32)                                                                             \
    X(half_mma_128x16)
/* Of training: a step, both ways; twice too. */
#define GPU_STEP_KERNELS(X, P)                                                                     \
    X(P##train_fill)                                                                               \
    X(P##train_give)                                                                               \
    X(P##train_upsample_back)                                                                      \
    X(P##train_shuffle_back)                                                                       \
    X(P##train_mean_back)                                                                          \
    X(P##train_maxpool_winners)                                                                    \
    X(P##train_maxpool_back)                                                                       \
    X(P##train_moments)                                                                            \
    X(P##train_moments_merge)                                                                      \
    X(P##train_norm)                                                                               \
    X(P##train_norm_sums)                                                                          \
    X(P##train_norm_merge)                                                                         \
    X(P##train_norm_back)                                                                          \
    X(P##train_pack)                                                                               \
    X(P##train_conv_128x64)                                                                        \
    X(P##train_conv_64x64)                                                                         \
    X(P##train_conv_128x32)                                                                        \
    X(P##train_conv_256x16)                                                                        \
    X(P##train_conv_depthwise)                                                                     \
    X(P##train_weights_64)                                                                         \
    X(P##train_weights_32)                                                                         \
    X(P##train_weights_16)                                                                         \
    X(P##train_weights_depthwise)                                                                  \
    X(P##train_bias_sums)                                                                          \
    X(P##train_sums_add)                                                                           \
    X(P##train_attention_queries)                                                                  \
    X(P##train_attention_keys)                                                                     \
    X(P##train_attention_values)
#define GPU_TRAIN_KERNELS(X)      GPU_STEP_KERNELS(X, )
#define GPU_TRAIN_HALF_KERNELS(X) GPU_STEP_KERNELS(X, half_)
/* What training does beside the network's steps: loss, optimizers, average. */
#define GPU_LEARN_KERNELS(X)                                                                       \
    X(learn_clear)                                                                                 \
    X(loss_decode)                                                                                 \
    X(loss_top)                                                                                    \
    X(loss_settle)                                                                                 \
    X(loss_weigh)                                                                                  \
    X(loss_divide)                                                                                 \
    X(loss_class)                                                                                  \
    X(loss_box)                                                                                    \
    X(loss_sum)                                                                                    \
    X(optimizer_norm)                                                                              \
    X(optimizer_judge)                                                                             \
    X(optimizer_move)                                                                              \
    X(optimizer_average)
#define GPU_KERNELS(X)                                                                             \
    GPU_INFER_KERNELS(X)                                                                           \
    GPU_INFER_HALF_KERNELS(X)                                                                      \
    GPU_TRAIN_KERNELS(X)                                                                           \
    GPU_TRAIN_HALF_KERNELS(X)                                                                      \
    GPU_LEARN_KERNELS(X)
typedef enum gpu_kernel {
#define X(name) GPU_##name,
    GPU_KERNELS(X)
#undef X
        GPU_N_KERNELS
} gpu_kernel;
extern const char *const gpu_kernel_names[GPU_N_KERNELS];

/* A set's kernels: [first, end) of gpu_kernel. */
typedef struct gpu_kernel_range {
    int first, end;
} gpu_kernel_range;
extern const gpu_kernel_range gpu_set_kernels[GPU_N_SETS];

/* A driver's handle of a piece of device memory; 0: none. */
typedef struct gpu_block {
    uintptr_t handle;
    size_t bytes;
} gpu_block;

/* A set's program in both forms. */
typedef struct gpu_program {
    const char *text; /* OpenCL C */
    size_t text_bytes;
    const char *ptx; /* with a 0 behind it; NULL: this build was made without clang */
    /* The same for newer GPUs, by their matrix units, from CUDA 11 on; NULL: ptx is for all. */
    const char *ptx_sm75, *ptx_sm80;
} gpu_program;
extern const gpu_program gpu_programs[GPU_N_SETS];

enum { GPU_MOST_BUFFERS = 6, GPU_MOST_ARGS_BYTES = 1024 };

/* What a launch is made of. A kernel's parameters are its buffers, in this order, and then its
 * arguments by value: the struct of its family in kernels/args.h. */
typedef struct gpu_launch {
    gpu_kernel kernel;
    unsigned groups[3];
    unsigned items; /* of a group */
    int n_buffers;
    const gpu_block *buffers[GPU_MOST_BUFFERS]; /* the caller's; looked at in the call alone */
    const void *args;                           /* the same */
    size_t args_bytes;
} gpu_launch;

/* Where work is queued: what a lane has is done in the order of the calls, and one lane does not
 * wait for another unless it is told to. Copies up and down have lanes of their own beside the one
 * where kernels and other copies go. */
typedef enum gpu_lane { GPU_WORK, GPU_UP, GPU_DOWN, GPU_N_LANES } gpu_lane;
enum { GPU_N_MARKS = 9 };

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
    /* Whether its matrix units compute convolutions of 16-bit numbers. */
    bool (*has_matrix)(const void *device);
    /* Makes the kernels of a set ready, where they are not: compiles, or takes what the cache has;
     * the compiler's own words are the error's what. VG_ERR_UNSUPPORTED, VG_ERR_MEMORY. */
    vg_status (*program)(void *device, gpu_set set, base_mem *mem, vg_error *err);
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
    /* The same by the lanes UP and DOWN; host must be staging. */
    vg_status (*upload_beside)(void *device, const gpu_block *to, size_t at, const void *host,
                               size_t bytes, vg_error *err);
    vg_status (*download_beside)(void *device, void *host, const gpu_block *from, size_t at,
                                 size_t bytes, vg_error *err);
    /* A mark (0 .. GPU_N_MARKS - 1) stands behind what the lane has now, wherever it stood before.
     * What a lane gets after `follow` waits for it; `await` is the caller's own wait. */
    vg_status (*mark)(void *device, gpu_lane lane, int mark, vg_error *err);
    vg_status (*follow)(void *device, gpu_lane lane, int mark, vg_error *err);
    vg_status (*await)(void *device, int mark, vg_error *err);
    /* Of a kernel whose set is ready. */
    vg_status (*launch)(void *device, const gpu_launch *l, vg_error *err);
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
