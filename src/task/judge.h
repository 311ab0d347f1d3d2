/* judge.h: what validation asks of a task: what a network found in a picture, what is there, and
 * how much the two are alike (T 6). A kind of judge is a file, judge_*.c.
 *
 * Memory: everything at create, for stated bounds; nothing afterwards. One owner. */
#ifndef TASK_JUDGE_H
#define TASK_JUDGE_H

#include "data/data.h"
#include "detect/detect.h"
#include "nn/nn.h"

typedef struct task_judge_kind task_judge_kind;
extern const task_judge_kind task_judge_boxes, task_judge_masks, task_judge_keypoints,
    task_judge_rotated, task_judge_classes;
/* Rows of figures that detect_metrics makes of such pictures, and whether these have no boxes. */
int task_judge_figures(const task_judge_kind *kind);
bool task_judge_has_boxes(const task_judge_kind *kind);

typedef struct task_judge_options {
    const task_judge_kind *kind;
    detect_nms_options nms;
    size_t most_rows;   /* of suppression */
    size_t most_truths; /* of a picture */
    int nc;
    int most_h, most_w; /* of the network's input, pixels */
    /* Masks are made and compared at the input's size, as those that are written to files; else at
     * the prototypes', a quarter of it. */
    bool whole_masks;
    bool outlines;                  /* of these, in pixels of the picture */
    int n_keypoints, keypoint_dims; /* of the network */
    bool cuts_first; /* boxes are cut at the edges of their picture before they are compared */
} task_judge_options;

/* A batch that the network has seen: its maps, borrowed. */
typedef struct task_seen {
    const data_batch *batch;
    const detect_level *levels;
    int n_levels;
    nn_map results[NN_N_RESULTS]; /* data NULL: there is none */
    const detect_views *views;    /* of several views (boxes alone); NULL: of one */
} task_seen;

/* One picture that was judged. Boxes are in pixels of the picture as in its file. Borrowed until
 * the next one. */
typedef struct task_judged {
    const vg_detection *boxes; /* (n_boxes) best first */
    size_t n_boxes;
    const detect_truth *truths; /* (n_truths) */
    size_t n_truths;
    /* Beside the boxes. Turned boxes are as they were compared: not regularised. Masks: of the grid
     * of the prototypes or of the input. */
    vg_extras found;
    /* Of the objects: keypoints, turned boxes, the class of the picture (top). */
    vg_extras there;
} task_judged;

typedef struct task_judge task_judge;
size_t task_judge_bytes(const task_judge_options *o);
vg_status task_judge_create(task_judge **out, const task_judge_options *o, base_mem *mem,
                            vg_error *err);
void task_judge_destroy(task_judge **j);
/* Picture i of the batch goes into the metrics. *label: the first of its labels, moves on behind
 * them. Errors: detect_metrics_add's. */
vg_status task_judge_picture(task_judge *j, task_judged *out, detect_metrics *m, const task_seen *s,
                             int i, size_t *label, vg_error *err);
/* Boxes and truths of the picture that was judged last are cut at its edges: for who shows them. */
void task_judge_cut(task_judge *j, const data_item *item);

#endif
