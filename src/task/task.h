/* task.h: what a model is made for: detect, segment, pose, obb, classify.
 *
 * Everything in which tasks differ is said here, in one descriptor a task (detect.c, segment.c,
 * ...) and one table (task.c); floors below offer the parts that a descriptor points to (a loss, a
 * kind of labels, columns), floors above ask the descriptor and never which task it is
 * (tests/check_tasks.sh). docs/tasks.md says how a task is added. */
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include <stdbool.h>

#include "base/base.h"
#include "coco.h"
#include "data/data.h"
#include "draw.h"
#include "found.h"
#include "judge.h"
#include "report/report.h"
#include "rows.h"
#include "vigil/types.h"

enum { TASK_MOST_LOSSES = 5, TASK_MOST_METRICS = 8 };

typedef struct task {
    vg_task id;
    const char *name;   /* as users type it: "segment" */
    const char *suffix; /* of the models' names: "-seg"; "" of detect */
    const char *head;   /* the module that such a model ends with: "Segment" */
    const char *help;   /* what it finds, in a few words */

    const data_kind *labels;      /* what stands in its datasets' label files */
    const detect_loss_kind *loss; /* its items are `losses`, in this order */
    int imgsz;                    /* training's, where nobody gives one */
    int lr_classes;  /* that `optimizer=auto` counts for its rate; 0: the model's (T 5) */
    int val_batches; /* of training's batch: pictures of one of validation, beside training */

    /* Of training, in the order of console and results.csv (spec of the tasks, sections 3 and 6):
     * "box_loss". */
    const char *losses[TASK_MOST_LOSSES];
    int n_losses;

    /* Columns of results.csv between training's and validation's losses: "metrics/mAP50(B)". */
    const char *metrics[TASK_MOST_METRICS];
    int n_metrics;
    /* What a second row of metrics is of: "Mask", in files' names and headings; its letter in
     * columns "M". NULL: there is none. */
    const char *second, *second_letter;

    const task_judge_kind *judge; /* what is found and what is there, compared */
    /* Of prediction: from maps to results (found.h), as text (rows.h), into a picture (draw.h). */
    bool has_masks, is_rotated;
    bool has_boxes_alone; /* upright ones, and nothing beside them: what views and candidates that a
                             device picks are made for */
    bool
        is_whole; /* classes of the whole picture, which is cut to its middle; there are no boxes */
    bool has_counts; /* a console line says how many there are of each class */
    vg_status (*find)(task_finder *f, task_found *out, const task_scene *s, vg_error *err);
    vg_status (*put_label)(const task_writer *t, const task_row *r, vg_error *err);
    vg_status (*put_json)(const task_writer *t, const task_row *r, vg_error *err); /* NULL: none */
    /* Of validation's predictions.json (coco.h). NULL: there is no such file. */
    vg_status (*put_coco)(report_text *t, const task_row *r, vg_error *err);
    vg_status (*draw_below)(const task_drawing *d, vg_error *err); /* NULL: nothing */
    vg_status (*draw_above)(const task_drawing *d, vg_error *err);
} task;

/* 0 <= id < VG_N_TASKS. A constant. */
const task *task_of(vg_task id);
/* By its name; NULL: there is none. */
const task *task_find(const char *name);
/* "detect, segment, pose, obb or classify". */
typedef struct task_list {
    char text[64];
} task_list;
task_list task_names(void);

/* VG_ERR_ARGUMENT where somebody named another task (wanted: its name; NULL or "any") than the
 * model is for. model: its file or name, for the error. */
vg_status task_must_be(vg_task is, const char *wanted, const char *model, vg_error *err);

/* Its columns and headings, as report takes them; borrowed from the descriptor. */
report_names task_report_names(const task *t);

extern const task task_detect, task_segment, task_pose, task_obb, task_classify;

#endif
