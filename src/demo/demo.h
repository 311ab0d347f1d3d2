/* demo.h: a data set of drawn pictures and their labels, for each task another. All that others may
 * include of demo. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "subject.h"

enum { DEMO_MOST_PICTURES = 100000 }; /* of a part */

typedef struct demo_dataset {
    const demo_subject *subject;
    const char *folder;           /* made where it is not: gets all the files */
    int n_pictures[DEMO_N_PARTS]; /* 1..DEMO_MOST_PICTURES each */
    uint64_t seed;                /* another one, other pictures */
    int threads;                  /* 0: every processor */
    /* NULL: nobody. Pictures drawn so far; from the caller's own thread. */
    void (*progress)(void *ctx, int n_done, int n_total);
    void *ctx;
} demo_dataset;

/* Draws all of it: images/PART, labels/PART and dataset.yaml; of class folders train/CLASS,
 * val/CLASS and the unseen ones. *n_objects: labelled in all. Holds memory, on an account of its
 * own, during the call only. Errors: VG_ERR_IO, VG_ERR_LIMIT (a path too long), VG_ERR_MEMORY,
 * VG_ERR_SYSTEM. */
vg_status demo_dataset_draw(size_t *n_objects, const demo_dataset *o, vg_error *err);
/* What training is given as its data, and the folder of unseen pictures. False: it does not fit. */
bool demo_dataset_path(char *buf, size_t n, const demo_dataset *o);
bool demo_dataset_unseen(char *buf, size_t n, const demo_dataset *o);

#endif
