/* validate_ranks.h: a validation whose pictures are dealt to ranks, put together as one process has
 * it: losses batch by batch, detections in the order of the pictures. For this folder. */
#ifndef TRAIN_VALIDATE_RANKS_H
#define TRAIN_VALIDATE_RANKS_H

#include "detect/detect.h"
#include "ranks/ranks.h"

enum { VALIDATE_RANKS_SUMS = 4 };

typedef struct validate_ranks {
    ranks *ranks; /* NULL: alone, and nothing below is there */
    size_t n_batches;
    double (
        *sums)[VALIDATE_RANKS_SUMS]; /* (n_batches) scores, and losses before they are divided */
    uint32_t *n_rows;                /* (n_batches) detections of this rank */
    uint32_t *all_rows;              /* (ranks, n_batches) */
    size_t *sizes;                   /* (ranks) bytes; then where each is read */
} validate_ranks;

size_t validate_ranks_bytes(const ranks *r, size_t n_batches);
vg_status validate_ranks_open(validate_ranks *v, ranks *r, size_t n_batches, base_mem *mem,
                              vg_error *err);
void validate_ranks_close(validate_ranks *v);

/* Forgets what was noted. */
void validate_ranks_begin(validate_ranks *v);
/* Notes the loss of this rank's share of a batch; the detections of one of its pictures. */
void validate_ranks_loss(validate_ranks *v, size_t batch, const detect_loss_value *value);
void validate_ranks_rows(validate_ranks *v, size_t batch, size_t n_rows);
/* All ranks call it: loss becomes the mean over batches, metrics, on rank 0, those of all pictures.
 */
vg_status validate_ranks_merge(validate_ranks *v, detect_metrics *m, double loss[3], vg_error *err);

#endif
