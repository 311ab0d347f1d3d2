/* train_report.h: what a run's folder gets beside what train writes itself (weights, results.csv):
 * args.yaml, events, plots, pictures of batches, predictions.json. Internal to api.
 *
 * A run is not ended by a picture or an event that could not be written: later ones are tried
 * again, and the first error and how many followed it are told when training is over. Memory: the
 * event file's buffer and, with plots, the gallery's pages, taken at create. One owner. */
#ifndef API_TRAIN_REPORT_H
#define API_TRAIN_REPORT_H

#include "gallery.h"

typedef struct api_train_report api_train_report;

/* Of a run that is prepared. Everything is borrowed until destroy. */
typedef struct api_train_report_options {
    const train_run *run;
    const char *folder;
    const char *const *names; /* (nc) */
    int nc, stride;
    bool is_resumed;
    const base_mem *root; /* whose bytes in use are told as events */
    base_mem *work;
} api_train_report_options;

/* Opens the event file; of a new run, writes args.yaml and the plots of its labels. */
vg_status api_train_report_create(api_train_report **out, const api_train_report_options *o,
                                  vg_error *err);
void api_train_report_destroy(api_train_report **r);

/* In the run's course, by train's listener. */
void api_train_report_input(api_train_report *r, int64_t ni, const data_batch *b);
void api_train_report_epoch(api_train_report *r, const vg_train_epoch *row);
void api_train_report_validated(api_train_report *r, const train_validated *p, bool is_final);

/* What could not be written since the last call; NULL: nothing. Borrowed until the next event. */
const vg_error *api_train_report_trouble(api_train_report *r);

/* When training is over: plots, predictions.json. final: NULL: there is none. The error is that of
 * these files. */
vg_status api_train_report_finish(api_train_report *r, const train_validation *final,
                                  vg_error *err);
/* The first error of what could not be written while training went on; VG_OK: there was none. */
vg_status api_train_report_told(const api_train_report *r, vg_error *err);

#endif
