/* saver.h: what a validation found, into files of its folder: predictions.json (COCO's results,
 * with masks as run lengths, keypoints, turned boxes), of turned boxes DOTA's text files, too, and
 * labels/NAME.txt for each picture.
 *
 * Memory: two buffers of 64 KiB, taken at create; then nothing, but of turned boxes what
 * report_dota keeps. One owner. */
#ifndef TRAIN_SAVER_H
#define TRAIN_SAVER_H

#include "result.h"

typedef struct train_saver train_saver;

typedef struct train_saver_options {
    const char *folder; /* this, the set and names are borrowed until destroy */
    const struct task *task;
    const data_set *set;
    const char *const *names; /* (nc) */
    int nc;
    bool json, txt, conf; /* conf: it ends a box's row of txt */
} train_saver_options;

/* VG_ERR_UNSUPPORTED where the task has no predictions.json. */
vg_status train_saver_check(const struct task *t, bool json, vg_error *err);
vg_status train_saver_create(train_saver **out, const train_saver_options *o, base_mem *mem,
                             vg_error *err);
/* A picture. labels/ has the folders that lie below the folder that all pictures share; a picture
 * in which nothing was found has no file, nor keeps an earlier run's. Errors: report_coco_add's;
 * VG_ERR_IO. */
vg_status train_saver_add(train_saver *s, const train_validated *p, vg_error *err);
/* predictions.json and DOTA's files in place of the old ones, or why not. */
vg_status train_saver_commit(train_saver *s, vg_error *err);
/* predictions.json is not there without commit. NULL inside is fine. */
void train_saver_destroy(train_saver **s);

#endif
