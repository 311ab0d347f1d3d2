/* nn.h: networks of YOLO's kind: model YAML -> graph -> plan -> execution.
 *
 * Calling sequence for inference:
 *   1. nn_graph_create        what the network is (ops, parameters), from a YAML and a class count
 *   2. nn_engine_create       the graph's weights folded and packed for this processor, once
 *   3. nn_engine_reserve      the one activation block, for the largest shape to come
 *   4. nn_engine_plan         the plan of a shape (cached, least recently used out first);
 * allocates only for a shape larger than reserved
 *   5. nn_engine_run          executes a plan; allocates nothing
 * Letters: N pictures, H rows, W columns, C channels; maps are nhwc (map.h).
 * It knows neither pictures nor boxes: the head's raw maps are its output. */
#ifndef NN_NN_H
#define NN_NN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "map.h"
#include "vigil/types.h"
#include "weights/weights.h"

/* ---- graph ---- */

enum {
    NN_MAX_LEVELS = BASE_MAX_LEVELS,
    NN_KEY_BYTES = 96,
    NN_REG_MAX = 16,
    NN_MOST_KEYPOINTS = 1000
};

typedef struct nn_graph nn_graph;

/* A head's class branch. A YAML does not name it: models with C3k2 have the depthwise one, older
 * ones two plain 3x3 convolutions. Weights of some releases have it the other way, so tensors
 * overrule the YAML. */
typedef enum nn_class_branch {
    NN_CLASS_BY_MODEL, /* as the YAML's `class_branch` says (a key of our own), else by its modules
                        */
    NN_CLASS_PLAIN,
    NN_CLASS_DEPTHWISE
} nn_class_branch;

typedef struct nn_graph_options {
    const char *scale; /* "n" "s" "m" "l" "x"; NULL: the YAML's `scale`, else its first scale */
    int nc;            /* classes; 0: the YAML's nc */
    nn_class_branch class_branch;
    int keypoints, keypoint_dims; /* of a Pose head; 0: the YAML's kpt_shape */
} nn_graph_options;

/* From a model's YAML (root of a tree). source of errors is the tree's. Errors: VG_ERR_FORMAT (row
 * and field), VG_ERR_UNSUPPORTED (module), VG_ERR_MEMORY. */
vg_status nn_graph_create(nn_graph **out, const base_tree *yaml, const nn_graph_options *o,
                          base_mem *mem, vg_error *err);
/* A name that users type: a file, or one of the built-in models: yolo11n.yaml ... yolo11x.yaml,
 * yolo11n-seg.yaml, yolo11n-pose.yaml, yolo11n-obb.yaml, yolo11n-cls.yaml, yolov8n.yaml,
 * yolov8n-p2.yaml, yolov5n.yaml (also yolov5nu), with or without .yaml and the v.
 * Files named like yolo11s.yaml take scale s from their name. */
vg_status nn_graph_from_name(nn_graph **out, const char *name, int nc, base_mem *mem,
                             vg_error *err);
/* The same; o's scale and class branch are the name's. */
vg_status nn_graph_from_name_with(nn_graph **out, const char *name, const nn_graph_options *o,
                                  base_mem *mem, vg_error *err);
/* What a weights file holds: by its own YAML, else the built-in model that every tensor fits. BN's
 * eps are the file's where it says them. */
vg_status nn_graph_from_weights(nn_graph **out, const weights_file *w, base_mem *mem,
                                vg_error *err);
void nn_graph_destroy(nn_graph **g);
/* The text of the built-in YOLO11 with all scales. */
const char *nn_builtin_yaml(void);
/* That of any built-in model by its name, "yolov8n.yaml"; NULL: there is none of that name. */
const char *nn_builtin_yaml_of(const char *name);
/* A model's YAML with o's nc and keypoints (0: as they are) set, since whoever opens the weights
 * later goes by it. *out belongs to the caller. */
vg_status nn_model_text(char **out, const char *yaml, const nn_graph_options *o, base_mem *mem,
                        vg_error *err);
/* The same of a weights file, of which g was made: of its own YAML or JSON, else of the built-in
 * model; with a line for a class branch that a reader would not expect. */
vg_status nn_model_text_of_weights(char **out, const nn_graph *g, const weights_file *w,
                                   const nn_graph_options *o, base_mem *mem, vg_error *err);

typedef enum nn_param_kind {
    NN_PARAM_WEIGHT, /* convolution (O, I/groups, k, k) */
    NN_PARAM_BIAS,   /* convolution (O) */
    NN_PARAM_BN_WEIGHT,
    NN_PARAM_BN_BIAS,
    NN_PARAM_BN_MEAN, /* running statistics: state, not counted as parameters */
    NN_PARAM_BN_VAR,
    NN_PARAM_DFL /* the fixed 0..15 */
} nn_param_kind;

typedef struct nn_param {
    char key[NN_KEY_BYTES]; /* as in a state dict: model.2.m.0.cv1.conv.weight */
    nn_param_kind kind;
    int n_dims;
    int shape[4];
    int layer; /* row of the YAML */
    size_t n_elements;
} nn_param;
size_t nn_graph_n_params(const nn_graph *g);
const nn_param *nn_graph_param(const nn_graph *g, size_t index);

typedef struct nn_graph_info {
    char name[32]; /* "yolo11n", or the YAML's file stem */
    char scale[8];
    int nc, n_levels, n_layers, n_convs;
    float strides[NN_MAX_LEVELS];
    int max_stride;
    nn_class_branch class_branch;
    vg_task task;
    int n_extra;                      /* numbers a cell beside box and classes; 0: none */
    int keypoints, keypoint_dims;     /* of pose; else 0 */
    int64_t n_params, n_params_fused; /* as the field counts them, DFL's 16 included */
    double gflops, gflops_fused;      /* spec 1.3's rule, at imgsz */
} nn_graph_info;
void nn_graph_get_info(const nn_graph *g, int imgsz, nn_graph_info *out);
/* Of row `index` of the YAML, at imgsz; its texts are the graph's. */
void nn_graph_layer(const nn_graph *g, int index, int imgsz, vg_layer *out);

/* The size of the network's input. */
typedef struct nn_imgsz {
    base_size used;  /* sides raised to multiples of the stride */
    base_size asked; /* before that */
    vg_imgsz_from from;
} nn_imgsz;
enum { NN_IMGSZ = 640 }; /* where neither the caller nor the weights say one */
/* given: 0, or what the caller wants; own: of the weights, 0: unknown. */
nn_imgsz nn_imgsz_choose(base_size given, base_size own, int stride);
/* "imgsz 100 is raised to 128, a multiple of the stride 32". False, and "": nothing to say. */
bool nn_imgsz_format(char *buf, size_t n, const vg_model_info *info);
/* Without what is not of the graph: format, chosen, isa and threads. Texts are info's. */
void nn_model_info(vg_model_info *out, const nn_graph_info *info, const nn_imgsz *imgsz);

/* ---- devices ---- */

/* All that the drivers here have, *n of them, and a row for each driver, of which there are
 * *n_drivers. Opens the drivers' libraries, some of which take a hundred megabytes. */
void nn_devices(vg_device out[VG_MOST_DEVICES], size_t *n, vg_driver drivers[VG_MOST_DRIVERS],
                size_t *n_drivers);
/* "", or why this build has no CUDA. */
const char *nn_devices_lack(void);
/* Whether it is a device's name at all, there or not: auto, cpu, gpu, 0, cuda:0, opencl:0,
 * opencl:0.1. NULL is auto. Errors: VG_ERR_ARGUMENT. */
vg_status nn_device_check(const char *name, vg_error *err);

/* A GPU that is open; its kernels are compiled when an engine or training first needs them. */
typedef struct nn_device nn_device;
/* *out is the caller's until nn_device_close, and longer than any engine on it; NULL: the CPU,
 * which `cpu` means, and `auto` where there is no GPU. A processor that OpenCL offers is taken by
 * its own name alone. Errors: VG_ERR_ARGUMENT (name), VG_ERR_UNSUPPORTED (no driver, no such
 * device), VG_ERR_MEMORY. */
vg_status nn_device_open(nn_device **out, const char *name, base_mem *mem, vg_error *err);
void nn_device_close(nn_device **d);
const vg_device *nn_device_facts(const nn_device *d);
/* Of all of its memory, by everybody, as the driver says now; 0: it does not. From any thread. */
size_t nn_device_taken_bytes(const nn_device *d);

/* ---- engine ---- */

typedef struct nn_engine nn_engine;
typedef struct nn_plan nn_plan;

/* Accounts for the lifetimes. They may be one and the same. On a GPU, the first two are of its
 * memory. */
typedef struct nn_accounts {
    base_mem *weights;     /* packed weights: as long as the engine */
    base_mem *activations; /* the one block, and scratch */
    base_mem *plans;       /* graph and plan descriptions */
    base_mem *staging; /* on a GPU: this machine's memory, for what is copied to it and from it */
} nn_accounts;

enum {
    NN_DEFAULT_PLANS = 4,
    NN_MOST_PLANS = 256,
    NN_MOST_PENDING = 3 /* batches under way at once */
};
typedef struct nn_engine_options {
    int threads;     /* 0: every processor this process may use */
    base_pool *pool; /* the threads instead, borrowed until destroy; NULL: the engine's own */
    int max_plans;   /* at most NN_MOST_PLANS; 0: NN_DEFAULT_PLANS */
    const char
        *isa; /* NULL: the best here; "plain", "sse41" ("generic" elsewhere), "avx2", "avx512" */
    nn_device *device;    /* borrowed until destroy; NULL: the CPU */
    size_t picture_bytes; /* on a GPU, for nn_engine_put: of the largest picture; 0: floats go up */
    int max_pending; /* with picture_bytes: batches under way at once, 1 to NN_MOST_PENDING; 0: 1 */
    bool half; /* on a GPU: weights and maps of 16 bits, in half the memory, and sums of floats; the
                  CPU computes in floats whatever it says */
    bool keep_layers; /* keep every layer's output until the end of a run, for nn_plan_layer
                         (tests); not with half on a GPU */
} nn_engine_options;

/* Folds BN, packs every convolution once. graph is taken on success, untouched on failure; w is
 * only read during the call, and NULL when weights come by nn_engine_load. Errors: VG_ERR_FORMAT (a
 * tensor missing or of another shape: its name), VG_ERR_ARGUMENT (isa not known or not on this
 * processor), VG_ERR_MEMORY. */
vg_status nn_engine_create(nn_engine **out, nn_graph *graph, const weights_file *w,
                           const nn_engine_options *o, const nn_accounts *mem, vg_error *err);
void nn_engine_destroy(nn_engine **e);
const nn_graph *nn_engine_graph(const nn_engine *e);
const char *nn_engine_isa(const nn_engine *e);
int nn_engine_threads(const nn_engine *e);

/* What a shape needs, before anything is taken. h and w are multiples of the largest stride. */
typedef struct nn_memory_need {
    size_t weights_bytes;
    size_t activation_bytes; /* the block after lifetimes share it */
    size_t naive_bytes;      /* the sum without sharing, for the curious */
    size_t scratch_bytes;
    size_t input_bytes;   /* the caller's input: n*h*w*3 floats */
    size_t engine_bytes;  /* descriptions: of the engine with its cache of plans */
    size_t fold_bytes;    /* on the activations' account while nn_engine_create packs; on a GPU, on
                             that of staging */
    size_t staging_bytes; /* on a GPU */
} nn_memory_need;
/* The same before there is an engine: what nn_engine_create and nn_engine_reserve would take. */
vg_status nn_graph_need(nn_graph *g, const nn_engine_options *o, int n, int h, int w,
                        nn_memory_need *out, const nn_accounts *mem, vg_error *err);

/* Takes the activation block and scratch for shapes up to this one and touches every page, so that
 * later plans of smaller shapes take nothing. */
vg_status nn_engine_reserve(nn_engine *e, int n, int h, int w, const nn_accounts *mem,
                            vg_error *err);
/* Other weights of the same shapes into an engine whose block is there (reserved after a create
 * without weights, or lent); allocates nothing. After an error there are none until the next load.
 * Errors: VG_ERR_FORMAT, VG_ERR_ARGUMENT (no block). */
vg_status nn_engine_load(nn_engine *e, const weights_file *w, vg_error *err);
/* Instead of nn_engine_reserve: the engine computes and loads in the caller's block (64-byte
 * aligned) until the next lend or destroy; what is in it between runs is nobody's concern. *out:
 * the bytes it takes for shapes up to this one. Larger shapes are VG_ERR_LIMIT then. On a GPU it is
 * a block of the same device, named by what nn_train_borrow gave, and weights are loaded through
 * staging: nn_engine_reserve, after the first lend, takes that alone. */
vg_status nn_engine_need_lent(nn_engine *e, size_t *out, int n, int h, int w,
                              const nn_accounts *mem, vg_error *err);
void nn_engine_lend(nn_engine *e, void *block, size_t bytes);
/* *out is borrowed until the engine's next nn_engine_plan or destroy. Errors: VG_ERR_ARGUMENT,
 * VG_ERR_MEMORY. */
vg_status nn_engine_plan(nn_engine *e, nn_plan **out, int n, int h, int w, const nn_accounts *mem,
                         vg_error *err);
/* input: (n, h, w, 3) floats 0..1, RGB, 64-byte aligned. Outputs stay until the engine's next run.
 * Errors: a GPU's alone (VG_ERR_DEVICE: its driver failed; VG_ERR_MEMORY). */
vg_status nn_engine_run(nn_engine *e, nn_plan *p, const float *input, vg_error *err);

/* ---- on a GPU: pictures go up, candidates come down ---- */

/* An engine that was made with picture_bytes works so, and by no other run. For each batch: plan,
 * put each picture, submit; and collect for each batch that was submitted, in that order. Up to
 * max_pending batches are under way at once: one goes up while one computes and one comes down. */

/* Bilinear taps of a column or a row of the result: the left (upper) sample and 2048ths of it and
 * of its neighbour. */
typedef struct nn_tap {
    int32_t from;
    int16_t weight[2];
} nn_tap;
typedef enum nn_sampling { NN_TAPS, NN_HALVES, NN_COPIES } nn_sampling;
/* Where a picture goes in the network's input, and how its pixels are made: of taps; of exactly
 * four pixels; of one. */
typedef struct nn_fit {
    int out_w, out_h, left, top, new_w, new_h;
    nn_sampling how;
} nn_fit;
/* RGB, rows of 3 * w bytes. Only read, in the call. */
typedef struct nn_picture {
    const uint8_t *data;
    size_t row_bytes;
    int w, h;
    nn_fit fit;
    const int32_t *x_from, *y_from;     /* (new_w), (new_h): of taps */
    const int16_t *x_weight, *y_weight; /* (new_w, 2), (new_h, 2) */
} nn_picture;

/* A frame's planes of YUV 4:2:0, as src/video samples them. Taps of rows are of 128ths. rgb =
 * clip(y * y_scale + offset + shares of u and v less 128). */
typedef struct nn_matrix {
    float y_scale, offset[3], r_v, g_u, g_v, b_u;
} nn_matrix;
typedef struct nn_taps {
    const int32_t *from;
    const int16_t *weight; /* (n, 2) */
} nn_taps;
typedef struct nn_planes {
    const uint8_t *y, *u, *v;
    size_t y_row_bytes, chroma_row_bytes;
    int chroma_pitch; /* 1: planes of their own; 2: u and v interleaved, v = u + 1 */
    int w, h;         /* as stored */
    bool is_swapped;  /* stored columns are the picture's rows */
    nn_fit fit;       /* without how */
    nn_taps luma_x, luma_y, chroma_x, chroma_y; /* (n_x), (n_y): new_w, new_h, or swapped */
    nn_matrix matrix;
} nn_planes;

/* What may pass the threshold, of each of n pictures; as it is until the engine's next submit. */
typedef struct nn_picks {
    int n, n_levels;
    base_level levels[NN_MAX_LEVELS]; /* h, w and stride alone */
    const uint32_t *first;            /* (n + 1) rows of picture i: first[i] .. first[i + 1] - 1 */
    const float *rows; /* (rows, pitch): the cell's number, as the bits of a uint32_t; then its box
                        * logits, then those of classes. By rising cells */
    size_t pitch;
} nn_picks;

/* Whether a batch of that shape can be planned and submitted now, or others must be collected
 * first: all slots are taken, or memory must grow. May make the plan. */
vg_status nn_engine_is_free(nn_engine *e, bool *out, int n, int h, int w, const nn_accounts *mem,
                            vg_error *err);
/* Whether a picture of w x h fits into what each has, picture_bytes or the input's own size. */
bool nn_engine_fits(const nn_engine *e, const nn_plan *p, int w, int h);
/* Picture i of the batch that comes next; it must fit. Errors, of all these: the device's. */
vg_status nn_engine_put(nn_engine *e, const nn_plan *p, int i, const nn_picture *picture,
                        vg_error *err);
bool nn_engine_fits_planes(const nn_engine *e, const nn_plan *p, int w, int h);
vg_status nn_engine_put_planes(nn_engine *e, const nn_plan *p, int i, const nn_planes *planes,
                               vg_error *err);
/* Its input itself, (h, w, 3) floats, of a picture that does not fit. Waits for all that is under
 * way. */
vg_status nn_engine_put_floats(nn_engine *e, const nn_plan *p, int i, const float *input,
                               vg_error *err);
/* Cells that have a class logit at floor_logit or above come back. */
vg_status nn_engine_submit(nn_engine *e, nn_plan *p, float floor_logit, vg_error *err);
/* The oldest that was submitted. */
vg_status nn_engine_collect(nn_engine *e, nn_picks *out, vg_error *err);
int nn_engine_n_pending(const nn_engine *e);

/* ---- measurements ---- */

/* As nn_engine_run, with the clock read behind every step: step_ns has a number for each of the
 * plan's steps. */
vg_status nn_engine_run_timed(nn_engine *e, nn_plan *p, const float *input, int64_t *step_ns,
                              vg_error *err);
/* Of a step of a plan; its pointers are the graph's, and static texts. */
typedef struct nn_step_facts {
    const struct nn_op *op;
    const char *kind;   /* "conv", "maxpool", "upsample", "copy", "add", "attention" */
    const char *kernel; /* of a conv: "winograd", "direct", "depthwise", "plain"; else as kind */
    int h, w, c;        /* of what it writes */
    double flops;       /* of one picture, as nn_graph_info.gflops_fused counts them */
} nn_step_facts;
size_t nn_plan_n_steps(const nn_plan *p);
/* As many as a plan has, before there is an engine. mem: for the call. */
vg_status nn_graph_n_steps(size_t *out, const nn_graph *g, int h, int w, base_mem *mem,
                           vg_error *err);
nn_step_facts nn_engine_step(const nn_engine *e, const nn_plan *p, size_t index);
/* The rest of gflops_fused: the expected value of each side of a box, which is taken when boxes
 * are. */
double nn_boxes_flops(const nn_graph *g, int h, int w);

/* What some threads of this machine can do together, measured in some tens of milliseconds: the
 * best of several tries. */
enum { NN_COPY_BYTES = 128 << 20 }; /* taken meanwhile, of activations: more than caches hold */
typedef struct nn_machine {
    const char *isa;
    int threads;
    double flops_per_s; /* multiply-adds in registers; each is two */
    double bytes_per_s; /* a copy in memory, read and written */
} nn_machine;
vg_status nn_measure_machine(nn_machine *out, const nn_engine_options *o, const nn_accounts *mem,
                             vg_error *err);

typedef struct nn_head {
    nn_map box;   /* 4 * NN_REG_MAX logits a cell */
    nn_map cls;   /* nc logits a cell */
    nn_map extra; /* n_extra a cell; c 0: none */
    float stride;
} nn_head;
/* Borrows the maps. */
base_level nn_head_level(const nn_head *head);
/* Of all maps that a loss reads of n pictures of that input: those of heads and results. */
size_t nn_graph_output_floats(const nn_graph *g, int n, int h, int w);
int nn_plan_n_heads(const nn_plan *p);
nn_head nn_plan_head(const nn_plan *p, int level);
/* All of them as a loss or a suppression takes them, and how many they are. */
int nn_plan_levels(const nn_plan *p, base_level out[NN_MAX_LEVELS]);
/* What a task has beside levels, n_extra or nc channels: prototypes of masks at a quarter of the
 * input, and a classifier's logits (h and w are 1). */
typedef enum nn_result { NN_PROTOTYPES, NN_LOGITS, NN_N_RESULTS } nn_result;
/* Valid as the heads are; false where the network has none. */
bool nn_plan_result(const nn_plan *p, nn_result which, nn_map *out);
/* Output of a YAML row (keep_layers engines only, and not the head's row); false where there is
 * none. */
bool nn_plan_layer(const nn_plan *p, int layer, nn_map *out);

/* The folded weight (O, I/groups, k, k) and bias (O) of the convolution whose key is, say,
 * "model.0": tests. The two blocks belong to the caller. VG_ERR_ARGUMENT when there is no such
 * convolution. */
vg_status nn_fold_conv(const nn_graph *g, const weights_file *w, const char *key, float **weight,
                       float **bias, size_t *n_weight, size_t *n_bias, base_mem *mem,
                       vg_error *err);

#include "ops.h"
#include "train.h"

#endif
