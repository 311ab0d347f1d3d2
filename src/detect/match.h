/* match.h: the confusion matrix's matching. Private to src/detect. */
#ifndef DETECT_MATCH_H
#define DETECT_MATCH_H

#include "metrics.h"

typedef struct confusion_scratch {
    int32_t *best_truth; /* (n_dets) -1: none */
    int32_t *best_det;   /* (n_truths) -1: none */
    float *best_iou;     /* (n_truths) */
} confusion_scratch;

/* Adds one picture to the matrix (nc + 1, nc + 1): by boxes. */
void confusion_add(uint64_t *matrix, int nc, float conf, const detect_scene *s,
                   confusion_scratch *scratch);

#endif
