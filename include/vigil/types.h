/* SPDX-License-Identifier: Apache-2.0 */
/* types.h: the values that vigil hands to its callers: boxes, results, numbers of training and
 * validation, memory tables.
 *
 * Every one is a plain struct; zeroed is valid. Each is defined once, here, and every part of vigil
 * that makes or reads it uses this definition, so nothing is converted on its way out. Strings and
 * arrays are borrowed: the function that hands out a value says for how long. */
#ifndef VIGIL_TYPES_H
#define VIGIL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a box ---- */

typedef struct vg_detection {
    float x1, y1, x2, y2; /* corners, pixels of the picture; x to the right, y downwards */
    float confidence;     /* 0..1 */
    int class_index;      /* from 0 */
} vg_detection;

/* ---- what a model is made for ---- */

typedef enum vg_task {
    VG_TASK_DETECT,
    VG_TASK_SEGMENT, /* boxes with masks */
    VG_TASK_POSE,    /* boxes with keypoints */
    VG_TASK_OBB,     /* boxes that are turned */
    VG_TASK_CLASSIFY /* one class for the whole picture */
} vg_task;
enum { VG_N_TASKS = 5 };

/* A point of an object. Outside the picture it is cut at its edges; where the model gives
 * visibility and it is below 0.5, x and y are 0. */
typedef struct vg_keypoint {
    float x, y;       /* pixels of the picture */
    float visibility; /* 0..1; 1 of models that do not give it */
} vg_keypoint;

/* A box that is turned about its centre. Corners are centre + u + v, + u - v, - u - v, - u + v,
 * with u = (w / 2 cos, w / 2 sin) and v = (-h / 2 sin, h / 2 cos). */
typedef struct vg_rotated {
    float x, y, w, h; /* centre and sides, pixels of the picture; w >= h */
    float angle;      /* radians, 0..pi, from x towards y: clockwise as one sees it */
} vg_rotated;

/* Where an object is, pixel by pixel: a window of a grid of grid_width x grid_height pixels, which
 * is the network's input, or the picture with retina masks. */
typedef struct vg_mask {
    int grid_width, grid_height;
    int x, y, width, height; /* the window; outside it there is nothing */
    const uint8_t *bits;     /* (height, row_bytes) one a pixel, the leftmost the most significant;
                                NULL where width or height is 0 */
    size_t row_bytes;
    const float *outline; /* (n_points, 2) x, y in pixels of the picture: the border of the part
                             with the longest one, holes left out */
    size_t n_points;
} vg_mask;

typedef struct vg_class_score {
    int class_index;
    float confidence; /* 0..1; those of all classes add up to 1 */
} vg_class_score;

/* What a task adds to the boxes of a result; NULL where it does not. */
typedef struct vg_extras {
    vg_task task;
    const vg_mask *masks;         /* (n_detections) */
    const vg_keypoint *keypoints; /* (n_detections, n_keypoints) */
    size_t n_keypoints;
    int keypoint_dims;         /* 3: with visibility; 2 */
    const vg_rotated *rotated; /* (n_detections); detections hold the upright box around it */
    const vg_class_score *top; /* (n_top) best first, at most five; there are no detections */
    size_t n_top;
} vg_extras;

/* ---- a data set to try with ---- */

typedef struct vg_demo_argument {
    const char *name, *value; /* of vg_train_set */
} vg_demo_argument;

/* What a training of it is judged by. */
typedef struct vg_demo_goal {
    const char *number; /* its name in results.csv: "metrics/mAP50(M)" */
    const char *what;   /* as people call it: "mAP50 of masks" */
} vg_demo_goal;

/* What vg_demo_draw draws for a task, and how to train on it in minutes. */
typedef struct vg_demo_subject {
    const char *task;     /* "segment" */
    const char *pictures; /* what is in them, in the plural: "shelves" */
    const char *object;   /* what is labelled, in the singular: "product" */
    const char *model;    /* "yolo11n-seg.yaml" */
    int n_train, n_val;   /* pictures, unless others are asked for */
    int imgsz, epochs;
    const vg_demo_argument *arguments; /* ends with a name of NULL */
    const vg_demo_goal *goals;         /* ends with a number of NULL */
} vg_demo_subject;

/* ---- results of pictures ---- */

/* Of one picture. Stages of different pictures overlap, so the sum is more than the job's time. */
typedef struct vg_predict_times {
    double decode_ms, preprocess_ms, inference_ms, postprocess_ms, save_ms;
} vg_predict_times;

typedef struct vg_predict_result {
    size_t index, total; /* from 0; pictures of the job, as far as known */
    const char *source;  /* the picture's path */
    vg_status status;    /* not VG_OK: the picture was skipped, and error says why */
    vg_error error;
    int width, height;              /* of the picture, pixels */
    int input_width, input_height;  /* of the network's input, pixels */
    const vg_detection *detections; /* (n_detections) best first */
    size_t n_detections;
    vg_extras extras;
    vg_predict_times times;
} vg_predict_result;

/* ---- results of a stream ---- */

typedef enum vg_stream_event_kind {
    VG_STREAM_ENTER,  /* a track came into the zone */
    VG_STREAM_LEAVE,  /* a track left it, or (is_lost) was not seen again */
    VG_STREAM_DWELL,  /* a track has been inside for longer than the zone's `dwell` */
    VG_STREAM_ABSENT, /* nothing of the class was inside for longer than the zone's `absent` */
    VG_STREAM_BACK    /* after ABSENT: there is something again */
} vg_stream_event_kind;

/* What happened in a zone. */
typedef struct vg_stream_event {
    uint64_t id; /* of the job, from 1 */
    vg_stream_event_kind kind;
    const char *zone;        /* its name, as long as the job */
    int class_index;         /* -1: any */
    int64_t track;           /* the track's id; 0: none */
    double seconds;          /* inside so far (LEAVE, DWELL), or missing so far (ABSENT, BACK) */
    int inside, n_in, n_out; /* of this zone and class, after the event */
    bool wants_snapshot;     /* the zone asks for a picture of it */
    bool is_lost;            /* LEAVE: the track ended inside */
    vg_detection box;        /* of the track; all 0: there is none */
} vg_stream_event;

typedef struct vg_stream_times { /* milliseconds, of one frame */
    double decode, wait, preprocess, inference, postprocess;
    double latency; /* from the arrival of its packet to the result */
} vg_stream_times;

/* Of one frame. */
typedef struct vg_stream_result {
    int source_index;   /* place of the source, from 0 */
    const char *source; /* its public name: without user, password and values of a query */
    const char *stem;   /* of the source, in names of files and topics */
    uint64_t index;     /* of the source's results, from 0 */
    uint64_t of;        /* frames of the whole file; 0: unknown */
    int width, height;  /* of the frame, pixels */
    int input_width, input_height; /* of the network's input, pixels */
    int64_t frame;                 /* of this connection, from 0; those of a stride are counted */
    double time_s;                 /* time stamp from the connection's first frame; NAN: none */
    double wall_s;                 /* Unix time of the picture: the camera's, or of its arrival */
    const vg_detection
        *detections; /* (n_detections) best first; with tracking, tracked ones only */
    size_t n_detections;
    vg_extras extras;
    const int64_t *ids;            /* (n_detections) of their tracks; NULL without tracking */
    const vg_stream_event *events; /* (n_events) that this frame caused */
    size_t n_events;
    vg_stream_times times;
    const char *file; /* of a source that plays several files: which; else "" */
} vg_stream_result;

/* Who looks on while a stream runs. Functions may be NULL. result is called by a thread of the
 * job's own, which may be behind the network by a queue (at a full one the oldest results give way,
 * unless every source keeps all its frames); the others by the thread that called run, several
 * times a second. wants_frames: a result's frame is kept until result returns, which may ask for
 * its pixels (vg_stream_frame); the queue is shorter then, and its frames are in the plan. */
typedef struct vg_stream_listener {
    void *ctx;
    bool wants_frames;
    void (*result)(void *ctx, const vg_stream_result *r);
    void (*ready)(void *ctx);                  /* everything is made: sources are connecting */
    void (*note)(void *ctx, const char *what); /* a reload, and what came of it */
    void (*tick)(void *ctx);                   /* about ten times a second */
    bool (*wants_stop)(void *ctx);
    bool (*wants_reload)(void *ctx); /* true once for each reload: the source list is read anew */
} vg_stream_listener;

/* ---- numbers of a stream ---- */

/* A source as it was understood, before anything is connected. */
typedef struct vg_stream_source {
    const char *name; /* public: without user, password and values of a query */
    const char *stem; /* in names of files and topics */
    const char *kind; /* "file", "network", "camera", "standard input", "drawn", "pushed" */
    size_t n_files;   /* played one after the other */
    bool keeps_all;   /* policy `every`; else `latest` */
    bool ends;        /* its end is for good; else it begins again */
    int stride;       /* every so many frames one is looked at */
} vg_stream_source;

enum { VG_STREAM_STAGES = 6, VG_STREAM_NAME_BYTES = 256 };

typedef struct vg_stream_stage {
    const char *name; /* "decode", "wait", "preprocess", "inference", "postprocess", "latency" */
    uint64_t n;       /* frames */
    double mean_ms;
    double p50_ms, p99_ms; /* upper bounds of the histogram's buckets; INFINITY: above 5 s */
} vg_stream_stage;

typedef struct vg_stream_source_stats {
    char name[VG_STREAM_NAME_BYTES];
    const char *state; /* "empty" (no source in this place), "connecting", "playing", "waiting",
                          "ended" */
    const char *last_fault;                   /* "refused", "stall", ...; "": none yet */
    int width, height;                        /* pixels; 0: unknown */
    uint64_t n_frames;                        /* decoded and wanted */
    uint64_t n_dropped;                       /* replaced by newer ones */
    uint64_t n_results, n_boxes, n_events;    /* of all its frames */
    uint64_t n_connects, n_reconnects;        /* that succeeded; of them, after the first */
    uint64_t n_faults;                        /* of every kind */
    uint64_t n_damaged;                       /* packets that could not be decoded */
    uint64_t n_size_changes, n_time_jumps;    /* while it played */
    double since_frame_s;                     /* since the last frame; below 0: none yet */
    vg_stream_stage stages[VG_STREAM_STAGES]; /* in the order of a frame's way */
} vg_stream_source_stats;

typedef struct vg_stream_sink_stats {
    const char *name;
    uint64_t n_written, n_dropped, n_failed; /* results */
    int n_waiting, capacity;                 /* of its queue, results */
    bool is_failing;                         /* its last write failed */
    /* Results that were to be kept (files, JSON lines) and are not: failed ones, and, of a sink
     * that waits for room (sink_policy), those dropped at the end. Messages to others (MQTT,
     * webhooks, pages) are not counted. */
    uint64_t n_lost;
} vg_stream_sink_stats;

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

/* ---- training ---- */

/* What the files of a split were found to be. */
typedef struct vg_data_report {
    size_t n_pictures, n_objects; /* in use */
    size_t n_found;               /* label files with objects */
    size_t n_missing, n_empty;    /* label files; their pictures are in use, without objects */
    size_t n_corrupt;             /* pictures left out: they or their labels cannot be read */
    size_t n_absent;              /* pictures left out: a list names them, and they are not there */
    size_t n_duplicates;          /* rows that stood twice in a label file, removed */
} vg_data_report;

/* ---- a dataset that was looked at ---- */

typedef enum vg_split { VG_TRAIN, VG_VAL, VG_TEST, VG_N_SPLITS } vg_split;

typedef struct vg_dataset_split {
    const char *name; /* "train" */
    vg_data_report data;
    size_t n_polygons;    /* objects that are given as polygons */
    int least_w, least_h; /* of the pictures in use, pixels; each side by itself */
    int most_w, most_h;
    size_t n_sizes; /* different ones */
} vg_dataset_split;

typedef struct vg_dataset_class {
    const char *name;
    size_t n_objects[VG_N_SPLITS], n_pictures[VG_N_SPLITS]; /* pictures that hold such objects */
} vg_dataset_class;

typedef struct vg_dataset_size {
    int w, h; /* upright, pixels */
    size_t n_pictures;
} vg_dataset_size;

/* "picture": it cannot be read; "label": its label file; "missing": a list names it, and it is not
 * there; "duplicate": another split has the same picture; "split": all of it. */
typedef struct vg_dataset_fault {
    const char *kind, *where, *what, *mend; /* where: "labels/train/7.txt:3"; mend may be "" */
} vg_dataset_fault;

typedef struct vg_dataset_total {
    const char *source, *root; /* the YAML; its folder of pictures, absolute */
    size_t n_classes;
    size_t n_faults;     /* all; 0: the dataset is clean */
    size_t n_kept;       /* of these, told one by one */
    size_t n_duplicates; /* of these, pictures that another split has, too */
    size_t peak_bytes;   /* of memory */
} vg_dataset_total;

/* ---- a dataset that was converted ---- */

/* How pictures come into the new dataset. */
typedef enum vg_dataset_pictures {
    VG_PICTURES_LINK, /* hard links: no space, and the source may go; a copy where the file system
                         has none. Who writes into a picture in place writes into both */
    VG_PICTURES_COPY,
    VG_PICTURES_SYMLINK
} vg_dataset_pictures;

/* What may be left out, and in which words that is told. */
#define VG_LEFT_LIST(X)                                                                            \
    X(VG_LEFT_CROWD, "objects: crowds (iscrowd)")                                                  \
    X(VG_LEFT_CLASS, "objects: of a class that the source does not name")                          \
    X(VG_LEFT_LOST, "objects: of a picture that the source does not name")                         \
    X(VG_LEFT_NO_BOX, "objects: without a box that can be read")                                   \
    X(VG_LEFT_NO_AREA, "objects: without an area in the picture")                                  \
    X(VG_LEFT_SHAPE, "objects: shapes that have no area (points, lines)")                          \
    X(VG_LEFT_NO_KEYPOINTS, "objects: without keypoints, or of another number")                    \
    X(VG_LEFT_DIFFICULT, "objects: marked as difficult")                                           \
    X(VG_LEFT_FILE, "files of annotations that cannot be read")                                    \
    X(VG_LEFT_NAMELESS, "pictures: without a name or an id")                                       \
    X(VG_LEFT_TWICE, "pictures: told of a second time")                                            \
    X(VG_LEFT_MISSING, "pictures: not there")                                                      \
    X(VG_LEFT_AMBIGUOUS, "pictures: their name is in several folders")                             \
    X(VG_LEFT_BROKEN, "pictures: cannot be read")                                                  \
    X(VG_LEFT_TURNED, "pictures: of another height and width than the source says, as if turned")  \
    X(VG_LEFT_NO_SPLIT, "pictures: in no list of ImageSets/Main")                                  \
    X(VG_LEFT_UNLISTED, "pictures: in the folder, without annotations")
typedef enum vg_left {
#define X(name, text) name,
    VG_LEFT_LIST(X)
#undef X
        VG_N_LEFT
} vg_left;

typedef struct vg_dataset_left {
    size_t n;
    const char *what; /* as in VG_LEFT_LIST; static */
    char first[256];  /* where the first was */
} vg_dataset_left;

enum { VG_DATASET_PATH_BYTES = 4096 };
typedef struct vg_dataset_converted {
    const char *format;               /* "coco"; static */
    char data[VG_DATASET_PATH_BYTES]; /* the new dataset's YAML */
    size_t n_classes;
    size_t n_pictures[VG_N_SPLITS], n_objects[VG_N_SPLITS];
    size_t n_empty;     /* pictures without objects; their label files are empty */
    size_t n_polygons;  /* objects written as polygons */
    size_t n_joined;    /* polygons of several parts, which became one outline */
    size_t n_clipped;   /* objects that reached beyond their picture, and end at its edge */
    size_t n_difficult; /* objects marked as difficult, kept */
    size_t n_renamed;   /* pictures whose name another one had */
    size_t n_linked, n_copied, n_symlinked;
    bool val_was_chosen; /* the source has no split for validation: val of the pictures became it */
    vg_dataset_left left[VG_N_LEFT]; /* by vg_left; n 0: none */
    size_t peak_bytes;               /* of memory */
} vg_dataset_converted;

/* A row of metrics, 0..1. Tasks that say more of an object than its box have two: of boxes, which
 * stands in the structs below as it always did, and of masks or keypoints (`second`; 0 where there
 * is none). */
typedef struct vg_figures {
    double precision, recall; /* at the confidence of the best mean F1, each row's own */
    double map50, map; /* mean average precision: at IoU (keypoints: OKS) 0.5; over 0.5..0.95 */
    double f1;         /* of a class: there; else 0 */
} vg_figures;

/* Losses stand in the order of the task: box, cls, dfl of detect and obb; box, seg, cls, dfl of
 * segment; box, pose, kobj, cls, dfl of pose; the loss of classify. */
enum { VG_MOST_LOSSES = 5 };

/* After a batch. Losses are means over the epoch so far. */
typedef struct vg_train_batch {
    int epoch, n_epochs;      /* epoch from 1 */
    int64_t batch, n_batches; /* batches done in this epoch; in all */
    vg_task task;
    int n_losses; /* as many as the task has; 0 in a struct that nobody has filled */
    double loss[VG_MOST_LOSSES];
    int n_pictures, width, height; /* of this batch; pixels */
    size_t n_instances;            /* labelled objects in it */
    double grad_norm;              /* L2, of the last optimizer step, before clipping */
    double lr[3];                  /* weights, norms, biases */
    double seconds;                /* of training, all sessions together */
} vg_train_batch;

/* After an epoch, its validation and its checkpoint: also a row of results.csv. Metrics and
 * val_loss are NAN where it was not validated. */
typedef struct vg_train_epoch {
    int epoch, n_epochs; /* epoch from 1 */
    double seconds;      /* of training so far, all sessions together */
    vg_task task;
    int n_losses;
    double train_loss[VG_MOST_LOSSES], val_loss[VG_MOST_LOSSES];
    double lr[3]; /* weights, norms, biases */
    bool is_validated;
    size_t n_pictures, n_instances; /* of validation */
    double precision, recall;       /* 0..1, at the confidence of the best mean F1 */
    double map50, map;              /* mean average precision, 0..1: at IoU 0.5; over 0.5..0.95 */
    vg_figures second;              /* of masks or keypoints */
    double top1, top5; /* of classify, 0..1: pictures whose class came first; among five */
    bool is_best;      /* the best fitness so far */
    bool stops;        /* patience is over: training ends here */
    bool time_is_up;   /* `time` is over: it ends here, perhaps within the epoch */
    /* What could not be written beside the weights since the last epoch: training goes on, and
     * reports it again at its end. NULL: nothing. Borrowed during the call. */
    const vg_error *trouble;
} vg_train_epoch;

/* How fast an epoch goes, and what the process holds. */
typedef struct vg_train_pace {
    double pictures_per_s, elapsed_s, left_s; /* of this epoch; left_s below 0: unknown */
    size_t planned_bytes, resident_bytes;     /* of the whole process; 0: unknown */
} vg_train_pace;

enum { VG_RANKS_SHOWN = 16, VG_RANK_HOST_BYTES = 64 };

/* One of several processes that train together, and the part of the time, 0 to 1, that it waited
 * for others. */
typedef struct vg_rank_wait {
    int rank;
    char host[VG_RANK_HOST_BYTES]; /* its machine */
    double waiting;
} vg_rank_wait;

/* Who waits for whom. Parts of the time, 0 to 1. */
typedef struct vg_train_ranks {
    int n_ranks;        /* 0: alone, or nobody has looked yet */
    bool is_slow;       /* the first of `shown` holds the others up, by a fifth */
    double for_slowest; /* how much more the others wait than it does, in the mean */
    double exchange;    /* what it waits itself: numbers on their way */
    double pushing;     /* pushing messages on between layers, in the mean */
    double step_bytes;  /* that a rank adds up in a step; 0: unknown */
    int n_shown;        /* n_ranks, or VG_RANKS_SHOWN */
    vg_rank_wait shown[VG_RANKS_SHOWN]; /* who waits least, for whom the others wait, first */
} vg_train_ranks;

typedef enum vg_run_state {
    VG_RUN_PREPARING,
    VG_RUN_TRAINING,
    VG_RUN_FINISHED,
    VG_RUN_STOPPED, /* by request, with a checkpoint */
    VG_RUN_FAILED,  /* error says why */
    VG_RUN_DIED     /* without a last word: killed */
} vg_run_state;

/* A run as another process sees it. */
typedef struct vg_run_view {
    vg_run_state state;
    bool is_alive;    /* false: the view will not change any more */
    bool is_detached; /* it has left its terminal */
    int pid;
    int exit_status;      /* of the program, when it is over */
    int start_epoch;      /* of this session, from 0 */
    vg_train_batch batch; /* the last; n_batches 0: none yet */
    vg_train_pace pace;
    vg_train_epoch epoch; /* the last that ended in this session; epoch 0: none yet */
    vg_train_ranks ranks; /* of several, every five seconds */
    vg_error error;       /* VG_RUN_FAILED, VG_RUN_STOPPED */
} vg_run_view;

/* ---- validation ---- */

/* Precision, recall, map50 and map are as in vg_train_epoch. */
typedef struct vg_val_class {
    int class_index;
    const char *name;
    size_t n_pictures, n_instances; /* pictures that have the class; its labelled objects */
    double precision, recall, map50, map;
    double f1; /* at the same confidence as precision and recall */
    vg_figures second;
    vg_task task;
    double top1, top5; /* of classify, whose one row is that of all */
} vg_val_class;

/* What plots and tables of a validation are made of. Rows are those of vg_val_result.classes; point
 * i of a curve is at the confidence, or the recall, of i / (n_points - 1). Where nothing at all was
 * right there are no classes, so no rows. */
typedef struct vg_val_curves {
    size_t n_points;          /* 1000 */
    const double *p, *r, *f1; /* (n_classes, n_points) by confidence, at IoU 0.5 */
    const double *pr;         /* (n_classes, n_points) precision by recall, at IoU 0.5 */
    const double *ap;         /* (n_classes, 10) at IoU 0.5, 0.55, ... 0.95 */
    const double *maps;       /* (nc) ap's mean by class number; the mean over classes where one has
                                 no objects */
    const uint64_t *confusion; /* (n_confused, n_confused) [predicted][true], background last */
    int nc;                    /* classes of the dataset */
    int n_confused;            /* nc + 1; nc of classify, which has no background */
} vg_val_curves;

typedef struct vg_val_result {
    size_t n_pictures, n_instances, n_detections;
    double precision, recall, map50, map; /* means over the classes that have objects */
    vg_figures second;                    /* of masks or keypoints */
    double top1, top5;                    /* of classify: as in vg_train_epoch */
    /* 0.1 map50 + 0.9 map; with masks or keypoints the sum of both; (top1 + top5) / 2 */
    double fitness;
    vg_task task;
    int n_losses;
    double loss[VG_MOST_LOSSES];
    const vg_val_class *classes; /* (n_classes) those with objects; of classify none */
    size_t n_classes;
    double seconds;   /* that validation took */
    double best_conf; /* where the mean F1 is best: that of precision and recall */
    vg_val_curves curves;
    vg_val_curves second_curves; /* of masks or keypoints, without confusion; else n_points is 0 */
    double second_best_conf;
} vg_val_result;

/* A number by the name that it has in results.csv: "metrics/mAP50(M)", "val/seg_loss", "fitness".
 */
typedef struct vg_number {
    char name[48];
    double value;
} vg_number;
enum { VG_MOST_NUMBERS = 16 };

/* ---- a terminal ---- */

/* Progress of anything: "drawing  45% ━━━━━─────── 216/480 31.2 img/s 00:07<00:08". */
typedef struct vg_bar {
    const char *what; /* "drawing" */
    size_t n_done, n_total;
    double seconds; /* since it began: the rate and the time left follow from it */
} vg_bar;

/* A terminal that shows a live view. */
typedef struct vg_watch_screen {
    int columns, rows; /* of the whole terminal */
    bool has_color;    /* NO_COLOR is not set */
    bool has_utf8;
} vg_watch_screen;

/* ---- a measurement of a model: vigil/bench.h ---- */

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

/* ---- a fleet: cameras over machines ---- */

enum { VG_FLEET_MOST = 64, VG_FLEET_PATH_BYTES = 1024 };

typedef struct vg_fleet_machine {
    char name[64];
    int count;
    double frames_per_s;             /* of the network, on one of them */
    char bench[VG_FLEET_PATH_BYTES]; /* the file that says so; "": the configuration does */
    size_t memory_bytes;
    /* What one of them would hold: by its speed, by its memory, and so by both. */
    int by_speed, by_memory, holds;
    int n_shards;         /* processes for so many */
    size_t planned_bytes; /* of all of them */
} vg_fleet_machine;

typedef struct vg_fleet_cameras {
    char name[64];
    int count, width, height;
    double fps;
} vg_fleet_cameras;

typedef struct vg_fleet {
    char job[VG_FLEET_PATH_BYTES]; /* configuration of the shards */
    vg_fleet_machine machines[VG_FLEET_MOST];
    vg_fleet_cameras cameras[VG_FLEET_MOST];
    size_t n_machines, n_cameras;   /* entries */
    int n_all;                      /* cameras */
    double frames_per_s;            /* of all of them */
    int holds;                      /* all machines */
    int holds_without_one;          /* of those that hold most one less */
    size_t first_bytes, each_bytes; /* planned for a shard's first camera, and about each more */
} vg_fleet;

#ifdef __cplusplus
}
#endif
#endif
