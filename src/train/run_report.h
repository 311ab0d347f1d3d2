/* run_report.h: what a run's folder gets beside what train writes itself (weights, results.csv):
 * args.yaml, events, plots, pictures of batches, predictions.json.
 *
 * A run is not ended by a picture or an event that could not be written: later ones are tried
 * again, and the first error and how many followed it are told when training is over. Memory: the
 * event file's buffer and, with plots, the gallery's pages, taken at create. One owner. */
#ifndef TRAIN_RUN_REPORT_H
#define TRAIN_RUN_REPORT_H

#include "gallery.h"
#include "run.h"

typedef struct train_report train_report;

/* Of a run that is prepared. Everything is borrowed until destroy. */
typedef struct train_report_options {
    const train_run *run;
    const char *folder;
    const char *const *names; /* (nc) */
    int nc, stride;
    bool is_resumed;
    const base_mem *root; /* whose bytes in use are told as events */
    base_mem *work;
} train_report_options;

/* Opens the event file; of a new run, writes args.yaml and the plots of its labels. */
vg_status train_report_create(train_report **out, const train_report_options *o, vg_error *err);
void train_report_destroy(train_report **r);

/* In the run's course, by train's listener. */
void train_report_input(train_report *r, int64_t ni, const data_batch *b);
void train_report_epoch(train_report *r, const vg_train_epoch *row);
void train_report_validated(train_report *r, const train_validated *p, bool is_final);

/* What could not be written since the last call; NULL: nothing. Borrowed until the next event. */
const vg_error *train_report_trouble(train_report *r);

/* When training is over: plots, predictions.json. final: NULL: there is none. The error is that of
 * these files. */
vg_status train_report_finish(train_report *r, const train_validation *final, vg_error *err);
/* The first error of what could not be written while training went on; VG_OK: there was none. */
vg_status train_report_told(const train_report *r, vg_error *err);

#endif
