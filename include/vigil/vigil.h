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
 * own. A fork leaves threads behind: in a child, a detector or predict job of the parent's answers
 * VG_ERR_ARGUMENT, and closing it there only drops it; a run of training, validation or a stream is
 * the process's that prepared it. Codecs, painters, trackers and models have no threads, and work
 * in a child. Strings are UTF-8; a struct of options is made by its _default function, so that
 * fields added later have defaults. */
#ifndef VIGIL_VIGIL_H
#define VIGIL_VIGIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vigil/error.h"
#include "vigil/option.h"
#include "vigil/text.h"
#include "vigil/types.h"
#include "vigil/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VG_VERSION_MAJOR 0
#define VG_VERSION_MINOR 1
#define VG_VERSION_PATCH 0
/* "0.1.0", of the library that is running. */
VG_API const char *vg_version(void);

/* For languages that cannot read these headers while they run, and so declare everything a second
 * time: compared when such a binding is loaded, a declaration that is out of date is an error there
 * and not a crash later. VG_ABI rises by one with every change that a program notices which was
 * built before: of a struct, of an enum's values, of a function's arguments. */
enum { VG_ABI = 6 };
/* That of the library that is running. */
VG_API int vg_abi(void);
/* Bytes of a public struct, by name: "vg_detection". 0: there is none of that name. */
VG_API size_t vg_size_of(const char *type_name);

/* "" or what this build is without, in a line: "no CUDA: ...". */
VG_API const char *vg_build_lacks(void);

/* ---- devices ---- */

/* All that the drivers here offer, *n of them, and a row for each driver that vigil knows, of which
 * there are *n_drivers. Opens the drivers' libraries, some of which take a hundred megabytes. */
VG_API void vg_devices(vg_device out[VG_MOST_DEVICES], size_t *n,
                       vg_driver drivers[VG_MOST_DRIVERS], size_t *n_drivers);

/* ---- a detector ---- */

typedef struct vg_detector vg_detector;

typedef struct vg_options {
    const char *weights; /* .pt (Ultralytics, never executed) or .safetensors; must be given */
    const char *task;    /* "detect", "segment", "pose", "obb", "classify": weights of another are
                            an error. NULL: any */
    int imgsz;   /* longest side of the network's input, pixels, 32..8192; raised to a multiple of
                    the stride. 0: that of the weights' training, where they say it, else 640. 0 */
    int imgsz_w; /* 0: the input is a square; else imgsz is its height, and this its width. 0 */
    int batch;   /* most pictures in one forward pass, 1..1024. 1 */
    int threads; /* 0: every processor this process may use */
    int plan_cache; /* shapes whose plans are kept, 1..256, least recently used out first. 4 */
    size_t memory_limit_bytes;     /* 0: none. open fails with VG_ERR_LIMIT, the sum shown, when the
                                      plan does not fit */
    size_t gpu_memory_limit_bytes; /* likewise of the GPU's memory */
    const char *device; /* "auto": a GPU where there is one, else the CPU; "cpu"; "gpu"; "0":
                           the first GPU; "cuda:0", "opencl:0.1": as vg_devices names it */
    const char *isa;    /* NULL: best here; "plain", "sse41", "avx2", "avx512" */
    bool augment; /* test-time augmentation: each picture is seen three times, at scales 1, 0.83
                     (mirrored) and 0.67, and the boxes of all compete: slower by half, at times
                     more exact. false */
    bool half;    /* on a GPU: weights and feature maps of 16 bits, in half its memory, and sums of
                     floats; the CPU computes in floats whatever it says. false */
    bool retina_masks; /* of models that segment: masks in pixels of the picture, not of the
                          network's input. false */
} vg_options;
VG_API vg_options vg_options_default(void);

/* On success *out is the caller's until vg_detector_close; on failure NULL. Strings in o are only
 * read during the call. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED,
 * VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_detector_open(vg_detector **out, const vg_options *o, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_detector_close(vg_detector **d);

/* "imgsz 160, as the weights were trained": what a user should know of imgsz, in a line. False, and
 * "": it is what they gave. */
VG_API bool vg_imgsz_format(char *buf, size_t n, const vg_model_info *info);
/* What is detected with. Strings are the handle's. */
VG_API void vg_detector_info(const vg_detector *d, vg_model_info *out);
/* "" outside 0..n_classes-1. */
VG_API const char *vg_detector_class_name(const vg_detector *d, int class_index);
/* What a user should know of drawings of these classes, in a line: which names have letters that no
 * font here has. False, and "": all can be shown. Takes milliseconds when names go beyond Latin-1.
 */
VG_API bool vg_detector_letters_format(char *buf, size_t n, const vg_detector *d);
/* What the handle holds, by owner, beside what was planned. */
VG_API void vg_detector_memory(const vg_detector *d, vg_memory *out);

/* ---- detecting ---- */

/* What a pixel is and how its samples lie. 8 bits each, beside each other: as pictures and cameras
 * have them. Floats 0..1: as tensors have them, (height, width, channels), or (channels, height,
 * width) in planes. Alpha is passed over. */
typedef enum vg_pixel_format {
    VG_RGB,
    VG_BGR, /* OpenCV's */
    VG_GREY,
    VG_RGBA,
    VG_BGRA,
    VG_RGB_FLOAT,
    VG_BGR_FLOAT,
    VG_GREY_FLOAT, /* one plane alone is this */
    VG_RGB_PLANES, /* floats, a plane for each: torch's */
    VG_BGR_PLANES
} vg_pixel_format;

/* Borrowed pixels, rows from top to bottom; they are read where they lie. A part of a picture is
 * one, too, with the whole one's stride. */
typedef struct vg_image {
    const void *pixels; /* of floats: aligned as floats are, and so are the strides */
    int width, height;
    size_t stride; /* bytes from row to row; 0: the rows follow each other */
    vg_pixel_format format;
    size_t plane_stride; /* of planes, bytes from one to the next; 0: height * stride */
} vg_image;

typedef struct vg_detect_options {
    float conf;         /* 0.25: keep confidence > conf */
    float iou;          /* 0.7: drop a box whose overlap with a better one of its class is larger */
    int max_det;        /* most boxes of a picture, 1..1000. 300 */
    const int *classes; /* (n_classes) those that are wanted; NULL: all */
    size_t n_classes;
    bool agnostic_nms; /* boxes of different classes compete, too */
} vg_detect_options;
VG_API vg_detect_options vg_detect_options_default(void);

/* Detects in one picture. Pixels of 8 bits are resized as the Python tool does it; floats, too, but
 * without rounding, and those that fill the network's input come to it as they are. out holds
 * `capacity` rows; best first; *n_out of them are written, 0 on failure. o NULL: the defaults. A
 * picture whose network shape is new to the handle costs a plan (a millisecond, kilobytes); past
 * plan_cache shapes memory does not grow. Errors: VG_ERR_ARGUMENT (picture, options),
 * VG_ERR_MEMORY. */
VG_API vg_status vg_detect(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                           const vg_image *image, const vg_detect_options *o, vg_error *err);
/* The same from a file (JPEG, PNG, BMP, WebP, TIFF, GIF). The handle's picture buffer grows to the
 * largest seen. Errors: also VG_ERR_IO, VG_ERR_FORMAT (a broken picture), VG_ERR_UNSUPPORTED. */
VG_API vg_status vg_detect_file(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                                const char *path, const vg_detect_options *o, vg_error *err);
/* n_images pictures, 1..the handle's batch, in one pass. Rows of picture i start at out + i *
 * capacity, their number is n_out[i]. Pictures of one shape share a rectangular input; of several
 * shapes, a square one (as the Python tool does). Errors: as vg_detect. */
VG_API vg_status vg_detect_batch(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                                 const vg_image *images, size_t n_images,
                                 const vg_detect_options *o, vg_error *err);

/* What the model's task adds to the boxes of picture `index` of the last vg_detect or
 * vg_detect_batch on this handle: masks, keypoints, turned boxes, or the classes of the whole
 * picture. Parallel to that picture's rows; *n_rows (may be NULL): how many there are, which is
 * what n_out said or more, where capacity was less. Made now, of what the network said, so a
 * picture whose extras nobody wants costs nothing. *out is the handle's, until the next call of
 * this or of those. Errors: VG_ERR_ARGUMENT (no such picture), VG_ERR_MEMORY, VG_ERR_LIMIT. */
VG_API vg_status vg_detector_extras(vg_detector *d, vg_extras *out, size_t *n_rows, size_t index,
                                    vg_error *err);

/* What a console line says of a result where it does not count boxes by class: "car 0.57, bus 0.10,
 * " of whole pictures, nothing (with n boxes) or "(no detections), " of turned ones. False: it
 * counts. Errors: none; what does not fit is cut. */
VG_API bool vg_extras_words(char *buf, size_t n_bytes, const vg_extras *e, size_t n,
                            const char *(*name)(const void *ctx, int class_index), const void *ctx);

/* Of the last call on this handle, all its pictures together; decode_ms is 0 but of
 * vg_detect_file, and save_ms always. */
VG_API void vg_detector_times(const vg_detector *d, vg_predict_times *out);

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
    const char *class_names; /* also these of detect.classes: "person,car"; NULL: none */
    bool hide_boxes;         /* saved pictures are without boxes and labels */
} vg_predict_options;
VG_API vg_predict_options vg_predict_options_default(void);

/* Finds the pictures, reads their heads, makes the run folder (when anything is saved) and every
 * buffer. Errors: as vg_detector_open, and VG_ERR_IO (no picture there, run folder). */
VG_API vg_status vg_predict_open(vg_predict **out, const vg_predict_options *o, vg_error *err);
/* The next picture in order, borrowed until the next call on the job; *out NULL at the end. A
 * broken picture is a result with its own status; an error returned here ends the job (a full disk,
 * say). */
VG_API vg_status vg_predict_next(vg_predict *p, const vg_predict_result **out, vg_error *err);
/* Stops early, waits for the stages, closes files. Errors: VG_ERR_IO when the last writes failed.
 */
VG_API vg_status vg_predict_close(vg_predict **p, vg_error *err);
/* The job's detector, to be asked for its model and memory; the job's until close. */
VG_API const vg_detector *vg_predict_detector(const vg_predict *p);
/* A result as a line of predictions.jsonl, its end included, in pieces. */
VG_API vg_status vg_predict_json(const vg_detector *d, const vg_predict_result *r,
                                 void (*put)(void *ctx, const char *bytes, size_t n), void *ctx,
                                 vg_error *err);
/* The run folder; "" when nothing is saved. */
VG_API const char *vg_predict_folder(const vg_predict *p);
/* What the job holds, by owner, beside what was planned. */
VG_API void vg_predict_memory(const vg_predict *p, vg_memory *out);

/* ---- training ---- */

/* The table of training's arguments (*n), as vg_train_set takes them. */
VG_API const vg_option *vg_train_options(size_t *n);

/* create, set what differs from the defaults, prepare, run, destroy. */
typedef struct vg_train vg_train;
/* Errors: VG_ERR_MEMORY. */
VG_API vg_status vg_train_create(vg_train **out, vg_error *err);
/* Before prepare. Errors: VG_ERR_ARGUMENT, with the nearest name, the range or the choices: then
 * nothing has changed. */
VG_API vg_status vg_train_set(vg_train *t, const char *name, const char *value, vg_error *err);

/* Of a run with the arguments set so far, which is not made. Without data: of the network alone, of
 * nc classes (0: the model's). A plan above memory_limit is an answer, too; only for batch -1, when
 * not even a batch of 1 fits, it is VG_ERR_LIMIT. Other errors: as vg_train_prepare. */
VG_API vg_status vg_train_plan(vg_train *t, int nc, vg_plan *out, vg_error *err);
/* The plan of the run that was prepared. */
VG_API void vg_train_plan_get(const vg_train *t, vg_plan *out);
/* Reads the dataset, makes the run folder and everything that training holds. A batch of -1 becomes
 * the largest whose plan fits memory_limit, or 60 % of what the system has to give. With `resume`
 * set (a run's folder, its last.safetensors, or "true" for the newest run of `project`) the run
 * goes on with the arguments of its checkpoint. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT,
 * VG_ERR_UNSUPPORTED, VG_ERR_LIMIT, VG_ERR_MEMORY; after one, destroy is all that may follow. */
VG_API vg_status vg_train_prepare(vg_train *t, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_train_destroy(vg_train **t);

/* Known after prepare. Strings are borrowed from the handle. */
typedef struct vg_train_info {
    const char *folder, *model, *optimizer;
    double lr0, momentum; /* what optimizer=auto chose, or as given */
    int n_classes, imgsz, batch, epochs;
    int asked_imgsz, max_stride; /* imgsz is asked_imgsz raised to a multiple of max_stride */
    int start_epoch;             /* from 0; above 0 after resume */
    int64_t n_params;
    double gflops;
    vg_data_report train, val;
    bool has_transferred; /* weights were given: so many of so many items fitted */
    size_t n_transferred, n_items;
    bool fell_back;      /* the newest checkpoint was damaged, and an older one is used */
    const vg_error *why; /* fell_back: what was wrong with it */
    /* Part of this session's training, 0 to 1, spent waiting for pictures: of epochs that ended. */
    double loader_wait;
    const char *best, *last;  /* paths of the weights; files of the run, once it has written them */
    int best_epoch;           /* of this session, from 1; 0: none was the best */
    double best_fitness;      /* its 0.1 map50 + 0.9 map */
    const char *device, *gpu; /* "cpu" and ""; on a device its name, and its driver's for it */
} vg_train_info;
/* After prepare. */
VG_API void vg_train_info_get(const vg_train *t, vg_train_info *out);

/* Of several processes that train together (mpirun, srun --mpi=pmix): all make the same calls with
 * the same arguments, and each prepares its share. Rank 0 alone writes files, serves the page and
 * calls the listener; of the others the listener is only asked wants_stop. A failure of one that
 * all know of is returned by all; else vg_train_destroy of the one that failed ends the others. */
typedef struct vg_train_rank {
    int rank, n_ranks; /* from 0; 0 and 1: alone */
    bool is_told;      /* the last failure is rank 0's to tell */
    /* Of this session's training, when it is over; NULL: it is not, or alone. Borrowed. */
    const vg_train_ranks *waits;
} vg_train_rank;
/* After prepare, also one that failed; before it n_ranks is what the launcher says. */
VG_API void vg_train_rank_get(const vg_train *t, vg_train_rank *out);
/* The first messages about files that were left out; NULL past the last. Borrowed. */
VG_API const char *vg_train_message(const vg_train *t, size_t index);
/* What the run holds, by owner; planned_bytes is what prepare took. */
VG_API void vg_train_memory(const vg_train *t, vg_memory *out);

/* Functions may be NULL, and are called by the thread that called run, in this order: start; for
 * every epoch epoch_start, batch after each batch, validating and validated, saved for each file,
 * epoch; in the end validating and validated once more (is_final: the best weights, as they are in
 * their file), end. wants_stop is asked after every batch, of validation, too. What is handed over
 * is borrowed during the call. */
typedef struct vg_train_listener {
    void *ctx;
    void (*batch)(void *ctx, const vg_train_batch *b);
    void (*epoch)(void *ctx, const vg_train_epoch *e);
    bool (*wants_stop)(void *ctx);
    void (*start)(void *ctx);
    void (*epoch_start)(void *ctx, int epoch, int n_epochs); /* epoch from 1 */
    void (*validating)(void *ctx, bool is_final);
    void (*validated)(void *ctx, const vg_val_result *r, bool is_final);
    void (*saved)(void *ctx, const char *path, bool is_checkpoint); /* else weights */
    void (*end)(void *ctx, vg_status status);
} vg_train_listener;

/* Until the last epoch, or until patience or the listener ends it. Writes weights, checkpoints,
 * results.csv, TensorBoard events and plots into the run folder. VG_ERR_INTERRUPTED: the listener's
 * wish; a checkpoint was written, and mend says how to go on. */
VG_API vg_status vg_train_run(vg_train *t, const vg_train_listener *listener, vg_error *err);
/* As if wants_stop had said yes: run ends after the batch it is at, with a checkpoint. From any
 * thread and from a signal's handler, before destroy. */
VG_API void vg_train_stop(vg_train *t);

/* As of the last batch. */
VG_API void vg_train_pace_get(const vg_train *t, vg_train_pace *out);

/* The process leaves its terminal: a session of its own, input from /dev/null, both outputs to the
 * end of folder/train.log. Between prepare and run, in a process that was forked for it before
 * vg_train_prepare, which starts threads, and that ignores SIGHUP. Errors: VG_ERR_IO (the log),
 * VG_ERR_SYSTEM (a process that leads its group, as one that was not forked does). */
VG_API vg_status vg_train_detach(vg_train *t, vg_error *err);
/* What the program will end with: who watches the run is told. Before destroy. */
VG_API void vg_train_note_exit(vg_train *t, int exit_status);

/* Serves a live page of this run: curves, pictures, arguments, and a button that ends the run with
 * a checkpoint (vg_train_run then returns VG_ERR_INTERRUPTED). Before prepare, which opens it at
 * its end, or after, until destroy. where: "127.0.0.1:9400", "[::1]:0", "true" for any port of
 * 127.0.0.1. token: NULL or "": one is made; whoever acts must know it, and where the address is
 * not of this machine, or a token was given, whoever reads, too. Errors, of prepare then:
 * VG_ERR_ARGUMENT (of this call always), VG_ERR_UNSUPPORTED (no libmicrohttpd), VG_ERR_SYSTEM
 * (address in use). */
VG_API vg_status vg_train_serve(vg_train *t, const char *where, const char *token, vg_error *err);
/* The page's address, with the token; "" when nothing is served. Borrowed. */
VG_API const char *vg_train_url(const vg_train *t);
/* True once the page's button was used. */
VG_API bool vg_train_is_stopped(const vg_train *t);

/* ---- runs of other processes ----
 * From prepare to destroy a run's process holds a lock on folder/vigil.pid, whose lines are its id
 * and its start time (field 22 of /proc/PID/stat), and notes in folder/vigil.progress where it is.
 * Both files go when it ends; files without a lock are left by a process that was killed. A second
 * process cannot prepare the same run meanwhile. */

typedef struct vg_run vg_run;
/* run: its folder, its folder weights, or its last.safetensors; NULL: the living run of project
 * (NULL: "runs/train") that was started last. Errors: VG_ERR_ARGUMENT (not running, finished, died:
 * mend says how to go on; no run there), VG_ERR_IO, VG_ERR_MEMORY. */
VG_API vg_status vg_run_open(vg_run **out, const char *run, const char *project, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_run_close(vg_run **r);
VG_API const char *vg_run_folder(const vg_run *r);
/* The run as it is now; what it wrote last when it has ended. */
VG_API void vg_run_look(vg_run *r, vg_run_view *out);
/* Asks exactly this process to end after a checkpoint: SIGTERM, queued, so that a handler can tell
 * it from an impatient second `kill`. Errors: VG_ERR_SYSTEM (another user's process, or one of
 * another machine), VG_ERR_ARGUMENT (it has ended). */
VG_API vg_status vg_run_stop(vg_run *r, vg_error *err);
/* Waits until the process that was stopped has ended; false when it has not within the time or a
 * signal came. */
VG_API bool vg_run_wait(vg_run *r, int timeout_ms);

/* ---- pages of runs ---- */

/* Serves pages of all runs below a folder: trainings and watched jobs, several side by side, live.
 * Nothing is written, and no link is followed; living trainings can be stopped by who knows the
 * token. where, token: as vg_train_serve. Threads of its own until close. Errors: VG_ERR_IO (no
 * folder), and as vg_train_serve. */
typedef struct vg_board vg_board;
VG_API vg_status vg_board_open(vg_board **out, const char *folder, const char *where,
                               const char *token, vg_error *err);
/* The address, with the token. Borrowed. */
VG_API const char *vg_board_url(const vg_board *b);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_board_close(vg_board **b);

/* ---- validation ---- */

/* Of the best weights, after vg_train_run; NULL: not yet. */
VG_API const vg_val_result *vg_train_final(const vg_train *t);

/* Average precision: the area below precision by recall, at 101 points, as releases of the Python
 * tool count it. Each change stays in those behind it, and all but the last lower the figures. */
typedef enum vg_ap {
    VG_AP_8_3,     /* up to 8.3.167 */
    VG_AP_8_3_168, /* to 8.4.36: boxes are compared as found, not cut at the picture's edges */
    VG_AP_8_4_37,  /* to 8.4.175: behind the last detection precision is 0; before, it falls on a
                    * line to 0 at recall 1 */
    VG_AP_8_4,     /* from 8.4.176: matched as COCO's evaluation does */
} vg_ap;

typedef struct vg_val_options {
    const char *data, *weights; /* dataset YAML; .pt or .safetensors */
    const char *task;           /* as in vg_options */
    const char *split;          /* "val"; "train", "test" */
    int imgsz, batch;           /* 0: as in vg_options, the longer side; 16 */
    int workers, threads;       /* 8 at most; 0: every processor */
    float conf, iou;            /* 0.001, 0.7 */
    int max_det;                /* 300 */
    bool agnostic_nms;
    bool augment;    /* as in vg_options */
    bool rect;       /* batches have the shape of their pictures, else all are squares. true */
    int ap;          /* vg_ap: which releases count so. VG_AP_8_3 */
    bool single_cls; /* the dataset's classes are one, for weights trained so */
    bool plots;      /* curves, confusion matrices, sample pictures into the run folder. true */
    bool save_json;  /* predictions.json there, as COCO's evaluation reads it; not of classifiers */
    bool save_txt, save_conf;   /* labels/NAME.txt there, as those of prediction */
    const char *project, *name; /* "runs/val", "exp" */
    bool exist_ok;
    const char *device; /* as in vg_options */
    size_t gpu_memory_limit_bytes;
    bool half; /* as in vg_options */
} vg_val_options;
VG_API vg_val_options vg_val_options_default(void);

typedef struct vg_val vg_val;
/* Strings in o are only read during the call. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT,
 * VG_ERR_UNSUPPORTED, VG_ERR_MEMORY. */
VG_API vg_status vg_val_open(vg_val **out, const vg_val_options *o, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_val_close(vg_val **v);
/* Once. *out is borrowed from the handle. wants_stop (NULL: never) is asked after every batch;
 * VG_ERR_INTERRUPTED when it said yes.
 */
VG_API vg_status vg_val_run(vg_val *v, const vg_val_result **out, bool (*wants_stop)(void *ctx),
                            void *ctx, vg_error *err);
/* After open: what is validated, with the imgsz used. */
VG_API void vg_val_model(const vg_val *v, vg_model_info *out);
/* Pictures done and in all; also while it runs, in wants_stop. */
VG_API void vg_val_progress(const vg_val *v, size_t *n_done, size_t *n_total);
/* After open, also the messages, which are as vg_train_message. */
VG_API void vg_val_data(const vg_val *v, vg_data_report *out);
VG_API const char *vg_val_message(const vg_val *v, size_t index);
/* "" without plots, save_json and save_txt. */
VG_API const char *vg_val_folder(const vg_val *v);
/* What validation holds, by owner; planned_bytes is what open took. */
VG_API void vg_val_memory(const vg_val *v, vg_memory *out);

/* ---- the rows that training and validation print, as YOLO's users know them ---- */

/* Each writes one line without its end into buf (n): 256 bytes do for rows, 1024 for progress.
 * n_columns: of the terminal, where columns get narrower that would not fit; 0: the columns that
 * users know. True when it fitted. */
VG_API bool vg_train_header_format(char *buf, size_t n, vg_task task, size_t n_columns);
VG_API bool vg_train_row_format(char *buf, size_t n, const vg_train_batch *b,
                                size_t resident_bytes);
/* The row with a bar, times and memory, at most n_columns wide (0: as long as it gets). */
VG_API bool vg_train_progress_format(char *buf, size_t n, const vg_train_batch *b,
                                     const vg_train_pace *pace, size_t n_columns, bool ascii);
VG_API bool vg_val_header_format(char *buf, size_t n, vg_task task, size_t n_columns);
VG_API bool vg_val_row_format(char *buf, size_t n, const vg_val_class *row, size_t n_columns);
/* The metrics of a validation's task, its losses, and fitness last; returns how many. */
VG_API size_t vg_val_numbers(const vg_val_result *r, vg_number out[VG_MOST_NUMBERS]);
VG_API bool vg_bar_format(char *buf, size_t n, const vg_bar *b, size_t n_columns, bool ascii);
/* "1 box", "3 boxes", "2 persons": noun in the singular, or the name of a class. Returns buf. */
VG_API const char *vg_count_format(char *buf, size_t n, uint64_t count, const char *noun);

/* ---- a data set to try with ---- */

typedef struct vg_demo_options {
    const char *project;          /* "runs" */
    const char *name;             /* "demo": then demo2, demo3, ...: what is there stays */
    int n_train, n_val, n_unseen; /* pictures: 0, 0, 8. 0: as the task's subject says */
    int seed;                     /* 0. Another seed, other pictures */
    int threads;                  /* 0: every processor */
    vg_task task;                 /* VG_TASK_DETECT */
    /* NULL: nobody. Pictures drawn so far; from the caller's own thread. */
    void (*progress)(void *ctx, int n_done, int n_total);
    void *ctx;
} vg_demo_options;
VG_API vg_demo_options vg_demo_options_default(void);

enum { VG_DEMO_PATH_BYTES = 1024 };
typedef struct vg_demo {
    char folder[VG_DEMO_PATH_BYTES]; /* of the run */
    char data[VG_DEMO_PATH_BYTES];   /* the dataset's YAML: parts train, val, and unseen as test;
                                        of class folders the folder */
    char unseen[VG_DEMO_PATH_BYTES]; /* a folder of pictures that neither holds */
    size_t n_objects;                /* labelled in all */
} vg_demo;
/* NULL when it is none of vg_task. */
VG_API const vg_demo_subject *vg_demo_subject_get(vg_task task);
/* Draws pictures and their labels into dataset/ of a run folder of its own: a shop's shelves with
 * bottles, cans, cartons, jars and boxes (detect, and with masks segment), figures in a hall and
 * their keypoints (pose), parcels on a belt from above (obb), goods one by one (classify). Holds
 * memory during the call only. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_LIMIT (a path too long),
 * VG_ERR_MEMORY, VG_ERR_SYSTEM. */
VG_API vg_status vg_demo_draw(vg_demo *out, const vg_demo_options *o, vg_error *err);

/* ---- looking at and converting weights ---- */

/* Without running anything: a model from a weights file or a model YAML's name ("yolo11s.yaml"). */
typedef struct vg_model vg_model;
/* imgsz: of a square input, pixels, 32..8192; 0: as in vg_options. nc: classes of a YAML's model;
 * 0: as the YAML says. On success *out is the caller's until vg_model_close. Errors:
 * VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED, VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_model_open(vg_model **out, const char *path_or_name, int imgsz, int nc,
                               vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_model_close(vg_model **m);
/* threads is 0 and isa "": nothing runs. */
VG_API void vg_model_info_get(const vg_model *m, vg_model_info *out);
/* "detect", "segment", "pose", "obb", "classify"; "" of a number that is no task. */
VG_API const char *vg_task_name(vg_task task);
/* Row `index` of its YAML; empty outside 0..n_layers-1. */
VG_API void vg_model_layer(const vg_model *m, int index, vg_layer *out);
/* "" outside 0..n_classes-1, and of a YAML's model. */
VG_API const char *vg_model_class_name(const vg_model *m, int class_index);
/* Resolutions at which it looks for objects. */
VG_API int vg_model_n_levels(const vg_model *m);
/* Input pixels of a cell of that level; 0 outside 0..n_levels-1. */
VG_API float vg_model_stride(const vg_model *m, int level);
/* Facts of the file for people: key and value of line `index`; false past the last. ("license",
 * "date", "epoch", ...) */
VG_API bool vg_model_fact(const vg_model *m, size_t index, const char **key, const char **value);
/* What a detector of this model would take with that batch and so many threads (0: every
 * processor) on that device and with or without augment (both as in vg_options), by owner, without
 * taking it. Errors: VG_ERR_ARGUMENT, VG_ERR_UNSUPPORTED (no such device), VG_ERR_MEMORY. */
VG_API vg_status vg_model_memory(const vg_model *m, int batch, int threads, const char *device,
                                 bool augment, vg_memory *out, vg_error *err);

/* Writes weights (.pt or .safetensors) as output, a .safetensors that is replaced whole or not at
 * all. Errors: VG_ERR_ARGUMENT, VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED, VG_ERR_LIMIT,
 * VG_ERR_MEMORY. */
VG_API vg_status vg_convert(const char *weights, const char *output, vg_error *err);

#ifdef __cplusplus
}
#endif

#include "vigil/dataset.h"
#include "vigil/export.h"
#include "vigil/picture.h"
#include "vigil/stream.h"
#include "vigil/tracker.h"

#endif
