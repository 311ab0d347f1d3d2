/* convert.h: datasets of other tools -> a dataset as YOLO has it: pictures, label files, data.yaml.
 *
 * Each format is a file (source_*.c) and a row in sources.c. It reads classes, pictures and objects
 * into a catalogue; what is the same for all (finding pictures, sizes, splits, writing) is done
 * here. Everything is written into a folder beside the output, which gets its name at the very end.
 *
 * Memory: the catalogue, 56 bytes an object, 56 a picture, 8 a polygon's point, 12 a keypoint, and
 * names and paths; one annotation, or one small file, at a time. All of it on the account. */
#ifndef DATA_CONVERT_CONVERT_H
#define DATA_CONVERT_CONVERT_H

#include "base/base.h"
#include "vigil/types.h"

typedef struct data_convert_options {
    const char *source; /* a folder, or a file of annotations */
    const char *output; /* a folder that is not there yet, or is empty */
    const char *format; /* NULL, "" or "auto": by what is there */
    const char *images; /* the folder of the pictures; NULL: found from the source */
    vg_dataset_pictures pictures;
    double val; /* 0..1: part of the pictures for validation where the source has no such split */
    bool polygons;  /* keep them; else their boxes */
    bool difficult; /* keep objects that are marked so */
    bool keypoints; /* rows of keypoints, for pose, of sources that have them */
    /* May be NULL. class_named: once for each, in order; id: what the source calls it. wants_stop:
     * asked at every picture. */
    void (*class_named)(void *ctx, int class_index, const char *name, const char *id);
    bool (*wants_stop)(void *ctx);
    void *ctx;
} data_convert_options;

/* Errors: VG_ERR_ARGUMENT (format, val), VG_ERR_IO (also: the output is there), VG_ERR_FORMAT,
 * VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_INTERRUPTED: then nothing is left of the output. */
vg_status data_convert(vg_dataset_converted *out, const data_convert_options *o, base_mem *mem,
                       vg_error *err);

/* Names of the formats, for help; NULL past the last. */
const char *data_convert_format(size_t index);

#endif
