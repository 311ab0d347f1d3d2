/* train.h: what `vigil train`, `vigil val` and `vigil attach` print alike, and how a run is told.
 */
#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "cli.h"

/* ---- train_table.c ---- */

/* Header, the row of all classes, and a row a class when there are several. */
void train_table_print(FILE *to, const vg_val_result *r);
/* Header and row of all classes, as of an epoch; nothing when it was not validated. */
void train_epoch_print(FILE *to, const vg_train_epoch *e);
/* "Data: 205 pictures with 2804 objects to train on, 87 with 1137 to validate; ..." train NULL: of
 * a validation alone. */
void train_data_print(FILE *to, const vg_data_report *train, const vg_data_report *val);
/* "Memory: planned 755.6 MB (data 171.7 MB, ...), resident ..., peak ..." */
void train_memory_planned(FILE *to, const vg_memory *m);
/* "Batch: 23 pictures, the most that fit 400.0 MB: 391.2 MB (data ..., program ...)"; without a
 * limit nothing. */
/* A device's memory by owner, where there is one. */
void train_gpu_print(FILE *to, const vg_plan *plan);
void train_limit_print(FILE *to, const vg_plan *plan);
/* The table of a plan. */
void train_plan_print(FILE *to, const vg_plan *plan);
/* "Memory: at most data 171.7 MB, ... was held; resident ..., peak ..." */
void train_memory_held(FILE *to, const vg_memory *m);

/* ---- train_talk.c ---- */

double train_now_s(void);

/* An epoch's row as of this batch; not ended by a newline on a terminal. */
void train_row_print(const cli_screen *s, const vg_train_batch *b, const vg_train_pace *pace);
/* Above the rows of an epoch. */
void train_header_print(vg_task task);

/* A run as it is told by its own process; zeroed but for t and screen is valid. */
typedef struct train_talk {
    vg_train *t;
    cli_screen screen;
    int epoch;                          /* of the last batch, from 1 */
    double session_s, epoch_s, shown_s; /* monotonic: began, began, shown last */
    double total_pictures;              /* in the session */
    double train_s;                     /* in batches, of all epochs of the session */
    int best_epoch;                     /* of the session; 0: none */
    bool time_is_up;
} train_talk;
/* After prepare: what there is to train on. */
void train_talk_begin(train_talk *k);
/* Borrows k. */
vg_train_listener train_talk_listener(train_talk *k);
/* Of a rank other than the first. */
vg_train_listener train_talk_silent(train_talk *k);
/* After the run. */
void train_talk_end(const train_talk *k);
/* The same as an object on standard output. */
void train_talk_json(const train_talk *k);

/* ---- train_json.c ---- */

/* From now on what is printed on standard output goes to standard error. What to hand to
 * train_json_end; -1 with err filled. */
int train_json_begin(vg_error *err);
/* Standard output is as it was. */
void train_json_end(int kept);
/* "KEY": "text" */
void train_json_text(const char *key, const char *text);
/* "validation": {...}, or null. */
void train_json_result(const vg_val_result *r);

/* ---- train_detach.c ---- */

/* Forks. In the child *pipe is where it reports to, in the parent where it is heard from; the
 * result is the child's id, 0 in the child itself, -1 with err filled. Before there are threads. */
int train_detach_fork(int *pipe, vg_error *err);
/* In the parent: until the child is on its own, or has ended. The exit status. */
int train_detach_hear(int child, int pipe);
/* In the child, prepared: leaves the terminal and lets the parent go. */
vg_status train_detach_leave(train_talk *k, int pipe, vg_error *err);

#endif
