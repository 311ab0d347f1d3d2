/* backend.h: what a processor must offer to run plans; one const struct per backend, in its own
 * folder. Internal to nn.
 *
 * The plan says what to compute and where it lies; the backend says how. Life of a context: create,
 * pack every convolution's weights once, take the block, prepare the steps of a plan, run them in
 * order (nothing allocates here), release the steps, give the block back, destroy.
 *
 * Where the processor has memory of its own, the program cannot follow an address into it. So a
 * step says where its maps lie twice: as addresses in the program's memory (maps), and as places in
 * the block (_at), which are all that a backend with a `remote` reads. */
#ifndef NN_BACKEND_H
#define NN_BACKEND_H

#include "graph.h"

typedef enum nn_step_kind {
    NN_STEP_CONV,
    NN_STEP_MAXPOOL,
    NN_STEP_UPSAMPLE,
    NN_STEP_COPY,
    NN_STEP_ADD,
    NN_STEP_ATTENTION,
    NN_STEP_SHUFFLE,
    NN_STEP_MEAN
} nn_step_kind;

/* What a step computes from which values, whatever their shapes are; the same for inference and for
 * training. */
typedef struct nn_step_spec {
    nn_step_kind kind;
    int op;             /* index in the graph */
    int dst, src, src2; /* values; src2: residual of a conv, second of an add; NN_NO_VALUE: none */
    const nn_conv_spec *conv;
    int k;                        /* of a pool: its side; of a copy: channel in dst */
    int heads, key_dim, head_dim; /* of attention */
} nn_step_spec;

/* One thing to do. Maps have shapes and pitches; addresses come with nn_plan_bind. */
typedef struct nn_step {
    nn_step_spec spec;
    nn_map dst_map, src_map, src2_map;
    size_t dst_at, src_at, src2_at; /* bytes into the block */
    bool is_float_dst;              /* a head's: floats, whatever the plan's elements are */
    const void *weights;            /* packed; NULL with a remote */
    size_t weights_at;              /* bytes into all of them */
    void *state;                    /* the backend's, between prepare and release */
} nn_step;

typedef struct nn_backend_options {
    base_pool *pool; /* borrowed; NULL: a team of the context's own, of `threads` */
    int threads;
    const char *isa;   /* NULL: best */
    nn_device *device; /* borrowed; of a GPU's context */
    bool half;         /* a GPU's maps and weights are kept in 16 bits, and summed in floats */
    bool gpu_matrix;   /* with half: by the kernels for matrix units, also where there are none
                          (tests) */
    int gpu_units;     /* a GPU's work is cut as for so many units; 0: as it has (tests) */
} nn_backend_options;

/* Memory that is not the program's. Each kind is taken at most once at a time. */
typedef enum nn_remote_memory {
    NN_REMOTE_WEIGHTS,
    NN_REMOTE_BLOCK,
    NN_REMOTE_STAGING, /* the program's, where copies come from and go to */
    NN_N_REMOTE_MEMORIES
} nn_remote_memory;

/* A picture of 8 bits that is in the block, and where its input goes. Places are in bytes. */
typedef struct nn_letterbox {
    size_t dst_at;                     /* floats (out_h, out_w, 3) */
    size_t src_at, across_at, down_at; /* rows of 3 * w bytes; nn_tap (new_w), (new_h) */
    int w, h;
    nn_fit fit;
} nn_letterbox;

/* The same of a frame's planes. */
typedef struct nn_sample {
    size_t dst_at, taps_at;  /* taps as nn_planes has them, one list behind the other */
    size_t y_at, u_at, v_at; /* rows without gaps */
    int w, h, chroma_pitch;
    bool is_swapped;
    nn_matrix matrix;
    nn_fit fit;
} nn_sample;

/* Of the heads' maps of n pictures, the cells of which a class logit is at the floor or above. All
 * that comes of it lies together in the block. */
typedef struct nn_pick {
    struct {
        nn_map box, cls;
        size_t box_at, cls_at;
    } levels[NN_MAX_LEVELS];
    int n_levels;
    size_t first_at;  /* (n + 1) numbers of 32 bits: as nn_picks.first */
    size_t rows_at;   /* (cells of all pictures, nn_pick_pitch) */
    size_t counts_at; /* nn_pick_counts numbers: the backend's own */
    float floor_logit;
} nn_pick;
/* Cells that are counted together. */
enum { NN_PICK_CELLS = 256 };
/* A row: the cell's number, its box and its classes. */
static inline size_t nn_pick_pitch(int nc)
{
    return 1 + 4 * NN_REG_MAX + (size_t)nc;
}

/* What a backend with memory of its own offers besides. Copies and steps are done in the order of
 * the calls, after which finish waits. */
typedef struct nn_remote {
    /* Books the bytes on mem. *host: the staging's address, 64-byte aligned, else NULL. */
    vg_status (*take)(void *context, nn_remote_memory which, void **host, size_t bytes,
                      base_mem *mem, vg_error *err);
    void (*give)(void *context, nn_remote_memory which);
    /* host stays as it is until finish. */
    vg_status (*upload)(void *context, nn_remote_memory to, size_t at, const void *host,
                        size_t bytes, vg_error *err);
    vg_status (*download)(void *context, void *host, size_t at, size_t bytes, vg_error *err);
    vg_status (*finish)(void *context, vg_error *err);
    /* The block becomes another's on the same device, of which nothing is given back: what
     * nn_train_borrow gave. */
    void (*lend)(void *context, const void *block);
    /* Batches that overlap, each of its own slot (0 .. NN_MOST_PENDING - 1); host is staging. send:
     * beside all that is under way; what is queued after it waits for it. fetch: when what was
     * queued before it is done, beside what is queued after it. fetch_rest: of what a fetch that
     * was awaited left. await: the caller waits for the slot's last fetch. */
    vg_status (*send)(void *context, int slot, size_t at, const void *host, size_t bytes,
                      vg_error *err);
    vg_status (*fetch)(void *context, int slot, void *host, size_t at, size_t bytes, vg_error *err);
    vg_status (*fetch_rest)(void *context, int slot, void *host, size_t at, size_t bytes,
                            vg_error *err);
    vg_status (*await)(void *context, int slot, vg_error *err);
    vg_status (*letterbox)(void *context, const nn_letterbox *l, vg_error *err);
    vg_status (*sample)(void *context, const nn_sample *s, vg_error *err);
    vg_status (*pick)(void *context, const nn_pick *p, vg_error *err);
} nn_remote;

typedef struct nn_backend {
    const char *name;
    vg_status (*create)(void **context, const nn_backend_options *o, base_mem *mem, vg_error *err);
    void (*destroy)(void **context);
    const char *(*isa)(const void *context);
    int (*threads)(const void *context);
    /* The form of a convolution's weights that is independent of the picture's size. */
    size_t (*weights_bytes)(const void *context, const nn_conv_spec *c);
    void (*weights_pack)(const void *context, const nn_conv_spec *c, void *packed,
                         const float *weight, const float *bias);
    /* Memory that steps read and write, 64-byte aligned, every page touched. */
    vg_status (*block_take)(void *context, void **block, size_t bytes, base_mem *mem,
                            vg_error *err);
    void (*block_give)(void *context, void *block);
    vg_status (*prepare)(void *context, nn_step *step, base_mem *mem, vg_error *err);
    void (*release)(void *context, nn_step *step);
    /* Scratch of a step for all threads together. */
    size_t (*scratch_bytes)(const void *context, const nn_step *step);
    /* With a remote: queues it. Errors: the device's alone. */
    vg_status (*run)(void *context, const nn_step *step, void *scratch, vg_error *err);
    /* For measurements: by what a step is computed ("winograd"); the most operations a second that
     * the context's threads can do together; and the bytes a second, read and written, of copying
     * one half of a block to the other. Each takes some tens of milliseconds; NULL with a remote,
     * as are block_take and block_give. */
    const char *(*kernel)(const void *context, const nn_step *step);
    double (*peak_flops)(void *context);
    double (*copy_bytes)(void *context, void *block, size_t bytes);
    const nn_remote *remote; /* NULL: it computes in the program's memory */
} nn_backend;

extern const nn_backend nn_backend_cpu, nn_backend_gpu;

#endif
