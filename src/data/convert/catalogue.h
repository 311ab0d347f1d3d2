/* catalogue.h: what a source holds: classes, pictures, objects; and what was left out of it. For
 * this folder. */
#ifndef DATA_CONVERT_CATALOGUE_H
#define DATA_CONVERT_CATALOGUE_H

#include "convert.h"

#define CATALOGUE_NO_ID INT64_MIN
enum { CATALOGUE_NO_SPLIT = -1, CATALOGUE_MOST_CLASSES = 65536 };

typedef struct catalogue_class {
    int64_t id;  /* of the source; CATALOGUE_NO_ID: it has none */
    size_t name; /* in text */
} catalogue_class;

typedef struct catalogue_picture {
    size_t name; /* in text, as the source has it: a path of any system, or a name */
    size_t from; /* in text: the file that tells of it */
    size_t path; /* index in the pictures that are there; SIZE_MAX: not looked for yet */
    int w, h;    /* of the frame of the boxes, pixels; 0: the picture's own; 1, 1: shares */
    int split;   /* vg_split, or CATALOGUE_NO_SPLIT */
    bool is_out;
    size_t n_objects;
} catalogue_picture;

typedef struct catalogue_object {
    size_t picture;
    double xywh[4];     /* centre and size, in the frame of its picture */
    size_t first_point; /* with options->keypoints: of the keypoints, and n_points is 0 */
    uint32_t n_points;  /* of its polygon, in the same frame; 0: a box */
    int32_t class_index;
} catalogue_object;

typedef struct catalogue {
    catalogue_class *classes;
    catalogue_picture *pictures;
    catalogue_object *objects;
    float *points;    /* (n_points, 2) */
    float *keypoints; /* (n_all_keypoints, 3): x y in the picture's frame, how it is seen */
    size_t n_all_keypoints, most_keypoints;
    int n_keypoints; /* of each object; 0: not known yet, or none wanted */
    int *flip_idx;   /* (n_keypoints) */
    size_t n_classes, n_pictures, n_objects, n_points;
    size_t most_classes, most_pictures, most_objects, most_points;
    base_str text;
    size_t n_difficult, n_joined;
    vg_dataset_left left[VG_N_LEFT];
    const data_convert_options *options;
    base_mem *mem;
} catalogue;

void catalogue_fini(catalogue *c);
/* Room for so many more; what a source knows beforehand, so that nothing moves. Errors:
 * VG_ERR_MEMORY, VG_ERR_LIMIT, as of all below. */
vg_status catalogue_reserve(catalogue *c, size_t n_pictures, size_t n_objects, size_t n_points,
                            vg_error *err);
vg_status catalogue_add_text(catalogue *c, size_t *out, const char *s, vg_error *err);
vg_status catalogue_add_class(catalogue *c, int64_t id, const char *name, vg_error *err);
/* By name; -1: none. */
int catalogue_find_class(const catalogue *c, const char *name);
/* By name, and the objects' numbers with them. */
vg_status catalogue_sort_classes(catalogue *c, vg_error *err);
/* The rest of *out is zero. */
vg_status catalogue_add_picture(catalogue *c, const char *name, const char *from, int split,
                                catalogue_picture **out, vg_error *err);
/* Of the newest picture, or o->picture. */
vg_status catalogue_add_object(catalogue *c, const catalogue_object *o, vg_error *err);
vg_status catalogue_add_point(catalogue *c, double x, double y, vg_error *err);
vg_status catalogue_add_keypoint(catalogue *c, double x, double y, double seen, vg_error *err);
/* What follows as points from `first` on is one more ring of the polygon that begins there: it is
 * put in between where the two are nearest, so that one outline goes around all. */
void catalogue_join_ring(catalogue *c, size_t first, size_t ring);
/* The box around points from `first` on. False: there are fewer than three, or they have no area.
 */
bool catalogue_bounds(const catalogue *c, double xywh[4], size_t first);

/* Counts what is left out, and keeps where the first was. */
void catalogue_leave(catalogue *c, vg_left why, const char *format, ...) VG_PRINTF(3, 4);

static inline const char *catalogue_text(const catalogue *c, size_t at)
{
    return c->text.text + at;
}

#endif
