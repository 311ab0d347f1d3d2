/* metrics.h: how good detections are: matching, average precision, curves, confusion (spec 6).
 *
 * detect_metrics takes pictures one after another, then makes its result. Memory: one block at
 * create for stated bounds; nothing in add or result. One owner; not thread-safe. */
#ifndef DETECT_METRICS_H
#define DETECT_METRICS_H

#include "assign.h"

enum {
    DETECT_N_IOU = 10,         /* thresholds 0.50, 0.55 ... 0.95 */
    DETECT_CURVE_POINTS = 1000 /* confidences 0..1 */
};
extern const float detect_iou_thresholds[DETECT_N_IOU];

/* As which releases of the Python tool figures are made: found by running them. Each has what those
 * before it have. */
typedef enum detect_ap {
    DETECT_AP_8_3,     /* up to 8.3.167 (spec 6): boxes are cut at the edges of the picture */
    DETECT_AP_8_3_168, /* to 8.4.36: boxes are compared as they come, also past the edges */
    DETECT_AP_8_4_37,  /* to 8.4.175: the curve of precision by recall falls to 0 behind the last
                        * detection at once; before, on a line to 0 at recall 1 */
    DETECT_AP_8_4,     /* from 8.4.176: a detection whose object is taken gets the next one */
} detect_ap;

/* How much detection `det` and object `truth` of a picture are the same, 0..1. */
typedef struct detect_likeness {
    float (*of)(const void *ctx, size_t det, size_t truth); /* NULL: IoU of upright boxes */
    const void *ctx;
} detect_likeness;

/* Which detections are right: bit t of tp[d] is set where detection d is a true positive at
 * threshold t. Detections best first; boxes of both in the same pixels. taken: (n_truths) scratch.
 * alike: by what they are compared; NULL: their boxes. */
void detect_match(uint16_t *tp, const vg_detection *dets, size_t n_dets, const detect_truth *truths,
                  size_t n_truths, const detect_likeness *alike, uint16_t *taken, detect_ap ap);

/* A picture's objects are found by boxes, and figures are made of them; models of some tasks say
 * more of each object, masks or keypoints, and a second row of figures is made of these. */
enum { DETECT_MOST_FIGURES = 2 };

typedef struct detect_metrics_bounds {
    int nc;
    size_t most_detections;         /* of all pictures: pictures * max_det */
    size_t most_picture_detections; /* max_det */
    size_t most_picture_truths;
    int n_figures;     /* rows of figures, 0 and 1: one */
    bool has_no_boxes; /* pictures have a class each: detect_metrics_rank is called, nothing else */
} detect_metrics_bounds;

typedef struct detect_metrics detect_metrics;
/* confusion_conf: detections above it count in the confusion matrix: 0.25, unless validation asks
 * for another confidence than 0.001. Errors: VG_ERR_ARGUMENT (a bound below 1, or too large),
 * VG_ERR_MEMORY. */
vg_status detect_metrics_create(detect_metrics **out, const detect_metrics_bounds *bounds,
                                float confusion_conf, base_mem *mem, vg_error *err);
size_t detect_metrics_bytes(const detect_metrics_bounds *bounds); /* 0: refused bounds */
void detect_metrics_destroy(detect_metrics **m);
/* DETECT_AP_8_3 unless chosen. */
void detect_metrics_choose_ap(detect_metrics *m, detect_ap ap);
/* Forgets all pictures. */
void detect_metrics_reset(detect_metrics *m);

/* What was added so far, for those who have looked at the pictures of a set in several processes
 * and put it together: counts are added up; rows, a detection each, are put one behind the other in
 * the order of the pictures, into rows, where there is room for most_rows. room: as much again, for
 * the bytes of others. Borrowed. */
enum { DETECT_METRICS_COUNTS = 6 };
typedef struct detect_metrics_parts {
    struct {
        uint64_t *at;
        size_t n;
    } counts[DETECT_METRICS_COUNTS];
    void *rows, *room;
    size_t row_bytes, n_rows, most_rows;
} detect_metrics_parts;
void detect_metrics_parts_get(detect_metrics_parts *out, detect_metrics *m);
void detect_metrics_set_rows(detect_metrics *m, size_t n_rows);

/* One picture; from DETECT_AP_8_3_168 on the boxes and objects are not cut. Errors, which leave the
 * picture out: VG_ERR_ARGUMENT (a class out of range), VG_ERR_LIMIT (past a bound). */
vg_status detect_metrics_add(detect_metrics *m, const vg_detection *dets, size_t n_dets,
                             const detect_truth *truths, size_t n_truths, vg_error *err);

/* The same where boxes are not compared as upright ones (boxes.of), or more than boxes is (second:
 * with two rows of figures). */
typedef struct detect_scene {
    const vg_detection *dets; /* (n_dets) best first */
    size_t n_dets;
    const detect_truth *truths; /* (n_truths) */
    size_t n_truths;
    detect_likeness boxes, second;
} detect_scene;
vg_status detect_metrics_add_scene(detect_metrics *m, const detect_scene *s, vg_error *err);
/* One picture that has a class: top (n_top) are the classes that it may show, the likeliest first:
 * at least one, and the first five where there are so many. Errors: VG_ERR_ARGUMENT (a class out of
 * range). */
vg_status detect_metrics_rank(detect_metrics *m, const vg_class_score *top, size_t n_top, int truth,
                              vg_error *err);

/* Of boxes, masks or keypoints. Arrays hold a row for each of the result's n_classes. */
typedef struct detect_figures {
    const double *ap;                           /* (n_classes, DETECT_N_IOU) */
    const double *p, *r, *f1;                   /* (n_classes) at best_conf */
    const double *tp, *fp;                      /* (n_classes) there, rounded to whole detections */
    const double *p_curve, *r_curve, *f1_curve; /* (n_classes, DETECT_CURVE_POINTS) by confidence */
    const double *pr_curve; /* (n_classes, DETECT_CURVE_POINTS) precision by recall at IoU 0.5 */
    const double *maps;     /* (nc) AP50-95 by class; the mean where a class has no objects */
    double best_conf;       /* where the smoothed mean F1 is highest */
    double mean_p, mean_r, map50, map, fitness;
} detect_figures;

/* Arrays hold a row for each of the n_classes classes that have objects, in the order of their
 * numbers; n_classes is 0 and every number 0 when no box at all was a true positive. Borrowed until
 * the next add, reset or destroy. */
typedef struct detect_metrics_result {
    size_t n_pictures, n_truths, n_detections;
    size_t n_classes;
    const int *classes; /* (n_classes) */
    int n_figures;
    detect_figures figures[DETECT_MOST_FIGURES]; /* of boxes; of masks or keypoints */
    const double *maps;                          /* (nc) the sum of all figures' */
    const size_t *truths_by_class;               /* (nc) objects */
    const size_t *pictures_by_class;             /* (nc) pictures with such objects */
    double fitness;    /* the sum of all figures'; of classes of pictures (top1 + top5) / 2 */
    double top1, top5; /* share of pictures, 0..1, whose class came first; among the first five */
    const uint64_t *confusion; /* (n_confused, n_confused) [predicted][true], background last */
    int n_confused;            /* nc + 1; nc where pictures have a class: there is no background */
} detect_metrics_result;
/* Not const: it sorts the detections in place. */
void detect_metrics_make_result(detect_metrics *m, detect_metrics_result *out);
/* The i-th row, i < n_classes, as callers are told it. names: (nc). */
vg_val_class detect_metrics_class(const detect_metrics_result *r, size_t i,
                                  const char *const *names);

#endif
