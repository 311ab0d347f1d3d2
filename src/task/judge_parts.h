/* judge_parts.h: what the kinds of judges are made of. For this folder. */
#ifndef TASK_JUDGE_PARTS_H
#define TASK_JUDGE_PARTS_H

#include "judge.h"

struct task_judge {
    task_judge_options o;
    detect_nms *nms;
    vg_detection *boxes;  /* (max_det) */
    uint32_t *cells;      /* (max_det) of the boxes */
    detect_truth *truths; /* (most_truths) */
    size_t n_boxes, n_truths;
    size_t first_label; /* of the picture, in its batch */
    void *more;         /* of the kind: more_bytes, then what its prepare takes */
};

/* Functions that are NULL have nothing to do. Picture i of a batch goes through them in this order.
 */
struct task_judge_kind {
    int n_figures;
    bool has_no_boxes; /* then only prepare, fini and classes are there */
    size_t (*suppress_bytes)(size_t most_rows, int max_det);
    vg_status (*suppress_create)(detect_nms **out, size_t most_rows, int max_det, base_mem *mem,
                                 vg_error *err);
    size_t more_bytes;
    size_t (*bytes)(const task_judge_options *o); /* what prepare takes; SIZE_MAX: too much */
    vg_status (*prepare)(task_judge *j, base_mem *mem, vg_error *err);
    void (*fini)(task_judge *j);

    /* Finds boxes and their cells, in pixels of the input; returns how many. */
    size_t (*find)(task_judge *j, const task_seen *s, int i);
    /* What boxes and truths (which are in pixels of the file) have beside them; boxes are in pixels
     * of the input still. */
    void (*look)(task_judge *j, const task_seen *s, int i);
    /* By what they are compared; boxes are in pixels of the file. */
    void (*compare)(task_judge *j, detect_scene *s);
    /* The picture's extras. */
    void (*show)(task_judge *j, task_judged *out);

    /* Pictures with a class: into the metrics. */
    vg_status (*classes)(task_judge *j, task_judged *out, detect_metrics *m, const task_seen *s,
                         int i, vg_error *err);
};

/* detect_run, or of several views. */
size_t task_judge_find_boxes(task_judge *j, const task_seen *s, int i);
/* The bytes of parts[0..n), or SIZE_MAX where one is 0 (refused by its floor) or they do not fit.
 */
size_t task_judge_sum(const size_t *parts, size_t n);

#endif
