/* gallery_art.h: what a task has beside boxes, into a tile of a page: masks below the frames,
 * points and names above. For gallery.c. */
#ifndef TRAIN_GALLERY_ART_H
#define TRAIN_GALLERY_ART_H

#include "report/report.h"
#include "validate.h"

/* A picture of a batch: its labels, or what was found in it. */
typedef struct gallery_art {
    const struct task *task;
    image_names names;
    const data_batch *batch;
    int i; /* in the batch */
    size_t first_label, n_labels;
    const train_validated *found; /* NULL: labels */
    size_t n_found;               /* the best, which are shown */
    vg_keypoint *points;          /* room for those of all objects that are shown */
    size_t most_objects;
} gallery_art;

/* As report_tile calls them; art: a gallery_art. */
vg_status gallery_art_below(void *art, const report_place *place, vg_error *err);
vg_status gallery_art_above(void *art, const report_place *place, vg_error *err);
/* The turned box of label k of the picture, or of detection k, in pixels of the batch. */
void gallery_art_turned(float xywhr[5], const gallery_art *a, size_t k);

#endif
