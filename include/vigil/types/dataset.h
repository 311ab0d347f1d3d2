/* SPDX-License-Identifier: Apache-2.0 */
/* types/dataset.h: datasets: read for training, looked at, converted, drawn. */
#ifndef VIGIL_TYPES_DATASET_H
#define VIGIL_TYPES_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
#endif
