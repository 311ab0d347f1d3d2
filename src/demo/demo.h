/* demo.h: a data set of drawn pictures: a shop's shelves with bottles, cans, cartons, jars and
 * boxes, and their labels. All that others may include of demo. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "shelf.h"

typedef enum demo_part { DEMO_TRAIN, DEMO_VAL, DEMO_UNSEEN, DEMO_N_PARTS } demo_part;
enum { DEMO_MOST_PICTURES = 100000 }; /* of a part */
#define DEMO_YAML "dataset.yaml"

typedef struct demo_dataset {
    const char *folder;           /* made where it is not: gets images/, labels/ and DEMO_YAML */
    int n_pictures[DEMO_N_PARTS]; /* 1..DEMO_MOST_PICTURES each */
    uint64_t seed;                /* another one, other shelves */
    int threads;                  /* 0: every processor */
    /* NULL: nobody. Pictures drawn so far; from the caller's own thread. */
    void (*progress)(void *ctx, int n_done, int n_total);
    void *ctx;
} demo_dataset;

/* Draws all of it. *n_objects: labelled in all. Holds memory, on an account of its own, during the
 * call only. Errors: VG_ERR_IO, VG_ERR_LIMIT (a path too long), VG_ERR_MEMORY, VG_ERR_SYSTEM. */
vg_status demo_dataset_draw(size_t *n_objects, const demo_dataset *o, vg_error *err);

#endif
