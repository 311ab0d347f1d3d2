/* data.h: what training and validation eat: the dataset's file, verified labels, augmented samples,
 * batches. It does not know what a network is. Source: spec section 5; "T" is that of the tasks.
 *
 *     data_spec    a dataset YAML: classes, and where each split's pictures are
 *     data_set     one split: its pictures and labels, verified, in one block
 *     data_loader  threads that turn a data_set into batches of floats, a bounded number ahead
 *
 * Letters: n pictures of a batch, h rows, w columns, s the training size (imgsz). Channels are RGB.
 * Boxes are xywh_norm: centre and size as parts of the picture's width and height. */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "detect/detect.h"
#include "vigil/types.h"

/* ---- kinds of labels: T 4 ---- */

/* What stands in a row of a label file, and what the loader makes of it. A kind is a file,
 * kind_*.c; whoever opens a set chooses one. */
typedef struct data_kind data_kind;
extern const data_kind DATA_BOXES;     /* class xc yc w h; polygons count as their bounds */
extern const data_kind DATA_POLYGONS;  /* class x1 y1 x2 y2 ...: masks */
extern const data_kind DATA_KEYPOINTS; /* class xc yc w h, then x y (v) a keypoint */
extern const data_kind DATA_ROTATED;   /* class x1 y1 ... x4 y4: the smallest rectangle around */
extern const data_kind DATA_FOLDERS;   /* no files: a picture's class is the folder that it is in */
const char *data_kind_name(const data_kind *kind); /* "boxes", "polygons", ... */

enum { DATA_MOST_KEYPOINTS = 256 };

/* ---- the dataset's file: spec 5.1 ---- */

typedef enum data_split { DATA_TRAIN, DATA_VAL, DATA_TEST, DATA_N_SPLITS } data_split;
/* "train", "val", "test". */
const char *data_split_name(data_split split);

typedef struct data_spec data_spec;

/* Reads a dataset YAML and finds its root. A relative `path` is looked for beside the YAML, then in
 * the working folder, then in ./datasets there; without `path` it is the YAML's folder. A folder is
 * a dataset for DATA_FOLDERS: train/<class>/..., val (or validation, valid), test; without a val
 * its test. Errors (with the line): VG_ERR_IO, VG_ERR_FORMAT (no train or val; names and nc that
 * disagree; class numbers with gaps; a kpt_shape or flip_idx that is none; a split whose folders
 * are not train's), VG_ERR_LIMIT, VG_ERR_MEMORY. *out belongs to the caller. */
vg_status data_spec_open(data_spec **out, const char *path, base_mem *mem, vg_error *err);
/* The same from text, without looking at any folder: the root stays as written. */
vg_status data_spec_parse(data_spec **out, const char *text, size_t n, const char *source,
                          base_mem *mem, vg_error *err);
void data_spec_destroy(data_spec **s);
int data_spec_nc(const data_spec *s);
/* 0 <= class_index < nc. Borrowed, as are root and source. */
const char *data_spec_class_name(const data_spec *s, int class_index);
/* (nc) names of the classes of a run: those of the spec, or "item" for its only one (is_single).
 * The array belongs to the caller (base_free), the texts to the spec. Errors: VG_ERR_MEMORY. */
vg_status data_spec_names(const char ***out, const data_spec *s, bool is_single, base_mem *mem,
                          vg_error *err);
const char *data_spec_root(const data_spec *s); /* absolute after open */
const char *data_spec_source(const data_spec *s);
/* False for a `test` that the YAML leaves out. */
bool data_spec_has(const data_spec *s, data_split split);
/* A folder, whose classes are folders; else a YAML. */
bool data_spec_is_folder(const data_spec *s);

/* kpt_shape of the YAML: how many keypoints an object has, and numbers of each: 2 or 3. 0: the YAML
 * has none. flip_idx: which keypoint each becomes in a mirror. */
typedef struct data_keypoint_shape {
    int n, dims;
    const int *flip_idx; /* (n) borrowed; NULL: the YAML has none */
} data_keypoint_shape;
data_keypoint_shape data_spec_keypoints(const data_spec *s);
/* The kind that the spec itself tells: of a folder DATA_FOLDERS, with kpt_shape DATA_KEYPOINTS;
 * else DATA_BOXES, though its rows may be outlines. */
const data_kind *data_spec_kind(const data_spec *s);

/* ---- a split: pictures and verified labels: spec 5.2 ---- */

enum { DATA_MOST_MESSAGES = 16, DATA_MESSAGE_BYTES = 256 };

/* n_found + n_missing + n_empty + n_corrupt + n_absent == n_pictures. Missing and empty label files
 * make pictures without objects; corrupt ones (the picture or its labels) and those that a list
 * names and nobody has are left out of the set. */
typedef struct data_report {
    uint64_t n_pictures;
    uint64_t n_found;   /* label files with rows */
    uint64_t n_missing; /* no label file */
    uint64_t n_empty;   /* a label file without rows */
    uint64_t n_corrupt;
    uint64_t n_absent;     /* no such picture */
    uint64_t n_duplicates; /* rows that stood twice in their file, removed */
    uint64_t n_labels;     /* rows kept */
    uint64_t n_polygons;   /* of these, given as polygons */
    uint64_t n_mixed;      /* files of polygons with rows of 5 columns, which are boxes */
    char mixed_where[DATA_MESSAGE_BYTES]; /* the first such row: "path:3" */
    uint32_t n_messages; /* the first in the order of pictures: "path:3: class 7 ..." */
    char messages[DATA_MOST_MESSAGES][DATA_MESSAGE_BYTES];
} data_report;

typedef struct data_label {
    int32_t class_index;
    float xywh_norm[4];
    uint32_t n_points;    /* of its polygon, or keypoints; 0: a box */
    uint64_t first_point; /* in data_set_points, or data_set_keypoints */
} data_label;

typedef struct data_picture {
    const char *path;
    int w, h; /* upright, pixels */
    size_t n_labels;
    const data_label *labels;
} data_picture;

typedef struct data_set_options {
    data_split split;
    const data_kind *kind;  /* NULL: DATA_BOXES */
    double fraction;        /* 0: 1. The first round(n * fraction) pictures */
    bool single_cls;        /* all classes become 0, after they were checked */
    const uint8_t *classes; /* (nc) 1: keep the rows of this class; NULL: all */
    const char *cache_path; /* NULL: "<labels folder>-<split>.vigil-cache" beside the labels folder
                               of the first picture that is there */
    bool no_cache;          /* neither read nor write one */
} data_set_options;

typedef struct data_set data_set;

/* A split is a folder, a .txt list, or a list of those; one that is missing is tried with / for \
 * and without its ../, which a message tells. A line of a list that begins with ./ is beside the
 * list, another in the working folder; what is not there is looked for beside the list and under
 * the root. */
/* Lists the split's pictures (sorted by path) and verifies each with its labels, decoding every
 * picture once, shared among the pool (NULL: the caller alone). What was found is kept in a cache
 * file, used again while version, nc, paths, sizes and times of all files are the same; a cache
 * that is stale or damaged is made anew, one that cannot be written costs a debug line.
 * Errors: VG_ERR_ARGUMENT (no such split, fraction), VG_ERR_IO (a folder or list), VG_ERR_FORMAT
 * (no picture is left; the kind needs a folder, or kpt_shape, or an outline of every object, and
 * there is none), VG_ERR_LIMIT, VG_ERR_MEMORY. *out belongs to the caller, needs the spec no more.
 * Memory: one block for labels, one for pictures and paths. */
vg_status data_set_open(data_set **out, const data_spec *spec, const data_set_options *options,
                        base_pool *pool, base_mem *mem, vg_error *err);
void data_set_destroy(data_set **s);
size_t data_set_size(const data_set *s);
int data_set_nc(const data_set *s); /* 1 with single_cls */
const data_picture *data_set_picture(const data_set *s, size_t index);
const data_kind *data_set_kind(const data_set *s);
const float *data_set_points(const data_set *s); /* (points, 2) x y, normalised */
/* DATA_KEYPOINTS: (points, 3) x y normalised, and how it is seen: 0 not labelled. A file of 2
 * numbers a keypoint makes all of them visible. NULL for other kinds. */
const float *data_set_keypoints(const data_set *s);
data_keypoint_shape data_set_keypoint_shape(const data_set *s); /* n is 0 for other kinds */
size_t data_set_most_labels(const data_set *s);                 /* of one picture */
size_t data_set_most_file_bytes(const data_set *s);             /* of one picture's file */
bool data_set_from_cache(const data_set *s);
const data_report *data_set_report(const data_set *s);
/* The same in short, for callers: pictures and objects are those in use. */
vg_data_report data_set_summary(const data_set *s);
/* What the user should be told of the set before anything is made of it, in sentences: that not one
 * label was found, or few, and where they were looked for; what a list names in vain; which rows
 * were read otherwise than the file's others; then the report's messages. NULL past the last.
 * Borrowed. */
const char *data_set_message(const data_set *s, size_t index);

/* ---- augmentation: spec 5.4 ---- */

/* Where copied objects come from: the same picture, mirrored; another. */
typedef enum data_copy_paste { DATA_PASTE_FLIP, DATA_PASTE_MIXUP } data_copy_paste;
typedef enum data_auto_augment {
    DATA_AUTO_NONE, /* colour jitter by hsv_* */
    DATA_AUTO_RANDAUGMENT
} data_auto_augment;

/* Zeros: no augmentation but the resize. Probabilities 0..1. */
typedef struct data_augment {
    float mosaic, mixup, flipud, fliplr; /* probabilities */
    float bgr;                           /* probability that the channels stay reversed */
    float hsv_h, hsv_s, hsv_v;           /* largest gains less 1 */
    float degrees, shear;                /* +-, degrees */
    float translate, scale, perspective; /* +-, parts */
    float copy_paste;                    /* part of the objects; needs outlines */
    data_copy_paste copy_paste_mode;
    /* Of DATA_FOLDERS, beside flips and scale (the smallest crop is 1 - scale of the area); hsv_*
     * with DATA_AUTO_NONE alone: */
    data_auto_augment auto_augment;
    float erasing; /* probability */
} data_augment;
/* Spec 4.1. */
#define DATA_AUGMENT_DEFAULT                                                                       \
    ((data_augment){.mosaic = 1.0f,                                                                \
                    .fliplr = 0.5f,                                                                \
                    .hsv_h = 0.015f,                                                               \
                    .hsv_s = 0.7f,                                                                 \
                    .hsv_v = 0.4f,                                                                 \
                    .translate = 0.1f,                                                             \
                    .scale = 0.5f,                                                                 \
                    .auto_augment = DATA_AUTO_RANDAUGMENT,                                         \
                    .erasing = 0.4f})

/* ---- the loader ---- */

typedef enum data_cache { DATA_CACHE_NONE, DATA_CACHE_RAM, DATA_CACHE_DISK } data_cache;

typedef struct data_loader_options {
    int imgsz;  /* raised to a multiple of stride */
    int stride; /* 0: 32 */
    int batch;  /* >= 1; the last batch of an epoch may be smaller */
    /* Batches are dealt to n_shares loaders, each in a process of its own, and this is loader
     * number share: the batches are those of one loader, and each makes a slice of every one. The
     * first shares have a picture more where they are not even, so share 0 is never empty; others
     * are where the last batch has fewer pictures than there are shares. 0 shares: one. */
    int share, n_shares;
    int n_workers; /* threads; 0: the caller does the work. The batches are the same for any */
    int n_batches; /* buffers, >= 1: one is the caller's, the others are filled ahead. 0: 2 */
    uint64_t seed;
    bool train; /* shuffled and augmented; else in order, letterboxed without enlarging */
    bool rect;  /* batches of similar aspect, each of its own h x w (spec 5.5), never shuffled; with
                   train no mosaic */
    /* DATA_POLYGONS: masks of 1 / mask_ratio of the input's size; it divides stride. 0: 4. */
    int mask_ratio;
    bool separate_masks; /* a mask for each object instead of one map a picture */
    /* DATA_FOLDERS, in validation: the part of a picture's shorter side that is seen. 0: 1. */
    float crop_fraction;
    bool input_is_lent;   /* the inputs lie where data_loader_lend says, not in memory of its own */
    data_augment augment; /* with train; sets what data_loader_set_augment may ask for later */

    data_cache cache;
    /* Of decoded, resized pictures. RAM: those that come first stay until the budget is full, none
     * gives way. DISK: "<picture>.<s>.vigil-bin" beside each picture, with its sum; at most so many
     * bytes of them are written by this loader, none is removed, and when one cannot be written no
     * more are tried (a debug line). 0: no bound (of RAM: all pictures, taken at create). */
    size_t cache_bytes;
    /* Most bytes of the pictures that mosaic draws from (the min(n, 8 * batch, 1000) latest), kept
     * decoded in a ring. What does not fit is decoded again: slower, the same pixels. 0: 256 MiB.
     * Only taken when mosaic > 0 and not all are in RAM anyway. */
    size_t recent_bytes;
} data_loader_options;

/* One picture of a batch. */
typedef struct data_item {
    size_t picture; /* index in the data_set; of a mosaic its first */
    int w0, h0;     /* of the file, upright */
    float gain;     /* resized height / h0 */
    int left, top;  /* padding, pixels: for detect_unpad_boxes. Training: 0 */
} data_item;

typedef struct data_batch {
    size_t index;               /* in the epoch, from 0 */
    int n, h, w;                /* n: of this share, may be 0 where there are several */
    int n_all;                  /* of all shares */
    const float *input;         /* (n, h, w, 3) 0..1 */
    const detect_label *labels; /* (n_labels) by picture, xywh by h x w */
    size_t n_labels;
    const data_item *items; /* (n) */

    /* What the set's kind has beside boxes; NULL and 0 for other kinds. DATA_ROTATED: xywh and
     * angle of a label. DATA_FOLDERS: one label a picture, whose box is all of it.
     *
     * DATA_KEYPOINTS: (n_labels, n_keypoints, 3) x y by w, h, and visibility. */
    const float *keypoints;
    int n_keypoints;
    /* DATA_POLYGONS: (n, mask_h, mask_w), j + 1 where object j of the picture is on top, in the
     * order of its labels: larger ones first, those without a pixel before them (T 4.3). */
    const int32_t *index_maps;
    /* With separate_masks, instead: (n_labels, mask_h, mask_w) 0 or 1. */
    const uint8_t *masks;
    int mask_h, mask_w;
} data_batch;

typedef struct data_loader data_loader;

/* Takes all buffers and starts the threads. The set is borrowed until destroy, and so is mem: the
 * threads' decoders grow their scratch on it when they first meet a larger picture or another
 * format; else nothing is allocated after create. Errors: VG_ERR_ARGUMENT, VG_ERR_MEMORY,
 * VG_ERR_SYSTEM. *out belongs to the caller. */
vg_status data_loader_create(data_loader **out, const data_set *set,
                             const data_loader_options *options, base_mem *mem, vg_error *err);
/* The bytes that create would take on mem; 0 for refused options. Decoders grow later, if at all:
 * by a picture that is turned, or in CMYK, or of a rare format. */
size_t data_loader_bytes(const data_set *set, const data_loader_options *options);
/* The bytes of the inputs of all buffers, which with input_is_lent are not among those; 0 for
 * refused options. */
size_t data_loader_input_bytes(const data_set *set, const data_loader_options *options);
/* With input_is_lent: before each start. input (data_loader_input_bytes, 64-byte aligned) is
 * written until the epoch's last batch was given back by data_loader_next, or the next start, or
 * destroy. */
void data_loader_lend(data_loader *l, float *input);
/* What a loader of these options would say of its batches. Errors: as create, of the options. */
typedef struct data_loader_bounds {
    int n, h, w;        /* the largest batch */
    size_t n_batches;   /* of an epoch */
    size_t most_labels; /* of one picture of a batch */
    size_t n_decoders;
    size_t most_picture_bytes; /* of a decoded picture, before it is resized */
    size_t cache_bytes;        /* the most that it would keep, in RAM or on disk */
} data_loader_bounds;
vg_status data_loader_plan(data_loader_bounds *out, const data_set *set,
                           const data_loader_options *options, vg_error *err);
/* At any time, also in the middle of an epoch: waits for the samples under way (milliseconds). */
void data_loader_destroy(data_loader **l);

size_t data_loader_n_batches(const data_loader *l); /* of an epoch */
/* Pictures of batch `index` that share `share` of n_shares has, of n_pictures in batches of
 * `batch`; *first: the first of them within the batch. */
size_t data_loader_share(size_t *first, size_t n_pictures, int batch, size_t index, int share,
                         int n_shares);
size_t data_loader_most_labels(const data_loader *l); /* of one picture of a batch */
/* The largest batch input: n, h, w. */
void data_loader_most_shape(const data_loader *l, int *n, int *h, int *w);

/* Other augmentation from the next start on (close_mosaic: mosaic = mixup = 0). Errors:
 * VG_ERR_ARGUMENT: mosaic or mixup where create was given 0 for it, for which there is no room. */
vg_status data_loader_set_augment(data_loader *l, const data_augment *augment, vg_error *err);

/* Begins an epoch at a batch (0; resume: where it was left), dropping one under way. A sample
 * depends on (seed, epoch, its place in the epoch) alone, and so does the order. Threads begin at
 * once: started before the validation in between, an epoch's first batches are ready after it.
 * Errors: VG_ERR_ARGUMENT (past the last batch). */
vg_status data_loader_start(data_loader *l, uint64_t epoch, size_t first_batch, vg_error *err);
/* The next batch, in order; *out NULL after the last. Borrowed until the next call of next, start
 * or destroy. While it is not ready the caller makes samples, too. Errors: of the first sample in
 * order that failed, with the picture's path (gone, changed since it was verified); the epoch is
 * then over, start begins anew. */
vg_status data_loader_next(data_loader *l, const data_batch **out, vg_error *err);

typedef struct data_loader_stats {
    uint64_t n_decoded;    /* pictures since create */
    uint64_t n_from_cache; /* from RAM or disk */
    uint64_t n_recent;     /* from the ring */
    uint64_t wait_ns;      /* in next, working or waiting */
    size_t cache_bytes;    /* used of the budget */
} data_loader_stats;
data_loader_stats data_loader_stats_get(data_loader *l);

#endif
