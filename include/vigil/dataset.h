/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.h: datasets looked at before anything is trained on them.
 *
 *     vg_dataset_check_options o = vg_dataset_check_options_default();
 *     o.data = "coco.yaml";
 *     vg_dataset_check *c = NULL;
 *     vg_dataset_fault fault;
 *     vg_error err;
 *     if (vg_dataset_check_open(&c, &o, &err) != VG_OK)
 *         ... err.what, err.where, err.mend
 *     for (size_t i = 0; vg_dataset_check_fault(c, i, &fault); i++)
 *         printf("%s: %s\n", fault.where, fault.what);    labels/train/7.txt:3: class 80 in ...
 *     vg_dataset_check_close(&c); */
#ifndef VIGIL_DATASET_H
#define VIGIL_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include "vigil/error.h"
#include "vigil/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- looking at a dataset ---- */

typedef struct vg_dataset_check_options {
    const char *data;          /* dataset YAML, or a folder of classes; must be given */
    const char *task;          /* whose labels these are: "segment", ...; NULL: by data: a folder is
                                  classify's, a          YAML with kpt_shape pose's, else detect's */
    int threads;               /* 0: every processor */
    size_t most_faults;        /* that are kept, of each kind all are counted. 1000 */
    size_t memory_limit_bytes; /* 0: none */
} vg_dataset_check_options;
VG_API vg_dataset_check_options vg_dataset_check_options_default(void);

/* Reads the YAML or folder, decodes every picture of every split and reads every label file, by the
 * code that training does it with, and compares pictures of different splits byte by byte. Nothing
 * is written: the cache that training keeps is neither read nor made. Only what was found is held
 * afterwards. A fault of a picture, a label file or a whole split is a result; errors are:
 * VG_ERR_IO and VG_ERR_FORMAT (of the YAML itself), VG_ERR_ARGUMENT, VG_ERR_LIMIT, VG_ERR_MEMORY,
 * VG_ERR_SYSTEM. */
typedef struct vg_dataset_check vg_dataset_check;
VG_API vg_status vg_dataset_check_open(vg_dataset_check **out, const vg_dataset_check_options *o,
                                       vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_dataset_check_close(vg_dataset_check **c);

/* All strings are borrowed until close. */
VG_API void vg_dataset_check_total(const vg_dataset_check *c, vg_dataset_total *out);
/* False: the YAML has no such split. */
VG_API bool vg_dataset_check_split(const vg_dataset_check *c, vg_split split,
                                   vg_dataset_split *out);
/* False past the last class. */
VG_API bool vg_dataset_check_class(const vg_dataset_check *c, size_t index, vg_dataset_class *out);
/* Sizes of the pictures of a split, the most frequent first; false past the last. */
VG_API bool vg_dataset_check_size(const vg_dataset_check *c, vg_split split, size_t index,
                                  vg_dataset_size *out);
/* The faults that were kept, in the order of splits and pictures; false past the last. */
VG_API bool vg_dataset_check_fault(const vg_dataset_check *c, size_t index, vg_dataset_fault *out);
/* What is no fault and yet should be known, in sentences; NULL past the last. */
VG_API const char *vg_dataset_check_notice(const vg_dataset_check *c, size_t index);

/* ---- datasets of other tools ---- */

typedef struct vg_dataset_convert_options {
    const char *data;   /* a folder, or a file of annotations; must be given */
    const char *output; /* a folder that is not there yet, or is empty; must be given */
    const char *format; /* "auto": by what is there; else as vg_dataset_format says */
    const char *images; /* NULL: pictures are looked for below data; else below this folder */
    vg_dataset_pictures pictures; /* VG_PICTURES_LINK */
    double val;     /* 0..1: part of the pictures for validation, where the source has none. 0.1;
                       0: those of training are named for both */
    bool polygons;  /* keep them; else their boxes. true */
    bool difficult; /* keep objects that are marked so. true */
    bool keypoints; /* boxes with keypoints, for task=pose; objects without are left out. false */
    size_t memory_limit_bytes; /* 0: none */
    /* May be NULL. class_named: each class, in order, when all is written; id: the source's, "":
     * it has none. wants_stop: asked at every picture. */
    void (*class_named)(void *ctx, int class_index, const char *name, const char *id);
    bool (*wants_stop)(void *ctx);
    void *ctx;
} vg_dataset_convert_options;
VG_API vg_dataset_convert_options vg_dataset_convert_options_default(void);

/* Writes output/images and labels, a folder in each for every split, and output/data.yaml; all of
 * it or nothing, and never over anything. Classes are numbered in the order of the source's ids, or
 * of their names where it has none. What a path of the source says is never followed: its last name
 * is looked for below the folder. Errors: VG_ERR_ARGUMENT, VG_ERR_IO (also: something is at
 * output), VG_ERR_FORMAT, VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_INTERRUPTED. */
VG_API vg_status vg_dataset_convert(vg_dataset_converted *out, const vg_dataset_convert_options *o,
                                    vg_error *err);
/* Names of formats; NULL past the last. */
VG_API const char *vg_dataset_format(size_t index);

#ifdef __cplusplus
}
#endif
#endif
