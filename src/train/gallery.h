/* gallery.h: pictures of batches for the user's eyes: train_batchN.jpg, val_batchN_labels.jpg and
 * val_batchN_pred.jpg, with boxes, upright or turned, masks, keypoints, or classes, as the task
 * has.
 *
 * Memory: two pages and one picture, taken at create; what follows allocates only while a page goes
 * into an event file. One owner. */
#ifndef TRAIN_GALLERY_H
#define TRAIN_GALLERY_H

#include "result.h"

/* So many batches, from the first one on. */
enum { TRAIN_GALLERY_BATCHES = 3 };

typedef struct train_gallery train_gallery;

typedef struct train_gallery_options {
    const char *folder;       /* all three are borrowed until destroy */
    const char *const *names; /* (nc) */
    int nc;
    report_events *events; /* gets the first batch of each kind, too; NULL: nobody does */
    int imgsz, stride;
    size_t most_labels;      /* of a picture of a batch: truths */
    size_t most_found;       /* max_det */
    const struct task *task; /* NULL: detect */
    int n_keypoints;         /* of the model */
    float conf; /* detections above this one are shown; 0.001, validation's own: 0.25 */
} train_gallery_options;

vg_status train_gallery_create(train_gallery **out, const train_gallery_options *o, base_mem *mem,
                               vg_error *err);
void train_gallery_destroy(train_gallery **g);

/* Batch number ni of a run into train_batchNI.jpg; step is for the event file. */
vg_status train_gallery_train(train_gallery *g, int64_t ni, const data_batch *b,
                              const data_set *set, int64_t step, base_mem *mem, vg_error *err);
/* The next picture of a validation; both files are written when the last one that they show is in.
 * Batches past the third are passed over. */
vg_status train_gallery_validated(train_gallery *g, const train_validated *p, const data_set *set,
                                  int64_t step, base_mem *mem, vg_error *err);

#endif
